"""The chart of feature work against operations, as the numbers that its SVG template draws (BKL-10, MET-03)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

from watchbill.core.workload import Bucket, Split

WIDTH, HEIGHT = 960, 260
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 12, 30
MEASURES = {"tickets": "Tickets", "points": "Points", "time": "Hours"}
LABELS = 14


@dataclass(frozen=True)
class Bar:
    """One stretch of time: where it stands, how high its two parts are, and its words."""

    x: float
    width: float
    operations_y: float
    operations_height: float
    feature_y: float
    feature_height: float
    label: str
    label_x: float
    said: str
    promise_y: float | None


@dataclass(frozen=True)
class Line:
    """A line across, with its number."""

    y: float
    word: str


@dataclass(frozen=True)
class Row:
    """One line of the table behind the chart."""

    name: str
    operations: str
    feature: str
    share: int | None


@dataclass(frozen=True)
class Chart:
    """What the template draws."""

    bars: list[Bar]
    lines: list[Line]
    rows: list[Row]
    total: Row
    measure: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    floor: int = HEIGHT - BOTTOM
    right: int = WIDTH - RIGHT


def draw(buckets: Sequence[Bucket], measure: str, promised: int | None = None) -> Chart:
    """Lay out the bars; `promised` is the percent of operations that each bar is measured against."""
    splits = [_split(bucket, measure) for bucket in buckets]
    top = _round_up(max((_number(one.total, measure) for one in splits), default=0))
    scale = (HEIGHT - TOP - BOTTOM) / top
    room = (WIDTH - LEFT - RIGHT) / max(len(buckets), 1)
    every = ceil(len(buckets) / LABELS) or 1
    bars = [
        _bar(number, bucket, split, measure, (room, scale), promised, told=number % every == 0)
        for number, (bucket, split) in enumerate(zip(buckets, splits, strict=True))
    ]
    floor = HEIGHT - BOTTOM
    lines = [Line(round(floor - top * part / 4 * scale, 1), _word(top * part / 4)) for part in range(5)]
    whole = Split(sum(one.feature for one in splits), sum(one.operations for one in splits))
    rows = [_row(bucket.name, split, measure) for bucket, split in zip(buckets, splits, strict=True)]
    return Chart(bars, lines, rows, _row("All together", whole, measure), MEASURES[measure])


def _split(bucket: Bucket, measure: str) -> Split:
    return {"tickets": bucket.tickets, "points": bucket.points, "time": bucket.seconds}[measure]


def _number(amount: int, measure: str) -> float:
    return amount / 3600 if measure == "time" else amount


def _round_up(number: float) -> float:
    """Give the next number that four lines divide well."""
    if number <= 4:
        return 4
    size = 10.0 ** int(log10(number))
    return next(step * size for step in (1, 2, 4, 8, 10) if step * size >= number)


def _word(number: float) -> str:
    return f"{number:g}"


def _bar(
    number: int,
    bucket: Bucket,
    split: Split,
    measure: str,
    sizes: tuple[float, float],
    promised: int | None,
    *,
    told: bool,
) -> Bar:
    room, scale = sizes
    x, width, floor = LEFT + number * room + room * 0.15, room * 0.7, HEIGHT - BOTTOM
    operations = _number(split.operations, measure) * scale
    feature = _number(split.feature, measure) * scale
    row = _row(bucket.name, split, measure)
    promise = floor - (operations + feature) * promised / 100 if promised is not None and split.total else None
    return Bar(
        x=round(x, 1),
        width=round(width, 1),
        operations_y=round(floor - operations, 1),
        operations_height=round(operations, 1),
        feature_y=round(floor - operations - feature, 1),
        feature_height=round(feature, 1),
        label=_short(bucket) if told else "",
        label_x=round(x + width / 2, 1),
        said=f"{bucket.name}: {row.operations} operations, {row.feature} feature",
        promise_y=None if promise is None else round(promise, 1),
    )


def _short(bucket: Bucket) -> str:
    return (
        f"{bucket.start.day} {bucket.start:%b}"
        if len(bucket.name) > 12 or bucket.name.startswith(str(bucket.start.day))
        else bucket.name
    )


def _row(name: str, split: Split, measure: str) -> Row:
    def say(amount: int) -> str:
        return f"{amount / 3600:.1f}" if measure == "time" else str(amount)

    return Row(name, say(split.operations), say(split.feature), split.share)
