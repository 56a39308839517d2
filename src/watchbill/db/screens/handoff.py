"""What the pages of handoffs and of the on-call log show, and how both are searched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from watchbill.db.handoff_facts import handoffs_seen_by
from watchbill.db.models import Handoff, LogEntry, Membership, Person, Team

PAGE = 50


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; what is empty narrows nothing. The times are half-open, of the end of a shift."""

    team: str = ""
    rotation: str = ""
    person: int | None = None
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None


def find(person: Person, filters: Filters) -> QuerySet[Handoff]:
    """Read the handoffs that somebody may see, narrowed: of a person whichever side they stood on."""
    rows = Handoff.objects.filter(handoffs_seen_by(person))
    given: dict[str, object] = {
        "team__slug": filters.team, "rotation__slug": filters.rotation, "state": filters.state,
        "ends_at__gte": filters.since, "ends_at__lt": filters.until,
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    if filters.person:
        who = filters.person
        rows = rows.filter(Q(leaver=who) | Q(comer=who) | Q(accepted_by=who))
    return rows.select_related("team", "rotation", "leaver", "comer", "accepted_by")


def find_one(person: Person, number: int) -> Handoff | None:
    """Find a handoff that somebody may see; None also for one of others."""
    return find(person, Filters()).filter(pk=number).first()


def page_of(rows: QuerySet[Handoff], before: int | None) -> tuple[list[Handoff], int | None]:
    """Read a page of handoffs, the newest first, and what asks for the next page."""
    found = list((rows.filter(pk__lt=before) if before else rows).order_by("-id")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


def entries_seen_by(person: Person) -> QuerySet[LogEntry]:
    """Read the entries of the on-call log that somebody may see: those of their teams."""
    rows = LogEntry.objects.select_related("team", "rotation", "author", "ticket")
    mine = Membership.objects.filter(person=person).values("team")
    return rows if person.is_superuser else rows.filter(team__in=mine)


def entries_page(
    person: Person, team: Team | None, search: str, author: int | None, before: int | None
) -> tuple[list[LogEntry], int | None]:
    """Read a page of the log, the newest first, with these words in title or text; and what asks for the next page."""
    rows = entries_seen_by(person)
    rows = rows.filter(team=team) if team else rows
    rows = rows.filter(author=author) if author else rows
    for word in search.split()[:8]:
        rows = rows.filter(Q(title__icontains=word) | Q(text__icontains=word))
    found = list((rows.filter(pk__lt=before) if before else rows).order_by("-id")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


def people_of(teams: list[Team]) -> list[Person]:
    """Read the people of teams, by name."""
    return list(Person.objects.filter(memberships__team__in=teams).distinct().order_by("name", "id"))
