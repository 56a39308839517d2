"""Which alerts are handled as one, and when one that keeps returning counts as flapping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "Which alerts are one?"


class Settings(Chosen):
    """Without labels, what the monitor itself groups stays together."""

    labels: list[str] = Field(
        default_factory=list, description="Labels whose values together make a group; empty: as the monitor groups."
    )
    flapping_minutes: int = Field(
        10,
        ge=0,
        le=24 * 60,
        description="An alert that returns within so many minutes joins the group it left; "
        "whoever had acknowledged it still has it, and nobody is paged anew.",
    )


def decide(monitor_group: str, fingerprint: str, labels: Mapping[str, str], settings: Settings) -> tuple[str, str]:
    """Decide the group of an alert: its key, and why in words."""
    if settings.labels:
        values = [[label, labels.get(label, "")] for label in settings.labels]
        return "labels:" + json.dumps(values), "grouped by " + ", ".join(settings.labels)
    if monitor_group:
        return "monitor:" + monitor_group, "grouped as the monitor groups"
    return "alert:" + fingerprint, "a group of its own"


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "as the monitor groups; back within ten minutes is flapping"),
    ({"labels": ["alertname", "cluster"]}, "all alerts of one name in one cluster are one"),
)
