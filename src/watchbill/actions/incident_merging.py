"""End an incident early: it is part of another, or it was none. Opening it again undoes it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from watchbill.actions import incidents, postmortem_begin
from watchbill.actions.desk import desk_of
from watchbill.actions.incident_carry import carry_over
from watchbill.actions.log import Actor
from watchbill.core import incidents as core
from watchbill.db.incident_facts import incident_fact
from watchbill.db.models import Incident, Person
from watchbill.kit.errors import Refused


def merge(incident_id: int, into_id: int, why: str, person: Person, now: datetime) -> Incident:
    """Say that an incident is part of another: that one goes on with its links and its people, this one points there.

    Raises Refused naming the field, NotAllowed.
    """
    if incident_id == into_id:
        raise Refused("an incident is not part of itself", "into")
    with transaction.atomic():
        held = incidents.lock_all((incident_id, into_id))
        incident, into = held[incident_id], held[into_id]
        for one in (incident, into):
            incidents.require_member(person, one, "merge incidents")
        _demand_fit(incident, into)
        effects = core.end_early(incident_fact(incident), "merged", str(person), why, now)
        carry_over(incident, into, person, now)
        incident.merged_into = into
        incident.save(update_fields=["merged_into"])
        incidents.apply(incident, effects, now, Actor.of(person))
        postmortem_begin.on_ended(incident, desk_of(incident.team, now), now)
    return incident


def call_off(incident_id: int, why: str, person: Person, now: datetime) -> Incident:
    """Say that it was no incident: it ends without paperwork, and its services are operational. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = incidents.lock(incident_id)
        incidents.require_member(person, incident, "say that it was no incident")
        effects = core.end_early(incident_fact(incident), "not_an_incident", str(person), why, now)
        incidents.apply(incident, effects, now, Actor.of(person))
        incidents.make_operational(incident, now)
        postmortem_begin.on_ended(incident, desk_of(incident.team, now), now)
    return incident


def _demand_fit(incident: Incident, into: Incident) -> None:
    if into.state == core.CLOSED:
        raise Refused("that one is closed: open it again first", "into")
    if into.team_id != incident.team_id:
        raise Refused("that one is another team's: link them as related instead", "into")
    if incident.is_exercise != into.is_exercise:
        raise Refused("one of them is an exercise, and stays apart", "into")
    if incident.is_private and not into.is_private:
        raise Refused("this one is private and that one is not: what it holds would show", "into")
    if into.is_private and not incident.is_private:
        raise Refused("that one is private: who reads this one would not find where it went on", "into")
