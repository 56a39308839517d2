"""A thing that stands twice, here and in an outside system: what is to be written there, what follows from a change there.

Both sides change; nobody's change may be lost, none may go round in a circle. So we keep what stood on both sides when
they were last in step (`Known`), and compare each side with that and never one side with the other: only what really
changed moves. Of two changes of the state the newest wins, by the other system's own clock.

Targets are our stages, and for what is done the outcome with it: to_do, in_progress, waiting, done, done:wont_do,
done:duplicate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from watchbill.core.tickets import KINDS, STAGES

TARGETS = (*STAGES, "done:wont_do", "done:duplicate")
NO_CONCERN = "ignore"
FOLLOWING = ("title", "labels", "assignee")


class Agreement(BaseModel):
    """How the words of one connection become ours and the other way; what the team does not say, the connector does."""

    model_config = ConfigDict(extra="forbid")

    door: Literal["nothing", "ticket", "request"] = Field(
        "nothing", title="An issue opened there becomes here", description="A request has a promise and an inbox."
    )
    opens_for: list[str] = Field(
        default_factory=list,
        title="Open an issue there for every new ticket of these kinds",
        description=f"Of {', '.join(KINDS)}.",
    )
    stages: dict[str, str] = Field(
        default_factory=dict,
        title="Their states",
        description=f"Their state = our stage: {', '.join(TARGETS)}; “{NO_CONCERN}” for one that changes nothing here.",
    )
    states: dict[str, str] = Field(
        default_factory=dict, title="Our stages", description="Our stage = the state that it becomes there."
    )
    kinds: dict[str, str] = Field(
        default_factory=dict, title="Their types", description="Their type = our kind; other types become tasks."
    )
    types: dict[str, str] = Field(
        default_factory=dict, title="Our kinds", description="Our kind = their type; other kinds get the usual type."
    )
    labels: dict[str, str] = Field(
        default_factory=dict,
        title="Labels with another name there",
        description="Their label = ours; others keep theirs.",
    )
    people: dict[str, str] = Field(
        default_factory=dict, title="People", description="Their user = the mail address of the account here."
    )

    @field_validator("stages")
    @classmethod
    def _check_stages(cls, value: dict[str, str]) -> dict[str, str]:
        return {state.lower(): _one_of(target, (*TARGETS, NO_CONCERN)) for state, target in value.items()}

    @field_validator("states")
    @classmethod
    def _check_states(cls, value: dict[str, str]) -> dict[str, str]:
        return {_one_of(target, TARGETS): state for target, state in value.items()}

    @field_validator("kinds")
    @classmethod
    def _check_kinds(cls, value: dict[str, str]) -> dict[str, str]:
        return {kind.lower(): _one_of(ours, KINDS) for kind, ours in value.items()}

    @field_validator("types")
    @classmethod
    def _check_types(cls, value: dict[str, str]) -> dict[str, str]:
        return {_one_of(ours, KINDS): kind for ours, kind in value.items()}

    @field_validator("opens_for")
    @classmethod
    def _check_opens_for(cls, value: list[str]) -> list[str]:
        return [_one_of(kind, KINDS) for kind in value]

    def target_of(self, state: str) -> str:
        """Give what a state of theirs means here; empty when nobody said."""
        return self.stages.get(state.lower(), "")

    def state_of(self, target: str) -> str:
        """Give their state for a target; an outcome nobody spoke of is like any other end."""
        return self.states.get(target) or self.states.get(target.partition(":")[0], "")

    def kind_of(self, theirs: str) -> str:
        """Give our kind for their type."""
        return self.kinds.get(theirs.lower(), "task")

    def labels_here(self, theirs: tuple[str, ...]) -> tuple[str, ...]:
        """Give their labels in our words, each once."""
        return tuple(dict.fromkeys("-".join(self.labels.get(label, label).split()) for label in theirs))

    def labels_there(self, ours: tuple[str, ...]) -> tuple[str, ...]:
        """Give our labels in their words."""
        names = {mine: theirs for theirs, mine in self.labels.items()}
        return tuple(dict.fromkeys(names.get(label, label) for label in ours))


def _one_of(word: str, known: tuple[str, ...]) -> str:
    if word not in known:
        raise ValueError(f"“{word}” is none of {', '.join(known)}")
    return word


def agree(own: Mapping[str, object], stages: Mapping[str, str], states: Mapping[str, str]) -> Agreement:
    """Give the team's own words over those that the connector knows by itself; raises pydantic.ValidationError.

    What the team said is stored: a part of it that is not known any more is passed over.
    """
    said = Agreement.model_validate(own, extra="ignore")
    return said.model_copy(update={"stages": {**stages, **said.stages}, "states": {**states, **said.states}})


@dataclass(frozen=True)
class Face:
    """One side as it stands. Here `state` is a target and the rest is in our words; there all of it is in theirs."""

    title: str = ""
    state: str = ""
    labels: tuple[str, ...] = ()
    assignee: str = ""


@dataclass(frozen=True)
class Known:
    """Both sides when they were last in step; `at` is their clock. Empty faces: they never were."""

    ours: Face = field(default_factory=Face)
    theirs: Face = field(default_factory=Face)
    at: datetime | None = None


def changed_parts(now: Face, before: Face) -> set[str]:
    """Name the parts that differ: title, state, labels (in any order), assignee."""
    parts = {name for name in ("title", "state", "assignee") if getattr(now, name) != getattr(before, name)}
    return parts | ({"labels"} if set(now.labels) != set(before.labels) else set())


@dataclass(frozen=True)
class Follow:
    """What follows from how an issue stands there.

    state   move (to `target`), same, unknown (no mapping knows the state), late (it is older than what we know)
    parts   of title, labels, assignee: what was changed there and is to be changed here
    """

    state: Literal["move", "same", "unknown", "late"]
    target: str = ""
    parts: frozenset[str] = frozenset()
    why: str = ""


def follow(theirs: Face, at: datetime | None, ours: Face, ours_at: datetime, known: Known, words: Agreement) -> Follow:
    """Decide what follows here from how an issue stands there since `at`, their clock; `ours_at` is our last move.

    Our own echo is what we know already, and a report older than that came late: neither does anything.
    """
    if at is not None and known.at is not None and at < known.at:
        return Follow("late", why="it is older than what is known")
    parts = frozenset(changed_parts(theirs, known.theirs) & set(FOLLOWING))
    if not theirs.state or theirs.state.casefold() == known.theirs.state.casefold():
        return Follow("same", parts=parts, why="its state is the one that is known")
    ours_moved = ours.state != known.ours.state
    if ours_moved and at is not None and at < ours_at:
        return Follow("same", parts=parts, why="ours was moved later and is on its way there")
    return _read_state(theirs.state, ours, parts, words)


def _read_state(state: str, ours: Face, parts: frozenset[str], words: Agreement) -> Follow:
    target = words.target_of(state)
    if not target:
        return Follow("unknown", parts=parts, why=f"no mapping knows their state “{state}”")
    if target == NO_CONCERN:
        return Follow("same", parts=parts, why=f"their state “{state}” changes nothing here")
    if words.state_of(ours.state).casefold() == state.casefold():
        return Follow("same", parts=parts, why=f"“{state}” is what {ours.state} is called there")
    return Follow("move", target, parts, f"“{state}” there is {target} here")


def split_target(target: str) -> tuple[str, str]:
    """Give the stage and the outcome of a target."""
    stage, _, outcome = target.partition(":")
    return stage, outcome or "done"


def join_target(stage: str, outcome: str) -> str:
    """Give the target of a stage and an outcome."""
    return f"{stage}:{outcome}" if stage == "done" and outcome not in {"", "done"} else stage
