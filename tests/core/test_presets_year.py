"""Each preset for a year, day by day, against an oracle written out here (ROT-01..ROT-12, C1..C4, GEN-01).

The oracles count days and weeks on the wall; they share no code with the engine.
"""

from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from watchbill import presets, rules
from watchbill.core.coverage import read_coverage
from watchbill.core.rota.holidays import public_holidays
from watchbill.core.rota.plain import from_json
from watchbill.core.rota.turns import shifts
from watchbill.kit.errors import Refused
from watchbill.kit.spans import Span

NAMES = ("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gil")
MONDAY = date(2025, 1, 6)
DAYS = [MONDAY + timedelta(days=n) for n in range(360)]
# Written out from the calendars of the United States and of England: weekdays of 2025 after 6 January, of 258 in all.
CLOSED_US = {(1, 20), (2, 17), (5, 26), (6, 19), (7, 4), (9, 1), (10, 13), (11, 11), (11, 27), (12, 25)}
CLOSED_GB = {(4, 18), (4, 21), (5, 5), (5, 26), (8, 25), (12, 25), (12, 26)}


def year_of(name, members, country="", part="", zone=""):
    """The shifts of a preset's only rotation, and a function that tells who has a seat at a wall-clock time."""
    preset = presets.load(name)
    [settings] = preset.rotations
    plain = {key: value for key, value in settings.items() if key not in {"name", "follow_holidays"}}
    zone = zone or preset.zone
    closed = public_holidays(country, part, [2025, 2026]) if settings["follow_holidays"] and country else {}
    rotation = from_json(
        plain
        | {"zone": zone, "starts_on": MONDAY.isoformat(), "holidays": [str(day) for day in closed]}
        | {"members": [{"person": n, "name": who, "skills": skills} for n, (who, skills) in enumerate(members)]}
    )
    year = Span(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 12, tzinfo=UTC))
    found = shifts(rotation, [], [], year)
    names = [who for who, _ in members]

    def at(day, clock, seat):
        moment = datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone)).astimezone(UTC)
        there = [shift for shift in found if shift.seat == seat and shift.start <= moment < shift.end]
        assert len(there) <= 1
        return names[there[0].person] if there else None

    return found, at


def is_open(day, closed):
    return day.weekday() < 5 and (day.month, day.day) not in closed


def plain_members(count):
    return [(name, []) for name in NAMES[:count]]


@pytest.mark.parametrize("count", [2, 5, 7])
def test_operate_first_has_one_engineer_each_working_day_and_shuffles_after_each_cycle(count):
    """ROT-01, ROT-04, ROT-06, ROT-07."""
    found, at = year_of("operate-first", plain_members(count), "US")
    served = []
    for day in DAYS:
        now = [at(day, clock, "engineer") for clock in ("08:59", "09:00", "16:59", "17:00")]
        if is_open(day, CLOSED_US):
            assert now[0] is None
            assert now[1] == now[2]
            assert now[3] is None
            served.append(now[1])
        else:
            assert now == [None] * 4
    assert len(served) == len(found) == 258 - len(CLOSED_US)
    cycles = [served[n : n + count] for n in range(0, len(served) - count + 1, count)]
    assert all(sorted(cycle) == sorted(NAMES[:count]) for cycle in cycles)
    assert all(one != other for one, other in pairwise(served))
    assert count == 2 or len({tuple(cycle) for cycle in cycles}) > 10


@pytest.mark.parametrize("zone", ["", "Europe/London", "Australia/Lord_Howe"])
def test_oncall_remodel_hands_over_each_monday_at_ten_and_never_leaves_a_gap(zone):
    """ROT-15, C1, C3: the oracle is one division by seven."""
    _, at = year_of("oncall-remodel", plain_members(5), zone=zone)
    for day in DAYS:
        weeks = (day - MONDAY).days // 7
        before = weeks - 1 if day.weekday() == 0 else weeks
        assert at(day, "03:30", "primary") == (NAMES[before % 5] if before >= 0 else None)
        assert at(day, "09:59", "primary") == (NAMES[before % 5] if before >= 0 else None)
        assert at(day, "10:00", "primary") == NAMES[weeks % 5]
        assert at(day, "23:59", "primary") == NAMES[weeks % 5]


def test_laa_ops_has_an_engineer_and_a_dba_in_support_hours_and_another_engineer_after_five():
    """ROT-08, ROT-09, ROT-12."""
    engineers, dbas = ["Ana", "Ben", "Cleo"], ["Dan", "Eva"]
    members = [(name, ["engineer"]) for name in engineers] + [(name, ["dba"]) for name in dbas]
    _, at = year_of("laa-ops", members, "GB", "ENG")
    worked, evenings = 0, []
    for day in DAYS:
        if not is_open(day, CLOSED_GB):
            for seat in ("engineer", "dba", "evening"):
                assert {at(day, clock, seat) for clock in ("00:00", "08:00", "12:00", "17:30", "21:00")} == {None}
            continue
        for clock in ("08:00", "12:30", "17:59"):
            assert at(day, clock, "engineer") == engineers[worked % 3]
            assert at(day, clock, "dba") == dbas[worked % 2]
        for seat, clock in [("engineer", "07:59"), ("engineer", "18:00"), ("evening", "16:59"), ("evening", "22:00")]:
            assert at(day, clock, seat) is None
        evening = at(day, "17:00", "evening")
        assert evening == at(day, "21:59", "evening")
        assert evening in engineers
        assert evening != engineers[worked % 3]
        evenings.append(evening)
        worked += 1
    assert worked == 258 - len(CLOSED_GB)
    counts = [evenings.count(name) for name in engineers]
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("count", [4, 6, 7])
@pytest.mark.parametrize("zone", ["", "America/Santiago"])
def test_hub_support_changes_one_of_two_stewards_every_two_weeks_in_alphabetical_order(count, zone):
    """C1, C2, C3, C4: every second week the next in the alphabet takes the seat whose turn it is."""
    members = [(name, []) for name in reversed(NAMES[:count])]
    _, at = year_of("hub-support", members, zone=zone)
    for day in DAYS:
        weeks = (day - MONDAY).days // 7
        first = 0 if weeks < 4 else 2 * (weeks // 4) + 1
        second = 1 if weeks < 2 else 2 * ((weeks - 2) // 4) + 2
        for clock in ("04:00", "12:00", "22:30"):
            if day.weekday() < 5:
                assert at(day, clock, "steward") == NAMES[first % count]
                assert at(day, clock, "second_steward") == NAMES[second % count]
            else:
                assert at(day, clock, "steward") is None
                assert at(day, clock, "second_steward") is None


def test_library_devops_gives_each_person_a_week_of_office_hours():
    """ROT-02, ROT-19: a holiday in the week spends nobody's turn."""
    _, at = year_of("library-devops", plain_members(4), "US")
    for day in DAYS:
        expected = NAMES[(day - MONDAY).days // 7 % 4] if is_open(day, CLOSED_US) else None
        assert at(day, "09:00", "engineer") == expected
        assert at(day, "16:59", "engineer") == expected
        assert at(day, "08:59", "engineer") is None
        assert at(day, "17:00", "engineer") is None


SAID_BY_EACH = {
    "severity_response", "acknowledgement_expires", "page_exhausted", "alert_grouping", "reachability", "request_classes",
    "request_arrives", "request_ends", "timebox",
}  # fmt: skip


@pytest.mark.parametrize("name", list(presets.all_presets()))
def test_a_preset_names_real_rules_with_valid_settings_and_seats_that_exist(name):
    """GEN-01, C22: what a team starts from holds together."""
    preset = presets.load(name)
    for rule, settings in preset.rules.items():
        rules.all_rules()[rule].Settings.model_validate(settings)
    # What differs between the teams is said by each; for the rest the rule's own default holds.
    assert set(preset.rules) >= SAID_BY_EACH
    seats = {seat["name"] for rotation in preset.rotations for seat in rotation["seats"]}
    targets = {target for step in preset.ladder["steps"] for target in step["targets"]}
    named = {target.partition(":")[2] for target in targets if target.startswith(("seat:", "next:"))}
    assert named
    assert named <= seats
    assert "fallback" in targets
    severities = preset.rules["severity_response"]["severities"]
    asked = {word for step in preset.ladder["steps"] for word in step.get("when", {}).get("severities", ())}
    assert asked <= set(severities)
    # PRI-04: critical immediately, warning in a day or two and without a page.
    assert severities["critical"]["respond"] == "page_now"
    assert severities["warning"]["respond"] == "list_due"
    assert 24 <= severities["warning"]["within_hours"] <= 48
    assert set(preset.labels) <= seats | {"commander"}
    if preset.coverage is not None:
        assert read_coverage(preset.coverage, preset.zone).windows


def test_there_is_one_preset_for_each_of_the_five_processes():
    names = ["hub-support", "laa-ops", "library-devops", "oncall-remodel", "operate-first"]
    assert list(presets.all_presets()) == names


def test_a_preset_that_does_not_exist_is_refused():
    with pytest.raises(Refused) as refused:
        presets.load("nobody-works-so")
    assert refused.value.field == "preset"


def test_who_changes_a_loaded_preset_changes_nobody_elses():
    presets.load("laa-ops").rules["severity_response"]["severities"].clear()
    assert presets.load("laa-ops").rules["severity_response"]["severities"]


@pytest.mark.parametrize(
    ("line", "wrong", "field"),
    [
        ("zone: Europe/London", "zone: Europe/Londres", "laa-ops.zone"),
        ("unit: working_day", "unit: workday", "unit"),
        ("labels:", "lables:", "laa-ops.labels"),
        ('start: "08:00"', "start: 18:00", "laa-ops.coverage.0.start"),
    ],
)
def test_a_preset_with_a_mistake_is_refused_at_its_place(line, wrong, field):
    text = (files(presets) / "laa-ops.yaml").read_text("utf-8")
    assert line in text
    with pytest.raises(Refused) as refused:
        presets.read_preset("laa-ops", text.replace(line, wrong))
    assert refused.value.field == field
