"""Small aligned tables, and the words for figures."""

from __future__ import annotations

from collections.abc import Sequence


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column is words, the others are figures and line up on the right."""
    widths = [max(len(str(row[place])) for row in [head, *rows]) for place in range(len(head))]
    print(f"\n{title}")
    for row in [head, *rows]:
        first, *rest = (str(cell) for cell in row)
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        print("  " + "   ".join(cells).rstrip(), flush=True)


def ms(seconds: float) -> str:
    """Write seconds as milliseconds."""
    return f"{seconds * 1000:,.1f} ms" if seconds < 10 else f"{seconds:,.1f} s"


def at_least(figure: float, goal: float) -> str:
    """Write how a figure stands to a goal that it should reach."""
    return f"{figure / goal:.2f} x goal{'' if figure >= goal else '  MISSED'}"


def at_most(figure: float, limit: float) -> str:
    """Write how a figure stands to a limit that it should keep."""
    return f"{figure / limit:.2f} of limit{'' if figure <= limit else '  MISSED'}"


def percentile(figures: Sequence[float], share: float) -> float:
    """Give the figure below which `share` (0 to 1) of them lie."""
    ordered = sorted(figures)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
