"""Whom to ask: the order of suggestions, its reasons, and how asking was spread."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from watchbill.core.experts import Candidate, Touch, Weights, rank, spread

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def order(*candidates: Candidate, topics: tuple[str, ...] = ("dns",), weights: Weights = Weights()) -> list[str]:  # noqa: B008
    names = {one.id: one.name for one in candidates}
    return [names[one.id] for one in rank(candidates, topics, weights, NOW)]


def test_who_knows_it_comes_before_who_wants_to_learn_it():
    """TRI-11: likely the skills and capacity needed; a learning wish counts too."""
    ana, ben, eva = Candidate(1, "Ana"), Candidate(2, "Ben", ["learning: DNS"]), Candidate(3, "Eva", ["Dns", "db"])
    assert order(ana, ben, eva) == ["Eva", "Ben", "Ana"]
    best, second, _ = rank([ana, ben, eva], ["dns"], Weights(), NOW)
    assert best.reasons[0] == "knows dns"
    assert second.reasons[0] == "wants to learn dns"


def test_a_team_may_let_the_learner_go_first():
    """TRI-13: the weights are the team's."""
    ben, eva = Candidate(2, "Ben", ["learning:dns"]), Candidate(3, "Eva", ["dns"])
    assert order(ben, eva, weights=Weights(skill=0, learning=8)) == ["Ben", "Eva"]


def test_who_touched_it_last_counts_more_than_who_did_before():
    """TRI-11."""
    ana = Candidate(1, "Ana", touch=Touch(NOW - 9 * DAY, "resolved a request of dns"))
    ben = Candidate(2, "Ben", touch=Touch(NOW - 2 * HOUR, "answered a page of dns"))
    found = rank([ana, ben], [], Weights(), NOW)
    assert [one.id for one in found] == [2, 1]
    assert found[0].reasons[0] == "touched it last: answered a page of dns, 2 h ago"
    assert found[1].reasons[0] == "resolved a request of dns, 9 days ago"


def test_the_same_person_is_not_asked_many_times_in_a_row():
    """TRI-12: each time somebody was asked lately moves them down."""
    eva = Candidate(3, "Eva", ["dns"], asked=[NOW - DAY, NOW - HOUR, NOW - 2 * DAY])
    ben = Candidate(2, "Ben")
    assert order(eva, ben) == ["Ben", "Eva"]
    assert "was asked 3 times lately, last 1 h ago" in rank([eva], ["dns"], Weights(), NOW)[0].reasons


def test_load_counts_against_and_equals_go_by_who_was_asked_longest_ago():
    """TRI-11, TRI-12: capacity."""
    busy, free = Candidate(1, "Ana", load=3), Candidate(2, "Ben")
    assert order(busy, free) == ["Ben", "Ana"]
    lately, earlier = Candidate(1, "Ana", asked=[NOW - DAY]), Candidate(2, "Ben", asked=[NOW - 5 * DAY])
    assert order(lately, earlier) == ["Ben", "Ana"]


def test_who_is_away_or_was_asked_about_this_comes_last_but_is_shown():
    """TRI-11: nobody is hidden; the reason stands beside them."""
    away = Candidate(1, "Ana", ["dns"], away="is away until Fri 06 Mar")
    asked = Candidate(2, "Ben", ["dns"], about_this=True)
    eva = Candidate(3, "Eva", load=9)
    assert order(away, asked, eva) == ["Eva", "Ben", "Ana"]
    assert rank([away], ["dns"], Weights(), NOW)[0].reasons[-1] == "is away until Fri 06 Mar"


times = st.lists(st.integers(0, 500).map(lambda hours: NOW - hours * HOUR), max_size=4)
people = st.lists(
    st.builds(
        Candidate,
        id=st.integers(1, 8),
        name=st.sampled_from(["Ana", "Ben", "Eva"]),
        skills=st.lists(st.sampled_from(["dns", "db", "learning:dns", " DNS "]), max_size=3),
        load=st.integers(0, 40),
        asked=times,
        away=st.sampled_from(["", "is away"]),
        about_this=st.booleans(),
    ),
    unique_by=lambda one: one.id,
    max_size=8,
)


@given(people)
def test_everybody_is_suggested_once_and_who_is_there_comes_first(candidates):
    """TRI-11, TRI-12."""
    found = rank(candidates, ["dns"], Weights(), NOW)
    assert sorted(one.id for one in found) == sorted(one.id for one in candidates)
    assert [one.is_there for one in found] == sorted((one.is_there for one in found), reverse=True)
    assert all(one.reasons for one in found)


@given(people, st.integers(0, 7))
def test_being_asked_once_more_never_moves_anybody_up(candidates, which):
    """TRI-12."""
    if not candidates:
        return
    one = candidates[which % len(candidates)]
    more = Candidate(one.id, one.name, one.skills, one.touch, one.load, [*one.asked, NOW], one.away, one.about_this)
    after = [more if other.id == one.id else other for other in candidates]
    place = {x.id: n for n, x in enumerate(rank(candidates, ["dns"], Weights(), NOW))}
    moved = {x.id: n for n, x in enumerate(rank(after, ["dns"], Weights(), NOW))}
    assert moved[one.id] >= place[one.id]


def test_the_spread_names_everybody_also_who_was_never_asked():
    """TRI-12, TRI-13."""
    shares = spread([1, 2, 3], [2, 2, 1, 2], [2])
    assert [(s.id, s.asked, s.took, s.in_a_row, s.percent) for s in shares] == [
        (2, 3, 1, 2, 75),
        (1, 1, 0, 1, 25),
        (3, 0, 0, 0, 0),
    ]
    assert [s.asked for s in spread([1], [], [])] == [0]
