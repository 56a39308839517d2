"""Communities and who asks on their behalf: mail domains, representatives, the support budget of the month."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.db.models import Q
from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import communities
from watchbill.db.models import Community, Person, Requester, Team
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.desk_lines import CommunityRef
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, find_one, teams_of, the_team
from watchbill.entry.api.words import Given, Id, Name, Slug, TeamRef, Text, up_to
from watchbill.kit.errors import Refused

router = Router(tags=["Communities"])
requesters = Router(tags=["Communities"])
Domains = Annotated[list[Annotated[str, up_to(253)]], Field(max_length=50)]
Minutes = Annotated[int, Field(ge=0, le=communities.MOST_MINUTES)]


class CommunityLine(BaseModel):
    """A group of people on whose behalf requests come."""

    id: int
    team: TeamRef
    slug: str
    name: str
    mail_domains: list[str]
    budget_minutes: int | None
    is_funded: bool
    notes: str
    created_at: datetime
    archived_at: datetime | None

    @classmethod
    def of(cls, row: Community) -> CommunityLine:
        """Show a community."""
        plain = ("slug", "name", "mail_domains", "budget_minutes", "is_funded", "notes", "created_at", "archived_at")
        return cls(id=row.pk, team=TeamRef.of(row.team), **{name: getattr(row, name) for name in plain})


class WholeCommunity(CommunityLine):
    """A community with where its budget stands this month."""

    used_minutes: int
    allowed_minutes: int | None = Field(description="Its own, else the team's; null: no number was set.")
    budget: str = Field(description="unused, used or spent: what is spent is worked on later, never refused.")
    budget_why: str


class NewCommunity(Given):
    """A community; whoever wrote from its mail domains before belongs to it from now on."""

    team: Slug
    name: Annotated[Name, Field(min_length=1)]
    mail_domains: Domains = []
    budget_minutes: Minutes | None = Field(None, description="Minutes of support a month; null: the team's number.")
    is_funded: bool = False
    notes: Text = ""


class CommunityChange(Given):
    """What is to change; what is not given stays as it is."""

    name: Annotated[Name, Field(min_length=1)] = ""
    mail_domains: Domains = []
    budget_minutes: Minutes | None = None
    is_funded: bool = False
    notes: Text = ""


class RequesterLine(BaseModel):
    """Somebody who asks; a representative speaks for the community."""

    id: int
    team: TeamRef
    name: str
    email: str
    person: int | None = Field(description="The id of their account, if they have one.")
    community: CommunityRef | None
    is_representative: bool
    created_at: datetime

    @classmethod
    def of(cls, row: Requester) -> RequesterLine:
        """Show a requester."""
        return cls(
            id=row.pk,
            team=TeamRef.of(row.team),
            name=row.name,
            email=row.email,
            person=row.person_id,
            community=CommunityRef.maybe(row.community),
            is_representative=row.is_representative,
            created_at=row.created_at,
        )


class RequesterChange(Given):
    """What is to change; what is not given stays as it is. Only somebody of a community speaks for it."""

    name: Annotated[str, up_to(120)] = ""
    email: Annotated[str, up_to(254)] = ""
    community: Slug | None = None
    is_representative: bool = False


def _the_community(person: Person, number: int) -> Community:
    return find_one(Community.objects.filter(team__in=teams_of(person)).select_related("team"), number, "community")


def _whole(row: Community, now: datetime) -> WholeCommunity:
    stands = communities.budget_of(row, now)
    return WholeCommunity(
        **CommunityLine.of(row).model_dump(),
        used_minutes=stands.used_minutes,
        allowed_minutes=stands.allowed_minutes,
        budget=stands.state,
        budget_why=stands.why,
    )


def community_named(team: Team, slug: str | None) -> Community | None:
    """Read a community of a team by its name in addresses; no name: none. Raises Refused."""
    if not slug:
        return None
    found = Community.objects.filter(team=team, slug=slug).first()
    if found is None:
        raise Refused(f"{team} has no community “{slug}”", "community")
    return found


@router.get("", auth=may("read"), response=answers(Listed[CommunityLine]), summary="List communities")
def list_communities(
    request: Asked, team: Slug = "", archived: bool = False, after: After = "", limit: Limit = 50
) -> Listed[CommunityLine]:
    """In the order in which they were written."""
    rows = Community.objects.filter(team__in=chosen_teams(request.auth.person, team), archived_at__isnull=not archived)
    return by_id(rows.select_related("team"), after, limit, CommunityLine.of)


@router.post("", auth=may("write"), response=answers(CommunityLine, 201), summary="Write a new community")
def add(request: Asked, body: NewCommunity) -> Status[CommunityLine]:
    """For owners of the team."""
    caller = request.auth
    values = body.model_dump(exclude={"team"})
    made = communities.add_community(the_team(caller.person, body.team), values, caller.person, caller.now)
    return Status(201, CommunityLine.of(made))


@router.get("/{number}", auth=may("read"), response=answers(WholeCommunity), summary="Read a community")
def read(request: Asked, number: Id) -> WholeCommunity:
    """With where its support budget stands this month."""
    return _whole(_the_community(request.auth.person, number), request.auth.now)


@router.patch("/{number}", auth=may("write"), response=answers(WholeCommunity), summary="Change a community")
def change(request: Asked, number: Id, body: CommunityChange) -> WholeCommunity:
    """For owners of the team. Its open requests are placed again when the budget changes."""
    caller = request.auth
    row = _the_community(caller.person, number)
    changed = communities.change_community(row, body.model_dump(exclude_unset=True), caller.person, caller.now)
    return _whole(changed, caller.now)


@router.post("/{number}/archive", auth=may("write"), response=answers(CommunityLine), summary="Archive a community")
def archive(request: Asked, number: Id) -> CommunityLine:
    """Its requests stay."""
    return _archive(request, number, archived=True)


@router.post("/{number}/restore", auth=may("write"), response=answers(CommunityLine), summary="Restore a community")
def restore(request: Asked, number: Id) -> CommunityLine:
    """Bring it back into the lists."""
    return _archive(request, number, archived=False)


def _archive(request: Asked, number: int, *, archived: bool) -> CommunityLine:
    row = _the_community(request.auth.person, number)
    communities.archive_community(row, request.auth.person, request.auth.now, archived=archived)
    return CommunityLine.of(row)


@requesters.get("", auth=may("read"), response=answers(Listed[RequesterLine]), summary="List who asks")
def list_requesters(
    request: Asked,
    team: Slug = "",
    community: Id | None = None,
    search: Name = "",
    after: After = "",
    limit: Limit = 50,
) -> Listed[RequesterLine]:
    """`community` is the id of one; `search` looks into name and mail address."""
    rows = Requester.objects.filter(team__in=chosen_teams(request.auth.person, team))
    if community:
        rows = rows.filter(community=_the_community(request.auth.person, community))
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(email__icontains=search))
    return by_id(rows.select_related("team", "community"), after, limit, RequesterLine.of)


@requesters.patch("/{number}", auth=may("write"), response=answers(RequesterLine), summary="Change who asks")
def change_requester(request: Asked, number: Id, body: RequesterChange) -> RequesterLine:
    """Their name, address, community, and whether they speak for it."""
    caller = request.auth
    rows = Requester.objects.filter(team__in=teams_of(caller.person)).select_related("team", "community")
    row = rows.filter(pk=number).first()
    if row is None:
        raise Http404(f"there is no requester {number}")
    values: dict[str, Any] = body.model_dump(exclude_unset=True)
    if "community" in values:
        values["community"] = community_named(row.team, body.community)
    return RequesterLine.of(communities.change_requester(row, values, caller.person, caller.now))
