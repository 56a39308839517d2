"""Asks every monitor the same questions, and the worked one of docs/write-a-monitor.md with them."""

from __future__ import annotations

import copy
import json
import re
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.monitors import Example, address_of, all_monitors, parse, settings_of, write_set_up
from watchbill.monitors._reading import tidy

DOCS = Path(__file__).parents[2] / "docs"


def run_worked_monitor() -> ModuleType:
    """Execute the code block of the page that teaches to write a monitor."""
    code = re.search(r"^```python\n(.*?)^```", (DOCS / "write-a-monitor.md").read_text(), re.DOTALL | re.MULTILINE)
    assert code, "docs/write-a-monitor.md has no worked monitor"
    module = ModuleType("beacon", "the worked monitor")
    exec(compile(code[1], "docs/write-a-monitor.md", "exec"), module.__dict__)
    return module


MONITORS = {**all_monitors(), "beacon": run_worked_monitor()}
EXAMPLES = [
    pytest.param(monitor, example, id=f"{name}: {example.title}")
    for name, monitor in MONITORS.items()
    for example in monitor.EXAMPLES
]
every_monitor = pytest.mark.parametrize("monitor", MONITORS.values(), ids=MONITORS.keys())
often = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

texts = st.text(st.characters(exclude_categories=()), max_size=12)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    texts,
    st.sampled_from(
        ["", "\x00", "\ud800", "x" * 9000, "0001-01-01T00:00:00Z", "javascript:alert(1)", "http://h/\x00", 10**400, -1]
    ),
    st.sampled_from(["firing", "resolved", "trigger", "2026-02-31T00:00:00Z", "9999-12-31T23:59:59-23:59", 1e308]),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def read(monitor: ModuleType, payload: Any, values: dict[str, Any] | None) -> list[Signal]:
    """Read a payload as the worker does."""
    return [tidy(signal) for signal in monitor.parse(payload, settings_of(monitor).model_validate(values or {}))]


def read_or_refuse(monitor: ModuleType, payload: Any, values: dict[str, Any] | None) -> list[Signal]:
    """Read a payload as the worker does; what is unreadable gives nothing, any other error is the monitor's fault."""
    try:
        return read(monitor, payload, values)
    except Unreadable:
        return []


def list_paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List where in a payload something can be taken out or replaced."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [deeper for key, part in inner for deeper in [(*path, key), *list_paths(part, (*path, key))]]


def reverse(value: Any) -> Any:
    """Give the same JSON with the fields of each object in the other order."""
    if isinstance(value, dict):
        return {key: reverse(part) for key, part in reversed(value.items())}
    return [reverse(part) for part in value] if isinstance(value, list) else value


def assert_fit_to_store(signal: Signal) -> None:
    """Assert that every part is inside its bounds and that both databases, a mail and a page can carry it."""
    assert signal.state in ("firing", "acknowledged", "resolved")
    assert 0 < len(signal.fingerprint) <= 255
    assert 0 < len(signal.title) <= 1024
    assert "\n" not in signal.title
    assert len(signal.group) <= 255
    assert len(signal.severity) <= 64
    assert len(signal.source) <= 255
    assert len(signal.description) <= 8192
    assert len(signal.labels) <= 64
    assert len(signal.links) <= 16
    for _, url in signal.links:
        assert url.lower().startswith(("http://", "https://"))
    for moment in (signal.started_at, signal.ended_at):
        assert moment is None or moment.utcoffset() == timedelta(0)
    words = [signal.fingerprint, signal.title, signal.group, signal.severity, signal.source, signal.description]
    words += [*signal.labels.keys(), *signal.labels.values(), *(part for link in signal.links for part in link)]
    for word in words:
        assert "\x00" not in word.encode("utf-8").decode()
    assert tidy(signal) == signal


@pytest.mark.parametrize(("monitor", "example"), EXAMPLES)
def test_an_example_gives_what_it_says(monitor: ModuleType, example: Example) -> None:
    signals = read(monitor, example.payload, example.settings)
    assert tuple((s.state, s.fingerprint, s.title, s.severity) for s in signals) == example.gives
    for signal in signals:
        assert_fit_to_store(signal)


@pytest.mark.parametrize(("monitor", "example"), EXAMPLES)
def test_an_example_is_plain_json_and_is_left_as_it_was(monitor: ModuleType, example: Example) -> None:
    before = copy.deepcopy(example.payload)
    assert json.loads(json.dumps(example.payload)) == example.payload
    read(monitor, example.payload, example.settings)
    assert example.payload == before


@pytest.mark.parametrize(("monitor", "example"), EXAMPLES)
def test_the_order_of_the_fields_changes_nothing_that_tells_alerts_apart(monitor: ModuleType, example: Example) -> None:
    straight = read(monitor, example.payload, example.settings)
    turned = read(monitor, reverse(example.payload), example.settings)
    assert [(s.state, s.fingerprint, s.group, s.labels) for s in turned] == [
        (s.state, s.fingerprint, s.group, s.labels) for s in straight
    ]


@every_monitor
def test_it_has_an_example_of_an_alert_that_fires_and_of_one_that_has_ended(monitor: ModuleType) -> None:
    states = {state for example in monitor.EXAMPLES for state, *_ in example.gives}
    assert {"firing", "resolved"} <= states


@every_monitor
def test_what_ends_carries_a_key_that_fired(monitor: ModuleType) -> None:
    """An alert whose resolve has another fingerprint would never end."""
    keys: dict[str, set[str]] = {}
    for example in monitor.EXAMPLES:
        for state, key, *_ in example.gives:
            keys.setdefault(state, set()).add(key)
    assert keys["firing"] & keys["resolved"]


@every_monitor
@often
@given(payload=json_values)
def test_any_json_gives_signals_that_fit_or_is_unreadable(monitor: ModuleType, payload: Any) -> None:
    for signal in read_or_refuse(monitor, payload, None):
        assert_fit_to_store(signal)


@every_monitor
@often
@given(data=st.data())
def test_an_example_with_a_part_broken_gives_signals_that_fit_or_is_unreadable(
    monitor: ModuleType, data: st.DataObject
) -> None:
    example = data.draw(st.sampled_from(monitor.EXAMPLES))
    payload = copy.deepcopy(example.payload)
    for _ in range(data.draw(st.integers(1, 2))):
        *way, last = data.draw(st.sampled_from(list_paths(payload) or [("nothing",)]))
        place = payload
        for step in way:
            place = place[step]
        if data.draw(st.booleans()) and not isinstance(place, list):
            place.pop(last, None)
        else:
            place[last] = data.draw(json_values)
    for signal in read_or_refuse(monitor, payload, example.settings):
        assert_fit_to_store(signal)


@every_monitor
def test_one_odd_optional_field_costs_no_alert(monitor: ModuleType) -> None:
    """Times, links and texts of the wrong kind are left out; the alert still comes (promise 1)."""
    optional = re.compile(
        "startsAt|endsAt|URL|url|annotations|values|valueString|timestamp|custom_details|links|images|client|since"
        "|chart|remark|tags|time|description|source_host"
    )
    for example in monitor.EXAMPLES:
        for *way, last in list_paths(example.payload):
            if not isinstance(last, str) or not optional.fullmatch(last):
                continue
            for odd in (None, 17, "\x00", {"a": [1]}, [None]):
                payload = copy.deepcopy(example.payload)
                place = payload
                for step in way:
                    place = place[step]
                place[last] = odd
                signals = read(monitor, payload, example.settings)
                assert [s.fingerprint for s in signals] == [given[1] for given in example.gives], (example.title, last)


@every_monitor
@pytest.mark.parametrize("payload", [None, [], {}, "text", 7, [[]], {"alerts": []}, {"events": [None]}, [None]])
def test_what_is_of_no_tool_is_refused_or_gives_nothing(monitor: ModuleType, payload: Any) -> None:
    assert read_or_refuse(monitor, payload, None) == []


@pytest.mark.parametrize("name", all_monitors())
def test_its_set_up_names_the_persons_own_address_and_leaves_no_hole(name: str) -> None:
    text = write_set_up(name, "https://watch.example.org/", "a-key-of-mine")
    assert f"https://watch.example.org{address_of(name, 'a-key-of-mine')}" in text
    assert "a-key-of-mine" in text
    assert "{url}" not in text
    assert "{key}" not in text


@pytest.mark.parametrize("name", all_monitors())
def test_the_contracts_parse_reads_it_by_its_name(name: str) -> None:
    for example in all_monitors()[name].EXAMPLES:
        assert len(parse(name, example.payload, example.settings or {})) == len(example.gives)


@pytest.mark.parametrize("name", all_monitors())
def test_settings_that_are_no_longer_valid_put_the_payload_aside(name: str) -> None:
    """A worker that crashed on them would hold up every payload behind."""
    with pytest.raises(Unreadable) as refusal:
        parse(name, all_monitors()[name].EXAMPLES[0].payload, {"a_setting_of_last_year": 1})
    assert refusal.value.where == "settings.a_setting_of_last_year"


@pytest.mark.parametrize("name", all_monitors())
def test_the_page_on_connecting_has_a_heading_for_it(name: str) -> None:
    headings = re.findall(r"^## (.+)$", (DOCS / "connect-a-monitor.md").read_text(), re.MULTILINE)
    assert all_monitors()[name].TITLE in headings


def test_each_monitor_has_an_address_of_its_own() -> None:
    addresses = [address_of(name, "KEY") for name in all_monitors()]
    assert len(set(addresses)) == len(addresses)
    assert address_of("alertmanager", "KEY") == "/in/alertmanager/KEY"
    assert address_of("events_v2", "KEY") == "/v2/enqueue"
