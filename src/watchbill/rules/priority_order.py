"""The order of work: the team's own list, and what puts a request or a ticket where (PRI-01 to PRI-10, C7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, Field, model_validator

from watchbill.rules import Chosen

TITLE = "What comes first?"

# The facts that a team's table may ask for, with their values in words. What is not known is "".
FACTS = {
    "what": "request, ticket or alert",
    "class": "the class of a request",
    "kind": "the kind of a ticket",
    "work_kind": "feature or operations",
    "label": "one of the ticket's labels",
    "severity": "the severity of the alert behind it",
    "environment": "the service's environment, in lower case",
    "tier": "the service's tier, 1 to 4",
    "impact": "one, several, team, everyone or security",
    "missed": "yes when a promise was missed",
    "budget": "unused, used or spent: the community's support budget this month",
    "funded": "yes when the community pays for it",
    "reach": "one or many: the communities that it helps, its own and those of the work that is linked to it",
    "goal": "ours or upstream: whose goal it serves, by the labels below",
    "chronic": "yes when its service warned often lately",
}


class Level(Chosen):
    """One place in the order."""

    title: str = Field(min_length=1, max_length=60, description="As people read it.")
    interrupts: bool = Field(
        default=False, description="Whether it may interrupt planned work: it is told to the watch at once."
    )


class Line(Chosen):
    """When all of these facts hold, this level."""

    when: dict[str, list[str]] = Field(description="Fact = the values that match.")
    level: str = Field(description="A level of the list above.")

    @model_validator(mode="after")
    def _facts_are_known(self) -> Line:
        unknown = set(self.when) - set(FACTS)
        if unknown:
            raise ValueError(f"no such fact: {', '.join(sorted(unknown))}; there are {', '.join(FACTS)}")
        return self


class Settings(Chosen):
    """The levels, first things first, and the table: the first line that matches decides."""

    levels: dict[str, Level] = Field(
        default_factory=lambda: {
            "interruption": Level(title="Service interruption", interrupts=True),
            "security": Level(title="Security compliance", interrupts=True),
            "customer": Level(title="Customer-facing"),
            "backlog": Level(title="Operations backlog"),
        },
        description="In order, first things first.",
    )
    table: list[Line] = Field(
        default_factory=lambda: [
            Line(when={"missed": ["yes"]}, level="interruption"),
            Line(when={"impact": ["security"]}, level="security"),
            Line(when={"label": ["security", "compliance"]}, level="security"),
            Line(when={"class": ["incident_report"], "impact": ["several", "team", "everyone"]}, level="interruption"),
            Line(when={"what": ["request"]}, level="customer"),
        ],
        description="The first line whose facts all hold decides.",
    )
    otherwise: str = Field("backlog", description="The level of whatever no line matches.")
    goals: dict[str, list[str]] = Field(
        default_factory=lambda: {"ours": ["our-goals"], "upstream": ["upstream"]},
        description="Whose goal = the labels of a ticket that say so.",
    )

    @model_validator(mode="after")
    def _levels_exist(self) -> Settings:
        missing = {line.level for line in self.table} | {self.otherwise}
        missing -= set(self.levels)
        if missing:
            raise ValueError(f"no such level: {', '.join(sorted(missing))}")
        return self


class Decision(BaseModel):
    """The level, its place (0 comes first), and why in words."""

    level: str
    rank: int
    why: str


def decide(facts: Mapping[str, str | list[str]], settings: Settings) -> Decision:
    """Decide where a piece of work stands in the team's order."""
    for number, line in enumerate(settings.table, 1):
        if all(_holds(facts.get(fact, ""), values) for fact, values in line.when.items()):
            said = " and ".join(_phrase(fact, _said(facts.get(fact, ""), values)) for fact, values in line.when.items())
            return _at(line.level, f"{said} (line {number} of the team's table)", settings)
    return _at(settings.otherwise, "no line of the team's table matches", settings)


def goal_of(labels: Iterable[str], settings: Settings) -> str:
    """Tell whose goal a ticket serves by its labels, in any case; nothing: they do not say."""
    worn = {label.lower() for label in labels}
    return next((goal for goal, names in settings.goals.items() if worn & {name.lower() for name in names}), "")


def asks(fact: str, settings: Settings) -> bool:
    """Tell whether the table asks for a fact: one that costs a look is looked up only then."""
    return any(fact in line.when for line in settings.table)


def by_hand(level: str, why: str, settings: Settings) -> Decision:
    """Give the place that a person chose, with their reason (PRI-09)."""
    return _at(level, why, settings)


def rank(level: str, settings: Settings) -> int:
    """Give the place of a level; one that the team no longer has comes last."""
    names = list(settings.levels)
    return names.index(level) if level in names else len(names)


def _at(level: str, why: str, settings: Settings) -> Decision:
    return Decision(level=level, rank=rank(level, settings), why=why)


PHRASES = {
    ("missed", "yes"): "a promise was missed",
    ("chronic", "yes"): "its service warned often lately",
    ("funded", "yes"): "its community pays for it",
    ("budget", "unused"): "little of its community's budget is used",
    ("budget", "used"): "its community's budget is in use",
    ("budget", "spent"): "its community's budget is spent",
    ("reach", "many"): "it helps many communities",
    ("reach", "one"): "it helps one community",
    ("goal", "ours"): "it serves our goals",
    ("goal", "upstream"): "it serves upstream’s goals",
    ("what", "request"): "somebody asked for it",
    ("impact", "one"): "it holds up one person",
    ("impact", "several"): "it holds up several people",
    ("impact", "team"): "it holds up a team",
    ("impact", "everyone"): "it holds up everyone",
    ("impact", "security"): "security is at stake",
}


def _phrase(fact: str, value: str) -> str:
    """Say why in a sentence's words; what has none of its own is said plainly."""
    return PHRASES.get((fact, value)) or f"its {fact.replace('_', ' ')} is {value.replace('_', ' ')}"


def _holds(value: str | list[str], wanted: list[str]) -> bool:
    return value in wanted if isinstance(value, str) else bool(set(value) & set(wanted))


def _said(value: str | list[str], wanted: list[str]) -> str:
    return value if isinstance(value, str) else next(word for word in value if word in wanted)


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "service interruption, security compliance, customer-facing, operations backlog"),
    (
        {
            "levels": {"high": {"title": "High"}, "other": {"title": "Other"}},
            "table": [{"when": {"environment": ["prod"]}, "level": "high"}],
            "otherwise": "other",
        },
        "production comes first, the rest follows",
    ),
)
