"""The alert as Prometheus' family writes it: labels, annotations, a state, two times. Alertmanager and Grafana share it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from watchbill.core.foreign import read_fields, read_key, read_line, read_text, read_url
from watchbill.kit.errors import Unreadable

State = Literal["firing", "resolved"]

_LINK_NAMES = {"runbook_url": "Runbook", "runbook": "Runbook", "dashboard_url": "Dashboard", "dashboard": "Dashboard"}
_SHOWN_ELSEWHERE = {"summary", "message", "description"}
_FNV_START = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3


def read_state(alert: Mapping[str, Any], payload: Mapping[str, Any]) -> State:
    """Give the state of one alert; a word that nobody knows is taken as firing: waking in vain beats silence."""
    for status in (alert.get("status"), payload.get("status")):
        if status == "resolved":
            return "resolved"
        if status == "firing":
            return "firing"
    return "firing"


def read_fingerprint(alert: Mapping[str, Any], where: str) -> str:
    """Give the tool's own fingerprint, else the one it would have computed from the labels.

    The text of the alert never counts: a summary holds values that change while the alert stays the same,
    and two hosts may carry the same sentence. Raises Unreadable if there is neither.
    """
    given = alert.get("fingerprint")
    if isinstance(given, str) and given.strip():
        return read_key(given)
    labels = read_fields(alert.get("labels"))
    if not labels:
        raise Unreadable(f"{where} has neither a fingerprint nor labels: nothing says which alert it is", where)
    return hash_labels(labels)


def hash_labels(labels: Mapping[str, Any]) -> str:
    """Hash a label set as Prometheus does (FNV-1a 64 over name, 0xFF, value, 0xFF in order of the names)."""
    total = _FNV_START
    for name in sorted(labels):
        value = labels[name] if isinstance(labels[name], str) else read_text(labels[name])
        for byte in b"%b\xff%b\xff" % (name.encode("utf-8", "replace"), value.encode("utf-8", "replace")):
            total = ((total ^ byte) * _FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{total:016x}"


def read_title(labels: Mapping[str, Any], annotations: Mapping[str, Any]) -> str:
    """Give the sentence of the alert: its summary, else its message, else its name and where it is."""
    for name in ("summary", "message"):
        if title := read_line(annotations.get(name)):
            return title
    return read_name(labels)


def read_name(labels: Mapping[str, Any]) -> str:
    """Give the name of the alert, and of the instance if it has one."""
    name = read_line(labels.get("alertname")) or "Alert without a name"
    instance = read_line(labels.get("instance"))
    return f"{name} on {instance}" if instance else name


def read_source(labels: Mapping[str, Any]) -> str:
    """Give what the alert is about: the instance, else the nearest thing to it that has a name."""
    names = ("instance", "host", "node", "pod", "service", "job")
    return next((source for name in names if (source := read_line(labels.get(name)))), "")


def write_description(annotations: Mapping[str, Any], title: str, notes: tuple[str, ...] = ()) -> str:
    """Put together what is worth reading below the title: the description, other annotations, our notes."""
    leading = [read_text(annotations.get(name)).strip() for name in ("description", "message", "summary")]
    others = [
        f"{read_line(name)}: {read_text(text).strip()}"
        for name, text in sorted(annotations.items())
        if name not in _SHOWN_ELSEWHERE and not name.startswith("__") and text and not read_url(text)
    ]
    lines = [line for line in leading if line and line != title] + others + [note for note in notes if note]
    return "\n".join(dict.fromkeys(lines))


def link_annotations(annotations: Mapping[str, Any]) -> list[tuple[object, object]]:
    """Give every annotation that is an address as a link: the runbook, the dashboard, then the others."""
    first = [(title, annotations[name]) for name, title in _LINK_NAMES.items() if name in annotations]
    rest = [(_name_link(name), text) for name, text in sorted(annotations.items()) if name not in _LINK_NAMES]
    return [*first, *rest]


def _name_link(annotation: str) -> str:
    words = annotation.removesuffix("_url").removesuffix("_link").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
