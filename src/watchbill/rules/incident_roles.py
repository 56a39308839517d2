"""Who does what in an incident: the roles, who is asked for one and in which order, who breaks ties (ROL-01 to ROL-19).

Roles are data: a team names them, says their duties, and may have others. What Watchbill knows by key is `commander`
(who decides), `liaison` (who talks) and `technical_lead` (who leads the fix).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from watchbill.core.roles import Kind
from watchbill.rules import Chosen

TITLE = "Who does what in an incident?"

Designation = Literal["declarer", "offer", "team", "manager"]
Group = Literal["watch", "responding", "skill", "members"]
Breaker = Literal["product_manager", "manager"]
GROUPS: tuple[Group, ...] = ("watch", "responding", "skill", "members")
BREAKERS: tuple[Breaker, ...] = ("product_manager", "manager")


class Role(Chosen):
    """One role as the team has it."""

    title: str = Field(min_length=1, max_length=60, description="What it is called.")
    duties: list[str] = Field(default_factory=list, max_length=12, description="What one does, in the first person.")
    may_hold_with: list[str] = Field(
        default_factory=list, description="Roles that the same person may have besides; else one has one role."
    )
    is_single: bool = Field(default=True, description="Whether one person has it at a time.")
    is_needed: bool = Field(default=False, description="Whether an incident asks for it.")
    major_only: bool = Field(default=True, description="Whether only a major incident asks for it.")
    skill: str = Field("", max_length=40, description="The skill of those who are asked first.")


def _usual_roles() -> dict[str, Role]:
    return {
        "commander": Role(
            title="Incident commander",
            duties=[
                "I decide, and I say who does what.",
                "I see to it that notes are written and people are told.",
                "I keep people fresh, and hand on before I am tired.",
            ],
            is_needed=True,
        ),
        "technical_lead": Role(
            title="Technical lead",
            duties=["I lead the search and the fix.", "I say what we know, what we tried and what is next."],
        ),
        "liaison": Role(title="Liaison", duties=["I tell those who feel it what is happening, when I said I would."]),
        "scribe": Role(title="Scribe", duties=["I write down what happens, when it happens."]),
        "expert": Role(title="Expert", duties=["I help with what I know, and say when I am done."], is_single=False),
    }


class Settings(Chosen):
    """The roles, and how somebody comes to have one. Whoever is asked may say no, without a reason."""

    roles: dict[str, Role] = Field(default_factory=_usual_roles, description="The roles, in the order of the page.")
    commander_may_act: bool = Field(default=False, description="Whether the commander also works on the fix (C9).")
    liaison_is: Literal["commander", "watch", "nobody"] = Field(
        "commander", description="Who talks until somebody else does: the commander, others of the watch, nobody (C12)."
    )
    designation: Designation = Field(
        "offer",
        description=(
            "How a commander is found (C11): whoever declares, until somebody else agrees; Watchbill asks one after "
            "the other; the team chooses; the manager says who."
        ),
    )
    order: list[Group] = Field(
        default_factory=lambda: list(GROUPS),
        description="Who is asked first; among these, whoever was not asked for longest.",
    )
    offer_minutes: int = Field(5, ge=1, le=240, description="Minutes to answer; then the next one is asked.")
    tie_break: list[Breaker] = Field(
        default_factory=lambda: list(BREAKERS),
        description="Who says who it is when nobody is left: the first of these that the team has (ROL-10).",
    )
    tie_break_after: int = Field(
        0,
        ge=0,
        le=20,
        description="After so many offers that were not taken they are asked to; 0: when nobody is left.",
    )
    fresh_after_minutes: int = Field(
        240, ge=0, le=2880, description="Minutes in a role after which a fresh person is proposed (ROL-06); 0: never."
    )
    most_at_once: int = Field(
        2, ge=0, le=20, description="Incidents at once from which a fresh person is proposed (INC-18); 0: never."
    )
    releases_declarer: bool = Field(
        default=False,
        description="Whether whoever began is released, and the incident theirs no more, once another commands (ROL-13).",
    )
    introduce_commander: bool = Field(default=False, description="Whether requesters are told who commands (ROL-14).")

    @model_validator(mode="after")
    def _known(self) -> Settings:
        if "commander" not in self.roles:
            raise ValueError("one role is the commander: call it what you like")
        for key, role in self.roles.items():
            unknown = set(role.may_hold_with) - set(self.roles)
            if unknown:
                raise ValueError(f"{key} may be held with {', '.join(sorted(unknown))}, which is no role here")
        return self

    def kinds(self) -> dict[str, Kind]:
        """Give the roles as decisions want them; a commander who may not act does not lead the fix."""
        return {key: Kind(key, role.title, role.is_single, self._besides(key)) for key, role in self.roles.items()}

    def _besides(self, key: str) -> frozenset[str]:
        also = {other for other, role in self.roles.items() if key in role.may_hold_with}
        found = {*self.roles[key].may_hold_with, *also}
        fix = {"commander", "technical_lead"} & set(self.roles)
        if key in fix:
            found = found | fix if self.commander_may_act else found - fix
        return frozenset(found - {key})


def decide(settings: Settings, *, is_major: bool) -> list[str]:
    """Decide which roles an incident asks for, in their order."""
    return [key for key, role in settings.roles.items() if role.is_needed and (is_major or not role.major_only)]


def title_of(role: str, settings: Settings, labels: Mapping[str, str]) -> str:
    """Give a role's name in the team's words: its label, else the rule's title (C22)."""
    named = labels.get(role)
    if named:
        return str(named)
    return settings.roles[role].title if role in settings.roles else role.replace("_", " ")


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "Watchbill asks one after the other, five minutes each; the commander does not work the problem"),
    (
        {"designation": "declarer", "tie_break_after": 1, "releases_declarer": True},
        "the steward commands until another agrees",
    ),
    (
        {"designation": "team", "commander_may_act": True, "liaison_is": "watch"},
        "the team chooses a lead, who investigates",
    ),
)
