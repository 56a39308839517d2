"""What the public sees, decided without a database: the history of 90 days, the words, and nothing else."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbill.core import statuspage
from watchbill.core.statuspage import Component, Facts, Incident, Notice, Spell, Update, View, list_days, public_view

NOW = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
SIGN_IN = Component(1, "Sign-in", LONG_AGO)
MINUTE = timedelta(minutes=1)


def published(number: int = 7, **more: Any) -> Incident:
    return Incident(number, "Sign-in does not work", NOW - timedelta(hours=2), NOW - timedelta(hours=1), **more)


def facts(*spells: Spell, incidents: tuple[Incident, ...] = (published(),), **more: Any) -> Facts:
    return Facts("Status", components=(SIGN_IN,), spells=spells, incidents=incidents, **more)


# The oracle asks minute by minute, so that the spells begin and end on one.
SPELLS = st.lists(
    st.builds(
        lambda condition, back, length: (
            condition,
            NOW - back * MINUTE,
            None if length is None else NOW + (length - back) * MINUTE,
        ),
        st.sampled_from(statuspage.CONDITIONS),
        st.integers(0, 4 * 24 * 60),
        st.none() | st.integers(0, 2 * 24 * 60),
    ),
    max_size=6,
)
# The clocks of Berlin went forward the day before.
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Auckland", "Asia/Kathmandu", "America/St_Johns"])


@settings(max_examples=30, deadline=None)
@given(SPELLS, ZONES, st.integers(0, 3 * 24 * 60))
def test_the_minutes_of_the_history_are_those_that_somebody_would_count(
    told: list[tuple[str, datetime, datetime | None]], zone: str, age: int
) -> None:
    """The worst condition of each minute, one after the other, gives the same days and the same uptime."""
    since = NOW - age * MINUTE
    spells = [Spell(1, condition, start, end, incident=7) for condition, start, end in told]
    days = {day.date: day for day in statuspage.history(spells, since, ZoneInfo(zone), NOW)}
    counted: dict[Any, dict[str, int]] = {day: {} for day in days}
    there: set[Any] = set()
    for number in range(age):
        at = since + number * MINUTE
        day = at.astimezone(ZoneInfo(zone)).date()
        there.add(day)
        held = [c for c, start, end in told if start <= at and (end is None or at < end)]
        condition = max(held, key=statuspage.CONDITIONS.index, default="operational")
        if condition != "operational":
            counted[day][condition] = counted[day].get(condition, 0) + 1
    assert {day: dict(one.minutes) for day, one in days.items()} == counted
    assert {day for day, one in days.items() if one.condition is not None} == there
    down = sum(n for day in counted.values() for c, n in day.items() if c in statuspage.DOWN)
    up = statuspage.uptime(list(days.values()), since, ZoneInfo(zone), NOW)
    assert up == (pytest.approx(100 * (age - down) / age) if age else None)


def test_a_history_has_ninety_days_and_the_last_one_is_today_in_the_pages_zone() -> None:
    days = statuspage.history((), LONG_AGO, ZoneInfo("Pacific/Auckland"), NOW)
    assert (len(days), days[-1].date.isoformat(), days[0].condition) == (90, "2026-03-31", "operational")


@pytest.mark.parametrize(
    "hidden", [{"is_exercise": True}, {"is_private": True}, {"is_withdrawn": True}], ids=lambda one: next(iter(one))
)
def test_an_exercise_a_private_and_a_withdrawn_incident_leave_no_trace(hidden: dict[str, bool]) -> None:
    """They are in no list, no state, no history, no uptime."""
    spell = Spell(1, "major_outage", NOW - timedelta(hours=2), incident=7)
    assert public_view(facts(spell, incidents=(published(**hidden),)), NOW) == public_view(facts(incidents=()), NOW)


def test_what_nobody_published_leaves_no_trace() -> None:
    spell = Spell(1, "major_outage", NOW - timedelta(hours=2), incident=8)
    assert public_view(facts(spell), NOW).components[0].condition == "operational"


def test_the_page_says_in_words_how_all_is() -> None:
    """The worst component says it; trouble without a condition is trouble all the same."""
    assert public_view(facts(incidents=()), NOW).words == "Everything works"
    down = Spell(1, "partial_outage", NOW - MINUTE, incident=7)
    assert public_view(facts(down), NOW).words == "Some things are down for some people"
    assert public_view(facts(), NOW).words == "Something is wrong, and we are on it"
    watched = published(updates=(Update(1, "mitigated", "It works again", NOW),))
    assert public_view(facts(incidents=(watched,)), NOW).words == "It works again, and we keep watching"
    assert public_view(facts(incidents=(published(ended_at=NOW),)), NOW).words == "Everything works"


def test_planned_work_counts_when_it_is_under_way_and_is_up() -> None:
    notice = Notice(3, "New disks", "Short breaks", "announced", NOW - MINUTE, NOW + timedelta(hours=1), (1,))
    spell = Spell(1, "maintenance", NOW - timedelta(hours=2), notice=3)
    ahead = public_view(facts(spell, incidents=(), notices=(notice,)), NOW)
    assert (ahead.condition, ahead.notices[0].title) == ("operational", "New disks")
    begun = Notice(3, "New disks", "Short breaks", "in_progress", NOW - MINUTE, NOW + timedelta(hours=1), (1,))
    under_way = public_view(facts(spell, incidents=(), notices=(begun,)), NOW)
    assert (under_way.words, under_way.components[0].uptime) == ("Planned work is under way", 100)


def test_an_update_that_was_put_right_is_shown_as_it_was_put_right() -> None:
    said = (
        Update(1, "investigating", "We look", NOW - 3 * MINUTE),
        Update(2, "identified", "It is the dsik", NOW - 2 * MINUTE),
        Update(3, "identified", "It is the disk", NOW - MINUTE, corrects=2),
    )
    shown = public_view(facts(incidents=(published(updates=said),)), NOW).incidents[0]
    assert [one.text for one in shown.updates] == ["It is the disk", "We look"]
    assert (shown.state, shown.changed_at) == ("identified", NOW - MINUTE)


DAY = timedelta(days=1)


def at(day: int, hour: int = 12) -> datetime:
    """An instant of March 2026, UTC; NOW is noon of the 30th."""
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def incident(number: int, since: datetime, ended_at: datetime | None = None, **more: Any) -> Incident:
    return Incident(number, f"Trouble {number}", since, since, ended_at, **more)


def work(number: int, state: str, starts: datetime, ends: datetime, **said: datetime) -> Notice:
    updates = tuple(Update(place, name, "", when) for place, (name, when) in enumerate(said.items()))
    return Notice(number, f"Work {number}", "", state, starts, ends, (1,), updates)


def listed(*incidents: Incident, most: int = 4, **more: Any) -> dict[int, tuple[list[int], list[int], list[int]]]:
    """The days that are not quiet, by their number in March: told, going and planned."""
    view = public_view(facts(incidents=incidents, **more), NOW)
    days = list_days(view, most)
    assert [day.date for day in days] == [(NOW - back * DAY).date() for back in range(most)]
    return {
        day.date.day: tuple([one.id for one in found] for found in (day.told, day.going, day.planned))  # type: ignore[misc]
        for day in days
        if not day.is_quiet
    }


def test_a_day_tells_of_what_began_on_it_and_is_over() -> None:
    assert listed(incident(1, at(29, 8), at(29, 9))) == {29: ([1], [], [])}
    assert listed() == {}


def test_every_day_on_which_something_goes_on_says_so() -> None:
    """Also today, and also when it began before the list does."""
    assert listed(incident(1, at(29))) == {30: ([], [1], []), 29: ([], [1], [])}
    assert listed(incident(1, at(30, 8))) == {30: ([], [1], [])}
    assert listed(incident(1, at(2))) == {day: ([], [1], []) for day in (30, 29, 28, 27)}


def test_what_lasted_several_days_is_told_on_the_first_and_named_on_the_others() -> None:
    assert listed(incident(1, at(28, 23), at(30, 1))) == {28: ([1], [], []), 29: ([], [1], []), 30: ([], [1], [])}
    assert listed(incident(1, at(28, 23), at(29, 0))) == {28: ([1], [], [])}, "a day is half-open"
    assert listed(incident(1, at(28), at(28))) == {28: ([1], [], [])}, "what lasted no time happened all the same"


@pytest.mark.parametrize("hidden", ["is_exercise", "is_private", "is_withdrawn"])
def test_a_private_incident_or_an_exercise_is_in_no_day(hidden: str) -> None:
    spell = Spell(1, "major_outage", at(28), incident=1)
    more: dict[str, Any] = {hidden: True}
    assert listed(incident(1, at(28), at(29), **more), incident(1, at(30), **more)) == {}
    view = public_view(facts(spell, incidents=(incident(1, at(28), **more),)), NOW)
    assert all(day.is_quiet for day in list_days(view, 14))


def test_planned_work_stands_on_the_days_of_its_plan_and_then_of_what_was_said() -> None:
    tonight, later = work(1, "announced", at(30, 22), at(31, 2)), work(2, "announced", at(31), at(31, 13))
    assert listed(notices=(tonight, later)) == {30: ([], [], [1])}, "what lies ahead is on its own list"
    early = work(3, "in_progress", at(30, 13), at(30, 14), begun=at(29, 23))
    assert listed(notices=(early,)) == {29: ([], [], [3]), 30: ([], [], [3])}
    longer = work(4, "done", at(27, 8), at(27, 9), begun=at(27, 8), done=at(28, 1))
    assert listed(notices=(longer,)) == {27: ([], [], [4]), 28: ([], [], [4])}


def test_work_that_was_called_off_is_told_of_only_when_it_had_begun() -> None:
    assert listed(notices=(work(1, "cancelled", at(29), at(29, 14), cancelled=at(28)),)) == {}
    stopped = work(1, "cancelled", at(28), at(28, 14), begun=at(28), cancelled=at(28, 13))
    assert listed(notices=(stopped,)) == {28: ([], [], [1])}


def test_a_day_is_the_pages_own() -> None:
    """At 23:00 UTC it is the next day in Auckland, where noon of the 30th is one o'clock of the 31st."""
    view = public_view(facts(incidents=(incident(1, at(28, 23), at(28, 23)),), zone="Pacific/Auckland"), NOW)
    assert [day.date.day for day in list_days(view, 4) if day.told] == [29]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30 * 24), st.none() | st.integers(0, 20 * 24)), max_size=4),
    st.lists(st.tuples(st.integers(0, 30 * 24), st.integers(1, 5 * 24)), max_size=3),
    SPELLS,
    ZONES,
)
def test_no_day_on_which_the_public_felt_something_is_ever_quiet(
    troubles: list[tuple[int, int | None]],
    works: list[tuple[int, int]],
    told: list[tuple[str, datetime, datetime | None]],
    zone: str,
) -> None:
    """Asked hour by hour: whatever went on at an hour stands on the day of that hour."""
    hour = timedelta(hours=1)
    incidents = tuple(
        incident(n, NOW - back * hour, None if long is None else min(NOW, NOW + (long - back) * hour))
        for n, (back, long) in enumerate(troubles)
    )
    notices = tuple(
        work(n, "done", NOW - back * hour, NOW + (long - back) * hour) for n, (back, long) in enumerate(works)
    )
    spells = [Spell(1, condition, start, end, incident=0) for condition, start, end in told]
    view = public_view(facts(*spells, incidents=incidents, notices=notices, zone=zone), NOW)
    quiet = {day.date for day in list_days(view, 14) if day.is_quiet}
    for back in range(14 * 24):
        now = NOW - back * hour
        bad = incidents and any(
            condition != "operational" and start <= now and (end is None or now < end) for condition, start, end in told
        )
        on = any(one.since <= now and (one.ended_at is None or now < one.ended_at) for one in incidents)
        worked = any(one.starts_at <= now < one.ends_at for one in notices)
        if (on or worked or bad) and now < NOW:
            assert now.astimezone(ZoneInfo(zone)).date() not in quiet


def names_in(kind: Any) -> set[str]:
    """Every field that a value of a type can hold, all the way down."""
    if get_origin(kind) is not None or isinstance(kind, UnionType):
        return set().union(*(names_in(one) for one in get_args(kind)), set())
    if not is_dataclass(kind):
        return set()
    hints = get_type_hints(kind)
    return set().union({one.name for one in fields(kind)}, *(names_in(hints[one.name]) for one in fields(kind)))


def test_the_view_can_hold_nothing_but_what_the_public_may_see() -> None:
    """A new field is thought about twice: it must be added here."""
    words = (
        "title intro zone at condition words components incidents notices id name group description since days uptime "
        "date lasted state published_at ended_at updates text starts_at ends_at"
    )
    assert names_in(View) == set(words.split())
