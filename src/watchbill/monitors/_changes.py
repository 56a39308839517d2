"""PagerDuty's change events: what somebody altered on purpose, a deployment say. They page nobody.

Source: "Send a Change Event" in PagerDuty's developer documentation: `routing_key` and `payload.summary` are needed,
`payload.source`, `payload.timestamp`, `payload.custom_details` and `links` may be there; the answers are those of the
"Events API v2 Overview". Two things are ours: a summary of more than 1024 characters is cut instead of refused, and the
routing key is not looked at here, because the door has already done so.
"""

from __future__ import annotations

from watchbill.core.foreign import read_fields, read_line, read_links, read_text, read_time
from watchbill.core.signals import Change
from watchbill.kit.errors import Unreadable


def check_change(payload: object) -> list[str]:
    """Give what is wrong with a change event, in PagerDuty's words; an empty list if it can be accepted."""
    if not isinstance(payload, dict):
        return ["The event is invalid (must be a JSON object)"]
    content = payload.get("payload")
    if not isinstance(content, dict) or not content:
        return ["'payload' is missing or blank"]
    return [] if read_line(content.get("summary")) else ["'payload.summary' is missing or blank"]


def parse_change(payload: object) -> Change:
    """Read one change event; raises Unreadable with what `check_change` says."""
    errors = check_change(payload)
    if errors:
        raise Unreadable("; ".join(errors), errors[0].split("'")[1] if "'" in errors[0] else "")
    event = read_fields(payload)
    content = read_fields(event.get("payload"))
    links = event.get("links")
    found = [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []
    details = read_fields(content.get("custom_details")).items()
    lines = [f"{read_line(name)}: {read_text(value).strip()}" for name, value in details]
    return Change(
        title=read_line(content.get("summary")),
        source=read_line(content.get("source"), 255),
        description=read_text("\n".join(lines)),
        links=read_links((link.get("text") or "Link", link.get("href")) for link in found),
        at=read_time(content.get("timestamp")),
    )
