"""How much help a community gets in a month before others come first (TRI-14). Soft: nobody is ever sent away for it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from watchbill.rules import Chosen

TITLE = "How much help does a community get in a month?"

State = Literal["unused", "used", "spent"]


class Settings(Chosen):
    """A month of the team's calendar. What classes of request count is said by the classes; incidents do not."""

    minutes_per_month: int = Field(
        0, ge=0, le=100_000, description="Minutes for a community that has no number of its own; 0: no number."
    )
    little_percent: int = Field(
        25, ge=1, le=100, description="Up to this share of the month's minutes the budget counts as unused."
    )


class Decision(BaseModel):
    """Where a community's budget stands this month, and why in words; `allowed` None: no number was set."""

    state: State
    used: int
    allowed: int | None
    why: str


def decide(used_minutes: int, own_minutes: int | None, settings: Settings) -> Decision:
    """Decide where a budget stands; `own_minutes` is the community's own number, None: the team's."""
    allowed = own_minutes if own_minutes is not None else settings.minutes_per_month or None
    said = f"{used_minutes} minutes used this month"
    if allowed is None:
        return Decision(state="used" if used_minutes else "unused", used=used_minutes, allowed=None, why=said)
    why = f"{used_minutes} of {allowed} minutes used this month"
    if used_minutes >= allowed:
        return Decision(state="spent", used=used_minutes, allowed=allowed, why=why)
    little = used_minutes * 100 <= allowed * settings.little_percent
    return Decision(state="unused" if little else "used", used=used_minutes, allowed=allowed, why=why)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "no number: what a community used is shown, and never spent"),
    ({"minutes_per_month": 240}, "four hours for each community; up to one of them counts as little used"),
)
