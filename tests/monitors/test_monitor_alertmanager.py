"""Alertmanager: what makes two alerts two, and one alert one."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.monitors import alertmanager, parse
from watchbill.monitors._prometheus import hash_labels


def make(*alerts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give a notification of these alerts."""
    return {"version": "4", "status": "firing", "groupKey": "{}:{}", "alerts": list(alerts), **more}


def alert(labels: dict[str, Any], annotations: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Give one alert."""
    return {"status": "firing", "labels": labels, "annotations": annotations or {}, **more}


def read(payload: object) -> list[Signal]:
    return parse("alertmanager", payload, {})


@pytest.mark.parametrize(
    ("labels", "fingerprint"),
    [
        ({"alertname": "TestAlert", "instance": "Grafana"}, "57c6d9296de2ad39"),
        (
            {"alertname": "DiskWillFill", "instance": "db1:9100", "job": "node", "severity": "critical"},
            "4f23ec3d7b1620a7",
        ),
        ({}, "cbf29ce484222325"),
    ],
)
def test_a_missing_fingerprint_is_the_one_alertmanager_would_have_given(
    labels: dict[str, str], fingerprint: str
) -> None:
    """The three came from a running Grafana, a running Alertmanager 0.25 and Prometheus' own constant."""
    assert hash_labels(labels) == fingerprint


def test_the_examples_carry_the_fingerprints_of_their_labels() -> None:
    for example in alertmanager.EXAMPLES:
        for sent, given in zip(example.payload["alerts"], example.gives, strict=True):
            assert hash_labels(sent["labels"]) == given[1]


def test_two_alerts_with_the_same_summary_stay_two() -> None:
    """GoAlert takes the summary for the identity, and one of the two hosts would page nobody."""
    summary = {"summary": "Disk is full"}
    first, second = read(
        make(alert({"alertname": "D", "instance": "a"}, summary), alert({"alertname": "D", "instance": "b"}, summary))
    )
    assert first.title == second.title
    assert first.fingerprint != second.fingerprint


def test_one_alert_whose_summary_holds_a_changing_value_stays_one() -> None:
    (at_91,) = read(make(alert({"alertname": "D"}, {"summary": "Disk at 91 %"})))
    (at_97,) = read(make(alert({"alertname": "D"}, {"summary": "Disk at 97 %"}, status="resolved")))
    assert at_91.fingerprint == at_97.fingerprint
    assert (at_91.state, at_97.state) == ("firing", "resolved")


@pytest.mark.parametrize(
    ("labels", "annotations", "title"),
    [
        ({"alertname": "D", "instance": "a"}, {"summary": "S", "message": "M"}, "S"),
        ({"alertname": "D", "instance": "a"}, {"summary": " \n", "message": "M"}, "M"),
        ({"alertname": "D", "instance": "a"}, {}, "D on a"),
        ({"alertname": "D"}, {}, "D"),
        ({"instance": "a"}, {}, "Alert without a name on a"),
    ],
)
def test_the_title_is_the_first_that_says_something(labels: Any, annotations: Any, title: str) -> None:
    (signal,) = read(make(alert(labels, annotations)))
    assert signal.title == title


def test_annotations_become_description_and_links() -> None:
    annotations = {
        "summary": "S",
        "description": "Two\nlines",
        "runbook_url": "https://wiki.example.org/r",
        "dashboard": "https://grafana.example.org/d",
        "logs_url": "https://logs.example.org/q",
        "impact": "orders wait",
        "broken_url": "javascript:alert(1)",
    }
    (signal,) = read(make(alert({"alertname": "D"}, annotations), externalURL="http://am.example.org"))
    assert signal.description == "Two\nlines\nbroken_url: javascript:alert(1)\nimpact: orders wait"
    assert signal.links == (
        ("Runbook", "https://wiki.example.org/r"),
        ("Dashboard", "https://grafana.example.org/d"),
        ("Logs", "https://logs.example.org/q"),
        ("Alertmanager", "http://am.example.org"),
    )


@pytest.mark.parametrize(("own", "of_the_group", "state"), [
    ("firing", "resolved", "firing"),
    ("resolved", "firing", "resolved"),
    (None, "resolved", "resolved"),
    ("on fire", "firing", "firing"),
    ("on fire", None, "firing"),
])  # fmt: skip
def test_the_state_is_the_alerts_own_then_the_groups_then_firing(own: Any, of_the_group: Any, state: str) -> None:
    (signal,) = read(make({**alert({"alertname": "D"}), "status": own}, status=of_the_group))
    assert signal.state == state


def test_severity_is_the_label_in_lower_case() -> None:
    (signal,) = read(make(alert({"alertname": "D", "severity": "Critical"})))
    assert signal.severity == "critical"


def test_it_says_how_many_alerts_max_alerts_cut_off() -> None:
    signals = read(make(alert({"alertname": "D"}), alert({"alertname": "E"}), truncatedAlerts=12))
    assert all("12 more alerts" in signal.description for signal in signals)


def test_five_thousand_alerts_in_one_notification_are_five_thousand_signals() -> None:
    signals = read(make(*(alert({"alertname": "D", "instance": str(n)}) for n in range(5000))))
    assert len({signal.fingerprint for signal in signals}) == 5000


@pytest.mark.parametrize(
    ("payload", "where"),
    [
        ({}, "alerts"),
        ({"alerts": {}}, "alerts"),
        ({"alerts": []}, "alerts"),
        ({"alerts": [{"labels": {"a": "b"}}, None]}, "alerts[1]"),
        ({"alerts": [{"annotations": {"summary": "S"}}]}, "alerts[0]"),
        ("text", ""),
    ],
)
def test_what_is_not_alertmanagers_is_refused_with_the_place(payload: object, where: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read(payload)
    assert refusal.value.where == where


def test_the_list_that_prometheus_posts_is_refused_with_what_to_do() -> None:
    """It tells firing from ended only by comparing endsAt with now, and a monitor reads no clock."""
    with pytest.raises(Unreadable, match="let Prometheus post to Alertmanager"):
        read([{"labels": {"alertname": "D"}, "endsAt": "2026-11-20T08:00:00Z"}])


def test_an_alert_without_labels_but_with_a_fingerprint_still_pages() -> None:
    (signal,) = read(make({"fingerprint": "abc", "labels": None, "annotations": {"summary": "S"}}))
    assert (signal.fingerprint, signal.title) == ("abc", "S")


def test_reading_leaves_the_payload_alone() -> None:
    payload = make(alert({"alertname": "D"}, {"summary": "S"}))
    before = copy.deepcopy(payload)
    read(payload)
    assert payload == before
