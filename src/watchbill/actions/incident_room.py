"""The channel of an incident in the team's chat: opened when it is declared, its topic kept current (INC-04, INC-09).

Nothing here calls out: an export carries each step, and `incident_room_out` takes it to the chat. The topic is written
as it stands when it leaves, so that an older one has nothing left to say.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.text import Truncator

from watchbill import connectors
from watchbill.actions import exports
from watchbill.actions.desk import Desk
from watchbill.actions.log import Subject
from watchbill.db.models import Connection, ExternalRef, Incident, Person, RoleAssignment
from watchbill.kit.errors import DeliveryFailed
from watchbill.rules import incident_severity

# Slack shows 250 characters, and the call must be among them.
LONGEST_TITLE = 80


def open_for(incident: Incident, desk: Desk, now: datetime) -> None:
    """Have a channel opened in each chat of the team that wants one. Call it inside the transaction that declares."""
    table = incident_severity.Settings.model_validate(desk.rule("incident_severity"))
    is_major = incident_severity.major(incident.priority, table)
    chats = connectors.connectors_of("chat")
    for connection in Connection.objects.filter(team=incident.team_id, removed_at=None, connector__in=chats):
        if _wants(connection, is_major=is_major):
            key = f"chat-{connection.pk}-room-{incident.pk}"
            exports.put(_subject(incident), "chat.room", key, "opens its channel", now, connection=connection)


def _wants(connection: Connection, *, is_major: bool) -> bool:
    try:
        wanted = connectors.read_settings(connection.connector, connection.settings).rooms
    except DeliveryFailed:
        return False  # settings of an older form: its page says so
    return bool(wanted == "all" or (wanted == "major" and is_major))


def keep(incident: Incident, now: datetime) -> None:
    """Have the topic of its channels written anew, where it changed. Call it inside a transaction."""
    for ref in refs_of(incident):
        topic = topic_of(incident)
        if ref.pushed.get("topic") != topic:
            ref.pushed = {**ref.pushed, "topic": topic}
            ref.save(update_fields=["pushed"])
            key = f"chat-{ref.connection_id}-topic-{incident.pk}-{now.isoformat()}"
            exports.put(_subject(incident), "chat.topic", key, "its topic changed", now, connection=ref.connection)


def call_in(incident: Incident, person: Person, now: datetime) -> None:
    """Have somebody who responds invited into its channels. Call it inside a transaction."""
    for ref in refs_of(incident):
        key = f"chat-{ref.connection_id}-invite-{incident.pk}-{person.pk}"
        exports.put(
            _subject(incident), "chat.invite", key, f"{person} responds", now,
            connection=ref.connection, payload={"person": person.pk},
        )  # fmt: skip


def refs_of(incident: Incident) -> list[ExternalRef]:
    """Read where the channels of an incident are."""
    rows = ExternalRef.objects.filter(subject_kind="incident", subject_id=incident.pk, connection__removed_at=None)
    return list(rows.select_related("connection", "connection__team").order_by("id"))


def incident_in(connection: Connection, room: str) -> Incident | None:
    """Read the incident whose channel this is."""
    ref = ExternalRef.objects.filter(connection=connection, subject_kind="incident", ref=room[:200]).first()
    return Incident.objects.select_related("team").filter(pk=ref.subject_id).first() if ref else None


def topic_of(incident: Incident) -> str:
    """Say in a line where an incident stands: what a channel is about."""
    leads = RoleAssignment.objects.filter(incident=incident, role="commander", state="accepted")
    lead = leads.select_related("person").order_by("id").last()
    zone = ZoneInfo(incident.team.zone)
    due = incident.next_update_at
    parts = [
        f"{'Exercise: ' if incident.is_exercise else ''}{Truncator(incident.title).chars(LONGEST_TITLE)}",
        f"{incident.priority.upper()} {incident.state}".strip(),
        f"{lead.person} leads" if lead else "nobody leads yet",
        f"call {incident.call_url}" if incident.call_url else "",
        f"next update {due.astimezone(zone):%H:%M} {incident.team.zone}" if due else "",
        link_of(incident),
    ]
    return " · ".join(part for part in parts if part)


def link_of(incident: Incident) -> str:
    """Give the address of an incident."""
    return f"{settings.WATCHBILL_URL.rstrip('/')}/incidents/{incident.pk}/"


def name_of(incident: Incident) -> str:
    """Give the name of its channel: by its number, so that there is one, and a title in it would tell too much."""
    return f"{'exercise' if incident.is_exercise else 'incident'}-{incident.pk}"


def _subject(incident: Incident) -> Subject:
    return Subject("incident", incident.pk, incident.team_id)
