"""What the board shows: the open tickets of a team by stage, in its order, and what was done lately.

Only what a card says is read: a board of hundreds of cards is read in four short statements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from watchbill.core.tickets import STAGES
from watchbill.db.models import Person, Team, Ticket
from watchbill.db.support_facts import seats_of

MOST_CARDS = 200
MOST_DONE = 50
DONE_LATELY = timedelta(days=14)
ORDER = ("rank", "position", "id")


class Card(NamedTuple):
    """What a card says of its ticket."""

    id: int
    title: str
    kind: str
    stage: str
    points: int | None
    priority: str
    work_kind: str
    assignee: int | None
    assignee_name: str | None
    seat: str
    service: str | None
    stage_at: datetime
    changed_at: datetime
    done_at: datetime | None
    due_on: date | None
    outcome: str
    is_unplanned: bool


_COLUMNS = (
    "id", "title", "kind", "stage", "points", "priority", "work_kind", "assignee_id", "assignee__name", "seat",
    "service__name", "stage_at", "changed_at", "done_at", "due_on", "outcome", "is_unplanned",
)  # fmt: skip
Narrow = Callable[[QuerySet[Ticket]], QuerySet[Ticket]]


@dataclass(frozen=True)
class BoardFilters:
    """What a board is narrowed to; the empty word means all. `by`: mine, person:<id> or seat:<name>."""

    by: str = ""
    service: str = ""
    sprint: str = ""
    work: str = ""


@dataclass(frozen=True)
class Column:
    """One stage of the board; `more` when there are cards that do not fit."""

    stage: str
    cards: list[Card]
    more: bool


def read_board(
    team: Team, reader: Person, filters: BoardFilters, narrow: Narrow, now: datetime, most: int = MOST_CARDS
) -> list[Column]:
    """Read the columns of a team's board. `narrow` keeps what a query asks for."""
    rows = narrow(Ticket.objects.filter(_asked(team, reader, filters, now), team=team))
    # Said twice, so that both databases know that the index of what is open suffices.
    open_ones = rows.exclude(stage="done").order_by(*ORDER)
    columns = [_column(stage, open_ones.filter(stage=stage), most) for stage in STAGES[:-1]]
    lately = rows.filter(stage="done", done_at__gte=now - DONE_LATELY).order_by("-done_at")
    return [*columns, _column("done", lately, MOST_DONE)]


def _column(stage: str, rows: QuerySet[Ticket], most: int) -> Column:
    cards = [Card(*row) for row in rows.values_list(*_COLUMNS)[: most + 1]]
    return Column(stage, cards[:most], len(cards) > most)


def _asked(team: Team, reader: Person, filters: BoardFilters, now: datetime) -> Q:
    asked = _whose(team, reader, filters.by, now)
    if filters.service:
        asked &= Q(service__slug=filters.service)
    if filters.sprint.isdigit():
        asked &= Q(sprint=int(filters.sprint))
    if filters.work:
        asked &= Q(work_kind=filters.work)
    return asked


def _whose(team: Team, reader: Person, by: str, now: datetime) -> Q:
    kind, _, value = by.partition(":")
    match kind:
        case "mine":
            return mine(reader, team, now)
        case "person" if value.isdigit():
            return Q(assignee=int(value))
        case "seat" if value:
            return Q(assignee=None, seat=value)
        case "nobody":
            return Q(assignee=None, seat="")
        case _:
            return Q()


def mine(person: Person, team: Team, now: datetime) -> Q:
    """Give what is somebody's: theirs by name, or of a seat in which they stand now (HND-09)."""
    return Q(assignee=person) | Q(assignee=None, seat__in=seats_of(person.pk, team, now))
