"""How much of a sprint is promised to operations, and when an operations sprint is no longer kept (BKL-04, BKL-07)."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "How much time is for operations?"

State = Literal["kept", "overdue", "unmaintained"]


class Settings(Chosen):
    """The share of operations, and the upkeep of the operations sprint, which may be longer than the team's."""

    share_percent: int | None = Field(
        None, ge=0, le=100, description="Percent of a sprint promised to operations; a sprint may say otherwise."
    )
    keep_ops_sprint: bool = Field(default=True, description="Whether the team keeps an operations sprint of its own.")
    ops_sprint_days: int = Field(28, ge=1, le=366, description="Days that a new operations sprint lasts.")
    untouched_days: int = Field(
        7, ge=1, le=365, description="An operations sprint in which nothing moved for so many days is not maintained."
    )


def decide(ends_on: date, touched_on: date, today: date, settings: Settings) -> State:
    """Decide whether an open operations sprint is kept; `touched_on` is the day of the last change in it."""
    if today > ends_on:
        return "overdue"
    if (today - touched_on).days >= settings.untouched_days:
        return "unmaintained"
    return "kept"


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "nothing promised; an operations sprint of four weeks, looked after every week"),
    ({"share_percent": 20}, "a fifth of every sprint is for operations"),
    ({"keep_ops_sprint": False}, "operations work is planned in the team's own sprint"),
)
