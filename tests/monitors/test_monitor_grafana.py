"""Grafana Alerting: no data and failed queries are told apart from what they hide."""

from __future__ import annotations

from typing import Any

import pytest

from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.monitors import parse


def read(labels: dict[str, Any], annotations: dict[str, Any] | None = None, **more: Any) -> Signal:
    """Read a notification of one alert."""
    alert = {"status": "firing", "labels": labels, "annotations": annotations or {}, **more}
    (signal,) = parse("grafana", {"orgId": 1, "groupKey": "{}:{}", "alerts": [alert]}, {})
    return signal


OWN = {"rulename": "Queue too long", "datasource_uid": "p", "ref_id": "A"}


@pytest.mark.parametrize(
    ("labels", "annotations", "title"),
    [
        ({**OWN, "alertname": "DatasourceNoData"}, {"summary": "S"}, "No data: Queue too long"),
        ({**OWN, "alertname": "DatasourceError"}, {}, "Query failed: Queue too long"),
        ({"alertname": "CPU"}, {"grafana_state_reason": "NoData", "summary": "S"}, "No data: CPU"),
        ({"alertname": "CPU"}, {"grafana_state_reason": "Error, KeepLast"}, "Query failed: CPU"),
        ({"alertname": "CPU"}, {"grafana_state_reason": "MissingSeries", "summary": "S"}, "S"),
        (
            {"alertname": "DatasourceNoData"},
            {"summary": "somebody named a rule like this"},
            "somebody named a rule like this",
        ),
        ({"alertname": "CPU", "instance": "web-1"}, {}, "CPU on web-1"),
    ],
)
def test_the_title_says_when_there_was_nothing_to_look_at(labels: Any, annotations: Any, title: str) -> None:
    assert read(labels, annotations).title == title


def test_the_summary_that_no_data_made_untrue_moves_to_the_description() -> None:
    signal = read({**OWN, "alertname": "DatasourceNoData"}, {"summary": "The queue holds [no value] orders"})
    assert "The queue holds [no value] orders" in signal.description


def test_why_an_alert_ended_is_told() -> None:
    """A series that vanished is no recovery."""
    assert (
        "grafana_state_reason: MissingSeries"
        in read({"alertname": "CPU"}, {"grafana_state_reason": "MissingSeries"}).description
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"values": {"B": 94.5, "A": 1}}, "Values: A = 1, B = 94.5"),
        ({"values": None, "valueString": "[ var='B' value=94.5 ]"}, "[ var='B' value=94.5 ]"),
        ({"values": [1], "valueString": None}, ""),
    ],
)
def test_the_values_are_told(more: dict[str, Any], told: str) -> None:
    assert read({"alertname": "CPU"}, **more).description == told


def test_links_lead_to_the_rule_the_dashboard_the_panel_the_picture_and_the_silence() -> None:
    signal = read(
        {"alertname": "CPU"},
        {"runbook_url": "https://w.example.org/r"},
        generatorURL="https://g.example.org/rule",
        dashboardURL="https://g.example.org/d",
        panelURL="https://g.example.org/d?viewPanel=4",
        imageURL="https://g.example.org/i.png",
        silenceURL="https://g.example.org/silence",
    )
    assert [name for name, _ in signal.links] == [
        "Runbook",
        "Alert rule",
        "Dashboard",
        "Panel",
        "Picture",
        "Silence in Grafana",
    ]


def test_the_address_that_is_none_in_a_test_notification_is_left_out() -> None:
    assert read({"alertname": "TestAlert"}, generatorURL="?orgId=1", dashboardURL="").links == ()


def test_the_legacy_format_is_refused_by_its_name() -> None:
    with pytest.raises(Unreadable, match="legacy"):
        parse("grafana", {"ruleName": "Test notification", "state": "alerting", "evalMatches": []}, {})
