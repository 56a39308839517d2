"""The language of questions: what it reads, and what it says when it cannot."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbill.core.queries import Ago, All, Among, Compare, Empty, Field, Not, Order, Query, Some, Special, read_query
from watchbill.kit.errors import Refused

FIELDS = {
    "stage": Field("word", ("to_do", "in_progress", "done")),
    "assignee": Field("person"),
    "seat": Field("word"),
    "due": Field("day"),
    "created": Field("time"),
    "text": Field("text", sorts=False),
    "points": Field("number"),
    "label": Field("list", sorts=False),
    "id": Field("number"),
    "late": Field("flag"),
}


def read(text: str) -> Query:
    return read_query(text, FIELDS, {"status": "stage"})


def test_it_reads_what_people_know_from_jql() -> None:
    """BKL-09: the quoted query is one window of one label."""
    query = read("label = operations AND created <= 2026-03-01 ORDER BY created DESC, id")
    assert query == Query(
        All((Compare("label", "=", "operations"), Compare("created", "<=", date(2026, 3, 1)))),
        (Order("created", descending=True), Order("id")),
    )
    assert read('Status = "In Progress"') == Query(Compare("stage", "=", "in_progress"))
    assert read("assignee = currentUser()") == read("assignee = me") == Query(Compare("assignee", "=", Special("me")))
    assert read("created >= -2w").condition == Compare("created", ">=", Ago(timedelta(weeks=2)))
    assert read("due < 3d").condition == Compare("due", "<", Ago(-timedelta(days=3)))
    assert read("id in (T-3, 4)").condition == Among("id", (3, 4))
    assert read("assignee is not empty").condition == Empty("assignee", negated=True)
    assert read("seat = my_seats").condition == Compare("seat", "=", Special("my_seats"))
    assert read("") == Query()


def test_and_binds_before_or_and_not_before_both() -> None:
    a, b, c = (Compare("points", "=", n) for n in (1, 2, 3))
    assert read("points = 1 or points = 2 and not points = 3").condition == Some((a, All((b, Not(c)))))
    assert read("(points = 1 or points = 2) and points = 3").condition == All((Some((a, b)), c))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stagee = done", "there is no field “stagee”; there are assignee, created"),
        ("stage = foo", "stage is one of to_do, in_progress, done; there is no “foo”"),
        ("points > many", "points is a number; “many” is none"),
        ("stage < done", "stage has no order"),
        ("due ~ x", "due is no text"),
        ("due = tomorrow-ish", "due is a day like 2026-03-01"),
        ("late = perhaps", "late is yes or no"),
        ("stage =", "the query stops in the middle"),
        ("(stage = done", "the query stops in the middle"),
        ("stage done", "“done” at character 7 was not expected"),
        ('text ~ "open', '“"open” at character 8 cannot be read here'),
        ("order by text", "text gives no order"),
        ("due < 99999999w", "is too far away"),
        ("(" * 60, "at most 50 parentheses"),
        ("not " * 60, "at most 50 parentheses and as many “not”"),
        (" or ".join(["points = 1"] * 51), "at most 50 conditions"),
        ("x" * 2001, "at most 2000 characters"),
    ],
)
def test_it_says_where_and_what_there_is_instead(text: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text)
    assert said in refused.value.message
    assert refused.value.field == "query"


WORDS = st.sampled_from(
    ["and", "or", "not", "(", ")", "in", "is", "empty", "=", "!=", "~", "<", ",", "stage", "points", "due", "done", "3",
     "-7d", '"a b"', "order", "by", "desc", "me", "label", "\\", "'", "𝔘", "\x00", "2026-02-30", "T-9"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(read(text), Query)
