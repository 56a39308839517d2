"""The hours in which a team promises response, and what can be asked about them.

A `Coverage` is a set of weekly windows in one time zone, closed on holidays; gaps are legal. Everywhere here
`None` stands for round the clock, every day. Paging conditions, due dates, SLA clocks and rotations all ask this
module, so that they agree. How a wall-clock time becomes an instant: `watchbill.core.wallclock`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from watchbill.core.reading import Fields, read_day, read_weekday
from watchbill.core.wallclock import DAY, check_zone, day_of, end_instant, start_instant
from watchbill.kit.spans import Span, merge

# A window may last 24 h and a zone may skip a whole day: what opened two days ago can still be open.
_REACH = 2 * DAY
_WEEK = timedelta(days=7)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Window:
    """Open on these weekdays (0 is Monday) from `start` to `end`, wall-clock.

    An end of 00:00 is the end of the day; 00:00 to 00:00 is the whole day; an end before the start is on the
    next day. A window belongs to the day on which it opens: a holiday closes what would open on it.
    """

    weekdays: frozenset[int]
    start: time
    end: time


@dataclass(frozen=True)
class Coverage:
    """Weekly windows in `zone`, closed on `holidays`."""

    zone: str
    windows: tuple[Window, ...]
    holidays: frozenset[date] = frozenset()


WHOLE_WEEK = Window(frozenset(range(7)), time(0), time(0))
WORKING_WEEK = frozenset(range(5))


def spans(coverage: Coverage | None, span: Span) -> list[Span]:
    """Give the covered time within `span`, in order, touching windows put together."""
    if coverage is None:
        return [span] if span.length else []
    first, last = day_of(span.start, coverage.zone) - _REACH, day_of(span.end, coverage.zone)
    return [part for whole in _opened_between(coverage, first, last) if (part := whole.cut_to(span))]


def covers(coverage: Coverage | None, instant: datetime) -> bool:
    """Tell whether the team promises response at `instant`."""
    return bool(spans(coverage, Span(instant, instant + _TICK)))


def next_start(coverage: Coverage | None, instant: datetime) -> datetime | None:
    """Give the first start of covered time at or after `instant`; None when it never starts again.

    What never closes never starts: None for round the clock. Inside coverage it is the start after the gap.
    """
    if coverage is None or not coverage.windows:
        return None
    # Always from the same first day: beginning later would show a start where coverage merely goes on.
    first = day_of(instant, coverage.zone) - _REACH
    last, end = first + _WEEK, max([first, *coverage.holidays]) + 2 * _WEEK
    while True:
        for span in _opened_between(coverage, first, last):
            if span.start >= instant:
                return span.start
        if last > end:
            return None
        last += last - first


def covered_time(coverage: Coverage | None, span: Span) -> timedelta:
    """Measure how much of `span` is covered: what an SLA clock shows."""
    return sum((part.length for part in spans(coverage, span)), timedelta(0))


def after_covered(coverage: Coverage | None, instant: datetime, length: timedelta) -> datetime | None:
    """Give the instant at which `length` of covered time has passed since `instant`; None if it never will."""
    left, start = length, instant
    while left > timedelta(0):
        if not covers(coverage, start):
            opening = next_start(coverage, start)
            if opening is None:
                return None
            start = opening
        for part in spans(coverage, Span(start, start + _WEEK)):
            if left <= part.length:
                return part.start + left
            left -= part.length
        start += _WEEK
    return start


def working_days(coverage: Coverage | None, first: date, last: date) -> list[date]:
    """List the days from `first` to `last`, both included, on which coverage opens; None: Monday to Friday."""
    days = (first + n * DAY for n in range((last - first).days + 1))
    return [day for day in days if is_working_day(coverage, day)]


def is_working_day(coverage: Coverage | None, day: date) -> bool:
    """Tell whether coverage opens on `day`; without coverage, whether it is Monday to Friday."""
    if coverage is None:
        return day.weekday() in WORKING_WEEK
    return bool(_opened_on(coverage, day))


def read_coverage(windows: object, zone: str, holidays: Collection[date] = frozenset()) -> Coverage:
    """Read a list of windows as it stands in a policy or a preset. Raises Refused naming the window."""
    found = read_windows(Fields({"coverage": windows}), "coverage")
    return Coverage(check_zone(zone), found or (), frozenset(holidays))


def read_windows(fields: Fields, name: str) -> tuple[Window, ...] | None:
    """Read a list of windows from plain data; None (absent, null) is round the clock. Raises Refused."""
    if fields.raw(name, None) is None:
        return None
    return tuple(_read_window(item) for item in fields.objects(name))


def show_windows(windows: tuple[Window, ...] | None) -> list[dict[str, Any]] | None:
    """Write windows as plain data."""
    if windows is None:
        return None
    return [{"weekdays": sorted(w.weekdays), "start": f"{w.start:%H:%M}", "end": f"{w.end:%H:%M}"} for w in windows]


def from_json(data: object) -> Coverage:
    """Read a coverage from plain data: zone, windows, holidays. Raises Refused naming the field."""
    fields = Fields(data)
    coverage = Coverage(
        zone=check_zone(fields.text("zone"), fields.at("zone")),
        windows=read_windows(fields, "windows") or (),
        holidays=read_holidays(fields),
    )
    fields.done()
    return coverage


def to_json(coverage: Coverage) -> dict[str, Any]:
    """Write a coverage as plain data that `from_json` reads back."""
    return {
        "zone": coverage.zone,
        "windows": show_windows(coverage.windows),
        "holidays": [day.isoformat() for day in sorted(coverage.holidays)],
    }


def read_holidays(fields: Fields) -> frozenset[date]:
    """Read the field `holidays`, a list of dates. Raises Refused naming the entry."""
    days = fields.many("holidays", [])
    return frozenset(read_day(day, f"{fields.at('holidays')}.{place}") for place, day in enumerate(days))


def _read_window(fields: Fields) -> Window:
    days = fields.many("weekdays")
    if not days:
        raise fields.refuse("weekdays", "must name at least one day")
    window = Window(
        weekdays=frozenset(read_weekday(day, f"{fields.at('weekdays')}.{n}") for n, day in enumerate(days)),
        start=fields.clock("start"),
        end=fields.clock("end"),
    )
    fields.done()
    return window


def _opened_between(coverage: Coverage, first: date, last: date) -> list[Span]:
    days = (last - first).days + 1
    return merge(span for n in range(days) for span in _opened_on(coverage, first + n * DAY))


@lru_cache(maxsize=16_384)
def _opened_on(coverage: Coverage, day: date) -> tuple[Span, ...]:
    if day in coverage.holidays:
        return ()
    return tuple(_spans_of_day(coverage, day))


def _spans_of_day(coverage: Coverage, day: date) -> Iterator[Span]:
    for window in coverage.windows:
        if day.weekday() in window.weekdays:
            last = day if window.end > window.start else day + DAY
            start = start_instant(day, window.start, coverage.zone)
            end = end_instant(last, window.end, coverage.zone)
            if start < end:
                yield Span(start, end)
