"""Reports in the shapes that people and PagerDuty give them: what is read, what is guessed, what is said not to be."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.reports.accounting import lost
from watchbill.core.reports.markdown import read_markdown
from watchbill.core.reports.pagerduty import is_furniture, read_pdf_text
from watchbill.core.reports.report import Report
from watchbill.core.reports.unwrap import mend
from watchbill.core.reports.when import lead_of
from watchbill.core.reports.words import MOST_CHARACTERS, key_of
from watchbill.core.reports.zones import RAILS, SHORT, zone_named
from watchbill.core.wallclock import check_zone
from watchbill.kit.errors import Unreadable

TEXTS = Path(__file__).parent / "texts"
NAMES = sorted(path.name for path in TEXTS.iterdir())
# Lines that mean something to one of the readers, so that random texts meet its every path.
TELLING = (
    "# Title", "## Summary", "## Timeline", "### 8:46 AM", "## May 12", "- **8:46** x", "```", "    code", "> quote",
    "| Time | Event |", "| --- | --- |", "| 9:00 | x |", "- [x] done", "  - [ ] inner", "1) one", "---", "title: x",
    "All times in EST", "8:46 AM", "Feb 11, 2026", "Timeline", "Action Items", "Overview", "Status: Draft", "IMPACT TIME",
    "Feb 29 at 10:00 to Feb 30 at 11:00", "Ana Lima #channel_7", "INCIDENT #7", "https://a.example/x-", "===", "\t", "",
)  # fmt: skip


def read(name: str) -> Report:
    reader = read_pdf_text if name.endswith(".txt") else read_markdown
    return reader((TEXTS / name).read_text(encoding="utf-8"), name)


def clock(report: Report) -> list[str]:
    return [f"{entry.at:%d %H:%M}" if entry.at else "-" for entry in report.timeline]


@pytest.mark.parametrize("name", NAMES)
def test_no_line_of_a_report_is_lost(name: str) -> None:
    report = read(name)
    assert lost(report) == []
    assert report.original == (TEXTS / name).read_text(encoding="utf-8")


def test_the_accounting_notices_a_line_that_is_missing() -> None:
    report = read_markdown("# A\n\n## Summary\n\nsomething else\n")
    assert lost(Report(title="A", original=report.original)) == ["## Summary", "something else"]


@given(st.lists(st.sampled_from(TELLING) | st.text(max_size=30), max_size=25))
@settings(max_examples=150, deadline=None)
def test_whatever_a_file_holds_it_is_read(lines: list[str]) -> None:
    text = "\n".join(lines)
    for report in (read_markdown(text, "2026-02-11-x.md"), read_pdf_text(text, "2026-02-11-x.pdf")):
        assert all(entry.at is None or entry.at.tzinfo for entry in report.timeline)


def test_a_text_too_long_for_a_report_is_refused() -> None:
    for reader in (read_markdown, read_pdf_text):
        with pytest.raises(Unreadable):
            reader("x" * (MOST_CHARACTERS + 1))


def test_times_as_headings_roll_over_midnight_and_code_is_left_alone() -> None:
    """PM-05: the timeline is what is walked through, so its instants must be right."""
    report = read("2024-10-28-lighthouse-overload.md")
    assert clock(report) == ["28 15:22", "28 15:51", "28 18:35"]
    assert "## not a heading\n10:15 not an entry" in report.timeline[1].text
    assert [guess.why[:12] for guess in report.guesses] == ["IST is India", "read as the "]


def test_a_title_with_another_date_than_the_file_is_not_believed_and_said() -> None:
    report = read("2024-10-28-lighthouse-overload.md")
    assert report.day == date(2024, 10, 28)
    assert [(doubt.line, doubt.why) for doubt in report.not_understood] == [
        (1, "says 2024-08-28, but the file says 2024-10-28")
    ]


def test_bare_numbers_are_action_items_with_a_reference() -> None:
    """PM-07: the improvements are a list, whatever it is called."""
    report = read("2023-02-01-ferry-evictions.md")
    assert [item.reference for item in report.actions] == ["#2127", "#2213", "harbour/ferry#2209"]
    assert (report.timeline[0].at, report.timeline[0].written) == (None, "2023-02-01")
    assert [doubt.why for doubt in report.not_understood] == ["a day without a time"]
    assert report.sections[0].text.startswith("(First tracked in")


def test_times_on_lines_of_their_own_with_days_as_headings() -> None:
    report = read("2025-05-12-tide-tables.md")
    assert clock(report) == ["12 17:15", "12 17:57", "12 20:00", "12 21:40", "13 08:39", "13 12:10", "16 01:10"]
    assert [doubt.text for doubt in report.not_understood] == ["15 May"]


def test_the_state_of_a_box_survives() -> None:
    """PM-09: an action that is done stays done when its report is imported."""
    report = read("2025-05-12-tide-tables.md")
    assert [item.is_done for item in report.actions] == [False, True]
    assert report.actions[1].text.endswith("- [x] and tell the readers")
    assert report.guesses[-1].why == "has boxes of its own, kept in its text"


def test_kinds_of_action_and_a_second_timeline_are_told_apart() -> None:
    report = read("2025-08-12-ferry-outage.md")
    assert [(item.kind, item.is_done) for item in report.actions] == [
        ("process", True),
        ("technical", False),
        ("technical", True),
    ]
    assert clock(report) == ["11 11:42", "11 12:06", "14 10:20", "12 19:16"]
    assert [entry.part for entry in report.timeline][-2:] == ["", "Follow-up timeline (times in BST)"]
    assert [section.key for section in report.sections] == [
        "summary", "went_well", "went_wrong", "lucky", "timeline", "timeline", "actions", "",
    ]  # fmt: skip


def test_the_published_shape_is_read_with_its_table() -> None:
    """PM-04, PM-13: its sections have keys, contributing factors and how it is avoided among them."""
    report = read("2026-01-20-buoy-silence.md")
    assert report.title == 'Buoys fell silent: a "quiet" night'
    assert report.started_at == datetime(2026, 1, 20, 23, 10, tzinfo=UTC)
    assert report.ended_at == datetime(2026, 1, 21, 1, 5, tzinfo=UTC)
    assert [(figure.name, figure.value) for figure in report.impact] == [("Ships affected", "about 300")]
    assert {section.key for section in report.sections} >= {"summary", "factors", "avoid"}
    assert report.timeline[1].text == "Keeper calls `a | b`\ntwice"


def test_an_export_gives_owner_status_zone_and_impact() -> None:
    report = read("2026-02-11-harbour-export.txt")
    assert (report.title, report.owner) == (
        "Harbour pages would not open for those who had never been there",
        "Eva Marin",
    )
    assert (report.status, report.status_as_read) == ("published", "Closed")
    assert (report.zone, report.duration) == ("America/Los_Angeles", "15h 58m")
    assert report.started_at == datetime(2026, 2, 11, 16, 46, tzinfo=UTC)
    assert report.ended_at == datetime(2026, 2, 12, 8, 44, tzinfo=UTC)
    assert [guess.why for guess in report.guesses] == ["the year is read as 2026"]
    assert report.not_understood == ()


def test_an_exports_timeline_tells_people_tool_and_chat_apart() -> None:
    report = read("2026-02-11-harbour-export.txt")
    assert [entry.kind for entry in report.timeline] == ["entry", "system", "chat", "chat", "entry", "system", "system"]
    assert [(entry.author, entry.place) for entry in report.timeline if entry.kind == "chat"] == [
        ("Ben Ode", "#harbour_inc_1869"), ("benode", "#harbour_inc_1869"),
    ]  # fmt: skip
    assert "9:07 AM is not an entry here\n```" in report.timeline[2].text
    assert clock(report)[0] == "11 16:46"
    assert clock(report)[-1] == "12 08:44"


def test_an_exports_text_is_mended_and_without_the_page() -> None:
    report = read("2026-02-11-harbour-export.txt")
    summary, resolution = report.section("summary"), report.section("resolution")
    assert summary is not None
    assert resolution is not None
    assert "https://tracker.example.org/harbour/+source/systemd/+bug/1988119. We turned" in summary.text
    assert summary.text.count("\n\n") == 1
    assert resolution.text.startswith("1. Turning the machines solves the issue, and we did it once more for")
    assert "Postmortem Report" not in "".join(entry.text for entry in report.timeline)
    assert report.section("went_well") is not None
    assert report.section("actions") is not None
    assert [item.text.split("\n")[0] for item in report.actions] == [
        "1) Keep all in one zone",
        "2) Move to another zone",
    ]


def test_an_export_without_year_or_zone_says_so() -> None:
    """Neither is made up: the words are kept, the instants are not known."""
    text = (TEXTS / "2026-02-11-harbour-export.txt").read_text(encoding="utf-8")
    no_zone = read_pdf_text(text.replace("Pacific Time (US & Canada)", "Atlantis"), "x.txt")
    assert (no_zone.started_at, no_zone.timeline[0].at) == (None, None)
    assert no_zone.timeline[0].written == "2026-02-11 8:46 AM"
    assert [doubt.why for doubt in no_zone.not_understood] == [
        "not the name of a time zone that we know", "an impact time without a time zone",
        "no time zone is given: the time is kept as written",
    ]  # fmt: skip
    no_year = read_pdf_text(text.replace("Feb 11, 2026", "").replace("Feb 12, 2026", ""), "x.txt")
    assert no_year.started_at is None
    assert any("without a year" in doubt.why for doubt in no_year.not_understood)


def test_a_name_that_disagrees_with_the_timeline_is_said() -> None:
    text = (TEXTS / "2026-02-11-harbour-export.txt").read_text(encoding="utf-8")
    report = read_pdf_text(text, "2024-05-01-harbour.txt")
    assert any("its timeline begins on 2026-02-11" in doubt.why for doubt in report.not_understood)


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("see https://a.example/x", "/y, and", "https://a.example/x/y,"),
        ("see https://a.example/2i-", "org/x", "https://a.example/2i-org/x"),
        ("see https://a.example/issues/", "1709", "https://a.example/issues/1709"),
        ("see https://a.example/q?", "project=leap with", "https://a.example/q?project=leap"),
        ("see https://a.example/issues/1709", "- Next", "https://a.example/issues/1709"),
        ("see https://a.example/docs/", "The end", "https://a.example/docs/"),
    ],
)
def test_a_broken_address_is_mended_and_a_whole_one_left(first: str, second: str, whole: str) -> None:
    mended, unclear = mend([(1, first), (2, second)])
    assert mended[0][1].split()[1] == whole
    assert unclear == []


def test_an_address_that_may_go_on_is_left_and_said() -> None:
    mended, unclear = mend([(1, "see https://a.example/docs/"), (2, "and then")])
    assert [text for _, text in mended] == ["see https://a.example/docs/", "and then"]
    assert unclear == [(1, "see https://a.example/docs/")]


@pytest.mark.parametrize(
    "line",
    [
        "1 of 3 20.02.2026, 14:50",
        "11/29/26, 8:03 AM Postmortem Report - Tides - PagerDuty",
        "https://x.pagerduty.com/postmortems/18/export 1/2",
        "Postmortem Report - Tides - PagerDuty https://x.pagerduty.com/postmortems/18/export",
    ],
)
def test_what_a_browser_prints_into_a_page_is_furniture(line: str) -> None:
    assert is_furniture(line)


@pytest.mark.parametrize("line", ["Postmortem Report", "1. Move 2 of 3", "https://x.example/postmortems", "12:50"])
def test_what_people_wrote_is_not(line: str) -> None:
    assert not is_furniture(line)


def test_every_name_of_a_zone_is_one() -> None:
    for zone in {*RAILS.values(), *SHORT.values()}:
        assert check_zone(zone) == zone


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Bucharest", "Europe/Bucharest"), ("Edinburgh, London", "Europe/London"), ("UTC+1", "Etc/GMT-1"),
        ("Pacific Time (US & Canada)", "America/Los_Angeles"), ("Eastern Time (US & Canada)", "America/New_York"),
        ("Europe/Rome", "Europe/Rome"), ("edt", "America/New_York"), ("UTC", "Etc/UTC"),
    ],
)  # fmt: skip
def test_zones_are_known_by_the_names_that_tools_print(name: str, zone: str) -> None:
    found = zone_named(name)
    assert found is not None
    assert found.iana == zone


@pytest.mark.parametrize("name", ["Atlantis", "", "Bucharest, London", "../etc/passwd"])
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone_named(name) is None


@pytest.mark.parametrize("line", ["2-4 machines", "May we go", "25:00 x", "1.5 hours", "Feb 30 x", "10:99"])
def test_what_only_looks_like_a_time_is_text(line: str) -> None:
    assert lead_of(line) is None


@pytest.mark.parametrize(
    ("heading", "key"),
    [
        ("Overview", "summary"), ("What Didn’t Go So Well?", "went_wrong"), ("What went wrong", "went_wrong"),
        ("Where We Got Lucky", "lucky"), ("Timeline (times in BST)", "timeline"), ("Follow-up timeline", "timeline"),
        ("Follow-up improvements", "actions"), ("How will we avoid it", "avoid"), ("Contributing factors", "factors"),
        ("Additional Notes", "notes"), ("What happened next to the ship", ""), ("Resolution of names", ""),
    ],
)  # fmt: skip
def test_headings_vary_and_mean_the_same(heading: str, key: str) -> None:
    """PM-04: sections are known by what they ask, however they are called."""
    assert key_of(heading) == key
