"""Read a post-mortem report in Markdown, whoever wrote it: tolerant, and honest about what it did not understand."""

from __future__ import annotations

from datetime import date, datetime

from watchbill.core.reports.actions import Actions
from watchbill.core.reports.front import (
    Front,
    day_of_name,
    day_said,
    impact_of,
    instant_said,
    is_impact_table,
    zone_from,
)
from watchbill.core.reports.report import ACTIONS, TIMELINE, ActionItem, Doubt, Entry, Report, Section
from watchbill.core.reports.sheet import Part, Sheet
from watchbill.core.reports.timeline import Timeline, zone_of_heading, zone_stated
from watchbill.core.reports.when import Clock, day_in, lead_of
from watchbill.core.reports.words import folded, key_of, one_line, status_of, tidy


def read_markdown(text: str, name: str = "") -> Report:
    """Read a report; `name` is its file's name, whose date counts for more than the title's.

    Never refuses a text because of what is in it: see `guesses` and `not_understood` of the report. Raises Unreadable
    for one that is too long to be a report.
    """
    return _Reading(tidy(text), name).report()


class _Reading:
    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name.rsplit("/", 1)[-1]
        self.sheet = Sheet(text)
        self.front = Front()
        self.guesses: list[Doubt] = []
        self.doubts: list[Doubt] = self.front.doubts
        self.sections: list[Section] = []
        self.entries: list[Entry] = []
        self.items: list[ActionItem] = []
        self.zone = ""
        self.zone_as_read = ""
        self.day: date | None = None

    def report(self) -> Report:
        first = self._front_matter()
        title, first = self._title(first)
        parts = self._parts(first)
        before = self._impact_table(parts[0])
        self.day = self._day(title)
        self.zone = self._zone(parts)
        self._sections(before, parts[1:])
        started, ended = self._impact()
        said = self.front.said
        return Report(
            title=title, day=self.day, status=status_of(said.get("status", "")), owner=said.get("owner", ""),
            zone=self.zone, started_at=started, ended_at=ended, impact_time=said.get("impact_time", ""),
            duration=said.get("duration", ""), impact=tuple(self.front.figures), sections=tuple(self.sections),
            timeline=tuple(self.entries), actions=tuple(self.items), status_as_read=said.get("status", ""),
            zone_as_read=self.zone_as_read, guesses=tuple(self.guesses), not_understood=folded(self.doubts),
            original=self.text,
        )  # fmt: skip

    def _front_matter(self) -> int:
        if self.sheet.blocks and self.sheet.blocks[0].kind == "front_matter":
            self.front.read(self.sheet.blocks[0])
            return 1
        return 0

    def _title(self, first: int) -> tuple[str, int]:
        """Give the title, and the number of the block after it: the front matter's, else the first heading's."""
        title = self.front.said.get("title", "")
        block = self.sheet.blocks[first] if len(self.sheet.blocks) > first else None
        if block is None or block.kind != "heading" or block.level > 1:
            if not title:
                self.doubts.append(Doubt(0, self.name, "no title: the report does not begin with a heading"))
            return title or self.name.rsplit(".", 1)[0], first
        if title and one_line(block.words) != title and not self.front.is_ours:
            self.doubts.append(Doubt(block.start + 1, block.words, "the heading is not the title of the front matter"))
        return title or block.words, first + 1

    def _parts(self, first: int) -> list[Part]:
        """Cut the text into sections: at the second level if there is one, else at the first below the title."""
        levels = {block.level for block in self.sheet.blocks[first:] if block.kind == "heading"}
        deepest = 2 if 2 in levels else min(levels, default=2)
        parts: list[Part] = []
        for part in self.sheet.parts(deepest, first):
            # Days and times are headings of the same level in some timelines: they belong to it.
            if part.heading and parts and _is_of_timeline(parts[-1]) and _is_time(part.heading.words):
                parts[-1].blocks.extend([part.heading, *part.blocks])
            else:
                parts.append(part)
        return parts

    def _impact_table(self, before: Part) -> Part:
        if before.blocks and before.blocks[0].kind == "table" and is_impact_table(before.blocks[0]):
            self.front.read_table(before.blocks[0])
            return Part(None, before.blocks[1:])
        return before

    def _day(self, title: str) -> date | None:
        """The file's own day: its front matter's, else its name's. A title's only when there is no other."""
        said, named = day_said(self.front.said.get("date", "")), day_of_name(self.name)
        found = day_in(title)
        titled = found.near(None) if found else None
        if words := self.front.said.get("date", ""):
            self._disagree(words, said, named, "the file's name")
            if said is None and not self.front.is_ours:
                self.doubts.append(Doubt(0, words, "the date of the front matter is no day"))
        own = said or named
        self._disagree(title, titled, own, "the file")
        if own is None and titled and not self.front.is_ours:
            self.guesses.append(Doubt(0, title, f"the day is the title's, {titled}: nothing else names one"))
        return own if self.front.is_ours else own or titled

    def _disagree(self, words: str, day: date | None, other: date | None, whose: str) -> None:
        if day and other and day != other and not self.front.is_ours:
            self.doubts.append(Doubt(0, words, f"says {day}, but {whose} says {other}"))

    def _zone(self, parts: list[Part]) -> str:
        """The zone of the front matter, else the first one that a timeline states."""
        self.zone_as_read = self.front.said.get("zone", "")
        zone, guesses, doubts = zone_from(self.zone_as_read)
        self.guesses += guesses
        self.doubts += doubts
        stated = (self._stated(part) for part in parts if _is_of_timeline(part))
        return zone or next((found for found in stated if found), "")

    def _stated(self, part: Part) -> str:
        texts = [
            "\n".join(self.sheet.raw(block.start, block.end)) for block in part.blocks if block.kind == "paragraph"
        ]
        heading = part.heading.words if part.heading else ""
        found = [zone_of_heading(heading), *(zone_stated(text) for text in texts)]
        return next((stated[1].iana for stated in found if stated and stated[1]), "")

    def _sections(self, before: Part, parts: list[Part]) -> None:
        if text := self.sheet.text_of(before.blocks):
            self.sections.append(Section("", "", text))
        for part in parts:
            assert part.heading  # noqa: S101
            heading = part.heading.words
            key = self.front.headings.get(heading) or key_of(heading)
            if key == TIMELINE:
                self._timeline(heading, part)
            elif key == ACTIONS:
                self._actions(heading, part)
            else:
                self.sections.append(Section(key, heading, self.sheet.text_of(part.blocks)))

    def _timeline(self, heading: str, part: Part) -> None:
        reader = Timeline(self.sheet, Clock(self.day, self.zone), self._part(TIMELINE, heading))
        if (stated := zone_of_heading(heading)) and part.heading:
            reader.state_zone(stated, part.heading.start + 1)
        intro = reader.read(part.blocks)
        self.entries += reader.entries
        self.doubts += reader.doubts
        self.guesses += reader.guesses
        self.zone_as_read = self.zone_as_read or reader.zone_as_read
        self._keep(TIMELINE, heading, intro)

    def _actions(self, heading: str, part: Part) -> None:
        reader = Actions(self.sheet, self._part(ACTIONS, heading))
        intro = reader.read(part.blocks, part.heading.start + 1 if part.heading else 0)
        self.items += reader.items
        self.doubts += reader.doubts
        self.guesses += reader.guesses
        self._keep(ACTIONS, heading, intro)

    def _part(self, key: str, heading: str) -> str:
        """Name the part: nothing for the first section of its key."""
        first = next((section for section in self.sections if section.key == key), None)
        return "" if first is None or first.heading == heading else heading

    def _keep(self, key: str, heading: str, text: str) -> None:
        """Keep a section; two with the same heading are one."""
        for number, section in enumerate(self.sections):
            if (section.key, section.heading) == (key, heading):
                both = "\n\n".join(part for part in (section.text, text) if part)
                self.sections[number] = Section(key, heading, both)
                return
        self.sections.append(Section(key, heading, text))

    def _impact(self) -> tuple[datetime | None, datetime | None]:
        said = self.front.said
        if self.front.is_ours:
            return instant_said(said.get("started_at", "")), instant_said(said.get("ended_at", ""))
        started, ended, guesses, doubts = impact_of(said.get("impact_time", ""), self.day, self.zone)
        self.guesses += guesses
        self.doubts += doubts
        return started, ended


def _is_of_timeline(part: Part) -> bool:
    return part.heading is not None and key_of(part.heading.words) == TIMELINE


def _is_time(words: str) -> bool:
    lead = lead_of(words)
    return lead is not None and (lead.wall is not None or not lead.rest)
