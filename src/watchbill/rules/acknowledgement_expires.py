"""An acknowledgement is a promise with an end: when it passes and the alert still fires, the page asks again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "How long does an acknowledgement hold?"


class Settings(Chosen):
    """Zero means that it holds until the page is resolved."""

    minutes: int = Field(
        30, ge=0, le=7 * 24 * 60, description="Minutes until an acknowledged page asks again; 0: never."
    )


def decide(settings: Settings, now: datetime) -> datetime | None:
    """Decide when an acknowledgement given now runs out; None: it holds."""
    return now + timedelta(minutes=settings.minutes) if settings.minutes else None


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"minutes": 30}, "asks again after half an hour"),
    ({"minutes": 0}, "holds until resolved"),
)
