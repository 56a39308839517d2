"""How long quick help may last before it becomes a ticket, and before somebody else is asked (TRI-01 to TRI-09, C6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, Field

from watchbill.rules import Chosen

TITLE = "How long is quick help?"


class Settings(Chosen):
    """Both counts are of time really spent, as the running clock shows it."""

    ticket_after_minutes: int = Field(15, ge=0, le=480, description="Over it, a ticket is proposed; 0: never.")
    escalate_after_minutes: int = Field(30, ge=0, le=480, description="Over it, the team is asked for help; 0: never.")
    tell_product_manager: bool = Field(
        default=True, description="Tell the product manager when a ticket is made of it."
    )
    advice_needs_no_ticket: bool = Field(
        default=True, description="Advice under the box is only logged with its answer."
    )
    forgotten_after_minutes: int = Field(
        240, ge=0, le=1440, description="A clock that runs so long is asked about: it may be forgotten; 0: never."
    )


class Decision(BaseModel):
    """What the clock says: stay in the conversation, propose a ticket, or ask for help; and why."""

    do: Literal["answer_here", "propose_ticket", "escalate"]
    why: str


def decide(spent: timedelta, settings: Settings, *, has_ticket: bool, hopeless: bool = False) -> Decision:
    """Decide what follows from the time really spent on a request; `hopeless` is said by a person."""
    minutes = int(spent.total_seconds() // 60)
    box, limit = settings.ticket_after_minutes, settings.escalate_after_minutes
    if hopeless:
        return Decision(do="escalate", why="whoever has it sees no way to resolve it")
    if limit and minutes >= limit:
        return Decision(do="escalate", why=f"{minutes} minutes spent; the team asks for help after {limit}")
    if box and minutes >= box and not has_ticket:
        return Decision(do="propose_ticket", why=f"{minutes} minutes spent; longer than {box} becomes a ticket")
    return Decision(do="answer_here", why=f"{minutes} minutes spent: answer it in the conversation")


def next_look(spent: timedelta, settings: Settings) -> timedelta | None:
    """Give how much more time may be spent until the decision can change; None: it no longer does."""
    limits = (timedelta(minutes=m) for m in (settings.ticket_after_minutes, settings.escalate_after_minutes) if m)
    later = [limit - spent for limit in limits if limit > spent]
    return min(later, default=None)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "over a quarter of an hour it becomes a ticket, over half an hour others are asked"),
    ({"ticket_after_minutes": 30, "tell_product_manager": False}, "half an hour, and nobody else is told"),
)
