"""Drills: scenarios played as exercises."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Status
from pydantic import Field

from watchbill.actions import drills
from watchbill.core.drills import FASTEST
from watchbill.db.models import Drill, Person
from watchbill.db.screens.drills import drills_of
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, find_one, the_team
from watchbill.entry.api.words import Given, Id, LongText, Shown, Slug, TeamRef

router = Router(tags=["Drills"])


class NewDrill(Given):
    """A scenario (YAML) and how many times as fast the clock runs."""

    team: Slug
    scenario: LongText
    speed: Annotated[float, Field(ge=1, le=FASTEST)] = 1.0


class DrillLine(Shown):
    """A drill; its debrief, in seconds of scenario time, stands when it is over."""

    id: int
    team: TeamRef
    name: str
    state: str
    speed: float
    started_at: datetime
    ended_at: datetime | None
    incident: int | None
    debrief: dict[str, Any]

    @classmethod
    def of(cls, row: Drill) -> DrillLine:
        """Show a drill."""
        return cls.read(row, incident=row.incident_id)


def the_drill(person: Person, number: int) -> Drill:
    """Read one drill of the caller's teams; raises Http404."""
    return find_one(drills_of(person), number, "drill")


@router.get("", auth=may("read"), response=answers(Listed[DrillLine]), summary="List drills, newest first")
def list_drills(request: Asked, team: Slug = "", after: After = "", limit: Limit = 50) -> Listed[DrillLine]:
    """Each with what was learned."""
    rows = drills_of(request.auth.person).filter(team__in=chosen_teams(request.auth.person, team))
    return by_id(rows, after, limit, DrillLine.of, newest_first=True)


@router.post("", auth=may("write"), response=answers(DrillLine, 201), summary="Begin a drill")
def start(request: Asked, body: NewDrill) -> Status[DrillLine]:
    """People are paged for real; every message says that it is an exercise."""
    caller = request.auth
    team = the_team(caller.person, body.team)
    return Status(201, DrillLine.of(drills.start(team, body.scenario, body.speed, caller.person, caller.now)))


@router.get("/{number}", auth=may("read"), response=answers(DrillLine), summary="Read one drill")
def read(request: Asked, number: Id) -> DrillLine:
    """With its debrief."""
    return DrillLine.of(the_drill(request.auth.person, number))


@router.post("/{number}/stop", auth=may("write"), response=answers(DrillLine), summary="Stop a drill")
def stop(request: Asked, number: Id) -> DrillLine:
    """Nobody is called any more."""
    the_drill(request.auth.person, number)
    return DrillLine.of(drills.stop(number, request.auth.person, request.auth.now))
