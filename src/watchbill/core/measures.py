"""Measures of incidents: later minus earlier of two milestones, always printed with the pair; counts, never a bare MTTR.

An exercise is in no figure (INC-21). A pair is measured where both milestones are known and the later is not before
the earlier; how many that were (`n`) is part of the figure. Lengths are timedeltas; instants are UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

PAIRS = (("started", "detected"), ("detected", "acknowledged"), ("started", "mitigated"), ("started", "resolved"))


@dataclass(frozen=True)
class Told:
    """What is counted of one incident, its priority in its team's words; a milestone that has not come is missing."""

    milestones: Mapping[str, datetime] = field(default_factory=dict)
    priority: str = ""
    is_major: bool = False
    detected_by: str = ""
    is_exercise: bool = False


@dataclass(frozen=True)
class Figure:
    """How long it took from one milestone to another, over `n` incidents."""

    earlier: str
    later: str
    n: int
    median: timedelta | None = None
    p90: timedelta | None = None

    @property
    def words(self) -> str:
        """Name the pair: nobody has to guess what was measured."""
        return f"{self.earlier} to {self.later}"


@dataclass(frozen=True)
class Measures:
    """The figures of some incidents: how many, how many of them major (MET-02), by priority, by who noticed."""

    count: int
    major: int
    by_priority: dict[str, int]
    by_source: dict[str, int]
    figures: tuple[Figure, ...]


def length_of(milestones: Mapping[str, datetime | None], earlier: str, later: str) -> timedelta | None:
    """Give later minus earlier; None when one is not known or they stand the other way round."""
    begin, end = milestones.get(earlier), milestones.get(later)
    if begin is None or end is None or end < begin:
        return None
    return end - begin


def lengths_of(milestones: Mapping[str, datetime | None]) -> list[tuple[str, str, timedelta]]:
    """Give what is known of the pairs of one incident, in their order."""
    found = ((earlier, later, length_of(milestones, earlier, later)) for earlier, later in PAIRS)
    return [(earlier, later, length) for earlier, later, length in found if length is not None]


def measure(told: Iterable[Told]) -> Measures:
    """Measure incidents; exercises are left out."""
    real = [one for one in told if not one.is_exercise]
    return Measures(
        count=len(real),
        major=sum(one.is_major for one in real),
        by_priority=dict(Counter(one.priority or "none" for one in real)),
        by_source=dict(Counter(one.detected_by or "not known" for one in real)),
        figures=tuple(_figure(earlier, later, real) for earlier, later in PAIRS),
    )


def _figure(earlier: str, later: str, told: Sequence[Told]) -> Figure:
    found = (length_of(one.milestones, earlier, later) for one in told)
    lengths = sorted(length for length in found if length is not None)
    return Figure(earlier, later, len(lengths), median(lengths), percentile(lengths, 90))


def median(lengths: Sequence[timedelta]) -> timedelta | None:
    """Give the middle of sorted lengths, the mean of the middle two when there is none."""
    if not lengths:
        return None
    half = len(lengths) // 2
    return lengths[half] if len(lengths) % 2 else (lengths[half - 1] + lengths[half]) / 2


def percentile(lengths: Sequence[timedelta], percent: int) -> timedelta | None:
    """Give the length that `percent` of the sorted lengths do not exceed (nearest rank): one that really was."""
    if not lengths:
        return None
    return lengths[max(ceil(len(lengths) * percent / 100), 1) - 1]
