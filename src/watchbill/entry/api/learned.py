"""What was learned: how long incidents took, always from one named moment to another, and what is still owed from them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from ninja import Router
from pydantic import BaseModel, Field

from watchbill.actions.measuring import read_measures
from watchbill.core.measures import Figure
from watchbill.db.models import ActionItem
from watchbill.db.screens.postmortems import debt_of
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.postmortem_lines import PostMortemLine
from watchbill.entry.api.visible import chosen_teams
from watchbill.entry.api.words import Instant, PersonRef, Slug, TeamRef
from watchbill.kit.errors import Refused

router = Router(tags=["Post-mortems"])
USUAL = timedelta(days=90)


class MeasureLine(BaseModel):
    """How long it took from one moment to another, over `incidents` of which both are known; null: of none."""

    earlier: str
    later: str
    incidents: int
    median_seconds: int | None
    nine_of_ten_seconds: int | None = Field(description="Nine of ten incidents took no longer.")

    @classmethod
    def of(cls, figure: Figure) -> MeasureLine:
        """Show a figure with the two moments that it lies between."""
        return cls(
            earlier=figure.earlier,
            later=figure.later,
            incidents=figure.n,
            median_seconds=_seconds(figure.median),
            nine_of_ten_seconds=_seconds(figure.p90),
        )


class MeasuredLine(BaseModel):
    """The incidents that began in a time, without exercises, duplicates and what was none."""

    since: datetime
    until: datetime
    incidents: int
    high: int
    by_priority: dict[str, int]
    by_source: dict[str, int]
    lengths: list[MeasureLine]


class OwedAction(BaseModel):
    """An action of a post-mortem that is still open."""

    ticket: int
    title: str
    team: TeamRef
    owner: PersonRef | None
    due_on: date | None
    purpose: str
    postmortem: int

    @classmethod
    def of(cls, row: ActionItem) -> OwedAction:
        """Show a row."""
        return cls(
            ticket=row.ticket_id,
            title=row.ticket.title,
            team=TeamRef.of(row.ticket.team),
            owner=PersonRef.of(row.ticket.assignee) if row.ticket.assignee else None,
            due_on=row.ticket.due_on,
            purpose=row.purpose,
            postmortem=row.postmortem_id,
        )


class OwedLine(BaseModel):
    """What is owed from the last two quarters; what is due first comes first."""

    actions: list[OwedAction]
    reports: list[PostMortemLine]


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else int(length.total_seconds())


@router.get("/measures", auth=may("read"), response=answers(MeasuredLine), summary="Measure incidents")
def measures(
    request: Asked, team: Slug = "", since: Instant | None = None, until: Instant | None = None
) -> MeasuredLine:
    """Of one team or all of yours, that began in the last 90 days or in the time you say."""
    end = until or request.auth.now
    begin = since or end - USUAL
    if begin >= end:
        raise Refused("it ends after it begins", "until")
    found = read_measures(request.auth.person, list(chosen_teams(request.auth.person, team)), begin, end)
    return MeasuredLine(
        since=begin,
        until=end,
        incidents=found.count,
        high=found.major,
        by_priority=found.by_priority,
        by_source=found.by_source,
        lengths=[MeasureLine.of(figure) for figure in found.figures],
    )


@router.get("/owed", auth=may("read"), response=answers(OwedLine), summary="List what is owed")
def owed(request: Asked, team: Slug = "") -> OwedLine:
    """Open actions and reports that are not published, of one team or all of yours; at most 200 of each."""
    teams = [one.pk for one in chosen_teams(request.auth.person, team)]
    debt = debt_of(request.auth.person, teams, request.auth.now)
    return OwedLine(
        actions=[OwedAction.of(row) for row in debt.actions], reports=[PostMortemLine.of(row) for row in debt.reports]
    )
