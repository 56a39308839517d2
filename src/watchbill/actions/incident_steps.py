"""The first responder's protocol, ticked by hand: a step is done, or is not after all (INC-04, INC-05, INC-12, INC-14)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from watchbill.actions.incidents import lock, require_member, subject_of, tick
from watchbill.actions.log import Actor, record
from watchbill.db.models import Incident, Person
from watchbill.kit.errors import Refused


def set_step(incident_id: int, key: str, person: Person, now: datetime, *, is_done: bool = True) -> Incident:
    """Say that a step of the protocol is done, or that it is not. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "tick a step")
        step = incident.steps.filter(key=key).first()
        if step is None:
            raise Refused("there is no such step", "key")
        if is_done:
            tick(incident, key, person, now)
        elif step.done_at is not None:
            step.done_at, step.done_by = None, None
            step.save(update_fields=["done_at", "done_by"])
            said = f"not done after all: {step.text}"
            record(subject_of(incident), "incident.step_undone", said, now, Actor.of(person), {"step": key})
    return incident
