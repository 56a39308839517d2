"""Promises on the team's clock, against an oracle that looks at every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbill.core.clocks import Turn, Waits, length_of, runs_out, spent, waits_of, working_day
from watchbill.core.coverage import Coverage, Window, covers
from watchbill.kit.spans import Span

MINUTE = timedelta(minutes=1)
WEEKDAYS = frozenset(range(5))
LAA = Coverage("Europe/London", (Window(WEEKDAYS, time(8), time(18)),), frozenset({date(2026, 5, 4)}))
HUB = Coverage("UTC", (Window(WEEKDAYS, time(0), time(0)),))
NIGHT = Coverage("America/New_York", (Window(frozenset(range(7)), time(22), time(6)),))
HALF = Coverage("Australia/Lord_Howe", (Window(frozenset({5, 6}), time(1), time(4)),))
CHILE = Coverage(
    "America/Santiago", (Window(frozenset({5, 6}), time(22), time(2)), Window(WEEKDAYS, time(9), time(9, 30)))
)
TEAMS = [LAA, HUB, NIGHT, HALF, CHILE, None]
# Around both changes of clock of every zone above, and the bank holiday.
STARTS = [
    datetime(2026, 3, 27, 17, 50, tzinfo=UTC),
    datetime(2026, 10, 24, 20, 0, tzinfo=UTC),
    datetime(2026, 3, 7, 23, 0, tzinfo=UTC),
    datetime(2026, 11, 1, 1, 0, tzinfo=UTC),
    datetime(2026, 4, 4, 12, 0, tzinfo=UTC),
    datetime(2026, 10, 3, 12, 0, tzinfo=UTC),
    datetime(2026, 9, 5, 22, 0, tzinfo=UTC),
    datetime(2026, 5, 1, 16, 50, tzinfo=UTC),
]
LONGEST = 3 * 24 * 60


@st.composite
def histories(draw: st.DrawFn) -> tuple[datetime, Waits]:
    """A start, and waits in whole minutes after it, the last of which may still last."""
    start = draw(st.sampled_from(STARTS)) + draw(st.integers(0, 2000)) * MINUTE
    marks = sorted(draw(st.lists(st.integers(0, LONGEST), max_size=7, unique=True)))
    turns = [Turn(start + mark * MINUTE, "us" if place % 2 else "requester") for place, mark in enumerate(marks)]
    return start, waits_of(turns)


def runs(coverage: Coverage | None, waits: Waits, minute: datetime) -> bool:
    """Whether the clock runs in the minute that begins here, looked at directly."""
    if waits.since is not None and minute >= waits.since:
        return False
    return not any(minute in wait for wait in waits.past) and covers(coverage, minute)


@pytest.mark.parametrize("coverage", TEAMS, ids=["laa", "hub", "night", "lord-howe", "santiago", "always"])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_promise_runs_out_when_its_minutes_are_counted_off(coverage: Coverage | None, data: st.DataObject) -> None:
    """INT-05, MET-07, INT-13, C5: coverage, holidays, both changes of clock and pauses, minute by minute."""
    start, waits = data.draw(histories())
    allowance = data.draw(st.integers(1, 700))
    found = runs_out(coverage, start, waits, allowance * MINUTE)
    left, minute, end = allowance, start, start + timedelta(days=6)
    while left and minute < end:
        left -= runs(coverage, waits, minute)
        minute += MINUTE
    if left:
        assert found is None or found >= end
    else:
        assert found == minute


@pytest.mark.parametrize("coverage", TEAMS, ids=["laa", "hub", "night", "lord-howe", "santiago", "always"])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_what_is_spent_is_the_minutes_in_which_the_clock_ran(coverage: Coverage | None, data: st.DataObject) -> None:
    """MET-07, INT-13: what a page shows as used up is what the deadline counts."""
    start, waits = data.draw(histories())
    minutes = data.draw(st.integers(0, LONGEST))
    counted = sum(runs(coverage, waits, start + n * MINUTE) for n in range(minutes))
    assert spent(coverage, start, waits, start + minutes * MINUTE) == counted * MINUTE


@given(st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(["us", "requester", "vendor"])), max_size=12))
def test_waits_are_the_time_in_which_the_ball_was_elsewhere(history: list[tuple[int, str]]) -> None:
    """INT-13: from the first hand-over to the return, whoever had it in between."""
    turns = [Turn(STARTS[0] + n * MINUTE, on) for n, on in sorted(history, key=lambda pair: pair[0])]
    waits = waits_of(turns)
    for n in range(0, 5001, 7):
        minute = STARTS[0] + n * MINUTE
        before = [turn.on for turn in turns if turn.at <= minute]
        elsewhere = bool(before) and before[-1] != "us"
        told = any(minute in wait for wait in waits.past) or (waits.since is not None and minute >= waits.since)
        assert told == elsewhere


def test_a_working_day_is_as_long_as_the_team_works() -> None:
    """C5: one working day is ten hours for one team and 24 for another."""
    assert working_day(LAA) == timedelta(hours=10)
    assert working_day(HUB) == timedelta(hours=24)
    assert working_day(NIGHT) == timedelta(hours=8)
    assert working_day(None) == timedelta(hours=24)
    overlapping = Coverage("UTC", (Window(WEEKDAYS, time(8), time(18)), Window(frozenset({4}), time(17), time(22))))
    assert working_day(overlapping) == timedelta(hours=14)
    assert length_of(2, "working_days", LAA) == timedelta(hours=20)


def test_asked_on_the_eve_of_a_bank_holiday_it_is_due_after_it() -> None:
    """INT-05, MET-07: Friday 17:50 in London before the early May bank holiday; two hours end on Tuesday at 09:50."""
    asked = datetime(2026, 5, 1, 16, 50, tzinfo=UTC)
    assert runs_out(LAA, asked, Waits(), timedelta(hours=2)) == datetime(2026, 5, 5, 8, 50, tzinfo=UTC)
    assert runs_out(HUB, asked, Waits(), timedelta(hours=24)) == datetime(2026, 5, 4, 16, 50, tzinfo=UTC)


def test_a_wait_that_began_after_the_end_changes_nothing() -> None:
    asked = datetime(2026, 5, 5, 8, 0, tzinfo=UTC)
    waits = Waits((Span(asked + timedelta(hours=3), asked + timedelta(hours=4)),), None)
    assert runs_out(None, asked, waits, timedelta(hours=2)) == asked + timedelta(hours=2)
