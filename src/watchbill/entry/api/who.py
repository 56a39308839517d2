"""Who is on watch: now, then, or at a time ahead. The published shifts answer, here as everywhere."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min
from ninja import Router
from pydantic import BaseModel, Field

from watchbill.db.models import Rotation, Shift
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, rotations_of, the_rotation
from watchbill.entry.api.words import Instant, PersonRef, RotationRef, Slug

router = Router(tags=["Who"])


class Coming(BaseModel):
    """Who follows in a seat."""

    person: PersonRef
    starts_at: datetime


class Standing(BaseModel):
    """One seat at the instant asked for."""

    seat: str
    person: PersonRef | None = Field(description="null: the rotation has nobody for this seat then.")
    starts_at: datetime
    ends_at: datetime
    kind: str
    why: str


class Watch(BaseModel):
    """One rotation at the instant asked for: who stands in each seat, and who follows."""

    rotation: RotationRef
    at: datetime
    seats: list[Standing] = Field(description="Empty: nobody stands the watch then.")
    next: dict[str, Coming] = Field(description="By seat: the next shift that begins after that instant.")
    published_until: datetime | None = Field(description="Beyond this nobody can say yet.")


@router.get("", auth=may("read"), response=answers(Listed[Watch]), summary="Who is on watch, now or at any instant")
def who(
    request: Asked,
    team: Slug = "",
    rotation: Slug = "",
    at: Instant | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Listed[Watch]:
    """One item per rotation of your teams; `at` may lie in the past (what was served) or ahead (what is published)."""
    caller = request.auth
    instant = at or caller.now
    if rotation:
        rows = Rotation.objects.filter(pk=the_rotation(caller.person, rotation).pk).select_related("team")
    else:
        rows = rotations_of(caller.person).filter(archived_at=None)
    rows = rows.filter(team__in=chosen_teams(caller.person, team)) if team or not rotation else rows
    listed = by_id(rows, after, limit, lambda row: row)
    found = watches(listed.items, instant)
    return Listed(items=found, next=listed.next)


def watches(rotations: list[Rotation], at: datetime) -> list[Watch]:
    """Read who stands in each of these rotations at an instant, in three statements however many there are."""
    numbers = [rotation.pk for rotation in rotations]
    standing: dict[int, list[Standing]] = {}
    rows = Shift.objects.filter(rotation_id__in=numbers, ends_at__gt=at, starts_at__lte=at)
    for shift in rows.select_related("person").order_by("seat"):
        standing.setdefault(shift.rotation_id, []).append(
            Standing(
                seat=shift.seat,
                person=PersonRef.maybe(shift.person),
                starts_at=shift.starts_at,
                ends_at=shift.ends_at,
                kind=shift.kind,
                why=shift.reason,
            )
        )
    coming = _coming(numbers, at)
    return [
        Watch(
            rotation=RotationRef.of(rotation),
            at=at,
            seats=standing.get(rotation.pk, []),
            next=coming.get(rotation.pk, {}),
            published_until=rotation.published_until,
        )
        for rotation in rotations
    ]


def _coming(numbers: list[int], at: datetime) -> dict[int, dict[str, Coming]]:
    ahead = Shift.objects.filter(rotation_id__in=numbers, starts_at__gt=at, person__isnull=False)
    firsts = ahead.values("rotation_id", "seat").annotate(first=Min("starts_at")).order_by()
    first_of = {(row["rotation_id"], row["seat"]): row["first"] for row in firsts}
    found: dict[int, dict[str, Coming]] = {}
    for shift in ahead.filter(starts_at__in=set(first_of.values())).select_related("person"):
        if shift.person and first_of.get((shift.rotation_id, shift.seat)) == shift.starts_at:
            coming = Coming(person=PersonRef.of(shift.person), starts_at=shift.starts_at)
            found.setdefault(shift.rotation_id, {})[shift.seat] = coming
    return found
