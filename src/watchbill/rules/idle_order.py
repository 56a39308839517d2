"""What somebody on watch does while nothing burns: the sources of work, in the team's order (DUT-11 to DUT-14, C17)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from pydantic import Field, field_validator

from watchbill.rules import Chosen

TITLE = "What do I do now?"

Source = Literal[
    "mine", "sprint", "backlog", "console", "epic", "alarm", "finding", "runbook", "stale", "feature", "own"
]
SOURCES: tuple[Source, ...] = (
    "mine", "sprint", "console", "backlog", "epic", "alarm", "finding", "runbook", "stale", "own",
)  # fmt: skip


class Settings(Chosen):
    """Where work comes from, first things first; what is not named is not offered."""

    sources: list[Source] = Field(
        default_factory=lambda: list(SOURCES),
        min_length=1,
        description="In order: mine (yours or your seat's), sprint (of the running ops sprint), backlog (of operations), "
        "console (a look at the consoles, once a day), epic (one to split), alarm (one that fires often), finding (of "
        "compliance), runbook (a service that was mended and has none), stale (work that lies), "
        "feature (of the team's sprint), own (an investigation of your own).",
    )
    most_each: int = Field(3, ge=1, le=20, description="At most so many of each source.")
    alarm_times: int = Field(5, ge=2, le=1000, description="An alarm that fired so many times is worth a look,")
    alarm_days: int = Field(30, ge=1, le=365, description="within so many days.")
    finding_labels: list[str] = Field(
        default_factory=lambda: ["compliance", "security"], description="Labels of a compliance finding (PAG-07)."
    )

    @field_validator("sources")
    @classmethod
    def _each_once(cls, sources: list[Source]) -> list[Source]:
        return list(dict.fromkeys(sources))


def decide(settings: Settings, found: Collection[str]) -> list[Source]:
    """Decide the order in which sources are offered, of those in which something was `found`; one's own is always open."""
    return [source for source in settings.sources if source in found or source == "own"]


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    (
        {},
        "mine, the ops sprint, the consoles, the backlog, an epic, an alarm, a finding, a runbook, what lies, one's own",
    ),
    ({"sources": ["mine", "epic", "own"], "most_each": 1}, "one of mine, one epic to split, or something of one's own"),
    ({"sources": ["mine", "backlog", "feature"]}, "feature work too, once operations are done"),
)
