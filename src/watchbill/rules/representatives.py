"""Who may ask for a community, and what happens when somebody else writes (INT-04)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from watchbill.rules import Chosen

TITLE = "Who may ask us?"


class Settings(Chosen):
    """Only requesters who belong to a community are asked for a representative's approval."""

    who: Literal["anyone", "representatives"] = Field("anyone", description="Anyone, or a community's representatives.")
    exempt_classes: list[str] = Field(
        default_factory=lambda: ["incident_report"], description="Classes that anyone may open."
    )


class Decision(BaseModel):
    """Whether the request counts at once or waits for a representative's word, and why."""

    approval: Literal["", "asked"]
    why: str


def decide(settings: Settings, *, is_representative: bool, in_community: bool, request_class: str) -> Decision:
    """Decide whether a representative of the requester's community must approve."""
    if settings.who == "anyone":
        return Decision(approval="", why="anyone may ask")
    if is_representative:
        return Decision(approval="", why="asked by a representative of the community")
    if request_class in settings.exempt_classes:
        return Decision(approval="", why="anyone may report this")
    if not in_community:
        return Decision(approval="asked", why="belongs to no community that we know: the team decides")
    return Decision(approval="asked", why="not a representative: one of them is asked to approve")


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "anyone may ask"),
    ({"who": "representatives"}, "only representatives; anyone may report that something is broken"),
)
