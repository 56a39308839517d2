"""Who takes the turns that begin at one instant, when several seats are handed over together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from watchbill.core.rota.away import Away
from watchbill.core.rota.line import IDEAL, JUST_SERVED, OTHER_SEAT, Line, Taken
from watchbill.core.rota.pattern import Member
from watchbill.core.rota.seating import Seating, clash
from watchbill.core.rota.units import Stretch

Staff = Sequence[Member]


class Deal:
    """One instant's handoffs: for each stretch the line it takes from and the people who may take it."""

    def __init__(self, stretches: Sequence[Stretch], lines: Sequence[Line], away: Away, seating: Seating) -> None:
        self._stretches = stretches
        self._lines = lines
        self._away = away
        self._seating = seating
        self._chosen: dict[int, Stretch] = {}
        self._recent = {id(line): set(line.previous.values()) for line in lines}

    def take_all(self, staffs: Sequence[Staff], seats: Sequence[str]) -> list[Taken | None]:
        """Take a turn for each stretch, or None where no one can serve."""
        pools = self._pools(staffs)
        taken: list[Taken | None] = []
        for place, stretch in enumerate(self._stretches):
            found = self._take(stretch, self._lines[place], staffs[place], pools[place + 1 :])
            if found:
                self._chosen[found.person] = stretch
            taken.append(found)
        self._balance(taken, seats)
        return taken

    def _take(self, stretch: Stretch, line: Line, staff: Staff, later: Sequence[Collection[int]]) -> Taken | None:
        ranks: dict[int, int | None] = {}

        def rank(person: int) -> int | None:
            if person not in ranks:
                ranks[person] = self._rank(person, stretch, line, later)
            return ranks[person]

        return line.take(staff, rank)

    def _rank(self, person: int, stretch: Stretch, line: Line, later: Sequence[Collection[int]]) -> int | None:
        if not self._away.is_mostly_there(person, stretch.parts):
            return None
        conflict = self._seating.conflict(person, stretch.span, stretch.parts)
        if chosen := self._chosen.get(person):
            conflict = max(conflict, clash(stretch.span, stretch.parts, chosen.span, chosen.parts))
        if conflict:
            return conflict
        if later and self._is_needed(person, later):
            return OTHER_SEAT
        return JUST_SERVED if person in self._recent[id(line)] else IDEAL

    def _pools(self, staffs: Sequence[Staff]) -> list[Collection[int]]:
        """Who could take each stretch without having another seat; asked only when there are several.

        Twice as many people as seats and one more are plenty, whoever takes the other seats: no need to go on.
        """
        if len(staffs) == 1:
            return [()]
        plenty = 2 * len(staffs) + 1
        return [
            set(islice(self._free(staff, stretch), plenty))
            for staff, stretch in zip(staffs, self._stretches, strict=True)
        ]

    def _free(self, staff: Staff, stretch: Stretch) -> Iterator[int]:
        for member in staff:
            there = self._away.is_mostly_there(member.person, stretch.parts)
            if there and self._seating.conflict(member.person, stretch.span, stretch.parts) == IDEAL:
                yield member.person

    def _is_needed(self, person: int, later: Sequence[Collection[int]]) -> bool:
        """Tell whether a later seat would have to be a second one for somebody if `person` took this one."""
        pools = [set(pool).difference(self._chosen) for pool in later]
        if all(len(pool) > len(pools) for pool in pools):
            return False
        return _fillable(pools) > _fillable([pool - {person} for pool in pools])

    def _balance(self, taken: list[Taken | None], seats: Sequence[str]) -> None:
        """Share the seats of one line evenly: with four people and two seats nobody is secondary for ever."""
        for line in {id(line): line for line in self._lines}.values():
            same = [n for n, turn in enumerate(taken) if turn and self._lines[n] is line]
            if len(same) > 1 and len({self._stretches[n].span for n in same}) == 1:
                people = [turn for n in same if (turn := taken[n])]
                for n, turn in zip(same, _shared(line, [seats[n] for n in same], people), strict=True):
                    taken[n] = turn


def _shared(line: Line, seats: Sequence[str], people: Sequence[Taken]) -> Iterator[Taken]:
    """Give for each seat whoever had it least, compared with their other seats; first come when all is even."""
    left = list(people)
    for seat in seats:
        had = [line.imbalance(seat, turn.person) for turn in left]
        yield left.pop(had.index(min(had)))


def _fillable(pools: Sequence[Collection[int]]) -> int:
    """Count how many pools can be given a person of their own (augmenting paths)."""
    holder: dict[int, int] = {}

    def seat(pool: int, seen: set[int]) -> bool:
        for person in pools[pool]:
            if person not in seen:
                seen.add(person)
                if person not in holder or seat(holder[person], seen):
                    holder[person] = pool
                    return True
        return False

    return sum(seat(pool, set()) for pool in range(len(pools)))


def by_seat(lines: Sequence[Line]) -> Mapping[str, Line]:
    """Find the line of each seat."""
    return {name: line for line in lines for name in line.seats}
