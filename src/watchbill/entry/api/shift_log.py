"""The on-call log: what was noted on watch, with a ticket or without."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.db.models import Q
from ninja import Router, Status

from watchbill.actions import shift_log
from watchbill.db.models import LogEntry, Person, Ticket
from watchbill.db.screens.handoff import entries_seen_by
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import chosen_teams, find_one, teams_of, the_team
from watchbill.entry.api.words import (
    Given,
    Id,
    Instant,
    PersonRef,
    RotationRef,
    Shown,
    Slug,
    TeamRef,
    demand_given,
    up_to,
)
from watchbill.kit.errors import Refused

router = Router(tags=["On-call log"])
Title = Annotated[str, up_to(200, 1)]
Said = Annotated[str, up_to(10_000)]


class NewLogEntry(Given):
    """What happened; `ticket` is its number, null: it has none. `at` within the last month, null: now."""

    team: Slug
    title: Title
    text: Said = ""
    ticket: Id | None = None
    at: Instant | None = None


class ChangedLogEntry(Given):
    """What changes of an entry, its title too; what is not given stays. `ticket` null takes the ticket away."""

    title: Title | None = None
    text: Said | None = None
    ticket: Id | None = None


class EntryLine(Shown):
    """An entry, and the seat in which its author stood then."""

    id: int
    team: TeamRef
    rotation: RotationRef | None
    seat: str
    author: PersonRef | None
    title: str
    text: str
    ticket: int | None
    at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, row: LogEntry) -> EntryLine:
        """Show an entry."""
        return cls.read(row, ticket=row.ticket_id)


def _ticket(person: Person, number: int | None) -> Ticket | None:
    if number is None:
        return None
    found = Ticket.objects.filter(team__in=teams_of(person), pk=number).first()
    if found is None:
        raise Refused(f"there is no T-{number}", "ticket")
    return found


@router.get("", auth=may("read"), response=answers(Listed[EntryLine]), summary="List entries, newest first")
def list_entries(
    request: Asked,
    team: Slug = "",
    search: Annotated[str, up_to(200)] = "",
    person: Id | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    after: After = "",
    limit: Limit = 50,
) -> Listed[EntryLine]:
    """With these words in title or text; by one author; of a stretch of time."""
    caller = request.auth.person
    rows = entries_seen_by(caller).filter(team__in=chosen_teams(caller, team))
    rows = rows.filter(author=person) if person else rows
    rows = rows.filter(at__gte=since) if since else rows
    rows = rows.filter(at__lt=until) if until else rows
    for word in search.split()[:8]:
        rows = rows.filter(Q(title__icontains=word) | Q(text__icontains=word))
    return by_id(rows, after, limit, EntryLine.of, newest_first=True)


@router.post("", auth=may("answer"), response=answers(EntryLine, 201), summary="Note something")
def add(request: Asked, body: NewLogEntry) -> Status[EntryLine]:
    """It is part of the handoff of the shift in which it was written."""
    caller = request.auth
    team = the_team(caller.person, body.team)
    values: dict[str, Any] = body.model_dump(exclude={"team"}) | {"ticket": _ticket(caller.person, body.ticket)}
    return Status(201, EntryLine.of(shift_log.add_entry(team, values, caller.person, caller.now)))


@router.get("/{number}", auth=may("read"), response=answers(EntryLine), summary="Read an entry")
def read(request: Asked, number: Id) -> EntryLine:
    """One of your teams'."""
    return EntryLine.of(find_one(entries_seen_by(request.auth.person), number, "entry"))


@router.patch("/{number}", auth=may("answer"), response=answers(EntryLine), summary="Change an entry")
def change(request: Asked, number: Id, body: ChangedLogEntry) -> EntryLine:
    """Its title, text or ticket; one's own, or, for an owner, anybody's."""
    caller = request.auth
    find_one(entries_seen_by(caller.person), number, "entry")
    values = body.model_dump(exclude_unset=True)
    demand_given(values, "title", "text")
    if "ticket" in values:
        values["ticket"] = _ticket(caller.person, body.ticket)
    shift_log.change_entry(number, values, caller.person, caller.now)
    return EntryLine.of(find_one(entries_seen_by(caller.person), number, "entry"))
