"""Take to a chat what its channel of an incident needs: the channel, its topic, who is in it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from watchbill.actions import chat_people, connector_out, incident_room, incidents
from watchbill.actions.connector_out import Line
from watchbill.actions.log import record
from watchbill.db.models import Export, ExternalRef, Incident, Person
from watchbill.kit.errors import DeliveryFailed


def _open(export: Export, line: Line, now: datetime) -> str:
    """Open the channel once; a second try finds the one of the first by its name."""
    incident = Incident.objects.select_related("team").get(pk=export.subject_id)
    known = ExternalRef.objects.filter(
        connection=line.connection, subject_kind="incident", subject_id=incident.pk
    ).first()
    if known is not None:
        return known.ref
    people = [row.person for row in incident.members.filter(left_at=None).select_related("person")]
    members = [one for one in (_user(line, person) for person in people) if one]
    topic = incident_room.topic_of(incident)
    room = line.module.open_room(
        line.settings,
        line.http,
        incident_room.name_of(incident),
        topic,
        members,
        is_private=incident.is_private,
    )
    with transaction.atomic():
        incident = incidents.lock(incident.pk)
        ExternalRef.objects.get_or_create(
            connection=line.connection,
            subject_kind="incident",
            subject_id=incident.pk,
            defaults={"ref": room.ref[:200], "url": room.url[:500], "sync": "in_step", "synced_at": now,
                      "pushed": {"topic": topic}},
        )  # fmt: skip
        if not incident.channel_url:
            incident.channel_name, incident.channel_url = room.name[:80], room.url[:500]
            incident.save(update_fields=["channel_name", "channel_url"])
        said = f"its channel in {line.connection} is {room.name}"
        record(incidents.subject_of(incident), "incident.channel", said, now, data={"url": room.url})
        incidents.tick(incident, "posted", None, now)
        incident_room.keep(incident, now)
        for row in incident.members.filter(left_at=None).exclude(person__in=people).select_related("person"):
            incident_room.call_in(incident, row.person, now)
    return str(room.ref)


def _topic(export: Export, line: Line, now: datetime) -> str:
    """Write the topic as it stands now."""
    incident = Incident.objects.select_related("team").get(pk=export.subject_id)
    ref = _ref(export, line)
    topic = incident_room.topic_of(incident)
    line.module.set_topic(line.settings, line.http, ref.ref, topic)
    return topic[:255]


def _invite(export: Export, line: Line, now: datetime) -> str:
    """Bring somebody in whom the chat knows."""
    person = Person.objects.get(pk=export.payload["person"])
    user = _user(line, person)
    if not user:
        return f"the chat does not know {person}"
    line.module.invite(line.settings, line.http, _ref(export, line).ref, [user])
    return user


def _ref(export: Export, line: Line) -> ExternalRef:
    found = ExternalRef.objects.filter(
        connection=line.connection, subject_kind="incident", subject_id=export.subject_id
    ).first()
    if found is None:
        raise DeliveryFailed("it waits until its channel is open")
    return found


def _user(line: Line, person: Person) -> str:
    """Give what somebody is called in the chat, and keep it: whoever writes there is known from then on."""
    known = chat_people.user_of(line.connection, person)
    if known:
        return known
    ref: str = line.module.find_member(line.settings, line.http, person.email)
    if ref:
        with transaction.atomic():
            ExternalRef.objects.get_or_create(
                connection=line.connection,
                subject_kind="person",
                subject_id=person.pk,
                defaults={"ref": ref[:200], "sync": "in_step"},
            )
    return ref


connector_out.WAYS.update({
    "chat:chat.room": _open,
    "chat:chat.topic": _topic,
    "chat:chat.invite": _invite,
})  # fmt: skip
