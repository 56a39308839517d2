"""Promises to requesters, as clocks that run in coverage hours and stand still while the team waits for others.

A promise made at 17:50 on a Friday runs ten minutes that day and goes on when coverage starts again (MET-07). While
the requester or a vendor has the ball the clock stands (INT-13). Everything is computed from the history when it is
asked; what stands in a row is only the answer of the last time something changed. Instants are UTC, waits are
half-open spans; an open wait has no end yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from watchbill.core.coverage import WORKING_WEEK, Coverage, Window, after_covered, covered_time
from watchbill.core.wallclock import DAY
from watchbill.kit.spans import Span, merge

Unit = Literal["minutes", "hours", "working_days"]
WHOLE_DAY = timedelta(hours=24)
WORKDAYS = Coverage("UTC", (Window(WORKING_WEEK, time(0), time(0)),))


@dataclass(frozen=True)
class Length:
    """So many hours or days by the clock on the wall, or so many days on which coverage opens."""

    amount: int
    unit: Literal["hours", "days", "working_days"]

    def after(self, coverage: Coverage | None, start: datetime) -> datetime:
        """Give the instant that lies so far behind `start`; without coverage working days are Monday to Friday, UTC."""
        if self.unit != "working_days":
            return start + timedelta(**{self.unit: self.amount})
        hours = coverage if coverage is not None and coverage.windows else WORKDAYS
        end = after_covered(hours, start, self.amount * working_day(hours))
        return end or start + self.amount * WHOLE_DAY


@dataclass(frozen=True)
class Waits:
    """When somebody else had the ball: the waits that are over, and since when the present one lasts, if any."""

    past: Sequence[Span] = ()
    since: datetime | None = None


@dataclass(frozen=True)
class Turn:
    """From `at` on the ball was with `on`: us, requester or vendor."""

    at: datetime
    on: str


def waits_of(turns: Sequence[Turn]) -> Waits:
    """Give the waits that a history of turns contains; it begins with us, and is in order of time."""
    past: list[Span] = []
    since: datetime | None = None
    for turn in turns:
        if turn.on == "us" and since is not None:
            past.append(Span(since, max(since, turn.at)))
            since = None
        elif turn.on != "us" and since is None:
            since = turn.at
    return Waits(merge(past), since)


def spent(coverage: Coverage | None, start: datetime, waits: Waits, now: datetime) -> timedelta:
    """Measure how much of a promise made at `start` has been used up by `now`."""
    end = min(now, waits.since) if waits.since else now
    whole = Span(start, max(start, end))
    waited = [part for wait in merge(waits.past) if (part := wait.cut_to(whole))]
    return covered_time(coverage, whole) - sum((covered_time(coverage, part) for part in waited), timedelta())


def runs_out(coverage: Coverage | None, start: datetime, waits: Waits, allowance: timedelta) -> datetime | None:
    """Give the instant at which `allowance` is used up; None while the clock stands still, or if it never will be."""
    left, begin = allowance, start
    for wait in merge(waits.past):
        if wait.end <= begin:
            continue
        used = covered_time(coverage, Span(begin, max(begin, wait.start)))
        if used >= left:
            return after_covered(coverage, begin, left)
        left, begin = left - used, wait.end
    if waits.since is not None:
        used = covered_time(coverage, Span(begin, max(begin, waits.since)))
        return after_covered(coverage, begin, left) if used >= left else None
    return after_covered(coverage, begin, left)


def length_of(amount: int, unit: Unit, coverage: Coverage | None) -> timedelta:
    """Give a promise as covered time. A working day is as long as the team's coverage on its longest weekday.

    So one working day is ten hours for a team that works from 08:00 to 18:00, and 24 for one that covers whole days
    from Monday to Friday (C5).
    """
    match unit:
        case "minutes":
            return timedelta(minutes=amount)
        case "hours":
            return timedelta(hours=amount)
        case _:
            return amount * working_day(coverage)


def working_day(coverage: Coverage | None) -> timedelta:
    """Give the length of the longest working day by the clock on the wall; round the clock: 24 hours."""
    if coverage is None or not coverage.windows:
        return WHOLE_DAY
    return max(_open_on(coverage, weekday) for weekday in range(7))


def _open_on(coverage: Coverage, weekday: int) -> timedelta:
    """Add up a weekday's windows, touching and overlapping ones once."""
    midnight = datetime(2000, 1, 1, tzinfo=UTC)
    windows = [
        Span(_at(midnight, window.start), _at(midnight if window.end > window.start else midnight + DAY, window.end))
        for window in coverage.windows
        if weekday in window.weekdays
    ]
    return sum((span.length for span in merge(windows)), timedelta())


def _at(midnight: datetime, clock: time) -> datetime:
    return midnight + timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)
