"""How planned work is told: who hears of it, how long before, and when they are reminded (operate-first's notices)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "How is planned work told?"


class Settings(Chosen):
    """Who hears of planned work that interrupts, and when."""

    audiences: list[Literal["team", "communities", "leadership", "public"]] = Field(
        default_factory=lambda: ["team", "communities"],  # type: ignore[arg-type]
        description="Who hears unless somebody says otherwise.",
    )
    notice_hours: int = Field(
        48, ge=0, le=2000, description="So long before it starts people should know; less is shown as short notice."
    )
    remind_before_hours: int = Field(
        24, ge=0, le=2000, description="So long before it starts everybody is reminded; 0: never."
    )


def decide(starts_at: datetime, now: datetime, settings: Settings) -> datetime | None:
    """Decide when those who know are reminded; None: never, or it is too late for that."""
    at = starts_at - timedelta(hours=settings.remind_before_hours)
    return at if settings.remind_before_hours and at > now else None


def short_notice(starts_at: datetime, now: datetime, settings: Settings) -> str:
    """Say when people would hear of it later than the team wants; nothing: in time."""
    if starts_at - now >= timedelta(hours=settings.notice_hours):
        return ""
    return f"this is short notice: people should know {settings.notice_hours} hours before"


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "the team and the communities know two days before, and are reminded one day before"),
    ({"audiences": ["team", "public"], "remind_before_hours": 0}, "told once, to the team and on the public page"),
)
