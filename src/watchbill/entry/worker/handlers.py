"""Which action does what when a timer of a kind is due: each domain's module lists its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from watchbill.actions import (
    action_items,
    alerts,
    chat_watch,
    communities,
    drills,
    experts,
    handoff_watch,
    helpdesk_canned,
    incident_closing,
    incident_proposals,
    incident_updates,
    notices,
    paging,
    postmortems,
    request_places,
    role_watch,
    rota,
    silences,
    support,
    teams,
    tracking,
    vendor_cases,
    work_clock,
)
from watchbill.actions.timers import Claim

Handler = Callable[[Claim, datetime], None]

HANDLERS: dict[tuple[str, str], Handler] = {
    **paging.TIMER_HANDLERS,
    **alerts.TIMER_HANDLERS,
    **silences.TIMER_HANDLERS,
    **rota.TIMER_HANDLERS,
    **role_watch.TIMER_HANDLERS,
    **incident_closing.TIMER_HANDLERS,
    **support.TIMER_HANDLERS,
    **teams.TIMER_HANDLERS,
    **tracking.TIMER_HANDLERS,
    **communities.TIMER_HANDLERS,
    **drills.TIMER_HANDLERS,
    **request_places.TIMER_HANDLERS,
    **work_clock.TIMER_HANDLERS,
    **experts.TIMER_HANDLERS,
    **vendor_cases.TIMER_HANDLERS,
    **chat_watch.TIMER_HANDLERS,
    **helpdesk_canned.TIMER_HANDLERS,
    **incident_updates.TIMER_HANDLERS,
    **notices.TIMER_HANDLERS,
    **incident_proposals.TIMER_HANDLERS,
    **postmortems.TIMER_HANDLERS,
    **action_items.TIMER_HANDLERS,
    **handoff_watch.TIMER_HANDLERS,
}
