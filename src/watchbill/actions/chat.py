"""What is said in a chat becomes requests, replies, answers and commands here: one process behind every chat.

A connector tells what was said, `core.chat` decides what follows, this file carries it out. Nothing here calls out:
where somebody must be looked up in the chat first, or a message read, `put` leaves that to `chat_out`, which comes
back with what it found. The same thing told twice (chats retry) changes nothing: messages are known by their place
in the room, commands by the export that answers them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill import connectors
from watchbill.actions import (
    answers_there,
    chat_incidents,
    chat_people,
    chat_words,
    exports,
    incident_room,
    paging,
    request_mail,
    support,
)
from watchbill.actions.access import role_of
from watchbill.actions.asked import Asked
from watchbill.actions.import_tickets import subject_of
from watchbill.actions.request_words import reference
from watchbill.actions.twin_refs import NEW
from watchbill.connectors import Heard, Member
from watchbill.core import chat
from watchbill.core.chat import NEEDS_ACCOUNT, Said, Step
from watchbill.db.models import Connection, Export, ExternalRef, Message, Person, SupportRequest
from watchbill.kit.errors import NotAllowed, Refused, Unreadable

NO_NEED_TO_KNOW = frozenset({"nothing", "who", "help", "keep", "incidents"})


@dataclass(frozen=True)
class Scene:
    """One thing that was said, with all that is known of it. `member` is None until the chat was asked who it was."""

    connection: Connection
    heard: Heard
    person: Person | None
    member: Member | None
    ref: ExternalRef | None
    now: datetime

    @property
    def place(self) -> str:
        """Give the thread in which it stands, or which it begins, as one key."""
        return place_of(self.heard.room, self.heard.thread or self.heard.ref)


def place_of(room: str, thread: str) -> str:
    """Give a thread as the reference that a request has in a chat."""
    return f"{room}|{thread}"[:200]


def take(connection: Connection, heard: Heard, member: Member | None, now: datetime) -> str:
    """Carry out what follows from one thing that was said; says in words what it was. Call it in a transaction."""
    scene = _scene(connection, heard, member, now)
    step = chat.understand(_said(scene))
    if step.do == "fetch" or dict(heard.data).get("look"):
        return put(connection, heard, now)
    if scene.person is None and member is None and step.do not in NO_NEED_TO_KNOW:
        return put(connection, heard, now)
    if scene.person is None and step.do in NEEDS_ACCOUNT:
        return _respond(scene, chat_words.STRANGER.format(team=connection.team))
    try:
        with transaction.atomic():
            return DO[step.do](scene, step)
    except (Refused, NotAllowed) as refusal:
        return _respond(scene, refusal.message)


def answer_at_once(connection: Connection, heard: Heard, now: datetime) -> str:
    """Give the answer to a command that only reads; empty for one that does something and is stored first."""
    step = chat.understand(Said(heard.kind, heard.text)) if heard.kind == "command" else Step("nothing")
    if step.do == "help":
        return "\n".join(part for part in (step.why, chat.HELP) if part)
    return chat_words.who(connection.team, now) if step.do == "who" else ""


def _scene(connection: Connection, heard: Heard, member: Member | None, now: datetime) -> Scene:
    person = chat_people.linked(connection, heard.author)
    if person is None and member is not None:
        person = chat_people.link(connection, member)
    place = place_of(heard.room, heard.thread or heard.ref)
    refs = ExternalRef.objects.filter(connection=connection, subject_kind="request", ref=place)
    return Scene(connection, heard, person, member, refs.first(), now)


def _said(scene: Scene) -> Said:
    settings = connectors.read_settings(scene.connection.connector, scene.connection.settings)
    ours = scene.person is not None and role_of(scene.person, scene.connection.team) in {"member", "owner"}
    asked = scene.ref is not None and scene.person is not None and _asked_by(scene.ref, scene.person)
    return Said(
        scene.heard.kind,
        scene.heard.text,
        in_request=scene.ref is not None,
        is_member=ours,
        is_requester=asked,
        reaction=settings.reaction,
        in_incident=scene.heard.kind == "reaction"
        and incident_room.incident_in(scene.connection, scene.heard.room) is not None,
        keeps=settings.timeline_reaction,
    )


def _asked_by(ref: ExternalRef, person: Person) -> bool:
    request = SupportRequest.objects.filter(pk=ref.subject_id).select_related("requester").first()
    return request is not None and request.requester.person_id == person.pk


def put(connection: Connection, heard: Heard, now: datetime) -> str:
    """Have the chat asked who said it, or what stands under a reaction; once. Call it in a transaction."""
    key = f"chat-{connection.pk}-{heard.kind}-{heard.room}-{heard.ref}-{heard.author}"[:160]
    why = f"{connection.name} is asked who that was"
    payload = {"heard": to_plain(heard)}
    exports.put(subject_of(connection), "chat.heard", key, why, now, connection=connection, payload=payload)
    return why


def to_plain(heard: Heard) -> dict[str, Any]:
    """Give a Heard as JSON."""
    return {**asdict(heard), "at": heard.at.isoformat() if heard.at else None}


def from_plain(data: dict[str, Any]) -> Heard:
    """Read what `to_plain` wrote."""
    at = datetime.fromisoformat(data["at"]) if data.get("at") else None
    return Heard(**{**data, "at": at, "data": tuple((name, value) for name, value in data.get("data", ()))})


def _ask_here(scene: Scene, step: Step) -> str:
    """Make a request of a message: its thread is the conversation from now on."""
    if scene.ref is not None:
        return "this thread is a request already"
    request = _open(scene, step.text, scene.place, _key(scene))
    request_mail.write(request, chat_words.confirmation(request, scene.now), scene.now)
    return f"it is {reference(request)}"


def _ask(scene: Scene, step: Step) -> str:
    """Make a request of a command: nobody saw it, so a message of ours begins its thread in the channel (INT-07)."""
    if _is_done(scene):
        return "it was done already"
    request = _open(scene, step.text, f"{NEW}{scene.heard.ref}"[:200], "")
    root = chat_words.root_of(request, step.text, scene.now)
    Message.objects.create(
        team_id=request.team_id, request=request, direction="out", door="chat", author_name="Watchbill",
        text=chat_words.confirmation(request, scene.now), message_id=_key(scene), at=scene.now, written_at=scene.now,
    )  # fmt: skip
    exports.put(
        support.subject_of(request),
        "chat.thread",
        f"chat-{scene.connection.pk}-thread-{request.pk}",
        f"begins the thread of {reference(request)}",
        scene.now,
        connection=scene.connection,
        payload={"room": scene.heard.room, "text": root},
    )
    return _respond(scene, f"{request.team} has it as {reference(request)}; the conversation is in the channel.")


def _open(scene: Scene, text: str, place: str, key: str) -> SupportRequest:
    asker = chat_people.asker_of(scene.person, scene.member, scene.heard.author_name)
    title = chat.title_of(text)
    if not title:
        raise Refused("say what you need", "text")
    at = scene.heard.at if scene.heard.at and scene.heard.at <= scene.now else None
    asked = Asked(title, text.strip(), door="chat", message_id=key, at=at, quiet=True)
    request = support.open_request(scene.connection.team, asker, asked, scene.now)
    ExternalRef.objects.create(
        connection=scene.connection,
        subject_kind="request",
        subject_id=request.pk,
        ref=place,
        sync="waiting" if place.startswith(NEW) else "in_step",
    )
    return request


def _key(scene: Scene) -> str:
    return answers_there.key_of(scene.connection, scene.heard.room, scene.heard.ref)


def _hear(scene: Scene, step: Step) -> str:
    if scene.ref is None or answers_there.is_known(_key(scene)):
        return "it is known"
    asker = chat_people.asker_of(scene.person, scene.member, scene.heard.author_name)
    asked = Asked(chat.title_of(step.text), step.text, door="chat", message_id=_key(scene), quiet=True)
    heard_by = support.hear(scene.ref.subject_id, asker, asked, scene.now)
    if heard_by.pk != scene.ref.subject_id:
        # It came too late to reopen: the thread belongs to the new request from here on.
        scene.ref.subject_id = heard_by.pk
        scene.ref.save(update_fields=["subject_id"])
        request_mail.write(heard_by, chat_words.confirmation(heard_by, scene.now), scene.now)
    return f"{reference(heard_by)} heard it"


def _answer(scene: Scene, step: Step) -> str:
    if scene.ref is None or scene.person is None:
        return "it is no request's thread"
    at = scene.heard.at or scene.now
    name = str(scene.person)
    made = answers_there.take_answer(
        scene.ref.subject_id, step.text, name, scene.person, _key(scene), at, "chat", scene.now
    )
    return f"{name} answered" if made else "it is known"


def _who(scene: Scene, step: Step) -> str:
    return _respond(scene, chat_words.who(scene.connection.team, scene.now))


def _help(scene: Scene, step: Step) -> str:
    return _respond(scene, "\n".join(part for part in (step.why, chat.HELP) if part))


def _acknowledge(scene: Scene, step: Step) -> str:
    if scene.person is None or _is_done(scene):
        return "it was done already"
    number = step.number or _the_only_page(scene)
    page = paging.acknowledge(number, scene.person, scene.now)
    return _respond(scene, f"{scene.person} has page {page.pk}: {page.title}")


def _the_only_page(scene: Scene) -> int:
    waiting = chat_words.waiting_pages(scene.connection.team)
    if len(waiting) == 1:
        return waiting[0].pk
    listed = "\n".join(f"{page.pk}: {page.title}" for page in waiting)
    raise Refused(f"Which one? /watchbill ack <number>\n{listed}" if waiting else "No page waits for an answer.")


def _page(scene: Scene, step: Step) -> str:
    if scene.person is None or _is_done(scene):
        return "it was done already"
    title = chat.title_of(step.text)
    page = paging.page_people(scene.connection.team, title, scene.person, scene.now, details=step.text)
    return _respond(scene, f"Page {page.pk} is on its way to whoever is on watch.")


def _declare(scene: Scene, step: Step) -> str:
    if scene.person is None or _is_done(scene):
        return "it was done already"
    return _respond(scene, chat_incidents.declare(scene.connection, step, scene.person, scene.now))


def _on_incident(scene: Scene, step: Step) -> str:
    """Carry out what is said about an incident that stands."""
    if scene.person is None or _is_done(scene):
        return "it was done already"
    incident = chat_incidents.find(scene.connection, scene.heard.room, step.number, scene.person)
    ways = {"note": chat_incidents.write, "mitigated": chat_incidents.mitigate, "resolved": chat_incidents.resolve}
    return _respond(scene, ways[step.do](incident, step, scene.person, scene.now))


def _incidents(scene: Scene, step: Step) -> str:
    return _respond(scene, chat_incidents.listed(scene.connection, scene.person))


def _keep(scene: Scene, step: Step) -> str:
    name = chat_people.asker_of(scene.person, scene.member, scene.heard.author_name).name
    return chat_incidents.keep_message(scene.connection, scene.heard, scene.person, name, scene.now)


def _home(scene: Scene, step: Step) -> str:
    exports.put(
        subject_of(scene.connection),
        "chat.home",
        f"chat-{scene.connection.pk}-home-{scene.heard.author}-{scene.heard.ref or scene.now.isoformat()}"[:160],
        "they opened our page",
        scene.now,
        connection=scene.connection,
        payload={"user": scene.heard.author, "room": scene.heard.room},
    )
    return "their page is being written"


def _nothing(scene: Scene, step: Step) -> str:
    return step.why


def _answer_key(scene: Scene) -> str:
    heard = scene.heard
    return f"chat-{scene.connection.pk}-said-{heard.room}-{heard.ref}-{heard.author}"[:160]


def _is_done(scene: Scene) -> bool:
    """Tell whether this command was carried out: then its answer is written or on its way."""
    return Export.objects.filter(key=_answer_key(scene)).exists()


def _respond(scene: Scene, text: str) -> str:
    """Answer whoever said it: where a command wants its answer, else in the thread. Once."""
    where = dict(scene.heard.data).get("respond", "")
    payload = {
        "respond": where,
        "room": scene.heard.room,
        "thread": scene.heard.thread or scene.heard.ref,
        "text": text,
    }
    exports.put(
        subject_of(scene.connection),
        "chat.say",
        _answer_key(scene),
        "an answer to a command",
        scene.now,
        connection=scene.connection,
        payload=payload,
    )
    return text


def with_message(connection: Connection, heard: Heard, message: Heard) -> Heard:
    """Make a mention of a message that somebody put a reaction on: its author asks, wherever it stands.

    In the channel of an incident the team's other reaction puts it on the timeline instead.
    """
    keeps = connectors.read_settings(connection.connector, connection.settings).timeline_reaction
    if heard.text.strip(":").lower() == keeps.strip(":").lower() and incident_room.incident_in(connection, heard.room):
        return replace(message, kind="entry", room=heard.room, data=(("by", heard.author),))
    return replace(message, kind="mention", room=heard.room)


def demand_connection(number: int) -> Connection:
    """Read the connection of a row in the inbox. Raises Unreadable when it was removed."""
    found = Connection.objects.select_related("team").filter(pk=number, removed_at=None).first()
    if found is None:
        raise Unreadable("its connection was removed")
    return found


DO: dict[str, Callable[[Scene, Step], str]] = {
    "nothing": _nothing, "ask": _ask, "ask_here": _ask_here, "hear": _hear, "answer": _answer, "who": _who,
    "ack": _acknowledge, "page": _page, "home": _home, "help": _help, "declare": _declare, "note": _on_incident,
    "mitigated": _on_incident, "resolved": _on_incident, "incidents": _incidents, "keep": _keep,
}  # fmt: skip
