"""Prometheus Alertmanager: its webhook receiver, version 4 of the payload.

Source: "webhook_config" in Alertmanager's configuration reference; the examples have the shape that
Alertmanager 0.25 posted, with content of our own.

One alert of the payload is one signal. Alertmanager's own fingerprint (a hash of the labels) says which alert it is,
its group key which alerts it would have handled as one.
"""

from __future__ import annotations

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
    read_time,
    read_word,
)
from watchbill.monitors._prometheus import (
    link_annotations,
    read_fingerprint,
    read_source,
    read_state,
    read_title,
    write_description,
)

TITLE = "Prometheus Alertmanager"

SET_UP = """\
In alertmanager.yml, add a receiver and a route to it:

  route:
    receiver: watchbill
    group_by: [alertname, cluster, service]

  receivers:
    - name: watchbill
      webhook_configs:
        - url: {url}
          send_resolved: true

Then reload Alertmanager (SIGHUP, or POST to its /-/reload) and send a first alert:

  amtool alert add Hello severity=warning --annotation=summary="Hello from Alertmanager"

Watchbill reads: the label "severity"; the annotations "summary" (the title), "description", "runbook_url" and
"dashboard_url"; any other annotation that is an address becomes a link. Leave max_alerts at 0 (its default), so
that no alert of a group is cut off. Each Alertmanager, or each cluster of them, gets an address of its own.
"""


def parse(payload: object, settings: NoSettings) -> list[Signal]:
    """Read one notification; raises Unreadable if it is not Alertmanager's."""
    if isinstance(payload, list):
        # Such a list tells firing from resolved only by comparing endsAt with the time of day.
        raise Unreadable(
            "this is the list that Prometheus posts to an Alertmanager: let Prometheus post to Alertmanager, "
            "and Alertmanager to this address",
        )
    whole = read_object(payload)
    alerts = read_list(whole.get("alerts"), "alerts")
    return [_read_alert(read_object(alert, f"alerts[{n}]"), whole, f"alerts[{n}]") for n, alert in enumerate(alerts)]


def _read_alert(alert: dict[str, Any], whole: dict[str, Any], where: str) -> Signal:
    labels = read_fields(alert.get("labels"))
    annotations = read_fields(alert.get("annotations"))
    title = read_title(labels, annotations)
    return Signal(
        state=read_state(alert, whole),
        fingerprint=read_fingerprint(alert, where),
        title=title,
        group=read_key(whole.get("groupKey")),
        severity=read_word(labels.get("severity")),
        source=read_source(labels),
        description=write_description(annotations, title, (_count_cut_off(whole),)),
        labels=read_labels(labels),
        links=read_links([*link_annotations(annotations), ("Query", alert.get("generatorURL")), _link_home(whole)]),
        started_at=read_time(alert.get("startsAt")),
        ended_at=read_time(alert.get("endsAt")),
    )


def _link_home(whole: dict[str, Any]) -> tuple[object, object]:
    return "Alertmanager", whole.get("externalURL")


def _count_cut_off(whole: dict[str, Any]) -> str:
    count = whole.get("truncatedAlerts")
    if isinstance(count, bool) or not isinstance(count, int) or count <= 0:
        return ""
    return f"Alertmanager left {read_line(count, 20)} more alerts of this group out (max_alerts)."


_DISK = {
    "status": "firing",
    "labels": {
        "alertname": "DiskWillFill",
        "cluster": "north",
        "instance": "db-1.example.org:9100",
        "job": "node",
        "severity": "critical",
    },
    "annotations": {
        "dashboard_url": "https://grafana.example.org/d/disk/disks?var-host=db-1",
        "description": "At the present rate /var on db-1 is full within 4 hours.",
        "runbook_url": "https://wiki.example.org/runbooks/disk-will-fill",
        "summary": "/var on db-1 fills within 4 h",
    },
    "startsAt": "2026-11-20T08:52:26.739266876+01:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example.org/graph?g0.expr=predict_linear%28node_filesystem_free_bytes%5B1h%5D%29",
    "fingerprint": "e0d678fac20ae423",
}
_TWIN = {
    "status": "firing",
    "labels": {
        "alertname": "DiskWillFill",
        "cluster": "north",
        "instance": "db-2.example.org:9100",
        "severity": "Warning",
    },
    "annotations": {"summary": "/var on db-1 fills within 4 h"},
    "startsAt": "2026-11-20T07:53:26Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "",
    "fingerprint": "0176fe2c3bcaab36",
}
_DOWN = {
    "status": "firing",
    "labels": {"alertname": "InstanceDown", "instance": "web-3.example.org:9100", "job": "node"},
    "annotations": {},
    "startsAt": "2026-11-20T07:53:26.1Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example.org/graph?g0.expr=up+%3D%3D+0",
}


def _wrap(*alerts: dict[str, Any], status: str = "firing", **more: object) -> dict[str, Any]:
    name = alerts[0]["labels"]["alertname"]
    return {
        "receiver": "watchbill",
        "status": status,
        "alerts": list(alerts),
        "groupLabels": {"alertname": name},
        "commonLabels": {"alertname": name},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.org",
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
        **more,
    }


EXAMPLES = (
    Example(
        title="One alert fires",
        payload=_wrap(_DISK),
        gives=(("firing", "e0d678fac20ae423", "/var on db-1 fills within 4 h", "critical"),),
    ),
    Example(
        title="Two alerts of one group with the same summary: they stay two",
        payload=_wrap(_DISK, _TWIN),
        gives=(
            ("firing", "e0d678fac20ae423", "/var on db-1 fills within 4 h", "critical"),
            ("firing", "0176fe2c3bcaab36", "/var on db-1 fills within 4 h", "warning"),
        ),
    ),
    Example(
        title="One of the group has ended, the other has not",
        payload=_wrap({**_DISK, "status": "resolved", "endsAt": "2026-11-20T09:20:11.5Z"}, _TWIN),
        gives=(
            ("resolved", "e0d678fac20ae423", "/var on db-1 fills within 4 h", "critical"),
            ("firing", "0176fe2c3bcaab36", "/var on db-1 fills within 4 h", "warning"),
        ),
    ),
    Example(
        title="No annotations, no fingerprint, and five alerts cut off by max_alerts",
        payload=_wrap(_DOWN, truncatedAlerts=5),
        gives=(("firing", "33e79221d5cd555b", "InstanceDown on web-3.example.org:9100", ""),),
    ),
    Example(
        title="All of the group have ended",
        payload=_wrap({**_DISK, "status": "resolved", "endsAt": "2026-11-20T09:20:11.5Z"}, status="resolved"),
        gives=(("resolved", "e0d678fac20ae423", "/var on db-1 fills within 4 h", "critical"),),
    ),
)
