"""Tickets, the pure part: kinds, stages, and what a ticket lacks before it may move."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from watchbill.kit.effects import Become, Effect, Record
from watchbill.kit.errors import Refused

KINDS = ("task", "request", "epic", "investigation", "action", "quick_fix", "lasting_fix", "tracking")
STAGES = ("to_do", "in_progress", "waiting", "done")
OUTCOMES = ("done", "wont_do", "duplicate")
LINKS = ("lasting_fix_of", "spin_off_of", "duplicate_of", "blocks", "relates_to")
STAGE_WORDS = {"to_do": "To do", "in_progress": "In progress", "waiting": "Waiting", "done": "Done"}


@dataclass(frozen=True)
class Ticket:
    """What decisions need of a ticket. `lacks_pair`: it is a quick fix without its lasting fix and without a reason."""

    kind: str
    stage: str
    stage_at: datetime
    open_parts: int = 0
    lacks_pair: bool = False


@dataclass(frozen=True)
class Stay:
    """How long a ticket was in a stage, all its visits together (MET-01)."""

    stage: str
    length: timedelta


def check_kind(kind: str) -> str:
    """Give `kind` back when there is such a kind of ticket, or raise Refused."""
    if kind not in KINDS:
        raise Refused(f"a ticket is one of {', '.join(KINDS)}", "kind")
    return kind


def move(ticket: Ticket, stage: str, outcome: str, who: str, now: datetime) -> list[Effect]:
    """Decide that a ticket moves to `stage`; raises Refused, saying everything that is missing before it is done."""
    if stage not in STAGES:
        raise Refused(f"the stages are {', '.join(STAGES)}", "stage")
    if stage == ticket.stage:
        return []
    if stage == "done":
        _demand_complete(ticket, outcome)
    said = f"{who}: {STAGE_WORDS[ticket.stage]} → {STAGE_WORDS[stage]}"
    change: dict[str, Any] = {
        "stage": stage,
        "stage_at": now,
        "changed_at": now,
        "outcome": outcome if stage == "done" else "",
        "done_at": now if stage == "done" else None,
    }
    data = {"from": ticket.stage, "to": stage, "seconds": int((now - ticket.stage_at).total_seconds())}
    return [Become(change), Record("ticket.moved", said, data)]


def _demand_complete(ticket: Ticket, outcome: str) -> None:
    if outcome not in OUTCOMES:
        raise Refused(f"the outcome is one of {', '.join(OUTCOMES)}", "outcome")
    missing = []
    if ticket.lacks_pair and outcome == "done":
        missing.append("its lasting fix as a ticket, or the reason why there is none")
    if ticket.kind == "epic" and ticket.open_parts and outcome == "done":
        missing.append(f"{ticket.open_parts} of its tickets, which are open")
    if missing:
        raise Refused(f"before it is done it lacks {' and '.join(missing)}", "stage")


def stays(created_at: datetime, moves: list[tuple[datetime, str]], now: datetime) -> list[Stay]:
    """Add up the time at each stage, in the order of the stages; `moves` are (when, to which stage), in order of time.

    A ticket begins in the first stage. Time after it is done does not count (MET-01).
    """
    lengths = dict.fromkeys(STAGES, timedelta())
    stage, since = STAGES[0], created_at
    for at, to in moves:
        lengths[stage] += max(at - since, timedelta())
        stage, since = to, at
    if stage != "done":
        lengths[stage] += max(now - since, timedelta())
    lengths["done"] = timedelta()
    return [Stay(name, length) for name, length in lengths.items() if name != "done"]


# Microseconds of an instant before the year 2100 stay below it, and all positions below 2**53: a browser reads them.
_UNDATED = 4_200_000_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STEP = 1024


def position_of(due: datetime | None, created_at: datetime) -> int:
    """Give the place of a ticket among those of its level: the next deadline first, then in order of age (PRI-06).

    Such a place is even; one that a person chose is odd, so that it can be told and stays.
    """
    if due is None:
        return _UNDATED + _even((created_at - _EPOCH) // _MICROSECOND)
    return max(0, min(_even((due - _EPOCH) // _MICROSECOND), _UNDATED - 2))


def is_by_hand(position: int) -> bool:
    """Tell whether a person chose this place."""
    return position % 2 == 1


def _even(number: int) -> int:
    return number - number % 2


def position_between(above: int | None, below: int | None) -> int | None:
    """Give an odd place between two neighbours; None when there is no room. None for a neighbour: there is none."""
    if above is None:
        return _even(below) - _STEP + 1 if below is not None else 1
    place = _even(above) + _STEP + 1 if below is None else _even((above + below) // 2) + 1
    place -= 2 if below is not None and place >= below else 0
    return place if place > above else None


def push_on(place: int, following: Iterable[int]) -> list[int]:
    """Give new places to those that follow `place`, as few as possible: it ends where there is room."""
    moved: list[int] = []
    for old in following:
        if old > place:
            break
        place += _STEP
        moved.append(place)
    return moved
