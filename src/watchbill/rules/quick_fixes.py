"""A quick fix is half of the work: its lasting fix is the other, and what has none ages in the open (SPN-01 to SPN-04)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "What follows a quick fix?"


class Settings(Chosen):
    """What is asked when a quick fix is done, and when an unpaired one is told."""

    demand: Literal["pair_or_reason", "nothing"] = Field(
        "pair_or_reason", description="To be done, a quick fix needs its lasting fix, or a reason why there is none."
    )
    told_after_days: int = Field(
        14, ge=1, le=365, description="An unpaired quick fix is shown as old after so many days."
    )


def decide(settings: Settings, *, paired: bool, reason: str) -> bool:
    """Decide whether a quick fix may not be done yet."""
    return settings.demand == "pair_or_reason" and not paired and not reason.strip()


def is_old(done_at: datetime, settings: Settings, now: datetime) -> bool:
    """Decide whether an unpaired quick fix is shown as old."""
    return now - done_at >= timedelta(days=settings.told_after_days)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "done needs a lasting fix or a reason; an unpaired one is old after two weeks"),
    ({"demand": "nothing", "told_after_days": 30}, "nothing is asked; unpaired ones are told after a month"),
)
