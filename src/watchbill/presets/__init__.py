"""Ways to work that a new team can start from: one YAML file per kind of team.

A preset is a starting point, nothing more: the team owns every setting from the first minute (GEN-01). To add one,
add `<name>.yaml` here with these fields, all of them:

    title         one line for the list of presets
    description   what kind of team it suits, and what it brings
    zone          IANA time zone, a suggestion that the team replaces by its own
    coverage      weekly windows in which the team promises response, or null for round the clock:
                  {weekdays: [monday, ...], start: "08:00", end: "18:00"}; times in quotes; 00:00 ends the day
    rotations     list of {name, unit, every, handoff_at, handoff_weekday, order, coverage, seats: [{name, skill,
                  offset, coverage}], follow_holidays, absent_keeps_turn, own_holidays}: the settings of
                  `core.rota.pattern.Rotation` without its members, its zone and its beginning; `follow_holidays`
                  says whether the team's public holidays close it
    ladder        {repeat, steps: [{targets: [seat:..., next:..., team, fallback], wait_minutes, when?:
                  {severities, weekdays, in_coverage}}]}, as `core.paging.read_ladder` reads it
    labels        the team's own word for a key of ours: {engineer: "Duty engineer"} (C22)
    rules         {rule: settings}, for rules of `watchbill.rules`; what is not said is the rule's default
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from watchbill.core.coverage import read_windows, show_windows
from watchbill.core.paging import read_ladder
from watchbill.core.reading import Fields
from watchbill.core.rota.plain import from_json, to_json
from watchbill.core.wallclock import check_zone
from watchbill.kit.errors import Refused

_SUFFIX = ".yaml"
# What a rotation needs and a preset does not say: the team brings it.
_BROUGHT_BY_THE_TEAM = {"starts_on": "2000-01-01", "members": []}
_NOT_OF_A_PRESET = ("zone", "starts_on", "members", "holidays", "seed")


@dataclass(frozen=True)
class Preset:
    """One way to work, as plain data in the shapes that a team's policy, rotations and ladder have."""

    name: str
    title: str
    description: str
    zone: str
    coverage: list[dict[str, Any]] | None
    rotations: tuple[dict[str, Any], ...]
    ladder: dict[str, Any]
    labels: dict[str, str]
    rules: dict[str, dict[str, Any]]


def all_presets() -> dict[str, Preset]:
    """Read every preset, by name, in alphabetical order."""
    return {name: load(name) for name in _names()}


def load(name: str) -> Preset:
    """Read one preset; the caller owns the copy. Raises Refused for a name that no preset has."""
    if name not in _names():
        raise Refused(f"there is no preset {name!r}; there are {', '.join(_names())}", "preset")
    return deepcopy(_read(name))


def read_preset(name: str, text: str) -> Preset:
    """Read a preset from the text of its file. Raises Refused naming the field that is wrong."""
    fields = Fields(yaml.safe_load(text), name)
    preset = Preset(
        name=name,
        title=fields.text("title"),
        description=" ".join(fields.text("description").split()),
        zone=check_zone(fields.text("zone"), fields.at("zone")),
        coverage=show_windows(read_windows(fields, "coverage")),
        rotations=tuple(_read_rotation(item) for item in fields.objects("rotations")),
        ladder=_read_ladder(fields.raw("ladder")),
        labels=dict(_mapping(fields, "labels")),
        rules=dict(_mapping(fields, "rules")),
    )
    fields.done()
    return preset


@cache
def _names() -> tuple[str, ...]:
    found = (file.name for file in files(__name__).iterdir() if file.name.endswith(_SUFFIX))
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found))


@cache
def _read(name: str) -> Preset:
    return read_preset(name, files(__name__).joinpath(name + _SUFFIX).read_text("utf-8"))


def _read_rotation(fields: Fields) -> dict[str, Any]:
    """Read a rotation by the reader of rotations, so that a preset cannot say what a rotation could not be."""
    name = fields.text("name")
    follow = fields.flag("follow_holidays", default=False)
    said = {key: value for key, value in fields.data.items() if key not in {"name", "follow_holidays"}}
    rotation = to_json(from_json({**_BROUGHT_BY_THE_TEAM, "zone": "UTC", **said}))
    settings = {key: value for key, value in rotation.items() if key not in _NOT_OF_A_PRESET}
    return {"name": name, "follow_holidays": follow, **settings}


def _read_ladder(data: Any) -> dict[str, Any]:
    ladder = Fields(data, "ladder")
    steps, repeat = [dict(step) for step in ladder.many("steps")], ladder.number("repeat", 1)
    ladder.done()
    read_ladder(steps, repeat)
    return {"repeat": repeat, "steps": steps}


def _mapping(fields: Fields, name: str) -> Mapping[str, Any]:
    return Fields(fields.raw(name), fields.at(name)).data
