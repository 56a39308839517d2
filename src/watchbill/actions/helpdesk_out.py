"""Bring answers and states of requests to the helpdesk in which they stand, and read there what happened."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from watchbill import connectors
from watchbill.actions import connector_out, desk_inbox, helpdesk, helpdesk_canned, twin_refs
from watchbill.actions.chat_in import read_body
from watchbill.actions.connector_out import Line, ref_of
from watchbill.actions.twin_refs import keep, known_of, lock_ref, mark_of
from watchbill.connectors import Comment, Newest
from watchbill.core.twins import Face
from watchbill.db.models import Connection, Export, Inbox, Message, SupportRequest
from watchbill.kit.errors import DeliveryFailed, Unreadable

NEVER_THERE = "it does not stand there any more"


def read(row: Inbox, now: datetime) -> None:
    """Read one webhook: have the tickets that it names read there. Raises Unreadable."""
    connection = Connection.objects.select_related("team").filter(pk=row.connection_id, removed_at=None).first()
    if connection is None:
        raise Unreadable("its connection was removed")
    settings = connectors.read_settings(connection.connector, connection.settings)
    headers = json.loads(row.note).get("headers", {}) if row.note else {}
    module = connectors.all_connectors()[connection.connector]
    for change in module.parse(read_body(bytes(row.body)), headers, settings):
        helpdesk.put_pull(connection, change.issue.ref, row.pk, now)


def _pull(export: Export, line: Line, now: datetime) -> str:
    """Read a ticket and what was said on it, and make our side follow."""
    ref = str(export.payload["ticket"])
    issue = line.module.read(line.settings, line.http, ref)
    said = line.module.conversation(line.settings, line.http, ref)
    fresh = helpdesk.new_comments(line.connection, ref, said)
    writers = {(one.author, one.by_team): one for one in fresh}
    known = {who: line.module.read_writer(line.settings, line.http, one) for who, one in writers.items()}
    pairs = [(one, known[one.author, one.by_team]) for one in fresh]
    return helpdesk.take_in(
        line.connection, issue, pairs, helpdesk.meanings_of(line.connection, line.settings.meanings), now
    )


def _answer(export: Export, line: Line, now: datetime) -> str:
    """Answer a requester there. Notes are no answers: nothing of them ever comes here."""
    ref = ref_of(export)
    message = Message.objects.filter(pk=export.payload.get("message"), direction="out").first()
    if ref is None or message is None:
        return NEVER_THERE
    mark = mark_of(line.connection, "m", message.pk)
    comment = Comment(message.text, message.author_name, mark=mark, at=message.written_at)
    number = line.module.reply(line.settings, line.http, ref.ref, comment)
    with transaction.atomic():
        locked = lock_ref(ref.pk)
        if locked is not None:
            ours = [*locked.pushed.get("comments", ()), number][-twin_refs.MOST_COMMENTS :]
            locked.pushed, locked.synced_at = {**locked.pushed, "comments": ours}, now
            locked.save(update_fields=["pushed", "synced_at"])
    return f"{ref.ref}: reply {number}"


def _state(export: Export, line: Line, now: datetime) -> str:
    """Bring who has the ball, or how it ended: as it stands at this moment, so an older export has nothing to say."""
    ref = ref_of(export)
    request = SupportRequest.objects.filter(pk=export.subject_id).first()
    if ref is None or request is None:
        return NEVER_THERE
    state = helpdesk.state_of(request)
    wanted = line.settings.statuses.get(state, "")
    if not wanted:
        raise DeliveryFailed(f"nobody said which status “{state}” gets there: add it", permanent=True)
    if wanted.casefold() == known_of(ref).theirs.state.casefold():
        return "it is so there already"
    issue = line.module.update(line.settings, line.http, ref.ref, Newest(state=wanted))
    with transaction.atomic():
        locked = lock_ref(ref.pk)
        if locked is not None:
            known = known_of(locked)
            theirs = replace(known.theirs, state=issue.state)
            at = issue.updated_at or known.at
            meanings = helpdesk.meanings_of(line.connection, line.settings.meanings)
            sync = "in_step" if meanings.get(issue.state.lower()) else "unknown_state"
            keep(locked, replace(known, ours=Face(request.title, state), theirs=theirs, at=at), sync, now)
    return f"{ref.ref}: {wanted}"


def _canned(export: Export, line: Line, now: datetime) -> str:
    if not line.settings.canned:
        return "they are kept here"
    found = line.module.canned_responses(line.settings, line.http)
    places = {one.ref: line.module.place_of_canned(line.settings, one.ref) for one in found}
    return helpdesk_canned.replace_all(line.connection, found, places, now)


connector_out.WAYS.update(
    {
        "helpdesk:helpdesk.pull": _pull,
        "helpdesk:request.answer": _answer,
        "helpdesk:request.state": _state,
        "helpdesk:canned.pull": _canned,
        # A tracker or a chat shows no ball of ours.
        "request.state": lambda export, line, now: "nothing is to be said there",
    }
)
desk_inbox.READERS.update(dict.fromkeys(connectors.connectors_of("helpdesk"), read))
