"""docs/ask-in-a-query.md names every field that may be asked for, and its examples can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from watchbill.core.queries import Field, Kind
from watchbill.db.queries import REQUESTS, TICKETS, Language
from watchbill.kit.errors import Refused

PAGE = (Path(__file__).parents[2] / "docs" / "ask-in-a-query.md").read_text()
HOLDS: dict[Kind, str] = {
    "word": "a word", "text": "words", "number": "a number", "time": "a time", "day": "a day", "person": "a person",
    "flag": "yes or no", "list": "a word of a list",
}  # fmt: skip


def line_of(name: str, field: Field) -> str:
    holds = ", ".join(f"`{value}`" for value in field.values) or HOLDS[field.kind]
    return f"| `{name}` | {holds} | {'yes' if field.sorts else 'no'} |"


def table_of(language: Language) -> str:
    rows = [line_of(name, field) for name, field in language.fields.items()]
    return "\n".join(["| field | holds | sorts |", "|-|-|-|", *rows])


@pytest.mark.parametrize(("name", "language"), [("tickets", TICKETS), ("requests", REQUESTS)])
def test_every_field_stands_on_the_page_with_what_it_holds(name: str, language: Language):
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", PAGE, re.DOTALL)
    assert found is not None
    assert found[1].strip() == table_of(language), f"write this instead:\n{table_of(language)}"
    for alias in language.aliases:
        assert f"`{alias}`" in PAGE, alias


def test_every_example_of_the_page_is_a_query():
    examples = re.findall(r"^```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(examples) >= 3
    for example in examples:
        assert any(can_be_read(example.strip(), language) for language in (TICKETS, REQUESTS)), example


def can_be_read(text: str, language: Language) -> bool:
    try:
        return language.read(text).condition is not None
    except Refused:
        return False
