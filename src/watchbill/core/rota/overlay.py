"""Overrides laid over a plan: of a whole shift or a part of it, of one seat or all, also on top of each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, pairwise

from watchbill.core.rota.pattern import Override, Seat, Shift
from watchbill.core.rota.words import Words
from watchbill.kit.spans import Span, subtract


def lay_over(
    planned: Sequence[Shift], overrides: Iterable[Override], seats: Iterable[Seat], words: Words
) -> list[Shift]:
    """Give the shifts that result; of two overrides the one created later wins."""
    ordered = sorted(overrides, key=lambda override: (override.created_at, override.number))
    laid: list[Shift] = []
    for seat in seats:
        mine = [shift for shift in planned if shift.seat == seat.name]
        over = [override for override in ordered if override.seat in {None, seat.name}]
        laid += [part for shift in mine for part in _lay_over_shift(shift, over, words)]
        laid += _outside(seat.name, mine, [override for override in over if override.outside_coverage], words)
    return laid


def _lay_over_shift(shift: Shift, overrides: Sequence[Override], words: Words) -> Iterator[Shift]:
    meeting = [override for override in overrides if override.span.meets(shift.span)]
    if not meeting:
        yield shift
        return
    for winner, span in _won(shift.span, meeting):
        if winner is None:
            yield _part(shift, span)
        else:
            reason = words.override(winner, shift)
            yield Shift(shift.seat, winner.person, span.start, span.end, reason, shift.turn, "override")


def _outside(seat: str, planned: Sequence[Shift], overrides: Sequence[Override], words: Words) -> Iterator[Shift]:
    free = subtract((override.span for override in overrides), (shift.span for shift in planned))
    for gap in free:
        for winner, span in _won(gap, overrides):
            if winner is not None:
                yield Shift(seat, winner.person, span.start, span.end, words.override(winner, None), 0, "override")


def _won(span: Span, overrides: Sequence[Override]) -> Iterator[tuple[Override | None, Span]]:
    """Divide `span` among the overrides (the last wins) and None for what is left as planned."""
    edges = {span.start, span.end}
    edges.update(edge for o in overrides for edge in (o.start, o.end) if span.start < edge < span.end)
    atoms = [(_winner(start, overrides), start, end) for start, end in pairwise(sorted(edges))]
    for winner, run in groupby(atoms, key=lambda atom: atom[0]):
        pieces = list(run)
        yield winner, Span(pieces[0][1], pieces[-1][2])


def _winner(instant: datetime, overrides: Sequence[Override]) -> Override | None:
    return next((override for override in reversed(overrides) if instant in override.span), None)


def _part(shift: Shift, span: Span) -> Shift:
    return Shift(shift.seat, shift.person, span.start, span.end, shift.reason, shift.turn, shift.kind)
