"""What holds for every rotation, whatever the clocks do (ROT-01..ROT-12, ROT-19, C1..C4)."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.rota_cast import daily, people, utc
from watchbill.core.coverage import Window, spans
from watchbill.core.rota.overlay import lay_over
from watchbill.core.rota.pattern import Absence, Override, Rotation, Seat, Shift
from watchbill.core.rota.turns import progress, shifts, who
from watchbill.core.rota.units import beginning, coverage_of
from watchbill.core.wallclock import whole_days
from watchbill.kit.spans import Span, merge, subtract

# Each zone with the days around which its clocks change, twice, or a day is missing.
CHANGES = [
    ("Europe/London", date(2025, 3, 30)),
    ("Europe/London", date(2025, 10, 26)),
    ("America/New_York", date(2025, 3, 9)),
    ("America/New_York", date(2025, 11, 2)),
    ("Australia/Lord_Howe", date(2025, 4, 6)),
    ("Australia/Lord_Howe", date(2025, 10, 5)),
    ("America/Santiago", date(2025, 4, 6)),
    ("America/Santiago", date(2025, 9, 7)),
    ("Pacific/Apia", date(2011, 12, 30)),
]
CLOCKS = [time(0), time(0, 30), time(1), time(1, 45), time(2, 15), time(9), time(17), time(23, 30)]
FEW = settings(max_examples=60, deadline=None)

windows = st.builds(
    Window,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.sampled_from(CLOCKS),
    st.sampled_from(CLOCKS),
)
coverages = st.none() | st.lists(windows, min_size=1, max_size=2).map(tuple)


@st.composite
def rotations(draw, seats=3, most=7, least=0):
    """A rotation that begins shortly before a change of clock, or in the midst of it."""
    zone, change = draw(st.sampled_from(CHANGES))
    unit = draw(st.sampled_from(["hours", "day", "working_day", "week", "month"]))
    return Rotation(
        zone=zone,
        unit=unit,
        every=draw(st.sampled_from([6, 7, 12, 36] if unit == "hours" else [1, 1, 2])),
        starts_on=change - timedelta(days=draw(st.integers(0, 9))),
        members=people(draw(st.integers(least, most))),
        seats=tuple(
            Seat(f"seat{n}", offset=draw(st.integers(0, 2)), coverage=draw(st.none() | coverages))
            for n in range(draw(st.integers(1, seats)))
        ),
        handoff_at=draw(st.sampled_from(CLOCKS)),
        handoff_weekday=draw(st.integers(0, 6)),
        coverage=draw(coverages),
        holidays=draw(st.frozensets(st.integers(0, 20).map(lambda n: change + timedelta(days=n - 5)), max_size=3)),
        order=draw(st.sampled_from(["fixed", "alphabetical", "reshuffle_each_cycle"])),
        seed=draw(st.integers(0, 99)),
        absent_keeps_turn=draw(st.booleans()),
    )


def absences_of(rotation):
    return st.lists(
        st.builds(
            lambda person, start, length: Absence(
                person,
                rotation.starts_on + timedelta(days=start),
                rotation.starts_on + timedelta(days=start + length),
                "vacation",
            ),
            st.integers(1, max(len(rotation.members), 1)),
            st.integers(-2, 25),
            st.integers(0, 6),
        ),
        max_size=5,
    )


def asked(rotation, days=25):
    return Span(beginning(rotation), beginning(rotation) + timedelta(days=days))


@FEW
@given(st.data())
def test_covered_time_is_somebodys_once_and_uncovered_time_nobodys(data):
    """ROT-07: no gap that coverage does not allow, no overlap within a seat, across every change of clock."""
    rotation = data.draw(rotations())
    interval = asked(rotation)
    found = shifts(rotation, [], data.draw(absences_of(rotation)), interval)
    for seat in rotation.seats:
        mine = [shift for shift in found if shift.seat == seat.name]
        assert all(shift.start < shift.end for shift in mine)
        assert all(one.end <= other.start for one, other in pairwise(mine))
        served = [part for shift in mine if (part := shift.span.cut_to(interval))]
        assert merge(served) == spans(coverage_of(rotation, seat), interval)


@FEW
@given(rotations(least=1))
def test_no_shift_is_a_gap_while_somebody_is_there(rotation):
    assert all(shift.person and shift.kind == "turn" for shift in shifts(rotation, [], [], asked(rotation)))


@FEW
@given(st.data())
def test_nobody_serves_while_absent_unless_by_an_override(data):
    """ROT-19: and a gap is only where everybody is absent."""
    rotation = data.draw(rotations())
    absences = data.draw(absences_of(rotation))
    away: dict[int, list[Span]] = {member.person: [] for member in rotation.members}
    for absence in absences:
        away.setdefault(absence.person, []).append(whole_days(absence.first, absence.last, rotation.zone))
    for shift in shifts(rotation, [], absences, asked(rotation)):
        if shift.person:
            assert not any(time.meets(shift.span) for time in away[shift.person])
        else:
            assert all(subtract([shift.span], away[member.person]) == [] for member in rotation.members)


@FEW
@given(st.data())
def test_who_is_on_watch_is_the_shift_that_contains_the_instant(data):
    """One question, one calculator."""
    rotation = data.draw(rotations())
    absences = data.draw(absences_of(rotation))
    interval = asked(rotation)
    found = shifts(rotation, [], absences, interval)
    edges = [edge for shift in found for edge in (shift.start, shift.end)]
    instants = st.sampled_from(edges) if edges else st.just(interval.start)
    for moment in [data.draw(instants), interval.start + data.draw(st.floats(0, 0.99)) * interval.length]:
        if moment in interval:
            expected = [shift for shift in found if moment in shift.span]
            assert sorted(who(rotation, [], absences, moment), key=repr) == sorted(expected, key=repr)
            assert len({shift.seat for shift in expected}) == len(expected)


@FEW
@given(st.data())
def test_the_answer_does_not_depend_on_the_interval_asked(data):
    rotation = data.draw(rotations())
    absences = data.draw(absences_of(rotation))
    overrides = data.draw(overrides_of(rotation))
    wide = asked(rotation, 40)
    start = wide.start + timedelta(hours=data.draw(st.integers(0, 600)))
    narrow = Span(start, start + timedelta(hours=data.draw(st.integers(1, 300))))
    everything = shifts(rotation, overrides, absences, wide)
    assert shifts(rotation, overrides, absences, narrow) == [s for s in everything if s.span.meets(narrow)]


def overrides_of(rotation):
    return st.lists(
        st.builds(
            lambda person, start, hours, seat, created, outside: Override(
                person,
                "Olga",
                beginning(rotation) + timedelta(hours=start),
                beginning(rotation) + timedelta(hours=start + hours),
                utc("2025-01-01T00:00") + timedelta(hours=created),
                seat=seat,
                number=created,
                outside_coverage=outside,
            ),
            st.integers(90, 99),
            st.integers(0, 500),
            st.integers(1, 100),
            st.sampled_from([None, *(seat.name for seat in rotation.seats)]),
            st.integers(1, 9),
            st.booleans(),
        ),
        max_size=4,
        unique_by=lambda override: override.number,
    )


@FEW
@given(st.data())
def test_at_each_instant_the_newest_override_or_else_the_plan_serves(data):
    """Against another way to know it: look at one instant."""
    rotation = data.draw(rotations(most=4))
    overrides = data.draw(overrides_of(rotation))
    interval = asked(rotation)
    plan, found = shifts(rotation, [], [], interval), shifts(rotation, overrides, [], interval)
    for seat in rotation.seats:
        mine = [shift for shift in found if shift.seat == seat.name]
        assert all(one.end <= other.start for one, other in pairwise(mine))
        for fraction in data.draw(st.lists(st.floats(0, 0.99), min_size=3, max_size=3)):
            moment = interval.start + fraction * interval.length
            planned = [s.person for s in plan if s.seat == seat.name and moment in s.span]
            over = [
                o
                for o in overrides
                if moment in o.span and o.seat in {None, seat.name} and (planned or o.outside_coverage)
            ]
            newest = [max(over, key=lambda o: o.number).person] if over else planned
            assert [s.person for s in mine if moment in s.span] == newest


@FEW
@given(st.data())
def test_a_checkpoint_changes_nothing_that_follows(data):
    """Promise 4: computed from the checkpoint or from the beginning, what follows is the same."""
    rotation = data.draw(rotations())
    absences = data.draw(absences_of(rotation))
    at = beginning(rotation) + timedelta(minutes=data.draw(st.integers(0, 20 * 24 * 60)))
    after = Span(at, at + timedelta(days=20))
    whole = shifts(rotation, [], absences, after)
    resumed = shifts(rotation, [], absences, after, progress(rotation, absences, at))
    cut = [replace(shift, start=max(shift.start, at)) for shift in whole]
    assert sorted(resumed, key=_by_seat) == sorted(cut, key=_by_seat)


def _by_seat(shift):
    return shift.seat, shift.start


@FEW
@given(st.integers(2, 14), st.sampled_from(["fixed", "alphabetical", "reshuffle_each_cycle"]), st.integers(0, 999))
def test_everybody_serves_once_a_cycle_and_nobody_twice_in_a_row(count, order, seed):
    """ROT-04, ROT-06: the reshuffle's seam included."""
    rotation = daily(count, order=order, seed=seed)
    found = [s.person for s in shifts(rotation, [], [], Span(utc("2025-01-06T00:00"), utc("2025-04-01T00:00")))]
    assert all(one != other for one, other in pairwise(found))
    for start in range(0, len(found) - count + 1, count):
        assert sorted(found[start : start + count]) == list(range(1, count + 1))


@FEW
@given(
    st.integers(1, 3),
    st.integers(0, 6),
    st.sampled_from(["fixed", "alphabetical", "reshuffle_each_cycle"]),
    st.integers(0, 999),
    st.integers(0, 1),
)
def test_with_several_seats_nobody_serves_two_at_once_or_twice_in_a_row(seats, more, order, seed, offset):
    """ROT-04, ROT-09, C4: with at least twice as many people as seats; and turns are shared evenly."""
    count = 2 * seats + more
    rotation = daily(
        count, order=order, seed=seed, every=2, seats=tuple(Seat(f"s{n}", offset=n * offset) for n in range(seats))
    )
    found = shifts(rotation, [], [], Span(utc("2025-01-06T00:00"), utc("2025-06-01T00:00")))
    turns = list({(s.seat, s.turn): s for s in found}.values())
    for one in found:
        for other in found:
            assert one is other or one.person != other.person or not one.span.meets(other.span)
    for seat in rotation.seats:
        mine = [turn.person for turn in turns if turn.seat == seat.name]
        assert all(one != other for one, other in pairwise(mine))
    served = Counter(turn.person for turn in turns)
    assert len(served) == count
    assert max(served.values()) - min(served.values()) <= 2


@FEW
@given(st.integers(3, 8), st.integers(0, 30), st.integers(0, 4), st.integers(0, 99))
def test_an_absence_of_less_than_a_cycle_costs_nobody_a_turn(count, start, length, seed):
    """ROT-06, ROT-19: who was away has served as often as the others soon after."""
    rotation = daily(count, order="reshuffle_each_cycle", seed=seed)
    first = date(2025, 1, 6) + timedelta(days=start)
    absence = Absence(1, first, first + timedelta(days=min(length, count - 2)))
    found = shifts(rotation, [], [absence], Span(utc("2025-01-06T00:00"), utc("2025-05-01T00:00")))
    served = Counter(shift.person for shift in found)
    assert max(served.values()) - min(served.values()) <= 1


@FEW
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=5))
def test_laying_nothing_over_a_plan_changes_nothing(lengths):
    start, plan = utc("2025-01-01T00:00"), []
    for gap, length in lengths:
        begin = (plan[-1].end if plan else start) + timedelta(hours=gap)
        plan.append(Shift("a", 1, begin, begin + timedelta(hours=length), "", 1, "turn"))
    assert lay_over(plan, [], [Seat("a")], None) == plan  # type: ignore[arg-type]  # no override, no words


def test_a_year_is_quick_and_so_is_a_day_ten_years_later_from_a_checkpoint():
    """Counted in turns dealt, not in seconds: what lies before the checkpoint is not looked at."""
    rotation = daily(14, order="reshuffle_each_cycle")
    checkpoint = progress(rotation, [], utc("2035-01-01T00:00"))
    [shift] = who(replace(rotation, starts_on=date(2034, 12, 1)), [], [], utc("2035-01-02T12:00"), checkpoint)
    [same] = who(rotation, [], [], utc("2035-01-02T12:00"))
    assert isinstance(shift.start, datetime)
    assert (shift.person, shift.turn, shift.reason) == (same.person, same.turn, same.reason)
