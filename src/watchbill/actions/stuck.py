"""A timer that fails each time: somebody hears of it, because what it was to do (climb a ladder, ask again) is not done."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import delivery
from watchbill.actions.log import Subject, record
from watchbill.actions.timers import PATIENCE, Claim
from watchbill.db.models import AlertGroup, Event, Page, Silence

TELL_AGAIN = timedelta(hours=1)
OF_A_TEAM: dict[str, type[Page | AlertGroup | Silence]] = {"page": Page, "alert": AlertGroup, "silence": Silence}
PATHS = {"page": "/pages/{}", "alert": "/alerts/{}"}


def tell_stuck(claim: Claim, error: Exception, now: datetime) -> None:
    """Tell somebody of the team, else an administrator, once it has failed `PATIENCE` times; again after `TELL_AGAIN`."""
    if claim.attempt < PATIENCE:
        return
    subject, title = _find(claim)
    lines = Event.objects.filter(subject_kind=subject.kind, subject_id=subject.id, kind="timer.failed")
    if lines.filter(at__gt=now - TELL_AGAIN, data__timer=claim.kind).exists():
        return
    why = f"“{claim.kind.replace('_', ' ')}” of {title} fails each time"
    text = (
        f"It is tried again every few minutes. Until it works, nothing that it was to do is done: look after it yourself, "
        f"and tell whoever runs this instance.\n\n{type(error).__name__}: {error}"
    )
    words = delivery.Words(why, text[:2000], "notice", path=PATHS.get(subject.kind, "").format(subject.id))
    with transaction.atomic():
        record(subject, "timer.failed", f"{why}: {error!r}"[:2000], now, data={"timer": claim.kind})
        delivery.tell_somebody(subject, words, why, set(), now)


def _find(claim: Claim) -> tuple[Subject, str]:
    """Give the log's name for what a timer belongs to, with its team where it has one, and how a person calls it."""
    model = OF_A_TEAM.get(claim.subject_kind)
    row = model.objects.filter(pk=claim.subject_id).first() if model else None
    team = row.team_id if row is not None else None
    return Subject(claim.subject_kind, claim.subject_id, team), str(row or f"{claim.subject_kind} {claim.subject_id}")
