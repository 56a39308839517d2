"""From the clock on somebody's wall to an instant (UTC), and the one rule for changes of clock.

The rule, kept by whatever computes with wall-clock times:

- a **start** takes the FIRST occurrence of a time that happens twice;
- an **end** takes the LAST occurrence;
- a **handoff** between two shifts is the start of the second: one instant, so that nothing gapes or overlaps;
- a time that does not exist moves to the first one that does. This holds for an hour skipped in spring, for
  midnight in Santiago, for the half hour of Lord Howe and for the whole day that Apia skipped (30 December
  2011): whatever starts and ends within such a hole has no length and is no turn of anybody.

Time zones are IANA names; days and times of day are those of the zone; instants are aware and in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watchbill.kit.errors import Refused
from watchbill.kit.spans import Span

DAY = timedelta(days=1)
MIDNIGHT = time(0)
_REMEMBERED = 65_536


def start_instant(day: date, at: time, zone: str) -> datetime:
    """Give the instant at which something starts that starts at `at` on `day`: the first occurrence."""
    return _instant(day, at, zone, 0)


def end_instant(day: date, at: time, zone: str) -> datetime:
    """Give the instant at which something ends that ends at `at` on `day`: the last occurrence."""
    return _instant(day, at, zone, 1)


def day_of(instant: datetime, zone: str) -> date:
    """Give the day that the calendar on the wall shows at `instant`."""
    return instant.astimezone(ZoneInfo(zone)).date()


def whole_days(first: date, last: date, zone: str) -> Span:
    """Give the time from the start of `first` to the end of `last`, both days included."""
    return Span(start_instant(first, MIDNIGHT, zone), start_instant(last + DAY, MIDNIGHT, zone))


def by_days(span: Span, zone: str) -> list[Span]:
    """Cut a time at the midnights that lie in it."""
    pieces, start = [], span.start
    while start < span.end:
        end = min(span.end, whole_days(day := day_of(start, zone), day, zone).end)
        pieces.append(Span(start, end))
        start = end
    return pieces


def said_day(day: date) -> str:
    """Say a day in a sentence: 5 March 2026."""
    return f"{day.day} {day:%B %Y}"


def check_zone(zone: str, field: str = "zone") -> str:
    """Give `zone` back when it is an IANA time zone, or raise Refused."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(f"{zone!r} is not a time zone; write it like Europe/London", field) from None
    return zone


@lru_cache(maxsize=_REMEMBERED)
def _instant(day: date, at: time, zone: str, fold: int) -> datetime:
    wall = datetime.combine(day, at, ZoneInfo(zone))
    first, last = wall.replace(fold=0).astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
    # A time that exists keeps first <= last; one that a change of clock skipped turns them around (PEP 495).
    if first > last:
        return _end_of_hole(last, first, zone)
    return last if fold else first


def _end_of_hole(before: datetime, after: datetime, zone: str) -> datetime:
    tz = ZoneInfo(zone)
    old = before.astimezone(tz).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(tz).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
