"""Declare an incident, from anywhere in one step: a title and what people feel (INC-01, INC-03, INC-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from watchbill.actions import incident_call, incident_room, incidents, role_watch, update_telling
from watchbill.actions.access import require
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import Actor, record
from watchbill.core import incidents as core
from watchbill.db.models import Incident, IncidentLink, IncidentStep, Person, Policy, Service, Team
from watchbill.kit.errors import Refused
from watchbill.rules import incident_severity, incident_start
from watchbill.rules.incident_updates import STEP_OF


@dataclass(frozen=True)
class Declared:
    """What somebody says when they declare; times in the past are normal, None: now.

    `came_from` is what it began with: ("alert", 7), ("request", 12); `condition` is how `services` are.
    """

    title: str
    impact: str
    impact_kind: str = ""
    severity: str = ""
    services: Sequence[Service] = ()
    condition: str = "degraded"
    started_at: datetime | None = None
    detected_at: datetime | None = None
    detection_source: str = "member"
    is_private: bool = False
    is_exercise: bool = False
    came_from: Sequence[tuple[str, int]] = ()
    why: str = ""
    door: str = "page"


def declare(team: Team, declared: Declared, person: Person, now: datetime) -> Incident:
    """Declare an incident: it has a severity, its protocol, and whoever declares responds. Raises Refused, NotAllowed."""
    require(person, team, "member", "declare an incident")
    with transaction.atomic():
        return begin(team, declared, person, now, Actor.of(person))


def begin(team: Team, declared: Declared, person: Person | None, now: datetime, actor: Actor) -> Incident:
    """Begin an incident inside a transaction, for a person or for a rule. Raises Refused naming the field."""
    desk = desk_of(team, now)
    incident = _create(team, declared, desk, person, now)
    said = f"{actor.name} declared it: {declared.why.strip() or incident.impact}"
    data = {"door": declared.door, "severity": incident.severity, "priority": incident.priority}
    record(incidents.subject_of(incident), "incident.declared", said, now, actor, data)
    _link(incident, declared, person, now)
    for service in declared.services:
        incidents.set_first_condition(incident, service, declared.condition, incident.started_at)
    _make_steps(incident, desk)
    incidents.tick(incident, "declared", person, now)
    if person is not None:
        incidents.join(incident, person, person, now)
    incident_call.open_for(incident, desk, now)
    incident_room.open_for(incident, desk, now)
    role_watch.on_declared(incident, desk, person, now)
    for told in update_telling.on_declared(incident, desk, person, now):
        incidents.tick(incident, STEP_OF[told.audience.who], person, now)
    return incident


def _create(team: Team, declared: Declared, desk: Desk, person: Person | None, now: datetime) -> Incident:
    checked = incidents.check_values({"title": declared.title, "impact": declared.impact})
    table = incidents.severity_rule(desk)
    incidents.check_severity(table, declared.impact_kind, declared.severity)
    if declared.detection_source not in core.DETECTED_BY:
        raise Refused(f"it was noticed by {', '.join(core.DETECTED_BY)}", "detection_source")
    if declared.condition not in core.CONDITIONS:
        raise Refused(f"a service is {', '.join(core.CONDITIONS)}", "condition")
    started = declared.started_at or declared.detected_at or now
    detected = declared.detected_at or now
    core.check_milestones({"started": started, "detected": detected, "declared": now}, now)
    decision = incident_severity.decide(declared.impact_kind, table, declared.severity)
    return Incident.objects.create(
        team=team,
        **checked,
        impact_kind=declared.impact_kind,
        severity=decision.severity,
        priority=decision.priority,
        priority_why=decision.why,
        is_severity_pinned=bool(declared.severity),
        is_private=declared.is_private,
        is_exercise=declared.is_exercise,
        detection_source=declared.detection_source,
        service=declared.services[0] if declared.services else None,
        started_at=started,
        detected_at=detected,
        declared_at=now,
        declared_by=person,
        owner=person,
        policy_version=Policy.objects.filter(team=team).order_by("-version").values_list("version", flat=True).first()
        or 0,
    )


def _link(incident: Incident, declared: Declared, person: Person | None, now: datetime) -> None:
    for kind, number in declared.came_from:
        IncidentLink.objects.create(incident=incident, kind=kind, subject_id=number, created_at=now, created_by=person)


def _make_steps(incident: Incident, desk: Desk) -> None:
    rule = incident_start.Settings.model_validate(desk.rule("incident_start"))
    steps = incident_start.decide(rule, is_major=incidents.is_major(incident, desk))
    IncidentStep.objects.bulk_create(
        IncidentStep(incident=incident, key=key, text=step.text, position=place, is_required=step.is_required)
        for place, (key, step) in enumerate(steps.items())
    )
