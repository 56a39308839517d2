"""Who may do what. Every action asks here; a refusal says what is needed and from whom.

observer   reads the team's pages
member     answers, silences, covers shifts, says when away
owner      changes the team: people, services, rotations, ladders, policy
administrator (of the instance)  may do all of it, makes teams and accounts
"""

from __future__ import annotations

from django.db.models import Q

from watchbill.db.models import Membership, Outgoing, Page, Person, Team
from watchbill.kit.errors import NotAllowed

ROLES = ("observer", "member", "owner")


def role_of(person: Person, team: Team) -> str | None:
    """Read a person's role in a team; an administrator of the instance counts as owner everywhere."""
    if not person.is_active:
        return None
    if person.is_superuser:
        return "owner"
    return Membership.objects.filter(team=team, person=person).values_list("role", flat=True).first()


def require(person: Person, team: Team, role: str, what: str) -> None:
    """Demand at least `role` in the team; raises NotAllowed that names the owners who can give it."""
    held = role_of(person, team)
    if held is not None and ROLES.index(held) >= ROLES.index(role):
        return
    owners = Membership.objects.filter(team=team, role="owner").select_related("person").order_by("id")[:3]
    whom = ", ".join(str(owner.person) for owner in owners) or "an administrator"
    have = f"you are {_article(held)} {held}" if held else "you are not in this team"
    raise NotAllowed(f"To {what} you need to be {_article(role)} {role} of {team}; {have}. Ask {whom}.")


def _article(role: str) -> str:
    return "an" if role[0] in "ao" else "a"


def may_read(person: Person, team: Team) -> None:
    """Demand the right to read a team's pages."""
    require(person, team, "observer", f"see {team}")


def may_answer(person: Person, page: Page) -> None:
    """Demand the right to answer a page: a member of the team, or whoever was asked by it."""
    asked = Outgoing.objects.filter(subject_kind="page", subject_id=page.pk, person=person)
    if not (person.is_active and asked.exists()):
        require(person, page.team, "member", "answer this page")


def may_change(person: Person, team: Team, what: str) -> None:
    """Demand the right to change a team."""
    require(person, team, "owner", what)


def find_near(person: Person, number: int) -> Person | None:
    """Find the active account of somebody in a team with `person`: whom one may name. An administrator names anybody."""
    near = Q() if person.is_superuser else Q(memberships__team__memberships__person=person)
    return Person.objects.filter(near, pk=number, is_active=True).first()


def require_administrator(person: Person, what: str) -> None:
    """Demand the administrator of the instance; raises NotAllowed that names one."""
    if person.is_superuser and person.is_active:
        return
    admin = Person.objects.filter(is_superuser=True, is_active=True).order_by("id").first()
    raise NotAllowed(f"To {what} you need to be an administrator of this instance. Ask {admin or 'the operator'}.")
