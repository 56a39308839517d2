"""Who will be on watch soon and cannot be reached: told before it matters."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "How early do we check that people can be reached?"


class Settings(Chosen):
    """Looks ahead over the published shifts."""

    days: int = Field(
        7, ge=1, le=60, description="Days ahead in which each person on watch must have a verified address."
    )


def decide(verified_channels: list[str]) -> str:
    """Decide whether a person can be reached: an empty text if so, else what is missing."""
    return "" if verified_channels else "no verified contact address"


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (({"days": 7}, "a week ahead"),)
