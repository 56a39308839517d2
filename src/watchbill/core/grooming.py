"""Grooming: the backlog in two sections, each in the order in which it is talked about (BKL-02)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from watchbill.kit.errors import Refused

DECISIONS = ("plan", "later", "drop", "split")


@dataclass(frozen=True)
class Item:
    """What the order of a grooming needs of a ticket; `age` in days since it was written."""

    id: int
    kind: str
    work_kind: str
    rank: int
    position: int
    age: int
    is_paired: bool = False
    burns: bool = False


@dataclass(frozen=True)
class Placed:
    """A ticket in its section, and why it stands where it stands."""

    id: int
    why: str


@dataclass(frozen=True)
class Sections:
    """The two sections, managed separately."""

    feature: tuple[Placed, ...]
    operations: tuple[Placed, ...]


def arrange(items: Iterable[Item]) -> Sections:
    """Divide the backlog: what burns soon first, then the other half of quick fixes, then the team's order."""
    ordered = sorted(items, key=_key)
    feature = tuple(Placed(item.id, _why(item)) for item in ordered if item.work_kind == "feature")
    operations = tuple(Placed(item.id, _why(item)) for item in ordered if item.work_kind != "feature")
    return Sections(feature, operations)


def _key(item: Item) -> tuple[int, int, int, int]:
    group = 0 if item.burns else 1 if item.kind == "lasting_fix" else 2
    return group, item.rank, item.position, item.id


def _why(item: Item) -> str:
    if item.burns:
        return "its date comes before it can be done at this pace"
    if item.kind == "lasting_fix":
        days = "1 day" if item.age == 1 else f"{item.age} days"
        return f"the other half of a quick fix, waiting for {days}" if item.is_paired else f"waiting for {days}"
    return "by the team's order"


def check(decision: str, *, sprint: bool, note: str, until: date | None, today: date, parts: int) -> None:
    """Refuse a decision that says too little to be carried out, naming everything that is missing."""
    if decision not in DECISIONS:
        raise Refused(f"the decision is one of {', '.join(DECISIONS)}", "decision")
    if decision == "plan" and not sprint:
        raise Refused("say in which sprint", "sprint")
    if decision == "drop" and not note.strip():
        raise Refused("say why it is dropped: somebody will ask", "note")
    if decision == "later" and until is not None and until <= today:
        raise Refused("later is a day that comes", "until")
    if decision == "split" and not parts:
        raise Refused("name at least one part", "parts")
