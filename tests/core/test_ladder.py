"""The ladder, pure: whom it asks, what it skips, what an answer does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill.core import paging
from watchbill.core.paging import Ladder, Moment, Page, Reach, Step
from watchbill.kit.effects import Become, ClearTimer, Notify, Record, SetTimer, Start
from watchbill.kit.errors import Refused

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
FIVE = timedelta(minutes=5)
REACH = {
    "seat:engineer": Reach((1,), "Ana is engineer on watch"),
    "next:engineer": Reach((2,), "Ben is next"),
    "team": Reach((1, 2, 3), "all hands"),
    "seat:dba": Reach((), "nobody stands the watch as dba now"),
}
MOMENT = Moment(weekday=1, in_coverage=True, reach=REACH)
LADDER = Ladder((Step(("seat:engineer",), FIVE), Step(("next:engineer",), FIVE), Step(("team",), FIVE)))


def page(state="climbing", step=-1, round=1, severity="critical", answered_by=None):
    return Page(state, severity, "important", step, round, answered_by, "Ana" if answered_by else "")


def asked(effects):
    return [effect.person for effect in effects if isinstance(effect, Notify)]


def test_a_new_page_asks_the_first_rung_at_once_and_waits():
    """PAG-01: escalation is automatic."""
    effects = paging.climb(page(), LADDER, MOMENT, NOW)
    assert asked(effects) == [1]
    assert SetTimer("climb", NOW + FIVE) in effects
    assert Become({"state": "climbing", "step": 0, "round": 1}) in effects


def test_the_next_rung_is_asked_when_the_wait_is_over():
    assert asked(paging.climb(page(step=0), LADDER, MOMENT, NOW)) == [2]


def test_all_hands_asks_everybody_once():
    """DUT-17."""
    assert asked(paging.climb(page(step=1), LADDER, MOMENT, NOW)) == [1, 2, 3]


def test_a_rung_that_stands_for_nobody_is_skipped_at_once_with_its_reason():
    ladder = Ladder((Step(("seat:dba",), FIVE), Step(("seat:engineer",), FIVE)))
    effects = paging.climb(page(), ladder, MOMENT, NOW)
    assert asked(effects) == [1]
    assert isinstance(effects[0], Record)
    assert "nobody stands the watch as dba now" in effects[0].why


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Step(("team",), FIVE, severities=frozenset({"warning"})), "only for warning"),
        (Step(("team",), FIVE, weekdays=frozenset({5, 6})), "not on a Tuesday"),
        (Step(("team",), FIVE, in_coverage=False), "only outside coverage hours"),
    ],
)
def test_a_rung_whose_condition_does_not_hold_is_skipped(step, reason):
    effects = paging.climb(page(), Ladder((step, Step(("seat:engineer",), FIVE))), MOMENT, NOW)
    assert asked(effects) == [1]
    assert reason in effects[0].why


def test_the_ladder_is_climbed_as_often_as_it_repeats_and_is_then_exhausted():
    ladder = Ladder((Step(("seat:engineer",), FIVE),), repeat=2)
    assert asked(paging.climb(page(step=0), ladder, MOMENT, NOW)) == [1]
    effects = paging.climb(page(step=0, round=2), ladder, MOMENT, NOW)
    assert effects == [Become({"state": "exhausted"}), ClearTimer("climb"), Start("page.exhausted")]


def test_an_exhausted_page_starts_over_when_its_timer_comes():
    assert asked(paging.climb(page("exhausted", step=2), LADDER, MOMENT, NOW)) == [1]


@pytest.mark.parametrize("state", ["acknowledged", "snoozed", "resolved"])
def test_an_answered_page_climbs_no_further(state):
    assert paging.climb(page(state), LADDER, MOMENT, NOW) == []


def test_an_acknowledgement_stops_the_climb_and_promises_an_end():
    until = NOW + timedelta(minutes=30)
    effects = paging.acknowledge(page(), 1, "Ana", until, NOW)
    assert ClearTimer("climb") in effects
    assert SetTimer("acknowledgement_expires", until) in effects


def test_a_second_acknowledgement_by_the_same_person_changes_nothing():
    assert paging.acknowledge(page("acknowledged", answered_by=1), 1, "Ana", None, NOW) == []


def test_an_acknowledgement_by_somebody_else_takes_the_page_over_and_says_from_whom():
    record = paging.acknowledge(page("acknowledged", answered_by=1), 2, "Ben", None, NOW)[1]
    assert record.why == "Ben acknowledged, taking over from Ana"


def test_an_acknowledgement_that_ran_out_asks_the_same_person_and_then_the_ladder():
    effects = paging.ask_again(page("acknowledged", step=1, answered_by=1), "it ran out", NOW)
    assert asked(effects) == [1]
    assert SetTimer("climb", NOW + FIVE) in effects
    assert effects[0].changes["step"] == -1


@pytest.mark.parametrize(
    "answer",
    [
        lambda gone: paging.acknowledge(gone, 1, "Ana", None, NOW),
        lambda gone: paging.snooze(gone, 1, "Ana", NOW + FIVE, NOW),
        lambda gone: paging.reassign(gone, 2, "Ben", "Ana", NOW),
        lambda gone: paging.ask_for_help(gone, "Ana"),
    ],
)
def test_a_resolved_page_refuses_every_answer(answer):
    with pytest.raises(Refused, match="resolved"):
        answer(page("resolved"))


@pytest.mark.parametrize("until", [NOW, NOW - FIVE, NOW + timedelta(days=8)])
def test_a_snooze_ends_in_the_future_and_within_a_week(until):
    with pytest.raises(Refused, match="at most a week"):
        paging.snooze(page(), 1, "Ana", until, NOW)


@pytest.mark.parametrize(
    ("steps", "repeat", "words"),
    [
        ([], 1, "at least one step"),
        ([{"targets": []}], 1, "step 1 pages nobody"),
        ([{"targets": ["seat:a"]}, {"targets": ["boss"]}], 1, "step 2: “boss” is no target"),
        ([{"targets": ["seat:"]}], 1, "is no target"),
        ([{"targets": ["team"], "wait_minutes": 0}], 1, "the wait is between"),
        ([{"targets": ["team"], "wait_minutes": True}], 1, "the wait is between"),
        ([{"targets": ["team"], "when": {"weekdays": [7]}}], 1, "weekdays are numbers"),
        ([{"targets": ["team"]}], 0, "once to twenty times"),
    ],
)
def test_a_ladder_that_is_wrong_is_refused_with_its_place(steps, repeat, words):
    with pytest.raises(Refused, match=words):
        paging.read_ladder(steps, repeat)


STEPS = st.lists(
    st.builds(
        Step,
        targets=st.lists(st.sampled_from(sorted(REACH)), min_size=1, max_size=3).map(tuple),
        wait=st.integers(1, 60).map(lambda minutes: timedelta(minutes=minutes)),
        severities=st.sets(st.sampled_from(["critical", "warning"])).map(frozenset),
        weekdays=st.sets(st.integers(0, 6)).map(frozenset),
        in_coverage=st.sampled_from([None, True, False]),
    ),
    min_size=1,
    max_size=6,
)


@given(STEPS, st.integers(1, 3))
def test_every_climb_ends_asks_each_reachable_rung_in_order_and_never_twice_at_once(steps, repeat):
    ladder, at, rungs, now = Ladder(tuple(steps), repeat), page(), [], NOW
    for _ in range(len(steps) * repeat + 1):
        effects = paging.climb(at, ladder, MOMENT, now)
        assert len(asked(effects)) == len(set(asked(effects)))
        become = next(effect.changes for effect in effects if isinstance(effect, Become))
        if become["state"] == "exhausted":
            break
        rungs.append((become["round"], become["step"]))
        now = next(effect.at for effect in effects if isinstance(effect, SetTimer))
        at = page(step=become["step"], round=become["round"])
    else:
        pytest.fail("the climb did not end")
    reachable = [
        number
        for number, step in enumerate(steps)
        if not paging.why_not(step, page(), MOMENT) and any(REACH[target].people for target in step.targets)
    ]
    assert rungs == [(round_, number) for round_ in range(1, repeat + 1) for number in reachable]
