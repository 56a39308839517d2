"""Alerts: read what waits in the inbox, place each signal, ask the team what its policy asks.

Each service under its lock, so that the order of each key holds and two workers never open one group twice. A batch
shares its reads and writes: many rows of one service, or a few of each of many services of a team. A row that breaks it
is found by going service by service, and row by row.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog
from django.db import DataError, IntegrityError, transaction

from watchbill import monitors
from watchbill.actions import delivery, paging
from watchbill.actions.access import require
from watchbill.actions.changes import note_change
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.placing import Batch
from watchbill.actions.timers import Claim, clear_timer, finish
from watchbill.core.signals import Change, Signal
from watchbill.db.models import AlertGroup, Event, Inbox, MonitorConnection, Person, Service
from watchbill.db.trouble import asks_too_much
from watchbill.db.wake import refresh_pages, wake_workers
from watchbill.kit.errors import Refused, Unreadable, WatchbillError

log = structlog.get_logger()
BATCH = 200
TOGETHER = 25
LOOKED_AT = 2000
SMALLER = 8
TELL_AGAIN = timedelta(minutes=10)
# What a row's own content can raise. A database or disk that is broken must not mark rows, so it is not among them.
CONTENT = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError,
    WatchbillError, DataError, IntegrityError,
)  # fmt: skip


def services_waiting(limit: int) -> list[int]:
    """Read which services have something in the inbox, those that wait longest first, up to about `limit`.

    Behind a long backlog the others are sought one by one: a storm of one service must not hide the next one's page.
    """
    return list(_rows_waiting(limit)[0])


def _rows_waiting(limit: int) -> tuple[dict[int, int], int]:
    """Count the rows of each service among those that wait longest, and give the last of them.

    A service behind them was not counted: it may have more than fit a batch.
    """
    waiting = Inbox.objects.filter(state=Inbox.WAITING, service_id__gt=0)  # 0: what came to a desk, read elsewhere
    oldest = list(waiting.order_by("id").values_list("id", "service_id")[:LOOKED_AT])
    found: dict[int, int] = Counter(service for _, service in oldest)
    last = 0
    while len(oldest) == LOOKED_AT and len(found) < limit:
        behind = waiting.filter(service_id__gt=last).order_by("service_id").values_list("service_id", flat=True).first()
        if behind is None:
            break
        found.setdefault(behind, BATCH)
        last = behind
    return dict(list(found.items())[:limit]), oldest[-1][0] if oldest else 0


@dataclass(frozen=True)
class Together:
    """Services of one team that are read at once; when there are several, their rows up to the inbox's `last`.

    Without an end the database would sort all that waits for them, batch for batch, after an outage.
    """

    services: list[int]
    last: int


def read_together(limit: int) -> list[Together]:
    """Share out up to about `limit` services that have something in the inbox.

    Those of one team are read together, at most `TOGETHER`, with no more rows than a batch: none of them waits behind
    another one's storm.
    """
    waiting, last = _rows_waiting(limit)
    teams = dict(Service.objects.filter(pk__in=waiting).values_list("pk", "team_id")) if len(waiting) > 1 else {}
    lists: list[Together] = []
    filling: dict[int, tuple[list[int], int]] = {}
    for service, rows in waiting.items():
        team = teams.get(service)
        together, held = filling.get(team, ([], BATCH)) if team else ([], BATCH)
        if held + rows > BATCH or len(together) == TOGETHER:
            together, held = [], 0
            lists.append(Together(together, last))
        together.append(service)
        if team and rows < BATCH:
            filling[team] = together, held + rows
    return lists


def receive_together(together: Together, now: datetime) -> int:
    """Place what waits for services of one team in one transaction; returns how many rows were done.

    What one of them raises is raised for all, and nothing was done: `receive` then does one after the other.
    """
    if len(together.services) == 1:
        return receive(together.services[0], now)
    return _receive_batch(together.services, now, BATCH, last=together.last)


def receive(service_id: int, now: datetime) -> int:
    """Place what waits for one service, oldest first; returns how many rows were done (0: another worker has it).

    A row that raises what it should not is marked as failed, logged and kept, and never stops its neighbours: a
    batch that fails is tried again with fewer rows, until what comes before the guilty one is done or it stands alone.
    """
    limit = BATCH
    while limit > 1:
        try:
            return _receive_batch([service_id], now, limit)
        except Exception as error:
            if not _is_of_content(error):
                raise
            log.warning("a batch failed, trying fewer rows", service=service_id, rows=limit, error=repr(error)[:500])
            limit //= SMALLER
    return _receive_one(service_id, now)


def _receive_one(service_id: int, now: datetime) -> int:
    row = Inbox.objects.filter(service_id=service_id, state=Inbox.WAITING).order_by("id").first()
    if row is None:
        return 0
    try:
        return _receive_batch([service_id], now, 1)
    except Exception as error:
        if not _is_of_content(error):
            raise
        log.exception("this row cannot be placed", inbox=row.pk, service=service_id)
        _keep_as_failed(row, f"{type(error).__name__}: {error}"[:2000], now)
        return 1


def _is_of_content(error: Exception) -> bool:
    return isinstance(error, CONTENT) or asks_too_much(error)


def _keep_as_failed(row: Inbox, error: str, now: datetime) -> None:
    """Mark a row and tell somebody, at most every `TELL_AGAIN`: an alert that pages nobody must not be a secret."""
    with transaction.atomic():
        service = (
            Service.objects.select_related("team").select_for_update(of=("self",), no_key=True).get(pk=row.service_id)
        )
        waiting = Inbox.objects.filter(pk=row.pk, state=Inbox.WAITING)
        if not waiting.update(state=Inbox.FAILED, error=error, parsed_at=now):
            return
        subject = Subject("service", service.pk, service.team_id)
        told = Event.objects.filter(
            subject_kind="service", subject_id=service.pk, kind="inbox.failed", at__gt=now - TELL_AGAIN
        )
        if told.exists():
            return
        why = f"what arrived for {service} could not be placed"
        record(subject, "inbox.failed", f"{why}: {error[:300]}", now, data={"inbox": row.pk})
        text = f"It is kept and can be read again once the cause is mended. Nobody was paged for it.\n\n{error[:500]}"
        words = delivery.Words(
            f"an alert of {service} was not placed", text, "notice", path=f"/services/{service.slug}/"
        )
        delivery.tell_somebody(subject, words, why, set(), now)


def _receive_batch(ids: Sequence[int], now: datetime, limit: int, last: int | None = None) -> int:
    with transaction.atomic():
        services = _lock(ids)
        if not services:
            return _refuse_orphans(ids[0], now) if len(ids) == 1 else 0
        waiting = Inbox.objects.filter(service_id__in=services, state=Inbox.WAITING)
        waiting = waiting.filter(id__lte=last) if last else waiting
        rows = list(waiting.order_by("id")[:limit])
        if not rows:
            return 0
        heard = MonitorConnection.objects.filter(pk__in={row.connection_id for row in rows}).defer("key")
        connections = {connection.pk: connection for connection in heard}
        read = [(row, _read(row, connections.get(row.connection_id), now)) for row in rows]
        spoken = [(row.service_id, one) for row, signals in read for one in signals if isinstance(one, Signal)]
        batch = Batch(list(services.values()), spoken, now)
        for row, signals in read:
            for signal in signals:
                if isinstance(signal, Change):
                    note_change(services[row.service_id], signal, row)
                else:
                    batch.place(signal, row)
        batch.write()
        _mark(rows, now)
        _note_heard(rows, connections)
        batch.respond()
        refresh_pages()
    return len(rows)


def _note_heard(rows: Sequence[Inbox], connections: Collection[int]) -> None:
    """Note when each connection was last heard; those that were heard at the same instant share a statement."""
    heard = {row.connection_id: row.received_at for row in rows if row.connection_id in connections}
    at: dict[datetime, list[int]] = defaultdict(list)
    for connection, received_at in heard.items():
        at[received_at].append(connection)
    for received_at, ids in at.items():
        MonitorConnection.objects.filter(pk__in=ids).update(last_heard_at=received_at)


def _mark(rows: list[Inbox], now: datetime) -> None:
    """Write what became of the rows. Those that were read share one statement: bulk_update's CASE costs ten times more."""
    parsed = [row.pk for row in rows if row.state == Inbox.PARSED]
    Inbox.objects.filter(pk__in=parsed).update(state=Inbox.PARSED, error="", parsed_at=now)
    Inbox.objects.bulk_update(
        [row for row in rows if row.state != Inbox.PARSED], ["state", "error", "parsed_at"], batch_size=250
    )


def _lock(ids: Sequence[int]) -> dict[int, Service]:
    """Lock services of one team for placing, in the order of their ids, but for those that are gone or another worker has."""
    free = (
        Service.objects.select_related("team", "team__fallback", "ladder")
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .filter(pk__in=ids)
        .order_by("id")
    )
    services = list(free)
    # One that moved to another team a moment ago has its turn in the next round.
    return {service.pk: service for service in services if service.team_id == services[0].team_id}


def _refuse_orphans(service_id: int, now: datetime) -> int:
    """Keep what came for a service that was deleted meanwhile as failed: nobody will ever place it."""
    if Service.objects.filter(pk=service_id).exists():
        return 0
    waiting = Inbox.objects.filter(service_id=service_id, state=Inbox.WAITING)
    return waiting.update(state=Inbox.FAILED, error="its service was deleted", parsed_at=now)


def _read(row: Inbox, connection: MonitorConnection | None, now: datetime) -> Sequence[Signal | Change]:
    """Read one row into signals; what no monitor understands stays in the inbox with its reason."""
    row.parsed_at = now
    try:
        payload = msgspec.json.decode(bytes(row.body))
        note = json.loads(row.note) if row.note else {}
        if note.get("dedup_key") and isinstance(payload, dict) and not payload.get("dedup_key"):
            payload["dedup_key"] = note["dedup_key"]
        own = (
            connection is not None and connection.monitor == row.monitor
        )  # a test alert is not of the connection's tool
        settings = connection.settings if connection and own else {}
        said: Sequence[Signal | Change] = (
            [monitors.parse_change(payload)] if note.get("change") else monitors.parse(row.monitor, payload, settings)
        )
    except Unreadable as error:
        row.state, row.error = (
            Inbox.NOT_UNDERSTOOD,
            f"{error.message}{f' at {error.where}' if error.where else ''}"[:2000],
        )
        return []
    except (msgspec.DecodeError, KeyError, RecursionError) as error:
        row.state, row.error = Inbox.NOT_UNDERSTOOD, f"no monitor {row.monitor} reads this: {error}"[:2000]
        return []
    row.state, row.error = Inbox.PARSED, ""
    return said


def replay(service: Service, person: Person, now: datetime) -> int:
    """Put what was not understood back into the inbox, in its old order; returns how many. Raises NotAllowed."""
    require(person, service.team, "member", "read payloads again")
    count = Inbox.objects.filter(service_id=service.pk, state__gt=Inbox.PARSED).update(state=Inbox.WAITING, error="")
    if count:
        record(
            Subject("service", service.pk, service.team_id), "service.replayed", f"{count} payloads are read again", now
        )
    wake_workers()
    return count


def acknowledge_group(group_id: int, person: Person, now: datetime) -> AlertGroup:
    """Take responsibility for an alert, through its page when it has an open one; raises Refused, NotAllowed.

    Without a page nothing runs out: it holds until the alert resolves or becomes worse.
    """
    with transaction.atomic():
        group = lock_group(group_id)
        page = paging.open_page_of(group)
        if page is not None:
            paging.acknowledge(page, person, now)
        else:
            require(person, group.team, "member", "answer this alert")
            _refuse_if_resolved(group)
            group.state, group.acknowledged_by, group.acknowledged_at = "acknowledged", person, now
            group.save(update_fields=["state", "acknowledged_by", "acknowledged_at"])
            record(subject_of(group), "alert.acknowledged", f"{person} acknowledged", now, Actor.of(person))
    group.refresh_from_db()
    return group


def resolve_group(group_id: int, person: Person, now: datetime) -> AlertGroup:
    """Close an alert and everything in it, and its page when it has an open one; raises Refused, NotAllowed."""
    with transaction.atomic():
        group = lock_group(group_id)
        page = paging.open_page_of(group)
        if page is not None:
            paging.resolve(page, person, now)
        else:
            require(person, group.team, "member", "resolve this alert")
            _refuse_if_resolved(group)
            group.state, group.resolved_at, group.firing_count = "resolved", now, 0
            # What a person closed and fires again is asked about anew.
            group.acknowledged_by, group.acknowledged_at, group.snoozed_until = None, None, None
            group.save(
                update_fields=[
                    "state", "resolved_at", "firing_count", "acknowledged_by", "acknowledged_at", "snoozed_until",
                ]
            )  # fmt: skip
            group.alerts.filter(state="firing").update(state="resolved", ended_at=now)
            record(subject_of(group), "alert.resolved", f"{person} resolved it", now, Actor.of(person))
        for kind in ("silence_over", "coverage_starts"):
            clear_timer(subject_of(group), kind)
    group.refresh_from_db()
    return group


def write_note(group: AlertGroup, text: str, person: Person, now: datetime) -> None:
    """Add a line of a person's own to an alert's timeline; raises Refused, NotAllowed."""
    require(person, group.team, "member", "write on this alert")
    record(subject_of(group), "alert.note", _note(text), now, Actor.of(person))


def _note(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= 5000:
        raise Refused("write between 1 and 5000 characters", "text")
    return text


def subject_of(group: AlertGroup) -> Subject:
    """Give the log's name for an alert group."""
    return Subject("alert", group.pk, group.team_id)


def lock_group(group_id: int) -> AlertGroup:
    """Lock an alert's service, then the alert itself: the order of every path. Raises Refused when there is none."""
    service = AlertGroup.objects.filter(pk=group_id).values_list("service_id", flat=True).first()
    if service is None:
        raise Refused(f"there is no alert {group_id}")
    paging.lock_service(service)
    return (
        AlertGroup.objects.select_related("team", "team__fallback", "service")
        .select_for_update(of=("self",))
        .get(pk=group_id)
    )


def _refuse_if_resolved(group: AlertGroup) -> None:
    if group.state == "resolved":
        raise Refused("this alert is resolved: there is nothing left to answer")


def look_again(claim: Claim, now: datetime) -> None:
    """Ask the policy about a group that came in a storm, whose silence ended, or whose team's coverage began."""
    with transaction.atomic():
        service = AlertGroup.objects.filter(pk=claim.subject_id).values_list("service_id", flat=True).first()
        if service is not None:
            paging.lock_service(service)
        group = (
            AlertGroup.objects.select_related("team", "team__fallback", "service", "service__ladder", "service__team")
            .select_for_update(of=("self",))
            .filter(pk=claim.subject_id)
            .first()
        )
        # A timer of a group that was deleted ends here too, or it would be due for ever.
        if not finish(claim) or group is None or group.state != "firing":
            return
        Batch([group.service], [], now).ask_policy([group], after="" if claim.kind == "look" else claim.kind)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("alert", "look"): look_again,
    ("alert", "silence_over"): look_again,
    ("alert", "coverage_starts"): look_again,
}
