"""What a monitor says, in our words: the one shape into which every monitoring tool's payload is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Signal:
    """One thing that one monitor said about one alert.

    `fingerprint` is the same string whenever the tool speaks of the same alert; `group` is what the tool
    itself would handle as one (empty: the fingerprint). `severity` is the tool's own word in lower case,
    empty when it gave none; a team's policy maps it. Times are aware, UTC.
    """

    state: Literal["firing", "acknowledged", "resolved"]
    fingerprint: str
    title: str
    group: str = ""
    severity: str = ""
    source: str = ""
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Change:
    """What somebody altered on purpose, as a tool reports it: a deployment, a configuration. `at` is aware, UTC."""

    title: str
    source: str = ""
    description: str = ""
    links: tuple[tuple[str, str], ...] = ()
    at: datetime | None = None
