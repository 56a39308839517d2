"""Read what outside systems tell us by webhook: moves, comments, labels, new issues. Registered as a reader of the inbox.

A row is read inside its own transaction and may be read again: a comment is known by its reference there, a state by
what stands on both sides. Our own echo does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from watchbill import connectors
from watchbill.actions import desk_inbox, import_tickets, support, tickets, twins
from watchbill.actions.asked import Asked
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.requesters import Asker
from watchbill.actions.twin_refs import agreement_of, is_ours, keep, known_of, lock_ref
from watchbill.connectors import Change, Comment, Issue
from watchbill.db.models import Connection, ExternalRef, Inbox, Message, SupportRequest, Ticket
from watchbill.kit.errors import Unreadable


def read(row: Inbox, now: datetime) -> None:
    """Read one webhook. Raises Unreadable, Refused for what stays unread."""
    connection = Connection.objects.select_related("team").filter(pk=row.connection_id, removed_at=None).first()
    if connection is None:
        raise Unreadable("its connection was removed")
    module = connectors.all_connectors()[connection.connector]
    settings = connectors.read_settings(connection.connector, connection.settings)
    for change in module.parse(_payload(bytes(row.body)), _headers(row.note), settings):
        _apply(connection, change, now)


def _payload(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the webhook is no JSON: {str(error)[:200]}") from None


def _headers(note: str) -> Mapping[str, str]:
    found = json.loads(note) if note else {}
    headers: Mapping[str, str] = found.get("headers", {})
    return headers


def _apply(connection: Connection, change: Change, now: datetime) -> None:
    ref = ExternalRef.objects.filter(connection=connection, ref=change.issue.ref).first()
    if ref is None:
        _meet(connection, change, now)
    elif change.kind == "gone":
        _mark_gone(ref, change, now)
    elif change.kind == "commented" and change.comment is not None:
        _comment(connection, ref, change.issue, change.comment, now)
    elif ref.subject_kind == "ticket":
        twins.take_in(ref.pk, change.issue, now, change.by)
    else:
        _follow_request(ref, change.issue, now)


def _meet(connection: Connection, change: Change, now: datetime) -> None:
    """Take in an issue that we do not know, as the connection says (INT-01, INT-03); our own is being written."""
    door = agreement_of(connection).door
    if change.kind != "opened" or door == "nothing" or is_ours(connection, change.issue.mark):
        return
    if door == "request":
        _open_request(connection, change.issue, now)
    else:
        import_tickets.take_in_new(connection, [change.issue], f"{change.by or 'somebody'} opened it there", now)


def _open_request(connection: Connection, issue: Issue, now: datetime) -> None:
    asker = Asker(issue.author or "Somebody", issue.author_email)
    at = issue.created_at if issue.created_at and issue.created_at <= now else None
    door = "helpdesk" if connectors.all_connectors()[connection.connector].PORT == "helpdesk" else "tracker"
    asked = Asked(issue.title or issue.ref, issue.text, door=door, at=at, quiet=True)
    request = support.open_request(connection.team, asker, asked, now)
    ref = ExternalRef.objects.create(
        connection=connection, subject_kind="request", subject_id=request.pk, ref=issue.ref, url=issue.url[:500]
    )
    _keep_request(ref, issue, now)


def _follow_request(ref: ExternalRef, issue: Issue, now: datetime) -> None:
    """Keep the state of a request's issue beside it: who decides about a request is the desk, not the tracker."""
    locked = lock_ref(ref.pk)
    if locked is not None:
        _keep_request(locked, issue, now)


def _keep_request(ref: ExternalRef, issue: Issue, now: datetime) -> None:
    known, theirs = known_of(ref), twins.face_there(issue)
    unknown = bool(issue.state) and not agreement_of(ref.connection).target_of(issue.state)
    at = issue.updated_at or known.at
    keep(ref, type(known)(known.ours, theirs, at), "unknown_state" if unknown else "in_step", now)


def _comment(connection: Connection, ref: ExternalRef, issue: Issue, said: Comment, now: datetime) -> None:
    """Write their comment on our side, once; one of ours is known by its mark or by its reference."""
    key = f"connection-{connection.pk}:{issue.ref}:{said.ref}"[:255]
    if is_ours(connection, said.mark) or said.ref in ref.pushed.get("comments", ()) or not said.text.strip():
        return
    if Message.objects.filter(message_id=key).exists():
        return
    if ref.subject_kind == "ticket":
        _comment_ticket(connection, ref, said, key, now)
    else:
        _comment_request(connection, ref, said, key, now)


def _comment_ticket(connection: Connection, ref: ExternalRef, said: Comment, key: str, now: datetime) -> None:
    if not Ticket.objects.filter(pk=ref.subject_id).exists():
        return
    ticket = tickets.lock(ref.subject_id)
    name = said.author or "Somebody"
    message = tickets.comment_locked(ticket, said.text, f"{name} in {connection.name}", None, now, "tracker")
    message.message_id = key
    if said.at is not None and said.at <= now:
        message.at = said.at
    message.save(update_fields=["message_id", "at"])
    subject = Subject("ticket", ticket.pk, ticket.team_id)
    record(subject, "connector.commented", f"{name} wrote in {connection.name}", now, Actor(None, name))


def _comment_request(connection: Connection, ref: ExternalRef, said: Comment, key: str, now: datetime) -> None:
    request = SupportRequest.objects.select_related("requester", "team").filter(pk=ref.subject_id).first()
    if request is None:
        return
    asker = request.requester
    door = request.door if request.door in {"tracker", "helpdesk"} else "tracker"
    if said.private or (said.author and said.author != asker.name):
        # Whoever else writes there (the team itself, a colleague) does not pass the ball to us.
        Message.objects.create(
            team_id=request.team_id, request=request, direction="note", door=door, author_name=said.author[:120],
            text=said.text, message_id=key, at=said.at or now, written_at=now,
        )  # fmt: skip
        return
    support.hear(
        request.pk,
        Asker(asker.name, asker.email, asker.person),
        Asked(request.title, said.text, door=door, message_id=key),
        now,
    )


def _mark_gone(ref: ExternalRef, change: Change, now: datetime) -> None:
    locked = lock_ref(ref.pk)
    if locked is None:
        return
    locked.sync, locked.error, locked.synced_at = "gone", f"{change.by or 'somebody'} deleted it there", now
    locked.save(update_fields=["sync", "error", "synced_at"])
    subject = Subject(ref.subject_kind, ref.subject_id, locked.connection.team_id)
    record(subject, "connector.gone", f"{ref.ref} was deleted in {locked.connection.name}", now)


READERS: dict[str, desk_inbox.Reader] = dict.fromkeys(connectors.connectors_of("tracker"), read)
desk_inbox.READERS.update(READERS)
