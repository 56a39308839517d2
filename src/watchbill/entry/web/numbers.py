"""Numbers that an address or a form names: whatever stands there, the answer is a number that a database knows, or none."""

from __future__ import annotations

from collections.abc import Iterable

# "²" is a digit too, and a database takes 18 of them.
LONGEST = 18


def number_in(text: str) -> int | None:
    """Read an id; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST else None


def numbers_in(texts: Iterable[str]) -> list[int]:
    """Read the ids among some texts."""
    return [number for text in texts if (number := number_in(text)) is not None]
