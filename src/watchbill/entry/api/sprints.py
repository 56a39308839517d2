"""Sprints, and what share of the work was operations."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import sprints
from watchbill.core.workload import Split
from watchbill.db.models import Person, Sprint
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, find_one, teams_of, the_team
from watchbill.entry.api.words import Day, Given, Id, Name, Slug, TeamRef, Text, demand_given

router = Router(tags=["Sprints"])
Percent = Annotated[int, Field(ge=0, le=100)]


class NewSprint(Given):
    """A stretch of planned work; both days count."""

    team: Slug
    name: Name
    kind: Literal["team", "ops"] = "team"
    starts_on: Day
    ends_on: Day
    goal: Text = ""
    capacity_points: Annotated[int, Field(ge=0, le=10_000)] | None = None
    ops_share: Percent | None = Field(None, description="Percent promised to operations; null: the team's rule.")


class ChangedSprint(Given):
    """What is not given stays; null for what may be unknown."""

    name: Name | None = None
    kind: Literal["team", "ops"] | None = None
    starts_on: Day | None = None
    ends_on: Day | None = None
    goal: Text | None = None
    capacity_points: Annotated[int, Field(ge=0, le=10_000)] | None = None
    ops_share: Percent | None = Field(None, description="Percent promised to operations; null: the team's rule.")


class SplitLine(BaseModel):
    """Feature and operations side by side."""

    feature: float
    operations: float
    share: float | None = Field(description="Percent of operations; null when there was nothing.")


class SprintLine(BaseModel):
    """A sprint."""

    id: int
    team: TeamRef
    name: str
    kind: str
    state: str
    starts_on: date
    ends_on: date
    goal: str
    capacity_points: int | None
    ops_share: int | None
    closed_at: datetime | None

    @classmethod
    def of(cls, row: Sprint, now: datetime) -> SprintLine:
        """Show a sprint as it stands at `now`."""
        return cls(
            id=row.pk,
            team=TeamRef.of(row.team),
            name=row.name,
            kind=row.kind,
            state=sprints.state_of(row, now),
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            goal=row.goal,
            capacity_points=row.capacity_points,
            ops_share=row.ops_share,
            closed_at=row.closed_at,
        )


class WholeSprint(SprintLine):
    """A sprint with what operations were promised and what they got."""

    tickets: SplitLine
    points: SplitLine
    time: SplitLine


class BucketLine(BaseModel):
    """One week, month or sprint: what was done of either kind."""

    start: date
    end: date
    name: str
    tickets: SplitLine
    points: SplitLine
    seconds: SplitLine


def _split(found: Split) -> SplitLine:
    return SplitLine(feature=found.feature, operations=found.operations, share=found.share)


def the_sprint(person: Person, number: int) -> Sprint:
    """Read one sprint of the caller's teams; raises Http404."""
    return find_one(Sprint.objects.filter(team__in=teams_of(person)).select_related("team"), number, "sprint")


@router.get("", auth=may("read"), response=answers(Listed[SprintLine]), summary="List sprints, newest first")
def list_sprints(request: Asked, team: Slug = "", after: After = "", limit: Limit = 50) -> Listed[SprintLine]:
    """Of the team and of operations."""
    rows = Sprint.objects.filter(team__in=chosen_teams(request.auth.person, team)).select_related("team")
    return by_id(rows, after, limit, lambda row: SprintLine.of(row, request.auth.now), newest_first=True)


@router.post("", auth=may("write"), response=answers(SprintLine, 201), summary="Plan a sprint")
def add(request: Asked, body: NewSprint) -> Status[SprintLine]:
    """An operations sprint may be longer than the team's."""
    caller = request.auth
    values = body.model_dump(exclude_unset=True, exclude={"team"})
    made = sprints.add_sprint(the_team(caller.person, body.team), values, caller.person, caller.now)
    return Status(201, SprintLine.of(made, caller.now))


@router.get("/shares", auth=may("read"), response=answers(list[BucketLine]), summary="Feature against operations")
def shares(
    request: Asked, team: Slug, since: Day, until: Day, by: Literal["week", "month", "sprint"] = "week"
) -> list[BucketLine]:
    """What was done between two days, by tickets, points and time (BKL-10, MET-03)."""
    found = sprints.kinds_over(the_team(request.auth.person, team), since, until, by)
    return [
        BucketLine(
            start=one.start,
            end=one.end,
            name=one.name,
            tickets=_split(one.tickets),
            points=_split(one.points),
            seconds=_split(one.seconds),
        )
        for one in found
    ]


@router.get("/{number}", auth=may("read"), response=answers(WholeSprint), summary="Read one sprint")
def read(request: Asked, number: Id) -> WholeSprint:
    """With the share of operations: promised, and got by tickets, points and time."""
    row = the_sprint(request.auth.person, number)
    got = sprints.capacity(row, request.auth.now)
    line = SprintLine.of(row, request.auth.now)
    return WholeSprint(
        **line.model_dump(), tickets=_split(got.tickets), points=_split(got.points), time=_split(got.time)
    )


@router.patch("/{number}", auth=may("write"), response=answers(SprintLine), summary="Change a sprint")
def change(request: Asked, number: Id, body: ChangedSprint) -> SprintLine:
    """While it is open. Two sprints of a kind never overlap."""
    caller = request.auth
    the_sprint(caller.person, number)
    values = body.model_dump(exclude_unset=True)
    demand_given(values, "name", "kind", "starts_on", "ends_on", "goal")
    return SprintLine.of(sprints.change_sprint(number, values, caller.person, caller.now), caller.now)


@router.post("/{number}/start", auth=may("write"), response=answers(SprintLine), summary="Let a sprint start today")
def start(request: Asked, number: Id) -> SprintLine:
    """One that was planned for later; one that runs already runs on."""
    caller = request.auth
    the_sprint(caller.person, number)
    return SprintLine.of(sprints.start_now(number, caller.person, caller.now), caller.now)


@router.post("/{number}/close", auth=may("write"), response=answers(SprintLine), summary="Close a sprint")
def close(request: Asked, number: Id, next_sprint: Id | None = None) -> SprintLine:
    """What is open goes to the next sprint, or back to the queue; both are said on the record."""
    the_sprint(request.auth.person, number)
    if next_sprint:
        the_sprint(request.auth.person, next_sprint)
    closed = sprints.close_sprint(number, next_sprint, request.auth.person, request.auth.now)
    return SprintLine.of(closed.sprint, request.auth.now)
