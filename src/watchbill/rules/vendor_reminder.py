"""When the team asks a vendor again, of whom it waits for an answer (INT-12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "When do we ask a vendor again?"


class Settings(Chosen):
    """The wait runs in coverage hours, and begins anew whenever the vendor was heard."""

    remind_after_hours: int = Field(8, ge=0, le=2000, description="Working hours without a word; 0: never.")


def decide(own_hours: int | None, settings: Settings) -> timedelta | None:
    """Give the covered time until the reminder; `own_hours` is the case's own, None: the team's. None: never."""
    hours = settings.remind_after_hours if own_hours is None else own_hours
    return timedelta(hours=hours) if hours else None


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "after eight working hours without a word"),
    ({"remind_after_hours": 0}, "never: the team looks by itself"),
)
