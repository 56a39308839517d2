"""Read what decisions about roles need: the record of an incident's roles, who may be asked, who leads and who talks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Count, Max

from watchbill.core.role_order import Candidate
from watchbill.core.roles import ACCEPTED, OPEN, Line
from watchbill.db import expert_facts
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import Incident, IncidentService, Person, RoleAssignment, Service, Team
from watchbill.db.models.incidents import NOT_OVER
from watchbill.db.support_facts import people_in_seat

LONGEST_CHAIN = 5


def roles_of(incident: Incident) -> list[RoleAssignment]:
    """Read the record of an incident's roles, in its order, with whoever is in it."""
    # Put in order here: with joined tables Django takes longer to write ORDER BY than the database for everything.
    rows = RoleAssignment.objects.filter(incident=incident).select_related("person", "offered_by")
    return sorted(rows, key=lambda row: row.pk)


def lines_of(incident: Incident) -> list[Line]:
    """Read the record of an incident's roles, in its order."""
    rows = RoleAssignment.objects.filter(incident=incident).select_related("person").order_by("id")
    return [line_of(row) for row in rows]


def line_of(row: RoleAssignment) -> Line:
    """Give a line of the record as decisions want it."""
    return Line(
        id=row.pk,
        role=row.role,
        person=row.person_id,
        name=str(row.person),
        state=row.state,
        offered_at=row.offered_at,
        by=row.offered_by_id,
        since=row.since,
        until=row.until,
        takes_over_from=row.takes_over_from_id,
    )


def candidates(incident: Incident, role: str, skill: str, lines: Sequence[Line], now: datetime) -> list[Candidate]:
    """Read who may be asked for a role: who serves in the team, sees the incident and does not have the role."""
    rows = expert_facts.serving(incident.team, now)
    holding = {line.person for line in lines if line.role == role and line.state == ACCEPTED}
    people = [row.person for row in rows if row.person_id not in holding and may_hear(row.person, incident)]
    watch = {person.pk for person in people_in_seat(incident.team, "", now)}
    responding = set(incident.members.filter(left_at=None).values_list("person", flat=True))
    able = {row.person_id for row in rows if _has_skill(row.skills, skill, incident.service)}
    asked = _last_asked(incident.team, role)
    loads = _at_once(people, incident)
    away = expert_facts.away_now(people, now)
    groups = {"watch": watch, "responding": responding, "skill": able}
    return [
        Candidate(
            person.pk,
            str(person),
            frozenset({"members", *(name for name, ids in groups.items() if person.pk in ids)}),
            asked.get(person.pk),
            loads.get(person.pk, 0),
            away.get(person.pk, ""),
        )
        for person in people
    ]


def may_hear(person: Person, incident: Incident) -> bool:
    """Tell whether somebody may be told of an incident: a private one is for those who see it."""
    return not incident.is_private or sees_incident(person, incident)


def _has_skill(skills: Collection[object], skill: str, service: Service | None) -> bool:
    wanted = {skill.lower()} if skill else {service.name.lower(), service.slug.lower()} if service else set()
    return bool(wanted & {str(one).strip().lower() for one in skills})


def _last_asked(team: Team, role: str) -> dict[int, datetime]:
    rows = RoleAssignment.objects.filter(incident__team=team, role=role, incident__is_exercise=False)
    return dict(rows.values_list("person").annotate(last=Max("offered_at")).order_by())


def _at_once(people: Collection[Person], incident: Incident) -> dict[int, int]:
    """Count in how many other incidents that are not over people have a role; exercises do not count."""
    open_ones = Incident.objects.filter(NOT_OVER, is_exercise=False).exclude(pk=incident.pk)
    rows = RoleAssignment.objects.filter(person__in=people, state="accepted", incident__in=open_ones)
    return dict(rows.values_list("person").annotate(n=Count("incident", distinct=True)).order_by())


def at_once(person: Person, incident: Incident) -> int:
    """Count in how many incidents that are not over somebody has a role, this one included."""
    return 1 + _at_once([person], incident).get(person.pk, 0)


def commander_of(incident: Incident) -> Person | None:
    """Read who commands now."""
    rows = RoleAssignment.objects.filter(incident=incident, role="commander", state=ACCEPTED)
    row = rows.select_related("person").order_by("id").last()
    return row.person if row else None


def talks_for(roles: Sequence[RoleAssignment], liaison_is: str) -> Person | None:
    """Tell who tells people: the liaison, else the commander where the team's rule says so (C12, COM-03)."""
    held = {row.role: row.person for row in roles if row.state == ACCEPTED}
    return held.get("liaison") or (held.get("commander") if liaison_is == "commander" else None)


def is_named(person: Person, incident: Incident) -> bool:
    """Tell whether somebody was asked for a role of an incident, or has one."""
    return RoleAssignment.objects.filter(incident=incident, person=person, state__in=OPEN).exists()


def management_chain(team: Team) -> list[Person]:
    """Read a team's manager, that one's manager, and so on: the manager of the next team that one belongs to (ROL-19)."""
    chain: list[Person] = []
    manager = team.manager
    while manager is not None and manager not in chain and len(chain) < LONGEST_CHAIN:
        chain.append(manager)
        above = Team.objects.filter(memberships__person=manager, archived_at=None).exclude(manager=None)
        next_one = above.exclude(manager=manager).select_related("manager").order_by("id").first()
        manager = next_one.manager if next_one else None
    return chain


def touched_of(incident: Incident) -> list[IncidentService]:
    """Read the services that an incident touches, with whoever speaks to leadership about each."""
    return sorted(incident.touched.select_related("service__leadership_contact"), key=lambda row: row.pk)


def leadership_of(incident: Incident, touched: Sequence[IncidentService]) -> list[tuple[Person, str]]:
    """Read who speaks to leadership about an incident, and why them: by service (ROL-17), then up the line (ROL-19)."""
    found: dict[Person, str] = {}
    for service in (row.service for row in touched):
        if service.leadership_contact is not None:
            found.setdefault(service.leadership_contact, f"speaks to leadership about {service}")
    for place, person in enumerate(management_chain(incident.team)):
        found.setdefault(person, "manages the team" if place == 0 else "manages the manager")
    if incident.team.product_manager is not None:
        found.setdefault(incident.team.product_manager, "product manager")
    return [(person, why) for person, why in found.items() if person.is_active and may_hear(person, incident)]
