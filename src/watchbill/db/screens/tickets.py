"""What the pages of tickets show: the list, one ticket with all that belongs to it, and what there is to choose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from watchbill.db import facts
from watchbill.db.models import (
    Event,
    Export,
    ExternalRef,
    Message,
    Person,
    SavedFilter,
    Service,
    Shift,
    Sprint,
    Team,
    Ticket,
    TicketLink,
    WorkLog,
)
from watchbill.db.queries import Key, page_of
from watchbill.db.screens.board import mine
from watchbill.db.screens.visible import sees_team

Row = TypeVar("Row", bound=Model)
ROWS = 50
LINES = 200
MOST_PARTS = 200
AHEAD = timedelta(days=35)
TABS = ("open", "mine", "done", "all")
# Not the team: it is known, and joined it would lead a plan away from the indexes that begin with it.
_BESIDE = ("assignee", "service", "sprint")

# The order of each tab when the reader names none: each is one index of the table.
OTHERWISE: dict[str, tuple[Key, ...]] = {
    "open": (Key("rank", nullable=False), Key("position", nullable=False)),
    "mine": (Key("rank", nullable=False), Key("position", nullable=False)),
    "done": (Key("done_at", descending=True, nullable=False),),
    "all": (Key("pk", descending=True, nullable=False),),
}


def find_ticket(person: Person, number: int) -> Ticket | None:
    """Find a ticket that somebody may see; None also for one that exists and is not theirs."""
    rows = Ticket.objects.select_related(
        "team", "assignee", "service", "sprint", "epic", "request", "community", "created_by"
    )
    found = rows.filter(pk=number).first()
    return found if found is not None and sees_team(person, found.team_id) else None


def tickets_of(team: Team, reader: Person, tab: str, now: datetime) -> QuerySet[Ticket]:
    """Read the tickets of one tab of the list, in no order yet."""
    rows = Ticket.objects.filter(team=team).select_related(*_BESIDE).defer("text", "priority_why", "no_pair_why")
    match tab:
        case "open":
            return rows.exclude(stage="done")
        case "mine":
            return rows.filter(mine(reader, team, now)).exclude(stage="done")
        case "done":
            return rows.filter(stage="done", done_at__isnull=False)
        case _:
            return rows


def every_row(rows: QuerySet[Row], keys: Sequence[Key], most: int) -> Iterator[Row]:
    """Read a whole list, screen by screen, so that no answer holds it all."""
    mark, given = "", 0
    while given < most:
        found, mark = page_of(rows, keys, mark, 500)
        yield from found
        given += len(found)
        if not mark:
            return


@dataclass
class Story:
    """All that belongs to one ticket."""

    parts: list[Ticket] = field(default_factory=list)
    links_out: list[TicketLink] = field(default_factory=list)
    links_in: list[TicketLink] = field(default_factory=list)
    comments: list[Message] = field(default_factory=list)
    elsewhere: list[ExternalRef] = field(default_factory=list)
    unsent: list[Export] = field(default_factory=list)
    work: list[WorkLog] = field(default_factory=list)
    timeline: list[Event] = field(default_factory=list)


def tell_ticket(ticket: Ticket) -> Story:
    """Read all that belongs to one ticket."""
    out = TicketLink.objects.filter(source=ticket).select_related("target").order_by("kind", "id")[:LINES]
    into = TicketLink.objects.filter(target=ticket).select_related("source").order_by("kind", "id")[:LINES]
    comments = Message.objects.filter(ticket=ticket).select_related("author").order_by("-id")[:LINES]
    twins = ExternalRef.objects.filter(subject_kind="ticket", subject_id=ticket.pk).select_related("connection")
    unsent = Export.objects.filter(subject_kind="ticket", subject_id=ticket.pk, state="failed").order_by("-id")[:5]
    work = WorkLog.objects.filter(ticket=ticket).select_related("person").order_by("-id")[:LINES]
    parts = Ticket.objects.filter(epic=ticket).select_related("assignee").order_by("stage", "rank", "position", "id")
    return Story(
        parts=list(parts[:MOST_PARTS]) if ticket.kind == "epic" else [],
        links_out=list(out),
        links_in=list(into),
        comments=list(reversed(comments)),
        elsewhere=list(twins),
        unsent=list(unsent),
        work=list(work),
        timeline=list(lines_of("ticket", ticket.pk)),
    )


def lines_of(kind: str, number: int) -> QuerySet[Event]:
    """Read the newest lines of a subject's log, newest first."""
    return Event.objects.filter(subject_kind=kind, subject_id=number).order_by("-id")[:LINES]


def members_of(team: Team) -> list[Person]:
    """Read who may have a ticket of a team."""
    rows = Person.objects.filter(is_active=True, memberships__team=team, memberships__role__in=facts.SERVING)
    return list(rows.distinct().order_by("name", "id"))


def services_of(team: Team) -> list[Service]:
    """Read the services that a team runs."""
    return list(Service.objects.filter(team=team, archived_at=None).order_by("name", "id"))


def open_sprints_of(team: Team) -> list[Sprint]:
    """Read the sprints of a team that nobody closed, the earliest first."""
    return list(Sprint.objects.filter(team=team, closed_at=None).order_by("starts_on", "id")[:50])


def sprints_of(team: Team, most: int = 60) -> list[Sprint]:
    """Read the sprints of a team, the newest first."""
    return list(Sprint.objects.filter(team=team).order_by("-starts_on", "-id")[:most])


def find_sprint(person: Person, number: int) -> Sprint | None:
    """Find a sprint that somebody may see."""
    found = Sprint.objects.select_related("team").filter(pk=number).first()
    return found if found is not None and sees_team(person, found.team_id) else None


def tickets_in(sprint: Sprint, most: int = 500) -> list[Ticket]:
    """Read the tickets of a sprint, what is open first, in the team's order."""
    rows = Ticket.objects.filter(sprint=sprint).select_related("assignee", "service").defer("text")
    open_ones = rows.exclude(stage="done").order_by("rank", "position", "id")[:most]
    return [*open_ones, *rows.filter(stage="done").order_by("-done_at")[:most]]


def epics_of(team: Team) -> list[Ticket]:
    """Read the open epics of a team."""
    rows = Ticket.objects.filter(team=team, kind="epic").exclude(stage="done").defer("text")
    return list(rows.order_by("rank", "position", "id")[:100])


def watch_ahead(team: Team, now: datetime) -> list[Shift]:
    """Read the shifts of a team from now on: who stands each seat, and until when."""
    rows = Shift.objects.filter(
        rotation__team=team, rotation__archived_at=None, ends_at__gt=now, starts_at__lt=now + AHEAD
    )
    return list(rows.select_related("person", "rotation").order_by("starts_at", "id"))


def filters_of(person: Person, teams: Sequence[Team], about: str = "tickets") -> list[SavedFilter]:
    """Read the saved filters of somebody in teams: their own first, then what others share."""
    rows = SavedFilter.objects.filter(Q(person=person) | Q(is_shared=True), team__in=teams, about=about)
    found = rows.select_related("person", "team").order_by("name", "id")[:100]
    return sorted(found, key=lambda one: one.person_id != person.pk)
