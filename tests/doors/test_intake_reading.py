"""The door's glance at an event agrees with the monitor's full check, and a body is read up to its limit."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchbill.entry.intake.reading import NotJson, SenderGone, TooLarge, is_plainly_right, read_json, read_on
from watchbill.monitors import events_v2

words = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["trigger", "resolve", "critical", "info", "fatal", " ", "\x00", "!", "\x7f", "x" * 256, "", "é"]),
    st.none(),
    st.integers(-1, 1),
    st.lists(st.none(), max_size=1),
)
contents = st.one_of(words, st.fixed_dictionaries({}, optional={"summary": words, "source": words, "severity": words}))
events = st.one_of(
    words,
    st.fixed_dictionaries({}, optional={"event_action": words, "dedup_key": words, "payload": contents}),
    st.fixed_dictionaries(
        {"event_action": st.just("trigger"), "payload": contents}, optional={"dedup_key": words, "routing_key": words}
    ),
)


@given(events)
@example({"event_action": "trigger", "payload": {"summary": "!\x00", "source": "~", "severity": "info"}})
def test_what_looks_right_at_a_glance_is_right_when_it_is_checked(event: Any):
    if is_plainly_right(event):
        assert events_v2.check(event) == []


def test_the_glance_sees_what_senders_mostly_send():
    triggers = [one.payload for one in events_v2.EXAMPLES if one.payload["event_action"] == "trigger"]
    assert triggers
    assert all(is_plainly_right(event) for event in triggers)


@given(st.text(max_size=40))
@example("\x00000")
@example("0\x00\x00\x000")
@example("0\x00000")
@example("\ufeff{}")
def test_the_place_of_an_error_is_inside_the_body_or_just_behind_it(text: str):
    lines = text.split("\n")
    place = place_of_error(text.encode())
    assert place is None or (1 <= place[0] <= len(lines) and 1 <= place[1] <= len(lines[place[0] - 1]) + 1)


def place_of_error(body: bytes) -> tuple[int, int] | None:
    try:
        read_json(body)
    except NotJson as wrong:
        return wrong.line, wrong.column
    return None


@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(-(2**60), 2**60), st.lists, max_leaves=8))
def test_whatever_python_writes_as_json_is_read(value: Any):
    assert read_json(json.dumps(value).encode()) == value


def messages(parts: list[bytes], *, gone: bool = False):
    """An ASGI receive that gives these parts, and then the end of the body or of the line."""
    rest = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    rest.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Any:
        return rest.pop(0)

    return receive


def read(parts: list[bytes], limit: int, *, gone: bool = False) -> bytes:
    async def story() -> bytes:
        receive = messages(parts, gone=gone)
        return await read_on(receive, await receive(), limit)

    return asyncio.run(story())


@given(st.lists(st.binary(max_size=4), max_size=6), st.integers(0, 24))
def test_a_body_in_parts_is_read_whole_up_to_its_limit(parts: list[bytes], limit: int):
    whole = b"".join(parts)
    if len(whole) <= limit:
        assert read(parts, limit) == whole
    else:
        with pytest.raises(TooLarge):
            read(parts, limit)


def test_a_sender_that_hangs_up_in_the_middle_leaves_nothing():
    with pytest.raises(SenderGone):
        read([b"half"], 100, gone=True)
