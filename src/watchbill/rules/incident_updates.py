"""Who hears what of an incident, by which way, and how often (C10, C12, COM-01, COM-02, COM-03, COM-04, COM-07)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from watchbill.rules import Chosen

TITLE = "Who hears what of an incident, and how often?"

Who = Literal["responders", "communities", "leadership", "public"]
Way = Literal["people", "mail", "chat", "status_page"]
INSIDE = ("responders", "leadership")
# The step of the first responder's protocol that is done when an audience of this kind has heard.
STEP_OF = {"responders": "posted", "communities": "requesters", "leadership": "leadership", "public": "requesters"}
MOST = 7 * 24 * 60


class Part(Chosen):
    """One part of every update: what the reader finds there."""

    title: str = Field(min_length=1, max_length=80, description="The heading.")
    hint: str = Field("", max_length=300, description="What to write there.")


class Audience(Chosen):
    """People who hear of an incident in words of their own."""

    title: str = Field(min_length=1, max_length=60, description="As the team calls them.")
    who: Who = Field(description="responders, communities (with requesters of linked requests), leadership or public.")
    through: list[Way] = Field(
        description="people (by each one's own rules), mail, chat (the team's channel), status_page."
    )
    people: list[str] = Field(default_factory=list, description="Named people besides, by the mail of their account.")
    every_minutes: dict[str, int] = Field(
        default_factory=dict, description="Minutes from one update to the next, by priority; * for any other, 0: none."
    )
    first_minutes: int = Field(
        0, ge=0, le=MOST, description="Minutes after declaring by which they first hear; 0: as often as later."
    )
    from_start: bool = Field(default=False, description="Told by Watchbill itself when an incident is declared.")
    told_end: bool = Field(default=False, description="Told by Watchbill itself when all is normal again.")
    headings: dict[str, str] = Field(default_factory=dict, description="Other headings of parts, for these readers.")
    hints: dict[str, str] = Field(default_factory=dict, description="What to write in a part, for these readers.")

    @model_validator(mode="after")
    def _holds_together(self) -> Audience:
        if self.from_start and self.who not in INSIDE:
            raise ValueError("people outside first hear from a person: from_start is for responders and leadership")
        if self.told_end and self.who == "public":
            raise ValueError("what the public reads is written by a person: told_end is not for the public")
        if self.who != "public" and "status_page" in self.through:
            raise ValueError("the status page is for the audience public")
        if any(not 0 <= minutes <= MOST for minutes in self.every_minutes.values()):
            raise ValueError(f"a cadence is 0 to {MOST} minutes")
        return self


def _usual_parts() -> dict[str, Part]:
    return {
        "why": Part(title="What is happening, and why", hint="What people feel, since when, and what we know of why."),
        "doing": Part(title="What we are doing", hint="Now, in a sentence or two."),
        "next": Part(title="What we are going to do", hint="The next step, and what it depends on."),
    }


def _usual_audiences() -> dict[str, Audience]:
    return {
        "responders": Audience(
            title="Responders", who="responders", through=["people", "chat"], from_start=True, told_end=True
        ),
        "communities": Audience(
            title="Those who feel it",
            who="communities",
            through=["mail"],
            every_minutes={"p1": 60, "*": 240},
            first_minutes=15,
            hints={"why": "In their words: no names of machines or people."},
        ),
        "leadership": Audience(
            title="Leadership",
            who="leadership",
            through=["people"],
            every_minutes={"p1": 60},
            told_end=True,
            hints={"next": "What you need from them, if anything."},
        ),
        "public": Audience(
            title="The public",
            who="public",
            through=["status_page"],
            every_minutes={"p1": 20, "*": 60},
            first_minutes=5,
        ),
    }


class Settings(Chosen):
    """The parts of an update, its audiences, and who speaks."""

    parts: dict[str, Part] = Field(default_factory=_usual_parts, description="In order; each is asked for.")
    audiences: dict[str, Audience] = Field(default_factory=_usual_audiences, description="In order.")
    remind_before_minutes: int = Field(
        5, ge=0, le=240, description="So long before a promised update its speaker is reminded."
    )
    without_liaison: Literal["commander", "responders", "watch"] = Field(
        "commander", description="Who speaks while nobody is liaison: the commander, the other responders, the watch."
    )
    wider_after_minutes: int = Field(
        0, ge=0, le=MOST, description="Still felt after so long: the team and its product manager hear of it; 0: never."
    )

    @model_validator(mode="after")
    def _parts_exist(self) -> Settings:
        if not self.parts:
            raise ValueError("an update has at least one part")
        for name, audience in self.audiences.items():
            if (name == "public") != (audience.who == "public"):
                raise ValueError("the public has the key public, and nobody else has")
            unknown = ({*audience.headings} | {*audience.hints}) - {*self.parts}
            if unknown:
                raise ValueError(f"{name}: no such part: {', '.join(sorted(unknown))}")
        return self


@dataclass(frozen=True)
class Hearing:
    """One audience of one incident: how often it hears, when first, and whether words may leave to it at all."""

    key: str
    audience: Audience
    every: timedelta
    first: timedelta
    leaves: bool

    @property
    def is_outside(self) -> bool:
        """Whether people without an account hear it."""
        return self.audience.who not in INSIDE


def decide(priority: str, settings: Settings, *, is_private: bool = False, is_exercise: bool = False) -> list[Hearing]:
    """Decide who hears of an incident, in the team's order, and how often.

    Of a private one nobody outside. In an exercise what they would hear is written, and does not leave.
    """
    heard: list[Hearing] = []
    for key, audience in settings.audiences.items():
        outside = audience.who not in INSIDE
        if is_private and outside:
            continue
        minutes = audience.every_minutes.get(priority, audience.every_minutes.get("*", 0))
        first = audience.first_minutes or minutes
        leaves = not (is_exercise and outside)
        heard.append(Hearing(key, audience, timedelta(minutes=minutes), timedelta(minutes=first), leaves))
    return heard


def template_of(audience: Audience, settings: Settings) -> dict[str, str]:
    """Give the headings of the parts, as one audience reads them, in order."""
    return {key: audience.headings.get(key, part.title) for key, part in settings.parts.items()}


def hints_of(audience: Audience, settings: Settings) -> dict[str, str]:
    """Give what to write in each part for one audience."""
    return {key: audience.hints.get(key, part.hint) for key, part in settings.parts.items()}


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "three parts; those who feel it hear every hour of what comes first, the public every twenty minutes"),
    (
        {
            "audiences": {
                "users": {
                    "title": "Communities",
                    "who": "communities",
                    "through": ["mail"],
                    "every_minutes": {"*": 180},
                    "first_minutes": 30,
                }
            },
            "without_liaison": "commander",
            "wider_after_minutes": 30,
        },
        "communities hear every three hours, from the commander; after half an hour everybody of the team knows",
    ),
)
