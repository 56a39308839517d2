"""One file per rule of the process: what a team may set, and the decision. Pure.

To add a rule, add one file here. It does nothing until a team's preset or policy names it. The file holds:

    TITLE      the question that the rule answers, as a person reads it
    Settings   pydantic model (Chosen, and so are the models in it): what a team may set, each field with its description
               (it becomes the form)
    decide(...)  the decision; facts and settings are arguments, so is `now`
    EXAMPLES   tuple of (settings as JSON, sentence): valid settings and what they mean
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from watchbill.kit.plugins import find_plugins

POLICY_PARTS = ("coverage", "labels", "rules")


class Chosen(BaseModel):
    """What a team may set.

    Read from a stored version of a policy, a setting that no rule knows is passed over: an older or a newer program
    wrote it, and the watch goes on (docs/decisions/0021). What a person or a file says is judged with
    `extra="forbid"`, so that a misspelt setting is not lost.
    """

    model_config = ConfigDict(extra="ignore")


def all_rules() -> dict[str, ModuleType]:
    """Read every rule there is, by name."""
    return find_plugins("watchbill.rules")


def settings_for(policy: dict[str, Any], rule: ModuleType) -> BaseModel:
    """Read a rule's settings out of a policy; a policy that is silent gets the rule's defaults."""
    name = rule.__name__.rpartition(".")[2]
    settings: BaseModel = rule.Settings.model_validate(policy.get("rules", {}).get(name, {}))
    return settings


def unused_in(policy: dict[str, Any]) -> list[str]:
    """Name what a stored policy says and nothing here reads any more, such as rules.timebox.snacks."""
    found = [part for part in policy if part not in POLICY_PARTS]
    for name, values in (policy.get("rules") or {}).items():
        found += [".".join(("rules", name, *path)) for path in _unknown(all_rules().get(name), values)]
    return found


def _unknown(rule: ModuleType | None, values: Any) -> list[tuple[str, ...]]:
    if rule is None:
        return [()]
    try:
        rule.Settings.model_validate(values, extra="forbid")
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        return [tuple(map(str, one["loc"])) for one in problems if one["type"] == "extra_forbidden"]
    return []


def used_of(policy: dict[str, Any]) -> dict[str, Any]:
    """Give a stored policy without what nothing here reads any more: what the next version is made of."""
    known = all_rules()
    kept = {part: policy[part] for part in POLICY_PARTS if part in policy}
    written = {name: values for name, values in (policy.get("rules") or {}).items() if name in known}
    dirty = {path.split(".")[1] for path in unused_in({"rules": written})}
    clean = {name: settings_for(policy, known[name]).model_dump(mode="json") for name in written if name in dirty}
    return {**kept, "rules": {**written, **clean}} if "rules" in kept else kept
