"""What is a task of the watch, what belongs in an epic, and what in the queue (DUT-16, BKL-06, C6)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from watchbill.rules import Chosen

TITLE = "What is a task of the watch?"


class Settings(Chosen):
    """A task of the watch is unexpected, comes before the sprint, and fits into one shift."""

    max_points: int = Field(3, ge=1, le=100, description="More points than this is too big for one shift.")
    interrupting_levels_only: bool = Field(
        default=True, description="Only work of a level that interrupts comes before the sprint."
    )
    assign_to: Literal["seat", "person"] = Field(
        "seat", description="Work of the watch belongs to the seat, and passes on at handoff, or to a person (C20)."
    )


class Decision(BaseModel):
    """Where it belongs, and why."""

    where: Literal["watch", "epic", "queue"]
    why: str


def decide(*, points: int | None, unplanned: bool, interrupts: bool, settings: Settings) -> Decision:
    """Decide where a ticket belongs. Without points it counts as small, until somebody knows better."""
    if points is not None and points > settings.max_points:
        return Decision(
            where="epic", why=f"{points} points: more than {settings.max_points} does not fit into one shift"
        )
    if not unplanned:
        return Decision(where="queue", why="it was expected: it is planned like other work")
    if settings.interrupting_levels_only and not interrupts:
        return Decision(where="queue", why="it is not urgent enough to come before the sprint")
    return Decision(where="watch", why="unexpected, urgent, and small enough for one shift")


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "at most 3 points, unexpected, and of a level that interrupts"),
    ({"max_points": 8, "interrupting_levels_only": False}, "whatever is unexpected and at most 8 points"),
    ({"assign_to": "person"}, "whoever begins it keeps it"),
)
