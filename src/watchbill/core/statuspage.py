"""The status page, the pure part: from facts to what the public sees, which can hold nothing else.

History: a day is the page's own (midnight to midnight in its zone, half-open in UTC, so 23 or 25 hours when the clock
changes). Of several conditions at once the worst counts. Up means: no outage, partial or full; slow and planned work
are up. A component has no history before it stood on the page, and none ahead of now. Instants are UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

OPERATIONAL, MAINTENANCE = "operational", "maintenance"
DEGRADED, PARTIAL, MAJOR = "degraded", "partial_outage", "major_outage"
# From the best to the worst.
CONDITIONS = (OPERATIONAL, MAINTENANCE, DEGRADED, PARTIAL, MAJOR)
DOWN = {PARTIAL, MAJOR}
CONDITION_WORDS = {
    OPERATIONAL: "Works",
    MAINTENANCE: "Planned work",
    DEGRADED: "Slow or shaky",
    PARTIAL: "Down for some",
    MAJOR: "Down",
}
OVERALL_WORDS = {
    OPERATIONAL: "Everything works",
    MAINTENANCE: "Planned work is under way",
    DEGRADED: "Some things are slow or shaky",
    PARTIAL: "Some things are down for some people",
    MAJOR: "Something is down",
}
TROUBLE = "Something is wrong, and we are on it"
STATES = ("investigating", "identified", "monitoring", "resolved")
STATE_WORDS = {
    "investigating": "We are looking into it",
    "identified": "We know what it is",
    "monitoring": "It works again, and we keep watching",
    "resolved": "Over",
}
TOLD_AS = {"active": "investigating", "mitigated": "monitoring", "closed": "resolved"}
NOTICE_WORDS = {
    "announced": "Ahead",
    "in_progress": "Under way",
    "done": "Done",
    "cancelled": "Called off",
}
NOTICE_SAID = {
    **NOTICE_WORDS,
    "announced": "Announced",
    "reminded": "A reminder",
    "moved": "Moved",
    "begun": "Begun",
    "extended": "Takes longer",
}
DAYS = 90
HOLDS = "Up means no outage, partial or full; slow moments and planned work count as up."
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Component:
    """A component of a page, and since when it stands there."""

    id: int
    name: str
    since: datetime
    group: str = ""
    description: str = ""


@dataclass(frozen=True)
class Spell:
    """How a component was, from when until when (None: still), and because of what."""

    component: int
    condition: str
    starts_at: datetime
    ends_at: datetime | None = None
    incident: int | None = None
    notice: int | None = None


@dataclass(frozen=True)
class Update:
    """What was said in public, as it was told; `corrects` is the id of the one that this one puts right."""

    id: int
    state: str
    text: str
    at: datetime
    corrects: int | None = None


@dataclass(frozen=True)
class Incident:
    """An incident that was published: its public title, and its public updates. An exercise or a private one never shows."""

    id: int
    title: str
    since: datetime
    published_at: datetime
    ended_at: datetime | None = None
    updates: Sequence[Update] = ()
    is_exercise: bool = False
    is_private: bool = False
    is_withdrawn: bool = False

    @property
    def is_public(self) -> bool:
        """Tell whether the public may know of it."""
        return not (self.is_exercise or self.is_private or self.is_withdrawn)


@dataclass(frozen=True)
class Notice:
    """Planned work that was announced to the public."""

    id: int
    title: str
    text: str
    state: str
    starts_at: datetime
    ends_at: datetime
    components: Sequence[int] = ()
    updates: Sequence[Update] = ()


@dataclass(frozen=True)
class Facts:
    """What a page is made of."""

    title: str
    intro: str = ""
    zone: str = "UTC"
    components: Sequence[Component] = ()
    spells: Sequence[Spell] = ()
    incidents: Sequence[Incident] = ()
    notices: Sequence[Notice] = ()


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


@dataclass(frozen=True)
class ShownComponent:
    """A component as the public sees it; `uptime` in percent, None while there is no history."""

    id: int
    name: str
    group: str
    description: str
    condition: str
    since: datetime
    days: tuple[Day, ...]
    uptime: float | None


@dataclass(frozen=True)
class ShownUpdate:
    """What was said, and when."""

    id: int
    state: str
    text: str
    at: datetime


@dataclass(frozen=True)
class ShownIncident:
    """An incident as the public sees it; its updates newest first. `condition` is the worst that it did to a component."""

    id: int
    title: str
    state: str
    condition: str
    since: datetime
    published_at: datetime
    ended_at: datetime | None
    components: tuple[int, ...]
    updates: tuple[ShownUpdate, ...]

    @property
    def changed_at(self) -> datetime:
        """Give when something was last said."""
        said = self.updates[0].at if self.updates else self.published_at
        return max(said, self.ended_at) if self.ended_at else said


@dataclass(frozen=True)
class ShownNotice:
    """Planned work as the public sees it; its updates newest first."""

    id: int
    title: str
    text: str
    state: str
    starts_at: datetime
    ends_at: datetime
    components: tuple[int, ...]
    updates: tuple[ShownUpdate, ...]


@dataclass(frozen=True)
class View:
    """All that a page shows. Nothing else may ever reach the public."""

    title: str
    intro: str
    zone: str
    at: datetime
    condition: str
    words: str
    components: tuple[ShownComponent, ...]
    incidents: tuple[ShownIncident, ...]
    notices: tuple[ShownNotice, ...]

    @property
    def groups(self) -> list[tuple[str, list[ShownComponent]]]:
        """Give the components by group, in the order in which each group comes first."""
        found: dict[str, list[ShownComponent]] = {}
        for one in self.components:
            found.setdefault(one.group, []).append(one)
        return list(found.items())

    @property
    def open_incidents(self) -> list[ShownIncident]:
        """Give what is not over."""
        return [one for one in self.incidents if one.ended_at is None]

    def days(self, most: int) -> list[tuple[date, list[ShownIncident]]]:
        """Give the last `most` days of the page, today first, each with the incidents that began on it."""
        zone = ZoneInfo(self.zone)
        today = self.at.astimezone(zone).date()
        return [
            (day, [one for one in self.incidents if one.since.astimezone(zone).date() == day])
            for day in (today - timedelta(days=back) for back in range(most))
        ]


def public_view(facts: Facts, now: datetime) -> View:
    """Decide what the public sees of a page now."""
    incidents = [one for one in facts.incidents if one.is_public]
    spells = _public_spells(facts, {one.id for one in incidents})
    zone = ZoneInfo(facts.zone)
    components = tuple(
        _show_component(one, [spell for spell in spells if spell.component == one.id], zone, now)
        for one in facts.components
    )
    shown = tuple(_show_incident(one, spells) for one in sorted(incidents, key=lambda one: (one.since, one.id))[::-1])
    condition = worst(one.condition for one in components)
    return View(
        title=facts.title,
        intro=facts.intro,
        zone=facts.zone,
        at=now,
        condition=condition,
        words=_overall(condition, shown),
        components=components,
        incidents=shown,
        notices=tuple(_show_notice(one) for one in sorted(facts.notices, key=lambda one: (one.starts_at, one.id))),
    )


def _overall(condition: str, incidents: Sequence[ShownIncident]) -> str:
    watching = all(one.state == "monitoring" for one in incidents if one.ended_at is None)
    is_open = any(one.ended_at is None for one in incidents)
    if condition in {OPERATIONAL, MAINTENANCE} and is_open:
        return STATE_WORDS["monitoring"] if watching else TROUBLE
    return OVERALL_WORDS[condition]


def worst(conditions: Iterable[str]) -> str:
    """Give the worst of some conditions; of none: operational."""
    return max(conditions, key=CONDITIONS.index, default=OPERATIONAL)


def _public_spells(facts: Facts, incidents: set[int]) -> list[Spell]:
    """Keep what is because of something that the public may know of."""
    notices = {one.id for one in facts.notices if one.state in {"in_progress", "done"}}
    return [one for one in facts.spells if one.incident in incidents or one.notice in notices]


def _show_component(one: Component, spells: Sequence[Spell], zone: ZoneInfo, now: datetime) -> ShownComponent:
    days = history(spells, one.since, zone, now)
    return ShownComponent(
        id=one.id,
        name=one.name,
        group=one.group,
        description=one.description,
        condition=worst(spell.condition for spell in spells if _holds(spell, now)),
        since=one.since,
        days=days,
        uptime=uptime(days, one.since, zone, now),
    )


def _holds(spell: Spell, at: datetime) -> bool:
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


def _show_incident(one: Incident, spells: Sequence[Spell]) -> ShownIncident:
    mine = [spell for spell in spells if spell.incident == one.id]
    updates = _show_updates(one.updates)
    state = "resolved" if one.ended_at else (updates[0].state if updates else "investigating")
    return ShownIncident(
        id=one.id,
        title=one.title,
        state=state,
        condition=worst(spell.condition for spell in mine),
        since=one.since,
        published_at=one.published_at,
        ended_at=one.ended_at,
        components=tuple(dict.fromkeys(spell.component for spell in mine)),
        updates=updates,
    )


def _show_updates(updates: Sequence[Update]) -> tuple[ShownUpdate, ...]:
    """Show what was said, newest first; what was put right is shown as it was put right."""
    corrected = {one.corrects for one in updates}
    said = [one for one in updates if one.id not in corrected]
    return tuple(
        ShownUpdate(one.id, TOLD_AS.get(one.state, one.state), one.text, one.at)
        for one in sorted(said, key=lambda one: (one.at, one.id))[::-1]
    )


def _show_notice(one: Notice) -> ShownNotice:
    return ShownNotice(
        id=one.id,
        title=one.title,
        text=one.text,
        state=one.state,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        components=tuple(one.components),
        updates=tuple(
            ShownUpdate(said.id, said.state, said.text, said.at)
            for said in sorted(one.updates, key=lambda said: (said.at, said.id))[::-1]
        ),
    )
