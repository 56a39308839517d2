"""Who covers the part of a turn whose owner is away.

The next in line who is free for the whole piece; where there is none the piece is divided wherever somebody's
freedom begins or ends. It spends no turn: whoever covers a day still has their own turn to come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from watchbill.core.rota.away import Away
from watchbill.core.rota.line import Line
from watchbill.core.rota.pattern import Kind, Member, Seat, Seated, SeatProgress, Shift
from watchbill.core.rota.seating import Seating
from watchbill.core.rota.words import Words
from watchbill.kit.spans import Span, subtract


@dataclass(frozen=True)
class _Filled:
    span: Span
    person: int | None
    doubled: bool = False


@dataclass(frozen=True)
class Cover:
    """What is needed to divide one turn of a seat into shifts."""

    seat: Seat
    staff: Sequence[Member]
    line: Line
    away: Away
    seating: Seating
    words: Words

    def divide(self, turn: SeatProgress, parts: Sequence[Span]) -> tuple[Shift, ...]:
        """Give the shifts of a turn: the owner's, and those that others cover; seats the others."""
        absent = self.away.within(turn.person, Span(parts[0].start, parts[-1].end)) if turn.person is not None else ()
        if turn.person is not None and not absent:
            return tuple(self._shift(turn, part, turn.person, turn.reason) for part in parts)
        mine = subtract(parts, absent) if turn.person is not None else []
        shifts = [self._shift(turn, part, turn.person, turn.reason) for part in mine]
        open_pieces = subtract(parts, mine)
        for filled in self._promised(open_pieces):
            shifts.append(self._filled(turn, filled))
            open_pieces = subtract(open_pieces, [filled.span])
        for piece in open_pieces:
            shifts += [self._filled(turn, filled) for filled in self._fill(piece, turn.person)]
        return tuple(sorted(shifts, key=lambda shift: shift.start))

    def _promised(self, pieces: Sequence[Span]) -> list[_Filled]:
        """Give what a checkpoint has promised already, as far as it is still needed and those people can."""
        return [
            _Filled(cut, seated.person, seated.doubled)
            for seated in self.seating.take_covers(self.seat.name)
            for piece in pieces
            if (cut := seated.span.cut_to(piece)) and not self.away.within(seated.person, cut)
        ]

    def _shift(self, turn: SeatProgress, span: Span, person: int | None, reason: str) -> Shift:
        kind: Kind = "gap" if person is None else "turn"
        return Shift(self.seat.name, person, span.start, span.end, reason, turn.turn, kind)

    def _filled(self, turn: SeatProgress, filled: _Filled) -> Shift:
        if filled.person is None:
            return self._shift(turn, filled.span, None, self.words.nobody(self.seat.skill, self.staff))
        span, doubled = filled.span, filled.doubled
        seated = Seated(filled.person, self.seat.name, span.start, span.end, covers=True, doubled=doubled)
        self.seating.add(seated, (span,))
        reason = self.words.cover(filled.person, turn.person, span, doubled=doubled)
        return self._shift(turn, span, filled.person, reason)

    def _fill(self, piece: Span, owner: int | None) -> list[_Filled]:
        people = self._candidates(owner)
        for person in people:
            if self._is_free(person, piece):
                return [_Filled(piece, person)]
        filled: list[_Filled] = []
        for atom in self._atoms(piece, people):
            found = self._fill_atom(atom, people, filled[-1].person if filled else None)
            last = filled[-1] if filled else None
            if last and (last.person, last.doubled) == (found.person, found.doubled):
                found = _Filled(Span(last.span.start, atom.end), last.person, last.doubled)
                filled.pop()
            filled.append(found)
        return filled

    def _candidates(self, owner: int | None) -> list[int]:
        here = [member.person for member in self.staff if member.person != owner]
        ordered = dict.fromkeys([*(turn.person for turn in self.line.waiting), *here])
        return [person for person in ordered if person in here]

    def _is_free(self, person: int, span: Span) -> bool:
        return not self.away.within(person, span) and self.seating.is_free(person, span, self.seat.name)

    def _fill_atom(self, atom: Span, people: Sequence[int], last: int | None) -> _Filled:
        ordered = [last, *people] if last is not None else people
        for person in ordered:
            if self._is_free(person, atom):
                return _Filled(atom, person)
        for person in ordered:
            if not self.away.within(person, atom):
                return _Filled(atom, person, doubled=True)
        return _Filled(atom, None)

    def _atoms(self, piece: Span, people: Sequence[int]) -> Iterator[Span]:
        edges = {piece.start, piece.end}
        for person in people:
            edges.update(edge for edge in self._edges(person, piece) if edge in piece)
        return (Span(start, end) for start, end in pairwise(sorted(edges)))

    def _edges(self, person: int, piece: Span) -> Iterator[datetime]:
        for time in self.away.within(person, piece):
            yield time.start
            yield time.end
        yield from self.seating.edges(person)
