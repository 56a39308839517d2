"""Feature against operations, stays and places: sums that must add up, whatever the numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from watchbill.core import tickets, workload
from watchbill.core.workload import Done, Progress, Split
from watchbill.kit.errors import Refused

DAYS = st.dates(date(2020, 1, 1), date(2029, 12, 31))
UNITS = st.sampled_from(["week", "month"])
NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
MINUTES = st.integers(0, 100_000)
DEADLINES = st.none() | st.integers(0, 60 * 365 * 86_400_000_000).map(lambda part: NOW + timedelta(microseconds=part))


@given(DAYS, st.integers(1, 700), UNITS)
def test_stretches_tile_the_days_and_begin_on_mondays_or_firsts(since, days, unit):
    """BKL-10, MET-03: nothing is counted twice, nothing is left out."""
    until = since + timedelta(days=days)
    found = workload.stretches(since, until, unit)
    assert found[0].start == since
    assert found[-1].end == until
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(part.start < part.end for part in found)
    for part in found[1:]:
        assert part.start.weekday() == 0 if unit == "week" else part.start.day == 1


def test_a_time_that_is_no_time_or_too_long_is_refused():
    """BKL-09: a real window, not an arbitrary one."""
    for until in (date(2026, 3, 1), date(2026, 2, 1)):
        with pytest.raises(Refused):
            workload.stretches(date(2026, 3, 1), until, "week")
    with pytest.raises(Refused):
        workload.stretches(date(2020, 1, 1), date(2029, 1, 1), "week")


SUMS = st.lists(
    st.builds(
        Done,
        st.integers(0, 3),
        st.sampled_from(["feature", "operations"]),
        st.integers(0, 99),
        st.integers(0, 99),
        st.integers(0, 9999),
    )
)


@given(SUMS)
def test_buckets_add_up_to_the_total(sums):
    """BKL-10, MET-03."""
    buckets = workload.fill(workload.stretches(date(2026, 3, 2), date(2026, 3, 30), "week"), sums)
    assert len(buckets) == 4
    for measure in ("tickets", "points", "seconds"):
        for kind in ("feature", "operations"):
            wanted = sum(getattr(one, measure) for one in sums if one.work_kind == kind)
            assert sum(getattr(getattr(bucket, measure), kind) for bucket in buckets) == wanted


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_share_is_a_percent_or_unknown(feature, operations):
    share = Split(feature, operations).share
    assert share is None if feature + operations == 0 else 0 <= share <= 100


@given(st.lists(st.tuples(MINUTES, st.sampled_from(tickets.STAGES)), max_size=20), MINUTES)
def test_the_stays_add_up_to_the_life_of_a_ticket(moves, age):
    """MET-01: each minute from written to done lies in exactly one stage; looked at minute by minute."""
    moves = sorted(moves, key=lambda move: move[0])
    age = max([age, *(minute for minute, _ in moves)])
    timeline = [(NOW + timedelta(minutes=minute), stage) for minute, stage in moves]
    now = NOW + timedelta(minutes=age)
    found = {stay.stage: stay.length for stay in tickets.stays(NOW, timeline, now)}
    assert set(found) == {"to_do", "in_progress", "waiting"}
    marks = [(NOW, "to_do"), *timeline, (now, "")]
    spent_done = sum(
        (after - before for (before, stage), (after, _) in pairwise(marks) if stage == "done"),
        timedelta(),
    )
    assert sum(found.values(), timedelta()) + spent_done == now - NOW


@given(st.integers(0, 200), st.integers(0, 60), st.integers(0, 300).map(lambda sixths: sixths / 6))
def test_an_epic_with_more_to_do_is_never_calmer(points, days, pace):
    """BKL-05: time to plan before it burns."""
    today = date(2026, 3, 3)
    order = ["calm", "tight", "late"]
    less = workload.slack(points, today + timedelta(days=days), pace, today)
    more = workload.slack(points + 10, today + timedelta(days=days), pace, today)
    assume({less.state, more.state} <= set(order))
    assert order.index(more.state) >= order.index(less.state)


def test_an_epic_is_late_when_its_pace_is_too_slow_and_unknown_without_a_pace():
    """BKL-05."""
    today = date(2026, 3, 3)
    month = today + timedelta(days=30)
    assert workload.slack(10, month, 10, today) == workload.Slack("calm", 30, 7)
    assert workload.slack(40, month, 10, today).state == "tight"
    late = workload.slack(50, month, 10, today)
    assert (late.state, late.days) == ("late", -5)
    assert workload.slack(10, month, 0, today).state == "unknown"
    assert workload.slack(10, None, 10, today).state == "undated"
    assert workload.slack(10, today - timedelta(days=1), 0, today).state == "late"
    assert workload.slack(0, month, 0, today).state == "calm"


def test_progress_is_by_points_only_when_every_part_has_some():
    assert Progress(4, 1, 20, 10, 0).percent == 50
    assert Progress(4, 1, 20, 10, 1).percent == 25
    assert Progress().percent is None


@given(st.integers(0, 2**53 - 4096), st.integers(0, 2**53 - 4096))
def test_a_place_between_two_lies_between_them_and_tells_that_a_hand_chose_it(one, two):
    """BKL-03: the team puts its backlog into its own order."""
    above, below = sorted((one, two))
    place = tickets.position_between(above, below)
    if place is None:
        assert below - above <= 2
    else:
        assert above < place < below
        assert tickets.is_by_hand(place)
    ends = tickets.position_between(None, below), tickets.position_between(above, None)
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[0] < below
    assert ends[1] > above
    assert all(tickets.is_by_hand(end) for end in ends)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 50_000), max_size=30))
def test_pushing_on_makes_room_and_keeps_the_order(place, following):
    following = sorted(following)
    moved = tickets.push_on(place, following)
    line = [place, *moved, *following[len(moved) :]]
    assert all(before < after for before, after in pairwise(line[: len(moved) + 2]))


@given(
    DEADLINES,
    DEADLINES,
)
def test_the_next_deadline_comes_first_and_what_has_none_last(one, two):
    """PRI-06."""
    first, second = tickets.position_of(one, NOW), tickets.position_of(two, NOW)
    assert not tickets.is_by_hand(first)
    if one is not None and two is None:
        assert first < second
    if one is not None and two is not None and two - one >= timedelta(microseconds=2):
        assert first < second
