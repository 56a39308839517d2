"""Alerts: read what waits in the inbox, place each signal, ask the team what its policy asks.

One service at a time, under its lock, so that the order of each key holds and two workers never open one group
twice. A batch shares its reads and writes; a row that breaks it is found by going row by row.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

import msgspec
import structlog
from django.db import transaction

from watchbill import monitors
from watchbill.actions import paging
from watchbill.actions.access import require
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.placing import Batch
from watchbill.actions.timers import Claim, clear_timer, finish
from watchbill.core.signals import Signal
from watchbill.db.models import AlertGroup, Inbox, MonitorConnection, Person, Service
from watchbill.kit.errors import Refused, Unreadable

log = structlog.get_logger()
BATCH = 500


def services_waiting(limit: int) -> list[int]:
    """Read which services have something in the inbox, those that wait longest first."""
    oldest = Inbox.objects.filter(state=Inbox.WAITING).order_by("id").values_list("service_id", flat=True)[:2000]
    return list(dict.fromkeys(oldest))[:limit]


def receive(service_id: int, now: datetime) -> int:
    """Place what waits for one service, oldest first; returns how many rows were done (0: another worker has it).

    A row that raises what it should not is marked as failed, logged and kept, and never stops its neighbours.
    """
    try:
        return _receive_batch(service_id, now, BATCH)
    except Exception:
        # The guilty row is unknown here; it is found, logged and kept below.
        log.exception("a batch failed, going row by row", service=service_id)
    return _receive_one(service_id, now)


def _receive_one(service_id: int, now: datetime) -> int:
    row = Inbox.objects.filter(service_id=service_id, state=Inbox.WAITING).order_by("id").first()
    if row is None:
        return 0
    try:
        return _receive_batch(service_id, now, 1)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        # These come from the row's own content; a broken database or disk is not caught, it must not mark rows.
        log.exception("this row cannot be placed", inbox=row.pk, service=service_id)
        Inbox.objects.filter(pk=row.pk, state=Inbox.WAITING).update(
            state=Inbox.FAILED, error=f"{type(error).__name__}: {error}"[:2000], parsed_at=now
        )
        return 1


def _receive_batch(service_id: int, now: datetime, limit: int) -> int:
    with transaction.atomic():
        service = _lock(service_id)
        if service is None:
            return 0
        rows = list(Inbox.objects.filter(service_id=service_id, state=Inbox.WAITING).order_by("id")[:limit])
        if not rows:
            return 0
        connections = {c.pk: c for c in MonitorConnection.objects.filter(pk__in={row.connection_id for row in rows})}
        read = [(row, _read(row, connections.get(row.connection_id), now)) for row in rows]
        batch = Batch(service, [signal for _, signals in read for signal in signals], now)
        for row, signals in read:
            for signal in signals:
                batch.place(signal, row)
        batch.write()
        Inbox.objects.bulk_update(rows, ["state", "error", "parsed_at"], batch_size=250)
        MonitorConnection.objects.filter(pk__in=connections).update(last_heard_at=rows[-1].received_at)
        batch.respond()
    return len(rows)


def _lock(service_id: int) -> Service | None:
    """Lock a service for placing; None when it is gone or another worker has it."""
    return (
        Service.objects.select_related("team", "team__fallback", "ladder")
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .filter(pk=service_id)
        .first()
    )


def _read(row: Inbox, connection: MonitorConnection | None, now: datetime) -> list[Signal]:
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
        signals = monitors.parse(row.monitor, payload, connection.settings if connection and own else {})
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
    return signals


def replay(service: Service, person: Person, now: datetime) -> int:
    """Put what was not understood back into the inbox, in its old order; returns how many. Raises NotAllowed."""
    require(person, service.team, "member", "read payloads again")
    count = Inbox.objects.filter(service_id=service.pk, state__gt=Inbox.PARSED).update(state=Inbox.WAITING, error="")
    if count:
        record(
            Subject("service", service.pk, service.team_id), "service.replayed", f"{count} payloads are read again", now
        )
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
            group.save(update_fields=["state", "resolved_at", "firing_count"])
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
    """Ask the policy again about a group whose silence ended or whose team's coverage began."""
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
        if group is None or not finish(claim) or group.state != "firing":
            return
        Batch(group.service, [], now).ask_policy(group, after=claim.kind)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("alert", "silence_over"): look_again,
    ("alert", "coverage_starts"): look_again,
}
