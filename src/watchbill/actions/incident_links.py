"""What belongs to an incident: alerts, pages, requests, tickets, changes, silences, other incidents. Linked and unlinked."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from watchbill.actions import incidents
from watchbill.actions.log import WATCHBILL, Actor, record
from watchbill.db.incident_links import NAMES, find_named
from watchbill.db.models import Incident, IncidentLink, Person
from watchbill.kit.errors import Refused

LONGEST_NOTE = 200


def link(incident_id: int, kind: str, number: int, person: Person, now: datetime, note: str = "") -> IncidentLink:
    """Link something that one may see to an incident; once is enough. Raises Refused naming the field, NotAllowed."""
    if kind not in NAMES:
        raise Refused(f"linked is one of {', '.join(NAMES)}", "kind")
    if len(note) > LONGEST_NOTE:
        raise Refused(f"at most {LONGEST_NOTE} characters", "note")
    with transaction.atomic():
        incident = incidents.lock(incident_id)
        incidents.require_member(person, incident, "link something to an incident")
        if kind == "related" and number == incident_id:
            raise Refused("an incident is not linked to itself", "number")
        if find_named(kind, number, person) is None:
            raise Refused(f"there is no such {'incident' if kind == 'related' else kind}", "number")
        return attach(incident, kind, number, person, now, note)


def attach(
    incident: Incident, kind: str, number: int, person: Person | None, now: datetime, note: str = ""
) -> IncidentLink:
    """Link something to a locked incident, for an action that has checked that it may be."""
    row, made = IncidentLink.objects.get_or_create(
        incident=incident,
        kind=kind,
        subject_id=number,
        defaults={"note": note.strip(), "created_at": now, "created_by": person},
    )
    if made:
        by = Actor.of(person) if person else WATCHBILL
        said = f"{by.name} linked {_words(kind, number)}" + (f": {note.strip()}" if note.strip() else "")
        data = {"kind": kind, "subject": number}
        record(incidents.subject_of(incident), "incident.linked", said, now, by, data)
    return row


def unlink(link_id: int, person: Person, now: datetime) -> Incident:
    """Take a link off; the timeline keeps that it was there. Raises Refused, NotAllowed."""
    with transaction.atomic():
        number = IncidentLink.objects.filter(pk=link_id).values_list("incident", flat=True).first()
        if number is None:
            raise Refused("there is no such link", "link")
        incident = incidents.lock(number)
        incidents.require_member(person, incident, "take a link off")
        row = IncidentLink.objects.filter(pk=link_id).first()
        if row is not None:
            data = {"kind": row.kind, "subject": row.subject_id}
            said = f"{person} took off {_words(row.kind, row.subject_id)}"
            row.delete()
            record(incidents.subject_of(incident), "incident.unlinked", said, now, Actor.of(person), data)
    return incident


def _words(kind: str, number: int) -> str:
    """Name what is linked without its title: who reads the timeline may not see that."""
    named = {"request": f"R-{number}", "ticket": f"T-{number}", "related": f"incident {number}"}
    return named.get(kind, f"{kind} {number}")
