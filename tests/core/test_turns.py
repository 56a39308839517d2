"""Rotations by example: units, seats, order, progress by served turns (ROT-01..ROT-12, C1..C4)."""

from datetime import date, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.core.rota_cast import (
    ANA,
    BEN,
    CLEO,
    SUPPORT_HOURS,
    WEEKDAYS,
    away,
    between,
    daily,
    day,
    names,
    people,
    utc,
    weekly,
)
from watchbill.core.coverage import Window
from watchbill.core.rota.holidays import holiday_absences, public_holidays
from watchbill.core.rota.pattern import Member, Seat
from watchbill.core.rota.turns import served_ticks, shifts, who
from watchbill.kit.errors import Refused

WHOLE_WEEKDAYS = (Window(WEEKDAYS, time(0), time(0)),)


def test_each_working_day_has_one_engineer_in_turn():
    """ROT-01, ROT-03, ROT-07, C1, C4: one a working day, not round the clock."""
    found = shifts(daily(3), [], [], between("2025-01-06", "2025-01-13"))
    assert names(found) == ["Ana", "Ben", "Cleo", "Ana", "Ben"]
    assert found[0].start == utc("2025-01-06T08:00")
    assert found[0].end == utc("2025-01-06T18:00")
    assert [shift.turn for shift in found] == [1, 2, 3, 4, 5]
    assert found[4].reason == "turn 2 of 3 in cycle 2"


def test_of_fourteen_people_on_working_days_all_fourteen_serve():
    """ROT-06: progress by served turns; where turns are counted by calendar days only ten of fourteen serve."""
    found = shifts(daily(14), [], [], between("2025-01-06", "2025-01-24"))
    assert [shift.person for shift in found] == list(range(1, 15))


def test_holidays_and_weekends_spend_nobodys_turn():
    """ROT-06, ROT-08: Good Friday and Easter Monday are passed over, and so is the weekend between."""
    easter = frozenset(public_holidays("GB", "ENG", [2025]))
    rotation = daily(3, starts_on=day("2025-04-16"), holidays=easter)
    found = shifts(rotation, [], [], between("2025-04-16", "2025-04-25"))
    assert names(found) == ["Ana", "Ben", "Cleo", "Ana", "Ben"]
    assert [shift.start.day for shift in found] == [16, 17, 22, 23, 24]


def test_nobody_is_on_watch_where_coverage_has_a_gap():
    """ROT-07, ROT-11: a gap is legal; it is no shift of kind gap."""
    assert who(daily(3), [], [], utc("2025-01-06T07:59")) == []
    assert who(daily(3), [], [], utc("2025-01-11T12:00")) == []
    assert names(who(daily(3), [], [], utc("2025-01-06T08:00"))) == ["Ana"]
    assert who(daily(3), [], [], utc("2025-01-06T18:00")) == []


def test_a_weekly_shift_is_handed_over_on_monday_at_the_wall_clock_time_on_both_sides_of_a_change():
    """ROT-02, ROT-15, C1: 09:00 London is 09:00 UTC before 30 March and 08:00 UTC after."""
    found = shifts(weekly(2), [], [], between("2025-03-24", "2025-04-07"))
    assert [(shift.start, shift.end) for shift in found[1:3]] == [
        (utc("2025-03-24T09:00"), utc("2025-03-31T08:00")),
        (utc("2025-03-31T08:00"), utc("2025-04-07T08:00")),
    ]


def test_it_begins_in_the_middle_of_a_week_with_a_short_turn():
    """Nobody on watch until Monday would be a gap that round-the-clock coverage does not allow."""
    found = shifts(weekly(2, starts_on=day("2025-01-08")), [], [], between("2025-01-01", "2025-01-20"))
    assert [(s.person, s.start, s.end) for s in found] == [
        (ANA, utc("2025-01-08T09:00"), utc("2025-01-13T09:00")),
        (BEN, utc("2025-01-13T09:00"), utc("2025-01-20T09:00")),
    ]


@pytest.mark.parametrize(
    ("pattern", "starts"),
    [
        ({"unit": "day", "every": 2}, ["2025-01-08T09:00", "2025-01-10T09:00", "2025-01-12T09:00"]),
        (
            {"unit": "week", "every": 2, "handoff_weekday": 2},
            ["2025-01-06T09:00", "2025-01-15T09:00", "2025-01-29T09:00"],
        ),
        ({"unit": "month"}, ["2025-01-06T09:00", "2025-02-01T09:00", "2025-03-01T09:00", "2025-04-01T08:00"]),
        ({"unit": "quarter"}, ["2025-01-06T09:00", "2025-04-01T08:00", "2025-07-01T08:00", "2025-10-01T08:00"]),
        ({"unit": "month", "every": 12}, ["2025-01-06T09:00", "2026-01-01T09:00"]),
        ({"unit": "hours", "every": 12}, ["2025-01-06T09:00", "2025-01-06T21:00", "2025-01-07T09:00"]),
        ({"unit": "working_day", "every": 3}, ["2025-01-06T09:00", "2025-01-09T09:00", "2025-01-14T09:00"]),
    ],
)
def test_every_unit_hands_over_when_it_says(pattern, starts):
    """C1: working day, day, week, n weeks, month, quarter, n hours."""
    found = shifts(weekly(3, **pattern), [], [], between("2025-01-01", "2026-06-01"))
    instants = {shift.start for shift in found}
    assert {utc(start) for start in starts} <= instants
    assert min(instants) == utc("2025-01-06T09:00")


def test_without_coverage_fridays_turn_lasts_until_monday():
    """C1, C3: working days round the clock leave no gap."""
    found = shifts(weekly(7, unit="working_day"), [], [], between("2025-01-06", "2025-01-14"))
    assert names(found) == ["Ana", "Ben", "Cleo", "Dan", "Eva", "Finn"]
    assert found[4].end - found[4].start == timedelta(days=3)


def test_twelve_hours_hand_over_at_the_same_wall_clock_times_all_year():
    found = shifts(weekly(3, unit="hours", every=12, handoff_at=time(8)), [], [], between("2025-01-06", "2026-01-06"))
    assert {f"{shift.start.astimezone(ZoneInfo('Europe/London')):%H:%M}" for shift in found} == {"08:00", "20:00"}


def test_the_order_is_shuffled_anew_each_cycle_and_can_be_repeated():
    """ROT-04, C2: at the end of the list the order is shuffled; the seed is stored."""
    rotation = daily(6, order="reshuffle_each_cycle", seed=7)
    found = [shift.person for shift in shifts(rotation, [], [], between("2025-01-06", "2026-01-06"))]
    cycles = [tuple(found[n : n + 6]) for n in range(0, 240, 6)]
    assert all(sorted(cycle) == [1, 2, 3, 4, 5, 6] for cycle in cycles)
    assert len(set(cycles)) > 20
    assert all(before[-1] != after[0] for before, after in pairwise(cycles))
    assert found == [s.person for s in shifts(rotation, [], [], between("2025-01-06", "2026-01-06"))]
    other = shifts(daily(6, order="reshuffle_each_cycle", seed=8), [], [], between("2025-01-06", "2026-01-06"))
    assert found != [shift.person for shift in other]


def test_the_order_shown_after_a_shuffle_is_the_one_that_is_served():
    """ROT-04, ROT-05: whoever served last does not stand first in the new list either."""
    rotation = daily(3, order="reshuffle_each_cycle")
    for shift in shifts(rotation, [], [], between("2025-01-06", "2026-01-06"))[::3]:
        ticks = served_ticks(rotation, [], shift.start)
        assert (ticks[0].person, ticks[0].state) == (shift.person, "serving")
        assert [tick.state for tick in ticks[1:]] == ["waiting", "waiting"]


def test_the_order_may_be_alphabetical():
    """C2, as two of the five documents behind the hub have it."""
    members = (Member(1, "zoe"), Member(2, "Ana"), Member(3, "ben"))
    found = shifts(daily(0, members=members, order="alphabetical"), [], [], between("2025-01-06", "2025-01-09"))
    assert [shift.person for shift in found] == [2, 3, 1]


def test_each_person_served_gets_a_tick():
    """ROT-05: progress through the cycle is visible."""
    ticks = served_ticks(daily(4), [], utc("2025-01-07T12:00"))
    assert [(tick.name, tick.state) for tick in ticks] == [
        ("Ana", "served"),
        ("Ben", "serving"),
        ("Cleo", "waiting"),
        ("Dan", "waiting"),
    ]
    assert {tick.cycle for tick in ticks} == {1}
    later = served_ticks(daily(4), [], utc("2025-01-10T12:00"))
    assert [(tick.cycle, tick.state) for tick in later] == [
        (2, "serving"),
        (2, "waiting"),
        (2, "waiting"),
        (2, "waiting"),
    ]


def test_a_tick_tells_who_keeps_a_turn():
    """ROT-05, ROT-19."""
    ticks = served_ticks(daily(3), [away(BEN, "2025-01-06", "2025-01-12")], utc("2025-01-08T12:00"))
    assert [(tick.name, tick.cycle, tick.state, tick.keeps) for tick in ticks] == [
        ("Ana", 2, "serving", False),
        ("Ben", 2, "waiting", True),
        ("Cleo", 2, "waiting", False),
    ]


def test_who_is_absent_serves_next_when_back_and_loses_no_turn():
    """ROT-06, ROT-19: the last day of an absence is included."""
    found = shifts(daily(4), [], [away(BEN, "2025-01-07", "2025-01-08")], between("2025-01-06", "2025-01-14"))
    assert names(found) == ["Ana", "Cleo", "Dan", "Ben", "Ana", "Ben"]
    assert found[1].reason == "turn 2 of 4 in cycle 1; Ben keeps the turn: vacation"


def test_a_long_absence_is_not_paid_back_in_a_row():
    """ROT-19: one kept turn, and one's own in the cycle; never ten weeks for ten weeks of leave."""
    absences = [away(CLEO, "2025-01-06", "2025-06-01")]
    served = names(shifts(weekly(3), [], absences, between("2025-06-03", "2025-08-25")))
    assert len(served) == 12
    assert served.count("Cleo") == 5
    assert all(one != other for one, other in pairwise(served))


def test_a_team_may_let_absent_members_lose_the_turn():
    absences = [away(BEN, "2025-01-07", "2025-01-07")]
    found = shifts(daily(4, absent_keeps_turn=False), [], absences, between("2025-01-06", "2025-01-11"))
    assert names(found) == ["Ana", "Cleo", "Dan", "Ana", "Ben"]
    assert found[1].reason == "turn 3 of 4 in cycle 1; Ben is passed over: vacation"


def test_days_away_within_a_week_are_covered_by_the_next_in_line():
    """ROT-19: a part of the turn, with its reason; it costs the cover no turn."""
    found = shifts(
        weekly(3), [], [away(ANA, "2025-01-08", "2025-01-09", "dentist")], between("2025-01-06", "2025-01-20")
    )
    assert [(s.person, s.start, s.end, s.turn) for s in found] == [
        (ANA, utc("2025-01-06T09:00"), utc("2025-01-08T00:00"), 1),
        (BEN, utc("2025-01-08T00:00"), utc("2025-01-10T00:00"), 1),
        (ANA, utc("2025-01-10T00:00"), utc("2025-01-13T09:00"), 1),
        (BEN, utc("2025-01-13T09:00"), utc("2025-01-20T09:00"), 2),
    ]
    assert found[1].reason == "Ben covers for Ana: dentist"


def test_who_is_there_for_half_of_a_turn_takes_it():
    two_days = daily(3, every=2)
    assert names(
        shifts(two_days, [], [away(ANA, "2025-01-07", "2025-01-07")], between("2025-01-06", "2025-01-08"))
    ) == [
        "Ana",
        "Ben",
    ]


def test_who_misses_most_of_a_week_is_passed_over():
    found = shifts(weekly(3), [], [away(ANA, "2025-01-08", "2025-01-12")], between("2025-01-06", "2025-01-20"))
    assert names(found) == ["Ben", "Ana"]
    assert found[1].reason == "turn 2 of 3 in cycle 1"


def test_a_gap_says_who_is_missing():
    """ROT-19: nobody is invented; the reason is on the record."""
    rotation = daily(3, members=people(3, Ana="dba", Ben="dba"), seats=(Seat("dba", "dba"),))
    absences = [away(ANA, "2025-01-06", "2025-01-06"), away(BEN, "2025-01-06", "2025-01-10")]
    [gap] = shifts(rotation, [], absences, between("2025-01-06", "2025-01-07"))
    assert (gap.kind, gap.person) == ("gap", None)
    assert gap.reason == "nobody: Ana and Ben are absent and no one else has the skill dba"
    [gap] = shifts(daily(2, seats=(Seat("dba", "dba"),)), [], [], between("2025-01-06", "2025-01-07"))
    assert gap.reason == "nobody: no member has the skill dba"
    [gap] = shifts(daily(0), [], [], between("2025-01-06", "2025-01-07"))
    assert gap.reason == "nobody: the rotation has no members then"


def test_a_week_in_which_everybody_is_away_for_a_while_is_pieced_together():
    absences = [away(ANA, "2025-01-06", "2025-01-09"), away(BEN, "2025-01-10", "2025-01-13")]
    found = shifts(weekly(2), [], absences, between("2025-01-06", "2025-01-13"))
    assert [(s.person, s.start) for s in found] == [(BEN, utc("2025-01-06T09:00")), (ANA, utc("2025-01-10T00:00"))]
    assert all(shift.kind == "turn" for shift in found)


def test_two_seats_of_different_skills_each_have_their_own_line():
    """ROT-09, C4: one engineer and one DBA a day; who has both skills never sits on both."""
    skills = {"Ana": "engineer dba", "Ben": "engineer", "Cleo": "engineer", "Dan": "dba"}
    seats = (Seat("engineer", "engineer"), Seat("dba", "dba"))
    found = shifts(daily(4, members=people(4, **skills), seats=seats), [], [], between("2025-01-06", "2025-02-04"))
    days = {}
    for shift in found:
        days.setdefault(shift.start, {})[shift.seat] = shift.person
    assert all(len(set(seated.values())) == 2 for seated in days.values())
    engineers = [seated["engineer"] for seated in days.values()]
    assert {person: engineers.count(person) for person in (1, 2, 3)} == {1: 7, 2: 7, 3: 7}


def test_the_only_dba_is_not_spent_as_engineer():
    """ROT-09: one person never has two seats where that can be avoided."""
    skills = {"Ana": "engineer dba", "Ben": "engineer"}
    seats = (Seat("engineer", "engineer"), Seat("dba", "dba"))
    found = shifts(daily(2, members=people(2, **skills), seats=seats), [], [], between("2025-01-06", "2025-01-08"))
    assert [(s.seat, s.person) for s in found] == [("engineer", BEN), ("dba", ANA)] * 2


def test_one_person_has_both_seats_only_when_there_is_nobody_else():
    found = shifts(
        weekly(2, seats=(Seat("primary"), Seat("secondary"))),
        [],
        [away(BEN, "2025-01-01", "2025-02-01")],
        between("2025-01-07", "2025-01-08"),
    )
    assert names(found) == ["Ana", "Ana"]
    assert "in another seat at the same time, because nobody else is free" in found[1].reason


def test_primary_and_secondary_change_places_from_cycle_to_cycle():
    """C4: with four people and two seats nobody is secondary for ever."""
    found = shifts(weekly(4, seats=(Seat("primary"), Seat("secondary"))), [], [], between("2025-01-07", "2025-12-01"))
    primary = [shift.person for shift in found if shift.seat == "primary"]
    counts = [primary.count(person) for person in (1, 2, 3, 4)]
    assert max(counts) - min(counts) <= 1


def test_an_evening_seat_has_its_own_hours():
    """ROT-12: somebody else covers the time after 17:00."""
    evening = (Window(WEEKDAYS, time(17), time(20)),)
    seats = (Seat("engineer"), Seat("evening", coverage=evening))
    found = shifts(daily(4, seats=seats), [], [], between("2025-01-10", "2025-01-11"))
    assert [(s.seat, s.start.hour, s.end.hour) for s in found] == [("engineer", 8, 18), ("evening", 17, 20)]
    assert found[0].person != found[1].person


def test_a_seat_may_stand_on_fridays_only():
    """ROT-12: the engineer after 17:00 on Fridays; the other days spend no turn of that line."""
    seats = (Seat("engineer"), Seat("friday", coverage=(Window(frozenset({4}), time(17), time(20)),)))
    found = shifts(daily(3, seats=seats), [], [], between("2025-01-06", "2025-04-28"))
    fridays = [shift for shift in found if shift.seat == "friday"]
    assert {shift.start.weekday() for shift in fridays} == {4}
    assert [fridays.index(shift) + 1 for shift in fridays] == [shift.turn for shift in fridays]
    counts = [names(fridays).count(name) for name in ("Ana", "Ben", "Cleo")]
    assert max(counts) - min(counts) <= 1


def test_periods_of_a_day_are_covered_by_different_people():
    """ROT-10: lunch included, somebody is nominated for each period."""
    periods = [("morning", 8, 12), ("lunch", 12, 14), ("afternoon", 14, 18)]
    seats = tuple(Seat(name, coverage=(Window(WEEKDAYS, time(a), time(b)),)) for name, a, b in periods)
    found = shifts(daily(4, seats=seats), [], [], between("2025-01-06", "2025-01-18"))
    for start in range(6, 18):
        that_day = [shift for shift in found if shift.start.day == start]
        assert len({shift.person for shift in that_day}) == len(that_day)
        assert [shift.seat for shift in that_day] in ([], ["morning", "lunch", "afternoon"])
    assert {shift.kind for shift in found} == {"turn"}


def test_two_seats_of_four_weeks_are_staggered_by_two():
    """C1, C2, C4: two stewards, one of whom changes every two weeks, alphabetically, 24 h Monday to Friday."""
    seats = (Seat("steward_a"), Seat("steward_b", offset=2))
    rotation = weekly(5, seats=seats, every=4, coverage=WHOLE_WEEKDAYS, order="alphabetical", handoff_at=time(0))
    found = shifts(rotation, [], [], between("2025-01-06", "2025-04-07"))
    turns = list(dict.fromkeys((s.seat, s.turn, s.person) for s in found))
    assert turns == [
        ("steward_a", 1, 1),
        ("steward_b", 1, 2),
        ("steward_b", 2, 3),
        ("steward_a", 2, 4),
        ("steward_b", 3, 5),
        ("steward_a", 3, 1),
        ("steward_b", 4, 2),
        ("steward_a", 4, 3),
    ]
    weeks = [shift for shift in found if shift.seat == "steward_a"]
    assert {shift.end - shift.start for shift in weeks} <= {timedelta(days=5), timedelta(days=5, hours=-1)}


def test_members_join_and_leave_on_their_dates():
    """ROT-03: the list is maintained; the last day of a member is included."""
    members = (
        Member(1, "Ana"),
        Member(2, "Ben", active_until=day("2025-01-09")),
        Member(3, "Cleo", active_from=day("2025-01-09")),
    )
    found = shifts(daily(0, members=members), [], [], between("2025-01-06", "2025-01-16"))
    assert names(found) == ["Ana", "Ben", "Ana", "Ben", "Cleo", "Ana", "Cleo", "Ana"]


def test_who_leaves_in_mid_week_is_covered():
    members = (Member(1, "Ana", active_until=day("2025-01-09")), Member(2, "Ben"))
    found = shifts(weekly(0, members=members), [], [], between("2025-01-06", "2025-01-13"))
    assert [(s.person, s.start) for s in found] == [(ANA, utc("2025-01-06T09:00")), (BEN, utc("2025-01-10T00:00"))]
    assert found[1].reason == "Ben covers for Ana: left the rotation"


def test_a_persons_own_holidays_count_when_the_rotation_says_so():
    """ROT-20: a team over several countries."""
    bavarian = holiday_absences(ANA, public_holidays("DE", "BY", [2025]))
    asked = between("2025-01-06", "2025-01-07")
    assert names(shifts(daily(2), [], bavarian, asked)) == ["Ana"]
    [shift] = shifts(daily(2, own_holidays=True), [], bavarian, asked)
    assert shift.person == BEN
    assert shift.reason == "turn 1 of 2 in cycle 1; Ana keeps the turn: Epiphany"


def test_holidays_of_an_unknown_country_are_refused():
    with pytest.raises(Refused) as refused:
        public_holidays("XX", "", [2025])
    assert refused.value.field == "country"
    with pytest.raises(Refused) as refused:
        public_holidays("GB", "BAVARIA", [2025])
    assert refused.value.field == "subdivision"
    assert public_holidays("gb", "sct", [2025])[date(2025, 12, 1)].startswith("Saint Andrew")


def test_coverage_may_be_closed_for_a_whole_turn():
    """A week that is all holidays is nobody's week."""
    closed = frozenset(day("2025-01-13") + timedelta(days=n) for n in range(5))
    rotation = weekly(3, coverage=SUPPORT_HOURS, holidays=closed, handoff_at=time(8))
    found = shifts(rotation, [], [], between("2025-01-06", "2025-01-27"))
    assert list(dict.fromkeys(names(found))) == ["Ana", "Ben"]
    assert {shift.start.date() for shift in found if shift.person == BEN} == {
        day("2025-01-20") + timedelta(days=n) for n in range(5)
    }


def test_the_day_that_apia_skipped_is_nobodys_turn():
    """Design, section 4: 30 December 2011 does not exist in Samoa."""
    rotation = weekly(5, unit="day", zone="Pacific/Apia", starts_on=day("2011-12-28"), handoff_at=time(0))
    found = shifts(rotation, [], [], between("2011-12-28", "2012-01-01"))
    assert [(s.person, s.start, s.end) for s in found] == [
        (1, utc("2011-12-28T10:00"), utc("2011-12-29T10:00")),
        (2, utc("2011-12-29T10:00"), utc("2011-12-30T10:00")),
        (3, utc("2011-12-30T10:00"), utc("2011-12-31T10:00")),
        (4, utc("2011-12-31T10:00"), utc("2012-01-01T10:00")),
    ]
