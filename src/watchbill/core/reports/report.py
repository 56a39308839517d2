"""A post-mortem report as a record: what is written in every one of them, whatever shape it came in.

Instants are aware and in UTC; `zone` is the IANA name of the clock that the report's times were written by. Text is
Markdown unless it says otherwise. What compares as equal is the record; what only tells how it was read (the original,
the doubts, the words that became a key) does not count, so that a report written and read again equals itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

EntryKind = Literal["entry", "system", "chat"]
ENTRY_KINDS: tuple[EntryKind, ...] = ("entry", "system", "chat")
ACTION_KINDS = ("process", "documentation", "technical")
STATUSES = ("draft", "in_review", "reviewed", "published")
# The sections whose content is kept apart: their `text` is only what stands before the entries or the items.
TIMELINE, ACTIONS = "timeline", "actions"
SECTION_KEYS = (
    "summary", "what_happened", "impact", "resolution", "lucky", "went_well", "went_wrong", "factors", "avoid",
    ACTIONS, TIMELINE, "notes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something in the original that a person should look at: its line (from 1; 0 for none), its words, and why."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report, in its order. `key` is one of SECTION_KEYS, or "" for one that we do not know.

    A first section without a heading holds what stands before all headings.
    """

    key: str
    heading: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ActionItem:
    """Something to be done. `text` may have several lines; `reference` is the first `#2127` or address in it.

    `part` is the heading of its section, when the report has more than one with action items and it is not the first.
    """

    text: str
    is_done: bool = False
    kind: str = ""
    reference: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline. `at` is None where no instant is known; `written` is the time as it stands in the report.

    `kind`: written by a person, by the tool, or in a chat. `place` is the chat's channel (`#outage-12`). `part` as in
    ActionItem.
    """

    at: datetime | None
    written: str
    text: str
    kind: EntryKind = "entry"
    author: str = ""
    place: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the impact, in words: `Users affected`, `about 300`."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report.

    `day` is the day that the file says it is about. `status` is one of STATUSES, or as it was read. `impact_time` and
    `duration` are the words of the report; `started_at` and `ended_at` what they mean, None when that is not known.

    `guesses`: what was read by a guess that may be wrong (the year, the next day, one of two zones of one name).
    `not_understood`: what could not be read, or says two things; all of it is still in `original`.
    """

    title: str
    day: date | None = None
    status: str = ""
    owner: str = ""
    zone: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    impact_time: str = ""
    duration: str = ""
    impact: tuple[Figure, ...] = ()
    sections: tuple[Section, ...] = ()
    timeline: tuple[Entry, ...] = ()
    actions: tuple[ActionItem, ...] = ()
    status_as_read: str = field(default="", compare=False)
    zone_as_read: str = field(default="", compare=False)
    guesses: tuple[Doubt, ...] = field(default=(), compare=False)
    not_understood: tuple[Doubt, ...] = field(default=(), compare=False)
    original: str = field(default="", compare=False, repr=False)

    def section(self, key: str) -> Section | None:
        """Give the first section with that key."""
        return next((section for section in self.sections if section.key == key), None)
