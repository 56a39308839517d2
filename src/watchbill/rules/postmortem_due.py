"""Which incidents get a post-mortem, by when, who talks about it, in which sections, and where it goes (C15, C16).

What is due is counted from when the incident was resolved; working days are days on which the team's coverage opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, model_validator

from watchbill.core.clocks import Length
from watchbill.rules import Chosen

TITLE = "Which incidents get a post-mortem, and what becomes of it?"

Unit = Literal["hours", "days", "working_days"]
Target = Literal["page", "git", "confluence", "chat"]
Guest = Literal[
    "owner", "commander", "technical_lead", "liaison", "scribe", "responders", "declarer", "team", "manager",
    "managers_manager", "product_manager", "fallback",
]  # fmt: skip
Writer = Literal["commander", "technical_lead", "liaison", "scribe", "owner", "declarer", "fallback"]
Reviewer = Literal["nobody", "second_person", "owner", "manager"]

_INVITED: list[Guest] = ["owner", "commander", "responders"]
_WRITERS: list[Writer] = ["commander", "owner", "declarer", "fallback"]
_PLACES: list[Target] = ["chat"]


class Term(Chosen):
    """A length of time after the incident was resolved."""

    amount: int = Field(ge=1, le=365, description="How many.")
    unit: Unit = Field("working_days", description="Hours and days run through nights; working days by the coverage.")


class Ask(Chosen):
    """What the team asks for after an incident of one priority."""

    required: bool = Field(default=True, description="Whether there is to be a post-mortem.")
    due: Term | None = Field(Term(amount=5), description="By when it is written and talked about.")
    publish: Term | None = Field(None, description="By when it is published; nothing: whenever it is ready.")
    meeting: Literal["none", "short", "group"] = Field("group", description="A short meeting, or a group session.")
    minutes: int = Field(30, ge=5, le=480, description="How long the meeting is.")
    invite: list[Guest] = Field(default_factory=lambda: list(_INVITED), description="Who must be at the meeting.")
    welcome: list[Guest] = Field(default_factory=list, description="Who may come.")


class Section(Chosen):
    """One part of the document."""

    heading: str = Field(min_length=1, max_length=120, description="As people read it.")
    hint: str = Field("", max_length=500, description="What belongs there.")
    is_needed: bool = Field(default=False, description="Whether it must be written before a review.")


class Actions(Chosen):
    """What happens to what the team decides to change."""

    level: str = Field("", max_length=40, description="The level of the team's order that actions have; empty: none.")
    due_days: int = Field(28, ge=0, le=365, description="Days until an action is due when nobody says; 0: no date.")
    chase_days: int = Field(7, ge=0, le=365, description="Days between reminders of an open action; 0: none.")
    manager_after_days: int = Field(14, ge=0, le=365, description="Days overdue until the manager hears; 0: never.")
    needs_owner: bool = Field(default=True, description="Whether each needs an owner and a date before a review ends.")
    smallest_in_sprint: bool = Field(
        default=False, description="Whether the smallest one that mitigates must be in a sprint before a review ends."
    )


def _sections() -> dict[str, Section]:
    return {
        "summary": Section(heading="Summary", hint="Two sentences for somebody who was not there.", is_needed=True),
        "impact": Section(heading="Impact", hint="What people felt, how many, for how long."),
        "what_happened": Section(heading="What happened", hint="Walk the timeline: what led to what."),
        "factors": Section(
            heading="Contributing factors", hint="There is never one cause. What made it possible, worse, longer?"
        ),
        "resolution": Section(heading="Resolution", hint="What ended it."),
        "went_wrong": Section(heading="What went wrong", hint="Tools, documents, knowledge, process; not people."),
        "went_well": Section(heading="What went well", hint="Keep it."),
        "lucky": Section(heading="Where we were lucky", hint="What could have made it worse and did not."),
        "avoid": Section(heading="How will we avoid it", hint="Each answer becomes an action below.", is_needed=True),
    }


class Settings(Chosen):
    """Which priorities get one, the shape of the document, and where it goes."""

    asks: dict[str, Ask] = Field(
        default_factory=lambda: {"major": Ask(), "other": Ask(required=False, due=None)},
        description="By a key of the team's priorities, else `major`, else `other`.",
    )
    false_alarm: bool = Field(default=False, description="Whether what proved to be no incident still gets one.")
    name: str = Field("Post-mortem", min_length=1, max_length=40, description="What the team calls it.")
    writer: list[Writer] = Field(
        default_factory=lambda: list(_WRITERS),
        description="Who owns it: the first of these that somebody held.",
    )
    sections: dict[str, Section] = Field(default_factory=_sections, description="The parts of the document, in order.")
    impact: dict[str, str] = Field(
        default_factory=lambda: {"people": "People affected", "requests": "Requests from users"},
        description="Numbers that are asked for beside those that Watchbill counts itself.",
    )
    reviewer: Reviewer = Field("second_person", description="Who reviews it.")
    publish_drafts: bool = Field(default=False, description="Whether it may be published before it is reviewed.")
    publish_to: list[Target] = Field(default_factory=lambda: list(_PLACES), description="Where it goes.")
    approve: Reviewer = Field("nobody", description="Who says that it may go out; nobody: any member may.")
    style: Literal["markdown", "myst"] = Field("markdown", description="The shape of the file in a repository.")
    path: str = Field(
        "postmortems/{date}-{slug}.md", max_length=200, description="Its place in the repository; {date}, {slug}, {id}."
    )
    remind_hours: int = Field(24, ge=0, le=720, description="Hours before it is due in which the owner hears.")
    manager_after_days: int = Field(1, ge=0, le=90, description="Days after it was due until the manager hears.")
    before_closing: Literal["nothing", "begun", "reviewed", "published"] = Field(
        "begun", description="How far it must be before the incident may be closed."
    )
    also_in: str = Field("", max_length=120, description="A regular meeting in which it is talked about as well.")
    actions: Actions = Field(default_factory=Actions, description="What happens to the actions.")

    @model_validator(mode="after")
    def _is_whole(self) -> Settings:
        if not self.sections:
            raise ValueError("name at least one section")
        if "other" not in self.asks:
            raise ValueError("say what is asked for `other` priorities")
        try:
            self.path.format(date="2026-01-01", slug="a", id=1)
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"the path knows {{date}}, {{slug}} and {{id}}: {error}") from None
        if self.path.startswith("/") or ".." in self.path:
            raise ValueError("the path lies inside the repository")
        return self


@dataclass(frozen=True)
class Decision:
    """Whether there is to be one and why, and what is asked for."""

    required: bool
    why: str
    ask: Ask

    @property
    def due(self) -> Length | None:
        """Give by when it is due, as a length."""
        return _length(self.ask.due)

    @property
    def publish(self) -> Length | None:
        """Give by when it is to be published, as a length."""
        return _length(self.ask.publish)


def _length(term: Term | None) -> Length | None:
    return Length(term.amount, term.unit) if term else None


def decide(priority: str, outcome: str, settings: Settings, *, is_major: bool) -> Decision:
    """Decide whether an incident of this priority gets a post-mortem. `outcome` is "" or why it ended early."""
    key = priority if priority in settings.asks else "major" if is_major and "major" in settings.asks else "other"
    ask = settings.asks[key]
    named = f"the team asks for one after {'a major incident' if key == 'major' else f'priority {priority}'}"
    if outcome == "merged":
        return Decision(required=False, why="it is part of another incident", ask=ask)
    if outcome == "not_an_incident":
        why = "the team learns from a false alarm too" if settings.false_alarm else "it was no incident"
        return Decision(required=settings.false_alarm, why=why, ask=ask)
    if not ask.required:
        return Decision(required=False, why=f"the team asks for none after priority {priority or 'unknown'}", ask=ask)
    return Decision(
        required=True, why="the team asks for one after every incident" if _for_all(settings) else named, ask=ask
    )


def _for_all(settings: Settings) -> bool:
    return all(ask.required for ask in settings.asks.values())


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "a major incident gets a group session within five working days; the rest only if somebody wants one"),
    (
        {
            "asks": {"other": {"meeting": "short", "minutes": 15, "invite": ["responders", "manager"]}},
            "publish_to": ["chat"],
            "also_in": "the weekly meeting of all teams",
        },
        "every incident: fifteen minutes with the manager and those who responded, then the weekly meeting",
    ),
    (
        {
            "asks": {
                "p1": {"due": {"amount": 3, "unit": "days"}, "publish": {"amount": 7}},
                "other": {"required": False},
            },
            "reviewer": "second_person",
            "publish_drafts": True,
            "actions": {"smallest_in_sprint": True},
        },
        "P1 within three days, published within seven working days, also as a draft",
    ),
)
