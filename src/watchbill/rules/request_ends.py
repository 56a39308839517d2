"""How a request ends: confirmed, rated, reopened by a reply, closed after silence (MET-02)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "How does a request end?"


class Settings(Chosen):
    """The silence runs in coverage hours, so that a holiday closes nothing."""

    close_after_hours: int = Field(
        48, ge=0, le=2000, description="Working hours of silence until resolved is closed; 0: at once."
    )
    ask_satisfaction: bool = Field(default=True, description="Ask one question when it is resolved.")
    reopen_days: int = Field(
        30, ge=0, le=365, description="A reply reopens a closed request for so many days; later it is a new one."
    )


def decide(settings: Settings) -> timedelta:
    """Give the silence (covered time) after which a resolved request is closed."""
    return timedelta(hours=settings.close_after_hours)


def reopens(closed_at: datetime, settings: Settings, now: datetime) -> bool:
    """Decide whether a reply to a closed request reopens it; otherwise it is a new request that refers to it."""
    return now - closed_at <= timedelta(days=settings.reopen_days)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "closed after 48 working hours of silence; one question about it; a reply reopens it for 30 days"),
    ({"close_after_hours": 0, "ask_satisfaction": False}, "resolved is closed at once, nobody is asked"),
)
