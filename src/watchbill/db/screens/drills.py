"""Read drills for their pages."""

from __future__ import annotations

from django.db.models import QuerySet

from watchbill.db.models import Drill, Person, Team
from watchbill.db.screens.visible import team_ids

SHOWN = 50


def drills_of(person: Person) -> QuerySet[Drill]:
    """Read the drills that somebody may see."""
    mine = team_ids(person)
    rows = Drill.objects.select_related("team", "incident", "started_by")
    return rows if mine is None else rows.filter(team__in=mine)


def list_drills(person: Person, team: Team) -> list[Drill]:
    """Read a team's newest drills."""
    return list(drills_of(person).filter(team=team).order_by("-id")[:SHOWN])


def find_drill(person: Person, number: int) -> Drill | None:
    """Find a drill that somebody may see."""
    return drills_of(person).filter(pk=number).first()
