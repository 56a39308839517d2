"""Grafana Alerting: the webhook contact point of Grafana 9 and later.

Source: "Webhook notifier" and "No Data and Error states" in Grafana's documentation. The payload is Alertmanager's
with more fields. When a query gives nothing or fails, Grafana fires an alert of its own with the labels
`alertname` (DatasourceNoData or DatasourceError) and `rulename`; or, if the rule says that no data means alerting,
the rule's alert with the annotation `grafana_state_reason`. Both are named in the title, because "the pool is
empty" and "nobody knows whether the pool is empty" wake a person for different work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.monitors import (
    Example,
    NoSettings,
    read_fields,
    read_key,
    read_labels,
    read_line,
    read_links,
    read_list,
    read_object,
    read_text,
    read_time,
    read_word,
)
from watchbill.monitors._prometheus import (
    link_annotations,
    read_fingerprint,
    read_name,
    read_source,
    read_state,
    read_title,
    write_description,
)

TITLE = "Grafana Alerting"

SET_UP = """\
In Grafana:

1. Alerts & IRM > Alerting > Contact points > Add contact point.
2. Name: Watchbill. Integration: Webhook. URL:
     {url}
   Leave the method at POST. Leave "Disable resolved message" off and the custom payload empty.
3. Press Test, then "Send test notification": the alert "Notification test" appears here at once. Grafana
   never resolves its test, so resolve it yourself.
4. Save, then Alerting > Notification policies: let the default policy, or one with your labels, use the
   contact point Watchbill.

Watchbill reads: the label "severity"; the annotations "summary" (the title), "description" and "runbook_url"; the
values; and links to the rule, the dashboard, the panel and the silence. When a query finds no data or fails,
the title begins with "No data:" or "Query failed:".
"""

_LINKS = (
    ("Alert rule", "generatorURL"),
    ("Dashboard", "dashboardURL"),
    ("Panel", "panelURL"),
    ("Picture", "imageURL"),
    ("Silence in Grafana", "silenceURL"),
)
_OWN_ALERTS = {"DatasourceNoData": "No data", "DatasourceError": "Query failed"}
_REASONS = {"NoData": "No data", "Error": "Query failed"}


def parse(payload: object, settings: NoSettings) -> list[Signal]:
    """Read one notification; raises Unreadable if it is not of Grafana Alerting."""
    whole = read_object(payload)
    if "alerts" not in whole and "ruleName" in whole:
        raise Unreadable("this is Grafana's legacy alerting (version 8 and before): use Grafana Alerting", "ruleName")
    alerts = read_list(whole.get("alerts"), "alerts")
    return [_read_alert(read_object(alert, f"alerts[{n}]"), whole, f"alerts[{n}]") for n, alert in enumerate(alerts)]


def _read_alert(alert: dict[str, Any], whole: dict[str, Any], where: str) -> Signal:
    labels = read_fields(alert.get("labels"))
    annotations = read_fields(alert.get("annotations"))
    title = _write_title(labels, annotations)
    return Signal(
        state=read_state(alert, whole),
        fingerprint=read_fingerprint(alert, where),
        title=title,
        group=read_key(whole.get("groupKey")),
        severity=read_word(labels.get("severity")),
        source=read_source(labels),
        description=write_description(annotations, title, (_write_values(alert),)),
        labels=read_labels(labels),
        links=read_links([*link_annotations(annotations), *((name, alert.get(field)) for name, field in _LINKS)]),
        started_at=read_time(alert.get("startsAt")),
        ended_at=read_time(alert.get("endsAt")),
    )


def _write_title(labels: Mapping[str, Any], annotations: Mapping[str, Any]) -> str:
    trouble = _find_trouble(labels, annotations)
    if not trouble:
        return read_title(labels, annotations)
    # Not the summary: it tells what the rule would say of data, and there is none.
    return f"{trouble}: {read_line(labels.get('rulename')) or read_name(labels)}"


def _find_trouble(labels: Mapping[str, Any], annotations: Mapping[str, Any]) -> str:
    """Tell "No data" or "Query failed", or nothing when the rule was evaluated on data."""
    name = read_line(labels.get("alertname"))
    if name in _OWN_ALERTS and "rulename" in labels:
        return _OWN_ALERTS[name]
    reasons = read_line(annotations.get("grafana_state_reason")).split(", ")
    return next((_REASONS[reason] for reason in reasons if reason in _REASONS), "")


def _write_values(alert: Mapping[str, Any]) -> str:
    values = alert.get("values")
    if isinstance(values, dict) and values:
        return "Values: " + ", ".join(
            f"{read_line(name)} = {read_line(value)}" for name, value in sorted(values.items())
        )
    return read_text(alert.get("valueString"), 1024)


_CPU = {
    "status": "firing",
    "labels": {
        "alertname": "High CPU",
        "grafana_folder": "Shop",
        "instance": "web-1",
        "severity": "Error",
        "team": "blue",
    },
    "annotations": {
        "__dashboardUid__": "shop",
        "description": "The average over 5 minutes is above 90 %.",
        "runbook_url": "https://wiki.example.org/runbooks/cpu",
        "summary": "CPU of web-1 above 90 %",
    },
    "startsAt": "2026-11-20T09:51:03.157076+02:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "https://grafana.example.org/alerting/grafana/1afz29v7z/view?orgId=1",
    "fingerprint": "c6eadffa33fcdf37",
    "silenceURL": "https://grafana.example.org/alerting/silence/new?alertmanager=grafana&matcher=alertname%3DHigh+CPU",
    "dashboardURL": "https://grafana.example.org/d/shop?orgId=1",
    "panelURL": "https://grafana.example.org/d/shop?orgId=1&viewPanel=4",
    "imageURL": "https://grafana.example.org/public/img/attachments/shop-4.png",
    "values": {"B": 94.23943737541908, "C": 1},
    "valueString": "[ var='B' labels={instance=web-1} value=94.23943737541908 ], [ var='C' labels={instance=web-1} value=1 ]",
}
_NO_DATA = {
    "status": "firing",
    "labels": {
        "alertname": "DatasourceNoData",
        "datasource_uid": "prometheus-north",
        "grafana_folder": "Shop",
        "ref_id": "A",
        "rulename": "Queue too long",
    },
    "annotations": {"summary": "The queue holds [no value] orders"},
    "startsAt": "2026-11-20T08:12:20Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "https://grafana.example.org/alerting/grafana/eewi8oa4ccef4e/view?orgId=1",
    "fingerprint": "c50ae7bba42b3626",
    "silenceURL": "",
    "dashboardURL": "",
    "panelURL": "",
    "values": None,
    "valueString": "",
}
_FAILED = {
    **_NO_DATA,
    "labels": {**_NO_DATA["labels"], "alertname": "DatasourceError"},  # type: ignore[dict-item]
    "annotations": {"Error": "failed to execute query A: connection refused"},
    "fingerprint": "81b2ae3b4fa3c9d0",
}
_TREATED_AS_ALERTING = {
    **_CPU,
    "annotations": {"grafana_state_reason": "NoData", "summary": "CPU of web-1 above 90 %"},
    "values": {},
    "valueString": "",
}
_TEST = {
    "status": "firing",
    "labels": {"alertname": "TestAlert", "instance": "Grafana"},
    "annotations": {"summary": "Notification test"},
    "startsAt": "2026-11-20T08:11:19.283071388Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "?orgId=1",
    "fingerprint": "57c6d9296de2ad39",
    "silenceURL": "https://grafana.example.org/alerting/silence/new?alertmanager=grafana&matcher=alertname%3DTestAlert",
    "dashboardURL": "",
    "panelURL": "",
    "values": None,
    "valueString": "[ metric='foo' labels={instance=bar} value=10 ]",
}


def _wrap(*alerts: dict[str, Any], status: str = "firing", group: str = '{}:{alertname="High CPU"}') -> dict[str, Any]:
    return {
        "receiver": "Watchbill",
        "status": status,
        "alerts": list(alerts),
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "https://grafana.example.org/",
        "version": "1",
        "groupKey": group,
        "truncatedAlerts": 0,
        "orgId": 1,
        "title": f"[{status.upper()}:{len(alerts)}]",
        "state": "alerting" if status == "firing" else "ok",
        "message": "**Firing**\n\nValue: B=94.2\nLabels:\n - alertname = High CPU\n",
    }


EXAMPLES = (
    Example(
        title="A rule fires",
        payload=_wrap(_CPU),
        gives=(("firing", "c6eadffa33fcdf37", "CPU of web-1 above 90 %", "error"),),
    ),
    Example(
        title="It ends",
        payload=_wrap({**_CPU, "status": "resolved", "endsAt": "2026-11-20T08:20:03Z"}, status="resolved"),
        gives=(("resolved", "c6eadffa33fcdf37", "CPU of web-1 above 90 %", "error"),),
    ),
    Example(
        title="A query found no data, another failed",
        payload=_wrap(_NO_DATA, _FAILED, group='{}:{grafana_folder="Shop"}'),
        gives=(
            ("firing", "c50ae7bba42b3626", "No data: Queue too long", ""),
            ("firing", "81b2ae3b4fa3c9d0", "Query failed: Queue too long", ""),
        ),
    ),
    Example(
        title="A rule that takes no data for alerting",
        payload=_wrap(_TREATED_AS_ALERTING),
        gives=(("firing", "c6eadffa33fcdf37", "No data: High CPU on web-1", "error"),),
    ),
    Example(
        title="The button Test of a contact point",
        payload=_wrap(_TEST, group="test-57c6d9296de2ad39-1795162279"),
        gives=(("firing", "57c6d9296de2ad39", "Notification test", ""),),
    ),
)
