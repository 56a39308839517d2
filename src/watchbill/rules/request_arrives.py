"""Who hears of a new request, and what happens while nobody has taken it (INT-08)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "Who hears of a new request?"


class Settings(Chosen):
    """Nobody on watch (outside coverage, say) means that the reminder is the first to speak."""

    tell: Literal["watch", "team", "nobody"] = Field(
        "watch", description="Who is told at once: the watch, the whole team, or nobody."
    )
    page_interrupting: bool = Field(default=True, description="Page the watch when its level interrupts.")
    remind_after_minutes: int = Field(
        60, ge=0, le=10_000, description="Working minutes without an assignee until the watch is reminded; 0: never."
    )
    then_fallback: bool = Field(default=True, description="After a second wait as long, the fallback person is told.")


def decide(reminders: int, settings: Settings) -> timedelta | None:
    """Give the covered time until the next reminder of an unassigned request; None: there is none."""
    if not settings.remind_after_minutes or reminders > int(settings.then_fallback):
        return None
    return timedelta(minutes=settings.remind_after_minutes)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "the watch is told, reminded after a working hour, then the fallback person hears of it"),
    ({"tell": "nobody", "remind_after_minutes": 0}, "nobody is told: the team looks at its inbox"),
)
