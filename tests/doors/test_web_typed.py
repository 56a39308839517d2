"""What is typed into a field is read in the time of its length; what cannot be read is said, and is no error of ours."""

from __future__ import annotations

import pytest
from django import forms

from watchbill.entry.web.forms_pydantic import YamlField
from watchbill.entry.web.numbers import number_in, numbers_in
from watchbill.entry.web.ticket_words import read_parts


def test_parts_are_read_with_their_points_however_many_spaces_there_are() -> None:
    read = read_parts("Move the data (3)\n(2)\nTell them ( 5 points )\nTwo  words\na" + " " * 100_000 + "b")
    assert [(part.title[:9], part.points) for part in read] == [
        ("Move the ", 3),
        ("Tell them", 5),
        ("Two  word", None),
        ("a        ", None),
    ]


@pytest.mark.parametrize("typed", ["[" * 3000, "at: 2026-99-99", "many: " + "1" * 5000, "a: \x00", "a: ["])
def test_what_is_no_yaml_is_told(typed: str) -> None:
    with pytest.raises(forms.ValidationError, match="this is not YAML"):
        YamlField().to_python(typed)


def test_a_number_is_one_that_a_database_knows() -> None:
    assert numbers_in(["12", "", "\u00b2", "-1", " 3", "9" * 19, "007"]) == [12, 7]
    assert number_in("9" * 18) == 10**18 - 1
