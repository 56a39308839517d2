"""Let words reach an audience by the ways that it has: people by their own rules, mail, the conversation of a request, chat.

Nothing here decides whether something is said. Of a private incident only those who see it are reached, and no room.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from watchbill import connectors
from watchbill.actions import delivery, exports, incident_room, request_mail, support
from watchbill.actions.delivery import Wanted, Words
from watchbill.actions.log import Subject
from watchbill.db import role_facts
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import (
    Connection,
    Event,
    Incident,
    IncidentService,
    Person,
    Requester,
    RoleAssignment,
    Service,
    SupportRequest,
    Team,
)
from watchbill.db.support_facts import people_in_seat
from watchbill.kit.errors import DeliveryFailed
from watchbill.rules.incident_updates import Audience, Hearing


@dataclass
class Heard:
    """Who has heard it already, of one thing that is said to several audiences: nobody hears it twice.

    `left` counts what left: nothing was told to anybody while it is zero.
    """

    people: set[int] = field(default_factory=set)
    mails: set[str] = field(default_factory=set)
    rooms: set[str] = field(default_factory=set)
    left: int = 0


@dataclass(frozen=True)
class Message:
    """What leaves: its subject and text, the line of the log that says so, and a key by which it leaves once."""

    subject: str
    text: str
    line: Event
    key: str
    path: str
    author: Person | None = None


def tell(incident: Incident, hearing: Hearing, message: Message, heard: Heard, now: datetime) -> None:
    """Let a message about a locked incident leave to one audience. The incident is locked first, then its requests."""
    if not hearing.leaves:
        return
    ways = hearing.audience.through
    subject = Subject("incident", incident.pk, incident.team_id)
    if "people" in ways:
        tell_people(subject, people_of(incident, hearing.audience, now), message, heard, now)
    if "mail" in ways and hearing.audience.who == "communities":
        _tell_requests(incident, message, heard, now)
        speakers = Requester.objects.filter(
            community__in=incident.communities.values("community"), is_representative=True
        )
        tell_outside(subject, speakers, message, heard, now)
    if "chat" in ways and not incident.is_private:
        rooms = incident_room.refs_of(incident) if hearing.audience.who == "responders" else []
        if rooms:
            for ref in rooms:
                _say(subject, ref.connection, ref.ref, message, heard, now)
        else:
            tell_team_chat(subject, incident.team, message, heard, now)


def people_of(incident: Incident, audience: Audience, now: datetime) -> list[Person]:
    """Read who with an account belongs to an audience: responders with the watch, or leadership (ROL-17)."""
    named = list(Person.objects.filter(email__in=[one.strip().lower() for one in audience.people]))
    if audience.who == "responders":
        named += responders_of(incident) + people_in_seat(incident.team, "", now)
    elif audience.who == "leadership":
        named += [person for person, _ in role_facts.leadership_of(incident, role_facts.touched_of(incident))]
    return who_may(incident, named)


def responders_of(incident: Incident) -> list[Person]:
    """Read who responds: those called in who have not left, and those who hold a role."""
    called = incident.members.filter(left_at=None).select_related("person").order_by("id")
    held = RoleAssignment.objects.filter(incident=incident, state="accepted").select_related("person").order_by("id")
    people = [row.person for row in called] + [row.person for row in held]
    return list(dict.fromkeys(people))


def services_of(incident: Incident) -> list[Service]:
    """Read what an incident touches."""
    touched = IncidentService.objects.filter(incident=incident).select_related("service__leadership_contact")
    return [row.service for row in touched.order_by("id")]


def leaders_of(team: Team, services: Iterable[Service]) -> list[Person]:
    """Read who speaks with leadership: the contact of each service, and the team's manager."""
    contacts = [one.leadership_contact for one in services]
    return list(dict.fromkeys(one for one in (*contacts, team.manager) if one))


def who_may(incident: Incident, people: Iterable[Person]) -> list[Person]:
    """Keep those with an active account who may see an incident, each once."""
    able = [one for one in dict.fromkeys(people) if one.is_active]
    return [one for one in able if sees_incident(one, incident)] if incident.is_private else able


def tell_people(subject: Subject, people: Iterable[Person], message: Message, heard: Heard, now: datetime) -> None:
    """Reach people by their own rules; whoever wrote it knows it."""
    if message.author is not None:
        heard.people.add(message.author.pk)
    words = Words(message.subject[:200], message.text, "notice", "default", message.path, "Open it")
    fresh = [one for one in people if one.pk not in heard.people]
    heard.left += len(fresh)
    heard.people.update(one.pk for one in fresh)
    heard.mails.update(one.email for one in fresh)
    wanted = [Wanted(one.pk, subject, words, message.line, message.line.why[:200]) for one in fresh]
    delivery.reach_all_or_tell(wanted, now)


def _tell_requests(incident: Incident, message: Message, heard: Heard, now: datetime) -> None:
    """Say it in the conversation of each request that is linked and open: its requester waits for it there."""
    linked = incident.links.filter(kind="request").values("subject_id")
    numbers = SupportRequest.objects.filter(pk__in=linked, state="open").order_by("id").values_list("pk", flat=True)
    for number in list(numbers):
        request = support.lock(number)
        request_mail.write(request, message.text, now, message.author)
        heard.mails.add(request.requester.email)
        heard.left += 1


def tell_outside(subject: Subject, readers: Iterable[Requester], message: Message, heard: Heard, now: datetime) -> None:
    """Send mail to people who need no account, one to each address."""
    for reader in readers:
        if not reader.email or reader.email in heard.mails:
            continue
        heard.mails.add(reader.email)
        heard.left += 1
        exports.put(
            subject,
            "mail",
            f"{message.key}-{reader.pk}",
            f"to {reader}",
            now,
            recipient={"email": reader.email, "name": reader.name},
            payload={"subject": message.subject[:200], "text": message.text},
        )


def tell_team_chat(subject: Subject, team: Team, message: Message, heard: Heard, now: datetime) -> None:
    """Say it in the team's channel of each chat that has one (INC-04, INC-09)."""
    chats = connectors.connectors_of("chat")
    for connection in Connection.objects.filter(team=team, removed_at=None, connector__in=chats).order_by("id"):
        room = _room_of(connection)
        if room:
            _say(subject, connection, room, message, heard, now)


def _room_of(connection: Connection) -> str:
    try:
        settings: Any = connectors.read_settings(connection.connector, connection.settings)
    except DeliveryFailed:
        return ""  # settings of an older form: its page says so
    return str(settings.alerts_room or "")


def _say(subject: Subject, connection: Connection, room: str, message: Message, heard: Heard, now: datetime) -> None:
    if f"{connection.pk}|{room}" in heard.rooms:
        return
    heard.rooms.add(f"{connection.pk}|{room}")
    heard.left += 1
    payload = {"room": room, "thread": "", "text": message.text}
    key = f"chat-{connection.pk}-{message.key}"
    exports.put(subject, "chat.say", key, message.line.why[:200], now, connection=connection, payload=payload)
