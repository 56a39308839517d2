"""Whom an edit would move: shown before it is adopted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from watchbill.core.rota.pattern import Shift
from watchbill.kit.spans import Span


@dataclass(frozen=True)
class Move:
    """A stretch of a seat that would pass from one person to another (None: to or from nobody)."""

    seat: str
    start: datetime
    end: datetime
    before: int | None
    after: int | None


def difference(old: Sequence[Shift], new: Sequence[Shift]) -> list[Move]:
    """List what changes hands between two plans, by start; equal neighbours are put together.

    Compare plans of the same interval: what only one of them reaches counts as nobody's in the other.
    """
    seats = dict.fromkeys(shift.seat for shift in [*old, *new])
    moves = [move for seat in seats for move in _of_seat(seat, old, new)]
    return sorted(moves, key=lambda move: move.start)


def _of_seat(seat: str, old: Sequence[Shift], new: Sequence[Shift]) -> list[Move]:
    before = [shift for shift in old if shift.seat == seat]
    after = [shift for shift in new if shift.seat == seat]
    edges = sorted({edge for shift in [*before, *after] for edge in (shift.start, shift.end)})
    moves: list[Move] = []
    then, now = _Reader(before), _Reader(after)
    for start, end in pairwise(edges):
        move = Move(seat, start, end, then.at(start), now.at(start))
        if move.before == move.after:
            continue
        last = moves[-1] if moves else None
        if last and (last.end, last.before, last.after) == (start, move.before, move.after):
            moves[-1] = Move(seat, last.start, end, move.before, move.after)
        else:
            moves.append(move)
    return moves


class _Reader:
    """Reads who has a seat at rising instants."""

    def __init__(self, shifts: Sequence[Shift]) -> None:
        self._left = sorted(shifts, key=lambda shift: shift.start, reverse=True)

    def at(self, instant: datetime) -> int | None:
        while self._left and self._left[-1].end <= instant:
            self._left.pop()
        shift = self._left[-1] if self._left else None
        return shift.person if shift and instant in Span(shift.start, shift.end) else None
