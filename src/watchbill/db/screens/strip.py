"""The watch strip: who stands the watch over time, for every page on which time and people meet.

    strip = read_strip(rotations, reader, first, days, now)      what is published; three queries
    {% include "strip.html" %}                                   draws the `strip` of the context

`lay_out` draws shifts that are not published (a preview) on the same days. A strip of several rotations has one row
per seat. Days are those of the reader's zone; each shift says its times in the rotation's zone too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Subquery

from watchbill.core.rota import pattern
from watchbill.core.wallclock import DAY, MIDNIGHT, day_of, start_instant
from watchbill.db.models import Person, Policy, Rotation, RotationRevision, Shift

EMPTY_DAY = 0.45
OVERNIGHT = timedelta(days=1)
OVER_CLOSED_DAYS = timedelta(days=5)


@lru_cache(maxsize=256)
def _quoted(text: str) -> str:
    return quote(text, safe="")


@dataclass(frozen=True)
class Watch:
    """A shift as pages show it, published or not; `person` None is a gap."""

    rotation: Rotation
    seat: str
    person: int | None
    name: str
    start: datetime
    end: datetime
    kind: str
    turn: int
    reason: str
    is_published: bool = True

    @property
    def is_override(self) -> bool:
        """Whether somebody took it from the plan."""
        return self.kind == "override"

    @property
    def address(self) -> str:
        """The page of this shift: why it is so, and the form to take it. Empty for what is not published."""
        if not self.is_published:
            return ""
        start, end = (f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for at in (self.start, self.end))
        return f"/rota/{self.rotation.slug}/take/?seat={_quoted(self.seat)}&from={start}&to={end}"


class Seat(NamedTuple):
    """A seat of a rotation, and what its team calls it."""

    rotation: Rotation
    name: str
    label: str


Seats = Sequence[Seat]


@dataclass(frozen=True)
class Day:
    """One day of the reader's calendar; `left` and `width` in percent of the strip."""

    day: date
    start: datetime
    end: datetime
    is_today: bool
    holiday: str
    left: float = 0
    width: float = 0

    @property
    def place(self) -> str:
        """Where it stands, as CSS."""
        return f"left:{self.left:.3f}%;width:{self.width:.3f}%"

    @property
    def number(self) -> int:
        """The day of the month."""
        return self.day.day

    @property
    def week(self) -> str:
        """What stands above it: the month, and on Mondays the day of the week."""
        return f"{self.day:%a} {self.day.day} {self.day:%b}"

    @property
    def is_weekend(self) -> bool:
        """Whether it is a Saturday or a Sunday."""
        return self.day.weekday() >= 5


@dataclass(frozen=True)
class Piece:
    """A shift on the strip; shifts of one turn that only closed hours divide are one piece."""

    watch: Watch
    label: str
    mine: bool
    left: float
    width: float
    times: str
    title: str

    @property
    def place(self) -> str:
        """Where it stands, as CSS."""
        return f"left:{self.left:.3f}%;width:{self.width:.3f}%"


@dataclass(frozen=True)
class Row:
    """One seat, its pieces in order."""

    seat: Seat
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True)
class Strip:
    """Days and seats; `now_at` is where the present stands, in percent, None when it is not on the strip."""

    days: list[Day]
    rows: list[Row]
    now_at: float | None
    zone: str
    name: str = "Who is on watch"

    @property
    def breadth(self) -> float:
        """How many full days wide it is: days without any watch are narrow."""
        return round(sum(day.width for day in self.days) / max(day.width for day in self.days), 2)

    @property
    def weeks(self) -> list[Day]:
        """The days above which a date is written out: every Monday, and the first if none follows closely."""
        return [day for n, day in enumerate(self.days) if day.day.weekday() == 0 or (n == 0 and day.day.weekday() < 4)]

    @property
    def holidays(self) -> list[Day]:
        """The public holidays on it."""
        return [day for day in self.days if day.holiday]


def read_strip(
    rotations: Sequence[Rotation],
    reader: Person,
    first: date,
    days: int,
    now: datetime,
    holidays: Mapping[date, str] | None = None,
) -> Strip:
    """Read the strip of these rotations (with their teams) for `days` days from `first`."""
    seats = seats_of(rotations)
    until = start_instant(first + days * DAY, MIDNIGHT, reader.zone)
    watches = read_watches(rotations, start_instant(first, MIDNIGHT, reader.zone), until)
    return lay_out(watches, seats, reader, first, days, now, holidays)


def read_watches(rotations: Iterable[Rotation], start: datetime, end: datetime) -> list[Watch]:
    """Read the published shifts of these rotations that meet [start, end), by start."""
    known = {rotation.pk: rotation for rotation in rotations}
    rows = Shift.objects.filter(rotation__in=known, ends_at__gt=start, starts_at__lt=end)
    values = rows.order_by("starts_at", "rotation", "seat").values_list(
        "rotation", "seat", "person", "person__name", "starts_at", "ends_at", "kind", "turn", "reason"
    )
    return [
        Watch(known[number], seat, who, name or "", start, end, kind, turn, reason)
        for number, seat, who, name, start, end, kind, turn, reason in values
    ]


def planned_watches(rotation: Rotation, shifts: Iterable[pattern.Shift], names: Mapping[int, str]) -> list[Watch]:
    """Give shifts that are not published the shape of those that are."""
    return [
        Watch(
            rotation,
            s.seat,
            s.person,
            names.get(s.person or 0, ""),
            s.start,
            s.end,
            s.kind,
            s.turn,
            s.reason,
            is_published=False,
        )
        for s in shifts
    ]


def seats_of(rotations: Collection[Rotation]) -> Seats:
    """Read the seats of rotations as they are in force, in their order, with the team's own words for them (C22)."""
    newest_policy = Policy.objects.filter(team=OuterRef("team")).order_by("-version").values("version")[:1]
    teams = {rotation.team_id for rotation in rotations}
    policies = Policy.objects.filter(team__in=teams, version=Subquery(newest_policy))
    words = {team: labels or {} for team, labels in policies.values_list("team", "settings__labels")}
    newest = RotationRevision.objects.filter(rotation=OuterRef("rotation")).order_by("-version").values("version")[:1]
    rows = RotationRevision.objects.filter(rotation__in=[r.pk for r in rotations], version=Subquery(newest))
    seats = dict(rows.values_list("rotation", "settings__seats"))
    return [
        Seat(rotation, name, words.get(rotation.team_id, {}).get(name) or name.replace("_", " "))
        for rotation in rotations
        for name in [seat["name"] for seat in seats.get(rotation.pk) or [{"name": "engineer"}]]
    ]


def lay_out(
    watches: Sequence[Watch],
    seats: Seats,
    reader: Person,
    first: date,
    days: int,
    now: datetime,
    holidays: Mapping[date, str] | None = None,
    columns: int = 0,
    name: str = "Who is on watch",
) -> Strip:
    """Draw shifts on `days` days from `first`; seats that no longer exist get a row where they still had a shift.

    With `columns` every day has the width of one of so many columns, so that months stand under each other.
    """
    scale = Scale(make_days(first, days, reader.zone, now, holidays or {}), watches, columns)
    labels = label_names(watch.name for watch in watches)
    places = {(seat.rotation.pk, seat.name): seat for seat in seats}
    for watch in watches:
        gone = Seat(watch.rotation, watch.seat, watch.seat.replace("_", " "))
        places.setdefault((watch.rotation.pk, watch.seat), gone)
    by_seat: dict[tuple[int, str], list[Watch]] = {key: [] for key in places}
    for watch in watches:
        by_seat[watch.rotation.pk, watch.seat].append(watch)
    rows = [Row(seat, draw(join(by_seat[key]), scale, reader, labels)) for key, seat in places.items()]
    return Strip(scale.days, rows, scale.at(now) if scale.start <= now < scale.end else None, reader.zone, name)


def make_days(first: date, days: int, zone: str, now: datetime, holidays: Mapping[date, str]) -> list[Day]:
    """List days with their instants; a day that a change of clock cut or stretched has its true length."""
    today = day_of(now, zone)
    found = []
    for day in (first + n * DAY for n in range(days)):
        start, end = start_instant(day, MIDNIGHT, zone), start_instant(day + DAY, MIDNIGHT, zone)
        if start < end:  # a zone may skip a whole day
            found.append(Day(day, start, end, day == today, holidays.get(day, "")))
    return found


class Scale:
    """Where an instant stands on a strip, in percent. Days on which nobody stands any watch are narrow."""

    def __init__(self, days: Sequence[Day], watches: Sequence[Watch], columns: int = 0) -> None:
        busy: set[datetime] = set() if columns else _busy(days, watches)
        weights = [1.0 if day.start in busy or not busy else EMPTY_DAY for day in days]
        total, left = float(columns) or sum(weights), 0.0
        self.days: list[Day] = []
        for day, weight in zip(days, weights, strict=True):
            self.days.append(replace(day, left=100 * left / total, width=100 * weight / total))
            left += weight
        self.start, self.end = days[0].start, days[-1].end
        self._starts = [day.start for day in days]

    def day(self, instant: datetime) -> Day:
        """Give the day that contains an instant, or the nearest one."""
        return self.days[max(bisect_right(self._starts, instant) - 1, 0)]

    def at(self, instant: datetime) -> float:
        """Give the place of an instant."""
        day = self.day(min(max(instant, self.start), self.end))
        part = (instant - day.start) / (day.end - day.start)
        return round(day.left + day.width * min(max(part, 0), 1), 3)


def _busy(days: Sequence[Day], watches: Sequence[Watch]) -> set[datetime]:
    starts = [day.start for day in days]
    busy: set[datetime] = set()
    for watch in watches:
        first = max(bisect_right(starts, watch.start) - 1, 0)
        for day in days[first:]:
            if day.start >= watch.end:
                break
            busy.add(day.start)
    return busy


def join(watches: Sequence[Watch], over: timedelta = OVERNIGHT) -> list[Watch]:
    """Put the shifts of one turn together that only closed hours, less than `over`, divide: a covered week."""
    joined: list[Watch] = []
    for watch in watches:
        last = joined[-1] if joined else None
        if last and _goes_on(last, watch, over):
            joined[-1] = replace(last, end=watch.end)
        else:
            joined.append(watch)
    return joined


def _goes_on(last: Watch, watch: Watch, over: timedelta) -> bool:
    one = (last.seat, last.person, last.turn, last.kind) == (watch.seat, watch.person, watch.turn, watch.kind)
    return one and last.rotation.pk == watch.rotation.pk and watch.start - last.end < over


def label_names(names: Iterable[str]) -> dict[str, str]:
    """Give each name its first word, and the initial of its last one where two would be the same."""
    full = dict.fromkeys(name for name in names if name)
    firsts = Counter(name.split(" ")[0] for name in full)
    return {
        name: words[0] if firsts[words[0]] == 1 or len(words) == 1 else f"{words[0]} {words[-1][0]}."
        for name in full
        for words in [name.split()]
    }


def draw(watches: Sequence[Watch], scale: Scale, reader: Person, labels: Mapping[str, str]) -> list[Piece]:
    """Place the shifts of one seat. Closed hours around a shift of a day are drawn with it: names need the room."""
    edges = [(scale.day(w.start).start, scale.day(w.end - timedelta.resolution).end) for w in watches]
    starts = [edge[0] for edge in edges]
    ends = [edge[1] for edge in edges]
    for n, (last, watch) in enumerate(pairwise(watches)):
        if last.end > starts[n + 1]:
            starts[n + 1] = watch.start
        if watch.start < ends[n]:
            ends[n] = last.end
    return [
        _piece(watch, scale.at(start), scale.at(end), reader, labels)
        for watch, start, end in zip(watches, starts, ends, strict=True)
        if scale.start < watch.end and watch.start < scale.end
    ]


def _piece(watch: Watch, left: float, right: float, reader: Person, labels: Mapping[str, str]) -> Piece:
    times = say_times(watch.start, watch.end, reader.zone)
    zone = watch.rotation.team.zone
    there = "" if zone == reader.zone else f" ({say_times(watch.start, watch.end, zone)} {zone})"
    who = watch.name or "Nobody"
    taken = ", by override" if watch.is_override else ""
    title = f"{who}, {watch.seat}: {times}{there}{taken}. {watch.reason}"
    label = labels.get(watch.name, "nobody")
    return Piece(watch, label, watch.person == reader.pk, left, round(right - left, 3), times, title)


def say_times(start: datetime, end: datetime, zone: str) -> str:
    """Say from when to when, in a zone; the day of the end only when it is another one."""
    here, there = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    last = f"{there:%H:%M}" if here.date() == there.date() else f"{there:%a} {there.day} {there:%b %H:%M}"
    return f"{here:%a} {here.day} {here:%b %H:%M} – {last}"
