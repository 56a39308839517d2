"""Roles of an incident: offered, accepted, declined without a reason, lapsed, handed on (ROL-06 to ROL-13).

    offered ──► accepted ──► ended          a role that one person has at a time passes from one to the other at one
       ├──────► declined                    instant: when the receiver accepts, and never before (ROL-12)
       ├──────► lapsed (no answer in time)
       └──────► withdrawn (somebody else has it)

Decisions return steps: `Put` writes a new line, `Turn` changes one that stands, the others are effects. Lines are
never removed: who had what, and when, stands for ever. Instants are UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchbill.kit.effects import Effect, Notify, Record
from watchbill.kit.errors import Refused

OFFERED, ACCEPTED, DECLINED, LAPSED, WITHDRAWN, ENDED = (
    "offered",
    "accepted",
    "declined",
    "lapsed",
    "withdrawn",
    "ended",
)
OPEN = (OFFERED, ACCEPTED)


@dataclass(frozen=True)
class Kind:
    """A role as decisions want it: whether one person has it at a time, and which others they may have besides."""

    key: str
    title: str
    is_single: bool = True
    besides: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Line:
    """One line of the record: who was asked for a role, or has or had it. `by` asked; None: Watchbill did."""

    id: int
    role: str
    person: int
    name: str
    state: str
    offered_at: datetime
    by: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    takes_over_from: int | None = None


@dataclass(frozen=True)
class Put:
    """Write a new line; `since` is set when it is accepted at once."""

    role: str
    person: int
    state: str
    by: int | None = None
    answer_by: datetime | None = None
    since: datetime | None = None
    takes_over_from: int | None = None
    why: str = ""
    scope: str = ""


@dataclass(frozen=True)
class Turn:
    """Give a line that stands another state at `at`."""

    id: int
    state: str
    at: datetime


Step = Put | Turn | Effect


@dataclass(frozen=True)
class Someone:
    """A person as decisions want them."""

    id: int
    name: str


def holders(lines: Sequence[Line], role: str) -> list[Line]:
    """Give who has a role now."""
    return [line for line in lines if line.role == role and line.state == ACCEPTED]


def pending(lines: Sequence[Line], role: str) -> list[Line]:
    """Give who was asked for a role and has not answered."""
    return [line for line in lines if line.role == role and line.state == OFFERED]


def needed(asked_for: Sequence[str], lines: Sequence[Line]) -> list[str]:
    """Decide which roles an incident still asks for: those that nobody has."""
    return [role for role in asked_for if not holders(lines, role)]


def why_not(kind: Kind, person: int, lines: Sequence[Line], giving: Collection[str] = ()) -> str:
    """Say why somebody may not have a role besides what they have; nothing: they may. `giving` they give up."""
    for line in lines:
        if line.person != person or line.state != ACCEPTED or line.role in giving:
            continue
        if line.role == kind.key:
            return "has it already"
        if line.role not in kind.besides:
            return f"is {line.role.replace('_', ' ')}: hand that on first"
    return ""


def offer(
    kind: Kind,
    whom: Someone,
    by: Someone | None,
    lines: Sequence[Line],
    now: datetime,
    patience: timedelta,
    *,
    why: str = "",
    scope: str = "",
) -> list[Step]:
    """Decide that somebody is asked for a role; whoever has it keeps it until they accept. Raises Refused."""
    if any(line.person == whom.id for line in pending(lines, kind.key)):
        raise Refused(f"{whom.name} was asked and has not answered yet", "person")
    reason = why_not(kind, whom.id, lines)
    if reason:
        raise Refused(f"{whom.name} {reason}", "person")
    held = holders(lines, kind.key) if kind.is_single else []
    asker = by.name if by else "Watchbill"
    said = f"{asker} asked {whom.name} to be {kind.title}" + (f": {why}" if why else "")
    return [
        Put(
            kind.key,
            whom.id,
            OFFERED,
            by.id if by else None,
            answer_by=now + patience,
            takes_over_from=held[0].id if held else None,
            why=why,
            scope=scope,
        ),
        Record("incident.role_offered", said, {"role": kind.key, "person": whom.id}),
        Notify(whom.id, "important", "you were asked; no needs no reason"),
    ]


def accept(line: Line, kind: Kind, lines: Sequence[Line], now: datetime) -> list[Step]:
    """Decide that somebody has a role from now on; whoever had it is released at the same instant. Raises Refused."""
    _demand_offered(line, kind, lines)
    reason = why_not(kind, line.person, lines)
    if reason:
        raise Refused(f"{line.name} {reason}", "role")
    before = holders(lines, kind.key) if kind.is_single else []
    steps: list[Step] = [*_release(before, now), Turn(line.id, ACCEPTED, now)]
    steps.append(_taken(kind, Someone(line.person, line.name), before))
    steps += [Notify(one.person, "default", "you are released") for one in before]
    if kind.is_single:
        steps += _let_off([one for one in pending(lines, kind.key) if one.id != line.id], line.name, kind, now)
    if line.by is not None and line.by not in {line.person, *(one.person for one in before)}:
        steps += [Notify(line.by, "default", "you asked")]
    return steps


def take(kind: Kind, who: Someone, lines: Sequence[Line], now: datetime, why: str = "") -> list[Step]:
    """Decide that somebody takes a role themselves; from somebody else only with a reason. Raises Refused."""
    reason = why_not(kind, who.id, lines)
    if reason:
        raise Refused(f"{who.name} {reason}", "role")
    before = holders(lines, kind.key) if kind.is_single else []
    if before and not why.strip():
        names = ", ".join(one.name for one in before)
        raise Refused(f"{names} has it: ask them to hand it on, or say why you step in", "why")
    own = [one for one in pending(lines, kind.key) if one.person == who.id]
    steps: list[Step] = _release(before, now)
    if own:
        steps.append(Turn(own[0].id, ACCEPTED, now))
    else:
        steps.append(Put(kind.key, who.id, ACCEPTED, who.id, since=now, why=why.strip()))
    steps.append(_taken(kind, who, before, why))
    steps += [Notify(one.person, "default", "you are released") for one in before]
    if kind.is_single:
        others = [one for one in pending(lines, kind.key) if one.person != who.id]
        steps += _let_off(others, who.name, kind, now)
    return steps


def decline(line: Line, kind: Kind, lines: Sequence[Line], now: datetime) -> list[Step]:
    """Decide that somebody said no; no reason is asked, and none is kept (ROL-09, ROL-11). Raises Refused."""
    _demand_offered(line, kind, lines)
    said = f"{line.name}: not this time ({kind.title})"
    steps: list[Step] = [
        Turn(line.id, DECLINED, now),
        Record("incident.role_declined", said, {"role": line.role, "person": line.person}),
    ]
    return steps + _tell_asker(line)


def lapse(line: Line, kind: Kind, now: datetime) -> list[Step]:
    """Decide that nobody answered in time; nothing when they did."""
    if line.state != OFFERED:
        return []
    said = f"no answer from {line.name} in time ({kind.title})"
    steps: list[Step] = [
        Turn(line.id, LAPSED, now),
        Record("incident.role_lapsed", said, {"role": line.role, "person": line.person}),
    ]
    return steps + _tell_asker(line)


def withdraw(line: Line, kind: Kind, who: str, now: datetime) -> list[Step]:
    """Decide that an offer is taken back before its answer. Raises Refused."""
    if line.state != OFFERED:
        raise Refused("this was answered already")
    said = f"{who} took back the offer to {line.name} ({kind.title})"
    return [
        Turn(line.id, WITHDRAWN, now),
        Record("incident.role_withdrawn", said, {"role": line.role, "person": line.person}),
        Notify(line.person, "default", "you were asked and need not answer"),
    ]


def end(line: Line, kind: Kind, who: str, now: datetime) -> list[Step]:
    """Decide that somebody no longer has a role that needs nobody after them. Raises Refused."""
    if line.state != ACCEPTED:
        raise Refused(f"{line.name} does not have it")
    said = f"{line.name} is no longer {kind.title}" + (f": {who}" if who != line.name else "")
    return [Turn(line.id, ENDED, now), Record("incident.role_ended", said, {"role": line.role, "person": line.person})]


def end_all(lines: Sequence[Line], now: datetime) -> list[Step]:
    """Decide that an incident is over: every role ends, every offer is taken back."""
    states = {ACCEPTED: ENDED, OFFERED: WITHDRAWN}
    return [Turn(line.id, states[line.state], now) for line in lines if line.state in states]


def _demand_offered(line: Line, kind: Kind, lines: Sequence[Line]) -> None:
    if line.state == OFFERED:
        return
    names = ", ".join(one.name for one in holders(lines, kind.key))
    gone = "the time to answer is over" if line.state == LAPSED else "this was answered, or taken back"
    raise Refused(f"{gone}: {names} has it" if names else f"{gone}: take it yourself if you like")


def _release(before: Sequence[Line], now: datetime) -> list[Step]:
    return [Turn(one.id, ENDED, now) for one in before]


def _taken(kind: Kind, who: Someone, before: Sequence[Line], why: str = "") -> Record:
    names = ", ".join(one.name for one in before)
    said = f"{who.name} is {kind.title}" + (f" after {names}" if names else "")
    data = {"role": kind.key, "person": who.id, "before": [one.person for one in before]}
    return Record("incident.role_taken", said + (f": {why.strip()}" if why.strip() else ""), data)


def _let_off(others: Sequence[Line], taker: str, kind: Kind, now: datetime) -> list[Step]:
    steps: list[Step] = []
    for other in others:
        said = f"{taker} is {kind.title}: {other.name} need not answer"
        steps += [
            Turn(other.id, WITHDRAWN, now),
            Record("incident.role_withdrawn", said, {"role": kind.key, "person": other.person}),
            Notify(other.person, "default", "you were asked and need not answer"),
        ]
    return steps


def _tell_asker(line: Line) -> list[Step]:
    return [Notify(line.by, "important", "you asked")] if line.by is not None and line.by != line.person else []


@dataclass(frozen=True)
class Load:
    """How long somebody has had a role, and in how many incidents that are not over they have one."""

    since: datetime
    at_once: int = 1
    names: Mapping[str, str] = field(default_factory=dict)


def tired(load: Load, fresh_after: timedelta, most_at_once: int, now: datetime) -> list[str]:
    """Decide whether a fresh person is proposed, and say why (ROL-06, INC-18); a length of zero: never."""
    why = []
    if fresh_after and now - load.since >= fresh_after:
        why.append(f"{_hours(now - load.since)} in one role")
    if most_at_once and load.at_once >= most_at_once > 1:
        why.append(f"{load.at_once} incidents at once")
    return why


def _hours(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes % 60 else f"{minutes // 60} h"
