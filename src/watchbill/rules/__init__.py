"""One file per rule of the process: what a team may set, and the decision. Pure.

To add a rule, add one file here. It does nothing until a team's preset or policy names it. The file holds:

    TITLE      the question that the rule answers, as a person reads it
    Settings   pydantic model: what a team may set, each field with its description (it becomes the form)
    decide(...)  the decision; facts and settings are arguments, so is `now`
    EXAMPLES   tuple of (settings as JSON, sentence): valid settings and what they mean
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import BaseModel

from watchbill.kit.plugins import find_plugins


def all_rules() -> dict[str, ModuleType]:
    """Read every rule there is, by name."""
    return find_plugins("watchbill.rules")


def settings_for(policy: dict[str, Any], rule: ModuleType) -> BaseModel:
    """Read a rule's settings out of a policy; a policy that is silent gets the rule's defaults."""
    name = rule.__name__.rpartition(".")[2]
    settings: BaseModel = rule.Settings.model_validate(policy.get("rules", {}).get(name, {}))
    return settings
