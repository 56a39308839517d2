"""The history of a component: 90 days, and the share of them without an outage.

A day is the page's own (midnight to midnight in its zone, half-open in UTC, so 23 or 25 hours when the clock changes).
Of several conditions at once the worst counts. Up means: no outage, partial or full; slow and planned work are up. A
component has no history before it stood on the page, and none ahead of now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from watchbill.core.statuspage.conditions import CONDITIONS, DOWN, OPERATIONAL, worst
from watchbill.core.statuspage.facts import Spell

DAYS = 90
HOLDS = "Up means no outage, partial or full; slow moments and planned work count as up."
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Day:
    """One day of a component: the worst of it, and how long each condition lasted, worst first; None: not yet there."""

    date: date
    condition: str | None
    lasted: tuple[tuple[str, timedelta], ...] = ()

    @property
    def minutes(self) -> tuple[tuple[str, int], ...]:
        """Give how long each condition lasted, in whole minutes; what lasted at all lasted one."""
        return tuple((condition, max(1, round(span / MINUTE))) for condition, span in self.lasted)


def holds(spell: Spell, at: datetime) -> bool:
    """Tell whether a spell holds at an instant."""
    return spell.starts_at <= at and (spell.ends_at is None or at < spell.ends_at)


def history(spells: Sequence[Spell], since: datetime, zone: ZoneInfo, now: datetime) -> tuple[Day, ...]:
    """Give the last 90 days of a component, the oldest first; today is as long as it has been."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=DAYS - 1)
    pieces = merge(spells, max(since, midnight(first, zone)), now)
    days = []
    for number in range(DAYS):
        day = first + timedelta(days=number)
        start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        lasted = _lasted(pieces, start, end)
        condition = worst(lasted) if max(start, since) < min(end, now) else None
        days.append(Day(day, condition, tuple(sorted(lasted.items(), key=lambda one: -CONDITIONS.index(one[0])))))
    return tuple(days)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Give the instant (UTC) at which a day of a zone begins; where midnight does not exist, the first time that does."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def merge(spells: Sequence[Spell], start: datetime, end: datetime) -> list[tuple[datetime, datetime, str]]:
    """Cut spells within [start, end) into pieces that do not overlap, each with the worst that held; gaps are operational."""
    cut = [
        (max(one.starts_at, start), min(one.ends_at or end, end), one.condition)
        for one in spells
        if one.condition != OPERATIONAL
    ]
    cut = [one for one in cut if one[0] < one[1]]
    edges = sorted({edge for begins, ends, _ in cut for edge in (begins, ends)})
    pieces = []
    for begins, ends in pairwise(edges):
        held = [condition for first, last, condition in cut if first <= begins and ends <= last]
        if held:
            pieces.append((begins, ends, worst(held)))
    return pieces


def _lasted(pieces: Sequence[tuple[datetime, datetime, str]], start: datetime, end: datetime) -> dict[str, timedelta]:
    lasted: dict[str, timedelta] = {}
    for begins, ends, condition in pieces:
        span = min(ends, end) - max(begins, start)
        if span > timedelta():
            lasted[condition] = lasted.get(condition, timedelta()) + span
    return lasted


def uptime(days: Sequence[Day], since: datetime, zone: ZoneInfo, now: datetime) -> float | None:
    """Give the share of the history without an outage, in percent; None when there is no history yet."""
    whole = now - max(since, midnight(days[0].date, zone))
    if whole <= timedelta():
        return None
    down = sum((span for day in days for condition, span in day.lasted if condition in DOWN), timedelta())
    return 100 * (1 - down / whole)
