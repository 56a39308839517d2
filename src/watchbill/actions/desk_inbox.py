"""What comes to a desk from outside (mail, webhooks of trackers, helpdesks and chats): stored first, then read in order.

A row is on disk before its sender is answered. One worker reads at a time, the oldest row first, each in a
transaction of its own; who reads what is registered by name in `READERS`. A row that its reader does not understand is
kept with the reason, shown, and can be read again; one that meets a bug is kept as failed. Neither stops the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet

from watchbill.actions import delivery
from watchbill.actions.access import require, require_administrator
from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import Connection, Event, Inbox, Person, Team
from watchbill.db.wake import wake_workers
from watchbill.kit.errors import NotAllowed, Refused, Unreadable, WatchbillError

Reader = Callable[[Inbox, datetime], None]

log = structlog.get_logger()
MAIL = "mail"
BATCH = 50
MOST_SHOWN = 200
TELL_AGAIN = timedelta(hours=1)
# What a row's own content can raise in a reader; a database that is away must not mark rows.
CONTENT = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError,
    WatchbillError, DataError, IntegrityError,
)  # fmt: skip

# Who reads what: "mail", or a connector's name. A reader works inside the row's transaction, makes nothing twice when
# it meets the same row or message again, and raises Unreadable, Refused or NotAllowed for what stays unread.
READERS: dict[str, Reader] = {}


def store(kind: str, connection_id: int, body: bytes, note: Mapping[str, object], sender: str, now: datetime) -> int:
    """Put what arrived on disk and give its number; once this returned, outside a transaction, it is not lost.

    `kind` is "mail" (then `connection_id` is 0) or a connector's name; `note` what the reader needs beside the body,
    such as headers; `sender` who handed it over, for people to read.
    """
    with transaction.atomic():
        row = Inbox.objects.create(
            received_at=now,
            service_id=0,
            connection_id=connection_id,
            monitor=kind,
            body=body,
            note=json.dumps(dict(note)) if note else "",
            sender=sender[:64],
        )
        wake_workers()
    return row.pk


def is_waiting() -> bool:
    """Tell whether anything waits to be read."""
    return Inbox.objects.filter(service_id=0, state=Inbox.WAITING).exists()


def receive(now: datetime, limit: int = BATCH) -> int:
    """Read what waits, oldest first, at most `limit` rows; gives how many were done (0: none, or another reads)."""
    done = 0
    while done < limit and _receive_next(now):
        done += 1
    return done


def _receive_next(now: datetime) -> bool:
    waiting = Inbox.objects.filter(service_id=0, state=Inbox.WAITING)
    oldest = waiting.order_by("id").values_list("pk", flat=True).first()
    if oldest is None:
        return False
    try:
        with transaction.atomic():
            # Whoever holds the oldest row reads, all others wait: two mails of one thread keep their order.
            row = waiting.select_for_update(skip_locked=True).filter(pk=oldest).first()
            if row is None:
                return False
            _read(row, now)
            Inbox.objects.filter(pk=oldest).update(state=Inbox.PARSED, error="", parsed_at=now)
    except (Unreadable, Refused, NotAllowed) as error:
        where = getattr(error, "where", "")
        _keep(oldest, Inbox.NOT_UNDERSTOOD, f"{error.message}{f' at {where}' if where else ''}", now)
    except CONTENT as error:
        log.exception("what came to a desk could not be read", inbox=oldest)
        _keep(oldest, Inbox.FAILED, f"{type(error).__name__}: {error}", now)
    return True


def _read(row: Inbox, now: datetime) -> None:
    reader = READERS.get(row.monitor)
    if reader is None:
        raise Unreadable(f"nothing here reads what comes from {row.monitor}")
    reader(row, now)


def _keep(number: int, state: int, error: str, now: datetime) -> None:
    """Keep a row that was not read, and tell somebody at most once an hour: a request may be in it (INT-08)."""
    with transaction.atomic():
        waiting = Inbox.objects.filter(pk=number, state=Inbox.WAITING)
        if not waiting.update(state=state, error=error[:2000], parsed_at=now):
            return
        row = Inbox.objects.get(pk=number)
        subject = Subject("desk_inbox", row.connection_id, _team_of(row))
        lines = Event.objects.filter(subject_kind=subject.kind, subject_id=subject.id, kind="desk.not_understood")
        if lines.filter(at__gt=now - TELL_AGAIN).exists():
            return
        what = "a mail to a desk" if row.monitor == MAIL else f"what came from {row.monitor}"
        record(subject, "desk.not_understood", f"{what} was kept unread: {error[:300]}", now, data={"inbox": row.pk})
        text = f"It is kept and can be read again once the cause is mended.\n\n{error[:500]}"
        words = delivery.Words(f"{what} was not understood", text, "notice", path="/settings/inbox/")
        delivery.tell_somebody(subject, words, f"{what} may be a request that nobody sees", set(), now)


def _team_of(row: Inbox) -> int | None:
    return Connection.objects.filter(pk=row.connection_id).values_list("team_id", flat=True).first()


def not_understood(team: Team | None = None) -> QuerySet[Inbox]:
    """Read what was kept unread, the newest first, without its bodies: of a team's connections, or all of it."""
    rows = Inbox.objects.filter(service_id=0, state__gt=Inbox.PARSED).defer("body").order_by("-id")
    if team is not None:
        rows = rows.filter(connection_id__in=Connection.objects.filter(team=team).values("pk"))
    return rows[:MOST_SHOWN]


def replay(row: Inbox, person: Person, now: datetime) -> None:
    """Have a row that was kept unread read again. Raises NotAllowed.

    Mail belongs to the instance and is its administrators' matter, what came by a connection is its team's.
    """
    connection = Connection.objects.select_related("team").filter(pk=row.connection_id).first()
    if connection is None:
        require_administrator(person, "have mail read again")
    else:
        require(person, connection.team, "member", "have this read again")
    subject = Subject("desk_inbox", row.connection_id, connection.team_id if connection else None)
    with transaction.atomic():
        kept = Inbox.objects.filter(pk=row.pk, service_id=0, state__gt=Inbox.PARSED)
        if kept.update(state=Inbox.WAITING, error=""):
            said = f"{person} has {row.monitor} {row.pk} read again"
            record(subject, "desk.replayed", said, now, Actor.of(person), {"inbox": row.pk})
            wake_workers()
