"""The sentence that says why somebody, or nobody, has a shift."""

from __future__ import annotations

from collections.abc import Sequence

from watchbill.core.rota.away import Away
from watchbill.core.rota.line import JUST_SERVED, OTHER_SEAT, TWO_SEATS, Taken
from watchbill.core.rota.pattern import Member, Override, Rotation, Shift
from watchbill.kit.spans import Span

_NAMED_AT_MOST = 4
_NOBODY_ELSE = {
    JUST_SERVED: "twice in a row",
    OTHER_SEAT: "in another seat of the same shift too",
    TWO_SEATS: "in another seat at the same time",
}


def in_public(reason: str, kind: str) -> str:
    """Say a shift's reason without what people typed, for calendars that leave the house: why they are away is theirs.

    What was typed comes last in every clause that has it; so all that follows the first such place is left out.
    """
    said, colon, rest = reason.partition(": ")
    if not colon or said == "nobody" or (said.endswith(" stands in") and rest.startswith("nobody is there")):
        return reason
    return said if kind == "override" else f"{said}: absent"


class Words:
    """Reasons of one rotation, in its members' names."""

    def __init__(self, rotation: Rotation, away: Away) -> None:
        self._rotation = rotation
        self._away = away
        self._names = {member.person: member.name for member in rotation.members}

    def name(self, person: int) -> str:
        """Give a person's name; somebody outside the rotation is known by number."""
        return self._names.get(person, f"person {person}")

    def turn(self, taken: Taken, span: Span) -> str:
        """Say which turn of which cycle it is, whom it passed over, and what could not be avoided."""
        said = f"turn {taken.place} of {taken.size} in cycle {taken.cycle}"
        if taken.kept:
            said = f"turn kept from cycle {taken.cycle}"
        if taken.rank in _NOBODY_ELSE and taken.size > 1:
            said += f"; {_NOBODY_ELSE[taken.rank]}, because nobody else is free"
        fate = "keeps the turn" if self._rotation.absent_keeps_turn else "is passed over"
        for person in taken.passed[:_NAMED_AT_MOST]:
            said += f"; {self.name(person)} {fate}: {self._away.why(person, span)}"
        return said

    def cover(self, person: int, owner: int | None, piece: Span, *, doubled: bool) -> str:
        """Say for whom somebody covers a piece of a turn, and why."""
        if owner is None:
            said = f"{self.name(person)} stands in: nobody is there for most of this turn"
        else:
            said = f"{self.name(person)} covers for {self.name(owner)}: {self._away.why(owner, piece)}"
        return f"{said}; {_NOBODY_ELSE[TWO_SEATS]}, because nobody else is free" if doubled else said

    def nobody(self, skill: str | None, staff: Sequence[Member]) -> str:
        """Say why there is nobody."""
        if not staff:
            return f"nobody: no member has the skill {skill}" if skill else "nobody: the rotation has no members then"
        names = [member.name for member in staff]
        if len(names) > _NAMED_AT_MOST + 1:
            names = [*names[:_NAMED_AT_MOST], f"{len(names) - _NAMED_AT_MOST} others"]
        verb = "is" if len(names) == 1 else "are"
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        rest = f"no one else has the skill {skill}" if skill else "there is no one else"
        return f"nobody: {listed} {verb} absent and {rest}"

    def override(self, override: Override, planned: Shift | None) -> str:
        """Say for whom an override stands in, and why."""
        why = f": {override.why}" if override.why else ""
        if planned is None:
            return f"{override.name} serves outside coverage{why}"
        if planned.person is None:
            return f"{override.name} serves where there was nobody{why}"
        if planned.person == override.person:
            return f"{override.name} serves as planned{why}"
        return f"{override.name} covers for {self.name(planned.person)}{why}"
