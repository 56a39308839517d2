"""What stands at the head of a Markdown report: its front matter and the table of its impact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import yaml

from watchbill.core.reports.report import Doubt, Figure
from watchbill.core.reports.sheet import Block
from watchbill.core.reports.when import Day, day_in, lead_of, span_in
from watchbill.core.reports.words import NO_VALUE, one_line, plain
from watchbill.core.reports.zones import zone_named
from watchbill.core.wallclock import end_instant, start_instant

FORMAT = "watchbill report 1"
_MOST = 20_000
_ROWS = {
    "status": "status", "review owner": "owner", "owner of review process": "owner", "owner": "owner",
    "impact time": "impact_time", "duration": "duration", "time zone": "zone", "timezone": "zone",
}  # fmt: skip


@dataclass
class Front:
    """The head of a report: what it says by name, as text; `figures` are the rows of its table that we do not know."""

    said: dict[str, str] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        """Tell whether Watchbill wrote the file: then the front matter says all, and the table is for readers."""
        return self.said.get("format") == FORMAT

    def read(self, block: Block) -> None:
        """Read YAML front matter; what is no plain value becomes a doubt."""
        values: Any = None
        try:
            # As text, for a date that does not exist must not stop the reading.
            values = yaml.load(block.words[:_MOST], Loader=yaml.BaseLoader)  # noqa: S506
        except (yaml.YAMLError, RecursionError):
            self._doubt_all(block, "the front matter is not YAML")
            return
        if not isinstance(values, Mapping):
            self._doubt_all(block, "the front matter is not a list of names and values")
            return
        for name, value in values.items():
            if name == "headings" and isinstance(value, Mapping):
                self.headings = {str(heading): str(key) for heading, key in value.items()}
            elif isinstance(value, str) and isinstance(name, str):
                self.said[name.casefold()] = one_line(value)
            else:
                why = "not a plain value; kept in the original"
                self.doubts.append(Doubt(block.start + 1, f"{name}: {_flat(value)}"[:2000], why))

    def read_table(self, block: Block) -> None:
        """Read the table of the impact: `**Impact Time**`, `**Duration**` and figures of any other name."""
        for row in block.rows:
            name, value = one_line(row[0].strip("* ")), one_line(row[1])
            known = _ROWS.get(plain(name))
            if plain(name) in {"field", ""} and plain(value) in {"value", ""}:
                continue
            if not known:
                self.figures.append(Figure(name, value))
            elif not self.is_ours:
                self.said.setdefault(known, "" if value == NO_VALUE else value)

    def _doubt_all(self, block: Block, why: str) -> None:
        lines = block.words.split("\n")
        self.doubts += [Doubt(block.start + 2 + number, line, why) for number, line in enumerate(lines) if line.strip()]


def _flat(value: Any) -> str:
    """Give the words of a nested value; not deep, and not long."""
    try:
        return one_line(yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1_000_000))
    except (yaml.YAMLError, RecursionError):
        return "..."


def is_impact_table(block: Block) -> bool:
    """Tell whether a table is one of names and values."""
    head = [plain(cell) for cell in block.rows[0]] if block.rows else []
    return head in (["field", "value"], ["", ""]) or any(
        _ROWS.get(plain(row[0].strip("* "))) for row in block.rows if row
    )


def day_of_name(name: str) -> date | None:
    """Give the day that a file's name begins with."""
    lead = lead_of(name[:10])
    return lead.day.near(None) if lead and lead.day else None


def day_said(words: str) -> date | None:
    """Give the day that a front matter says."""
    day: Day | None = day_in(words)
    return day.near(None) if day else None


def instant_said(words: str) -> datetime | None:
    """Give the instant that our own front matter says, None when it says none."""
    try:
        instant = datetime.fromisoformat(words)
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None


def impact_of(
    words: str, near: date | None, zone: str, line: int = 0
) -> tuple[datetime | None, datetime | None, list[Doubt], list[Doubt]]:
    """Read an impact time: its start and end, then what was guessed and what was not understood.

    `near` is a day whose year is the impact's, as the exports give none.
    """
    if not words:
        return None, None, [], []
    span = span_in(words)
    if span is None or span[0].day is None or span[0].wall is None or span[1].wall is None:
        return (
            None,
            None,
            [],
            [Doubt(line, words, "not an impact time of the form “Mar 12 at 15:51 to Mar 12 at 16:12”")],
        )
    first, last = span
    if not zone:
        return None, None, [], [Doubt(line, words, "an impact time without a time zone")]
    starts = span[0].day.near(near)
    if starts is None:
        return None, None, [], [Doubt(line, words, "an impact time without a year, and nothing else names the year")]
    ends = last.day.near(starts) if last.day else starts
    guesses = [] if span[0].day.year else [Doubt(line, words, f"the year is read as {starts.year}")]
    assert first.wall
    assert last.wall
    assert ends
    started, ended = start_instant(starts, first.wall, zone), end_instant(ends, last.wall, zone)
    if ended < started and last.day is None:
        ended = end_instant(ends + timedelta(days=1), last.wall, zone)
    return started, ended, guesses, []


def zone_from(words: str, line: int = 0) -> tuple[str, list[Doubt], list[Doubt]]:
    """Give the IANA zone that words mean, what was guessed and what was not understood; "" when there are no words."""
    if not words:
        return "", [], []
    zone = zone_named(words)
    if zone is None:
        return "", [], [Doubt(line, words, "not the name of a time zone that we know")]
    return zone.iana, [Doubt(line, words, zone.guess)] if zone.guess else [], []
