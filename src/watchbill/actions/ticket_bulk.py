"""Change many tickets at once, each for itself, and put one between two others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from watchbill.actions import tickets
from watchbill.actions.access import require
from watchbill.actions.log import Actor, record
from watchbill.core.tickets import position_between, push_on
from watchbill.db.models import Person, Ticket
from watchbill.kit.errors import NotAllowed, Refused

MOST = 1000
CHUNK = 500


@dataclass(frozen=True)
class BulkResult:
    """What became of each: the ids that were changed, and the others with why not."""

    done: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def change_many(
    ids: Iterable[int],
    person: Person,
    now: datetime,
    *,
    values: Mapping[str, Any] | None = None,
    stage: str = "",
    outcome: str = "done",
) -> BulkResult:
    """Change tickets and move them, each in a transaction of its own: one that is refused leaves the others as changed.

    Raises Refused when there are too many.
    """
    chosen = list(dict.fromkeys(ids))
    if len(chosen) > MOST:
        raise Refused(f"at most {MOST} tickets at once", "ids")
    result = BulkResult()
    for number in chosen:
        try:
            with transaction.atomic():
                if values:
                    tickets.change_ticket(number, values, person, now)
                if stage:
                    tickets.move(number, stage, person, now, outcome=outcome)
        except (Refused, NotAllowed) as error:
            result.refused[number] = error.message
        else:
            result.done.append(number)
    return result


def place_between(ticket_id: int, before_id: int | None, after_id: int | None, person: Person, now: datetime) -> Ticket:
    """Put a ticket below `before` and above `after`, within its level; either may be missing at an end of the lane.

    Another level takes a reason: that is `tickets.set_priority` (PRI-09). Raises Refused, NotAllowed.
    """
    with transaction.atomic():
        seen = _read({number for number in (ticket_id, before_id, after_id) if number is not None})
        ticket = seen[ticket_id]
        require(person, ticket.team, "member", "order the tickets")
        before, after = _same_level(ticket, before_id, seen), _same_level(ticket, after_id, seen)
        if before is None and after is None:
            raise Refused(
                "there it is among tickets of another priority: change its priority, with the reason", "level"
            )
        # All that move are known before the first is locked, so that they are locked in the order of their ids.
        _move(_places(ticket, before, after))
        where = f"below T-{before.pk}" if before else f"above T-{after.pk}" if after else ""
        record(tickets.subject_of(ticket), "ticket.placed", f"{person} put it {where}", now, Actor.of(person))
    return ticket


def _read(ids: set[int]) -> dict[int, Ticket]:
    found = {ticket.pk: ticket for ticket in Ticket.objects.select_related("team").filter(pk__in=ids)}
    for missing in sorted(ids - set(found)):
        raise Refused(f"there is no ticket {missing}")
    return found


def _same_level(ticket: Ticket, number: int | None, seen: Mapping[int, Ticket]) -> Ticket | None:
    other = seen[number] if number is not None else None
    if other is None or other.pk == ticket.pk:
        return None
    if other.team_id != ticket.team_id:
        raise Refused("tickets of two teams have no order among them", "before")
    return other if other.rank == ticket.rank and other.stage != "done" else None


def _places(ticket: Ticket, before: Ticket | None, after: Ticket | None) -> dict[int, int]:
    """Find a place next to the neighbour, looking also at tickets that the person does not see; others may move on."""
    lane = Ticket.objects.filter(team=ticket.team_id, rank=ticket.rank).exclude(stage="done").exclude(pk=ticket.pk)
    if before is None and after is not None:
        before = lane.filter(_above(after)).order_by("-position", "-id").first()
    pushed: dict[int, int] = {}
    if before is not None:
        below = list(lane.filter(_below(before)).order_by("position", "id").values_list("pk", "position")[:1])
        place = position_between(before.position, below[0][1] if below else None)
        if place is None:
            place = before.position + 1 + before.position % 2
            rows = list(lane.filter(_below(before)).order_by("position", "id").values_list("pk", "position"))
            moved = push_on(place, [position for _, position in rows])
            pushed = {pk: position for (pk, _), position in zip(rows, moved, strict=False)}
    else:
        place = position_between(None, after.position if after else None) or 0
    ticket.position = place
    return {**pushed, ticket.pk: place}


def _move(places: Mapping[int, int]) -> None:
    numbers = sorted(places)
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        rows = list(Ticket.objects.select_for_update(of=("self",)).filter(pk__in=chunk).order_by("id"))
        for row in rows:
            row.position = places[row.pk]
        Ticket.objects.bulk_update(rows, ["position"])


def _above(ticket: Ticket) -> Q:
    return Q(position__lt=ticket.position) | Q(position=ticket.position, pk__lt=ticket.pk)


def _below(ticket: Ticket) -> Q:
    return Q(position__gt=ticket.position) | Q(position=ticket.position, pk__gt=ticket.pk)
