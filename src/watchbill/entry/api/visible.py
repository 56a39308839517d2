"""What a person may see: their own teams and what belongs to them; an administrator sees all.

What lies outside does not exist for them: the answer is 404, as for a name that nobody has.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import Http404

from watchbill.db.models import AlertGroup, Outgoing, Page, Person, Rotation, Service, Team

Row = TypeVar("Row", bound=Model)


def find_one(rows: QuerySet[Row], number: int, what: str) -> Row:
    """Read one of the rows that somebody may see; raises Http404 that says what there is not."""
    found = rows.filter(pk=number).first()
    if found is None:
        raise Http404(f"there is no {what} {number}")
    return found


def teams_of(person: Person) -> QuerySet[Team]:
    """Read the teams that somebody may see."""
    if person.is_superuser:
        return Team.objects.all()
    return Team.objects.filter(memberships__person=person)


def chosen_teams(person: Person, slug: str) -> QuerySet[Team]:
    """Read the one team that is asked for, or all that are not archived; raises Http404."""
    if slug:
        return Team.objects.filter(pk=the_team(person, slug).pk)
    return teams_of(person).filter(archived_at=None)


def the_team(person: Person, slug: str) -> Team:
    """Read one team; raises Http404."""
    team = teams_of(person).select_related("fallback", "manager", "product_manager").filter(slug=slug).first()
    if team is None:
        raise Http404(f"there is no team “{slug}”")
    return team


def services_of(person: Person) -> QuerySet[Service]:
    """Read the services that somebody may see."""
    return Service.objects.filter(team__in=teams_of(person)).select_related("team", "ladder", "leadership_contact")


def the_service(person: Person, slug: str) -> Service:
    """Read one service; raises Http404."""
    service = services_of(person).filter(slug=slug).first()
    if service is None:
        raise Http404(f"there is no service “{slug}”")
    return service


def rotations_of(person: Person) -> QuerySet[Rotation]:
    """Read the rotations that somebody may see."""
    return Rotation.objects.filter(team__in=teams_of(person)).select_related("team")


def the_rotation(person: Person, slug: str) -> Rotation:
    """Read one rotation; raises Http404."""
    rotation = rotations_of(person).filter(slug=slug).first()
    if rotation is None:
        raise Http404(f"there is no rotation “{slug}”")
    return rotation


def asked_by(person: Person) -> QuerySet[Outgoing]:
    """Read the messages of pages that asked somebody, who may then see and answer them, in whatever team."""
    return Outgoing.objects.filter(person=person, subject_kind="page")


def pages_of(person: Person) -> QuerySet[Page]:
    """Read the pages that somebody may see: those of their teams, those that asked them, those they opened."""
    mine = Q(team__in=teams_of(person)) | Q(pk__in=asked_by(person).values("subject_id")) | Q(opened_by=person)
    return Page.objects.filter(mine).select_related("team", "service", "answered_by", "opened_by")


def the_page(person: Person, number: int) -> Page:
    """Read one page; raises Http404."""
    return find_one(pages_of(person), number, "page")


def alerts_of(person: Person) -> QuerySet[AlertGroup]:
    """Read the alert groups that somebody may see: those of their teams, and those whose page asked them."""
    asked = Page.objects.filter(pk__in=asked_by(person).values("subject_id"), group__isnull=False)
    mine = Q(team__in=teams_of(person)) | Q(pk__in=asked.values("group_id"))
    rows = AlertGroup.objects.filter(mine)
    return rows.select_related("team", "service", "acknowledged_by", "silence", "silence__created_by")


def the_alert(person: Person, number: int) -> AlertGroup:
    """Read one alert group; raises Http404."""
    return find_one(alerts_of(person), number, "alert")


def people_of(person: Person) -> QuerySet[Person]:
    """Read the people that somebody may see: themselves and who is in a team with them."""
    if person.is_superuser:
        return Person.objects.all()
    mine = Q(pk=person.pk) | Q(memberships__team__in=teams_of(person))
    return Person.objects.filter(mine).distinct()


def the_person(person: Person, number: int) -> Person:
    """Read one person; raises Http404."""
    return find_one(people_of(person), number, "person")
