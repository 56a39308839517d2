"""Half-open spans of time [start, end) in UTC, and the small set arithmetic that calendars need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of time from `start` up to, not including, `end`; both aware."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a span cannot end ({self.end}) before it starts ({self.start})")

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def length(self) -> timedelta:
        """How long it lasts."""
        return self.end - self.start

    def meets(self, other: Span) -> bool:
        """Tell whether the two share at least an instant."""
        return self.start < other.end and other.start < self.end

    def cut_to(self, other: Span) -> Span | None:
        """Give the part of it that lies inside `other`, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if start < end else None


def merge(spans: Iterable[Span]) -> list[Span]:
    """Put touching and overlapping spans together, in order."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        elif span.start < span.end:
            merged.append(span)
    return merged


def subtract(whole: Iterable[Span], holes: Iterable[Span]) -> list[Span]:
    """Give what is left of `whole` where no hole lies."""
    left = merge(whole)
    for hole in merge(holes):
        left = [part for span in left for part in _without(span, hole)]
    return left


def _without(span: Span, hole: Span) -> Iterator[Span]:
    if not span.meets(hole):
        yield span
        return
    if span.start < hole.start:
        yield Span(span.start, hole.start)
    if hole.end < span.end:
        yield Span(hole.end, span.end)
