"""PagerDuty's Events API v2: what the door refuses, in which words, and what comes of the rest."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.monitors import parse
from watchbill.monitors.events_v2 import EXAMPLES, check


def trigger(**changes: Any) -> dict[str, Any]:
    """Give a sound trigger; a change to None takes the field away, `payload__x` reaches into the payload."""
    event: dict[str, Any] = {
        "routing_key": "k" * 32,
        "event_action": "trigger",
        "dedup_key": "srv01/disk",
        "payload": {"summary": "Disk full", "source": "srv01", "severity": "critical"},
    }
    for name, value in changes.items():
        place, _, inner = name.partition("__")
        target, field = (event[place], inner) if inner else (event, place)
        if value is None:
            del target[field]
        else:
            target[field] = value
    return event


def read(event: dict[str, Any]) -> Signal:
    (signal,) = parse("events_v2", event, {})
    return signal


SEVERITIES = "must be one of the following: 'critical', 'warning', 'error' or 'info'"


@pytest.mark.parametrize(
    ("event", "errors"),
    [
        (trigger(), []),
        (trigger(dedup_key=None), []),
        (trigger(payload__severity="Critical"), []),
        (trigger(payload__summary="x" * 5000), []),
        (trigger(event_action=None), ["'event_action' is missing or blank"]),
        (
            trigger(event_action="explode"),
            ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"],
        ),
        (trigger(payload=None), ["'payload' is missing or blank"]),
        (trigger(payload="text"), ["'payload' is missing or blank"]),
        (trigger(payload__severity=None), ["'payload.severity' is missing or blank"]),
        (trigger(payload__severity="high"), [f"'payload.severity' is invalid ({SEVERITIES})"]),
        (
            trigger(payload={"severity": "info"}),
            ["'payload.summary' is missing or blank", "'payload.source' is missing or blank"],
        ),
        (trigger(payload__summary=" \x00"), ["'payload.summary' is missing or blank"]),
        (trigger(dedup_key="k" * 255), []),
        (trigger(dedup_key="k" * 256), ["'dedup_key' is too long (maximum is 255 characters)"]),
        (trigger(dedup_key={"a": 1}), ["'dedup_key' is invalid (must be a string)"]),
        ({"event_action": "resolve", "dedup_key": "k"}, []),
        ({"event_action": "acknowledge", "dedup_key": "k"}, []),
        ({"event_action": "resolve"}, ["'dedup_key' is missing or blank"]),
        ({"event_action": "acknowledge", "dedup_key": " "}, ["'dedup_key' is missing or blank"]),
        ([], ["The event is invalid (must be a JSON object)"]),
        (None, ["The event is invalid (must be a JSON object)"]),
    ],
)
def test_the_errors_are_pagerdutys(event: object, errors: list[str]) -> None:
    assert check(event) == errors


def test_what_passes_the_door_can_be_read() -> None:
    for example in EXAMPLES:
        assert check(example.payload) == []


def test_what_the_door_refuses_is_unreadable_with_the_place() -> None:
    with pytest.raises(Unreadable) as refusal:
        read(trigger(payload__severity="high"))
    assert refusal.value.where == "payload.severity"


def test_trigger_acknowledge_and_resolve_speak_of_the_same_alert() -> None:
    spoken = [read({**trigger(), "event_action": action}) for action in ("trigger", "acknowledge", "resolve")]
    assert [signal.state for signal in spoken] == ["firing", "acknowledged", "resolved"]
    assert {signal.fingerprint for signal in spoken} == {"srv01/disk"}


def test_a_trigger_without_a_key_is_known_by_its_content() -> None:
    """The door fills the key in before it stores; a payload that was stored without one can still be replayed."""
    first, again = read(trigger(dedup_key=None)), read(copy.deepcopy(trigger(dedup_key=None)))
    other = read(trigger(dedup_key=None, payload__summary="Disk empty"))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_pagerdutys_group_is_a_label_so_that_two_keys_open_two_groups() -> None:
    signal = read(trigger(payload__group="prod-shop", payload__component="postgresql", payload__class="disk"))
    assert signal.group == ""
    assert signal.labels == {"group": "prod-shop", "component": "postgresql", "class": "disk"}


def test_details_are_described_and_the_short_ones_become_labels() -> None:
    signal = read(trigger(payload__custom_details={"env": "prod", "load": 0.75, "log": "a\nb", "tree": {"x": 1}}))
    assert signal.description == 'env: prod\nload: 0.75\nlog: a\nb\ntree: {"x": 1}'
    assert signal.labels == {"env": "prod", "load": "0.75"}


def test_details_that_are_a_text_are_described() -> None:
    assert read(trigger(payload__custom_details="see the log")).description == "see the log"


def test_links_pictures_and_the_client_become_links() -> None:
    signal = read(
        trigger(
            links=[{"href": "https://w.example.org/r", "text": "Runbook"}, {"href": "javascript:alert(1)"}, None],
            images=[{"src": "https://c.example.org/i.png", "alt": "Chart"}],
            client="Example Monitoring",
            client_url="https://m.example.org",
        )
    )
    assert signal.links == (
        ("Runbook", "https://w.example.org/r"),
        ("Chart", "https://c.example.org/i.png"),
        ("Example Monitoring", "https://m.example.org"),
    )


def test_a_long_summary_is_cut_and_not_refused() -> None:
    assert len(read(trigger(payload__summary="x" * 5000)).title) == 1024
