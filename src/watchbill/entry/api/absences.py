"""Absences: the days on which somebody cannot serve; their rotations follow at once."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import QuerySet
from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import rota, rota_preview
from watchbill.db.models import Absence, Membership, Person
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.rota import Moved, Why, foresee
from watchbill.entry.api.visible import chosen_teams, people_of, rotations_of, the_person
from watchbill.entry.api.words import Day, Given, Id, PersonRef, RotationRef, Slug, Word

router = Router(tags=["Rota"])


class AbsenceLine(BaseModel):
    """Days on which a person cannot serve, both included."""

    id: int
    person: PersonRef
    first_day: date
    last_day: date
    kind: str
    why: str
    created_at: datetime
    created_by: PersonRef | None
    removed_at: datetime | None

    @classmethod
    def of(cls, row: Absence) -> AbsenceLine:
        """Show an absence."""
        plain = ("first_day", "last_day", "kind", "why", "created_at", "removed_at")
        return cls(
            **{name: getattr(row, name) for name in plain},
            id=row.pk,
            person=PersonRef.of(row.person),
            created_by=PersonRef.maybe(row.created_by),
        )


class NewAbsence(Given):
    """Who is away (nobody given: you), from which day to which, both included."""

    person: Id | None = None
    first_day: Day
    last_day: Day
    kind: Word = Field(default="away", max_length=20)
    why: Why = ""


class InRotation(BaseModel):
    """Whom an absence would move in one rotation."""

    rotation: RotationRef
    moves: list[Moved]


def _absences_of(person: Person) -> QuerySet[Absence]:
    return Absence.objects.filter(person__in=people_of(person)).select_related("person", "created_by")


@router.get("", auth=may("read"), response=answers(Listed[AbsenceLine]), summary="List who is away and when")
def list_absences(
    request: Asked,
    team: Slug = "",
    person: Id | None = None,
    since: Day | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Listed[AbsenceLine]:
    """Of your teams' people, newest first, from today (or `since`) on; what was taken back is left out."""
    caller = request.auth
    rows = _absences_of(caller.person).filter(removed_at=None, last_day__gte=since or caller.now.date())
    if team:
        rows = rows.filter(
            person__in=Membership.objects.filter(team__in=chosen_teams(caller.person, team)).values("person_id")
        )
    rows = rows.filter(person=the_person(caller.person, person)) if person else rows
    return by_id(rows, after, limit, AbsenceLine.of, newest_first=True)


@router.post("", auth=may("write"), response=answers(AbsenceLine, 201), summary="Say that somebody is away")
def add(request: Asked, body: NewAbsence) -> Status[AbsenceLine]:
    """One says so for oneself; an owner of a team for its members. The rotations are published anew."""
    caller = request.auth
    absent = the_person(caller.person, body.person) if body.person else caller.person
    made = rota.add_absence(
        absent, body.first_day, body.last_day, caller.person, caller.now, kind=body.kind or "away", why=body.why
    )
    return Status(201, AbsenceLine.of(_absences_of(caller.person).get(pk=made.pk)))


@router.post("/preview", auth=may("read"), response=answers(list[InRotation]), summary="See whom an absence would move")
def preview(request: Asked, body: NewAbsence) -> list[InRotation]:
    """In each rotation of the person. Nothing is changed."""
    caller = request.auth
    absent = the_person(caller.person, body.person) if body.person else caller.person
    seen = rota_preview.preview_absence(absent, body.first_day, body.last_day, caller.now)
    mine = set(rotations_of(caller.person).values_list("pk", flat=True))
    return [
        InRotation(rotation=RotationRef.of(rotation), moves=foresee(rotation, found).moves)
        for rotation, found in seen
        if rotation.pk in mine
    ]


@router.delete("/{number}", auth=may("write"), response=answers(AbsenceLine), summary="Take an absence back")
def remove(request: Asked, number: Id) -> AbsenceLine:
    """What it changed in the past stays."""
    caller = request.auth
    row = _absences_of(caller.person).filter(pk=number).first()
    if row is None:
        raise Http404(f"there is no absence {number}")
    rota.remove_absence(row, caller.person, caller.now)
    return AbsenceLine.of(row)
