"""Rotations and their shifts; overrides; what an edit would move before it is adopted; who is away."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel, Field, StringConstraints

from watchbill.actions import rota, rota_preview
from watchbill.core.rota import pattern
from watchbill.db.models import Person, Rotation, RotationRevision, Shift
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id, by_time
from watchbill.entry.api.visible import chosen_teams, rotations_of, the_person, the_rotation, the_team
from watchbill.entry.api.words import (
    Day,
    Given,
    Id,
    Instant,
    Name,
    PersonRef,
    RotationRef,
    Slug,
    TeamRef,
    Word,
    Zone,
    up_to,
)
from watchbill.kit.errors import Refused

router = Router(tags=["Rota"])
shifts = Router(tags=["Rota"])
LONGEST = timedelta(days=800)
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Why = Annotated[str, up_to(500)]
Weekday = Annotated[int, Field(ge=0, le=6, description="0 is Monday.")]


class Window(Given):
    """Hours of coverage on some days of the week, wall-clock; an end of 00:00 is the end of the day."""

    weekdays: list[Weekday] = Field(min_length=1, max_length=7)
    start: Clock
    end: Clock


class Seat(Given):
    """A parallel place in each shift."""

    name: Annotated[Word, StringConstraints(min_length=1)]
    skill: Word | None = None
    offset: Annotated[int, Field(ge=0, le=1000)] = 0
    coverage: list[Window] | None = Field(default=None, max_length=50)


class Member(Given):
    """A person in the rotation, in its order."""

    person: Id
    active_from: Day | None = None
    active_until: Day | None = None


class RotationSettings(Given):
    """The rule that produces the shifts. What is not given has its default."""

    zone: Zone
    unit: Literal["hours", "day", "working_day", "week", "month", "quarter"]
    every: Annotated[int, Field(ge=1, le=1000)] = 1
    starts_on: Day
    handoff_at: Clock = "09:00"
    handoff_weekday: Weekday = 0
    coverage: list[Window] | None = Field(default=None, max_length=50)
    follow_holidays: bool = Field(default=False, description="Heed the team's public holidays.")
    seats: list[Seat] = Field(default=[Seat(name="engineer")], min_length=1, max_length=20)
    members: list[Member] = Field(max_length=200)
    order: Literal["fixed", "alphabetical", "reshuffle_each_cycle"] = "fixed"
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    absent_keeps_turn: bool = True
    own_holidays: bool = False

    def plain(self) -> dict[str, Any]:
        """Give the settings as the actions read them."""
        return self.model_dump(mode="json")


class RotationLine(BaseModel):
    """A rotation: people and a rule that produces shifts."""

    slug: str
    name: str
    team: TeamRef
    created_at: datetime
    archived_at: datetime | None
    published_until: datetime | None

    @classmethod
    def of(cls, row: Rotation) -> RotationLine:
        """Show a rotation."""
        plain = ("slug", "name", "created_at", "archived_at", "published_until")
        return cls(**{name: getattr(row, name) for name in plain}, team=TeamRef.of(row.team))


class Revision(BaseModel):
    """One version of a rotation's settings: who adopted it, when, and why."""

    version: int
    settings: dict[str, Any]
    effective_from: datetime
    adopted_at: datetime
    adopted_by: PersonRef | None
    why: str

    @classmethod
    def of(cls, row: RotationRevision) -> Revision:
        """Show a revision."""
        plain = ("version", "settings", "effective_from", "adopted_at", "why")
        return cls(**{name: getattr(row, name) for name in plain}, adopted_by=PersonRef.maybe(row.adopted_by))


class RotationWhole(RotationLine):
    """A rotation with its settings in force."""

    revision: Revision | None


class NewRotation(Given):
    """A new rotation of a team."""

    team: Slug
    name: Annotated[Name, StringConstraints(min_length=1)]
    settings: RotationSettings


class Edit(Given):
    """New settings, counted from now on."""

    settings: RotationSettings
    why: Why = ""


class Rename(Given):
    """Another name for a rotation."""

    name: Annotated[Name, StringConstraints(min_length=1)]


class Rehearsal(Given):
    """New settings to try, and how far ahead to look."""

    settings: RotationSettings
    days: Annotated[int, Field(ge=1, le=370)] = 90


class ShiftLine(BaseModel):
    """One seat, one person (null: nobody), one interval, and why."""

    id: int | None = Field(description="null: planned, not published.")
    rotation: RotationRef
    seat: str
    person: PersonRef | None
    starts_at: datetime
    ends_at: datetime
    kind: str
    turn: int
    why: str

    @classmethod
    def of(cls, row: Shift) -> ShiftLine:
        """Show a published shift."""
        return cls(
            id=row.pk,
            rotation=RotationRef.of(row.rotation),
            seat=row.seat,
            person=PersonRef.maybe(row.person),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            kind=row.kind,
            turn=row.turn,
            why=row.reason,
        )


class Moved(BaseModel):
    """A stretch of a seat that would pass from one person to another."""

    seat: str
    starts_at: datetime
    ends_at: datetime
    before: PersonRef | None
    after: PersonRef | None


class Foreseen(BaseModel):
    """What an edit would do: whom it moves, and the shifts that would follow."""

    moves: list[Moved]
    shifts: list[ShiftLine]


@router.get("", auth=may("read"), response=answers(Listed[RotationLine]), summary="List rotations")
def list_rotations(
    request: Asked, team: Slug = "", archived: bool = False, after: After = "", limit: Limit = 50
) -> Listed[RotationLine]:
    """Of your teams; those in use, or those that are archived."""
    person = request.auth.person
    rows = rotations_of(person).filter(archived_at__isnull=not archived, team__in=chosen_teams(person, team))
    return by_id(rows, after, limit, RotationLine.of)


@router.post("", auth=may("write"), response=answers(RotationWhole, 201), summary="Add a rotation to a team")
def add(request: Asked, body: NewRotation) -> Status[RotationWhole]:
    """Its shifts are published for about a year ahead. For owners."""
    caller = request.auth
    team = the_team(caller.person, body.team)
    _check_members(caller.person, body.settings)
    made = rota.create_rotation(team, body.name, body.settings.plain(), caller.person, caller.now)
    return Status(201, _whole(the_rotation(caller.person, made.slug)))


@router.get("/{slug}", auth=may("read"), response=answers(RotationWhole), summary="Read one rotation and its settings")
def read(request: Asked, slug: Slug) -> RotationWhole:
    """Also one that is archived."""
    return _whole(the_rotation(request.auth.person, slug))


def _whole(rotation: Rotation) -> RotationWhole:
    newest = rotation.revisions.select_related("adopted_by").order_by("-version").first()
    return RotationWhole(**dict(RotationLine.of(rotation)), revision=Revision.of(newest) if newest else None)


@router.get(
    "/{slug}/revisions",
    auth=may("read"),
    response=answers(Listed[Revision]),
    summary="List a rotation's settings so far",
)
def list_revisions(request: Asked, slug: Slug, after: After = "", limit: Limit = 50) -> Listed[Revision]:
    """Newest first, each with who adopted it and why."""
    rows = RotationRevision.objects.filter(rotation=the_rotation(request.auth.person, slug))
    return by_id(rows.select_related("adopted_by"), after, limit, Revision.of, newest_first=True)


@router.post(
    "/{slug}/preview", auth=may("read"), response=answers(Foreseen), summary="See whom new settings would move"
)
def preview(request: Asked, slug: Slug, body: Rehearsal) -> Foreseen:
    """Nothing is changed."""
    caller = request.auth
    rotation = with_settings(the_rotation(caller.person, slug))
    _check_members(caller.person, body.settings)
    return foresee(rotation, rota_preview.preview_change(rotation, body.settings.plain(), caller.now, body.days))


@shifts.post("/preview", auth=may("read"), response=answers(Foreseen), summary="See the shifts of a new rotation")
def preview_new(request: Asked, body: NewRotation) -> Foreseen:
    """For the next 90 days. Nothing is made."""
    caller = request.auth
    team = the_team(caller.person, body.team)
    _check_members(caller.person, body.settings)
    seen = rota_preview.preview_new(team, body.settings.plain(), caller.now)
    return foresee(Rotation(team=team, name=body.name), seen)


def foresee(rotation: Rotation, seen: rota_preview.Preview) -> Foreseen:
    """Show what a change would do."""
    ids = {person for move in seen.moves for person in (move.before, move.after)}
    people = Person.objects.in_bulk(list((ids | {shift.person for shift in seen.shifts}) - {None}))
    moves = [
        Moved(
            seat=move.seat,
            starts_at=move.start,
            ends_at=move.end,
            before=PersonRef.maybe(people.get(move.before or 0)),
            after=PersonRef.maybe(people.get(move.after or 0)),
        )
        for move in seen.moves
    ]
    return Foreseen(moves=moves, shifts=[_planned(rotation, shift, people) for shift in seen.shifts])


def _planned(rotation: Rotation, shift: pattern.Shift, people: dict[int, Person]) -> ShiftLine:
    return ShiftLine(
        id=None,
        rotation=RotationRef.of(rotation),
        seat=shift.seat,
        person=PersonRef.maybe(people.get(shift.person or 0)),
        starts_at=shift.start,
        ends_at=shift.end,
        kind=shift.kind,
        turn=shift.turn,
        why=shift.reason,
    )


@router.put("/{slug}", auth=may("write"), response=answers(RotationWhole), summary="Adopt new settings of a rotation")
def change(request: Asked, slug: Slug, body: Edit) -> RotationWhole:
    """From now on: served shifts stay, turns that are owed stay owed. For owners."""
    caller = request.auth
    rotation = with_settings(the_rotation(caller.person, slug))
    _check_members(caller.person, body.settings)
    rota.change_rotation(rotation, body.settings.plain(), body.why, caller.person, caller.now)
    return _whole(the_rotation(caller.person, slug))


@router.patch("/{slug}", auth=may("write"), response=answers(RotationWhole), summary="Rename a rotation")
def rename(request: Asked, slug: Slug, body: Rename) -> RotationWhole:
    """Its slug, and with it every link and calendar, stays. For owners."""
    caller = request.auth
    rota.rename_rotation(the_rotation(caller.person, slug), body.name, caller.person, caller.now)
    return _whole(the_rotation(caller.person, slug))


@router.post(
    "/{slug}/archive", auth=may("write"), response=answers(RotationWhole), summary="Take a rotation out of use"
)
def archive(request: Asked, slug: Slug) -> RotationWhole:
    """What was served stays, what lies ahead is withdrawn. For owners."""
    caller = request.auth
    rota.archive_rotation(the_rotation(caller.person, slug), caller.person, caller.now)
    return _whole(the_rotation(caller.person, slug))


def with_settings(rotation: Rotation) -> Rotation:
    """Give a rotation that can be changed; raises Refused for one that is archived or has no settings."""
    if rotation.archived_at is not None:
        raise Refused(f"{rotation} is archived")
    if not rotation.revisions.exists():
        raise Refused(f"{rotation} has no settings yet")
    return rotation


def _check_members(person: Person, settings: RotationSettings) -> None:
    for place, member in enumerate(settings.members):
        try:
            the_person(person, member.person)
        except Http404 as error:
            raise Refused(str(error), f"settings.members.{place}.person") from None


@shifts.get("", auth=may("read"), response=answers(Listed[ShiftLine]), summary="List shifts between two instants")
def list_shifts(
    request: Asked,
    team: Slug = "",
    rotation: Slug = "",
    person: Id | None = None,
    starts: Instant | None = None,
    ends: Instant | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Listed[ShiftLine]:
    """Served and published ones that touch the time from `starts` (now) to `ends` (four weeks later), in order."""
    caller = request.auth
    first = starts or caller.now
    last = ends or first + timedelta(weeks=4)
    if not timedelta() < last - first <= LONGEST:
        raise Refused(f"the end lies after the start, at most {LONGEST.days} days", "ends")
    rows = Shift.objects.filter(ends_at__gt=first, starts_at__lt=last)
    if rotation:
        rows = rows.filter(rotation=the_rotation(caller.person, rotation))
    else:
        rows = rows.filter(rotation__archived_at=None)
    rows = rows.filter(rotation__team__in=chosen_teams(caller.person, team))
    rows = rows.filter(person=the_person(caller.person, person)) if person else rows
    return by_time(rows.select_related("rotation", "rotation__team", "person"), "starts_at", after, limit, ShiftLine.of)
