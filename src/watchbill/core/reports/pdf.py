"""A report as PDF: what is handed to people who want a document.

The font is embedded (Roboto: Latin, Greek, Cyrillic, Vietnamese). A character that it does not have is drawn as a
box, and the last line of the document says how many there were. The text is drawn as it is written: links as their
addresses, code in its own lines, no pictures. The same report gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import font_roboto
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate

from watchbill.core.reports.report import ACTIONS, TIMELINE, ActionItem, Entry, Report
from watchbill.core.reports.sheet import Sheet
from watchbill.core.reports.words import KIND_HEADINGS, one_line
from watchbill.core.reports.write import impact_words, whole_sections

_STATUS = {"draft": "Draft", "in_review": "In review", "reviewed": "Reviewed", "published": "Published"}
_UNKNOWN = "\u25a1"
_FENCE = re.compile(r"[ ]{0,3}(?:`{3,}|~{3,})")


def write_pdf(report: Report) -> bytes:
    """Write a report as an A4 document of text that can be searched and copied."""
    page = _Page()
    flow = [page.paragraph(*line) for line in _lines(report)]
    if page.missing:
        said = f"{page.missing} characters of this report are not in the document's font and are drawn as boxes."
        flow.append(page.paragraph("note", said))
    into = BytesIO()
    document = SimpleDocTemplate(
        into, pagesize=A4, leftMargin=22 * mm, rightMargin=22 * mm, topMargin=20 * mm, bottomMargin=20 * mm,
        title=one_line(report.title), author="", invariant=1,
    )  # fmt: skip
    document.build(flow, onFirstPage=_number, onLaterPages=_number)
    return into.getvalue()


@lru_cache(maxsize=1)
def _fonts() -> frozenset[int]:
    """Register the fonts; give the characters that the plain one has."""
    folder = Path(font_roboto.__file__).parent / "files"
    for name in ("Regular", "Bold", "Italic"):
        pdfmetrics.registerFont(TTFont(f"Roboto-{name}", folder / f"Roboto-{name}.ttf"))
    return frozenset(pdfmetrics.getFont("Roboto-Regular").face.charToGlyph)


def _style(name: str, font: str, size: float, before: float, after: float, left: float = 0) -> ParagraphStyle:
    return ParagraphStyle(
        name, fontName=f"Roboto-{font}", fontSize=size, leading=size * 1.4, spaceBefore=before, spaceAfter=after,
        leftIndent=left, alignment=TA_LEFT, splitLongWords=1,
    )  # fmt: skip


def _styles() -> dict[str, ParagraphStyle]:
    rows = (
        _style("title", "Bold", 18, 0, 8), _style("heading", "Bold", 13, 14, 4), _style("day", "Bold", 10, 8, 2),
        _style("text", "Regular", 10, 0, 4), _style("code", "Regular", 8.5, 0, 0, 12),
        _style("item", "Regular", 10, 0, 3, 12), _style("quiet", "Italic", 9, 0, 2, 12), _style("note", "Italic", 9, 14, 0),
    )  # fmt: skip
    return {style.name: style for style in rows}


class _Page:
    """Makes paragraphs, and counts the characters that could not be drawn."""

    def __init__(self) -> None:
        self.known = _fonts()
        self.styles = _styles()
        self.missing = 0

    def paragraph(self, style: str, text: str, bold: str = "") -> Paragraph:
        """Make a paragraph; `bold` stands before the text."""
        first = f'<font name="Roboto-Bold">{self._drawn(bold)}</font> ' if bold else ""
        return Paragraph(f"{first}{self._drawn(text)}", self.styles[style])

    def _drawn(self, text: str) -> str:
        out: list[str] = []
        for letter in text.replace("\t", "    "):
            is_known = ord(letter) in self.known or letter == "\n"
            self.missing += not is_known and not letter.isspace()
            out.append(letter if is_known else (" " if letter.isspace() else _UNKNOWN))
        return escape("".join(out), quote=False).replace("\n", "<br/>").replace("  ", " \u00a0")


def _number(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont("Roboto-Regular", 8)
    canvas.drawRightString(A4[0] - 22 * mm, 10 * mm, str(document.page))


def _lines(report: Report) -> Iterator[tuple[str, ...]]:
    """Give the document as paragraphs: a style, a text, and what stands before it in bold."""
    yield "title", one_line(report.title)
    facts = (
        ("Status", _STATUS.get(report.status, report.status)), ("Owner of the review", report.owner),
        ("Impact time", impact_words(report)), ("Duration", report.duration), ("Time zone", report.zone),
        *((figure.name, figure.value) for figure in report.impact),
    )  # fmt: skip
    yield from (("text", value, f"{name}:") for name, value in facts if value)
    first: set[str] = set()
    for section in whole_sections(report):
        part = "" if section.key not in first else section.heading
        first.add(section.key)
        if section.heading:
            yield "heading", section.heading
        yield from _blocks(section.text)
        if section.key == TIMELINE:
            yield from _timeline([entry for entry in report.timeline if entry.part == part], report.zone)
        elif section.key == ACTIONS:
            yield from _actions([item for item in report.actions if item.part == part])


def _blocks(text: str) -> Iterator[tuple[str, ...]]:
    sheet = Sheet(text)
    for block in sheet.blocks:
        lines = sheet.raw(block.start, block.end)
        if block.kind == "heading":
            yield "day", block.words
        elif block.kind in {"fence", "code_block"}:
            kept = [line for line in lines if not _FENCE.match(line)]
            # Line by line, for a paragraph that is longer than a page cannot be drawn.
            yield from (("code", line) for line in kept)
        elif block.items:
            yield from (
                ("item", sheet.item(start, end), sheet.raw(start, end)[0].split()[0]) for start, end in block.items
            )
        else:
            yield "text", "\n".join(lines)


def _timeline(entries: list[Entry], zone: str) -> Iterator[tuple[str, ...]]:
    day = ""
    for entry in entries:
        at = entry.at.astimezone(ZoneInfo(zone or "Etc/UTC")) if entry.at else None
        if at and f"{at:%Y-%m-%d}" != day:
            day = f"{at:%Y-%m-%d}"
            yield "day", day
        time = entry.written or (f"{at:%H:%M}" if at else "")
        who = " ".join(each for each in (entry.author, entry.place) if each)
        head, *rest = entry.text.split("\n", 1)
        yield ("quiet" if entry.kind == "system" else "item"), f"{who}: {head}" if who else head, time
        yield from (("item", *line[1:]) if line[0] == "text" else line for line in _blocks("\n".join(rest)))


def _actions(items: list[ActionItem]) -> Iterator[tuple[str, ...]]:
    for item in items:
        kind = f" ({KIND_HEADINGS[item.kind]})" if item.kind in KIND_HEADINGS and item.kind else ""
        yield "item", f"{item.text}{kind}", "[x]" if item.is_done else "[ ]"
