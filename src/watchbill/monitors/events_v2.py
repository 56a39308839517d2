"""PagerDuty's Events API v2: whatever speaks it speaks to Watchbill once the host name is changed.

Source: "Send an Alert Event" and "Events API v2 Overview" in PagerDuty's developer documentation: the fields, the
four severities, a `dedup_key` of at most 255 characters, and the words of the errors. Three things are ours:
a summary of more than 1024 characters is cut instead of refused, `severity` and `event_action` may be in any
case, and the routing key is not looked at here, because the door has already done so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.monitors import (
    Example,
    NoSettings,
    digest_of,
    read_fields,
    read_key,
    read_labels,
    read_line,
    read_links,
    read_object,
    read_text,
    read_time,
    read_word,
)

TITLE = "PagerDuty-compatible (Events API v2)"
ADDRESS = "/v2/enqueue"

SET_UP = """\
Wherever your tool asks for PagerDuty's address and key, give these:

  address (instead of https://events.pagerduty.com/v2/enqueue):
    {url}
  routing key, also called integration key:
    {key}

With curl:

  curl -X POST {url} -H 'Content-Type: application/json' -d '{
    "routing_key": "{key}", "event_action": "trigger", "dedup_key": "hello",
    "payload": {"summary": "Hello", "source": "my laptop", "severity": "warning"}}'

In alertmanager.yml (better: connect it as Prometheus Alertmanager, which tells every alert apart; through
PagerDuty's format it sends one per group):

  receivers:
    - name: watchbill
      pagerduty_configs:
        - url: {url}
          routing_key: {key}

Deployments and other changes go to the same address with /v2/change/enqueue at its end, with the same key: they page
nobody, and stand beside the alerts that follow them.

Send event_action "acknowledge" or "resolve" with the same dedup_key when somebody works on it, or when it is over.
"""

_STATES: dict[str, Literal["firing", "acknowledged", "resolved"]] = {
    "trigger": "firing",
    "acknowledge": "acknowledged",
    "resolve": "resolved",
}
_SEVERITIES = ("critical", "warning", "error", "info")
_LABELLED = ("component", "group", "class")


def check(payload: object) -> list[str]:
    """Give what is wrong with an event, in PagerDuty's words; an empty list if it can be accepted.

    For the `errors` of the body that goes with a 400. A trigger without `dedup_key` is right: the door gives it one.
    """
    if not isinstance(payload, dict):
        return ["The event is invalid (must be a JSON object)"]
    errors = _check_action(payload) + _check_dedup_key(payload)
    return errors + (_check_content(payload) if read_word(payload.get("event_action")) == "trigger" else [])


def _check_action(payload: Mapping[str, Any]) -> list[str]:
    if _is_blank(payload.get("event_action")):
        return ["'event_action' is missing or blank"]
    if read_word(payload["event_action"]) not in _STATES:
        return ["'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')"]
    return []


def _check_dedup_key(payload: Mapping[str, Any]) -> list[str]:
    key = payload.get("dedup_key")
    if _is_blank(key):
        needed = read_word(payload.get("event_action")) in ("acknowledge", "resolve")
        return ["'dedup_key' is missing or blank"] if needed else []
    if isinstance(key, bool) or not isinstance(key, str | int):
        return ["'dedup_key' is invalid (must be a string)"]
    # Not cut: two keys with the same first 255 characters are two alerts.
    return ["'dedup_key' is too long (maximum is 255 characters)"] if len(read_text(key)) > 255 else []


def _check_content(payload: Mapping[str, Any]) -> list[str]:
    content = payload.get("payload")
    if not isinstance(content, dict) or not content:
        return ["'payload' is missing or blank"]
    errors = [f"'payload.{name}' is missing or blank" for name in ("summary", "source") if _is_blank(content.get(name))]
    if _is_blank(content.get("severity")):
        return [*errors, "'payload.severity' is missing or blank"]
    if read_word(content["severity"]) not in _SEVERITIES:
        choice = "must be one of the following: 'critical', 'warning', 'error' or 'info'"
        return [*errors, f"'payload.severity' is invalid ({choice})"]
    return errors


def _is_blank(value: object) -> bool:
    return not read_line(value)


def parse(payload: object, settings: NoSettings) -> list[Signal]:
    """Read one event; raises Unreadable with what `check` says.

    A trigger without `dedup_key` (the door fills it in before it stores) is known by its content. What PagerDuty
    calls `group` is a label, not our group: PagerDuty itself opens one incident per `dedup_key`.
    """
    event = read_object(payload)
    errors = check(event)
    if errors:
        raise Unreadable("; ".join(errors), errors[0].split("'")[1])
    content = read_fields(event.get("payload"))
    key = read_key(event.get("dedup_key")) or digest_of(content)
    started = read_word(event["event_action"]) == "trigger"
    return [
        Signal(
            state=_STATES[read_word(event["event_action"])],
            fingerprint=key,
            title=read_line(content.get("summary")) or read_line(key),
            severity=read_word(content.get("severity")),
            source=read_line(content.get("source"), 255),
            description=_write_details(content.get("custom_details")),
            labels=_read_labels(event, content),
            links=_read_links(event),
            started_at=read_time(content.get("timestamp")) if started else None,
        )
    ]


def _read_labels(event: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, str]:
    """Give the named fields as labels, and those details that are one word or one number."""
    details = read_fields(content.get("custom_details"))
    short = {name: value for name, value in details.items() if _is_short(value)}
    named = {name: content[name] for name in _LABELLED if not _is_blank(content.get(name))}
    client = {} if _is_blank(event.get("client")) else {"client": event["client"]}
    return read_labels({**short, **client, **named})


def _is_short(value: object) -> bool:
    text = read_text(value)
    return isinstance(value, str | int | float) and 0 < len(text) <= 255 and "\n" not in text


def _write_details(details: object) -> str:
    if not isinstance(details, dict):
        return read_text(details)
    return "\n".join(f"{read_line(name)}: {read_text(value).strip()}" for name, value in details.items() if value != "")


def _read_links(event: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    links = [(link.get("text") or "Link", link.get("href")) for link in _objects_of(event.get("links"))]
    images = [
        (image.get("alt") or "Picture", image.get(address))
        for image in _objects_of(event.get("images"))
        for address in ("src", "href")
    ]
    return read_links([*links, *images, (event.get("client") or "Monitor", event.get("client_url"))])


def _objects_of(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


_KEY = "a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4"

EXAMPLES = (
    Example(
        title="Trigger with everything",
        payload={
            "routing_key": _KEY,
            "event_action": "trigger",
            "dedup_key": "srv01/disk",
            "payload": {
                "summary": "Disk at 99 % on srv01.example.org",
                "timestamp": "2026-11-20T08:42:58.315+0000",
                "severity": "critical",
                "source": "srv01.example.org",
                "component": "postgresql",
                "group": "prod-shop",
                "class": "disk",
                "custom_details": {
                    "free space": "1%",
                    "ping time": "1500ms",
                    "load avg": 0.75,
                    "tail": "line 1\nline 2",
                },
            },
            "client": "Example Monitoring",
            "client_url": "https://monitoring.example.org",
            "links": [{"href": "https://wiki.example.org/runbooks/disk", "text": "Runbook"}],
            "images": [
                {"src": "https://charts.example.org/disk.png", "href": "https://charts.example.org/", "alt": "Chart"}
            ],
        },
        gives=(("firing", "srv01/disk", "Disk at 99 % on srv01.example.org", "critical"),),
    ),
    Example(
        title="Trigger with the least there may be; the door has given it a key",
        payload={
            "routing_key": _KEY,
            "event_action": "trigger",
            "dedup_key": "5f0c6f0e9d9c4d6c8f9a0b1c2d3e4f50",
            "payload": {"summary": "Backup failed", "severity": "error", "source": "backup-1"},
        },
        gives=(("firing", "5f0c6f0e9d9c4d6c8f9a0b1c2d3e4f50", "Backup failed", "error"),),
    ),
    Example(
        title="Acknowledge",
        payload={"routing_key": _KEY, "event_action": "acknowledge", "dedup_key": "srv01/disk"},
        gives=(("acknowledged", "srv01/disk", "srv01/disk", ""),),
    ),
    Example(
        title="Resolve",
        payload={"routing_key": _KEY, "event_action": "resolve", "dedup_key": "srv01/disk"},
        gives=(("resolved", "srv01/disk", "srv01/disk", ""),),
    ),
    Example(
        title="Resolve as Alertmanager sends it, with its summary",
        payload={
            "routing_key": _KEY,
            "dedup_key": "0dca8454e52fc2e80d22c217839469320ad30923abb6236653f766efec9bfa53",
            "event_action": "resolve",
            "payload": {
                "summary": "[RESOLVED] DiskWillFill (db-1:9100 node critical)",
                "source": "Alertmanager",
                "severity": "error",
                "custom_details": {
                    "firing": "",
                    "num_firing": "0",
                    "num_resolved": "1",
                    "resolved": "Labels:\n - alertname = DiskWillFill\n - instance = db-1:9100\nAnnotations:\nSource: \n",
                },
            },
            "client": "Alertmanager",
            "client_url": "http://alertmanager.example.org/#/alerts?receiver=watchbill",
        },
        gives=(
            (
                "resolved",
                "0dca8454e52fc2e80d22c217839469320ad30923abb6236653f766efec9bfa53",
                "[RESOLVED] DiskWillFill (db-1:9100 node critical)",
                "error",
            ),
        ),
    ),
)
