"""Turns dealt out in the order of time: who takes each, and the shifts that come of it.

Whoever is there for at least half of the covered time of a turn takes it; the days on which they are away are
covered by somebody else, as a part of the same turn. One person has two seats at once only when there is nobody
else. Overrides do not come here: who covers for somebody by agreement changes nobody's place in the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge as merge_sorted
from itertools import groupby

from watchbill.core.coverage import spans
from watchbill.core.rota.away import Away
from watchbill.core.rota.cover import Cover
from watchbill.core.rota.dealing import Deal, Staff, by_seat
from watchbill.core.rota.line import Line, Taken
from watchbill.core.rota.pattern import (
    Absence,
    LineProgress,
    Progress,
    Rotation,
    Seat,
    Seated,
    SeatProgress,
    Shift,
)
from watchbill.core.rota.seating import Seating
from watchbill.core.rota.units import Stretch, beginning, coverage_of, stretches
from watchbill.core.rota.words import Words
from watchbill.core.wallclock import day_of
from watchbill.kit.spans import Span


@dataclass(frozen=True)
class Turn:
    """One turn of a seat and the shifts that come of it: several when coverage has gaps or others cover."""

    progress: SeatProgress
    shifts: tuple[Shift, ...]


class Planner:
    """Deals out the turns of a rotation, from its beginning or from a checkpoint."""

    def __init__(self, rotation: Rotation, absences: Iterable[Absence], checkpoint: Progress | None = None) -> None:
        found = checkpoint or Progress(beginning(rotation), (), ())
        self._rotation = rotation
        self._since = max(beginning(rotation), found.at)
        self._away = Away(rotation, absences)
        self._words = Words(rotation, self._away)
        self._seats = {seat.name: seat for seat in rotation.seats}
        self._newest = {seat.seat: seat for seat in found.seats if seat.seat in self._seats}
        self.lines = _lines(rotation, found.lines)
        self._line_of = by_seat(self.lines)
        self._seating = Seating()
        for seated in found.seated:
            if seated.seat in self._seats:
                self._seating.add(seated, self._parts(seated.seat, seated.span))

    def deal(self, until: datetime) -> Iterator[Turn]:
        """Give the turns that begin before `until`; what runs at the checkpoint comes first, from there on."""
        yield from self._running()
        streams = [
            stretches(self._rotation, place, self._start_of(seat), until)
            for place, seat in enumerate(self._rotation.seats)
        ]
        coming = merge_sorted(*streams, key=lambda stretch: (stretch.span.start, stretch.place))
        for start, together in groupby(coming, key=lambda stretch: stretch.span.start):
            self._seating.forget_before(start)
            yield from self._deal_together(list(together))

    def checkpoint(self, at: datetime) -> Progress:
        """Give the state after every turn of `deal(at)` was taken."""
        self._seating.forget_before(at)
        return Progress(
            at,
            tuple(line.freeze() for line in self.lines),
            tuple(self._newest[seat] for seat in self._seats if seat in self._newest),
            self._seating.seated(),
        )

    def _start_of(self, seat: Seat) -> datetime:
        newest = self._newest.get(seat.name)
        return max(self._since, newest.until) if newest else self._since

    def _running(self) -> Iterator[Turn]:
        for newest in list(self._newest.values()):
            if newest.until > self._since:
                parts = self._parts(newest.seat, Span(self._since, newest.until))
                yield Turn(newest, self._divide(newest, parts, self._since))

    def _deal_together(self, together: Sequence[Stretch]) -> Iterator[Turn]:
        """Deal the turns that begin at one instant: first who takes each, then who covers whose absences."""
        seats = [self._rotation.seats[stretch.place] for stretch in together]
        lines = [self._line_of[seat.name] for seat in seats]
        staffs = [self._staff(seat, stretch.span.start) for seat, stretch in zip(seats, together, strict=True)]
        deal = Deal(together, lines, self._away, self._seating)
        taken = deal.take_all(staffs, [seat.name for seat in seats])
        for seat, stretch, found in zip(seats, together, taken, strict=True):
            self._note(seat.name, stretch, found)
        for seat, stretch in zip(seats, together, strict=True):
            newest = self._newest[seat.name]
            yield Turn(newest, self._divide(newest, stretch.parts, stretch.span.start))

    def _note(self, seat: str, stretch: Stretch, taken: Taken | None) -> None:
        before, span = self._newest.get(seat), stretch.span
        number = before.turn + 1 if before else 1
        person = taken.person if taken else None
        reason = self._words.turn(taken, span) if taken else ""
        self._newest[seat] = SeatProgress(seat, number, person, reason, span.start, span.end)
        if person is not None:
            self._line_of[seat].note(seat, person)
            self._seating.add(Seated(person, seat, span.start, span.end), stretch.parts)

    def _divide(self, turn: SeatProgress, parts: Sequence[Span], start: datetime) -> tuple[Shift, ...]:
        if not parts:
            return ()
        seat = self._seats[turn.seat]
        cover = Cover(seat, self._staff(seat, start), self._line_of[seat.name], self._away, self._seating, self._words)
        return cover.divide(turn, parts)

    def _staff(self, seat: Seat, start: datetime) -> Staff:
        return self._away.staff(seat.skill, day_of(start, self._rotation.zone))

    def _parts(self, seat: str, span: Span) -> tuple[Span, ...]:
        return tuple(spans(coverage_of(self._rotation, self._seats[seat]), span))


def _lines(rotation: Rotation, found: Iterable[LineProgress]) -> list[Line]:
    """Make one line for the seats of the same skill and hours; a checkpoint's line is known by its first seat."""
    alike: dict[object, list[str]] = {}
    for seat in rotation.seats:
        alike.setdefault((seat.skill, seat.coverage), []).append(seat.name)
    known = {line.seats[0]: line for line in found}
    return [Line.resume(rotation, tuple(seats), known.get(seats[0])) for seats in alike.values()]
