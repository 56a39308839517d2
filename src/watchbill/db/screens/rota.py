"""What the rota pages show: whose watch it is, who follows, a rotation's story, a year of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from watchbill.core.rota import describe, moves, pattern, turns
from watchbill.core.rota.holidays import public_holidays
from watchbill.core.wallclock import MIDNIGHT, day_of, start_instant
from watchbill.db import rota_facts
from watchbill.db.models import Absence, Membership, Override, Person, Rotation, RotationRevision, Shift, Team
from watchbill.db.screens.strip import (
    OVER_CLOSED_DAYS,
    Seat,
    Seats,
    Strip,
    Watch,
    join,
    lay_out,
    read_watches,
    say_times,
)
from watchbill.kit.errors import Refused

AHEAD = timedelta(days=120)
BACK = timedelta(days=8)


@dataclass(frozen=True)
class Stand:
    """One seat at an instant: who has it until when, and what follows. None: nobody, or nothing published."""

    seat: Seat
    now: Watch | None
    following: list[Watch]

    @property
    def next(self) -> Watch | None:
        """Who comes next."""
        return self.following[0] if self.following else None


@dataclass(frozen=True)
class Standing:
    """A rotation at an instant, and when the reader is next on watch in it."""

    rotation: Rotation
    seats: list[Stand]
    mine: Watch | None
    my_next: Watch | None


def rotations_for(reader: Person) -> list[Rotation]:
    """Read the rotations in use of the reader's teams, those in which they serve first by team and name."""
    rows = Rotation.objects.filter(archived_at=None, team__archived_at=None).select_related("team")
    mine = rows.filter(team__memberships__person=reader)
    if reader.is_superuser and not mine.exists():
        mine = rows
    return list(mine.order_by("team__name", "name", "id"))


def standings(rotations: Sequence[Rotation], seats: Seats, reader: Person, now: datetime) -> list[Standing]:
    """Read who stands the watch now and who follows, for several rotations in one query."""
    watches = read_watches(rotations, now - BACK, now + AHEAD)
    found = []
    for rotation in rotations:
        own = [watch for watch in watches if watch.rotation.pk == rotation.pk]
        stands = [
            _stand(seat, [w for w in own if w.seat == seat.name], now)
            for seat in seats
            if seat.rotation.pk == rotation.pk
        ]
        mine = [w for w in join_seats(own) if w.person == reader.pk and w.end > now]
        current = next((w for s in stands if (w := s.now) and w.person == reader.pk), None)
        after = current.end if current else now
        found.append(Standing(rotation, stands, current, next((w for w in mine if w.start >= after), None)))
    return found


def join_seats(watches: Sequence[Watch]) -> list[Watch]:
    """Join the shifts of each seat, and give them all by start."""
    seats = dict.fromkeys(watch.seat for watch in watches)
    joined = [whole for seat in seats for whole in join([w for w in watches if w.seat == seat], OVER_CLOSED_DAYS)]
    return sorted(joined, key=lambda watch: watch.start)


def _stand(seat: Seat, watches: Sequence[Watch], now: datetime) -> Stand:
    running = any(w.start <= now < w.end for w in watches)
    whole = join(watches, OVER_CLOSED_DAYS)
    current = next((w for w in whole if w.start <= now < w.end), None) if running else None
    for later in whole:
        # A turn and an override that follow on each other are one watch to whoever stands them.
        if current and (later.start, later.person) == (current.end, current.person):
            current = replace(current, end=later.end)
    ahead = [w for w in watches if w.start >= (current.end if current else now)]
    return Stand(seat, current, join(ahead, OVER_CLOSED_DAYS)[:3])


def holidays_of(team: Team, first: date, last: date) -> dict[date, str]:
    """Read the public holidays of a team's calendar from `first` to `last`, both included, by name."""
    if not team.holiday_country:
        return {}
    try:
        found = public_holidays(team.holiday_country, team.holiday_subdivision, range(first.year, last.year + 1))
    except Refused:
        return {}  # a calendar that the library no longer knows closes nothing
    return {day: name for day, name in found.items() if first <= day <= last}


@dataclass(frozen=True)
class Story:
    """Everything about one rotation that its page tells."""

    revision: RotationRevision
    words: list[str]
    ticks: list[tuple[str, list[turns.Tick]]]
    overrides: list[Override]
    absences: list[Absence]
    revisions: list[RotationRevision]
    members: list[str]
    gap: Watch | None = None


def read_story(rotation: Rotation, watches: Sequence[Watch], now: datetime) -> Story:
    """Read a rotation's plan in words, its ticks (ROT-05), what is taken and who is away ahead, and its revisions."""
    revisions = list(rotation.revisions.select_related("adopted_by").order_by("-version")[:20])
    revision = revisions[0]
    plan = rota_facts.plan_with(rotation, revision.settings, revision.progress, now)
    ticks = turns.served_ticks(plan.rotation, plan.absences, now, plan.checkpoint)
    follows = calendar_of(rotation.team) if revision.settings.get("follow_holidays") else ""
    people = [member.person for member in plan.rotation.members]
    overrides = Override.objects.filter(rotation=rotation, removed_at=None, ends_at__gt=now)
    return Story(
        revision,
        describe.describe(plan.rotation, follows),
        [(", ".join(seats), list(line)) for seats, line in groupby(ticks, key=lambda tick: tick.seats)],
        list(overrides.select_related("person", "created_by").order_by("starts_at", "id")),
        absences_of(people, now),
        revisions,
        [member.name for member in plan.rotation.members],
        next((w for w in watches if w.person is None and w.end > now), None),
    )


def calendar_of(team: Team) -> str:
    """Name a team's holiday calendar."""
    return " ".join(part for part in (team.holiday_country, team.holiday_subdivision) if part)


def absences_of(people: Iterable[int], now: datetime) -> list[Absence]:
    """Read who of these people is away now or later."""
    since = (now - timedelta(days=1)).date()
    rows = Absence.objects.filter(person_id__in=list(people), removed_at=None, last_day__gte=since)
    return list(rows.select_related("person", "created_by").order_by("first_day", "id"))


@dataclass
class Share:
    """What one person serves in twelve months."""

    name: str
    turns: int = 0
    days: int = 0
    hours: float = 0
    weekend: int = 0
    holidays: int = 0
    away: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Month:
    """One month of a year: its strip, its holidays by name, and who is away in it."""

    name: str
    strip: Strip
    holidays: list[str]
    away: list[str]


@dataclass(frozen=True)
class Year:
    """Twelve months of one rotation."""

    first: date
    last: date
    months: list[Month]
    shares: list[Share]


def read_year(rotation: Rotation, seats: Seats, reader: Person, first: date, now: datetime) -> Year:
    """Read twelve months of published shifts from the month of `first`, and what each person serves in them."""
    begins = [_month_on(first, n) for n in range(13)]
    last = begins[-1] - timedelta(days=1)
    start, end = (start_instant(day, MIDNIGHT, reader.zone) for day in (begins[0], begins[-1]))
    watches = read_watches([rotation], start, end)
    holidays = holidays_of(rotation.team, begins[0], last)
    people = {watch.person for watch in watches if watch.person} | _members(rotation)
    rows = Absence.objects.filter(
        person_id__in=people, removed_at=None, first_day__lte=last, last_day__gte=begins[0]
    ).select_related("person")
    absences = list(rows.order_by("first_day"))
    months = [_month(month, watches, seats, reader, now, holidays, absences) for month in begins[:-1]]
    return Year(begins[0], last, months, shares(watches, absences, holidays, reader.zone, start, end))


def _month_on(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _members(rotation: Rotation) -> set[int]:
    return {member["person"] for member in rota_facts.newest_revision(rotation).settings.get("members", [])}


def _month(
    first: date,
    watches: Sequence[Watch],
    seats: Seats,
    reader: Person,
    now: datetime,
    holidays: Mapping[date, str],
    absences: Sequence[Absence],
) -> Month:
    last = _month_on(first, 1) - timedelta(days=1)
    start = start_instant(first, MIDNIGHT, reader.zone)
    end = start_instant(last + timedelta(days=1), MIDNIGHT, reader.zone)
    own = [watch for watch in watches if watch.start < end and watch.end > start]
    strip = lay_out(own, seats, reader, first, last.day, now, holidays, columns=31)
    away = [
        f"{absence.person.get_short_name()} {say_days(max(absence.first_day, first), min(absence.last_day, last))}"
        for absence in absences
        if absence.first_day <= last and absence.last_day >= first
    ]
    return Month(
        f"{first:%b %Y}" if first.month == 1 else f"{first:%b}",
        strip,
        [f"{d:%a} {d.day} {n}" for d, n in holidays.items() if first <= d <= last],
        away,
    )


def say_days(first: date, last: date) -> str:
    """Say days of one month, such as 9–13."""
    return f"{first.day}" if first == last else f"{first.day}–{last.day}"


def shares(
    watches: Sequence[Watch],
    absences: Sequence[Absence],
    holidays: Mapping[date, str],
    zone: str,
    start: datetime,
    end: datetime,
) -> list[Share]:
    """Count what each person serves in [start, end): turns, days on which they serve, hours, weekends, holidays."""
    found: dict[int, Share] = {}
    days: dict[int, set[date]] = {}
    counted: dict[int, set[tuple[str, int, datetime | None]]] = {}
    for watch in watches:
        if watch.person is None:
            continue
        share = found.setdefault(watch.person, Share(watch.name))
        cut_start, cut_end = max(watch.start, start), min(watch.end, end)
        share.hours += (cut_end - cut_start).total_seconds() / 3600
        # An override outside every turn has turn 0: each of those counts by itself.
        counted.setdefault(watch.person, set()).add((watch.seat, watch.turn, None if watch.turn else watch.start))
        first, last = day_of(cut_start, zone), day_of(cut_end - timedelta.resolution, zone)
        served = {first + timedelta(days=n) for n in range((last - first).days + 1)}
        days.setdefault(watch.person, set()).update(served)
    for person, share in found.items():
        kinds = Counter("holiday" if d in holidays else "weekend" if d.weekday() >= 5 else "" for d in days[person])
        share.turns, share.days = len(counted[person]), len(days[person])
        share.weekend, share.holidays, share.hours = kinds["weekend"], kinds["holiday"], round(share.hours)
        share.away = [_say_absence(absence) for absence in absences if absence.person_id == person]
    return sorted(found.values(), key=lambda share: (-share.hours, share.name))


def _say_absence(absence: Absence) -> str:
    first, last = absence.first_day, absence.last_day
    if first == last:
        return f"{first.day} {first:%b}"
    return f"{first.day} {first:%b} – {last.day} {last:%b}"


def members_to_choose(team: Team) -> list[tuple[int, str]]:
    """List the people who can stand a team's watch, by name."""
    rows = Membership.objects.filter(team=team, role__in=("owner", "member"), person__is_active=True)
    return list(rows.order_by("person__name").values_list("person", "person__name"))


@dataclass(frozen=True)
class Moved:
    """A stretch that passes from one person to another, in words; `mine` when the reader loses or gets it."""

    seat: str
    times: str
    before: str
    after: str
    mine: bool


def say_moves(found: Sequence[moves.Move], names: Mapping[int, str], reader: Person) -> list[Moved]:
    """Say whom a change would move, in the reader's zone."""
    return [
        Moved(
            move.seat,
            say_times(move.start, move.end, reader.zone),
            names.get(move.before or 0, "nobody"),
            names.get(move.after or 0, "nobody"),
            reader.pk in {move.before, move.after},
        )
        for move in found
    ]


def names_of(*shifts: Sequence[pattern.Shift]) -> dict[int, str]:
    """Read the names of those who stand these shifts."""
    people = {shift.person for some in shifts for shift in some if shift.person}
    return dict(Person.objects.filter(pk__in=people).values_list("pk", "name"))


def watch_at(rotation: Rotation, seat: str, start: datetime, end: datetime) -> list[Shift]:
    """Read the published shifts of a seat ("" for every one) that meet [start, end)."""
    rows = rota_facts.published(rotation, start, end)
    return [row for row in rows if seat in {"", row.seat}]
