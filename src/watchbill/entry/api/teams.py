"""Teams: members, ladders, the policy with its history, and who could not be reached on watch."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill import rules
from watchbill.actions import reachability, teams
from watchbill.db.models import Membership, Policy, Team
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.rota import Window
from watchbill.entry.api.visible import teams_of, the_person, the_team
from watchbill.entry.api.words import Day, Given, Id, Json, Line, Name, PersonRef, Slug, Word, Zone, up_to

router = Router(tags=["Teams"])
Role = Literal["owner", "member", "observer"]
Needed = Annotated[str, up_to(500, 1)]


class TeamLine(BaseModel):
    """A team and its named people."""

    slug: str
    name: str
    zone: str
    holiday_country: str
    holiday_subdivision: str
    fallback: PersonRef | None
    manager: PersonRef | None
    product_manager: PersonRef | None
    created_at: datetime
    archived_at: datetime | None

    @classmethod
    def of(cls, team: Team) -> TeamLine:
        """Show a team."""
        plain = ("slug", "name", "zone", "holiday_country", "holiday_subdivision", "created_at", "archived_at")
        return cls(
            **{name: getattr(team, name) for name in plain},
            fallback=PersonRef.maybe(team.fallback),
            manager=PersonRef.maybe(team.manager),
            product_manager=PersonRef.maybe(team.product_manager),
        )


class NewTeam(Given):
    """A team from a preset; you become its owner, `members` serve in its rotations."""

    name: Name
    zone: Zone
    preset: Word
    members: list[Id] = Field(default=[], max_length=200)
    fallback: Id | None = None


class TeamChange(Given):
    """What is to change; what is not given stays as it is."""

    name: Name = ""
    zone: Zone = ""
    holiday_country: Word = ""
    holiday_subdivision: Word = ""
    fallback: Id | None = None
    manager: Id | None = None
    product_manager: Id | None = None


class MemberLine(BaseModel):
    """A person in a team: role, skills, and the dates in which they serve (the last one inclusive)."""

    person: PersonRef
    role: str
    skills: list[str]
    active_from: date | None
    active_until: date | None

    @classmethod
    def of(cls, row: Membership) -> MemberLine:
        """Show a membership."""
        return cls(
            person=PersonRef.of(row.person),
            role=row.role,
            skills=[str(skill) for skill in row.skills],
            active_from=row.active_from,
            active_until=row.active_until,
        )


class MemberChange(Given):
    """What is to change; what is not given stays as it is."""

    role: Role = "member"
    skills: list[Word] = Field(default=[], max_length=50)
    active_from: Day | None = None
    active_until: Day | None = None


class NewMember(MemberChange):
    """Somebody with an account whom you may see."""

    person: Id


class MissingLine(BaseModel):
    """Somebody whom nothing would reach, the shift for which it matters first, and what is missing."""

    person: PersonRef
    seat: str
    rotation: str
    starts_at: datetime
    why: str


class PolicyLine(BaseModel):
    """One version of a team's policy: who adopted it, when, and why."""

    version: int
    preset: str
    settings: dict[str, Any]
    adopted_at: datetime
    adopted_by: PersonRef | None
    why: str
    no_longer_used: list[str] = Field(
        description="What `settings` says and nothing reads any more; leave it out to adopt."
    )

    @classmethod
    def of(cls, row: Policy) -> PolicyLine:
        """Show a version."""
        plain = {name: getattr(row, name) for name in ("version", "preset", "settings", "adopted_at", "why")}
        unused = rules.unused_in(row.settings)
        return cls(**plain, adopted_by=PersonRef.maybe(row.adopted_by), no_longer_used=unused)


class PolicySettings(Given):
    """Coverage windows, the team's own words, and the settings of each rule."""

    coverage: list[Window] | None = Field(default=None, max_length=50)
    labels: dict[Word, Word] = Field(default={}, max_length=200)
    rules: dict[Word, Json] = Field(default={}, max_length=100)


class NewPolicy(Given):
    """The whole policy as it shall be from now on, and why."""

    settings: PolicySettings
    why: Needed


@router.get("", auth=may("read"), response=answers(Listed[TeamLine]), summary="List your teams")
def list_teams(
    request: Asked, search: Line = "", archived: bool = False, after: After = "", limit: Limit = 50
) -> Listed[TeamLine]:
    """An administrator of the instance sees all."""
    rows = teams_of(request.auth.person).filter(archived_at__isnull=not archived)
    rows = rows.filter(name__icontains=search) if search else rows
    return by_id(rows.select_related("fallback", "manager", "product_manager"), after, limit, TeamLine.of)


@router.post("", auth=may("admin"), response=answers(TeamLine, 201), summary="Make a team from a preset")
def add(request: Asked, body: NewTeam) -> Status[TeamLine]:
    """With its policy, its ladder and its rotations. For administrators."""
    caller = request.auth
    made = teams.create_team(
        body.name,
        body.zone,
        body.preset,
        caller.person,
        caller.now,
        members=[the_person(caller.person, number) for number in body.members],
        fallback=the_person(caller.person, body.fallback) if body.fallback else None,
    )
    return Status(201, TeamLine.of(the_team(caller.person, made.slug)))


@router.get("/{slug}", auth=may("read"), response=answers(TeamLine), summary="Read one team")
def read(request: Asked, slug: Slug) -> TeamLine:
    """Also one that is archived."""
    return TeamLine.of(the_team(request.auth.person, slug))


@router.patch("/{slug}", auth=may("write"), response=answers(TeamLine), summary="Change a team")
def change(request: Asked, slug: Slug, body: TeamChange) -> TeamLine:
    """Its name, zone, holiday calendar and named people; what is not given stays. For owners."""
    caller = request.auth
    team = the_team(caller.person, slug)
    now = {name: getattr(team, name) for name in ("name", "zone", "holiday_country", "holiday_subdivision")}
    now |= {name: getattr(team, f"{name}_id") for name in teams.NAMED}
    given = body.model_dump(exclude_unset=True)
    for name in teams.NAMED:
        if given.get(name):
            the_person(caller.person, given[name])
    teams.change_team(team, now | given, caller.person, caller.now)
    return TeamLine.of(the_team(caller.person, slug))


@router.post("/{slug}/archive", auth=may("admin"), response=answers(TeamLine), summary="Take a team out of use")
def archive(request: Asked, slug: Slug) -> TeamLine:
    """Its history stays. For administrators."""
    caller = request.auth
    teams.archive_team(the_team(caller.person, slug), caller.person, caller.now)
    return TeamLine.of(the_team(caller.person, slug))


@router.post("/{slug}/restore", auth=may("admin"), response=answers(TeamLine), summary="Bring a team back")
def restore(request: Asked, slug: Slug) -> TeamLine:
    """Undoes `archive`. For administrators."""
    caller = request.auth
    teams.archive_team(the_team(caller.person, slug), caller.person, caller.now, archived=False)
    return TeamLine.of(the_team(caller.person, slug))


@router.get("/{slug}/members", auth=may("read"), response=answers(Listed[MemberLine]), summary="List a team's members")
def list_members(request: Asked, slug: Slug, after: After = "", limit: Limit = 50) -> Listed[MemberLine]:
    """With role, skills and dates."""
    rows = Membership.objects.filter(team=the_team(request.auth.person, slug)).select_related("person")
    return by_id(rows, after, limit, MemberLine.of)


def _the_member(team: Team, number: int) -> Membership:
    found = Membership.objects.filter(team=team, person_id=number).select_related("person", "team").first()
    if found is None:
        raise Http404(f"{team} has no member {number}")
    return found


@router.post(
    "/{slug}/members", auth=may("write"), response=answers(MemberLine, 201), summary="Take somebody into a team"
)
def add_member(request: Asked, slug: Slug, body: NewMember) -> Status[MemberLine]:
    """Somebody with an account; who has none is invited under /people. For owners."""
    caller = request.auth
    team = the_team(caller.person, slug)
    person = the_person(caller.person, body.person)
    values = body.model_dump(exclude={"person"})
    return Status(201, MemberLine.of(teams.add_member(team, person, values, caller.person, caller.now)))


@router.patch(
    "/{slug}/members/{number}", auth=may("write"), response=answers(MemberLine), summary="Change a member of a team"
)
def change_member(request: Asked, slug: Slug, number: Id, body: MemberChange) -> MemberLine:
    """`number` is the person's. The last owner stays one. For owners."""
    caller = request.auth
    row = _the_member(the_team(caller.person, slug), number)
    now = {name: getattr(row, name) for name in ("role", "skills", "active_from", "active_until")}
    values = now | body.model_dump(exclude_unset=True)
    return MemberLine.of(teams.change_member(row, values, caller.person, caller.now))


@router.delete(
    "/{slug}/members/{number}", auth=may("write"), response=answers(MemberLine), summary="Take somebody out of a team"
)
def remove_member(request: Asked, slug: Slug, number: Id) -> MemberLine:
    """An owner may, and everybody for themselves; never the last owner."""
    caller = request.auth
    row = _the_member(the_team(caller.person, slug), number)
    shown = MemberLine.of(row)
    teams.remove_member(row, caller.person, caller.now)
    return shown


@router.get(
    "/{slug}/reachability", auth=may("read"), response=answers(list[MissingLine]), summary="List who cannot be reached"
)
def read_reachability(
    request: Asked, slug: Slug, days: Annotated[int, Field(ge=1, le=90)] | None = None
) -> list[MissingLine]:
    """Who is on watch soon (the team's policy says how soon) without a verified address that works."""
    caller = request.auth
    team = the_team(caller.person, slug)
    return [
        MissingLine(
            person=PersonRef.of(item.person),
            seat=item.shift.seat,
            rotation=item.shift.rotation.slug,
            starts_at=item.shift.starts_at,
            why=item.why,
        )
        for item in reachability.reachability(team, caller.now, days)
    ]


@router.get("/{slug}/policy", auth=may("read"), response=answers(PolicyLine), summary="Read a team's policy in force")
def read_policy(request: Asked, slug: Slug) -> PolicyLine:
    """What a rule does not say has its default."""
    team = the_team(request.auth.person, slug)
    row = Policy.objects.filter(team=team).select_related("adopted_by").order_by("-version").first()
    if row is None:
        raise Http404(f"{team} has no policy yet")
    return PolicyLine.of(row)


@router.put("/{slug}/policy", auth=may("write"), response=answers(PolicyLine), summary="Adopt a new policy of a team")
def adopt_policy(request: Asked, slug: Slug, body: NewPolicy) -> PolicyLine:
    """The whole policy, from now on; what was decided stays. For owners."""
    caller = request.auth
    team = the_team(caller.person, slug)
    settings = body.settings.model_dump(exclude_none=True)
    teams.adopt_policy(team, settings, caller.person, body.why, caller.now)
    return read_policy(request, slug)


@router.get(
    "/{slug}/policy/history", auth=may("read"), response=answers(Listed[PolicyLine]), summary="List a team's policies"
)
def list_policies(request: Asked, slug: Slug, after: After = "", limit: Limit = 50) -> Listed[PolicyLine]:
    """Newest first, each with who adopted it and why."""
    rows = Policy.objects.filter(team=the_team(request.auth.person, slug)).select_related("adopted_by")
    return by_id(rows, after, limit, PolicyLine.of, newest_first=True)
