"""Which action does what when a timer of a kind is due: each domain's module lists its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from watchbill.actions import alerts, paging, rota, silences, support, teams
from watchbill.actions.timers import Claim

Handler = Callable[[Claim, datetime], None]

HANDLERS: dict[tuple[str, str], Handler] = {
    **paging.TIMER_HANDLERS,
    **alerts.TIMER_HANDLERS,
    **silences.TIMER_HANDLERS,
    **rota.TIMER_HANDLERS,
    **support.TIMER_HANDLERS,
    **teams.TIMER_HANDLERS,
}
