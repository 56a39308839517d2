"""The words around requests: hours and promises as people say them; what strangers wrote as safe HTML."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from watchbill.actions.desk import Desk
from watchbill.core.coverage import read_coverage
from watchbill.db.models import SupportRequest
from watchbill.entry.web import hours
from watchbill.entry.web.markdown import markdown, plain
from watchbill.rules.request_classes import Promise

WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday"]
OFFICE = read_coverage([{"weekdays": WEEK, "start": "08:00", "end": "18:00"}], "Europe/London", {date(2026, 12, 25)})


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        (None, ["Day and night, every day"]),
        ([{"weekdays": WEEK, "start": "08:00", "end": "18:00"}], ["Monday to Friday, 08:00 to 18:00"]),
        ([{"weekdays": WEEK, "start": "00:00", "end": "00:00"}], ["Monday to Friday, all day"]),
        ([{"weekdays": ["monday", "wednesday"], "start": "16:00", "end": "00:00"}],
         ["Monday and Wednesday, 16:00 to 24:00"]),
        ([{"weekdays": ["saturday"], "start": "09:00", "end": "12:00"}], ["Saturday, 09:00 to 12:00"]),
        ([], ["Not at present"]),
    ],
)  # fmt: skip
def test_hours_are_said_as_people_say_them(windows, said):
    """INT-09: requesters know when the team is there."""
    assert hours.hours_of(None if windows is None else read_coverage(windows, "UTC")) == said


def test_a_promise_names_working_hours_only_when_there_are_others():
    """INT-05: two working hours; two hours for a team that is always there."""
    promise = Promise(amount=2, unit="hours")
    assert hours.promise_words(promise, OFFICE) == "2 working hours"
    assert hours.promise_words(promise, None) == "2 hours"
    assert hours.promise_words(None, OFFICE) == ""


@pytest.mark.django_db
def test_a_deadline_is_reckoned_by_day_over_a_weekend_and_a_holiday(world):
    """INT-13, MET-07: asked on Christmas Eve at 17:50; Christmas and the weekend count for nothing."""
    asked = datetime(2026, 12, 24, 17, 50, tzinfo=UTC)
    one = SupportRequest(
        pk=1, team=world.team, opened_at=asked, state="open", waiting_on="us", request_class="incident_report",
        due_what="first_response",
    )  # fmt: skip
    desk = Desk({}, OFFICE, asked + timedelta(days=3, hours=14, minutes=40))
    told = hours.reckon(one, desk, "Europe/London")
    assert told.promise == "2 working hours from Thursday 24 Dec 17:50"
    assert told.used == ["10 minutes used on Thursday 24 Dec", "30 minutes used on Monday 28 Dec"]
    always = hours.reckon(one, Desk({}, None, asked + timedelta(days=1)), "Europe/Berlin")
    assert always.used == ["5 hours 10 min used on Thursday 24 Dec", "18 hours 50 min used on Friday 25 Dec"]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,1)",
        "![x](https://elsewhere.example/p.png)",
        '<a href="https://x.example" onclick="1">x</a>',
        "<style>*{}</style>",
        '[x](https://x.example"onmouseover=1)',
    ],
)
def test_markdown_holds_no_script_no_style_and_calls_nobody(text):
    tags, attributes, schemes = set(), set(), set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.add(tag)
            attributes.update(name for name, _ in attrs)
            schemes.update(urlsplit(value).scheme for name, value in attrs if name == "href")

    Reader().feed(markdown(text))
    assert tags <= {"p", "a"}
    assert attributes <= {"href", "rel"}
    assert schemes <= {"https"}


def test_markdown_makes_lists_tables_and_smaller_headings():
    """RUN-08: an answer with its steps."""
    made = markdown("# Steps\n\n1. one\n2. **two**\n\n| a |\n|-|\n| 1 |\n\n[here](https://x.example)")
    for part in ("<h3>Steps</h3>", "<ol>", "<strong>two</strong>", "<td>1</td>", 'rel="noopener noreferrer nofollow"'):
        assert part in made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a <b> & 'c'", "a &lt;b&gt; &amp; &#x27;c&#x27;"),
        ("see https://x.example/a.", '<a href="https://x.example/a" rel="noopener noreferrer nofollow">'),
        ("(https://x.example/a_(b))", 'href="https://x.example/a_(b)"'),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ('https://x.example/"onclick=1', 'href="https://x.example/"'),
    ],
)
def test_plain_text_keeps_every_character_and_links_only_the_web(text, made):
    assert made in plain(text)
    assert "<b>" not in plain(text)


def test_a_text_of_a_stranger_is_shown_in_the_time_of_its_length():
    """Nobody's request is an address with nothing but brackets after it, unless it is meant to hold a server up."""
    url = "http://a" + ")" * 400_000
    assert plain(f"{url} (see http://b(c))").startswith('<a href="http://a" ')
    assert 'href="http://b(c)"' in plain(f"{url} (see http://b(c))")
