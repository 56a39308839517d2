"""What happens when the whole ladder was climbed and nobody answered. Somebody is always told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from watchbill.kit.effects import Effect, Notify, Record, SetTimer
from watchbill.rules import Chosen

TITLE = "What if nobody answers?"


class Settings(Chosen):
    """The fallback person is always told; the ladder may start over after a while."""

    again_after_minutes: int = Field(
        30,
        ge=0,
        le=24 * 60,
        description="Start the ladder over after so many minutes; 0: tell the fallback person only.",
    )


def decide(settings: Settings, fallback: int | None, now: datetime) -> list[Effect]:
    """Decide whom to tell that the ladder is exhausted, and whether it starts over."""
    effects: list[Effect] = [Record("page.exhausted", "the whole ladder was climbed and nobody answered")]
    if fallback is not None:
        effects.append(
            Notify(fallback, "important", "nobody on the ladder answered; you are the team's fallback person")
        )
    if settings.again_after_minutes:
        effects.append(SetTimer("climb", now + timedelta(minutes=settings.again_after_minutes)))
    return effects


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"again_after_minutes": 30}, "the fallback person is told, the ladder starts over in half an hour"),
    ({"again_after_minutes": 0}, "the fallback person is told, once"),
)
