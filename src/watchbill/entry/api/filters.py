"""Saved filters: a query under a name, one's own or shared with the team, and its feed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import filters
from watchbill.core.queries import LONGEST
from watchbill.db.models import Person, SavedFilter
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.feeds import Feed
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, find_one, teams_of, the_team
from watchbill.entry.api.words import Given, Id, Name, PersonRef, Slug, TeamRef, up_to

router = Router(tags=["Filters"])
QueryText = Annotated[str, up_to(LONGEST)]


class FilterLine(BaseModel):
    """A query of tickets or requests under a name: ask it with `query` of `GET /api/tickets` or `GET /api/requests`."""

    id: int
    team: TeamRef
    person: PersonRef
    about: str
    name: str
    query: str
    is_shared: bool
    has_feed: bool
    created_at: datetime

    @classmethod
    def of(cls, row: SavedFilter) -> FilterLine:
        """Show a filter; the key of its feed is its owner's alone."""
        plain = ("about", "name", "query", "is_shared", "created_at")
        return cls(
            id=row.pk,
            team=TeamRef.of(row.team),
            person=PersonRef.of(row.person),
            has_feed=bool(row.feed_key),
            **{name: getattr(row, name) for name in plain},
        )


class NewFilter(Given):
    """A query under a name."""

    team: Slug
    about: Literal["tickets", "requests"] = "tickets"
    name: Annotated[Name, Field(min_length=1)]
    query: QueryText = ""
    is_shared: bool = False


class FilterChange(Given):
    """What is to change; what is not given stays as it is."""

    name: Annotated[Name, Field(min_length=1)] = ""
    query: QueryText = ""
    is_shared: bool = False


def _readable(person: Person) -> QuerySet[SavedFilter]:
    own = Q(person=person) | Q(is_shared=True)
    return SavedFilter.objects.filter(own, team__in=teams_of(person)).select_related("team", "person")


def _the_filter(person: Person, number: int) -> SavedFilter:
    return find_one(_readable(person), number, "filter")


@router.get("", auth=may("read"), response=answers(Listed[FilterLine]), summary="List saved filters")
def list_filters(
    request: Asked,
    team: Slug = "",
    about: Literal["", "tickets", "requests"] = "",
    after: After = "",
    limit: Limit = 50,
) -> Listed[FilterLine]:
    """Yours, and those that others share with your teams."""
    rows = _readable(request.auth.person).filter(team__in=chosen_teams(request.auth.person, team))
    return by_id(rows.filter(about=about) if about else rows, after, limit, FilterLine.of)


@router.post("", auth=may("write"), response=answers(FilterLine, 201), summary="Save a filter")
def add(request: Asked, body: NewFilter) -> Status[FilterLine]:
    """A query that cannot be read is refused at its place."""
    caller = request.auth
    made = filters.save_filter(
        the_team(caller.person, body.team),
        caller.person,
        body.name,
        body.query,
        caller.now,
        about=body.about,
        is_shared=body.is_shared,
    )
    return Status(201, FilterLine.of(made))


@router.get("/{number}", auth=may("read"), response=answers(FilterLine), summary="Read a saved filter")
def read(request: Asked, number: Id) -> FilterLine:
    """Yours, or one that is shared."""
    return FilterLine.of(_the_filter(request.auth.person, number))


@router.patch("/{number}", auth=may("write"), response=answers(FilterLine), summary="Change a saved filter")
def change(request: Asked, number: Id, body: FilterChange) -> FilterLine:
    """Only its owner may."""
    caller = request.auth
    _the_filter(caller.person, number)
    return FilterLine.of(filters.change_filter(number, body.model_dump(exclude_unset=True), caller.person, caller.now))


@router.delete("/{number}", auth=may("write"), response=answers(FilterLine), summary="Delete a saved filter")
def delete(request: Asked, number: Id) -> FilterLine:
    """Its feed ends with it. Its owner may, and an owner of the team when it is shared."""
    caller = request.auth
    shown = FilterLine.of(_the_filter(caller.person, number))
    filters.delete_filter(number, caller.person, caller.now)
    return shown


@router.post("/{number}/feed", auth=may("write"), response=answers(Feed), summary="Open the feed of a filter")
def open_feed(request: Asked, number: Id) -> Feed:
    """Atom, or JSON Feed with `?format=json`; the address needs no signing in. One handed out before ends."""
    caller = request.auth
    _the_filter(caller.person, number)
    key = filters.open_feed(number, caller.person, caller.now)
    return Feed(address=settings.WATCHBILL_URL.rstrip("/") + reverse("filter-feed", args=[key]))


@router.delete("/{number}/feed", auth=may("write"), response=answers(FilterLine), summary="End the feed of a filter")
def close_feed(request: Asked, number: Id) -> FilterLine:
    """Every address handed out so far ends."""
    caller = request.auth
    _the_filter(caller.person, number)
    filters.close_feed(number, caller.person, caller.now)
    return FilterLine.of(_the_filter(caller.person, number))
