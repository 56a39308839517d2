"""Days and times as people write them in reports, and the clock that gives a timeline its instants.

A time stands often without a day, a day without a year, and what follows midnight under the old day. The clock keeps
the day that was last named; whatever it had to guess, it says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from watchbill.core.reports.words import NO_ZONE
from watchbill.core.reports.zones import zone_named
from watchbill.core.wallclock import start_instant

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,?[ ]+)?"
_DAY = (
    r"(?:(?P<iso>\d{4}-\d\d-\d\d)(?!\d)"
    rf"|{_WEEKDAY}{_MONTH.format('m1')}[ ]+(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:])(?:,?[ ]+(?P<y1>(?:19|20)\d\d)(?![\d:]))?"
    rf"|{_WEEKDAY}(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?[ ]+{_MONTH.format('m2')}(?![a-z])(?:,?[ ]+(?P<y2>(?:19|20)\d\d)(?![\d:]))?"
    r"|(?P<d3>\d{1,2})\.(?P<m3>\d{1,2})\.(?P<y3>(?:19|20)\d\d)(?!\d))"
)
_TIME = (
    r"(?:(?P<h>\d{1,2}):(?P<min>\d\d)(?::(?P<s>\d\d))?(?![\d:])(?:[ ]?(?P<half>[ap])\.?m\b\.?)?"
    r"|(?P<hh>\d{1,2})[ ]?(?P<half2>[ap])\.?m\b\.?)"
    r"(?:[ ]?(?P<zone>UTC[+-]\d{1,2}|[A-Z]{2,4})(?![A-Za-z0-9]))?"
)
_LEAD = re.compile(
    rf"[*_`(\[]{{0,3}}(?P<all>(?P<day>{_DAY})?(?:,?[ ]*(?:at[ ]|T|[-–—])?[ ]*(?P<time>{_TIME}))?)[*_`)\]:]{{0,4}}"
    r"(?:[ ]+[-–—|][ ]+|[ ]*[:–—][ ]+|[ ]+|$)",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(rf"(?<![\w.]){_DAY}(?![\w])", re.IGNORECASE)
_SPAN = re.compile(rf"(?P<from>{_DAY}(?:,?[ ]*at[ ]|[ ,]+){_TIME})[ ]+(?:to|until|[-–—])[ ]+(?P<to>.+)", re.IGNORECASE)
_LONGEST = 200
_BACK = timedelta(hours=1)
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Day:
    """A day as written: the year may be missing."""

    year: int | None
    month: int
    of_month: int

    def near(self, other: date | None) -> date | None:
        """Give the whole day; a missing year is the one that brings it nearest to `other`. None when there is none."""
        if self.year is not None:
            return _date(self.year, self.month, self.of_month)
        if other is None:
            return None
        around = (_date(other.year + by, self.month, self.of_month) for by in (0, -1, 1))
        found = [each for each in around if each]
        return min(found, key=lambda each: abs(each - other)) if found else None


@dataclass(frozen=True, slots=True)
class Lead:
    """What a line begins with: a day, a time of day or both, as `written`; and the rest of the line.

    `half` is "a", "p" or "" where neither AM nor PM is written. `zone` is the zone's name beside the time.
    """

    written: str
    rest: str
    day: Day | None = None
    wall: time | None = None
    half: str = ""
    zone: str = ""


def lead_of(line: str) -> Lead | None:
    """Read the day and the time that a line begins with; None when it begins with neither."""
    line = line.lstrip(" ")
    # What a line begins with is short: the expressions never see more of a text that anybody may have written.
    found = _LEAD.match(line[:_LONGEST])
    if not found or not found["all"].strip():
        return None
    day = _day(found) if found["day"] else None
    wall = _wall(found) if found["time"] else None
    if (found["day"] and not day) or (found["time"] and wall is None):
        return None
    zone, end = found["zone"] or "", found.end()
    written = found["all"].strip()
    if zone and not zone_named(zone):
        written, end, zone = written[: -len(zone)].rstrip(), found.start("zone"), ""
    half = (found["half"] or found["half2"] or "").lower()
    return Lead(written, line[end:].lstrip(" "), day, wall, half, zone)


def day_in(text: str) -> Day | None:
    """Find the first whole day (with its year) anywhere in a text."""
    days = (_day(found) for found in _ANYWHERE.finditer(text[:_LONGEST]))
    return next((day for day in days if day and day.year), None)


def span_in(text: str) -> tuple[Lead, Lead] | None:
    """Read `Mar 12 at 15:51 to Mar 12 at 16:12`: the two ends, the second on the first one's day if it names none."""
    found = _SPAN.search(text[:_LONGEST])
    if not found:
        return None
    first, last = lead_of(found["from"]), lead_of(found["to"])
    if not first or not last or first.wall is None or last.wall is None:
        return None
    return first, last


def _day(found: re.Match[str]) -> Day | None:
    if found["iso"]:
        year, month, of_month = (int(part) for part in found["iso"].split("-"))
    elif found["m3"]:
        year, month, of_month = int(found["y3"]), int(found["m3"]), int(found["d3"])
    else:
        kind = "1" if found["m1"] else "2"
        month = _MONTHS.index(found[f"m{kind}"][:3].lower()) + 1
        of_month = int(found[f"d{kind}"])
        if not found[f"y{kind}"]:
            # 29 February may be one: whether it is, the year will tell.
            return Day(None, month, of_month) if _date(2024, month, of_month) else None
        year = int(found[f"y{kind}"])
    return Day(year, month, of_month) if _date(year, month, of_month) else None


def _date(year: int, month: int, of_month: int) -> date | None:
    try:
        return date(year, month, of_month) if 1970 <= year <= 2199 else None
    except ValueError:
        return None


def _wall(found: re.Match[str]) -> time | None:
    half = (found["half"] or found["half2"] or "").lower()
    hour, minute = int(found["h"] or found["hh"]), int(found["min"] or 0)
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, minute, int(found["s"] or 0))
    except ValueError:
        return None


class Clock:
    """Gives the times of a timeline their instants, one after the other.

    `day` is where it begins, None when no day is known yet; `zone` is an IANA name or "" when none is known.
    """

    def __init__(self, day: date | None, zone: str) -> None:
        self.day = day
        self.anchor = day
        self.zone = zone
        self._last: datetime | None = None
        self._halves = False

    def turn_to(self, day: Day | None) -> date | None:
        """Go to the start of a day (a heading named it); None for "no day is known"."""
        self.day = day.near(self.day or self.anchor) if day else None
        self._last = None
        return self.day

    def at(self, lead: Lead) -> tuple[datetime | None, str]:
        """Give the instant of what a line begins with, None when it is not known; and why not, or what was guessed."""
        if lead.day:
            self.turn_to(lead.day)
        if lead.wall is None:
            return None, "a day without a time"
        if self.day is None:
            return None, "a time without a day"
        self._halves = self._halves or bool(lead.half)
        wall, guess = self._forward(datetime.combine(self.day, lead.wall), lead.half)
        self.day, self._last = wall.date(), wall
        named = zone_named(lead.zone) if lead.zone else None
        zone = named.iana if named else self.zone
        if not zone:
            return None, NO_ZONE
        return start_instant(wall.date(), wall.time(), zone), guess

    def written(self, lead: Lead, at: datetime | None) -> str:
        """Give a time as it is written, with its day before it when no instant keeps the day."""
        is_bare = at is None and lead.day is None and lead.wall is not None and self.day is not None
        return f"{self.day} {lead.written}" if is_bare else lead.written

    def _forward(self, wall: datetime, half: str) -> tuple[datetime, str]:
        """Timelines run forward: a time that would run back is of the afternoon, or of the next day."""
        if self._last is None or wall >= self._last:
            return wall, ""
        if self._halves and not half and wall.hour < 12 and wall + _HALF_DAY >= self._last:
            return wall + _HALF_DAY, "read as PM, for it follows a later time"
        if self._last - wall > _BACK:
            return wall + timedelta(days=1), "read as the next day, for it follows a later time"
        return wall, ""
