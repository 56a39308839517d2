"""Read the text of a post-mortem report that PagerDuty exported as PDF.

Its layout: a column with the owner of the review, the impact time (no year, no offset) and the duration; the note in
which zone the times are; the title and the status; sections in a fixed order; the timeline with its days. The browser
prints a header and a footer into every page, which come amid the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from watchbill.core.reports.actions import item_of, names_numbers
from watchbill.core.reports.front import day_of_name, impact_of, zone_from
from watchbill.core.reports.pagerduty_timeline import PagerDutyTimeline, days_named
from watchbill.core.reports.report import ACTIONS, TIMELINE, ActionItem, Doubt, Report, Section
from watchbill.core.reports.unwrap import BULLET, Line, blocks_of, mend
from watchbill.core.reports.when import span_in
from watchbill.core.reports.words import NO_COMMENTS, folded, key_of, one_line, status_of, tidy, trimmed

_FURNITURE = (
    re.compile(r"Postmortem Report - .{0,400}? - PagerDuty( https?://\S+)?"),
    re.compile(r"https?://\S+/postmortems/\S+/export"),
    re.compile(r"(https?|file)://\S+ \d+ ?(of|/) ?\d+"),
    re.compile(r"\d+ ?(of|/) ?\d+( \d{1,4}[./-]\d{1,2}[./-]\d{1,4},? \d{1,2}[:.]\d\d(:\d\d)?( ?[AP]M)?)?"),
    re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? \d{1,2}[:.]\d\d( ?[AP]M)?( Postmortem Report - .{0,400})?"),
)
_LABELS = {
    "ownerofreviewprocess": "owner",
    "impacttime": "impact_time",
    "impacttim": "impact_time",
    "duration": "duration",
}
_ZONE = re.compile(r"\*?All times listed in this report are\b(?P<zone>.*)", re.IGNORECASE)
_STATUS = re.compile(r"Status:[ ]*(?P<status>\w[\w ]{0,30})", re.IGNORECASE)
# In the order of the page: a line of a later section's text is not the heading of an earlier one.
_SECTIONS = (
    "overview", "what happened", "resolution", "where we got lucky", "what went well?", "what didn't go so well?",
    "action items", "additional notes", "notes", "timeline",
)  # fmt: skip


def read_pdf_text(text: str, name: str = "") -> Report:
    """Read a report from the text of its PDF; `name` is its file's name, which gives the year when nothing else does.

    Never refuses a text because of what is in it: see `guesses` and `not_understood` of the report. Raises Unreadable
    for one that is too long to be a report.
    """
    return _Reading(tidy(text), name).report()


def is_furniture(line: str) -> bool:
    """Tell whether a line is of the printed page and not of the report."""
    said = line.strip()
    return any(pattern.fullmatch(said) for pattern in _FURNITURE)


@dataclass
class _Part:
    heading: Line
    lines: list[Line] = field(default_factory=list)


class _Reading:
    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name.rsplit("/", 1)[-1]
        whole = [(number, line.rstrip()) for number, line in enumerate(text.replace("\f", "\n").split("\n"), start=1)]
        kept = [(number, line) for number, line in whole if not is_furniture(line)]
        self.lines, unclear = mend(kept)
        self.doubts: list[Doubt] = []
        self.guesses = [
            Doubt(number, line[-200:], "an address that may go on in the next line") for number, line in unclear
        ]
        self.said: dict[str, Line] = {}
        self.sections: list[Section] = []
        self.items: list[ActionItem] = []

    def report(self) -> Report:
        head, parts = self._parts()
        title = self._head(head)
        zone_line, zone_words = self.said.get("zone", (0, ""))
        zone_words = zone_words.removeprefix("in ")
        zone, guesses, doubts = zone_from(zone_words, zone_line)
        if not zone_words:
            doubts = [Doubt(0, "", "no line says in which zone the times are")]
        reader = PagerDutyTimeline(zone)
        for part in parts:
            self._section(part, reader)
        day = self._day(parts)
        number, words = self.said.get("impact_time", (0, ""))
        started, ended, more_guesses, more_doubts = impact_of(words, day, zone, number)
        status = self.said.get("status", (0, ""))[1]
        return Report(
            title=title, day=started.date() if started and not day else day, status=status_of(status),
            owner=self.said.get("owner", (0, ""))[1], zone=zone, started_at=started, ended_at=ended, impact_time=words,
            duration=self.said.get("duration", (0, ""))[1], sections=tuple(self.sections), actions=tuple(self.items),
            timeline=tuple(reader.entries), status_as_read=status, zone_as_read=zone_words,
            guesses=(*self.guesses, *guesses, *more_guesses, *reader.guesses),
            not_understood=folded([*self.doubts, *doubts, *more_doubts, *reader.doubts]), original=self.text,
        )  # fmt: skip

    def _parts(self) -> tuple[list[Line], list[_Part]]:
        """Cut at the headings of the sections, which come in their order."""
        head: list[Line] = []
        parts: list[_Part] = []
        place = -1
        for number, line in self.lines:
            here = _section_number(line)
            if here > place and (parts or here == 0 or self._has_status(head)):
                parts.append(_Part((number, line.strip())))
                place = here
            else:
                (parts[-1].lines if parts else head).append((number, line))
        return head, parts

    def _has_status(self, head: list[Line]) -> bool:
        return any(_STATUS.fullmatch(line.strip()) for _, line in head)

    def _head(self, head: list[Line]) -> str:
        """Read what stands above the sections: labels with their values, the zone, the status; the rest is the title."""
        title: list[str] = []
        label = ""
        for number, line in head:
            said = line.strip()
            found = _LABELS.get("".join(said.split()).casefold())
            zone, status = _ZONE.fullmatch(said), _STATUS.fullmatch(said)
            if found:
                label = found
            elif zone:
                label = "" if zone["zone"].rstrip().endswith(".") else "zone"
                self._say("zone", number, zone["zone"])
            elif status:
                self._say("status", number, status["status"])
            elif label and said:
                self._say(label, number, said)
                label = label if self._goes_on(label, said) else ""
            elif said:
                title.append(said)
        if not title:
            self.doubts.append(Doubt(0, self.name, "no title: nothing stands above the status"))
        if "status" not in self.said:
            self.doubts.append(Doubt(0, "", "no line says the report's status"))
        return one_line(" ".join(title)) or self.name.rsplit(".", 1)[0]

    def _goes_on(self, label: str, said: str) -> bool:
        """Tell whether a value that the narrow column wrapped has another line."""
        if label == "zone":
            return not said.endswith(".")
        words = self.said[label][1]
        return label == "impact_time" and span_in(words) is None and words.endswith((" at", " to"))

    def _say(self, what: str, number: int, words: str) -> None:
        first, before = self.said.get(what, (number, ""))
        self.said[what] = (
            first,
            one_line(f"{before} {words}").rstrip(".") if what == "zone" else one_line(f"{before} {words}"),
        )

    def _day(self, parts: list[_Part]) -> date | None:
        """The day of the impact: the first of the timeline that is the impact's own, else the file's."""
        named = day_of_name(self.name)
        lines = [line for part in parts if key_of(part.heading[1]) == TIMELINE for line in part.lines]
        days = days_named(lines)
        if named and days and min(abs(day - named).days for day in days) > 7:
            self.doubts.append(Doubt(0, self.name, f"the file says {named}, but its timeline begins on {days[0]}"))
        return named or (days[0] if days else None)

    def _section(self, part: _Part, reader: PagerDutyTimeline) -> None:
        heading = part.heading[1]
        key = key_of(heading)
        lines = [(number, line) for number, line in part.lines if line.strip() != NO_COMMENTS]
        if key == TIMELINE:
            self.sections.append(Section(key, heading, reader.read(lines)))
            return
        # Of a short text the longest line tells nothing: a line of that column has more than fifty characters.
        width = max([55, *(len(line) for _, line in lines)])
        blocks = blocks_of([line for _, line in lines], width)
        if key == ACTIONS:
            self._actions(heading, part.heading[0], blocks)
        else:
            self.sections.append(Section(key, heading, markdown_of(blocks)))

    def _actions(self, heading: str, number: int, blocks: list[str]) -> None:
        first = next((place for place, block in enumerate(blocks) if BULLET.match(block)), None)
        intro = blocks[:first] if first is not None else []
        keeps_numbers = names_numbers(" ".join(intro))
        if first is None and blocks:
            self.guesses.append(Doubt(number, blocks[0][:80], "no bullets: every paragraph is read as an action item"))
            self.items += [item_of(block) for block in blocks]
        for block in blocks[first or 0 :] if first is not None else []:
            bullet = BULLET.match(block)
            if bullet or not self.items:
                self._item(block, keeps_numbers=keeps_numbers)
            else:
                last = self.items.pop()
                self.items.append(item_of(f"{'[x] ' if last.is_done else ''}{last.text}\n{block}"))
        self.sections.append(Section(ACTIONS, heading, markdown_of(intro)))

    def _item(self, block: str, *, keeps_numbers: bool) -> None:
        bullet = BULLET.match(block)
        box = bullet["box"] if bullet else None
        text = block if keeps_numbers or not bullet else block[bullet.end() :]
        self.items.append(item_of(f"[{' ' if box == '☐' else 'x'}] {text}" if box else text))


def _section_number(line: str) -> int:
    said = one_line(line).casefold().replace("’", "'")
    return _SECTIONS.index(said) if said in _SECTIONS else -1


def markdown_of(blocks: list[str]) -> str:
    """Write blocks as Markdown: bullets below each other, paragraphs apart."""
    lines: list[str] = []
    was_bullet = False
    for block in blocks:
        bullet = BULLET.match(block)
        if lines and not (bullet and was_bullet):
            lines.append("")
        mark = bullet["mark"] if bullet else None
        lines.append(f"- {block[bullet.end() :]}" if bullet and mark and not mark[0].isdigit() else block)
        was_bullet = bool(bullet)
    return trimmed("\n".join(lines).split("\n"))
