"""Who sits where at the moment of a decision, so that one person has one seat at a time if that is possible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from watchbill.core.rota.line import IDEAL, OTHER_SEAT, TWO_SEATS
from watchbill.core.rota.pattern import Seated
from watchbill.kit.spans import Span

Parts = Sequence[Span]


class Seating:
    """The turns and covers that run now or are promised, each with its covered parts."""

    def __init__(self) -> None:
        self._entries: list[tuple[Seated, Parts]] = []

    def add(self, seated: Seated, parts: Parts) -> None:
        """Seat somebody."""
        self._entries.append((seated, parts))

    def forget_before(self, instant: datetime) -> None:
        """Drop what is over at `instant`."""
        self._entries = [entry for entry in self._entries if entry[0].end > instant]

    def seated(self) -> tuple[Seated, ...]:
        """Give what is left, for a checkpoint."""
        return tuple(seated for seated, _ in self._entries)

    def conflict(self, person: int, span: Span, parts: Parts) -> int:
        """Rank somebody for a turn: ideal, in another seat of the same time, or wanted twice at once."""
        found = [clash(span, parts, seated.span, theirs) for seated, theirs in self._of(person)]
        return max(found, default=IDEAL)

    def is_free(self, person: int, piece: Span, seat: str) -> bool:
        """Tell whether somebody has no other seat in covered time of `piece`."""
        return not any(part.meets(piece) for seated, parts in self._of(person) if seated.seat != seat for part in parts)

    def take_covers(self, seat: str) -> list[Seated]:
        """Take back the promises to cover a seat: what runs at a checkpoint is divided again, by those first."""
        covers = [seated for seated, _ in self._entries if seated.covers and seated.seat == seat]
        self._entries = [entry for entry in self._entries if entry[0] not in covers]
        return covers

    def edges(self, person: int) -> Iterator[datetime]:
        """Give the instants at which somebody's seats begin and end."""
        for _, parts in self._of(person):
            for part in parts:
                yield part.start
                yield part.end

    def _of(self, person: int) -> Iterator[tuple[Seated, Parts]]:
        return (entry for entry in self._entries if entry[0].person == person)


def clash(span: Span, parts: Parts, other_span: Span, other_parts: Parts) -> int:
    """Rank two seats of one person: apart, in the same stretch of time, or in the same hours."""
    if not span.meets(other_span):
        return IDEAL
    meet = any(part.meets(other) for part in parts for other in other_parts)
    return TWO_SEATS if meet else OTHER_SEAT
