"""What must leave to outside systems, and by mail to people without an account: put it, claim it, finish it.

At least once, as every message: the row is written in the transaction of what caused it, and marked sent only after
the other side took it. Senders are registered by what they handle, so that this file knows no system.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from watchbill.actions.log import Subject
from watchbill.core.delivery import LEASE
from watchbill.db.models import Connection, Export
from watchbill.db.wake import wake_workers

GIVE_UP_AFTER = timedelta(days=2)
LONGEST_RETRY = timedelta(minutes=30)
FIRST_RETRY = timedelta(seconds=5)


@dataclass(frozen=True)
class Claim:
    """A due export in the hands of one worker until its lease ends; `attempt` is the fence."""

    id: int
    attempt: int
    connection: int | None = None


def put(
    subject: Subject,
    what: str,
    key: str,
    why: str,
    now: datetime,
    *,
    connection: Connection | None = None,
    recipient: Mapping[str, str] | None = None,
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Put something that must leave; the same key a second time is nothing new. Call it inside a transaction."""
    Export.objects.get_or_create(
        key=key,
        defaults={
            "team_id": subject.team,
            "connection": connection,
            "recipient": dict(recipient) if recipient else None,
            "subject_kind": subject.kind,
            "subject_id": subject.id,
            "what": what,
            "payload": dict(payload or {}),
            "why": why,
            "created_at": now,
            "due_at": now,
        },
    )
    wake_workers()


def claim_due(
    clock: Callable[[], datetime], limit: int, busy: Collection[int] = (), most_connected: int | None = None
) -> list[Claim]:
    """Take exports that are due, each with a lease: whoever dies loses it to the next.

    Of one connection one is taken at a time, none of those that are `busy`, and of all connections together at most
    `most_connected`: a tracker that hangs or is far behind holds back neither the others nor the mail to requesters.
    """
    with transaction.atomic():
        now = clock()
        due = Export.objects.select_for_update(of=("self",), skip_locked=True).filter(due_at__lte=now)
        due = due.order_by("due_at", "id")
        taken = list(due.filter(connection=None)[:limit])
        seen = set(busy)
        for _ in range(min(limit - len(taken), limit if most_connected is None else most_connected)):
            export = due.filter(connection__isnull=False).exclude(connection__in=seen).first()
            if export is None or export.connection_id is None:
                break
            seen.add(export.connection_id)
            taken.append(export)
        for export in taken:
            export.attempt += 1
            export.due_at = now + LEASE * 2
        Export.objects.bulk_update(taken, ["attempt", "due_at"])
    return [Claim(export.pk, export.attempt, export.connection_id) for export in taken]


def next_due(busy: Collection[int] = (), *, mail_only: bool = False) -> datetime | None:
    """Read when the next export is due, but for those of the connections that are `busy`, or of mail alone."""
    due = Export.objects.filter(due_at__isnull=False).order_by("due_at")
    if mail_only:
        due = due.filter(connection=None)
    elif busy:
        due = due.filter(Q(connection=None) | ~Q(connection__in=busy))
    return due.values_list("due_at", flat=True).first()


def finish(claim: Claim, answer: str, reference: str, now: datetime) -> bool:
    """Mark an export as sent, unless another worker took it meanwhile."""
    return _end(claim, state="sent", answer=answer[:2000], reference=reference[:255], due_at=None, finished_at=now)


def drop(claim: Claim, why: str, now: datetime) -> bool:
    """Mark an export as no longer wanted."""
    return _end(claim, state="dropped", answer=why[:2000], due_at=None, finished_at=now)


def fail(claim: Claim, error: str, permanent: bool, now: datetime) -> bool:
    """Try it again later, or give it up: for good, or after two days of trying."""
    export = Export.objects.get(pk=claim.id)
    if permanent or now - export.created_at >= GIVE_UP_AFTER:
        return _end(claim, state="failed", answer=error[:2000], due_at=None, finished_at=now)
    wait = min(FIRST_RETRY * int(2 ** min(claim.attempt - 1, 12)), LONGEST_RETRY)
    return _end(claim, state="waiting", answer=error[:2000], due_at=now + wait)


def retry(export: Export, now: datetime) -> None:
    """Make a failed export due again."""
    Export.objects.filter(pk=export.pk, state__in=("failed", "waiting")).update(state="waiting", due_at=now, attempt=0)
    wake_workers()


def _end(claim: Claim, **changes: Any) -> bool:
    return Export.objects.filter(pk=claim.id, attempt=claim.attempt).update(**changes) == 1
