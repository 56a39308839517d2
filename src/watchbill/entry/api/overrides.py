"""Overrides: somebody takes a watch, or a part of one."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel

from watchbill.actions import rota, rota_preview
from watchbill.db.models import Override, Rotation
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.rota import Foreseen, Why, foresee, with_settings
from watchbill.entry.api.visible import the_person, the_rotation
from watchbill.entry.api.words import Given, Id, Instant, PersonRef, RotationRef, Slug, Word

router = Router(tags=["Rota"])


class OverrideLine(BaseModel):
    """Somebody takes a seat, or every one (an empty seat), for a while."""

    id: int
    rotation: RotationRef
    seat: str
    person: PersonRef
    starts_at: datetime
    ends_at: datetime
    outside_coverage: bool
    why: str
    created_at: datetime
    created_by: PersonRef | None
    removed_at: datetime | None

    @classmethod
    def of(cls, row: Override) -> OverrideLine:
        """Show an override."""
        plain = ("seat", "starts_at", "ends_at", "outside_coverage", "why", "created_at", "removed_at")
        return cls(
            **{name: getattr(row, name) for name in plain},
            id=row.pk,
            rotation=RotationRef.of(row.rotation),
            person=PersonRef.of(row.person),
            created_by=PersonRef.maybe(row.created_by),
        )


class NewOverride(Given):
    """Who takes the watch, from when to when; an empty seat means every one."""

    person: Id
    starts_at: Instant
    ends_at: Instant
    seat: Word = ""
    why: Why = ""
    outside_coverage: bool = False


def _overrides_of(rotation: Rotation) -> QuerySet[Override]:
    rows = Override.objects.filter(rotation=rotation)
    return rows.select_related("rotation", "rotation__team", "person", "created_by")


@router.get(
    "/{slug}/overrides", auth=may("read"), response=answers(Listed[OverrideLine]), summary="List a rotation's overrides"
)
def list_overrides(
    request: Asked, slug: Slug, coming: bool = True, after: After = "", limit: Limit = 50
) -> Listed[OverrideLine]:
    """Newest first; `coming=false` gives those that are over or were taken back as well."""
    caller = request.auth
    rows = _overrides_of(the_rotation(caller.person, slug))
    rows = rows.filter(removed_at=None, ends_at__gt=caller.now) if coming else rows
    return by_id(rows, after, limit, OverrideLine.of, newest_first=True)


@router.post(
    "/{slug}/overrides", auth=may("write"), response=answers(OverrideLine, 201), summary="Let somebody take a watch"
)
def add_override(request: Asked, slug: Slug, body: NewOverride) -> Status[OverrideLine]:
    """A member takes one, or gives away their own; an owner gives one to any member. The later one wins."""
    caller = request.auth
    rotation = with_settings(the_rotation(caller.person, slug))
    made = rota.add_override(
        rotation,
        the_person(caller.person, body.person),
        body.starts_at,
        body.ends_at,
        caller.person,
        caller.now,
        seat=body.seat,
        why=body.why,
        outside_coverage=body.outside_coverage,
    )
    return Status(201, OverrideLine.of(_overrides_of(rotation).get(pk=made.pk)))


@router.post(
    "/{slug}/overrides/preview", auth=may("read"), response=answers(Foreseen), summary="See whom an override would move"
)
def preview(request: Asked, slug: Slug, body: NewOverride) -> Foreseen:
    """Nothing is changed."""
    caller = request.auth
    rotation = with_settings(the_rotation(caller.person, slug))
    taker = the_person(caller.person, body.person)
    seen = rota_preview.preview_override(
        rotation, taker, body.starts_at, body.ends_at, caller.now,
        seat=body.seat, outside_coverage=body.outside_coverage,
    )  # fmt: skip
    return foresee(rotation, seen)


@router.delete(
    "/{slug}/overrides/{number}", auth=may("write"), response=answers(OverrideLine), summary="Take an override back"
)
def remove_override(request: Asked, slug: Slug, number: Id) -> OverrideLine:
    """For what lies ahead; what was served by it stays."""
    caller = request.auth
    rows = _overrides_of(the_rotation(caller.person, slug)).filter(pk=number)
    override = rows.first()
    if override is None:
        raise Http404(f"{slug} has no override {number}")
    rota.remove_override(override, caller.person, caller.now)
    return OverrideLine.of(rows.get())
