"""What a command prints: aligned tables for people, JSON for programs; colour only on a terminal."""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from watchbill.entry.cli.client import clean

COLOURS = {
    "firing": "red", "climbing": "red", "exhausted": "red", "failed": "red", "acknowledged": "yellow",
    "snoozed": "yellow", "waiting": "yellow", "resolved": "green", "sent": "green",
}  # fmt: skip
GAP = 2


@dataclass(frozen=True)
class Said:
    """What a command has to say: the data as the API gave it, how to show it to a person, and the exit code."""

    data: Any
    show: Callable[[], None]
    exit_code: int = 0


def told(data: Any, words: str) -> Said:
    """Say one line of what was done."""
    return Said(data, lambda: click.echo(clean(words)))


def as_json(command: Callable[..., Said | None]) -> Callable[..., None]:
    """Add `--json` to a command: what it has to say is printed as JSON, else shown. None: it has nothing to say."""

    @click.option("--json", "plain", is_flag=True, help="Print JSON, for scripts.")
    @wraps(command)
    def run(*args: Any, plain: bool, **kwargs: Any) -> None:
        said = command(*args, **kwargs)
        if said is None:
            return
        if plain:
            click.echo(json.dumps(said.data, indent=2))
        else:
            said.show()
        if said.exit_code:
            sys.exit(said.exit_code)

    return run


def asks(default: str) -> Callable[[Callable[..., Said]], click.Command]:
    """Make a command that lists what a query finds, of one team or of all, up to a limit."""

    def command(listing: Callable[..., Said]) -> click.Command:
        limit = click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
        team = click.option("--team", default="", help="Only this team's.")
        query = click.argument("query", default=default)
        return click.command()(query(team(limit(as_json(listing)))))

    return command


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]], empty: str = "Nothing.") -> None:
    """Print rows in columns; the last column is cut to the width of a terminal, and whole in a file."""
    if not rows:
        click.echo(empty)
        return
    cells = [[clean(str(cell if cell is not None else "")) for cell in row] for row in rows]
    widths = [max(width_of(line[place]) for line in [[*headers], *cells]) for place in range(len(headers))]
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns - sum(widths[:-1]) - GAP * (len(headers) - 1)
        widths[-1] = max(min(widths[-1], room), width_of(headers[-1]), 10)
    click.echo(click.style(_line(list(headers), widths, colour=False), bold=True))
    for line in cells:
        click.echo(_line(line, widths, colour=True))


def _line(cells: list[str], widths: list[int], *, colour: bool) -> str:
    shown = []
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        text = cut(cell, width)
        pad = "" if place == len(cells) - 1 else " " * (width - width_of(text) + GAP)
        shown.append((click.style(text, fg=COLOURS[text]) if colour and text in COLOURS else text) + pad)
    return "".join(shown).rstrip()


def cut(text: str, width: int) -> str:
    """Cut a text to so many places of a terminal."""
    if width_of(text) <= width:
        return text
    while width_of(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def width_of(text: str) -> int:
    """Measure how many places a text takes on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def facts(pairs: Sequence[tuple[str, Any]]) -> None:
    """Print names and values under each other; what is empty is left out."""
    filled = [(name, clean(str(value))) for name, value in pairs if value not in (None, "", [])]
    width = max((width_of(name) for name, _ in filled), default=0)
    for name, value in filled:
        click.echo(f"{click.style(name, bold=True)}{' ' * (width - width_of(name) + GAP)}{value}")


def heading(text: str) -> None:
    """Print a heading with a line of space before it."""
    click.echo(f"\n{click.style(clean(text), bold=True)}")


def name_of(part: dict[str, Any] | None, nobody: str = "") -> str:
    """Give the name of a person, team or service as the API shows one in short."""
    return str(part["name"]) if part else nobody
