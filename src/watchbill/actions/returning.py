"""An alert that comes back: what was answered before it went, and the page that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from watchbill.actions.effects import carry_out
from watchbill.actions.log import Subject
from watchbill.core import alerts
from watchbill.db.models import AlertGroup, Page
from watchbill.rules import acknowledgement_expires


def answer_of(group: AlertGroup, rules: Mapping[str, Any]) -> alerts.Answer | None:
    """Read what stood answered when a group resolved; None when nobody had answered, or a person closed it."""
    if group.acknowledged_at is None:
        return None
    name = str(group.acknowledged_by or "somebody")
    if group.snoozed_until is not None:
        return alerts.Answer(name, group.snoozed_until, snoozed=True)
    if _last_page(group) is None:
        return alerts.Answer(name)
    settings = acknowledgement_expires.Settings.model_validate(rules.get("acknowledgement_expires", {}))
    return alerts.Answer(name, acknowledgement_expires.decide(settings, group.acknowledged_at))


def let_page_go_on(group: AlertGroup, answer: alerts.Answer, why: str, now: datetime) -> None:
    """Open the page that closed when the group resolved, as it was answered; one that never closed stays as it is."""
    page = _last_page(group)
    if page is not None and page.closed_at is not None:
        carry_out(alerts.go_on(answer, why), page, Subject("page", page.pk, page.team_id), now)


def _last_page(group: AlertGroup) -> Page | None:
    if group.pk is None:
        return None
    return Page.objects.select_for_update(of=("self",)).filter(group=group).order_by("-id").first()
