"""When the one who leaves a watch hands it on, how, and what a handoff must have (C19).

Wall-clock times are those of the rotation's zone. What is drafted when is counted from the end of the shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal

from pydantic import Field, field_validator

from watchbill.core.wallclock import DAY, day_of, start_instant
from watchbill.kit.spans import Span
from watchbill.rules import Chosen

TITLE = "How is a watch handed on?"

Mode = Literal["off", "meeting", "call", "notes"]


class Settings(Chosen):
    """How a watch is handed on; a team that says nothing drafts none by itself."""

    mode: Mode = Field(
        "off", description="In a meeting in front of the team, by call or chat, by notes alone; off: none by itself."
    )
    minutes_before: int = Field(60, ge=0, le=2880, description="Minutes before a shift ends at which it is drafted.")
    draft_at: str = Field("", max_length=5, description="Instead: the last such time before the end, as 09:30.")
    meet_at: str = Field("", max_length=5, description="It is handed on at the first such time, as 10:00; empty: at the end.")  # fmt: skip
    least_hours: int = Field(4, ge=0, le=720, description="Who stood for less has none, nights between included.")
    to: Literal["seat", "watch"] = Field(
        "seat", description="It goes to the next in the same seat, or to whoever stands any watch of the team then."
    )
    needs_summary: bool = Field(default=True, description="Whether the one who leaves says the most important in words.")  # fmt: skip
    ticket_notes: Literal["nothing", "say", "demand"] = Field(
        "say", description="What an open ticket without a note of the one who leaves means for handing on."
    )
    confirm_order: bool = Field(default=True, description="Whether the one who comes confirms what comes first.")
    witnesses_min: int = Field(0, ge=0, le=20, description="So many of the team witness it before it is accepted.")
    ask_after_minutes: int = Field(60, ge=5, le=10080, description="Minutes until one who has not accepted is asked.")
    lead_after_minutes: int = Field(240, ge=5, le=10080, description="Minutes after that until the owners hear.")
    planned_days: int = Field(7, ge=0, le=60, description="Planned work of so many days ahead is part of it.")
    log_name: str = Field("On-call log", min_length=1, max_length=40, description="What the team calls its log.")

    @field_validator("draft_at", "meet_at")
    @classmethod
    def _is_clock(cls, value: str) -> str:
        if value:
            try:
                time.fromisoformat(value)
            except ValueError:
                raise ValueError("write a time of day as 09:30") from None
        return value


@dataclass(frozen=True)
class Decision:
    """When a handoff is drafted, and when it is handed on."""

    draft_at: datetime
    due_at: datetime


def decide(run: Span, zone: str, settings: Settings) -> Decision | None:
    """Decide when the handoff at the end of a run of shifts is drafted and due; None: the team has none for it."""
    if settings.mode == "off" or run.end - run.start < timedelta(hours=settings.least_hours):
        return None
    draft = _last_before(run.end, settings.draft_at, zone) if settings.draft_at else None
    if draft is None:
        draft = run.end - timedelta(minutes=settings.minutes_before)
    return Decision(max(draft, run.start), due_of(run.end, zone, settings))


def due_of(end: datetime, zone: str, settings: Settings) -> datetime:
    """Give when a watch is handed on to whoever comes then: at the first meeting from then on, else at once."""
    if not settings.meet_at:
        return end
    day, at = day_of(end, zone), time.fromisoformat(settings.meet_at)
    meetings = (start_instant(day + number * DAY, at, zone) for number in range(3))
    return next((one for one in meetings if one >= end), end)


def _last_before(end: datetime, clock: str, zone: str) -> datetime | None:
    day, at = day_of(end, zone), time.fromisoformat(clock)
    times = (start_instant(day - number * DAY, at, zone) for number in range(3))
    return next((one for one in times if one < end), None)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "none is drafted by itself; anybody may begin one"),
    (
        {"mode": "meeting", "meet_at": "10:00", "witnesses_min": 1},
        "drafted an hour before, handed on at the first standup, in front of at least one of the team",
    ),
    (
        {"mode": "call", "minutes_before": 30, "needs_summary": False},
        "a call or a message, and a mark that it was done",
    ),
    (
        {"mode": "notes", "to": "watch", "minutes_before": 30, "confirm_order": False},
        "notes to whoever stands the next watch, in the morning and in the evening",
    ),
)
