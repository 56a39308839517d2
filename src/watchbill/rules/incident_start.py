"""What the first responder does first: a checklist that is a state (INC-04, INC-05, INC-10, INC-12, INC-14)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from watchbill.rules import Chosen

TITLE = "What comes first in an incident?"


class Step(Chosen):
    """One step of the protocol."""

    text: str = Field(min_length=1, max_length=200, description="What is done, as one does it.")
    is_required: bool = Field(default=True, description="Whether the incident has begun only when it is done.")
    major_only: bool = Field(default=False, description="Whether only a major incident asks for it.")


class Settings(Chosen):
    """The steps, in their order: bridge, post, then debug. What Watchbill does itself it ticks itself.

    Keys that it ticks: declared, acknowledged, call, posted, commander, requesters.
    """

    steps: dict[str, Step] = Field(
        default_factory=lambda: {
            "declared": Step(text="Declare it: there is one record"),
            "call": Step(text="Open the call", is_required=False, major_only=True),
            "posted": Step(text="Post it in the team's channel, with a link and your name"),
            "acknowledged": Step(text="Say that you have it"),
            "commander": Step(text="Somebody leads: pick one after ten minutes without", major_only=True),
            "requesters": Step(text="Tell those who feel it"),
            "debug": Step(text="Only now: look for the cause", is_required=False),
        },
        description="In order.",
    )
    call_url: str = Field(
        "",
        max_length=400,
        pattern=r"^$|^https://",
        description="Where all who respond meet: a room that is always there, or one for each with {incident} or {word}"
        " in its address (https://meet.example.org/incident-{incident}-{word}); {word} cannot be guessed. A team that is"
        " connected with Zoom or Meet has a room made there, and comes here when none is opened.",
    )
    call_major_only: bool = Field(default=False, description="Whether only a major incident has a call.")
    lead_after_minutes: int = Field(
        10, ge=0, le=240, description="Without a commander for so long, everybody is asked to pick one; 0: never."
    )
    gather_every_minutes: int = Field(
        0, ge=0, le=1440, description="Gather so often to ask whether more people are needed (INC-19); 0: never."
    )


def decide(settings: Settings, *, is_major: bool) -> dict[str, Step]:
    """Decide which steps an incident has, in their order."""
    return {key: step for key, step in settings.steps.items() if is_major or not step.major_only}


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "call, post, acknowledge, lead, tell, and only then debug; somebody leads after ten minutes"),
    ({"gather_every_minutes": 60}, "everybody gathers every hour"),
)
