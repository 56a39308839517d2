"""Drills: read a scenario, say what is due, and look back at what the process did (INC-21).

A scenario is a YAML file:

    title: The disk of the database is full
    impact: Nobody can save
    impact_kind: outage            # of the team's table; may be missing
    service: sign-in               # by its name for addresses; whose ladder is climbed; may be missing
    absent: [ben@example.org]      # they do not answer in this exercise, and are told so
    steps:
      - {after: 0m, page: Disk full on db1, severity: critical}
      - {after: 4m, request: I cannot save, from: Ria}
      - {after: 10m, vendor: Red Centric, says: We look at it tomorrow}
      - {after: 20m, say: The disk is free again}
    expect: {acknowledged: 5m, commander: 10m, update: 20m, resolved: 60m}
    ends_after: 90m

Times are scenario time; a clock that runs faster divides them. Pure; instants are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import yaml

from watchbill.core.reading import Fields
from watchbill.kit.errors import Refused

KINDS = ("page", "request", "vendor", "say")
MARKS = ("acknowledged", "commander", "update", "mitigated", "resolved")
MARK_WORDS = {
    "acknowledged": "somebody had it",
    "commander": "somebody led",
    "update": "users heard of it",
    "mitigated": "people no longer felt it",
    "resolved": "all was normal",
}
LONGEST_SCENARIO = 50_000
MOST_STEPS = 100
LONGEST = timedelta(hours=24)
FASTEST = 60.0
_LENGTH = re.compile(r"(\d{1,5})\s*([smh])")


@dataclass(frozen=True)
class Step:
    """One thing that comes: of which kind, when, in which words; `who` says it or has it happen."""

    kind: str
    after: timedelta
    text: str
    who: str = ""
    severity: str = ""


@dataclass(frozen=True)
class Scenario:
    """A whole scenario, its steps in order of time."""

    title: str
    impact: str
    impact_kind: str = ""
    service: str = ""
    absent: Sequence[str] = ()
    steps: Sequence[Step] = ()
    expect: Mapping[str, timedelta] = field(default_factory=dict)
    ends_after: timedelta = timedelta(hours=1)


def read_scenario(text: str) -> Scenario:
    """Read a scenario. Raises Refused naming the field that is wrong."""
    if len(text) > LONGEST_SCENARIO:
        raise Refused(f"at most {LONGEST_SCENARIO} characters", "scenario")
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise Refused(f"this is no YAML{where}", "scenario") from None
    fields = Fields(data, "scenario")
    steps = [_read_step(one) for one in fields.objects("steps")]
    if not 0 < len(steps) <= MOST_STEPS:
        raise fields.refuse("steps", f"must be 1 to {MOST_STEPS}")
    steps.sort(key=lambda step: step.after)
    ends = _length(fields.raw("ends_after", "60m"), "scenario.ends_after")
    if ends < steps[-1].after:
        raise fields.refuse("ends_after", "must not come before the last step")
    scenario = Scenario(
        title=fields.text("title"),
        impact=fields.text("impact"),
        impact_kind=fields.text_or_none("impact_kind") or "",
        service=fields.text_or_none("service") or "",
        absent=tuple(str(one).strip().lower() for one in fields.many("absent", ())),
        steps=tuple(steps),
        expect=_read_expected(fields),
        ends_after=ends,
    )
    fields.done()
    return scenario


def _read_step(fields: Fields) -> Step:
    kinds = [kind for kind in KINDS if kind in fields.data]
    if len(kinds) != 1:
        raise Refused(f"{fields.path} says one of {', '.join(KINDS)}", fields.path)
    kind = kinds[0]
    text = fields.text(kind)
    step = Step(
        kind=kind,
        after=_length(fields.raw("after"), fields.at("after")),
        text=fields.text("says") if kind == "vendor" else text,
        who=text if kind == "vendor" else (fields.text("from") if kind == "request" else ""),
        severity=(fields.text_or_none("severity") or "critical") if kind == "page" else "",
    )
    fields.done()
    return step


def _read_expected(fields: Fields) -> dict[str, timedelta]:
    said = fields.raw("expect", {})
    if not isinstance(said, Mapping):
        raise fields.refuse("expect", "must name marks with their times")
    unknown = [str(name) for name in said if name not in MARKS]
    if unknown:
        raise fields.refuse("expect", f"knows {', '.join(MARKS)}, not {', '.join(unknown)}")
    return {str(name): _length(value, fields.at(f"expect.{name}")) for name, value in said.items()}


def _length(value: object, where: str) -> timedelta:
    found = _LENGTH.fullmatch(str(value).strip())
    if found is None:
        raise Refused(f"{where} must be a time such as 30s, 5m or 2h", where)
    length = int(found[1]) * {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}[found[2]]
    if length > LONGEST:
        raise Refused(f"{where} must be at most 24h", where)
    return length


def check_speed(speed: float) -> float:
    """Raise Refused for a clock that cannot run so."""
    if not 1 <= speed <= FASTEST:
        raise Refused(f"the clock runs 1 to {FASTEST:g} times as fast", "speed")
    return speed


def due_at(after: timedelta, started_at: datetime, speed: float) -> datetime:
    """Give when a scenario time comes, by the clock on the wall."""
    return started_at + after / speed


def shorten(steps: Sequence[Mapping[str, object]], speed: float) -> list[dict[str, object]]:
    """Give a ladder's steps with waits that the drill's clock runs through as fast; none shorter than a minute."""
    return [{**step, "wait_minutes": max(1, round(float(str(step.get("wait_minutes", 5))) / speed))} for step in steps]


@dataclass(frozen=True)
class Mark:
    """What was looked for: when it came, in scenario time (None: it did not), and by when it was expected."""

    name: str
    words: str
    came: timedelta | None
    expected: timedelta | None

    @property
    def is_kept(self) -> bool | None:
        """Tell whether it came in time; None when nothing was expected."""
        if self.expected is None:
            return None
        return self.came is not None and self.came <= self.expected


def look_back(
    scenario: Scenario, started_at: datetime, speed: float, reached: Mapping[str, datetime | None]
) -> list[Mark]:
    """Compare what came, `reached` by the clock on the wall, with what was expected."""
    marks: list[Mark] = []
    for name in MARKS:
        at = reached.get(name)
        came = (at - started_at) * speed if at is not None else None
        marks.append(Mark(name, MARK_WORDS[name], came, scenario.expect.get(name)))
    return marks
