"""A Markdown text as its blocks: where each begins and ends, so that its own lines can be kept as they were written.

markdown-it finds the structure; nothing of it is rendered. HTML is read as text, and the insides of paragraphs are
left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from watchbill.core.reports.words import one_line, trimmed

_READER = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    .enable("table")
    .disable(["inline", "reference"])
    .use(front_matter_plugin)
)
_MARKER = re.compile(r"[ ]{0,3}(?:[-*+]|\d{1,9}[.)])(?:[ ]{1,4}(?=\S)|[ ]|$)")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})[ \t]*")


@dataclass(frozen=True, slots=True)
class Block:
    """One block at the top of a text: `kind` is the type of its token without `_open`; lines are [start, end).

    `level` and `words` are those of a heading; `rows` the cells of a table; `items` the lines [start, end) of a list.
    """

    kind: str
    start: int
    end: int
    level: int = 0
    words: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    items: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and the blocks below it, up to the next heading that counts; no heading above the first one."""

    heading: Block | None
    blocks: list[Block] = field(default_factory=list)


class Sheet:
    """A text, its lines (counted from 0) and its blocks."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.blocks = _blocks(_READER.parse(text))

    def raw(self, start: int, end: int) -> list[str]:
        """Give the lines of a stretch as they stand."""
        return self.lines[start:end]

    def text_of(self, blocks: list[Block]) -> str:
        """Give the lines of blocks that follow each other, with the empty lines between them."""
        lines: list[str] = []
        last = blocks[0].start if blocks else 0
        for block in blocks:
            lines += [""] * (block.start > last)
            lines += self.raw(block.start, block.end)
            last = block.end
        return trimmed(lines)

    def item(self, start: int, end: int) -> str:
        """Give the text of a list item: without its marker, and its other lines moved left by as much."""
        first = self.lines[start]
        marker = _MARKER.match(first)
        width = marker.end() if marker else 0
        rest = [line[min(width, len(line) - len(line.lstrip(" "))) :] for line in self.raw(start + 1, end)]
        return trimmed([first[width:], *rest])

    def parts(self, deepest: int, first: int = 0) -> list[Part]:
        """Cut the blocks from number `first` on at every heading of a level up to `deepest`."""
        parts = [Part(None)]
        for block in self.blocks[first:]:
            if block.kind == "heading" and block.level <= deepest:
                parts.append(Part(block))
            else:
                parts[-1].blocks.append(block)
        return parts


def _blocks(tokens: list[Token]) -> list[Block]:
    blocks: list[Block] = []
    begun = 0
    for number, token in enumerate(tokens):
        if token.level == 0 and token.nesting == 1:
            begun = number
        elif token.level == 0:
            blocks.append(_block(tokens[begun : number + 1] if token.nesting else [token]))
    return blocks


def _block(tokens: list[Token]) -> Block:
    first = tokens[0]
    kind = first.type.removesuffix("_open")
    start, end = first.map or (0, 0)
    if kind == "front_matter":
        return Block(kind, start, end, words=first.content)
    if kind == "heading":
        return Block(kind, start, end, int(first.tag[1:]), one_line(tokens[1].content))
    if kind == "table":
        return Block(kind, start, end, rows=_rows(tokens))
    if kind in {"bullet_list", "ordered_list"}:
        items = [
            (item.map[0], item.map[1])
            for item in tokens
            if item.type == "list_item_open" and item.level == 1 and item.map
        ]
        return Block(kind, start, end, items=tuple(items))
    return Block(kind, start, end)


def _rows(tokens: list[Token]) -> tuple[tuple[str, ...], ...]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.content.strip())
    return tuple(tuple(row) for row in rows)


def inside(text: str, above: int) -> str:
    """Give a text that can stand below a heading of level `above`: its own headings deeper, every fence closed."""
    sheet = Sheet(trimmed(text.split("\n")))
    headings = [block for block in sheet.blocks if block.kind == "heading"]
    deeper = max(above + 1 - min((block.level for block in headings), default=7), 0)
    lines = list(sheet.lines)
    if deeper:
        for block in reversed(headings):
            lines[block.start : block.end] = [f"{'#' * min(block.level + deeper, 6)} {block.words}".rstrip()]
    if fence := _open_fence(sheet):
        lines.append(fence)
    return trimmed(lines)


def _open_fence(sheet: Sheet) -> str:
    last = sheet.blocks[-1] if sheet.blocks else None
    if last is None or last.kind != "fence":
        return ""
    opened = _FENCE.match(sheet.lines[last.start])
    mark = opened[1] if opened else "```"
    closed = _FENCE.fullmatch(sheet.lines[last.end - 1])
    if last.end - last.start > 1 and closed and closed[1].startswith(mark):
        return ""
    return mark
