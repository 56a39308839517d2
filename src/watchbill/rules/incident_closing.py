"""What must be done before an incident is closed; closing says what is missing, as a list of reasons."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from watchbill.core.incidents import Left
from watchbill.rules import Chosen

TITLE = "When is an incident closed?"

Need = Literal[
    "resolved", "milestones", "services", "silences", "tasks", "vendor_cases", "final_update", "steps", "postmortem"
]
NEEDS: tuple[Need, ...] = (
    "resolved",
    "milestones",
    "services",
    "silences",
    "tasks",
    "vendor_cases",
    "final_update",
    "postmortem",
)


class Settings(Chosen):
    """What closing demands, and when a resolved incident is asked about."""

    demands: list[Need] = Field(default_factory=lambda: list(NEEDS), description="What must be done before it closes.")
    ask_after_hours: int = Field(
        24, ge=0, le=2000, description="Hours after it was resolved in which the owner is asked to close it; 0: never."
    )


def decide(left: Left, settings: Settings) -> list[str]:
    """Decide what is missing before it can be closed; nothing: it can."""
    found: dict[str, str] = {
        "resolved": "" if left.state in {"resolved", "closed"} else f"it is {left.state}: resolve it first",
        "milestones": _list("when was it", left.milestones),
        "services": _list("not back to normal:", left.services),
        "silences": _list("return to baseline, remove the silence", left.silences),
        "tasks": _list("open tasks:", left.tasks),
        "vendor_cases": _list("open cases at vendors:", left.vendor_cases),
        "steps": _list("steps not done:", left.steps),
        "final_update": _list("not told that it is over:", left.untold),
        "postmortem": left.postmortem,
    }
    return [found[need] for need in settings.demands if found[need]]


def _list(words: str, names: list[str]) -> str:
    return f"{words} {', '.join(names)}" if names else ""


EXAMPLES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "resolved, told, back to normal, nothing open, and a post-mortem where one is due"),
    ({"demands": ["resolved"], "ask_after_hours": 0}, "resolved is enough"),
)
