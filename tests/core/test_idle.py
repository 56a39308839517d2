"""What do I do now, and what is groomed first: orders that lose nothing."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill.core import grooming, idle
from watchbill.core.grooming import Item
from watchbill.core.idle import Idea
from watchbill.kit.errors import Refused
from watchbill.rules import idle_order

IDEAS = st.lists(
    st.integers(0, 12).map(lambda number: Idea("x", f"T-{number}", "why", f"/tickets/{number}/")), max_size=8
)


@given(IDEAS, st.dictionaries(st.sampled_from(["mine", "backlog", "epic"]), IDEAS), st.integers(1, 4))
def test_what_burns_comes_first_and_each_thing_is_offered_once(burning, found, most):
    """DUT-11, PAG-03: nothing burning is a precondition of idle work."""
    burning = list({idea.path: idea for idea in burning}.values())
    order = ["backlog", "mine", "epic"]
    ideas = idle.put_in_order(burning, found, order, most)
    assert ideas[: len(burning)] == burning
    offered = [idea.path for idea in ideas]
    firsts = {ideas[0].path for ideas in found.values() if ideas}
    assert len(burning) <= len(ideas) <= len(burning) + most * len(order)
    assert firsts <= set(offered)
    assert len(offered) == len(set(offered))
    assert all(idea in burning or any(idea in found[source] for source in found) for idea in ideas)


def test_the_teams_order_decides_which_source_comes_first():
    """C17: operations only, a small share, or the support backlog."""
    one, two = Idea("mine", "a", "", "/a/"), Idea("backlog", "b", "", "/b/")
    found = {"mine": [one], "backlog": [two]}
    assert idle.put_in_order([], found, ["backlog", "mine"], 3) == [two, one]
    assert idle.put_in_order([], found, ["mine"], 3) == [one]
    settings = idle_order.Settings(sources=["epic", "mine", "own", "epic"])
    assert settings.sources == ["epic", "mine", "own"]
    assert idle_order.decide(settings, {"mine"}) == ["mine", "own"]


ITEMS = st.lists(
    st.builds(
        Item,
        st.integers(1, 1000),
        st.sampled_from(["task", "lasting_fix", "epic"]),
        st.sampled_from(["feature", "operations"]),
        st.integers(0, 4),
        st.integers(0, 9),
        st.integers(0, 400),
        st.booleans(),
        st.booleans(),
    ),
    unique_by=lambda item: item.id,
)


@given(ITEMS)
def test_the_backlog_is_divided_without_losing_a_ticket(items):
    """BKL-02: a feature and an operations section, managed separately."""
    sections = grooming.arrange(items)
    placed = [one.id for one in (*sections.feature, *sections.operations)]
    assert sorted(placed) == sorted(item.id for item in items)
    kinds = {item.id: item for item in items}
    assert all(kinds[one.id].work_kind == "feature" for one in sections.feature)
    for section in (sections.feature, sections.operations):
        burns = [kinds[one.id].burns for one in section]
        assert burns == sorted(burns, reverse=True)
        rest = [kinds[one.id] for one in section if not kinds[one.id].burns]
        fixes = [item.kind == "lasting_fix" for item in rest]
        assert fixes == sorted(fixes, reverse=True)


@pytest.mark.parametrize(
    ("decision", "given_", "field"),
    [
        ("plan", {}, "sprint"),
        ("drop", {"note": " "}, "note"),
        ("later", {"until": date(2026, 3, 3)}, "until"),
        ("split", {}, "parts"),
        ("shelve", {}, "decision"),
    ],
)
def test_a_decision_that_says_too_little_is_refused(decision, given_, field):
    values = {"sprint": False, "note": "", "until": None, "parts": 0, **given_}
    with pytest.raises(Refused) as refused:
        grooming.check(decision, today=date(2026, 3, 3), **values)
    assert refused.value.field == field
