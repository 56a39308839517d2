"""Timers: a row with a due time per subject and kind. Waiting is a row, not memory and not a message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, When

from watchbill.actions.log import Subject
from watchbill.core.delivery import LEASE
from watchbill.db.models import Timer
from watchbill.db.wake import wake_workers

# What wakes people goes before what was due earlier: a digest can wait for a page, and a page for nothing.
URGENT = ("page", "alert", "silence", "incident", "role")
PATIENCE = 3
URGENT_FIRST = Case(When(subject_kind__in=URGENT, then=0), default=1)
LONGEST_LEASE = timedelta(minutes=5)


@dataclass(frozen=True)
class Claim:
    """A due timer in the hands of one worker until its lease ends; `attempt` is the fence."""

    id: int
    subject_kind: str
    subject_id: int
    kind: str
    attempt: int


def set_timer(subject: Subject, kind: str, at: datetime) -> None:
    """Wake the subject at `at` for `kind`; a timer of the same kind is replaced, and whoever held it loses it."""
    set_timers([(subject, kind, at)])


def set_timers(timers: Sequence[tuple[Subject, str, datetime]]) -> None:
    """Set many timers, each as `set_timer` does: subject, kind, when."""
    if not timers:
        return
    Timer.objects.bulk_create(
        [
            Timer(subject_kind=subject.kind, subject_id=subject.id, kind=kind, due_at=at, attempt=0)
            for subject, kind, at in timers
        ],
        batch_size=250,
        update_conflicts=True,
        unique_fields=["subject_kind", "subject_id", "kind"],
        update_fields=["due_at", "attempt"],
    )
    wake_workers()


def clear_timer(subject: Subject, kind: str) -> None:
    """Forget the subject's timer of this kind."""
    Timer.objects.filter(subject_kind=subject.kind, subject_id=subject.id, kind=kind).delete()


def claim_due(clock: Callable[[], datetime], limit: int) -> list[Claim]:
    """Take up to `limit` due timers for one lease: the lease is the new due time, so a dead worker's work is due again.

    Those of `URGENT` subjects first, then those that are due for longest.

    `clock` (UTC) is read when the database lets us write: the time spent waiting for that is not part of the lease.

    A timer that failed `PATIENCE` times is leased for longer each time, at most `LONGEST_LEASE`: a poisoned one
    must not eat the worker, and one that only had bad neighbours must not wait for long.
    """
    with transaction.atomic():
        now = clock()
        late = Timer.objects.filter(due_at__lte=now).order_by(URGENT_FIRST, "due_at")
        due = list(late.select_for_update(skip_locked=True)[:limit])
        for timer in due:
            timer.attempt += 1
            timer.due_at = now + min(LEASE * 2 ** min(max(timer.attempt - PATIENCE, 0), 8), LONGEST_LEASE)
        Timer.objects.bulk_update(due, ["attempt", "due_at"])
    return [Claim(t.pk, t.subject_kind, t.subject_id, t.kind, t.attempt) for t in due]


def finish(claim: Claim) -> bool:
    """Remove a claimed timer, inside the transaction that did its work; False: it was superseded, do nothing.

    Call it only after the subject is locked: every path locks the subject first, then its timers.
    """
    deleted, _ = Timer.objects.filter(pk=claim.id, attempt=claim.attempt).delete()
    return deleted == 1


def next_due() -> datetime | None:
    """Read when the next timer is due."""
    return Timer.objects.order_by("due_at").values_list("due_at", flat=True).first()


def lateness(now: datetime) -> timedelta:
    """Read by how much the oldest due timer is late."""
    due = next_due()
    return max(now - due, timedelta()) if due else timedelta()
