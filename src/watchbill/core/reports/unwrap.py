"""Lines of a printed page as text again: addresses that were broken over lines mended, wrapped lines joined.

A PDF knows no paragraphs, only lines. Whether two belong together is judged from how full the first is and how the
next begins; whatever is judged, every word stays, in its order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Line = tuple[int, str]
BULLET = re.compile(r"(?P<mark>[-*•‣●▪◦]|\d{1,2}[.)])[ ]+(?=\S)|(?P<box>[☐☑☒])[ ]*")
_ADDRESS_END = re.compile(r"https?://\S*$", re.IGNORECASE)
_GOES_ON = re.compile(r"[/%=&?#;_]")
_PATH = re.compile(r"[\w\-.~%]+/[\w\-.~%/#?=&]*\d[\w\-.~%/#?=&]*[.,;:)]*")
_ENDS = (".", "!", "?", ":", "”", '"', "…")
_BROKEN_WORD = re.compile(r"\w-")
_FENCE = "```"


def mend(lines: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """Join addresses that were broken over lines; give the lines, and those where it is not clear whether one goes on.

    A line keeps its number; the rest of a line whose beginning moved up keeps its own.
    """
    mended: list[Line] = []
    unclear: list[Line] = []
    full = max((len(text) for _, text in lines), default=0)
    for number, text in lines:
        head, _, rest = text.partition(" ")
        before = mended[-1][1] if mended else ""
        address = _ADDRESS_END.search(before[-2000:])
        joins = address and head and _joins(address[0], head, is_full=len(before) >= full * 0.8)
        if joins and mended:
            mended[-1] = (mended[-1][0], before + head)
            mended += [(number, rest)] if rest else []
            continue
        if address and joins is None:
            unclear.append(mended[-1])
        mended.append((number, text))
    return mended, unclear


def _joins(address: str, head: str, *, is_full: bool) -> bool | None:
    """Tell whether an address at the end of a line goes on with the first word of the next; None when it may."""
    if BULLET.match(f"{head} x") or "://" in head:
        return False
    if head.startswith(("/", "?", "&", "%")) or address.endswith(("-", "=", "&", "%", "_", "?")):
        return True
    if address.endswith("/"):
        return (
            True if _GOES_ON.search(head) or head.rstrip(".,;:)").isdigit() else (None if head[0].islower() else False)
        )
    return bool(is_full and _PATH.fullmatch(head))


def blocks_of(lines: Sequence[str], width: int, first_is_headline: bool = False) -> list[str]:
    """Join wrapped lines to blocks of text: paragraphs, bullets, or the lines of fenced code as they are.

    `width` is that of a full line there, in characters. `first_is_headline`: the first line is a headline, and what
    follows begins anew unless the headline is full.
    """
    blocks: list[str] = []
    is_code = False
    previous = ""
    for number, line in enumerate(lines):
        text = line.rstrip() if is_code else line.strip()
        if not is_code and (not text or _begins(previous, text, width, is_headline=first_is_headline and number == 1)):
            blocks.append(text)
        elif is_code or not blocks:
            blocks[len(blocks) - 1 :] = [f"{blocks[-1]}\n{text}" if blocks else text]
        else:
            blocks[-1] += text if _BROKEN_WORD.search(blocks[-1][-2:]) else f" {text}"
        is_code ^= text.count(_FENCE) % 2 == 1
        previous = text
    return [fenced(block) for block in blocks if block]


def _begins(previous: str, text: str, width: int, *, is_headline: bool) -> bool:
    """Tell whether a line begins a block of its own."""
    if not previous or BULLET.match(text) or text.startswith((_FENCE, ">")):
        return True
    if previous.endswith(_FENCE):
        return True
    if text[0].islower() or text[0] in "(,;)":
        return False
    if is_headline:
        return len(previous) < width * 0.9
    return len(previous) < width * (0.8 if previous.endswith(_ENDS) else 0.6)


def fenced(block: str) -> str:
    """Put the fences of code on lines of their own: a page has no room to say so, Markdown needs it."""
    if _FENCE not in block or "\n" not in block:
        return block
    lines: list[str] = []
    is_code = False
    for line in block.split("\n"):
        parts = line.split(_FENCE)
        for number, part in enumerate(parts):
            if number:
                lines.append(_FENCE)
                is_code = not is_code
            if part.strip():
                lines.append(part.rstrip())
            elif len(parts) == 1:
                lines.append("")
    return "\n".join([*lines, *([_FENCE] if is_code else [])])
