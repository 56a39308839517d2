"""An alert that comes back: whether somebody's answer still holds, pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from watchbill.core.alerts import Answer, come_back, go_on
from watchbill.kit.effects import Become, SetTimer

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
TEN = timedelta(minutes=10)
moments = st.integers(-600, 600).map(lambda minutes: NOW + timedelta(minutes=minutes))
answers = st.builds(Answer, st.just("Ben"), st.none() | moments, st.booleans())


def test_it_says_who_has_it_and_until_when():
    assert come_back(Answer("Ben"), TEN, NOW) == (True, "it returned within 10 minutes, Ben has it")
    until = NOW + timedelta(minutes=20)
    assert come_back(Answer("Ben", until), TEN, NOW)[1].endswith("Ben has it until Tue 09:20 UTC")
    assert "Ben snoozed it until Tue 09:20" in come_back(Answer("Ben", until, snoozed=True), TEN, NOW)[1]


def test_without_an_answer_somebody_is_asked_as_for_any_alert():
    assert come_back(None, TEN, NOW) == (False, "it returned within 10 minutes, and nobody had answered")


@given(answers)
def test_an_answer_holds_exactly_until_its_own_end(answer):
    """However often it flaps: coming back gives a promise no new time."""
    holds, why = come_back(answer, TEN, NOW)
    assert holds == (answer.until is None or answer.until > NOW)
    assert "Ben" in why
    assert "10 minutes" in why


@given(answers.filter(lambda answer: come_back(answer, TEN, NOW)[0]))
def test_a_page_that_goes_on_is_open_asks_nobody_and_wakes_when_the_answer_ends(answer):
    effects = go_on(answer, "why")
    [become] = [effect for effect in effects if isinstance(effect, Become)]
    assert become.changes["closed_at"] is None
    assert become.changes["until"] == answer.until
    assert become.changes["state"] == ("snoozed" if answer.snoozed else "acknowledged")
    kind = "snooze_over" if answer.snoozed else "acknowledgement_expires"
    assert [e for e in effects if isinstance(e, SetTimer)] == ([SetTimer(kind, answer.until)] if answer.until else [])
