"""What the demo's monitors send, in the shapes in which the real tools send it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True)
class Trouble:
    """One thing that may be wrong: `way` is the monitor connection that speaks of it, `name` the alert's own name."""

    way: str
    name: str
    title: str
    severity: str
    source: str
    description: str = ""
    runbook: str = ""

    @property
    def key(self) -> str:
        """What stays the same each time a monitor speaks of it."""
        return f"{self.name}/{self.source}"

    @property
    def fingerprint(self) -> str:
        """A short number as Prometheus and Grafana give one."""
        return sha256(self.key.encode()).hexdigest()[:16]


def alertmanager(troubles: Sequence[Trouble], state: str, since: datetime, now: datetime) -> dict[str, Any]:
    """Give a notification of Prometheus Alertmanager, grouped by the alert's name."""
    name = troubles[0].name
    return {
        "version": "4",
        "groupKey": f'{{}}/{{severity=~".+"}}:{{alertname="{name}"}}',
        "truncatedAlerts": 0,
        "status": state,
        "receiver": "watchbill",
        "groupLabels": {"alertname": name},
        "commonLabels": {"alertname": name},
        "commonAnnotations": {},
        "externalURL": "https://alertmanager.demo.example",
        "alerts": [_prometheus(trouble, state, since, now) for trouble in troubles],
    }


def _prometheus(trouble: Trouble, state: str, since: datetime, now: datetime) -> dict[str, Any]:
    labels = {
        "alertname": trouble.name,
        "instance": trouble.source,
        "job": trouble.way.partition("-")[0],
        "severity": trouble.severity,
    }
    return {
        "status": state,
        "labels": labels,
        "annotations": _annotations(trouble),
        "startsAt": since.isoformat(),
        "endsAt": now.isoformat() if state == "resolved" else NEVER,
        "generatorURL": f"https://prometheus.demo.example/graph?g0.expr={trouble.name}",
        "fingerprint": trouble.fingerprint,
    }


def _annotations(trouble: Trouble) -> dict[str, str]:
    words = {"summary": trouble.title, "description": trouble.description, "runbook_url": trouble.runbook}
    return {name: text for name, text in words.items() if text}


def grafana(troubles: Sequence[Trouble], state: str, since: datetime, now: datetime) -> dict[str, Any]:
    """Give a notification of Grafana Alerting."""
    more = {
        "silenceURL": "https://grafana.demo.example/alerting/silence/new",
        "dashboardURL": "https://grafana.demo.example/d/payments",
        "panelURL": "https://grafana.demo.example/d/payments?viewPanel=4",
        "values": {"B": 94.2, "C": 1},
    }
    alerts = [{**_prometheus(trouble, state, since, now), **more} for trouble in troubles]
    return {
        "receiver": "Watchbill",
        "status": state,
        "alerts": alerts,
        "groupLabels": {"alertname": troubles[0].name},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "https://grafana.demo.example/",
        "version": "1",
        "groupKey": f'{{}}:{{alertname="{troubles[0].name}"}}',
        "truncatedAlerts": 0,
        "orgId": 1,
        "title": f"[{state.upper()}:{len(alerts)}] {troubles[0].name}",
        "state": "alerting" if state == "firing" else "ok",
        "message": troubles[0].title,
    }


def events_v2(troubles: Sequence[Trouble], state: str, since: datetime, now: datetime) -> dict[str, Any]:
    """Give an event of PagerDuty's Events v2: one trouble, the first."""
    trouble = troubles[0]
    actions = {"firing": "trigger", "acknowledged": "acknowledge", "resolved": "resolve"}
    event: dict[str, Any] = {"routing_key": "the door knows it", "event_action": actions[state]}
    event["dedup_key"] = trouble.key
    if state == "firing":
        event["payload"] = {
            "summary": trouble.title,
            "source": trouble.source,
            "severity": trouble.severity,
            "timestamp": since.isoformat(),
            "component": trouble.name,
            "custom_details": {"what": trouble.description or "no details", "seen": now.isoformat()},
        }
        event["links"] = [{"href": trouble.runbook, "text": "Runbook"}] if trouble.runbook else []
    return event


def own_script(troubles: Sequence[Trouble], state: str, since: datetime, now: datetime) -> dict[str, Any]:
    """Give what the Research Hub's own script posts: read by a mapping that Imani wrote in the browser."""
    trouble = troubles[0]
    return {
        "check": {"id": trouble.key, "label": trouble.title, "result": "BAD" if state == "firing" else "GOOD"},
        "machine": trouble.source,
        "weight": {"critical": "P1", "error": "P2", "warning": "P3"}.get(trouble.severity, "P4"),
        "story": trouble.description,
        "when": now.isoformat(),
        "since": since.isoformat(),
    }


OWN_MAPPING = {
    "title": "{{ check.label }}",
    "fingerprint": "{{ check.id }}",
    "state": "{{ check.result }}",
    "firing_when": ["bad"],
    "resolved_when": ["good"],
    "severity": "{{ weight }}",
    "severity_map": {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"},
    "description": "{{ story }}",
    "source": "{{ machine }}",
    "labels": {"machine": "{{ machine }}"},
    "started_at": "{{ since }}",
}
# Before the script's author told anybody, it sent this: neither a label nor a key.
NOT_UNDERSTOOD = {"check": {"result": "BAD"}, "machine": "hub-3", "when": "half past two", "notes": ["disk?", None]}

WRITERS: dict[str, Callable[[Sequence[Trouble], str, datetime, datetime], dict[str, Any]]] = {
    "alertmanager": alertmanager,
    "grafana": grafana,
    "events_v2": events_v2,
    "generic": own_script,
}
