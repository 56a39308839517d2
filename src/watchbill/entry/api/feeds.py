"""Calendar feeds: the address that a calendar program reads, and how to end it."""

from __future__ import annotations

from ninja import Router
from pydantic import BaseModel

from watchbill.actions import tokens
from watchbill.actions.access import require
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.visible import the_team
from watchbill.entry.api.words import Slug
from watchbill.entry.web.feed_urls import feed_url

mine = Router(tags=["Me"])
of_teams = Router(tags=["Teams"])


class Feed(BaseModel):
    """An address that needs no signing in: whoever has it reads the shifts."""

    address: str


@mine.get("/feed", auth=may("write"), response=answers(Feed), summary="Read the address of your calendar")
def read_mine(request: Asked) -> Feed:
    """Your shifts, for any calendar program. It outlives this token, so the token needs the scope write."""
    person = request.auth.person
    return Feed(address=feed_url("person", person.pk, person.feed_version))


@mine.delete("/feed", auth=may("write"), response=answers(Feed), summary="End the addresses of your calendar")
def end_mine(request: Asked) -> Feed:
    """Every address handed out so far ends; gives the new one."""
    caller = request.auth
    tokens.revoke_feed(caller.person, caller.person, caller.now)
    return read_mine(request)


@of_teams.get(
    "/{slug}/feed", auth=may("write"), response=answers(Feed), summary="Read the address of a team's calendar"
)
def read_of_team(request: Asked, slug: Slug) -> Feed:
    """The shifts of all its rotations, for any calendar program. It outlives this token."""
    team = the_team(request.auth.person, slug)
    require(request.auth.person, team, "observer", "read the team's calendar")
    return Feed(address=feed_url("team", team.pk, team.feed_version))


@of_teams.delete("/{slug}/feed", auth=may("write"), response=answers(Feed), summary="End the addresses of a calendar")
def end_of_team(request: Asked, slug: Slug) -> Feed:
    """Every address handed out so far ends; gives the new one. For owners."""
    caller = request.auth
    tokens.revoke_feed(the_team(caller.person, slug), caller.person, caller.now)
    return read_of_team(request, slug)
