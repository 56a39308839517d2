"""Whose turn it is: the line in which people wait, and the cycles in which it is renewed.

The rule that loses nobody's turn. Each cycle puts every member into the line once, in the rotation's order. A
seat takes the first in line who can serve; whoever cannot (absent, on another seat, served just now) stays where
they are and serves as soon as they can. When nobody suitable is left the next cycle begins, and who still
waits stays in front of it, with ONE kept turn: months of leave are not paid back in a row. A rotation whose
`absent_keeps_turn` is off drops the turn of an absent member instead. Joining in mid-cycle is joining at the
end of the line; leaving is leaving it.

Nobody serves twice in a row while somebody else can; so the seam between two shuffled cycles is safe too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from watchbill.core.rota.pattern import LineProgress, Member, Progress, Rotation, Waiting

IDEAL, JUST_SERVED, OTHER_SEAT, TWO_SEATS = range(4)
Rank = Callable[[int], int | None]


@dataclass(frozen=True)
class Taken:
    """A turn that was taken from the line: `place` of `size` in `cycle`, and who was passed over for absence."""

    person: int
    cycle: int
    place: int
    size: int
    kept: bool
    rank: int
    passed: tuple[int, ...]


@dataclass
class Line:
    """The turns that wait for some seats of a rotation."""

    rotation: Rotation
    seats: tuple[str, ...]
    cycle: int = 0
    order: list[int] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    previous: dict[str, int] = field(default_factory=dict)
    seat_turns: dict[str, dict[int, int]] = field(default_factory=dict)

    @classmethod
    def resume(cls, rotation: Rotation, seats: tuple[str, ...], found: LineProgress | None) -> Line:
        """Continue a line where a checkpoint left it; a line that it does not know begins anew."""
        if found is None:
            return cls(rotation, seats)
        turns = {seat: dict(counts) for seat, counts in found.seat_turns.items()}
        return cls(rotation, seats, found.cycle, list(found.order), list(found.waiting), dict(found.previous), turns)

    def freeze(self) -> LineProgress:
        """Give the line as a part of a checkpoint."""
        turns = {seat: dict(counts) for seat, counts in self.seat_turns.items()}
        return LineProgress(self.seats, self.cycle, tuple(self.order), tuple(self.waiting), dict(self.previous), turns)

    def take(self, staff: Sequence[Member], rank: Rank) -> Taken | None:
        """Take the turn of the first in line with the best rank; None when no one can serve (rank None)."""
        if not staff:
            return None
        self._keep_up(staff)
        best = self._best(rank)
        if (best is None or best[1] > IDEAL) and self._may_begin():
            self._begin(staff, rank)
            best = self._best(rank)
        return self._remove(*best, rank) if best else None

    def note(self, seat: str, person: int) -> None:
        """Remember who has the seat's newest turn."""
        self.previous[seat] = person
        counts = self.seat_turns.setdefault(seat, {})
        counts[person] = counts.get(person, 0) + 1

    def imbalance(self, seat: str, person: int) -> int:
        """Tell how much more than their share a person has had this seat among the seats of the line."""
        had = [self.seat_turns.get(name, {}).get(person, 0) for name in self.seats]
        return self.seat_turns.get(seat, {}).get(person, 0) * len(self.seats) - sum(had)

    def _keep_up(self, staff: Sequence[Member]) -> None:
        """Drop those who left; put those who joined at the end."""
        here = [member.person for member in staff]
        gone = {turn.person for turn in self.waiting}.difference(here)
        if gone:
            self.order = [person for person in self.order if person not in gone]
            self.waiting = [turn for turn in self.waiting if turn.person not in gone]
        if self.cycle:
            new = [person for person in here if person not in self.order]
            self.order += new
            self.waiting += [Waiting(person, self.cycle) for person in new]

    def _best(self, rank: Rank) -> tuple[int, int] | None:
        best: tuple[int, int] | None = None
        for place, turn in enumerate(self.waiting):
            found = rank(turn.person)
            if found is not None and (best is None or found < best[1]):
                best = place, found
                if found == IDEAL:
                    break
        return best

    def _may_begin(self) -> bool:
        """A cycle of which nobody has served yet holds everybody already: another would only count up."""
        newest = sum(turn.cycle == self.cycle for turn in self.waiting)
        return not self.waiting or newest < len(self.order)

    def _begin(self, staff: Sequence[Member], rank: Rank) -> None:
        self.cycle += 1
        kept: dict[int, Waiting] = {}
        for turn in self.waiting:
            kept.setdefault(turn.person, turn)
        self.order = self._ordered(staff, rank)
        self.waiting = [*kept.values(), *(Waiting(person, self.cycle) for person in self.order)]

    def _ordered(self, staff: Sequence[Member], rank: Rank) -> list[int]:
        match self.rotation.order:
            case "fixed":
                return [member.person for member in staff]
            case "alphabetical":
                return [m.person for m in sorted(staff, key=lambda m: (m.name.casefold(), m.person))]
            case _:
                return self._shuffled(staff, rank)

    def _shuffled(self, staff: Sequence[Member], rank: Rank) -> list[int]:
        """Shuffle by seed and cycle alone, so that who joins or leaves does not mix the others anew."""
        mixed = sorted((m.person for m in staff), key=lambda person: _lot(self.rotation.seed, self, person))
        first = [person for person in mixed if rank(person) == IDEAL][: len(self.seats)]
        return first + [person for person in mixed if person not in first]

    def _remove(self, place: int, found: int, rank: Rank) -> Taken:
        turn = self.waiting.pop(place)
        absent = [other for other in self.waiting[:place] if rank(other.person) is None]
        if not self.rotation.absent_keeps_turn:
            self.waiting = [other for other in self.waiting if other not in absent]
        left = sum(other.cycle == self.cycle for other in self.waiting)
        return Taken(
            turn.person,
            turn.cycle,
            len(self.order) - left,
            len(self.order),
            turn.cycle < self.cycle,
            found,
            tuple(dict.fromkeys(other.person for other in absent)),
        )


def put_first(progress: Progress, seat: str, person: int) -> Progress:
    """Let `person` be the next in the line of `seat`, once: how a team regenerates with a chosen next person."""
    return replace(progress, lines=tuple(_with_first(line, seat, person) for line in progress.lines))


def _with_first(line: LineProgress, seat: str, person: int) -> LineProgress:
    if seat not in line.seats:
        return line
    mine = [turn for turn in line.waiting if turn.person == person][:1] or [Waiting(person, line.cycle)]
    others = [turn for turn in line.waiting if turn is not mine[0]]
    order = line.order if person in line.order else (*line.order, person)
    return replace(line, waiting=(*mine, *others), order=order)


def _lot(seed: int, line: Line, person: int) -> bytes:
    return sha256(f"{seed} {line.seats[0]} {line.cycle} {person}".encode()).digest()
