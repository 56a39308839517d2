"""Bring to a chat what is ours to say there, and ask it what we must know: who somebody is, what a message says.

A message is written once wherever the chat can tell: before a second try we look for the mark of the first. A thread
that cannot be written any more (the channel is gone) is let go, and its requester is answered by mail.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from watchbill.actions import chat, chat_people, chat_words, connector_out, import_tickets, request_mail, support
from watchbill.actions.connector_out import Line, ref_of
from watchbill.actions.log import record
from watchbill.actions.twin_refs import NEW, mark_of
from watchbill.connectors import Member, Posted
from watchbill.db import support_facts
from watchbill.db.models import Export, ExternalRef, Message, Page, Person
from watchbill.kit.errors import DeliveryFailed


def _heard(export: Export, line: Line, now: datetime) -> str:
    """Ask the chat who said something, or what stands under a reaction, then carry out what follows."""
    heard = chat.from_plain(export.payload["heard"])
    if heard.kind == "reaction":
        message = line.module.read_message(line.settings, line.http, heard.room, heard.ref)
        if message is None:
            return "no person wrote what the reaction is on"
        heard = chat.with_message(line.connection, heard, message)
    elif dict(heard.data).get("look"):
        message = line.module.read_message(line.settings, line.http, heard.room, heard.ref)
        if message is None:
            return "no person wrote it"
        heard = replace(message, kind=heard.kind, text=heard.text)
    member: Member = line.module.read_member(line.settings, line.http, heard.author)
    with transaction.atomic():
        # Whoever takes this export first locks it: a second try finds what was done.
        row = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
        if "done" in row.payload:
            return str(row.payload["done"])
        said = chat.take(line.connection, heard, member, now)
        row.payload = {**row.payload, "done": said[:500]}
        row.save(update_fields=["payload"])
    return said[:255]


def _write(
    export: Export, line: Line, to: Posted, text: str, mark: str, buttons: list[list[str]] | None = None
) -> Posted:
    """Write once: what an earlier try may have written is looked for first."""
    if export.attempt > 1:
        found: Posted | None = line.module.find_post(line.settings, line.http, to, mark, export.created_at)
        if found is not None:
            return found
    if to.thread:
        made: Posted = line.module.reply(line.settings, line.http, to, text, mark)
    else:
        shown = tuple((label, command) for label, command in buttons or ())
        made = line.module.post(line.settings, line.http, to.room, text, mark, shown)
    return made


def _thread(export: Export, line: Line, now: datetime) -> str:
    """Begin the thread of a request that came by a command."""
    ref = ref_of(export)
    if ref is None or not ref.ref.startswith(NEW):
        return "it has its thread"
    mark = mark_of(line.connection, "R", export.subject_id)
    try:
        posted = _write(export, line, Posted(export.payload["room"], ""), export.payload["text"], mark)
    except DeliveryFailed as failure:
        if failure.permanent:
            _let_go(ref, failure, now)
        raise
    place = chat.place_of(posted.room, posted.ref)
    ExternalRef.objects.filter(pk=ref.pk).update(
        ref=place, url=posted.url[:500], sync="in_step", synced_at=now, error=""
    )
    return place


def _let_go(ref: ExternalRef, failure: DeliveryFailed, now: datetime) -> None:
    """Say on a request that its thread is lost; what is answered from here on leaves by mail."""
    with transaction.atomic():
        request = support.lock(ref.subject_id)
        ExternalRef.objects.filter(pk=ref.pk).update(sync="gone", error=failure.message[:2000], synced_at=now)
        said = f"its thread in {ref.connection} cannot be written: {failure.message}"
        record(support.subject_of(request), "connector.gone", said[:1000], now)


def _answer(export: Export, line: Line, now: datetime) -> str:
    """Write an answer into the thread of its request. Notes are no answers: nothing of them ever comes here."""
    message = Message.objects.select_related("request__requester").filter(pk=export.payload.get("message")).first()
    if message is None or message.request is None or message.direction != "out":
        return "it is no answer any more"
    ref = ref_of(export)
    if ref is None:
        _by_mail(message, now)
        return "its thread is gone: it left by mail"
    if ref.ref.startswith(NEW):
        raise DeliveryFailed("it waits until its thread has begun")
    room, _, thread = ref.ref.rpartition("|")
    text = chat_words.for_all(message.text, message.request)
    said = f"{message.author_name}:\n{text}" if message.author_id else text
    try:
        posted = _write(export, line, Posted(room, thread, thread), said, mark_of(line.connection, "m", message.pk))
    except DeliveryFailed as failure:
        if failure.permanent:
            _let_go(ref, failure, now)
            _by_mail(message, now)
        raise
    ExternalRef.objects.filter(pk=ref.pk).update(sync="in_step", synced_at=now, error="")
    return posted.ref


def _by_mail(message: Message, now: datetime) -> None:
    with transaction.atomic():
        if message.request is not None:
            request_mail.send(support.lock(message.request.pk), message, now)


def _say(export: Export, line: Line, now: datetime) -> str:
    """Answer a command: to whoever gave it, else in its thread."""
    wanted = export.payload
    if wanted.get("respond"):
        line.module.respond(line.settings, line.http, wanted["respond"], wanted["text"])
        return "told whoever asked"
    mark = mark_of(line.connection, "s", export.pk)
    return _write(export, line, Posted(wanted["room"], "", wanted["thread"]), wanted["text"], mark).ref


def _home(export: Export, line: Line, now: datetime) -> str:
    user = str(export.payload["user"])
    person = chat_people.linked(line.connection, user)
    if person is None:
        member = line.module.read_member(line.settings, line.http, user)
        with transaction.atomic():
            person = chat_people.link(line.connection, member)
    where = str(export.payload.get("room") or user)
    line.module.show_home(line.settings, line.http, where, chat_words.home_of(line.connection.team, person, now))
    return "shown"


def _group(export: Export, line: Line, now: datetime) -> str:
    """Make the group of the chat consist of whoever stands the watch at this moment."""
    if not line.settings.group:
        return "no group follows the watch"
    people = support_facts.people_in_seat(line.connection.team, line.settings.seat, now)
    members = sorted(dict.fromkeys(one for one in (_user(line, person) for person in people) if one))
    if not members:
        text = "Nobody whom the chat knows is on watch: the group stays as it was"
        raise DeliveryFailed(text, permanent=True)
    line.module.set_group(line.settings, line.http, line.settings.group, members)
    with transaction.atomic():
        import_tickets.change_cursor(line.connection.pk, group=members)
    return ", ".join(str(person) for person in people)


def _user(line: Line, person: Person) -> str:
    known = chat_people.user_of(line.connection, person)
    if known:
        return known
    ref: str = line.module.find_member(line.settings, line.http, person.email)
    return ref


def _announce(export: Export, line: Line, now: datetime) -> str:
    """Say in the team's channel that a page opened, once, with a button that acknowledges it (DUT-15)."""
    page = Page.objects.select_related("service", "answered_by", "team").filter(pk=export.subject_id).first()
    if page is None or not line.settings.alerts_room:
        return "it is not wanted any more"
    buttons = [["Acknowledge", f"ack {page.pk}"]]
    mark = mark_of(line.connection, "p", page.pk)
    to = Posted(line.settings.alerts_room, "")
    posted = _write(export, line, to, chat_words.announcement(page), mark, buttons)
    return chat.place_of(posted.room, posted.ref)


connector_out.WAYS.update({
    "chat:chat.heard": _heard,
    "chat:chat.thread": _thread,
    "chat:request.answer": _answer,
    "chat:chat.say": _say,
    "chat:chat.home": _home,
    "chat:chat.group": _group,
    "chat:chat.announce": _announce,
})  # fmt: skip
