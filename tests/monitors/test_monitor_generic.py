"""Any JSON: what a mapping gives, what the preview says of a wrong one, and that no expression runs away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.monitors import Preview, Problem, parse, read_text
from watchbill.monitors.generic import EXAMPLES, Settings, preview

PAYLOAD = {
    "site": "north",
    "events": [
        {
            "id": 1,
            "host-name": "a",
            "check": "disk",
            "status": "CRITICAL",
            "up": False,
            "tags": [{"k": "env", "v": "prod"}],
        },
        {"id": 2, "host-name": "b", "check": "cpu", "status": "ok", "up": True, "tags": []},
    ],
}
MAPPING = {
    "items": "{{ events }}",
    "title": '{{ check }} on {{ "host-name" }} is {{ status }}',
    "fingerprint": '{{ _payload.site }}/{{ "host-name" }}/{{ check }}',
}


def read(payload: object, **values: Any) -> list[Signal]:
    return parse("generic", payload, values)


def complaints(view: Preview, field: str) -> list[str]:
    return [problem.message for problem in view.problems if problem.field == field]


def test_each_item_of_the_list_is_an_alert() -> None:
    first, second = read(PAYLOAD, **MAPPING)
    assert (first.title, first.fingerprint, first.state) == ("disk on a is CRITICAL", "north/a/disk", "firing")
    assert (second.title, second.fingerprint, second.state) == ("cpu on b is ok", "north/b/cpu", "resolved")


def test_a_state_may_be_true_or_false_and_a_message_may_be_left_out() -> None:
    signals = read(PAYLOAD, **MAPPING, state="{{ up }}", firing_when=["false"], ignored_when=[True])
    assert [(signal.state, signal.source) for signal in signals] == [("firing", "")]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("firing", "firing"),
        ("OK", "resolved"),
        ("ack", "acknowledged"),
        ("", "firing"),
        (None, "firing"),
        ("purple", "firing"),
    ],
)
def test_a_state_that_nobody_knows_is_firing(status: object, state: str) -> None:
    (signal,) = read({"title": "T", "status": status})
    assert signal.state == state


def test_a_payload_that_is_a_list_gives_an_alert_for_each_item() -> None:
    assert [signal.title for signal in read([{"title": "A"}, {"title": "B"}])] == ["A", "B"]


def test_an_empty_list_is_no_alert_and_no_error() -> None:
    assert read({"events": []}, **MAPPING) == []


def test_a_severity_is_put_into_other_words() -> None:
    (signal,) = read({"title": "T", "severity": "P1"}, severity_map={"P1": "Critical"})
    assert signal.severity == "critical"


def test_labels_and_links_come_from_names_and_from_an_object() -> None:
    (signal,) = read(
        {"title": "T", "tags": {"team": "blue", "n": 4}, "id": 77},
        labels="tags: {{ tags }}\nsite: north\nmissing: {{ nothing }}",
        links="Graph: https://g.example.org/{{ id }}\nBad: {{ id }}",
    )
    assert signal.labels == {"team": "blue", "n": "4", "site": "north"}
    assert signal.links == (("Graph", "https://g.example.org/77"),)


def test_without_a_key_the_title_is_the_key_so_the_same_title_ends_it() -> None:
    (fires,), (ends,) = read({"title": "T"}), read({"title": "T", "status": "ok"})
    assert fires.fingerprint == ends.fingerprint
    assert read({"title": "U"})[0].fingerprint != fires.fingerprint


def test_a_setting_that_does_not_fit_costs_its_field_and_not_the_alert() -> None:
    (signal,) = read(
        {"title": "T", "severity": 5}, severity="{{ ceil(severity) }}", description="{{ join(', ', severity) }}"
    )
    assert (signal.title, signal.severity, signal.description) == ("T", "5", "")


@pytest.mark.parametrize(
    ("payload", "values", "where"),
    [
        ({"other": 1}, {}, "items[0]"),
        ({"events": 7}, {"items": "{{ events }}"}, "items"),
        ({}, {"items": "{{ events }}"}, "items"),
        ("text", {}, "items"),
        ([{"title": "A"}, {"no": 1}], {}, "items[1]"),
    ],
)
def test_where_the_mapping_finds_no_alert_the_payload_is_put_aside(payload: Any, values: Any, where: str) -> None:
    """It is shown as not understood and replayed once the mapping is right."""
    with pytest.raises(Unreadable) as refusal:
        read(payload, **values)
    assert refusal.value.where == where


def test_the_preview_shows_what_comes_out() -> None:
    view = preview(PAYLOAD, MAPPING)
    assert [signal.title for signal in view.signals] == ["disk on a is CRITICAL", "cpu on b is ok"]
    assert view.problems == ()


def test_the_preview_and_the_reading_agree() -> None:
    for example in EXAMPLES:
        view = preview(example.payload, example.settings or {})
        assert list(view.signals) == read(example.payload, **(example.settings or {}))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("{{ }}", "there is nothing between {{ and }}"),
        ("{{ a. }}", "the expression ends too early"),
        ("{{ a b }}", "“b” does not fit here (at character 3)"),
        ("{{ a # b }}", "Unknown token # (at character 3)"),
        ("{{ a", "a hole begins with {{ and ends with }}; one of the two is missing"),
        ("a }}", "a hole begins with {{ and ends with }}; one of the two is missing"),
        ("{{ [a, b] }}", "lists [a, b] and objects {a: b} cannot be built here: write two holes side by side"),
        ("{{ {x: a} }}", "lists [a, b] and objects {a: b} cannot be built here: write two holes side by side"),
        ("{{ " + "(" * 140 + "a" + ")" * 140 + " }}", ""),
        ("{{ " + "!" * 290 + "a }}", "nested too deep"),
        ("{{ " + "a" * 301 + " }}", "longer than 300 characters"),
    ],
)
def test_an_expression_that_cannot_be_read_is_named_while_the_rest_still_shows(expression: str, message: str) -> None:
    view = preview(PAYLOAD, {**MAPPING, "description": expression})
    assert [signal.title for signal in view.signals] == ["disk on a is CRITICAL", "cpu on b is ok"]
    if message:
        assert view.problems == (Problem("description", read_text(expression, 300), message),)
        with pytest.raises(ValidationError, match="description"):
            Settings.model_validate({**MAPPING, "description": expression})


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("{{ ceil(check) }}", "ceil() cannot work on disk (string)"),
        ("{{ nonsense(check) }}", "Unknown function: nonsense()"),
        ("{{ ceil(id, id) }}", "Expected 1 argument for function ceil(), received 2"),
        ("{{ tags[::0] }}", "slice step cannot be zero"),
        ("{{ nothing }}", "finds nothing in this payload"),
    ],
)
def test_an_expression_that_does_not_fit_the_payload_is_named(expression: str, message: str) -> None:
    view = preview(PAYLOAD, {**MAPPING, "description": expression})
    assert len(view.signals) == 2
    assert message in complaints(view, "description")


def test_the_preview_names_a_state_that_is_in_no_list() -> None:
    assert complaints(preview({"title": "T", "status": "purple"}, {}), "state") == [
        "“purple” is in none of the lists, so it counts as firing"
    ]


def test_the_preview_says_where_there_is_no_list_of_alerts() -> None:
    view = preview(PAYLOAD, {**MAPPING, "items": "{{ alarms }}"})
    assert view.signals == ()
    assert complaints(view, "items")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"severity_map": "P1 critical"}, "severity_map"),
        ({"labels": {"a": "{{ b. }}"}}, "labels"),
        ({"firing_when": 7}, "firing_when"),
        ({"title": None}, "title"),
        ({"title": "x" * 2000}, "title"),
        ({"no_such_setting": "x"}, "no_such_setting"),
    ],
)
def test_a_form_that_cannot_be_read_is_a_problem_of_its_field(values: dict[str, Any], field: str) -> None:
    view = preview({"title": "T", "key": "k"}, values)
    assert complaints(view, field)
    assert len(view.signals) == 1


def test_a_plain_form_may_send_lists_and_objects_as_text() -> None:
    read_in = Settings.model_validate({"firing_when": "Down, 0\nBAD", "severity_map": "P1: Critical\n\nP2 :error"})
    assert read_in.firing_when == ("down", "0", "bad")
    assert read_in.severity_map == {"p1": "critical", "p2": "error"}


def test_settings_survive_being_stored() -> None:
    """They are kept as JSON and read again for each payload."""
    for example in EXAMPLES:
        stored = json.loads(Settings.model_validate(example.settings or {}).model_dump_json())
        assert Settings.model_validate(stored) == Settings.model_validate(example.settings or {})


def test_every_setting_has_a_title_and_a_description_for_its_form() -> None:
    for name, field in Settings.model_fields.items():
        assert field.title, name
        assert field.description, name


ONES = "`[" + ",".join("1" * 20) + "]`"
ENDLESS = [
    "to_string(to_array(" * 7 + "@" + "))" * 7,
    "to_string(_payload)",
    "_payload.events | " + " | ".join([f"map(&{ONES}, @)[]"] * 4),
    "events == _payload.events || _payload == _payload",
    "contains(_payload.events[*].check, 'x')",
    "_payload.events[?check == 'a'] | length(@)",
    "sort_by(_payload.events, &to_string(@))[0].check",
]


@pytest.mark.parametrize("expression", ENDLESS, ids=range(len(ENDLESS)))
def test_an_expression_that_grows_with_every_alert_is_stopped(expression: str) -> None:
    """For each of three thousand alerts it goes through all of them: that would take minutes, or all the memory."""
    large = {"events": [{"check": f'a"{n}'} for n in range(3000)]}
    values = {"items": "{{ events }}", "title": "T {{ check }}", "description": "{{ " + expression + " }}"}
    assert any("too much work" in message for message in complaints(preview(large, values), "description"))
    with pytest.raises(Unreadable, match="too much work") as refusal:
        read(large, **values)
    assert refusal.value.where == "description"


@pytest.mark.parametrize("expression", [ENDLESS[0], ENDLESS[2].removeprefix("_payload.")])
def test_an_expression_that_grows_by_itself_is_stopped(expression: str) -> None:
    large = {"events": [{"check": f'a"{n}'} for n in range(3000)]}
    view = preview(large, {"title": "T", "description": "{{ " + expression + " }}"})
    assert any("too much work" in said or "a million" in said for said in complaints(view, "description"))


def test_contains_does_not_compare_structures() -> None:
    view = preview({"title": "T", "a": [[1]], "b": [1]}, {"description": "{{ contains(a, b) }}"})
    assert complaints(view, "description") == ["contains() looks for a text or a number, not for a list or an object"]


def test_a_mapping_that_asks_for_too_much_puts_the_payload_aside() -> None:
    large = {"events": [{"n": n} for n in range(3000)]}
    assert len(read(large, items="{{ events }}", title="{{ n }}")) == 3000
    with pytest.raises(Unreadable, match="too much work"):
        read(large, items="{{ events }}", title="{{ length(_payload.events[*].n) }}", fingerprint="{{ n }}")


def test_a_giant_is_refused_in_the_preview_as_in_the_reading() -> None:
    giant = {"events": [None] * 200_000}
    assert complaints(preview(giant, {}), "items")
    with pytest.raises(Unreadable, match="100000 values"):
        read(giant)


TOKENS = (
    "a b @ . [ ] [] [*] * | || && ! ( ) [? == != < > `1` `[1,2]` 'x' \"x\" , & { } : 0 -1 length( to_string( sort_by( "
    "join( map( max( keys( sum( ceil( merge( not_null( reverse( {{ }}"
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    expressions=st.dictionaries(
        st.sampled_from(["items", "title", "fingerprint", "state", "description", "started_at", "labels"]),
        st.lists(st.sampled_from(TOKENS.split()), max_size=8).map(lambda parts: "{{ " + "".join(parts) + " }}"),
        max_size=3,
    ),
    payload=st.sampled_from([PAYLOAD, PAYLOAD["events"], {"a": [1, 2, {"b": None}], "b": 1e308}, [], 7, None]),
)
def test_the_preview_never_raises(expressions: dict[str, str], payload: Any) -> None:
    view = preview(payload, expressions)
    assert isinstance(view, Preview)
    for problem in view.problems:
        assert problem.message
