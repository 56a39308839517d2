"""Whom to ask for a role of an incident, and what follows when somebody does not take it (ROL-09 to ROL-11, INC-18)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from watchbill.core.roles import DECLINED, LAPSED, Line, holders, pending


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be asked: the groups they are in ("watch", "responding", "skill", "members").

    `last_asked` when they were last asked for this role in any incident; `at_once` in how many other incidents that
    are not over they have a role; `away` says in words why they are not at work, "" when they are.
    """

    id: int
    name: str
    groups: frozenset[str] = frozenset()
    last_asked: datetime | None = None
    at_once: int = 0
    away: str = ""


@dataclass(frozen=True)
class Ranked:
    """Somebody in the order, with the reasons."""

    id: int
    name: str
    reasons: tuple[str, ...]
    is_there: bool = True


WORDS = {"watch": "on watch", "responding": "responds already", "skill": "knows this", "members": "of the team"}


def rank(candidates: Sequence[Candidate], order: Sequence[str], most_at_once: int) -> list[Ranked]:
    """Decide in which order people are asked: by group, then whoever was not asked for longest, then by name.

    Who has their hands full comes after everybody who has not; who is away comes last. Who is in no group that the
    team asks is not in it.
    """
    asked = [one for one in candidates if one.groups & set(order)]
    asked.sort(key=lambda one: _place(one, order, most_at_once))
    return [Ranked(one.id, one.name, _reasons(one, order, most_at_once), not one.away) for one in asked]


def _place(one: Candidate, order: Sequence[str], most: int) -> tuple[bool, bool, int, float, str, int]:
    group = min(order.index(name) for name in one.groups if name in order)
    asked = one.last_asked.timestamp() if one.last_asked else 0.0
    return (bool(one.away), _is_full(one, most), group, asked, one.name.lower(), one.id)


def _is_full(one: Candidate, most: int) -> bool:
    return bool(most) and one.at_once >= most


def _reasons(one: Candidate, order: Sequence[str], most: int) -> tuple[str, ...]:
    found = [WORDS[name] for name in order if name in one.groups]
    found.append("was not asked before" if one.last_asked is None else f"last asked {one.last_asked:%d %b}")
    if _is_full(one, most):
        found.append(f"has a role in {one.at_once} other incidents")
    if one.away:
        found.append(one.away)
    return tuple(found)


@dataclass(frozen=True)
class Turned:
    """What follows when an offer was not taken: who is asked next, else whether somebody breaks the tie."""

    next: Ranked | None = None
    breaks_tie: bool = False


def after(role: str, lines: Sequence[Line], ranked: Sequence[Ranked], *, by_itself: bool, tie_after: int) -> Turned:
    """Decide what follows an offer that was not taken.

    `by_itself`: Watchbill asks the next one, whom nobody asked yet and who is there. A tie is broken when nobody is
    left to ask and nobody has the role, or after `tie_after` refusals since somebody last took it.
    """
    if pending(lines, role):
        return Turned()
    spent = _not_taken(role, lines)
    asked = {line.person for line in spent}
    held = holders(lines, role)
    left = [one for one in ranked if one.is_there and one.id not in asked and one.id not in {h.person for h in held}]
    enough = 0 < tie_after <= len(spent)
    if by_itself and not held and left and not enough:
        return Turned(next=left[0])
    return Turned(breaks_tie=enough or not held)


def _not_taken(role: str, lines: Sequence[Line]) -> list[Line]:
    """Give the refusals and silences since somebody last took the role."""
    taken = max((line.since for line in lines if line.role == role and line.since), default=None)
    return [
        line
        for line in lines
        if line.role == role and line.state in {DECLINED, LAPSED} and (taken is None or line.offered_at >= taken)
    ]
