"""A report that is written and read again is the same record; in the MyST shape, the same text, times and states."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.reports.accounting import squash
from tests.core.reports.test_reading import NAMES, read
from watchbill.core.reports.markdown import read_markdown
from watchbill.core.reports.pdf import write_pdf
from watchbill.core.reports.pdf_text import text_of
from watchbill.core.reports.report import ActionItem, Entry, Figure, Report, Section
from watchbill.core.reports.words import reference_in, trimmed
from watchbill.core.reports.write import write_markdown, write_myst

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MARKS = st.sampled_from(
    ["#", "`", "```", "- ", "**", "_", "|", ">", "1. ", "8:46 ", "---", "\\", "[x] ", "\n", "\n\n", "    "]
)
LETTERS = st.text("abyzÄș漢 .:'’", min_size=1, max_size=8)
WILD = st.lists(MARKS | LETTERS, max_size=12).map("".join)
WORDS = st.lists(st.text("abcxyzÄșж漢", min_size=1, max_size=6), min_size=1, max_size=4).map(" ".join)
PROSE = st.lists(WORDS, min_size=1, max_size=3).map("\n\n".join)
KINDS = st.sampled_from(["", "process", "documentation", "technical"])
KEYS = ("summary", "what_happened", "resolution", "lucky", "went_well", "went_wrong", "factors", "avoid", "notes")
HEADINGS = dict(
    zip(
        KEYS,
        ("Summary", "What happened", "Fin", "Glück", "What went well", "Wrong", "Factors", "Why", "Notes"),
        strict=True,
    )
)


def entries(text: st.SearchStrategy[str]) -> st.SearchStrategy[Entry]:
    system = st.builds(Entry, INSTANTS, st.just("8:46 AM"), text, st.just("system"))
    chat = st.builds(Entry, INSTANTS, st.just("23:59"), text, st.just("chat"), WORDS, st.just("#outage-12"))
    plain = st.builds(
        Entry, st.none() | INSTANTS, st.sampled_from(["1:30", "07:05 PM", "about nine", "May 12 3:00"]), text
    )
    return plain | system | chat


def items(text: st.SearchStrategy[str]) -> st.SearchStrategy[ActionItem]:
    return st.builds(ActionItem, text, st.booleans(), KINDS).map(
        lambda item: replace(item, reference=reference_in(item.text))
    )


def reports(text: st.SearchStrategy[str]) -> st.SearchStrategy[Report]:
    section = st.builds(lambda key, said: Section(key, HEADINGS[key], said), st.sampled_from(KEYS), text)
    sections = st.lists(section, max_size=4, unique_by=lambda each: each.key)
    return st.builds(
        lambda first, intro, **rest: Report(
            sections=(*first, Section("timeline", "Timeline", intro), Section("actions", "Follow-up")), **rest
        ),
        first=sections, intro=st.just("") | WORDS, title=WORDS, day=st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
        status=st.sampled_from(["", "draft", "in_review", "reviewed", "published", "Parked"]), owner=st.just("") | WORDS,
        zone=st.sampled_from(["", "Europe/Bucharest", "America/Los_Angeles", "Asia/Kolkata"]), started_at=st.none() | INSTANTS,
        ended_at=st.none() | INSTANTS, impact_time=st.just("") | WORDS, duration=st.just("") | WORDS,
        impact=st.lists(st.builds(Figure, WORDS, WORDS), max_size=2).map(tuple),
        timeline=st.lists(entries(text), max_size=6).map(tuple), actions=st.lists(items(text), max_size=4).map(tuple),
    )  # fmt: skip


@given(reports(PROSE))
@settings(max_examples=80, deadline=None)
def test_a_report_written_and_read_again_is_the_same_record(report: Report) -> None:
    again = read_markdown(write_markdown(report), "export.md")
    assert again == report
    assert [doubt for doubt in again.not_understood if "time" not in doubt.why and "day" not in doubt.why] == []


@given(reports(WILD.map(lambda text: trimmed(text.split("\n")))))
@settings(max_examples=80, deadline=None)
def test_whatever_marks_its_texts_hold_writing_loses_nothing_and_settles_at_once(report: Report) -> None:
    once = read_markdown(write_markdown(report), "export.md")
    assert read_markdown(write_markdown(once), "export.md") == once
    assert [(entry.at, entry.kind, squash(entry.text)) for entry in once.timeline] == [
        (entry.at, entry.kind, squash(entry.text)) for entry in report.timeline
    ]
    assert [(item.is_done, item.kind, squash(item.text)) for item in once.actions] == [
        (item.is_done, item.kind, squash(item.text)) for item in report.actions
    ]
    assert [(each.key, squash(each.text)) for each in once.sections] == [
        (each.key, squash(each.text)) for each in report.sections
    ]


@given(reports(PROSE))
@settings(max_examples=40, deadline=None)
def test_the_myst_shape_read_again_has_the_same_times_texts_and_states(report: Report) -> None:
    again = read_markdown(write_myst(report), "export.md")
    assert (again.title, again.day, again.impact, again.duration) == (
        report.title,
        report.day,
        report.impact,
        report.duration,
    )
    assert again.timeline == report.timeline
    assert again.actions == report.actions
    assert {each.key: each.text for each in again.sections} == {each.key: each.text for each in report.sections}
    assert write_myst(again).split("## ", 1)[1] == write_myst(report).split("## ", 1)[1]


@pytest.mark.parametrize("name", NAMES)
def test_an_imported_report_exported_and_imported_again_is_the_same_record(name: str) -> None:
    report = read(name)
    assert read_markdown(write_markdown(report), "other.md") == report
    published = read_markdown(write_myst(report), name)
    assert [entry.at for entry in published.timeline] == [entry.at for entry in report.timeline]
    assert published.actions == report.actions


def test_the_myst_shape_is_the_one_that_is_published() -> None:
    """PM-10: the page that 2i2c's site expects, with the state of every action."""
    report = Report(
        title='Buoys "fell" silent', day=date(2026, 1, 20), zone="Europe/Lisbon", duration="1h 55m",
        started_at=datetime(2026, 1, 20, 23, 10, tzinfo=UTC), ended_at=datetime(2026, 1, 21, 1, 5, tzinfo=UTC),
        sections=(Section("lucky", "Luck", "It was calm."), Section("summary", "Summary", "Silence.\n\n# Loud")),
        timeline=(Entry(datetime(2026, 1, 20, 23, 10, tzinfo=UTC), "11:10 PM", "The last | buoy\nfalls silent"),),
        actions=(ActionItem("Watch certificates", is_done=True), ActionItem("Thank the keepers")),
    )  # fmt: skip
    assert (
        write_myst(report)
        == """\
---
title: "Buoys \\"fell\\" silent"
date: 2026-01-20
---

# Buoys "fell" silent

| Field | Value |
| --- | --- |
| **Impact Time** | Jan 20 at 23:10 to Jan 21 at 01:05 |
| **Duration** | 1h 55m |

## Overview

Silence.

### Loud

## Where We Got Lucky

It was calm.

## Action Items

- [x] Watch certificates
- [ ] Thank the keepers

## Timeline

_All times in Europe/Lisbon_

### Jan 20, 2026

| Time | Event |
| --- | --- |
| 11:10 PM | The last \\| buoy<br>falls silent |
"""
    )


def test_the_second_time_that_a_clock_shows_keeps_its_instant() -> None:
    """01:30 happens twice when the clock goes back: the instant is written beside the second."""
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    report = Report("Twice", zone="Europe/London", timeline=(Entry(first, "1:30", "a"), Entry(second, "1:30", "b")))
    text = write_markdown(report)
    assert "- **1:30** a\n- **1:30** (2026-10-25T01:30:00Z) b" in text
    assert read_markdown(text).timeline == report.timeline


@pytest.mark.parametrize("name", NAMES)
def test_a_pdf_holds_every_word(name: str) -> None:
    """PM-10: a PDF is one of the ways to publish."""
    report = read(name)
    text = squash(text_of(write_pdf(report)))
    said = [report.title, *(section.text for section in report.sections), *(entry.text for entry in report.timeline)]
    said += [item.text for item in report.actions]
    words = [squash(word) for each in said for word in each.split() if not word.startswith("```")]
    assert [word for word in words if word not in text] == []


def test_a_pdf_says_what_it_could_not_draw() -> None:
    text = text_of(write_pdf(Report("Ρόδος, Știință, Одеса", sections=(Section("summary", "Summary", "漢字 and 😀"),))))
    assert "Ρόδος, Știință, Одеса" in text
    assert "3 characters of this report are not in the document's font" in text


def test_a_pdf_of_a_very_long_entry_has_many_pages() -> None:
    lines = "\n".join(f"line {number}" for number in range(2000))
    report = Report(
        "Long", timeline=(Entry(None, "", f"log\n\n```\n{lines}\n```"),), sections=(Section("", "", lines),)
    )
    assert text_of(write_pdf(report)).count("line 1999") == 2


def test_the_same_report_gives_the_same_pdf() -> None:
    assert write_pdf(read(NAMES[0])) == write_pdf(read(NAMES[0]))
