"""Names become roles, and words that blame are pointed at (PM-06)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill.core.reports.blameless import blaming_words, names_left, replace_names

ROLES = {"Ana Lima": "the commander", "Ben Ode": "the responder", "Ana Costa": "the liaison", "Will Reed": "the scribe"}


@pytest.mark.parametrize(
    ("said", "published"),
    [
        ("Later Ana Lima called.", "Later the commander called."),
        ("Ana Lima's pager rang.", "The commander's pager rang."),
        ("It was Ben’s page; Ben woke.", "It was the responder’s page; the responder woke."),
        ("Then Ana\nLima slept.", "Then the commander slept."),
        ("Ask @benode, @ben.ode or @bo", "Ask the responder, the responder or the responder"),
        ("- [x] Ben Ode writes it", "- [x] The responder writes it"),
        ("So it ended. Lima left.", "So it ended. The commander left."),
        ("That will do, Will said", "That will do, the scribe said"),
        ("Then Ana asked", "Then Ana asked"),
        ("Benny, Reuben and Odette", "Benny, Reuben and Odette"),
        (
            "See https://x.example/Ben/1, `Ben` and ben@x.example",
            "See https://x.example/Ben/1, `Ben` and ben@x.example",
        ),
    ],
)
def test_names_become_roles(said: str, published: str) -> None:
    """PM-06: in the published version nobody is named."""
    assert replace_names(said, ROLES, {"bo": "Ben Ode"}) == published


def test_a_first_name_of_two_people_is_left_and_said() -> None:
    published = replace_names("Then Ana asked Ana Lima.", ROLES)
    assert published == "Then Ana asked the commander."
    assert names_left(published, ROLES) == ["Ana"]


@given(st.lists(st.sampled_from(["Ana Lima", "ben ode", "Will Reed's", "@ana.lima", "and", ".", "\n"]), max_size=12))
def test_no_whole_name_is_left(parts: list[str]) -> None:
    published = replace_names(" ".join(parts), ROLES)
    assert not any(name in published.casefold() for name in ("ana lima", "ben ode", "will reed", "@ana.lima"))


def test_without_names_nothing_changes() -> None:
    assert replace_names("Ana Lima", {}) == "Ana Lima"


def test_words_that_blame_are_pointed_at_where_they_stand() -> None:
    """PM-06, PM-13: factors, not one person."""
    text = "Ben should have known. It was human error, and Ben's fault: he forgot to look."
    hints = blaming_words(text)
    assert [hint.words for hint in hints] == ["should have known", "human error", "Ben's fault", "forgot to"]
    assert all(text[hint.start : hint.end] == hint.words and hint.kinder for hint in hints)


@pytest.mark.parametrize(
    "text", ["A blameless, blame-free review.", "The default was wrong.", "It failed together with others.", ""]
)
def test_words_that_do_not_blame_are_left_alone(text: str) -> None:
    assert blaming_words(text) == []
