"""Updates, the pure part: who hears how often, what is said in which parts, and promises that are kept or told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill import presets
from watchbill.core import updates
from watchbill.kit.errors import Refused
from watchbill.rules import incident_updates

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PARTS = {"why": "What is happening, and why", "doing": "What we are doing", "next": "What we are going to do"}
SAID = {"why": "The disk is full", "doing": "Freeing space", "next": "Watching it"}


def of_preset(name: str, priority: str) -> dict[str, int]:
    settings = incident_updates.Settings.model_validate(presets.load(name).rules["incident_updates"])
    return {one.key: one.every // MINUTE for one in incident_updates.decide(priority, settings)}


@pytest.mark.parametrize(
    ("preset", "priority", "every"),
    [
        ("laa-ops", "high", {"responders": 0, "users": 60, "leadership": 60}),
        ("hub-support", "p1", {"communities": 180, "responders": 0, "leadership": 360}),
        ("library-devops", "immediately", {"responders": 0, "leadership": 60, "users": 120}),
        ("oncall-remodel", "interruption", {"responders": 0, "public": 20, "manager": 60}),
        ("operate-first", "p1", {"responders": 0, "users": 30, "public": 30, "leadership": 120}),
    ],
)
def test_the_same_outage_is_told_at_five_cadences(preset: str, priority: str, every: dict[str, int]) -> None:
    """C10, COM-01, COM-02, COM-10: each document's answer is a dated setting, in minutes per priority and audience."""
    assert of_preset(preset, priority) == every


@pytest.mark.parametrize(
    ("preset", "speaks"),
    [
        ("laa-ops", "responders"),
        ("hub-support", "commander"),
        ("library-devops", "commander"),
        ("operate-first", "watch"),
    ],
)
def test_who_speaks_without_a_liaison_is_the_teams_answer(preset: str, speaks: str) -> None:
    """C12, COM-03, COM-04."""
    settings = incident_updates.Settings.model_validate(presets.load(preset).rules["incident_updates"])
    assert settings.without_liaison == speaks


def test_leadership_sees_it_from_the_start_where_the_team_says_so() -> None:
    """INC-07."""
    held = {name: presets.load(name).rules["incident_updates"] for name in ("library-devops", "laa-ops")}
    read = {name: incident_updates.Settings.model_validate(one) for name, one in held.items()}
    assert read["library-devops"].audiences["leadership"].from_start
    assert not read["laa-ops"].audiences["leadership"].from_start


def test_nobody_outside_is_an_audience_of_a_private_one_and_nothing_leaves_to_them_in_an_exercise() -> None:
    settings = incident_updates.Settings()
    private = incident_updates.decide("p1", settings, is_private=True)
    assert [one.key for one in private] == ["responders", "leadership"]
    exercise = incident_updates.decide("p1", settings, is_exercise=True)
    assert [one.key for one in exercise if not one.leaves] == ["communities", "public"]


def test_people_outside_never_first_hear_from_a_machine() -> None:
    with pytest.raises(ValueError, match="from a person"):
        incident_updates.Audience(title="Users", who="communities", through=["mail"], from_start=True)


def test_an_update_has_every_part_in_the_teams_order() -> None:
    """COM-07: what is happening and why, what we do, what we are going to do."""
    parts = updates.compose(PARTS, dict(reversed(SAID.items())))
    assert [heading for heading, _ in parts] == list(PARTS.values())
    assert updates.render(parts).startswith("What is happening, and why\nThe disk is full\n\n")
    with pytest.raises(Refused) as refused:
        updates.compose(PARTS, {**SAID, "doing": " "})
    assert refused.value.field == "doing"
    with pytest.raises(Refused, match="the parts are"):
        updates.compose(PARTS, {**SAID, "blame": "Ana"})


def test_the_last_update_may_be_a_sentence() -> None:
    """COM-06."""
    assert updates.compose(PARTS, {"why": "It is over"}, is_last=True) == [[PARTS["why"], "It is over"]]
    with pytest.raises(Refused, match="it is over"):
        updates.compose(PARTS, {}, is_last=True)


def test_a_mitigated_one_is_told_as_monitoring_and_only_an_active_one_as_identified() -> None:
    told = {state: updates.told_state(state) for state in updates.TOLD}
    assert told == {
        "active": "investigating",
        "mitigated": "monitoring",
        "resolved": "resolved",
        "closed": "resolved",
    }
    assert updates.told_state("active", "identified") == "identified"
    for state, said in (("mitigated", "identified"), ("resolved", "investigating"), ("active", "sad")):
        with pytest.raises(Refused):
            updates.told_state(state, said)


def test_the_next_update_lies_ahead() -> None:
    assert updates.check_next(None, NOW) is None
    for wrong in (NOW, NOW - MINUTE, NOW + timedelta(days=8)):
        with pytest.raises(Refused) as refused:
            updates.check_next(wrong, NOW)
        assert refused.value.field == "next_update_at"


def test_what_should_not_leave_is_pointed_at() -> None:
    found = updates.worries("Ana restarts db-7 (10.0.0.7), write to ana@example.org", ["Ana", "Ben"], ["db-7"])
    assert len(found) == 4
    assert updates.worries("The banana is fine", ["Ana"]) == []


# What happens to a promise, minute by minute: the worker looks (or sleeps), or somebody writes.
HAPPENINGS = st.lists(st.sampled_from(["look", "sleep", "write", "look"]), min_size=1, max_size=40)


@given(HAPPENINGS, st.integers(0, 30), st.integers(0, 20))
def test_of_each_period_somebody_is_reminded_and_told_at_most_once_and_a_miss_is_never_silent(
    happenings: list[str], every: int, before: int
) -> None:
    """COM-01, COM-02: whatever the order of looks, sleeps and updates."""
    cadence, ahead = every * MINUTE, before * MINUTE
    now, held = NOW, updates.promise("users", cadence, ahead, NOW)
    reminded, late, since = 0, 0, NOW
    for happens in happenings:
        now += MINUTE
        if held is None:
            assert every == 0
            break
        if happens == "write":
            held, reminded, late, since = updates.promise("users", cadence, ahead, now), 0, 0, now
        elif happens == "look":
            what, held = updates.settle(held, ahead, now)
            reminded, late = reminded + (what == "remind"), late + (what == "late")
            again, same = updates.settle(held, ahead, now)
            assert (again, same) == ("", held), "a second look at once tells nothing new"
            assert (late > 0) == (now - since >= cadence), "what is missed is told, what is not is not"
        assert reminded <= 1
        assert late <= (now - since) // cadence if every else late == 0


@given(st.integers(1, 600), st.integers(0, 60))
def test_looking_when_the_timers_say_tells_one_reminder_before_and_one_miss_at_the_time(
    every: int, before: int
) -> None:
    held = updates.promise("users", every * MINUTE, before * MINUTE, NOW)
    assert held is not None
    told: list[tuple[str, timedelta]] = []
    for _ in range(3):
        at = min(one for one in updates.wake_at([held], before * MINUTE) if one)
        what, held = updates.settle(held, before * MINUTE, at)
        told.append((what, at - NOW))
    misses = [at for what, at in told if what == "late"]
    assert misses[0] == every * MINUTE
    assert [at for what, at in told if what == "remind"] == ([(every - before) * MINUTE] if 0 < before < every else [])


def test_a_promise_of_its_own_without_a_cadence_is_told_late_once() -> None:
    held = updates.promise("users", timedelta(), 5 * MINUTE, NOW, NOW + 30 * MINUTE)
    assert held is not None
    what, held = updates.settle(held, 5 * MINUTE, NOW + 31 * MINUTE)
    assert what == "late"
    assert updates.wake_at([held], 5 * MINUTE) == (None, None)
