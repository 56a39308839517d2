"""Ladders: whom a page asks, in which order, with which waits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel, Field, StringConstraints

from watchbill.actions import ladders
from watchbill.db.models import Ladder, Team
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import the_team
from watchbill.entry.api.words import Given, Id, Name, PersonRef, Slug, TeamRef, Word

router = Router(tags=["Teams"])


class When(Given):
    """When a step counts; what is not given does not matter."""

    severities: list[Word] = Field(default=[], max_length=20)
    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = Field(default=[], max_length=7)
    in_coverage: bool | None = None


class Step(Given):
    """One rung: person:<id>, seat:<name>, next:<name>, team or fallback; then a wait for an answer."""

    targets: list[Annotated[Name, StringConstraints(min_length=1)]] = Field(min_length=1, max_length=20)
    wait_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 5
    when: When | None = None


class LadderChange(Given):
    """A ladder as it shall be: its steps in order, climbed `repeat` times."""

    name: Annotated[Name, StringConstraints(min_length=1)]
    steps: list[Step] = Field(min_length=1, max_length=30)
    repeat: Annotated[int, Field(ge=1, le=20)] = 1

    def plain(self) -> list[dict[str, Any]]:
        """Give the steps as the actions read them."""
        return [step.model_dump(exclude_none=True) for step in self.steps]


class LadderLine(BaseModel):
    """A ladder: whom a page asks, in which order."""

    id: int
    name: str
    team: TeamRef
    steps: list[dict[str, Any]]
    repeat: int
    version: int
    changed_at: datetime
    changed_by: PersonRef | None
    archived_at: datetime | None

    @classmethod
    def of(cls, row: Ladder) -> LadderLine:
        """Show a ladder."""
        plain = ("name", "steps", "repeat", "version", "changed_at", "archived_at")
        return cls(
            **{name: getattr(row, name) for name in plain},
            id=row.pk,
            team=TeamRef.of(row.team),
            changed_by=PersonRef.maybe(row.changed_by),
        )


@router.get("/{slug}/ladders", auth=may("read"), response=answers(Listed[LadderLine]), summary="List a team's ladders")
def list_ladders(
    request: Asked, slug: Slug, archived: bool = False, after: After = "", limit: Limit = 50
) -> Listed[LadderLine]:
    """Those in use, or those that are archived."""
    rows = Ladder.objects.filter(team=the_team(request.auth.person, slug), archived_at__isnull=not archived)
    return by_id(rows.select_related("team", "changed_by"), after, limit, LadderLine.of)


def _the_ladder(team: Team, number: int) -> Ladder:
    found = Ladder.objects.filter(team=team, pk=number).select_related("team", "changed_by").first()
    if found is None:
        raise Http404(f"{team} has no ladder {number}")
    return found


@router.post("/{slug}/ladders", auth=may("write"), response=answers(LadderLine, 201), summary="Add a ladder to a team")
def add_ladder(request: Asked, slug: Slug, body: LadderChange) -> Status[LadderLine]:
    """For owners."""
    caller = request.auth
    team = the_team(caller.person, slug)
    made = ladders.add_ladder(team, body.name, body.plain(), body.repeat, caller.person, caller.now)
    return Status(201, LadderLine.of(_the_ladder(team, made.pk)))


@router.put("/{slug}/ladders/{number}", auth=may("write"), response=answers(LadderLine), summary="Change a ladder")
def change_ladder(request: Asked, slug: Slug, number: Id, body: LadderChange) -> LadderLine:
    """It counts for pages opened from now on; a climb is never disturbed. For owners."""
    caller = request.auth
    team = the_team(caller.person, slug)
    ladder = _the_ladder(team, number)
    ladders.change_ladder(ladder, body.name, body.plain(), body.repeat, caller.person, caller.now)
    return LadderLine.of(_the_ladder(team, number))


@router.post(
    "/{slug}/ladders/{number}/archive",
    auth=may("write"),
    response=answers(LadderLine),
    summary="Take a ladder out of use",
)
def archive_ladder(request: Asked, slug: Slug, number: Id) -> LadderLine:
    """Refused while a service answers with it. For owners."""
    caller = request.auth
    team = the_team(caller.person, slug)
    ladders.archive_ladder(_the_ladder(team, number), caller.person, caller.now)
    return LadderLine.of(_the_ladder(team, number))


@router.post(
    "/{slug}/ladders/{number}/restore", auth=may("write"), response=answers(LadderLine), summary="Bring a ladder back"
)
def restore_ladder(request: Asked, slug: Slug, number: Id) -> LadderLine:
    """Undoes `archive`. For owners."""
    caller = request.auth
    team = the_team(caller.person, slug)
    ladders.archive_ladder(_the_ladder(team, number), caller.person, caller.now, archived=False)
    return LadderLine.of(_the_ladder(team, number))
