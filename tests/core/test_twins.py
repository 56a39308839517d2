"""A thing that stands here and in a tracker: what moves, what is an echo, and that nothing goes round in a circle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from watchbill.core.twins import (
    TARGETS,
    Agreement,
    Face,
    Known,
    agree,
    changed_parts,
    follow,
    join_target,
    split_target,
)

NINE = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
STAGES = {"to do": "to_do", "in progress": "in_progress", "done": "done", "closed": "done", "rejected": "done:wont_do"}
STATES = {"to_do": "To Do", "in_progress": "In Progress", "waiting": "In Progress", "done": "Done"}
WORDS = agree({}, STAGES, STATES)
OURS, THEIRS = Face("Disk", "in_progress"), Face("Disk", "In Progress")
KNOWN = Known(OURS, THEIRS, NINE)


def came(state: str, minutes: int = 1, ours: Face = OURS, known: Known = KNOWN, words: Agreement = WORDS, moved: datetime = NINE):  # type: ignore[no-untyped-def]  # fmt: skip
    return follow(replace(THEIRS, state=state), NINE + timedelta(minutes=minutes), ours, moved, known, words)


def test_their_move_becomes_ours() -> None:
    assert (came("Done").state, came("Done").target) == ("move", "done")
    assert came("Rejected").target == "done:wont_do"


def test_our_own_echo_does_nothing() -> None:
    assert came("In Progress").state == "same"
    assert came("in progress").state == "same"


def test_a_report_that_comes_late_does_nothing() -> None:
    assert came("Done", minutes=-1).state == "late"


def test_a_status_that_no_mapping_knows_is_said() -> None:
    """Unmapped states fail silently elsewhere; here they are shown."""
    found = came("Ready for CAB")
    assert found.state == "unknown"
    assert "Ready for CAB" in found.why
    assert came("Ready for CAB", words=agree({"stages": {"Ready for CAB": "ignore"}}, STAGES, STATES)).state == "same"


def test_a_coarser_tracker_does_not_pull_a_ticket_back() -> None:
    """We are waiting, which is In Progress there: that it is in progress there is no news."""
    waiting = replace(OURS, state="waiting")
    assert came("In Progress", ours=waiting, known=Known(OURS, replace(THEIRS, state="To Do"), NINE)).state == "same"


def test_of_two_moves_the_newest_wins() -> None:
    ours = replace(OURS, state="done")
    assert came("To Do", minutes=1, ours=ours, moved=NINE + timedelta(minutes=2)).state == "same"
    assert came("To Do", minutes=3, ours=ours, moved=NINE + timedelta(minutes=2)).state == "move"


def test_only_what_was_changed_there_is_changed_here() -> None:
    """A title that we changed and they did not is not taken back by their next move."""
    found = follow(Face("Disk", "Done", ("operations",)), NINE, replace(OURS, title="Disk of db1"), NINE, KNOWN, WORDS)
    assert found.parts == {"labels"}


def test_words_of_the_team_stand_over_those_of_the_connector() -> None:
    words = agree({"stages": {"Closed": "done:wont_do"}, "labels": {"ops": "operations"}}, STAGES, STATES)
    assert words.target_of("CLOSED") == "done:wont_do"
    assert words.target_of("Done") == "done"
    assert words.state_of("done:wont_do") == "Done"
    assert words.labels_here(("ops", "on call")) == ("operations", "on-call")
    assert words.labels_there(("operations", "x")) == ("ops", "x")
    with pytest.raises(ValidationError, match="“finished” is none of to_do"):
        agree({"stages": {"Closed": "finished"}}, STAGES, STATES)


@given(st.sampled_from(TARGETS))
def test_a_target_is_a_stage_and_an_outcome(target: str) -> None:
    assert join_target(*split_target(target)) == target


STATE = st.sampled_from(["To Do", "In Progress", "Done"])
TARGET = st.sampled_from(["to_do", "in_progress", "waiting", "done"])


@given(st.lists(st.tuples(st.booleans(), TARGET, STATE), max_size=12))
def test_whatever_both_sides_do_in_turn_they_end_in_step(moves: list[tuple[bool, str, str]]) -> None:
    """After each move is carried to the other side, the sides agree, and carrying once more changes nothing."""
    ours, theirs, known, at = OURS, THEIRS, KNOWN, NINE
    for we_move, target, state in moves:
        at += timedelta(minutes=1)
        if we_move:
            ours = replace(ours, state=target)
            if "state" in changed_parts(ours, known.ours):
                theirs = replace(theirs, state=WORDS.state_of(ours.state))
        else:
            theirs = replace(theirs, state=state)
            found = follow(theirs, at, ours, at - timedelta(minutes=1), known, WORDS)
            ours = replace(ours, state=found.target) if found.state == "move" else ours
        known = Known(ours, theirs, at)
        assert WORDS.state_of(ours.state) == theirs.state
        assert not changed_parts(ours, known.ours)
        assert follow(theirs, at, ours, at, known, WORDS).state == "same"
