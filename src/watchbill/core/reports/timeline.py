"""Read the timeline of a Markdown report, in any of the shapes that people give it.

Times as headings with text below, as lines of their own, before the text of a bullet, or as rows of a table; days as
headings or beside the time. What we write ourselves (`bullets.py`) is one of these shapes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from watchbill.core.reports.report import Doubt, Entry, EntryKind
from watchbill.core.reports.sheet import Block, Sheet
from watchbill.core.reports.when import Clock, Lead, lead_of
from watchbill.core.reports.words import DAY_NOT_KNOWN, trimmed
from watchbill.core.reports.zones import Zone, zone_named

_STATEMENT = re.compile(
    r"[*_(\[ ]*(?:all )?times?\b[^\n]{0,40}?\b(?:in|are)[ ]+(?P<zone>[^\n]{1,60}?)[*_\] .]*", re.IGNORECASE
)
_IN_HEADING = re.compile(r"\((?:all )?times?\b[^()]{0,30}?\b(?:in|are)[ ]+(?P<zone>[^()]{1,40})\)", re.IGNORECASE)
SPOKEN = re.compile(
    r"_(?P<kind>entry|system|chat)(?: (?P<author>[^#\n][^\n]{0,100}?))?(?: (?P<place>#\S{1,100}))?:_(?: |$)"
)
INSTANT = re.compile(r"\((?P<at>\d{4}-\d\d-\d\dT[\d:.]{8,15}Z|no exact time)\)(?: |$)")
_BOLD = re.compile(r"\*\*(?P<written>[^\n]{1,200}?)\*\*(?: |$)")
NO_INSTANT = "(no exact time)"
_UNSET = object()


def zone_stated(text: str) -> tuple[str, Zone | None] | None:
    """Read a paragraph that says which zone the times are in: the zone's words, and the zone when it is known."""
    found = _STATEMENT.fullmatch(text.strip()[:200])
    if not found:
        return None
    name = found["zone"].strip()
    name = name if name.count("(") == name.count(")") else name.rstrip(")").rstrip("_*. ")
    return name, zone_named(name)


def zone_of_heading(heading: str) -> tuple[str, Zone | None] | None:
    """Read the zone in a heading such as `Timeline (times in BST)`."""
    found = _IN_HEADING.search(heading[:200])
    return (found["zone"].strip(), zone_named(found["zone"])) if found else None


@dataclass
class _Open:
    """An entry that is being read: what it begins with, and its lines so far."""

    line: int
    lead: Lead | None
    lines: list[str]
    at: datetime | object | None = _UNSET
    written: str = ""
    last: int = 0


@dataclass
class Timeline:
    """Reads the blocks of one timeline. `line` numbers in doubts count from 1."""

    sheet: Sheet
    clock: Clock
    part: str = ""
    entries: list[Entry] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    guesses: list[Doubt] = field(default_factory=list)
    zone_as_read: str = ""
    _intro: list[str] = field(default_factory=list)
    _intro_end: int = 0
    _now: _Open | None = None
    _below_headings: bool = False

    def read(self, blocks: list[Block]) -> str:
        """Read the entries, and give what stands before the first one."""
        leads = (lead_of(block.words) for block in blocks if block.kind == "heading")
        self._below_headings = any(lead and lead.wall for lead in leads)
        for block in blocks:
            self._block(block)
        self._close()
        return trimmed(self._intro)

    def state_zone(self, stated: tuple[str, Zone | None], line: int) -> None:
        """Take the zone that the report states from here on."""
        words, zone = stated
        self.zone_as_read = self.zone_as_read or words
        if zone is None:
            self.doubts.append(Doubt(line, words, "not the name of a time zone that we know"))
            return
        self.clock.zone = zone.iana
        if zone.guess:
            self.guesses.append(Doubt(line, words, zone.guess))

    def _block(self, block: Block) -> None:
        if block.kind == "heading":
            self._heading(block)
        elif block.kind == "table" and self._is_of_times(block):
            self._table(block)
        elif block.items and not (self._below_headings and self._now):
            for start, end in block.items:
                self._item(start, self.sheet.item(start, end))
        elif block.kind == "paragraph":
            self._paragraph(block)
        else:
            self._say(block.start, block.end)

    def _heading(self, block: Block) -> None:
        lead = lead_of(block.words)
        if block.words == DAY_NOT_KNOWN or (lead and lead.wall is None and not lead.rest):
            self._close()
            self.clock.turn_to(lead.day if lead else None)
        elif lead and lead.wall is not None:
            self._open(block.start, lead, [lead.rest], block.end)
        else:
            self._say(block.start, block.end)

    def _is_of_times(self, block: Block) -> bool:
        cells = [row[0] for row in block.rows[1:] if row and any(row)]
        return (
            bool(cells)
            and len(block.rows[0]) == 2
            and all(not cell or lead_of(cell) or _BOLD.match(cell) for cell in cells)
        )

    def _table(self, block: Block) -> None:
        for number, (cell, said) in enumerate(
            ((row[0], row[1]) for row in block.rows[1:] if any(row)), start=block.start + 2
        ):
            self._marked(number, cell, lead_of(cell), said.replace("<br>", "\n"))
        self._close()

    def _item(self, line: int, text: str) -> None:
        if bold := _BOLD.match(text):
            lead, rest = lead_of(bold["written"]), text[bold.end() :]
            if (lead and not lead.rest) or INSTANT.match(rest) or SPOKEN.match(rest):
                self._marked(line, bold["written"], lead if lead and not lead.rest else None, rest)
                return
        lead = None if SPOKEN.match(text) or INSTANT.match(text) else lead_of(text.split("\n", 1)[0])
        if lead:
            rest = "\n".join([lead.rest, *text.split("\n")[1:]])
            self._marked(line, lead.written, lead, rest)
        else:
            self._marked(line, "", None, text)

    def _marked(self, line: int, written: str, lead: Lead | None, text: str) -> None:
        bold = _BOLD.fullmatch(written)
        written = bold["written"] if bold else written
        lead = lead_of(written) if bold else lead
        self._open(line, lead, [], line + 1)
        if self._now is None:
            return
        self._now.written = lead.written if lead and not bold else written
        if instant := INSTANT.match(text):
            self._now.at = None if instant["at"] == NO_INSTANT[1:-1] else _instant(instant["at"])
            text = text[instant.end() :]
        self._now.lines = text.split("\n")
        self._close()

    def _paragraph(self, block: Block) -> None:
        lines = self.sheet.raw(block.start, block.end)
        if stated := zone_stated("\n".join(lines)):
            self._close()
            self.state_zone(stated, block.start + 1)
            return
        for number, line in enumerate(lines, start=block.start):
            lead = None if self._below_headings else lead_of(line)
            if lead and lead.wall is not None:
                self._open(number, lead, [lead.rest], number + 1)
            elif lead and not lead.rest:
                self._close()
                self.clock.turn_to(lead.day)
            else:
                self._say(number, number + 1)

    def _say(self, start: int, end: int) -> None:
        """Add lines to the entry that is open, or to what stands before all entries."""
        into, last = (self._now.lines, self._now.last) if self._now else (self._intro, self._intro_end)
        into += [""] * (start > last)
        into += self.sheet.raw(start, end)
        if self._now:
            self._now.last = end
        else:
            self._intro_end = end

    def _open(self, line: int, lead: Lead | None, lines: list[str], last: int) -> None:
        self._close()
        self._now = _Open(line, lead, lines, written=lead.written if lead else "", last=last)

    def _close(self) -> None:
        now, self._now = self._now, None
        if now is None:
            return
        at, why = self.clock.at(now.lead) if now.lead else (None, "an entry without a time")
        self._note(now, at, why)
        if now.lead and now.at is _UNSET:
            now.written = self.clock.written(now.lead, at)
        said = trimmed(now.lines)
        spoken = SPOKEN.match(said)
        kind = cast(EntryKind, spoken["kind"]) if spoken else "entry"
        author, place = ((spoken["author"] or ""), (spoken["place"] or "")) if spoken else ("", "")
        text = trimmed(said[spoken.end() :].split("\n")) if spoken else said
        instant = at if now.at is _UNSET else cast("datetime | None", now.at)
        self.entries.append(Entry(instant, now.written, text, kind, author, place, self.part))

    def _note(self, now: _Open, at: datetime | None, why: str) -> None:
        if not why or now.at is not _UNSET:
            return
        doubt = Doubt(now.line + 1, now.written or trimmed(now.lines).split("\n")[0][:80], why)
        (self.guesses if at else self.doubts).append(doubt)


def _instant(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None
