"""The stretches of a rotation: from handoff to handoff, cut by coverage.

Handoffs are wall-clock times of the rotation's zone and count as starts (`watchbill.core.wallclock`), hours too:
every 12 hours from 08:00 hands over at 08:00 and 20:00 on both sides of a change of clock, and the turn between
is an hour longer or shorter. A stretch without covered time is left out, so nobody spends a turn on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import count

from watchbill.core.coverage import WORKING_WEEK, Coverage, Window, is_working_day, spans
from watchbill.core.rota.pattern import Rotation, Seat
from watchbill.core.wallclock import DAY, day_of, start_instant
from watchbill.kit.spans import Span

_MINUTES_A_DAY = 24 * 60
_MONTHS = {"month": 1, "quarter": 3}
_UNITS_A_DAY = {"hours": 24.0, "day": 1.0, "week": 1 / 7, "month": 12 / 366, "quarter": 4 / 366}


@dataclass(frozen=True)
class Stretch:
    """The time of one turn in one seat (by its place in the rotation), and the covered parts of it."""

    place: int
    span: Span
    parts: tuple[Span, ...]


def stretches(rotation: Rotation, place: int, since: datetime, until: datetime) -> Iterator[Stretch]:
    """Give the stretches of a seat that begin in [since, until), in order; the first may begin in mid-turn."""
    seat = rotation.seats[place]
    coverage = coverage_of(rotation, seat)
    start = since
    for end in _handoffs_after(rotation, seat, since):
        if start >= until:
            return
        parts = spans(coverage, Span(start, end)) if start < end else []
        if parts:
            yield Stretch(place, Span(start, end), tuple(parts))
        start = end


def beginning(rotation: Rotation) -> datetime:
    """Give the instant at which a rotation begins."""
    return start_instant(rotation.starts_on, rotation.handoff_at, rotation.zone)


def coverage_of(rotation: Rotation, seat: Seat) -> Coverage | None:
    """Give the hours of a seat: its own, or those of the rotation; None is round the clock."""
    windows = rotation.coverage if seat.coverage is None else seat.coverage
    return None if windows is None else Coverage(rotation.zone, windows, rotation.holidays)


def _handoffs_after(rotation: Rotation, seat: Seat, since: datetime) -> Iterator[datetime]:
    if rotation.unit == "working_day":
        return _working_handoffs(rotation, seat, since)
    first = _last_handoff_until(rotation, seat, since) + 1
    return (_handoff(rotation, seat, number) for number in count(first))


def _working_handoffs(rotation: Rotation, seat: Seat, since: datetime) -> Iterator[datetime]:
    windows = rotation.coverage
    if windows is None:
        windows = (Window(WORKING_WEEK, time(0), time(0)),)
    calendar = Coverage(rotation.zone, windows, rotation.holidays)
    if not any(window.weekdays for window in windows):
        return
    days = (rotation.starts_on + number * DAY for number in count())
    working = (day for day in days if is_working_day(calendar, day))
    for number, day in enumerate(working):
        if (number - seat.offset) % rotation.every == 0:
            handoff = start_instant(day, rotation.handoff_at, rotation.zone)
            if handoff > since:
                yield handoff


def _last_handoff_until(rotation: Rotation, seat: Seat, since: datetime) -> int:
    days = (day_of(since, rotation.zone) - rotation.starts_on).days
    number = int(days * _UNITS_A_DAY[rotation.unit] - seat.offset) // rotation.every
    while _handoff(rotation, seat, number) > since:
        number -= 1
    while _handoff(rotation, seat, number + 1) <= since:
        number += 1
    return number


def _handoff(rotation: Rotation, seat: Seat, number: int) -> datetime:
    steps = number * rotation.every + seat.offset
    first, at = rotation.starts_on, rotation.handoff_at
    match rotation.unit:
        case "hours":
            days, minutes = divmod(at.hour * 60 + at.minute + steps * 60, _MINUTES_A_DAY)
            day, at = first + days * DAY, time(minutes // 60, minutes % 60)
        case "week":
            day = first + (steps * 7 - (first.weekday() - rotation.handoff_weekday) % 7) * DAY
        case "month" | "quarter":
            day = _first_of(first, _MONTHS[rotation.unit], steps)
        case _:
            day = first + steps * DAY
    return start_instant(day, at, rotation.zone)


def _first_of(day: date, months: int, steps: int) -> date:
    """Give the first day of the month (or quarter, of three months) of `day`, moved by so many of them."""
    number = ((day.year * 12 + day.month - 1) // months + steps) * months
    return date(number // 12, number % 12 + 1, 1)
