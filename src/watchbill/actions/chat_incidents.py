"""What is said in a chat about incidents: declare one, write on its timeline, say that it is mitigated or resolved."""

from __future__ import annotations

from datetime import datetime

from watchbill.actions import chat_people, declaring, incident_room, incident_story, incidents
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_story import Entry
from watchbill.actions.log import Actor
from watchbill.connectors import Heard
from watchbill.core.chat import Step, title_of
from watchbill.db.incident_facts import seen_by, sees_incident
from watchbill.db.models import Connection, Event, Incident, Person
from watchbill.kit.errors import Refused

MOST_LISTED = 20


def declare(connection: Connection, step: Step, person: Person, now: datetime) -> str:
    """Declare an incident: "Sign-in is down: users see an error"; without the second part the title says both."""
    title, _, impact = step.text.partition(":")
    said = Declared(title_of(title), impact.strip() or step.text.strip(), door="chat")
    incident = declaring.declare(connection.team, said, person, now)
    return f"Incident {incident.pk} is declared: {incident_room.link_of(incident)}"


def write(incident: Incident, step: Step, person: Person, now: datetime) -> str:
    """Write on the timeline."""
    incident_story.write(incident.pk, Entry(step.text, door="chat"), person, now)
    return f"It stands on the timeline of incident {incident.pk}."


def mitigate(incident: Incident, step: Step, person: Person, now: datetime) -> str:
    """Say that people no longer feel it."""
    incidents.mitigate(incident.pk, person, now, words=step.text)
    return f"Incident {incident.pk} is mitigated."


def resolve(incident: Incident, step: Step, person: Person, now: datetime) -> str:
    """Say that all is normal."""
    incidents.resolve(incident.pk, person, now, words=step.text)
    return f"Incident {incident.pk} is resolved."


def listed(connection: Connection, person: Person | None) -> str:
    """Say which incidents of the team go on; private ones only to who may see them."""
    rows = Incident.objects.filter(team=connection.team, state__in=["active", "mitigated"])
    rows = rows.filter(seen_by(person)) if person else rows.filter(is_private=False)
    lines = [
        f"{one.pk}: {'Exercise: ' if one.is_exercise else ''}{one.title} · {one.priority.upper()} · {one.state}"
        for one in rows.distinct().order_by("id")[:MOST_LISTED]
    ]
    return "\n".join(lines) or "No incident goes on."


def find(connection: Connection, room: str, number: int | None, person: Person) -> Incident:
    """Find the incident that is meant: by its number, else the one whose channel this is, else the only one. Raises Refused."""
    if number is not None:
        found = Incident.objects.filter(seen_by(person), pk=number, team=connection.team).first()
        if found is None:
            raise Refused(f"There is no incident {number}.")
        return found
    here = incident_room.incident_in(connection, room)
    if here is not None and sees_incident(person, here):
        return here
    going = Incident.objects.filter(seen_by(person), team=connection.team, state__in=["active", "mitigated"])
    rows = list(going.distinct().order_by("id")[:2])
    if len(rows) == 1:
        return rows[0]
    raise Refused(f"Which one? Give its number.\n{listed(connection, person)}" if rows else "No incident goes on.")


def keep_message(connection: Connection, heard: Heard, author: Person | None, name: str, now: datetime) -> str:
    """Put a message on the timeline, at the time it was written, for whoever put the reaction on it; once.

    `author` is the account of whoever wrote it, else their `name` there stands beside it.
    """
    incident = incident_room.incident_in(connection, heard.room)
    by = chat_people.linked(connection, dict(heard.data).get("by", ""))
    if incident is None or by is None or not sees_incident(by, incident):
        return "only those who may see the incident put messages on its timeline"
    incident = incidents.lock(incident.pk)
    incidents.require_member(by, incident, "write on an incident")
    key = f"{connection.pk}:{heard.room}:{heard.ref}"
    lines = Event.objects.filter(subject_kind="incident", subject_id=incident.pk, kind="incident.entry")
    if lines.filter(data__message=key).exists():
        return "it stands there"
    actor = Actor.of(author) if author else Actor(None, name)
    at = heard.at if heard.at and heard.at <= now else None
    entry = Entry(heard.text, at=at, door="chat", data={"message": key, "by": by.pk})
    incident_story.write_locked(incident, entry, actor, now, author)
    return f"it stands on the timeline of incident {incident.pk}"
