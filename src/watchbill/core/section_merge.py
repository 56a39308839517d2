"""Put together what two people wrote in one section at once, by lines, so that nothing that was typed is lost.

Both began from `base`. Where they changed different lines, both changes stand. Where they changed the same place, or
wrote at the same seam, there is no answer that a program may give: None, and the later words are kept beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise


@dataclass(frozen=True)
class _Change:
    """Lines `start` to `end` of the base (half-open) became `lines`."""

    start: int
    end: int
    lines: tuple[str, ...]


def merge(base: str, theirs: str, mine: str) -> str | None:
    """Put two changes of one text together; None when they meet in the same place."""
    if mine in (theirs, base):
        return theirs
    if theirs == base:
        return mine
    lines = base.split("\n")
    here, there = _changes(lines, mine.split("\n")), _changes(lines, theirs.split("\n"))
    both = sorted({*here, *there}, key=lambda change: (change.start, change.end))
    for first, second in pairwise(both):
        # Touching is meeting: two lines written at one seam have no order.
        if second.start <= first.end:
            return None
    for change in reversed(both):
        lines[change.start : change.end] = change.lines
    return "\n".join(lines)


def _changes(base: list[str], changed: list[str]) -> list[_Change]:
    matcher = SequenceMatcher(None, base, changed, autojunk=False)
    return [
        _Change(start, end, tuple(changed[begin:stop]))
        for tag, start, end, begin, stop in matcher.get_opcodes()
        if tag != "equal"
    ]
