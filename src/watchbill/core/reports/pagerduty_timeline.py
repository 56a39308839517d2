"""Read the timeline of a PagerDuty export: what people wrote, what the tool wrote, what was said in the chat.

Below one time stand often all three: an entry, then lines of the tool, then a speaker's. Each becomes an entry of its
own, with that time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from watchbill.core.reports.report import Doubt, Entry, EntryKind
from watchbill.core.reports.unwrap import Line, blocks_of
from watchbill.core.reports.when import Clock, Lead, lead_of
from watchbill.core.reports.words import trimmed

_TIME = re.compile(r"\d{1,2}:\d\d ?[AP]M( |$)", re.IGNORECASE)
_SYSTEM = re.compile(
    r"(?:(?:Triggered|Resolved|Acknowledged|Escalated|Reassigned|Snoozed|Merged|Note added|Urgency changed)[ ]?"
    r"(?:by|to|through|into|due|via|from)\b"
    r"|(?:Acknowledged|Triggered|Resolved)\.?$|Assigned to\b|Priority (?:set|changed|removed)\b|Description:"
    r"|INCIDENT #\d|Resolution Note:|Status update\b|Notified\b|Responders? (?:requested|added)\b|Added responder)"
)
_INCIDENT = re.compile(r"INCIDENT #\d+")
_SPEAKER = re.compile(r"(?P<author>[^#\n]{1,60}?)[ ]?(?P<place>#[a-z0-9][a-z0-9_\-]{1,79})")
_NAME = re.compile(r"[a-z0-9._-]+|[A-Z][\w.'’-]*(?: [A-Za-z][\w.'’-]*){0,3}")


def days_named(lines: Sequence[Line]) -> list[date]:
    """Give the days that are headings among the lines of a timeline."""
    days = (_day_heading(line) for _, line in lines)
    found = (lead.day.near(None) for lead in days if lead and lead.day)
    return [day for day in found if day]


def _day_heading(line: str) -> Lead | None:
    lead = lead_of(line)
    return lead if lead and lead.day and lead.day.year and lead.wall is None and not lead.rest.strip() else None


@dataclass
class _Said:
    """Lines that belong together: of one kind, by one speaker."""

    kind: EntryKind
    lines: list[str]
    author: str = ""
    place: str = ""


@dataclass
class PagerDutyTimeline:
    """Reads lines to entries. `zone` is an IANA name, "" when it is not known."""

    zone: str
    entries: list[Entry] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    guesses: list[Doubt] = field(default_factory=list)

    def read(self, lines: Sequence[Line]) -> str:
        """Read the entries, and give what stands before the first one."""
        clock = Clock(None, self.zone)
        self.width = max([60, *sorted(len(line) for _, line in lines if "://" not in line)[-3:-2]])
        intro: list[str] = []
        group: list[Line] = []
        lead: Lead | None = None
        is_code = False
        for number, line in lines:
            heading = None if is_code else _day_heading(line)
            starts = not is_code and _TIME.match(line)
            if heading or starts:
                self._entries(lead, group, clock)
                group, lead = [], None
            if heading:
                clock.turn_to(heading.day)
            elif starts:
                lead = lead_of(line)
                group = [(number, lead.rest if lead else line)]
            elif group:
                group.append((number, line))
            else:
                intro.append(line)
            is_code ^= line.count("```") % 2 == 1
        self._entries(lead, group, clock)
        return trimmed(blocks_of(intro, self.width))

    def _entries(self, lead: Lead | None, group: list[Line], clock: Clock) -> None:
        if not group:
            return
        number, first = group[0]
        at, why = clock.at(lead) if lead else (None, "not a time of day")
        written = clock.written(lead, at) if lead else ""
        if why:
            (self.guesses if at else self.doubts).append(Doubt(number, f"{written} {first}"[:80], why))
        for said in _cut([line for _, line in group]):
            text = trimmed(_text(said, self.width).split("\n"))
            self.entries.append(Entry(at, written, text, said.kind, said.author, said.place))


def _text(said: _Said, width: int) -> str:
    """Join the wrapped lines: to paragraphs, to the lines of a message, or to those of the tool."""
    if said.kind == "entry":
        return "\n\n".join(blocks_of(said.lines, width, first_is_headline=True))
    if said.kind == "chat":
        return "\n".join(blocks_of(said.lines, width))
    groups: list[list[str]] = []
    for line in said.lines:
        title_follows = bool(groups) and _INCIDENT.fullmatch(groups[-1][-1].strip())
        if not groups or title_follows or _SYSTEM.match(line.strip()):
            groups.append([])
        groups[-1].append(line)
    return "\n".join(block for group in groups for block in blocks_of(group, 0))


def _cut(lines: list[str]) -> list[_Said]:
    """Cut what stands below one time by who said it. After `INCIDENT #7` comes its title, which is the tool's too."""
    pieces: list[_Said] = []
    is_code = False
    for line in lines:
        speaker = None if is_code else _speaker(line)
        if speaker:
            pieces.append(speaker)
        elif not is_code and _SYSTEM.match(line.strip()):
            if not pieces or pieces[-1].kind != "system":
                pieces.append(_Said("system", []))
            pieces[-1].lines.append(line)
        elif pieces:
            pieces[-1].lines.append(line)
        elif line.strip():
            pieces.append(_Said("entry", [line]))
        is_code ^= line.count("```") % 2 == 1
    return pieces or [_Said("entry", [])]


def _speaker(line: str) -> _Said | None:
    found = _SPEAKER.fullmatch(line.strip())
    if (
        not found
        or not any(letter.isalpha() for letter in found["place"])
        or not _NAME.fullmatch(found["author"].strip())
    ):
        return None
    return _Said("chat", [], found["author"].strip(), found["place"])
