"""A team's hours and its promises in words: for the public page, and beside every deadline (INT-09, INT-13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from watchbill.actions.desk import Desk
from watchbill.core.clocks import Waits
from watchbill.core.coverage import Coverage, Window, spans
from watchbill.core.rota.describe import DAYS
from watchbill.core.wallclock import by_days
from watchbill.db.models import SupportRequest
from watchbill.db.support_facts import waits_of
from watchbill.kit.spans import Span, subtract
from watchbill.rules import request_classes

DAYS_SHOWN = 6
WHAT = {"first_response": "first answer", "resolution": "resolution", "": ""}


@dataclass(frozen=True)
class Reckoning:
    """Why a deadline stands where it stands: the promise in a sentence, and how it was used up so far, by day."""

    promise: str
    used: list[str]


def hours_of(coverage: Coverage | None) -> list[str]:
    """Say when a team promises to respond, a line per window; the zone is not said."""
    if coverage is None:
        return ["Day and night, every day"]
    return [f"{_days(sorted(window.weekdays))}, {_times(window)}" for window in coverage.windows] or ["Not at present"]


def _times(window: Window) -> str:
    if window.start == window.end:
        return "all day"
    end = "24:00" if (window.end.hour, window.end.minute) == (0, 0) else f"{window.end:%H:%M}"
    return f"{window.start:%H:%M} to {end}"


def _days(days: Sequence[int]) -> str:
    if len(days) == len(DAYS):
        return "Every day"
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{DAYS[days[0]]} to {DAYS[days[-1]]}"
    names = [DAYS[day] for day in days]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def place_of(zone: str) -> str:
    """Say a time zone as people do: London time."""
    return "UTC" if zone == "UTC" else f"{zone.rpartition('/')[2].replace('_', ' ')} time"


def promise_words(promise: request_classes.Promise | None, coverage: Coverage | None) -> str:
    """Say a promise; a team that covers day and night has no working hours."""
    if promise is None:
        return ""
    return promise.words() if coverage is not None else promise.words().replace("working ", "")


def reckon(request: SupportRequest, desk: Desk, zone: str) -> Reckoning | None:
    """Explain the deadline of a request in a zone's wall clock; None when nothing is promised."""
    held = request_classes.decide(request.request_class, desk.classes)
    promise = held.resolution if request.due_what == "resolution" or request.first_response_at else held.first_response
    if promise is None or request.state != "open":
        return None
    since = _wall(request.opened_at, zone)
    waits = waits_of(request)
    used = [f"{_length(length)} used on {day}" for day, length in _by_day(request, desk, waits, zone)[-DAYS_SHOWN:]]
    if waits.since is not None:
        used.append(f"standing still since {_wall(waits.since, zone)}, while others have the ball")
    elif waits.past:
        used.append("the time that others had the ball does not count")
    return Reckoning(f"{promise_words(promise, desk.coverage)} from {since}", used)


def _by_day(request: SupportRequest, desk: Desk, waits: Waits, zone: str) -> list[tuple[str, timedelta]]:
    """Add up by day of the wall what of the promise is used up by now."""
    end = min(desk.now, waits.since) if waits.since else desk.now
    covered = spans(desk.coverage, Span(request.opened_at, max(request.opened_at, end)))
    lengths: dict[str, timedelta] = {}
    for part in subtract(covered, waits.past):
        for piece in by_days(part, zone):
            day = f"{piece.start.astimezone(ZoneInfo(zone)):%A %d %b}"
            lengths[day] = lengths.get(day, timedelta()) + piece.length
    return [(day, length) for day, length in lengths.items() if length >= timedelta(minutes=1)]


def _wall(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%A %d %b %H:%M}"


def _length(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    hours, rest = divmod(minutes, 60)
    return f"{hours} hours" + (f" {rest} min" if rest else "")
