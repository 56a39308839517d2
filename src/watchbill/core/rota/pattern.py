"""What a rotation is: plain frozen data, in wall-clock times of one zone. People are known by their ids.

The words are those of the glossary: a seat is a parallel place in a shift, a cycle one pass through the members,
an absence has an inclusive last day, an override replaces a part of the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal, get_args

from watchbill.core.coverage import Window
from watchbill.kit.spans import Span

Unit = Literal["hours", "day", "working_day", "week", "month", "quarter"]
Order = Literal["fixed", "alphabetical", "reshuffle_each_cycle"]
Kind = Literal["turn", "override", "gap"]
UNITS: tuple[str, ...] = get_args(Unit)
ORDERS: tuple[str, ...] = get_args(Order)


@dataclass(frozen=True)
class Seat:
    """A parallel place in each shift.

    `skill` is what its holder must have (None: nothing). `offset` delays its handoffs by so many units (weeks
    for a rotation of four weeks), which staggers seats. `coverage` are hours of its own instead of the
    rotation's: an evening seat, a lunch period (None: those of the rotation). Seats with the same skill and
    hours share one line of turns; others have a line each.
    """

    name: str
    skill: str | None = None
    offset: int = 0
    coverage: tuple[Window, ...] | None = None


@dataclass(frozen=True)
class Member:
    """A person in the rotation, with skills and the dates in which they serve (the last one inclusive)."""

    person: int
    name: str
    skills: frozenset[str] = frozenset()
    active_from: date | None = None
    active_until: date | None = None


@dataclass(frozen=True)
class Rotation:
    """Ordered people and the rule that produces their shifts.

    A turn lasts `every` units and is handed over at `handoff_at` (on `handoff_weekday`, 0 is Monday, for weeks;
    months and quarters on their first day). It begins on `starts_on` in whatever part of a turn that day falls,
    so the first turn may be short. `coverage` None is round the clock; else what lies outside is nobody's, and
    a turn that holds no covered time is no turn. `holidays` close coverage and are no working days. Without
    coverage working days are Monday to Friday, and Friday's turn lasts until Monday's handoff.
    """

    zone: str
    unit: Unit
    starts_on: date
    members: tuple[Member, ...]
    seats: tuple[Seat, ...] = (Seat("engineer"),)
    every: int = 1
    handoff_at: time = time(9)
    handoff_weekday: int = 0
    coverage: tuple[Window, ...] | None = None
    holidays: frozenset[date] = frozenset()
    order: Order = "fixed"
    seed: int = 0
    absent_keeps_turn: bool = True
    own_holidays: bool = False


@dataclass(frozen=True)
class Absence:
    """Days on which a person cannot serve, both included, in `zone` ("" is the rotation's).

    `kind` "holiday" is a public holiday of the person's own, heeded when the rotation's `own_holidays` says so.
    """

    person: int
    first: date
    last: date
    why: str = ""
    zone: str = ""
    kind: str = "away"


@dataclass(frozen=True)
class Override:
    """Somebody takes a seat (None: every seat) from `start` to `end`, whatever the plan says.

    The one created later wins; `number` (its id) decides between two of the same instant. It replaces what is
    planned; with `outside_coverage` it also stands where coverage has a gap, as for a weekend on trial.
    """

    person: int
    name: str
    start: datetime
    end: datetime
    created_at: datetime
    seat: str | None = None
    why: str = ""
    number: int = 0
    outside_coverage: bool = False

    @property
    def span(self) -> Span:
        """The time it replaces."""
        return Span(self.start, self.end)


@dataclass(frozen=True)
class Shift:
    """One seat, one person (None: a gap that coverage does not allow), one interval, and why.

    `turn` counts the seat's turns from 1; the pieces of one turn (its days, a day covered by somebody else)
    share it. It is 0 where an override stands outside every turn. Instants are UTC.
    """

    seat: str
    person: int | None
    start: datetime
    end: datetime
    reason: str
    turn: int
    kind: Kind

    @property
    def span(self) -> Span:
        """The time it lasts."""
        return Span(self.start, self.end)


@dataclass(frozen=True)
class Waiting:
    """A turn that somebody has yet to serve, and the cycle it belongs to."""

    person: int
    cycle: int


@dataclass(frozen=True)
class LineProgress:
    """How far a line of turns has come. `order` is that of `cycle`; `waiting` begins with who is next.

    `previous` is who had each seat's previous turn; `seat_turns` how often each person had each seat.
    """

    seats: tuple[str, ...]
    cycle: int = 0
    order: tuple[int, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    previous: Mapping[str, int] = field(default_factory=dict)
    seat_turns: Mapping[str, Mapping[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Seated:
    """Somebody has a seat for a while: a whole turn, or a piece of one (`covers`) that they take over.

    `doubled` tells that they have another seat at the same time, for want of anybody else.
    """

    person: int
    seat: str
    start: datetime
    end: datetime
    covers: bool = False
    doubled: bool = False

    @property
    def span(self) -> Span:
        """The time it lasts."""
        return Span(self.start, self.end)


@dataclass(frozen=True)
class SeatProgress:
    """The newest turn of a seat: its number, who has it (None: nobody), why, and from when to when."""

    seat: str
    turn: int
    person: int | None
    reason: str
    start: datetime
    until: datetime


@dataclass(frozen=True)
class Progress:
    """A checkpoint: every turn that starts before `at` is dealt out, and what follows needs nothing earlier."""

    at: datetime
    lines: tuple[LineProgress, ...]
    seats: tuple[SeatProgress, ...]
    seated: tuple[Seated, ...] = ()
