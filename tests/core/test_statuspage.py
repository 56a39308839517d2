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
from watchbill.core.statuspage import Component, Facts, Incident, Notice, Spell, Update, View, public_view

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


def test_the_days_tell_which_incidents_began_on_them() -> None:
    days = public_view(facts(), NOW).days(3)
    assert [(day.isoformat(), [one.id for one in found]) for day, found in days] == [
        ("2026-03-30", [7]),
        ("2026-03-29", []),
        ("2026-03-28", []),
    ]


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
