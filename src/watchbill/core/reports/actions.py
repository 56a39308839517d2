"""Read the action items of a Markdown report: bullets with or without boxes, under headings that give their kind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from watchbill.core.reports.report import ActionItem, Doubt
from watchbill.core.reports.sheet import Block, Sheet
from watchbill.core.reports.words import kind_of, reference_in, trimmed

_BOX = re.compile(r"\[(?P<mark>[ xX]?)\](?:[ ]+|$)")
_INNER_BOX = re.compile(r"^[ ]*(?:[-*+]|\d+[.)])[ ]+\[[ xX]\] ", re.MULTILINE)
_BY_NUMBER = re.compile(r"\(\d\)")


@dataclass
class Actions:
    """Reads the blocks of one section of action items; `part` is its heading when it is not the first."""

    sheet: Sheet
    part: str = ""
    items: list[ActionItem] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    guesses: list[Doubt] = field(default_factory=list)

    def read(self, blocks: list[Block], line: int) -> str:
        """Read the items, and give what stands around them. `line` is that of the section, from 1."""
        around: list[str] = []
        kind, last = "", 0
        for block in blocks:
            if block.items:
                self._list(block, kind)
            elif block.kind == "heading" and (named := kind_of(block.words)) is not None:
                kind = named
            else:
                around += [""] * (block.start > last) + self.sheet.raw(block.start, block.end)
                last = block.end
        if around and not self.items:
            self.doubts.append(
                Doubt(line, around[0].strip()[:80], "no list of action items: nothing could become a task")
            )
        return trimmed(around)

    def _list(self, block: Block, kind: str) -> None:
        for start, end in block.items:
            text = self.sheet.item(start, end)
            if _INNER_BOX.search(text):
                self.guesses.append(
                    Doubt(start + 1, text.split("\n")[0][:80], "has boxes of its own, kept in its text")
                )
            self.items.append(item_of(text, kind, self.part))


def item_of(text: str, kind: str = "", part: str = "") -> ActionItem:
    """Make an item of a bullet's text: its box is its state; without one it is not done."""
    box = _BOX.match(text)
    said = trimmed(text[box.end() :].split("\n")) if box else text
    return ActionItem(said, bool(box and box["mark"].strip()), kind, reference_in(said), part)


def names_numbers(intro: str) -> bool:
    """Tell whether a text speaks of items by their numbers, `either (1) or (2)`, so that they must be kept."""
    return bool(_BY_NUMBER.search(intro))
