"""Where our things stand in outside systems: the row that remembers it, what was last in step, the marks that find them.

The lowest of the connector actions: it knows no network and no ticket's process, so that whoever writes a ticket or
answers a request may put its twin on the way. `ExternalRef.sync` is one of

    waiting        something of ours is on its way there          in_step        nothing is
    failed         it could not be brought there; `error` says why
    refused        a change there could not follow here; `error` says what it lacks
    unknown_state  it has a state that no mapping knows            gone           it was deleted there
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from watchbill import connectors
from watchbill.actions import exports
from watchbill.actions.log import Subject
from watchbill.core.twins import Agreement, Face, Known, agree
from watchbill.db.models import Connection, Event, ExternalRef, Message, SupportRequest, Ticket

NEW = "new "
MOST_COMMENTS = 200


def agreement_of(connection: Connection) -> Agreement:
    """Read how a connection's words become ours; words of an older form give way to the connector's own."""
    module = connectors.all_connectors().get(connection.connector)
    stages: Mapping[str, str] = getattr(module, "STAGES", {})
    states: Mapping[str, str] = getattr(module, "STATES", {})
    try:
        return agree(connection.mapping, stages, states)
    except ValidationError:
        return agree({}, stages, states)


def mark_of(connection: Connection, kind: str, number: int) -> str:
    """Give the mark by which a thing of ours is found there; two instances on one tracker never meet."""
    return f"watchbill-{kind}-{number}-{connection.key_hash[:6]}"


def is_ours(connection: Connection, mark: str) -> bool:
    """Tell whether a mark was written by this connection."""
    return bool(mark) and mark.lower().endswith(f"-{connection.key_hash[:6]}".lower())


def known_of(ref: ExternalRef) -> Known:
    """Read what stood on both sides when they were last in step."""
    at = ref.pushed.get("at")
    ours, theirs = _face(ref.pushed.get("ours")), _face(ref.pushed.get("theirs"))
    return Known(ours, theirs, datetime.fromisoformat(at) if at else None)


def _face(data: Mapping[str, Any] | None) -> Face:
    return Face(**{**data, "labels": tuple(data.get("labels", ()))}) if data else Face()


def keep(ref: ExternalRef, known: Known, sync: str, now: datetime, error: str = "") -> None:
    """Write down what stands on both sides; the caller holds the row's lock."""
    at = known.at.isoformat() if known.at else None
    ref.pushed = {**ref.pushed, "ours": asdict(known.ours), "theirs": asdict(known.theirs), "at": at}
    ref.their_state = known.theirs.state[:80]
    ref.sync, ref.error, ref.synced_at = sync, error[:2000], now
    ref.save(update_fields=["ref", "url", "pushed", "their_state", "sync", "error", "synced_at"])


def lock_ref(ref_id: int) -> ExternalRef | None:
    """Lock where a thing stands, after the thing itself; None when it was let go meanwhile."""
    rows = ExternalRef.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("connection__team").filter(pk=ref_id).first()


def is_written(ref: ExternalRef) -> bool:
    """Tell whether the thing is there already, and not only on its way."""
    return not ref.ref.startswith(NEW)


def open_for_new(ticket: Ticket, now: datetime) -> None:
    """Put a new ticket on its way to every tracker of its team that wants its kind. Call it inside a transaction."""
    if ticket.kind == "":
        return
    for connection in Connection.objects.filter(team_id=ticket.team_id, removed_at=None).order_by("id"):
        if ticket.kind in connection.mapping.get("opens_for", ()):
            put_create(ticket, connection, f"{connection} takes every new {ticket.kind}", now)


def put_create(ticket: Ticket, connection: Connection, why: str, now: datetime) -> ExternalRef:
    """Put a ticket on its way to a tracker, once. Call it inside a transaction that holds the ticket."""
    ref, new = ExternalRef.objects.get_or_create(
        connection=connection, subject_kind="ticket", subject_id=ticket.pk, defaults={"ref": f"{NEW}T-{ticket.pk}"}
    )
    if new:
        subject = Subject("ticket", ticket.pk, ticket.team_id)
        exports.put(subject, "ticket.create", f"twin-{ref.pk}-create", why, now, connection=connection)
    return ref


def answer_there(request: SupportRequest, message: Message, now: datetime) -> bool:
    """Let an answer leave where its request came from; True when the requester hears it there and needs no mail."""
    refs = ExternalRef.objects.filter(subject_kind="request", subject_id=request.pk, connection__removed_at=None)
    found = [ref for ref in refs.select_related("connection") if ref.sync != "gone"]
    for ref in found:
        if message.message_id.startswith(f"connection-{ref.connection_id}:"):
            continue  # it was written there
        exports.put(
            Subject("request", request.pk, request.team_id),
            "request.answer",
            f"twin-{ref.pk}-message-{message.pk}",
            f"to {request.requester}, in {ref.connection}",
            now,
            connection=ref.connection,
            payload={"message": message.pk},
        )
    return bool(found)


def state_there(request: SupportRequest, now: datetime) -> None:
    """Let a request's state follow to the helpdesk in which it stands: who has the ball, how it ended."""
    names = connectors.connectors_of("helpdesk")
    refs = ExternalRef.objects.filter(subject_kind="request", subject_id=request.pk, connection__removed_at=None)
    for ref in refs.filter(connection__connector__in=names).exclude(sync="gone").select_related("connection"):
        newest = Event.objects.filter(subject_kind="request", subject_id=request.pk).order_by("-id").first()
        key = f"twin-{ref.pk}-state-{newest.pk if newest else 0}"
        subject = Subject("request", request.pk, request.team_id)
        exports.put(subject, "request.state", key, f"its state, in {ref.connection}", now, connection=ref.connection)
