"""People: who is in your teams, invitations, and who leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import people
from watchbill.db.models import Membership, Person
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.teams import Role
from watchbill.entry.api.visible import chosen_teams, people_of, teams_of, the_person, the_team
from watchbill.entry.api.words import Given, Id, Line, Name, Slug, TeamRef, up_to

router = Router(tags=["People"])
Email = Annotated[str, up_to(254)]


class PersonLine(BaseModel):
    """Somebody with an account."""

    id: int
    name: str
    email: str
    zone: str
    is_active: bool
    is_administrator: bool
    joined_at: datetime | None = Field(description="null: invited, has not joined yet.")

    @classmethod
    def of(cls, person: Person) -> PersonLine:
        """Show a person."""
        return cls(
            id=person.pk,
            name=str(person),
            email=person.email,
            zone=person.zone,
            is_active=person.is_active,
            is_administrator=person.is_superuser,
            joined_at=person.joined_at,
        )


class RoleLine(BaseModel):
    """A role in a team that you may see."""

    team: TeamRef
    role: str


class PersonWhole(PersonLine):
    """A person with their roles in the teams that you may see."""

    roles: list[RoleLine]


class Invited(Given):
    """Whom to invite: into a team (owners), or without one (administrators)."""

    email: Email
    name: Name
    team: Slug = ""
    role: Role = "member"


class Invitation(BaseModel):
    """The account. The link to join is mailed; where there is no mail server, `token` is the last part of /join/…."""

    person: PersonLine
    token: str | None
    mailed: bool

    @classmethod
    def of(cls, made: people.Invitation) -> Invitation:
        """Show an invitation; who it was mailed to has the link, nobody else needs it."""
        return cls(person=PersonLine.of(made.person), token=None if made.mailed else made.token, mailed=made.mailed)


class Held(BaseModel):
    """One thing that somebody who leaves still holds."""

    kind: str = Field(description="shift, ladder, owner or fallback.")
    team: TeamRef
    what: str
    at: datetime | None


class Left(BaseModel):
    """An account that is switched off, and what its person still holds."""

    person: PersonLine
    holds: list[Held]


@router.get("", auth=may("read"), response=answers(Listed[PersonLine]), summary="List people of your teams")
def list_people(
    request: Asked,
    team: Slug = "",
    search: Line = "",
    active: bool = True,
    after: After = "",
    limit: Limit = 50,
) -> Listed[PersonLine]:
    """`search` looks at name and e-mail; an administrator sees everybody."""
    caller = request.auth
    rows = people_of(caller.person).filter(is_active=active)
    if team:
        inside = Membership.objects.filter(team__in=chosen_teams(caller.person, team)).values("person_id")
        rows = rows.filter(pk__in=inside)
    if search:
        rows = rows.filter(name__icontains=search) | rows.filter(email__icontains=search)
    return by_id(rows, after, limit, PersonLine.of)


@router.post("", auth=may("write"), response=answers(Invitation, 201), summary="Invite somebody")
def invite(request: Asked, body: Invited) -> Status[Invitation]:
    """Makes an account that waits for its password; somebody who has one already is added to the team."""
    caller = request.auth
    team = the_team(caller.person, body.team) if body.team else None
    made = people.create_person(body.email, body.name, caller.person, caller.now, team=team, role=body.role)
    return Status(201, Invitation.of(made))


@router.get("/{number}", auth=may("read"), response=answers(PersonWhole), summary="Read one person")
def read(request: Asked, number: Id) -> PersonWhole:
    """With their roles in the teams that you may see."""
    caller = request.auth
    person = the_person(caller.person, number)
    rows = Membership.objects.filter(person=person, team__in=teams_of(caller.person)).select_related("team")
    roles = [RoleLine(team=TeamRef.of(row.team), role=row.role) for row in rows.order_by("pk")]
    return PersonWhole(**dict(PersonLine.of(person)), roles=roles)


@router.post("/{number}/invite", auth=may("write"), response=answers(Invitation), summary="Invite somebody again")
def invite_again(request: Asked, number: Id) -> Invitation:
    """A new link; for an account in use only an administrator may."""
    caller = request.auth
    return Invitation.of(people.invite_again(the_person(caller.person, number), caller.person, caller.now))


@router.post("/{number}/deactivate", auth=may("admin"), response=answers(Left), summary="Switch an account off")
def deactivate(request: Asked, number: Id) -> Left:
    """No sign-in, no tokens, no pages; gives what they still hold. For administrators."""
    caller = request.auth
    person = the_person(caller.person, number)
    held = people.deactivate(person, caller.person, caller.now)
    return Left(person=PersonLine.of(person), holds=_show(held))


def _show(held: people.Holdings) -> list[Held]:
    return [
        *(
            Held(kind="shift", team=TeamRef.of(row.rotation.team), what=f"{row.rotation} {row.seat}", at=row.starts_at)
            for row in held.shifts
        ),
        *(Held(kind="ladder", team=TeamRef.of(row.team), what=row.name, at=None) for row in held.ladders),
        *(Held(kind="owner", team=TeamRef.of(row), what="the last owner", at=None) for row in held.owned),
        *(Held(kind="fallback", team=TeamRef.of(row), what="the fallback person", at=None) for row in held.named),
    ]


@router.post("/{number}/reactivate", auth=may("admin"), response=answers(PersonLine), summary="Switch an account on")
def reactivate(request: Asked, number: Id) -> PersonLine:
    """Undoes `deactivate`. For administrators."""
    caller = request.auth
    person = the_person(caller.person, number)
    people.reactivate(person, caller.person, caller.now)
    return PersonLine.of(person)


@router.put(
    "/{number}/administrator", auth=may("admin"), response=answers(PersonLine), summary="Make somebody an administrator"
)
def make_administrator(request: Asked, number: Id) -> PersonLine:
    """Of the whole instance. For administrators."""
    caller = request.auth
    person = the_person(caller.person, number)
    people.set_administrator(person, caller.person, caller.now, administrator=True)
    return PersonLine.of(person)


@router.delete(
    "/{number}/administrator", auth=may("admin"), response=answers(PersonLine), summary="Take the administrator's role"
)
def take_administrator(request: Asked, number: Id) -> PersonLine:
    """Never from oneself. For administrators."""
    caller = request.auth
    person = the_person(caller.person, number)
    people.set_administrator(person, caller.person, caller.now, administrator=False)
    return PersonLine.of(person)
