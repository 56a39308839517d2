"""Bring tickets, comments and answers to the outside systems that they stand in, newest state only, never twice.

A state is sent as it stands at the moment of sending, so an older export has nothing left to say. A create looks for
its own mark first: what the system took before we could write it down is found, not made again. What happened there
meanwhile is taken in with the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings as django_settings
from django.db import connection as database
from django.db import transaction
from django.db.models import QuerySet

from watchbill import connectors
from watchbill.actions import export_sending, exports, import_tickets, tickets, twin_refs, twins
from watchbill.actions.access import require
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.twin_refs import agreement_of, is_written, keep, known_of, lock_ref, mark_of
from watchbill.connectors import Busy, ClientInTime, Comment, Draft, Issue, Newest
from watchbill.core.twins import Agreement, Face, changed_parts
from watchbill.db.models import Connection, Export, ExternalRef, Message, Person, SupportRequest, Ticket
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Refused

PORTS = ("tracker", "helpdesk")
# All calls of one export end before its lease of 30 s does: nobody makes the same issue beside us.
SECONDS = 24.0


@dataclass(frozen=True)
class Line:
    """What a sender needs of a connection: its module, its settings, the way out, the words."""

    module: Any
    settings: Any
    http: Client
    words: Agreement
    connection: Connection


def send(export: Export, http: Client, now: datetime) -> str:
    """Hand one export over; gives what is to be written beside it. Raises DeliveryFailed."""
    connection = export.connection
    if connection is None:
        raise DeliveryFailed("it has no connection", permanent=True)
    _demand_rest_is_over(connection, now)
    settings = connectors.read_settings(connection.connector, connection.settings)
    module = connectors.all_connectors()[connection.connector]
    line = Line(module, settings, ClientInTime(http, SECONDS), agreement_of(connection), connection)
    if not database.in_atomic_block:
        database.close()  # a tracker that hangs must not hold the pool
    way = WAYS.get(f"{module.PORT}:{export.what}") or WAYS.get(export.what)
    try:
        if way is None:
            raise DeliveryFailed(f"nobody knows how to bring {export.what} there", permanent=True)
        return way(export, line, now)
    except DeliveryFailed as failure:
        _tell_failure(export, failure, now)
        raise


def _demand_rest_is_over(connection: Connection, now: datetime) -> None:
    until = connection.cursor.get("rest_until")
    if until and datetime.fromisoformat(until) > now:
        raise DeliveryFailed(f"{connection.name} asked to be left alone until {until[11:16]} UTC")


def _tell_failure(export: Export, failure: DeliveryFailed, now: datetime) -> None:
    with transaction.atomic():
        if isinstance(failure, Busy):
            until = (now + timedelta(seconds=failure.seconds)).isoformat()
            import_tickets.change_cursor(export.connection_id or 0, rest_until=until)
        sync = {"sync": "failed"} if failure.permanent else {}
        _refs_of(export).update(error=failure.message[:2000], **sync)


def _refs_of(export: Export) -> QuerySet[ExternalRef]:
    return ExternalRef.objects.filter(
        connection=export.connection, subject_kind=export.subject_kind, subject_id=export.subject_id
    )


def ref_of(export: Export) -> ExternalRef | None:
    """Read where the subject of an export stands in its system; None when it is gone there."""
    return _refs_of(export).exclude(sync="gone").first()


def _create(export: Export, line: Line, now: datetime) -> str:
    ref = ref_of(export)
    ticket = Ticket.objects.select_related("assignee", "team").filter(pk=export.subject_id).first()
    if ref is None or ticket is None:
        return "it is not wanted there any more"
    if is_written(ref):
        return _bring(ref, ticket, line, now)
    draft = _draft(ticket, export, line)
    found = line.module.find(line.settings, line.http, draft)
    issue = found or line.module.create(line.settings, line.http, draft)
    written = _remember(ref.pk, ticket, issue, line, now)
    return _bring(written, ticket, line, now) if written else "it is not wanted there any more"


def _draft(ticket: Ticket, export: Export, line: Line) -> Draft:
    face = twins.face_of(ticket, line.words)
    return Draft(
        mark=mark_of(line.connection, "T", ticket.pk),
        title=ticket.title,
        text=ticket.text,
        kind=line.words.types.get(ticket.kind, ""),
        labels=line.words.labels_there(face.labels),
        assignee=face.assignee,
        link=f"{django_settings.WATCHBILL_URL.rstrip('/')}/tickets/{ticket.pk}/",
        since=export.created_at,
    )


def _remember(ref_id: int, ticket: Ticket, issue: Issue, line: Line, now: datetime) -> ExternalRef | None:
    """Write down where the ticket stands now: from here on it is known, before that its mark finds it."""
    with transaction.atomic():
        ref = lock_ref(ref_id)
        if ref is None:
            return None
        if ExternalRef.objects.filter(connection=line.connection, subject_kind="ticket", ref=issue.ref).exists():
            raise DeliveryFailed(f"{issue.ref} belongs to another ticket here already", permanent=True)
        ref.ref, ref.url = issue.ref, issue.url[:500]
        sent = replace(twins.face_of(ticket, line.words), state=line.words.target_of(issue.state))
        keep(ref, replace(known_of(ref), ours=sent, theirs=twins.face_there(issue)), "waiting", now)
        subject = Subject("ticket", ticket.pk, ticket.team_id)
        said = f"it stands in {line.connection.name} as {issue.ref}"
        record(subject, "connector.opened", said, now, data={"ref": issue.ref, "url": issue.url})
    return ref


def _state(export: Export, line: Line, now: datetime) -> str:
    ref = ref_of(export)
    ticket = Ticket.objects.select_related("assignee", "team").filter(pk=export.subject_id).first()
    if ref is None or ticket is None:
        return "it does not stand there any more"
    if not is_written(ref):
        return "it goes with the issue, which is being written"
    if _is_superseded(export):
        return "superseded by a newer one"
    return _bring(ref, ticket, line, now)


def _is_superseded(export: Export) -> bool:
    newer = Export.objects.filter(
        connection=export.connection, subject_kind=export.subject_kind, subject_id=export.subject_id
    )
    return newer.filter(what=export.what, id__gt=export.pk, state__in=("waiting", "sent")).exists()


def _bring(ref: ExternalRef, ticket: Ticket, line: Line, now: datetime) -> str:
    """Bring what changed here to where it stands, and take in with the answer what changed there."""
    known = known_of(ref)
    ours = twins.face_of(ticket, line.words)
    parts = changed_parts(ours, known.ours)
    if not parts:
        return _settle(ref.pk, ours, known.theirs, now)
    issue = line.module.update(line.settings, line.http, ref.ref, _newest(ours, parts, line))
    there = twins.face_there(issue)
    theirs = replace(known.theirs, **{part: getattr(there, part) for part in parts})
    said = _settle(ref.pk, ours, theirs, now)
    twins.take_in(ref.pk, issue, now)
    _bring_again(ref.pk, line.words, now)
    return f"{ref.ref}: {', '.join(sorted(parts))}" if said else ref.ref


def _newest(ours: Face, parts: set[str], line: Line) -> Newest:
    state = line.words.state_of(ours.state) if "state" in parts else None
    if state == "":
        raise DeliveryFailed(f"nobody said what “{ours.state}” is called there: add it to the mapping", permanent=True)
    return Newest(
        title=ours.title if "title" in parts else None,
        state=state,
        stage=ours.state.partition(":")[0] if "state" in parts else "",
        labels=line.words.labels_there(ours.labels) if "labels" in parts else None,
        assignee=ours.assignee if "assignee" in parts else None,
    )


def _settle(ref_id: int, ours: Face, theirs: Face, now: datetime) -> str:
    with transaction.atomic():
        ref = lock_ref(ref_id)
        if ref is None:
            return ""
        unknown = bool(theirs.state) and not agreement_of(ref.connection).target_of(theirs.state)
        sync = "unknown_state" if unknown else "refused" if ref.sync == "refused" else "in_step"
        keep(ref, replace(known_of(ref), ours=ours, theirs=theirs), sync, now, ref.error if sync == "refused" else "")
    return "nothing new to say there"


def _bring_again(ref_id: int, words: Agreement, now: datetime) -> None:
    """Put the newest state on its way once more if it changed while we spoke, or a slower worker was last."""
    with transaction.atomic():
        ticket, ref = twins.lock_both(ref_id)
        if ticket is None or ref is None or not changed_parts(twins.face_of(ticket, words), known_of(ref).ours):
            return
        subject = Subject("ticket", ticket.pk, ticket.team_id)
        key = f"twin-{ref.pk}-again-{now.isoformat()}"
        exports.put(subject, "ticket.state", key, "it changed meanwhile", now, connection=ref.connection)


def _comment(export: Export, line: Line, now: datetime) -> str:
    ref = ref_of(export)
    message = Message.objects.filter(pk=export.payload.get("message")).first()
    if ref is None or message is None:
        return "it does not stand there any more"
    if message.message_id.startswith(f"connection-{line.connection.pk}:"):
        return "it came from there"
    if not is_written(ref):
        raise DeliveryFailed("it waits until the issue is written")
    comment = Comment(
        message.text, message.author_name, mark=mark_of(line.connection, "m", message.pk), at=message.written_at
    )
    answers = export.what == "request.answer" and line.module.PORT == "helpdesk"
    number = (line.module.reply if answers else line.module.comment)(line.settings, line.http, ref.ref, comment)
    _note_comment(ref.pk, number, now)
    return f"{ref.ref}: comment {number}"


def _note_comment(ref_id: int, number: str, now: datetime) -> None:
    with transaction.atomic():
        ref = lock_ref(ref_id)
        if ref is not None:
            ours = [*ref.pushed.get("comments", ()), number][-twin_refs.MOST_COMMENTS :]
            ref.pushed = {**ref.pushed, "comments": ours}
            ref.synced_at = now
            ref.save(update_fields=["pushed", "synced_at"])


def _answer(export: Export, line: Line, now: datetime) -> str:
    """Write an answer to a requester where they asked, then bring the request's end there."""
    said = _comment(export, line, now)
    ref = ref_of(export)
    request = SupportRequest.objects.filter(pk=export.subject_id).first()
    if ref is None or request is None:
        return said
    target = "done" if request.state != "open" else "in_progress"
    known = known_of(ref)
    if known.ours.state != target:
        newest = Newest(state=line.words.state_of(target), stage=target)
        issue = line.module.update(line.settings, line.http, ref.ref, newest)
        _settle(ref.pk, Face(request.title, target), twins.face_there(issue), now)
    return said


def _link(export: Export, line: Line, now: datetime) -> str:
    """Read an issue that a person linked: from here on the two are in step, each with what it has."""
    ref = ref_of(export)
    ticket = Ticket.objects.select_related("assignee", "team").filter(pk=export.subject_id).first()
    if ref is None or ticket is None:
        return "it is not wanted there any more"
    issue = line.module.read(line.settings, line.http, ref.ref)
    with transaction.atomic():
        locked = lock_ref(ref.pk)
        if locked is not None:
            locked.url = issue.url[:500]
            known = replace(known_of(locked), ours=twins.face_of(ticket, line.words), theirs=twins.face_there(issue))
            unknown = not line.words.target_of(issue.state)
            keep(locked, replace(known, at=issue.updated_at), "unknown_state" if unknown else "in_step", now)
    return f"{issue.ref} is read"


def open_twin(ticket_id: int, connection_id: int, person: Person, now: datetime) -> ExternalRef:
    """Open an issue for a ticket in an outside tracker, once (TRI-04, TRI-10). Raises Refused, NotAllowed."""
    with transaction.atomic():
        ticket, connection = _pair(ticket_id, connection_id, person)
        ref = twin_refs.put_create(ticket, connection, f"{person} asked for it", now)
        said = f"{person} opens it in {connection.name}"
        record(Subject("ticket", ticket.pk, ticket.team_id), "connector.asked", said, now, Actor.of(person))
    return ref


def link_twin(ticket_id: int, connection_id: int, name: str, person: Person, now: datetime) -> ExternalRef:
    """Say that an issue which is there already is this ticket's. Raises Refused naming the field, NotAllowed."""
    name = name.strip()
    if not 0 < len(name) <= 200 or name.startswith(twin_refs.NEW):
        raise Refused("write the issue as the tracker calls it, such as OPS-12 or owner/name#12", "ref")
    with transaction.atomic():
        ticket, connection = _pair(ticket_id, connection_id, person)
        refs = ExternalRef.objects.filter(connection=connection, subject_kind="ticket")
        taken = refs.filter(ref=name).first()
        if taken is not None:
            raise Refused(f"{name} belongs to T-{taken.subject_id} already", "ref")
        if refs.filter(subject_id=ticket.pk).exists():
            raise Refused(f"T-{ticket.pk} stands in {connection.name} already", "ref")
        ref = ExternalRef.objects.create(connection=connection, subject_kind="ticket", subject_id=ticket.pk, ref=name)
        subject = Subject("ticket", ticket.pk, ticket.team_id)
        record(subject, "connector.linked", f"{person}: it is {name} in {connection.name}", now, Actor.of(person))
        exports.put(subject, "ticket.link", f"twin-{ref.pk}-link", f"{person} linked it", now, connection=connection)
    return ref


def let_go(ref_id: int, person: Person, now: datetime) -> None:
    """Take a ticket and its issue apart; both stay as they are. Raises NotAllowed."""
    with transaction.atomic():
        ticket, ref = twins.lock_both(ref_id)
        if ticket is None or ref is None:
            return
        require(person, ticket.team, "member", "take a ticket and its issue apart")
        said = f"{person}: it does not follow {ref.ref} any more"
        record(Subject("ticket", ticket.pk, ticket.team_id), "connector.let_go", said, now, Actor.of(person))
        ref.delete()


def retry(ref_id: int, person: Person, now: datetime) -> None:
    """Try again what failed for one thing. Raises Refused, NotAllowed."""
    with transaction.atomic():
        ref = ExternalRef.objects.select_related("connection__team").filter(pk=ref_id).first()
        if ref is None:
            raise Refused("it is not linked any more")
        require(person, ref.connection.team, "member", "try it again")
        rows = Export.objects.filter(
            connection=ref.connection, subject_kind=ref.subject_kind, subject_id=ref.subject_id, state="failed"
        )
        for export in rows.order_by("id"):
            exports.retry(export, now)
        ref.sync, ref.error = "waiting", ""
        ref.save(update_fields=["sync", "error"])
        if not rows.exists() and ref.subject_kind == "ticket" and is_written(ref):
            subject = Subject("ticket", ref.subject_id, ref.connection.team_id)
            key = f"twin-{ref.pk}-retry-{now.isoformat()}"
            exports.put(subject, "ticket.state", key, f"{person} tries again", now, connection=ref.connection)


def _pair(ticket_id: int, connection_id: int, person: Person) -> tuple[Ticket, Connection]:
    ticket = tickets.lock(ticket_id)
    require(person, ticket.team, "member", "connect a ticket with a tracker")
    rows = Connection.objects.filter(pk=connection_id, team_id=ticket.team_id, removed_at=None)
    connection = rows.first()
    if connection is None or connection.connector not in connectors.all_connectors():
        raise Refused(f"{ticket.team} has no such connection", "connection")
    if connectors.all_connectors()[connection.connector].PORT not in PORTS:
        raise Refused(f"{connection.name} is no tracker", "connection")
    return ticket, connection


# By what is to be brought; "chat:…" and "helpdesk:…", which their own modules add, come before what has no port.
WAYS: dict[str, Callable[[Export, Line, datetime], str]] = {
    "ticket.create": _create,
    "ticket.state": _state,
    "ticket.comment": _comment,
    "ticket.link": _link,
    "request.answer": _answer,
    "import.page": lambda export, line, now: import_tickets.send_page(export, line.http, now),
}
SENDERS: dict[str, export_sending.Sender] = {
    name: send for port in connectors.PORTS for name in connectors.connectors_of(port)
}
export_sending.SENDERS.update(SENDERS)
