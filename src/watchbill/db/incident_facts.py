"""Read what decisions about incidents need: the incident as a fact, what is left of one, who holds which role."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from watchbill.core import incidents
from watchbill.core.incidents import MILESTONES, Left
from watchbill.db.models import (
    Incident,
    IncidentLink,
    IncidentMember,
    IncidentService,
    IncidentTask,
    Membership,
    Person,
    RoleAssignment,
    Silence,
    VendorCase,
)

HOLDING = ("offered", "accepted")


def incident_fact(incident: Incident) -> incidents.Incident:
    """Give what decisions need of an incident."""
    times = {name: getattr(incident, f"{name}_at") for name in MILESTONES}
    return incidents.Incident(
        state=incident.state,
        title=incident.title,
        is_private=incident.is_private,
        is_exercise=incident.is_exercise,
        milestones={name: at for name, at in times.items() if at is not None},
    )


def named_in(incident: Incident, person: Person) -> bool:
    """Tell whether somebody is named in an incident: added to it, its owner, whoever declared it, or in a role."""
    if person.pk in {incident.owner_id, incident.declared_by_id}:
        return True
    if incident.members.filter(person=person).exists():
        return True
    return RoleAssignment.objects.filter(incident=incident, person=person, state__in=HOLDING).exists()


def seen_by(person: Person) -> Q:
    """Give the incidents that somebody may see, as a condition on `Incident`.

    Those of their teams that are not private, those that name them, and every one of a team that they own. An
    administrator of the instance counts as an owner everywhere.
    """
    if person.is_superuser:
        return Q()
    mine = Membership.objects.filter(person=person)
    held = RoleAssignment.objects.filter(person=person, state__in=HOLDING).values("incident")
    return (
        Q(is_private=False, team__in=mine.values("team"))
        | Q(team__in=mine.filter(role="owner").values("team"))
        | Q(owner=person)
        | Q(declared_by=person)
        | Q(pk__in=IncidentMember.objects.filter(person=person).values("incident"))
        | Q(pk__in=held)
    )


def sees_incident(person: Person, incident: Incident) -> bool:
    """Tell whether somebody may see an incident."""
    return Incident.objects.filter(seen_by(person), pk=incident.pk).exists()


def hidden_from(person: Person) -> QuerySet[Incident]:
    """Give the private incidents that somebody may not see: what the log tells of them is not theirs either."""
    private = Incident.objects.filter(is_private=True)
    return private.none() if person.is_superuser else private.exclude(seen_by(person))


def silences_of(incident: Incident, now: datetime) -> list[Silence]:
    """Read which silences are still in force because of an incident: linked, or made for what it touches since it began."""
    linked = IncidentLink.objects.filter(incident=incident, kind="silence").values("subject_id")
    touched = IncidentService.objects.filter(incident=incident).values("service")
    since = Q(service__in=touched, created_at__gte=incident.started_at)
    rows = Silence.objects.filter(Q(pk__in=linked) | since, team=incident.team_id, ended_at=None, ends_at__gt=now)
    return list(rows.order_by("id"))


def left_of(incident: Incident, now: datetime) -> Left:
    """Read what is left of an incident before it can be closed; whether a post-mortem is owed is not read here."""
    touched = IncidentService.objects.filter(incident=incident).exclude(condition="operational")
    tasks = IncidentTask.objects.filter(incident=incident, done_at=None, dropped_why="", ticket=None)
    cases = VendorCase.objects.filter(incident=incident, closed_at=None)
    fact = incident_fact(incident)
    return Left(
        state=incident.state,
        milestones=[name for name in ("detected", "acknowledged") if name not in fact.milestones],
        services=[str(row.service) for row in touched.select_related("service").order_by("id")],
        silences=[row.why or f"silence {row.pk}" for row in silences_of(incident, now)],
        tasks=list(tasks.order_by("id").values_list("title", flat=True)),
        vendor_cases=[str(row) for row in cases.order_by("id")],
        steps=list(
            incident.steps.filter(done_at=None, is_required=True).order_by("position").values_list("text", flat=True)
        ),
        untold=[],
    )
