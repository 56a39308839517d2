"""Overrides, checkpoints, what an edit would move, and rotations as plain data."""

import json
from datetime import time

import pytest

from tests.core.rota_cast import (
    ANA,
    BEN,
    CLEO,
    DAN,
    EVA,
    SUPPORT_HOURS,
    away,
    between,
    cover,
    daily,
    day,
    names,
    people,
    utc,
    weekly,
)
from watchbill.core.coverage import Window
from watchbill.core.rota.line import put_first
from watchbill.core.rota.moves import Move, difference
from watchbill.core.rota.pattern import Member, Seat
from watchbill.core.rota.plain import from_json, progress_from_json, progress_to_json, to_json
from watchbill.core.rota.turns import progress, served_ticks, shifts, who
from watchbill.kit.errors import Refused

WEEK = between("2025-01-06", "2025-01-13")
PAIR = (Seat("primary"), Seat("secondary"))


def pieces(found):
    return [(shift.person, f"{shift.start:%d %H:%M}", f"{shift.end:%d %H:%M}") for shift in found]


def test_an_override_replaces_a_whole_shift_and_says_for_whom():
    found = shifts(daily(3), [cover(CLEO, "2025-01-07T08:00", "2025-01-07T18:00", why="dentist")], [], WEEK)
    assert names(found) == ["Ana", "Cleo", "Cleo", "Ana", "Ben"]
    assert (found[1].kind, found[1].reason, found[1].turn) == ("override", "Cleo covers for Ben: dentist", 2)


def test_an_override_may_replace_a_part_of_a_shift():
    found = shifts(weekly(2), [cover(BEN, "2025-01-08T12:00", "2025-01-08T20:00")], [], WEEK)
    assert pieces(found) == [
        (ANA, "06 09:00", "08 12:00"),
        (BEN, "08 12:00", "08 20:00"),
        (ANA, "08 20:00", "13 09:00"),
    ]
    assert [shift.kind for shift in found] == ["turn", "override", "turn"]
    assert found[0].reason == found[2].reason


def test_an_override_on_top_of_an_override_wins_by_when_it_was_created():
    """What the leading open-source engine refuses: overrides that stack."""
    long = cover(BEN, "2025-01-07T00:00", "2025-01-10T00:00", created=1)
    short = cover(CLEO, "2025-01-08T00:00", "2025-01-09T00:00", created=2)
    expected = [
        (ANA, "06 09:00", "07 00:00"),
        (BEN, "07 00:00", "08 00:00"),
        (CLEO, "08 00:00", "09 00:00"),
        (BEN, "09 00:00", "10 00:00"),
        (ANA, "10 00:00", "13 09:00"),
    ]
    assert pieces(shifts(weekly(3), [long, short], [], WEEK)) == expected
    assert pieces(shifts(weekly(3), [short, long], [], WEEK)) == expected
    buried = cover(BEN, "2025-01-07T00:00", "2025-01-10T00:00", created=3)
    assert CLEO not in {shift.person for shift in shifts(weekly(3), [short, buried], [], WEEK)}


def test_an_override_of_one_seat_leaves_the_other():
    found = shifts(
        weekly(4, seats=PAIR), [cover(DAN, "2025-01-08T00:00", "2025-01-09T00:00", seat="secondary")], [], WEEK
    )
    now = {shift.seat: shift.person for shift in found if utc("2025-01-08T10:00") in shift.span}
    assert now == {"primary": ANA, "secondary": DAN}


def test_an_override_of_every_seat_takes_them_all():
    found = who(
        weekly(4, seats=PAIR), [cover(DAN, "2025-01-08T00:00", "2025-01-09T00:00")], [], utc("2025-01-08T10:00")
    )
    assert names(found) == ["Dan", "Dan"]


def test_an_override_stays_inside_coverage_unless_it_says_otherwise():
    """ROT-11: a weekend on trial is an override that stands outside coverage."""
    weekend = ("2025-01-10T12:00", "2025-01-13T09:00")
    inside = shifts(daily(2), [cover(EVA, *weekend)], [], WEEK)
    assert pieces(inside)[-2:] == [(ANA, "10 08:00", "10 12:00"), (EVA, "10 12:00", "10 18:00")]
    outside = shifts(daily(2), [cover(EVA, *weekend, outside_coverage=True, why="trial")], [], WEEK)
    assert pieces(outside)[-2:] == [(EVA, "10 12:00", "10 18:00"), (EVA, "10 18:00", "13 08:00")]
    assert (outside[-1].reason, outside[-1].turn) == ("Eva serves outside coverage: trial", 0)
    trial = [cover(EVA, *weekend, outside_coverage=True, why="trial")]
    for moment in ("2025-01-11T12:00", "2025-01-12T23:59"):
        assert who(daily(2), trial, [], utc(moment)) == outside[-1:]


def test_an_override_fills_a_gap_and_wins_over_an_absence():
    absences = [away(ANA, "2025-01-06", "2025-01-06"), away(BEN, "2025-01-06", "2025-01-06")]
    [shift] = shifts(
        daily(2), [cover(EVA, "2025-01-06T00:00", "2025-01-07T00:00")], absences, between("2025-01-06", "2025-01-07")
    )
    assert (shift.person, shift.reason) == (EVA, "Eva serves where there was nobody")
    [shift] = shifts(
        daily(2), [cover(BEN, "2025-01-06T00:00", "2025-01-07T00:00")], absences, between("2025-01-06", "2025-01-07")
    )
    assert (shift.person, shift.kind) == (BEN, "override")


def test_an_override_moves_nobodys_turn():
    """Glossary: an override replaces a part of a shift; the line goes on as it was."""
    plain = shifts(daily(3), [], [], between("2025-01-08", "2025-02-01"))
    covered = shifts(
        daily(3), [cover(CLEO, "2025-01-07T08:00", "2025-01-07T18:00")], [], between("2025-01-08", "2025-02-01")
    )
    assert covered == plain


def test_a_plan_goes_on_from_a_checkpoint_without_looking_back():
    """Promise 4: what was served is never computed again; what follows is the same."""
    rotation = weekly(5, seats=(Seat("a"), Seat("b", offset=2)), every=4, order="reshuffle_each_cycle", seed=3)
    absences = [away(BEN, "2025-03-01", "2025-03-20"), away(DAN, "2025-06-04", "2025-06-05")]
    at = utc("2025-05-20T10:00")
    checkpoint = progress_from_json(json.loads(json.dumps(progress_to_json(progress(rotation, absences, at)))))
    whole = shifts(rotation, [], absences, between("2025-05-21", "2026-05-21"))
    resumed = shifts(rotation, [], absences, between("2025-05-21", "2026-05-21"), checkpoint)
    assert [(s.person, s.end, s.turn, s.seat, s.reason) for s in resumed] == [
        (s.person, s.end, s.turn, s.seat, s.reason) for s in whole
    ]
    assert [max(s.start, at) for s in whole] == [s.start for s in resumed]
    assert progress(rotation, absences, utc("2026-01-01T00:00"), checkpoint) == progress(
        rotation, absences, utc("2026-01-01T00:00")
    )


def test_an_absence_during_a_running_turn_is_covered_from_the_checkpoint_on():
    """ROT-19: Ana falls ill on Wednesday; Monday and Tuesday stay hers, and so does the turn."""
    rotation, now = weekly(3), utc("2025-01-08T10:00")
    checkpoint = progress(rotation, [], now)
    found = shifts(
        rotation, [], [away(ANA, "2025-01-08", "2025-01-19", "ill")], between("2025-01-08", "2025-01-20"), checkpoint
    )
    assert pieces(found) == [(BEN, "08 10:00", "13 09:00"), (BEN, "13 09:00", "20 09:00")]
    assert found[0].reason == "Ben covers for Ana: ill"


def test_an_edit_from_a_checkpoint_leaves_no_gap():
    """A new day of handoff: what is between is a short turn, and nobody serves the same turn again."""
    checkpoint = progress(weekly(4), [], utc("2025-01-13T10:00"))
    edited = weekly(4, handoff_weekday=2)
    found = shifts(edited, [], [], between("2025-01-14", "2025-02-01"), checkpoint)
    assert pieces(found) == [
        (BEN, "13 10:00", "20 09:00"),
        (CLEO, "20 09:00", "22 09:00"),
        (DAN, "22 09:00", "29 09:00"),
        (ANA, "29 09:00", "05 09:00"),
    ]


def test_nothing_is_planned_before_a_checkpoint():
    """Promise 4: a seat that had no hours so far gets them from now on, not in the past."""
    friday = Seat("engineer", coverage=(Window(frozenset({4}), time(17), time(20)),))
    now = utc("2025-01-14T12:00")
    checkpoint = progress(daily(3, seats=(friday,)), [], now)
    found = shifts(daily(3), [], [], between("2025-01-01", "2025-01-16"), checkpoint)
    assert pieces(found) == [(BEN, "14 12:00", "14 18:00"), (CLEO, "15 08:00", "15 18:00")]


def test_who_covers_at_a_checkpoint_goes_on_covering_for_the_same_reason():
    """Ana has both seats from Saturday on; only the second one is said to be one too many."""
    rotation, absences = weekly(1, seats=PAIR), [away(ANA, "2025-01-06", "2025-01-10")]
    asked = between("2025-01-12", "2025-01-13")
    whole = shifts(rotation, [], absences, asked)
    resumed = shifts(rotation, [], absences, asked, progress(rotation, absences, utc("2025-01-12T00:00")))
    assert ["nobody else is free" in shift.reason for shift in whole] == [False, True]
    assert [(s.person, s.reason) for s in resumed] == [(s.person, s.reason) for s in whole]


def test_who_joins_after_a_checkpoint_stands_at_the_end_of_the_line():
    """ROT-03, ROT-06: joining never changes what is behind us."""
    checkpoint = progress(daily(3), [], utc("2025-01-07T19:00"))
    found = shifts(daily(4), [], [], between("2025-01-08", "2025-01-15"), checkpoint)
    assert names(found) == ["Cleo", "Dan", "Ana", "Ben", "Cleo"]
    gone = daily(0, members=(Member(ANA, "Ana"), Member(BEN, "Ben")))
    assert names(shifts(gone, [], [], between("2025-01-08", "2025-01-11"), checkpoint)) == ["Ana", "Ben", "Ana"]


def test_a_team_may_choose_who_is_next():
    checkpoint = put_first(progress(daily(4), [], utc("2025-01-07T19:00")), "engineer", DAN)
    found = shifts(daily(4), [], [], between("2025-01-08", "2025-01-15"), checkpoint)
    assert names(found) == ["Dan", "Cleo", "Ana", "Ben", "Cleo"]
    assert [tick.state for tick in served_ticks(daily(4), [], utc("2025-01-08T12:00"), checkpoint)] == [
        "served",
        "served",
        "waiting",
        "serving",
    ]


def test_it_shows_whom_an_edit_would_move():
    old = shifts(weekly(3), [], [], between("2025-01-06", "2025-01-27"))
    new = shifts(
        weekly(3), [cover(CLEO, "2025-01-08T00:00", "2025-01-15T00:00")], [], between("2025-01-06", "2025-01-27")
    )
    assert difference(old, new) == [
        Move("engineer", utc("2025-01-08T00:00"), utc("2025-01-13T09:00"), ANA, CLEO),
        Move("engineer", utc("2025-01-13T09:00"), utc("2025-01-15T00:00"), BEN, CLEO),
    ]
    assert difference(old, old) == []
    assert difference(old, []) == [Move("engineer", shift.start, shift.end, shift.person, None) for shift in old]


def test_a_rotation_reads_back_what_it_writes():
    rotation = daily(
        3,
        members=(
            *people(2, Ana="dba"),
            Member(3, "Cleo", active_from=day("2025-02-01"), active_until=day("2025-03-01")),
        ),
        seats=(Seat("engineer"), Seat("evening", "dba", 2, SUPPORT_HOURS)),
        holidays=frozenset({day("2025-04-18")}),
        order="reshuffle_each_cycle",
        seed=99,
        absent_keeps_turn=False,
        own_holidays=True,
        handoff_at=time(8, 30),
        handoff_weekday=3,
        every=2,
    )
    assert from_json(json.loads(json.dumps(to_json(rotation)))) == rotation
    assert from_json(to_json(weekly(2))) == weekly(2)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"zone": "Europe/Londres"}, "zone"),
        ({"unit": "fortnight"}, "unit"),
        ({"every": 0}, "every"),
        ({"starts_on": "6 January"}, "starts_on"),
        ({"handoff_at": 900}, "handoff_at"),
        ({"handoff_weekday": "payday"}, "handoff_weekday"),
        ({"seats": []}, "seats"),
        ({"seats": [{"name": "a"}, {"name": "a"}]}, "seats.1"),
        ({"seats": [{"name": "a", "coverage": [{"weekdays": [0], "start": "08:00"}]}]}, "seats.0.coverage.0.end"),
        ({"seats": [{"name": "a", "offset": -1}]}, "seats.0.offset"),
        ({"members": [{"person": "Ana", "name": "Ana"}]}, "members.0.person"),
        ({"members": [{"person": 1, "name": "Ana"}, {"person": 1, "name": "Ana"}]}, "members.1"),
        (
            {"members": [{"person": 1, "name": "Ana", "active_from": "2025-02-01", "active_until": "2025-01-01"}]},
            "members.0.active_until",
        ),
        ({"coverage": [{"weekdays": [], "start": "08:00", "end": "18:00"}]}, "coverage.0.weekdays"),
        ({"coverage": [{"weekdays": [7], "start": "08:00", "end": "18:00"}]}, "coverage.0.weekdays.0"),
        ({"holidays": ["Christmas"]}, "holidays.0"),
        ({"order": "random"}, "order"),
        ({"absent_keeps_turn": "yes"}, "absent_keeps_turn"),
        ({"hand_off_at": "09:00"}, "hand_off_at"),
    ],
)
def test_a_refusal_names_the_field_that_is_wrong(change, field):
    with pytest.raises(Refused) as refused:
        from_json(to_json(weekly(2)) | change)
    assert refused.value.field == field
