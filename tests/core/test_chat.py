"""What a word in a chat asks of us, without any chat."""

from __future__ import annotations

import pytest

from watchbill.core.chat import Said, read_command, title_of, understand


@pytest.mark.parametrize(
    ("text", "do", "rest", "number"),
    [
        ("ask I cannot log in", "ask", "I cannot log in", None),
        ("ASK   me", "ask", "me", None),
        ("ask", "help", "", None),
        ("who", "who", "", None),
        ("oncall", "who", "", None),
        ("ack 12", "ack", "", 12),
        ("ack P-12", "ack", "", 12),
        ("ack", "ack", "", None),
        ("ack the first", "ack", "", None),
        ("page The site is down", "page", "The site is down", None),
        ("", "help", "", None),
        ("dance", "help", "", None),
    ],
)
def test_a_command_is_read_as_people_type_it(text: str, do: str, rest: str, number: int | None) -> None:
    step = read_command(text)
    assert (step.do, step.text, step.number) == (do, rest, number)


@pytest.mark.parametrize(
    ("said", "do"),
    [
        (Said("message", "hello everybody"), "nothing"),
        (Said("message", "still red", in_request=True), "hear"),
        (Said("message", "look here", in_request=True, is_member=True), "answer"),
        (Said("message", "still red", in_request=True, is_member=True, is_requester=True), "hear"),
        (Said("message", " ", in_request=True), "nothing"),
        (Said("mention", "still red", in_request=True), "hear"),
        (Said("mention", "I cannot log in"), "ask_here"),
        (Said("mention", "who"), "who"),
        (Said("mention", ""), "help"),
        (Said("reaction", "ticket", reaction="ticket"), "fetch"),
        (Said("reaction", "eyes", reaction="ticket"), "nothing"),
        (Said("reaction", "ticket", reaction=""), "nothing"),
        (Said("home"), "home"),
        (Said("action", "ack 3"), "ack"),
    ],
)
def test_what_was_said_decides_what_follows(said: Said, do: str) -> None:
    """INT-01, INT-07: in the thread of a request everything counts, elsewhere only what was said to us."""
    assert understand(said).do == do


def test_a_title_is_the_first_line_that_says_something() -> None:
    assert title_of("\n\n  I cannot log in\nSince today") == "I cannot log in"
    assert len(title_of("x" * 500)) == 200
    assert title_of(" \n ") == ""
