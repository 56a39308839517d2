"""What a person may see: their own teams' things, and what asked them by name; an administrator sees all."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from watchbill.db.models import AlertGroup, Membership, Outgoing, Page, Person, Service, Silence, Team


def teams_of(person: Person) -> list[Team]:
    """Read the teams whose pages somebody reads; an administrator without a team of their own reads every team's."""
    mine = Team.objects.filter(archived_at=None, memberships__person=person).order_by("name")
    teams = list(mine)
    if teams or not person.is_superuser:
        return teams
    return list(Team.objects.filter(archived_at=None).order_by("name")[:20])


def team_ids(person: Person) -> list[int] | None:
    """Read the ids of the teams somebody may see; None: all of them."""
    if person.is_superuser:
        return None
    return list(Membership.objects.filter(person=person).values_list("team_id", flat=True))


def find_group(person: Person, number: int) -> AlertGroup | None:
    """Find an alert that somebody may see; None also for one that exists and is not theirs."""
    group = (
        AlertGroup.objects.select_related("team", "service", "acknowledged_by", "silence", "silence__created_by")
        .filter(pk=number)
        .first()
    )
    if group is None or sees_team(person, group.team_id):
        return group
    pages = Page.objects.filter(group=group).values_list("pk", flat=True)
    return group if was_asked(person, list(pages)) else None


def find_page(person: Person, number: int) -> Page | None:
    """Find a page that somebody may see: their team's, one that asked them, or one that they opened."""
    rows = Page.objects.select_related("team", "service", "group", "answered_by", "opened_by")
    page = rows.filter(pk=number).first()
    if page is None or sees_team(person, page.team_id) or page.opened_by_id == person.pk:
        return page
    return page if was_asked(person, [page.pk]) else None


def find_service(person: Person, slug: str) -> Service | None:
    """Find a service that somebody may see."""
    rows = Service.objects.select_related("team", "team__fallback", "ladder", "leadership_contact")
    service = rows.filter(slug=slug).first()
    return service if service and sees_team(person, service.team_id) else None


def silences_of(person: Person) -> QuerySet[Silence]:
    """Read the silences that somebody may see."""
    rows = Silence.objects.select_related("team", "service", "created_by", "ended_by")
    return (
        rows if person.is_superuser else rows.filter(team__in=Membership.objects.filter(person=person).values("team"))
    )


def sees_team(person: Person, team: int) -> bool:
    """Tell whether somebody reads a team's pages."""
    return person.is_superuser or Membership.objects.filter(person=person, team=team).exists()


def was_asked(person: Person, pages: list[int]) -> bool:
    """Tell whether any of these pages asked this person."""
    return Outgoing.objects.filter(Q(subject_kind="page", subject_id__in=pages), person=person).exists()
