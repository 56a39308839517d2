"""How bad an incident is, and where it comes in the order of work: from its impact, by the team's table (PRI-07, PRI-08).

Severity is the size of the impact, priority the order; one follows from the other. Nobody debates them while it lasts:
who is unsure takes the higher one, and it may be changed at any time.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, model_validator

from watchbill.rules import Chosen

TITLE = "How bad is an incident?"


class Severity(Chosen):
    """One size of impact, with the impacts that have it and the priority that follows."""

    title: str = Field(min_length=1, max_length=60, description="As people read it.")
    meaning: str = Field("", max_length=300, description="What it means, for whoever has to choose.")
    impacts: list[str] = Field(default_factory=list, description="Keys of impacts that are of this size.")
    priority: str = Field(description="The priority that follows: a key of the list below.")


class Priority(Chosen):
    """One place in the order of work. A major one needs coordination and a post-mortem."""

    title: str = Field(min_length=1, max_length=60, description="As people read it.")
    is_major: bool = Field(default=False, description="Whether it is coordinated by a commander.")


class Settings(Chosen):
    """What people can feel, how bad each is, and what comes first. In order, worst first."""

    impacts: dict[str, str] = Field(
        default_factory=lambda: {
            "outage": "A service that users face is down",
            "blocked": "One or more teams cannot work",
            "security": "A major vulnerability",
            "degraded": "It works badly",
            "minor": "Few notice it",
        },
        description="What the declaring person chooses from: key = words.",
    )
    severities: dict[str, Severity] = Field(
        default_factory=lambda: {
            "sev1": Severity(title="Severity 1", impacts=["outage", "blocked", "security"], priority="p1"),
            "sev2": Severity(title="Severity 2", impacts=["degraded"], priority="p2"),
            "sev3": Severity(title="Severity 3", impacts=["minor"], priority="p3"),
        },
        description="Worst first.",
    )
    priorities: dict[str, Priority] = Field(
        default_factory=lambda: {
            "p1": Priority(title="P1", is_major=True),
            "p2": Priority(title="P2"),
            "p3": Priority(title="P3"),
        },
        description="First things first.",
    )
    unsure: str = Field("sev1", description="The severity while nobody knows: the higher one.")

    @model_validator(mode="after")
    def _keys_exist(self) -> Settings:
        if not self.severities or not self.priorities:
            raise ValueError("name at least one severity and one priority")
        missing = {one.priority for one in self.severities.values()} - set(self.priorities)
        if missing:
            raise ValueError(f"no such priority: {', '.join(sorted(missing))}")
        if self.unsure not in self.severities:
            raise ValueError(f"no such severity: {self.unsure}")
        unknown = {key for one in self.severities.values() for key in one.impacts} - set(self.impacts)
        if unknown:
            raise ValueError(f"no such impact: {', '.join(sorted(unknown))}")
        return self


class Decision(BaseModel):
    """The severity and the priority, by their keys, whether it is major, and why."""

    severity: str
    priority: str
    is_major: bool
    why: str


def decide(impact: str, settings: Settings, chosen: str = "", chosen_why: str = "") -> Decision:
    """Decide how bad it is; a severity that a person `chosen` wins over the table."""
    if chosen in settings.severities:
        return _of(chosen, chosen_why or "chosen by a person", settings)
    for key, severity in settings.severities.items():
        if impact and impact in severity.impacts:
            words = settings.impacts.get(impact, impact)
            return _of(key, f"{words[0].lower()}{words[1:]}", settings)
    return _of(settings.unsure, "who is unsure takes the higher one", settings)


def major(priority: str, settings: Settings) -> bool:
    """Tell whether an incident of this priority is coordinated by a commander."""
    held = settings.priorities.get(priority)
    return held is not None and held.is_major


def _of(severity: str, why: str, settings: Settings) -> Decision:
    priority = settings.severities[severity].priority
    return Decision(severity=severity, priority=priority, is_major=major(priority, settings), why=why)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "an outage, a blocked team and a vulnerability are severity 1 and major"),
    (
        {
            "impacts": {"outage": "A service is down", "other": "Something else"},
            "severities": {
                "high": {"title": "High", "impacts": ["outage"], "priority": "high"},
                "other": {"title": "Other", "impacts": ["other"], "priority": "other"},
            },
            "priorities": {"high": {"title": "High", "is_major": True}, "other": {"title": "Not high"}},
            "unsure": "high",
        },
        "two sizes: high or not",
    ),
)
