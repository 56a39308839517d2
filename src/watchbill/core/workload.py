"""Feature against operations, over time; how far an epic is, and whether it will be done before it burns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from math import ceil
from typing import Literal

from watchbill.kit.errors import Refused

MOST_BUCKETS = 120
Unit = Literal["week", "month", "sprint"]


@dataclass(frozen=True)
class Split:
    """An amount of work, in feature and in operations: tickets, points or seconds."""

    feature: int = 0
    operations: int = 0

    @property
    def total(self) -> int:
        """Give both together."""
        return self.feature + self.operations

    @property
    def share(self) -> int | None:
        """Give the percent of operations, rounded; None when there was no work."""
        return round(100 * self.operations / self.total) if self.total else None

    def plus(self, work_kind: str, amount: int) -> Split:
        """Give it with `amount` more of a kind of work."""
        if work_kind == "feature":
            return replace(self, feature=self.feature + amount)
        return replace(self, operations=self.operations + amount)


@dataclass(frozen=True)
class Stretch:
    """Days from `start` up to, not including, `end`."""

    start: date
    end: date
    name: str


MEASURES = ("tickets", "points", "time")


@dataclass(frozen=True)
class Bucket:
    """What was done within a stretch, as tickets, as points and as time really spent (BKL-10, MET-03)."""

    start: date
    end: date
    name: str
    tickets: Split = Split()
    points: Split = Split()
    seconds: Split = Split()


@dataclass(frozen=True)
class Done:
    """A sum that the database made: how much of one kind of work in the stretch of this number."""

    number: int
    work_kind: str
    tickets: int = 0
    points: int = 0
    seconds: int = 0


def stretches(since: date, until: date, unit: Unit) -> list[Stretch]:
    """Cut the days from `since` to before `until` into weeks (from Monday) or months; they tile the days exactly.

    Raises Refused when there is nothing between them, or too much for one chart.
    """
    if until <= since:
        raise Refused("the last day comes before the first", "until")
    cuts = [since]
    while (following := _next_cut(cuts[-1], unit)) < until:
        cuts.append(following)
        if len(cuts) > MOST_BUCKETS:
            raise Refused(f"at most {MOST_BUCKETS} {unit}s at once: choose a shorter time", "since")
    return [Stretch(start, end, _name(start, unit)) for start, end in pairwise([*cuts, until])]


def _next_cut(day: date, unit: Unit) -> date:
    if unit == "week":
        return day + timedelta(days=7 - day.weekday())
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _name(start: date, unit: Unit) -> str:
    return f"{start:%B %Y}" if unit == "month" else f"{start.day} {start:%B}"


def fill(found: Iterable[Stretch], sums: Iterable[Done]) -> list[Bucket]:
    """Put sums into their stretches; a stretch without work is there, empty."""
    buckets = [Bucket(one.start, one.end, one.name) for one in found]
    for one in sums:
        bucket = buckets[one.number]
        buckets[one.number] = replace(
            bucket,
            tickets=bucket.tickets.plus(one.work_kind, one.tickets),
            points=bucket.points.plus(one.work_kind, one.points),
            seconds=bucket.seconds.plus(one.work_kind, one.seconds),
        )
    return buckets


@dataclass(frozen=True)
class Progress:
    """How far an epic is. `unsized` of its parts have no points yet."""

    parts: int = 0
    done_parts: int = 0
    points: int = 0
    done_points: int = 0
    unsized: int = 0

    @property
    def open_points(self) -> int:
        """Give the points that are not done."""
        return self.points - self.done_points

    @property
    def percent(self) -> int | None:
        """Give how much is done: by points when every part has some, else by parts; None without parts."""
        if not self.parts:
            return None
        if self.unsized or not self.points:
            return 100 * self.done_parts // self.parts
        return 100 * self.done_points // self.points


@dataclass(frozen=True)
class Slack:
    """Whether an epic will be done before its date: calm, tight (under a week), late, undated or unknown (no pace)."""

    state: Literal["calm", "tight", "late", "undated", "unknown"]
    days_left: int | None = None
    days_needed: int | None = None

    @property
    def days(self) -> int | None:
        """Give the days to spare; below zero: it comes too late at this pace."""
        if self.days_left is None or self.days_needed is None:
            return None
        return self.days_left - self.days_needed


TIGHT = 7


def slack(open_points: int, due_on: date | None, points_per_week: float, today: date) -> Slack:
    """Compare what is left of an epic with the time until it is due, at the pace of the last weeks (BKL-05)."""
    if due_on is None:
        return Slack("undated")
    left = (due_on - today).days
    if not open_points:
        return Slack("late" if left < 0 else "tight" if left < TIGHT else "calm", left, 0)
    if points_per_week <= 0:
        return Slack("late" if left < 0 else "unknown", left)
    needed = ceil(7 * open_points / points_per_week)
    spare = left - needed
    return Slack("late" if spare < 0 else "tight" if spare < TIGHT else "calm", left, needed)
