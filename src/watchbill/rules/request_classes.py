"""What people ask, in which classes, and what the team promises for each (TRI-07, INT-05, INT-09, C5)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from watchbill.core.clocks import Unit
from watchbill.rules import Chosen

TITLE = "What do people ask of us, and by when do we answer?"

Ball = Literal["us", "requester", "vendor"]


class Promise(Chosen):
    """A length of the team's own time: it runs in coverage hours and stands still while we wait for others."""

    amount: int = Field(ge=1, le=10_000, description="How many.")
    unit: Unit = Field("hours", description="Minutes, hours or working days of coverage.")

    def words(self) -> str:
        """Say it: 2 working hours, 1 working day."""
        unit = self.unit.removesuffix("s").replace("_", " ") + ("" if self.amount == 1 else "s")
        return f"{self.amount} {unit}" if self.unit == "working_days" else f"{self.amount} working {unit}"


class RequestClass(Chosen):
    """One class of request: its name for people, what they are told, and the promises."""

    title: str = Field(min_length=1, max_length=60, description="As people read it.")
    next_step: str = Field("", max_length=500, description="What happens next: the requester is told so.")
    first_response: Promise | None = Field(None, description="By when somebody answers; empty: no promise.")
    resolution: Promise | None = Field(None, description="By when it is resolved; empty: no promise.")
    counts_for_budget: bool = Field(
        default=True, description="Whether its time counts against a community's support budget."
    )
    at_discretion: bool = Field(
        default=False, description="Whether the watch may turn it away even when its level interrupts."
    )


class Settings(Chosen):
    """The team's classes, and the one a request has until somebody classes it."""

    classes: dict[str, RequestClass] = Field(
        default_factory=lambda: {
            "incident_report": RequestClass(
                title="Something is broken",
                next_step="Whoever is on watch looks at it first.",
                first_response=Promise(amount=2, unit="hours"),
                counts_for_budget=False,
            ),
            "change_request": RequestClass(
                title="Please change something",
                next_step="We read it, say whether we can do it, and plan it.",
                first_response=Promise(amount=1, unit="working_days"),
            ),
            "guidance_request": RequestClass(
                title="A question",
                next_step="Somebody of the team answers.",
                first_response=Promise(amount=1, unit="working_days"),
            ),
        },
        description="In the order in which the form shows them.",
    )
    unclassed: Promise | None = Field(
        default_factory=lambda: Promise(amount=1, unit="working_days"),
        description="The first response to a request that has no class yet.",
    )


class Decision(BaseModel):
    """The promises that hold for a request, and what its requester is told."""

    title: str
    next_step: str
    first_response: Promise | None
    resolution: Promise | None
    counts_for_budget: bool
    at_discretion: bool = False


def decide(request_class: str, settings: Settings) -> Decision:
    """Decide what holds for a request of this class; a class that the team no longer has counts as none."""
    chosen = settings.classes.get(request_class)
    if chosen is None:
        return Decision(
            title="Not classed yet",
            next_step="Somebody of the team reads it and says what happens next.",
            first_response=settings.unclassed,
            resolution=None,
            counts_for_budget=True,
        )
    return Decision(**chosen.model_dump())


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "three classes; something broken is answered within two working hours"),
    (
        {"classes": {"advice": {"title": "Advice", "first_response": {"amount": 2, "unit": "hours"}}}},
        "one class: advice, answered within two working hours",
    ),
)
