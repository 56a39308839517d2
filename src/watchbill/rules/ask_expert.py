"""Whom the team asks when somebody else should take work on, and who asks (TRI-11 to TRI-13, TRI-15)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from watchbill.core import experts
from watchbill.rules import Chosen

TITLE = "Whom do we ask to take something on?"


class Settings(Chosen):
    """The weights order the suggestions; 0 leaves a reason out."""

    who_asks: Literal["watch", "manager", "volunteers"] = Field(
        "watch",
        description="The one on watch asks somebody; the manager says who; or the team is told and somebody takes it.",
    )
    skill: int = Field(5, ge=0, le=20, description="Points for a skill that is asked for.")
    touched: int = Field(4, ge=0, le=20, description="Points for who touched the service last; half for earlier ones.")
    learning: int = Field(2, ge=0, le=20, description="Points for who wants to learn it (a skill “learning:dns”).")
    load: int = Field(1, ge=0, le=20, description="Points off for each open request and ticket.")
    asked: int = Field(2, ge=0, le=20, description="Points off for each time somebody was asked lately.")
    asked_days: int = Field(14, ge=1, le=365, description="How many days are lately.")
    touched_days: int = Field(180, ge=1, le=2000, description="How many days a touch of the service counts.")
    answer_within_minutes: int = Field(
        120, ge=0, le=10_000, description="Working minutes until whoever asked hears that nobody answered; 0: never."
    )

    def weights(self) -> experts.Weights:
        """Give the weights as the order wants them."""
        return experts.Weights(self.skill, self.touched, self.learning, self.load, self.asked)


def decide(
    candidates: Sequence[experts.Candidate], topics: Collection[str], settings: Settings, now: datetime
) -> list[experts.Ranked]:
    """Decide in which order people are suggested."""
    return experts.rank(candidates, topics, settings.weights(), now)


def patience(settings: Settings) -> timedelta | None:
    """Give the covered time that an answer may take; None: as long as it takes."""
    return timedelta(minutes=settings.answer_within_minutes) if settings.answer_within_minutes else None


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "the one on watch asks; who knows it comes first, who was asked lately comes later"),
    ({"who_asks": "manager"}, "the manager routes; what is complex waits for the standup"),
    ({"skill": 0, "learning": 8}, "whoever wants to learn it comes first"),
)
