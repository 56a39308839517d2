"""Badges: a small picture of a state, with the words in it, for a page of somebody else's."""

from __future__ import annotations

from django.utils.html import format_html

from watchbill.core.statuspage import DEGRADED, MAINTENANCE, MAJOR, OPERATIONAL, PARTIAL

# Each with white words on it at 4.5:1.
COLOURS = {OPERATIONAL: "#2c6e3f", MAINTENANCE: "#2f5fa8", DEGRADED: "#8a5a00", PARTIAL: "#9c3d00", MAJOR: "#b3261e"}
LONGEST = 40


def draw(name: str, words: str, condition: str) -> bytes:
    """Draw a badge: the name on dark, the words on the colour of the condition."""
    name, words = name[:LONGEST], words[:LONGEST]
    left, right = _width(name), _width(words)
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{name}: {words}">'
        "<title>{name}: {words}</title>"
        '<rect width="{whole}" height="20" rx="3" fill="#33373d"/>'
        '<path d="M{left} 0h{inner}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{inner}z" fill="{colour}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        '<text x="7" y="14" textLength="{name_long}">{name}</text>'
        '<text x="{at}" y="14" textLength="{words_long}">{words}</text></g></svg>',
        whole=left + right,
        left=left,
        inner=right - 3,
        at=left + 7,
        colour=COLOURS[condition],
        name=name,
        words=words,
        name_long=left - 14,
        words_long=right - 14,
    ).encode()


def _width(text: str) -> int:
    """Guess how wide some text is; `textLength` makes it so."""
    return 14 + round(6.6 * len(text))
