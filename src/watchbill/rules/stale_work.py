"""Work that lies in somebody's lane surfaces by itself (BKL-08)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "When is work stale?"


class Settings(Chosen):
    """Days without a change, by stage; what is done is never stale."""

    in_progress_days: int = Field(5, ge=1, le=365, description="In progress and untouched for so many days.")
    waiting_days: int = Field(14, ge=1, le=365, description="Waiting and untouched for so many days.")
    to_do_days: int = Field(60, ge=1, le=1000, description="Given to a person, not begun, for so many days.")


def decide(stage: str, settings: Settings, now: datetime) -> datetime | None:
    """Give the instant before which a last change makes a ticket in `stage` stale; None: it is never stale."""
    days = {"in_progress": settings.in_progress_days, "waiting": settings.waiting_days, "to_do": settings.to_do_days}
    return now - timedelta(days=days[stage]) if stage in days else None


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "five days in progress, two weeks waiting, two months not begun"),
    ({"in_progress_days": 2}, "two days in progress"),
)
