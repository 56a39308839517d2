"""The words of reports: which heading means which section, which status is which, what a line refers to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from watchbill.core.reports.report import ACTIONS, TIMELINE, Doubt
from watchbill.kit.errors import Unreadable

MOST_CHARACTERS = 1_000_000
KIND_HEADINGS = {"process": "Process", "documentation": "Documentation", "technical": "Technical", "": "Other"}
DAY_NOT_KNOWN = "Day not known"
# Theirs: what 2i2c prints where a value is missing, and PagerDuty where a section is empty.
NO_ZONE = "no time zone is given: the time is kept as written"
NO_VALUE, NO_COMMENTS = "Unknown", "No comments added"

_HEADINGS = {
    "summary": r"(executive )?summary|overview|abstract|tl ?dr",
    "what_happened": r"what happened|description|details",
    "impact": r"impact( on .*)?|user impact",
    "resolution": r"resolution|mitigation|how (it|this|we) (was )?(resolved|fixed)( it| this)?",
    "lucky": r"(where )?we (got|were) lucky|where (did )?we (get|got|were) lucky|luck",
    "went_well": r"(what )?went well",
    "went_wrong": r"what (went (wrong|badly|poorly)|(didn ?t|did not|could have) (go|gone) (so |as |quite )?(well|better))",
    "factors": r"(contributing |sources of )?(factors|failure|causes)|root causes?",
    "avoid": r"(how )?((will|do|can|could) )?(we )?(avoid|prevent)( it| this)?( in (the )?future| again| happening again)?",
    ACTIONS: r"action items|actions|follow ?ups?( (actions|items|improvements|tasks))?|next steps|improvements|after action items",
    "notes": r"(additional )?notes",
}
_KEYS = {key: re.compile(pattern) for key, pattern in _HEADINGS.items()}
_TIMELINE = re.compile(r"(\w+ ){0,3}timeline( \w+){0,3}")
_KINDS = {
    "process": re.compile(r"process(es)?( improvements)?"),
    "documentation": re.compile(r"doc(umentation|s)?( improvements)?"),
    "technical": re.compile(r"(technical|tech)( improvements)?"),
    "": re.compile(r"other"),
}
_STATUS = {
    "draft": "draft", "in review": "in_review", "in_review": "in_review", "reviewed": "reviewed",
    "closed": "published", "published": "published",
}  # fmt: skip
_URL = re.compile(r"https?://[^\s<>\"'`|\])]+", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w&/])(?:[\w.-]+/[\w.-]+)?#\d+\b")
_BETWEEN = re.compile(r"\([^()]*\)")
_PUNCTUATION = re.compile(r"[^\w]+")


def tidy(text: str) -> str:
    """Give a text with one kind of line end and no character that a database refuses. Raises Unreadable if too long."""
    if len(text) > MOST_CHARACTERS:
        raise Unreadable(f"a report of more than {MOST_CHARACTERS} characters")
    whole = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return whole.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def one_line(text: str) -> str:
    """Give a text on one line, with single spaces."""
    return " ".join(text.split())


def trimmed(lines: list[str]) -> str:
    """Join lines, without the empty ones at both ends; a line of spaces is empty."""
    kept = [line if line.strip() else "" for line in lines]
    while kept and not kept[0]:
        kept.pop(0)
    while kept and not kept[-1]:
        kept.pop()
    return "\n".join(kept).rstrip()


def plain(heading: str) -> str:
    """Give a heading in small letters, without marks, punctuation and what stands in brackets."""
    outside = _BETWEEN.sub(" ", heading[:200]).replace("’", "'")
    return _PUNCTUATION.sub(" ", outside).strip().casefold()


def key_of(heading: str) -> str:
    """Give the key of the section that a heading begins; "" when we do not know it."""
    words = plain(heading)
    if _TIMELINE.fullmatch(words):
        return TIMELINE
    return next((key for key, pattern in _KEYS.items() if pattern.fullmatch(words)), "")


def kind_of(heading: str) -> str | None:
    """Give the kind of action that a heading inside the action items means; None when it means none."""
    words = plain(heading)
    return next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(words)), None)


def status_of(words: str) -> str:
    """Give the status that a tool's word means (PagerDuty's `Closed` is a published report), or the word itself."""
    return _STATUS.get(one_line(words).casefold(), one_line(words))


def folded(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Give doubts with one for all the times of a report without a time zone, for they have one cause."""
    kept: list[Doubt] = []
    for doubt in doubts:
        if doubt.why != NO_ZONE or all(each.why != NO_ZONE for each in kept):
            kept.append(doubt)
    return tuple(kept)


def reference_in(text: str) -> str:
    """Give the first `#2127`, `owner/name#7` or address in a text, whichever comes first; "" when there is none."""
    found = [match for match in (_URL.search(text), _NUMBER.search(text)) if match]
    if not found:
        return ""
    first = min(found, key=lambda match: match.start())
    return first[0].rstrip(".,;:!?’”*_")
