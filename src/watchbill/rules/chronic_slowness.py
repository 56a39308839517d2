"""A service that warns again and again has a real issue: when its work is promoted (PRI-09)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "When is slowness chronic?"


class Settings(Chosen):
    """How many warnings of a service, within how many days; the order of work then knows the service as chronic."""

    warnings: int = Field(5, ge=1, le=1000, description="So many warnings of one service")
    days: int = Field(7, ge=1, le=365, description="within so many days make it chronic.")
    severities: list[str] = Field(
        default_factory=lambda: ["warning"], min_length=1, description="The severities that count as a warning."
    )


def since(settings: Settings, now: datetime) -> datetime:
    """Give the instant from which warnings count."""
    return now - timedelta(days=settings.days)


def decide(counted: int, settings: Settings) -> str:
    """Decide whether a service is chronic after `counted` warnings: why, or nothing."""
    if counted < settings.warnings:
        return ""
    return f"its service warned {settings.warnings} times or more within {settings.days} days"


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "five warnings within a week"),
    ({"warnings": 20, "days": 30, "severities": ["warning", "error"]}, "twenty warnings or errors within a month"),
)
