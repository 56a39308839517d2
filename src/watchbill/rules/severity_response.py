"""What a severity asks of the team: page at once, page in coverage hours, list as due, or only record (PRI-04, C7)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, Field

from watchbill.rules import Chosen

TITLE = "What does each severity ask of us?"

Respond = Literal["page_now", "page_in_coverage", "list_due", "record"]


class Response(Chosen):
    """The answer to one severity."""

    respond: Respond = Field("page_now", description="Page now, page in coverage hours, list as due, or only record.")
    urgency: Literal["important", "default"] = Field("important", description="Which personal rules a page uses.")
    within_hours: int = Field(48, ge=1, le=24 * 90, description="For a listed alert: hours until it is due.")


class Settings(Chosen):
    """The team's severities, most severe first, and the words that monitors use for them."""

    severities: dict[str, Response] = Field(
        default_factory=lambda: {
            "critical": Response(respond="page_now", urgency="important"),
            "error": Response(respond="page_in_coverage", urgency="important"),
            "warning": Response(respond="list_due", urgency="default", within_hours=48),
            "info": Response(respond="record", urgency="default"),
        },
        description="In order, most severe first.",
    )
    words: dict[str, str] = Field(
        default_factory=lambda: {
            "page": "critical",
            "fatal": "critical",
            "emergency": "critical",
            "high": "critical",
            "major": "error",
            "minor": "warning",
            "warn": "warning",
            "low": "warning",
            "notice": "info",
            "none": "info",
        },
        description="A monitor's word for a severity of ours.",
    )
    unknown: str = Field("critical", description="The severity of an alert that names none, or one we do not know.")


class Decision(BaseModel):
    """The severity in the team's word, the response to it, and why."""

    severity: str
    respond: Respond
    urgency: Literal["important", "default"]
    due_at: datetime | None
    why: str


def decide(word: str, settings: Settings, now: datetime) -> Decision:
    """Decide what an alert that calls itself `word` asks of the team. An unknown word counts as `unknown`, never as nothing."""
    severity = word if word in settings.severities else settings.words.get(word, "")
    why = f"{severity} by the team's policy" if severity == word else f"“{word}” counts as {severity}"
    if severity not in settings.severities:
        severity = settings.unknown if settings.unknown in settings.severities else next(iter(settings.severities))
        why = (
            f"“{word}” is no severity of this team: it counts as {severity}"
            if word
            else f"no severity given: it counts as {severity}"
        )
    response = settings.severities[severity]
    due_at = now + timedelta(hours=response.within_hours) if response.respond == "list_due" else None
    return Decision(severity=severity, respond=response.respond, urgency=response.urgency, due_at=due_at, why=why)


def rank(severity: str, settings: Settings) -> int:
    """Give the place of a severity in the team's order; 0 is the most severe, an unknown one is last."""
    names = list(settings.severities)
    return names.index(severity) if severity in names else len(names)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "critical pages at once, error pages in coverage hours, warning is due in two days, info is only recorded"),
    ({"severities": {"sev1": {"respond": "page_now"}}, "unknown": "sev1"}, "whatever comes, it pages"),
)
