"""Tickets on the command line: lists by a query, the board, one ticket, a new one, its way over the board."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, clean, find_person
from watchbill.entry.cli.references import REFERENCE, number_of, path_of, team_of
from watchbill.entry.cli.show import GAP, Said, as_json, asks, cut, facts, heading, name_of, table

OPEN = "stage != done"
STAGES = {"to_do": "TO DO", "in_progress": "IN PROGRESS", "waiting": "WAITING", "done": "DONE"}
BOARD = "stage != done or done > -7d"
LINKS = ("lasting_fix_of", "spin_off_of", "duplicate_of", "blocks", "relates_to")
NARROWEST, IN_A_FILE = 16, 40
KINDS = ("task", "request", "epic", "investigation", "action", "quick_fix", "lasting_fix", "tracking")


class ByNumber(click.Group):
    """Takes `ticket T-34` as `ticket show T-34`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant."""
        if args and REFERENCE.fullmatch(args[0]):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


def read_stage(_: click.Context, __: click.Parameter, text: str) -> str:
    """Read a stage as people write it: to_do, "in progress", Waiting; raises click.BadParameter."""
    stage = text.strip().lower().replace(" ", "_").replace("-", "_")
    if stage not in STAGES:
        raise click.BadParameter(f"“{text}” is no stage: {', '.join(STAGES)}")
    return stage


def read_link(_: click.Context, __: click.Parameter, text: str) -> str:
    """Read how tickets are linked as people write it: blocks, "lasting fix of"; raises click.BadParameter."""
    kind = text.strip().lower().replace(" ", "_").replace("-", "_")
    if kind not in LINKS:
        raise click.BadParameter(f"“{text}” is no link: {', '.join(LINKS)}")
    return kind


@asks(OPEN)
def tickets(query: str, team: str, limit: int) -> Said:
    """List tickets, the open ones or by a query: watchbill tickets 'assignee = me order by due'."""
    found = list(Api().every("/tickets", limit, team=team, query=query))
    rows = [
        (t["reference"], t["stage"], t["kind"], "" if t["points"] is None else t["points"], _whose(t), t["due_on"] or "",
         t["title"])
        for t in found
    ]  # fmt: skip
    headers = ("ID", "STAGE", "KIND", "POINTS", "WITH", "DUE", "TITLE")
    return Said(found, lambda: table(headers, rows, "No tickets."))


def _whose(found: dict[str, Any]) -> str:
    return name_of(found["assignee"]) or (f"watch: {found['seat']}" if found["seat"] else "nobody")


@click.group(cls=ByNumber)
def ticket() -> None:
    """Show a ticket, `watchbill ticket T-34`, or write one, `watchbill ticket new "Renew the certificate"`."""


@ticket.command()
@click.argument("reference")
@as_json
def show(reference: str) -> Said:
    """Show a ticket with what was written on it."""
    api = Api()
    number = number_of(reference, "T")
    found = api.get(f"/tickets/{number}")
    found["comments"] = list(api.every(f"/tickets/{number}/comments", 10_000))
    return Said(found, lambda: _show(found))


def _show(found: dict[str, Any]) -> None:
    facts(
        (
            ("Ticket", found["reference"]),
            ("Title", found["title"]),
            ("Kind", f"{found['kind']}, {found['work']}"),
            ("Stage", f"{found['stage']} since {times.show(found['stage_at'])}"),
            ("Outcome", found["outcome"]),
            ("With", _whose(found)),
            ("Points", found["points"]),
            ("Labels", ", ".join(found["labels"])),
            ("Service", name_of(found["service"])),
            ("Team", name_of(found["team"])),
            ("Sprint", name_of(found["sprint"])),
            ("Epic", f"T-{found['epic']}" if found["epic"] else ""),
            ("Request", f"R-{found['request']}" if found["request"] else ""),
            ("Due", found["due_on"]),
            ("Priority", f"{found['priority']}: {found['priority_why']}".strip(": ")),
            ("Belongs to", f"{found['belongs']}: {found['belongs_why']}"),
            ("Links", ", ".join(f"T-{one['source']} {one['kind']} T-{one['target']}" for one in found["links"])),
            ("Elsewhere", ", ".join(f"{twin['ref']} ({twin['sync']})" for twin in found["twins"])),
        )
    )
    for said in ((found["text"], None), *((one["text"], one) for one in found["comments"])):
        if said[0]:
            heading(f"{said[1]['by']}, {times.show(said[1]['at'])}" if said[1] else "Text")
            for line in said[0].splitlines():
                click.echo(clean(line))


@ticket.command()
@click.argument("title")
@click.option("--team", default="", help="Whose backlog; not needed in one team.")
@click.option("--text", default="", help="More words.")
@click.option("--kind", default="task", show_default=True, type=click.Choice(KINDS))
@click.option("--points", default=None, type=click.IntRange(0, 100))
@click.option("--label", "labels", multiple=True, help="May be given more than once.")
@click.option("--service", default=None, help="Which service it is about.")
@click.option("--to", "whom", default="", help="Whose it is: a name, an address or a number.")
@click.option("--seat", default="", help="The seat on watch whose it is.")
@click.option("--due", default="", help="The last day: 2026-12-24.")
@as_json
def new(title: str, team: str, whom: str, due: str, **given: Any) -> Said:
    """Write a new ticket."""
    api = Api()
    body = {name: value for name, value in given.items() if value not in (None, "", ())}
    body |= {"team": team_of(api, team), "title": title}
    if whom:
        body["assignee"] = find_person(api, whom, body["team"])["id"]
    if due:
        body["due_on"] = times.read_day(due).isoformat()
    made = api.post("/tickets", body, once=True)
    return Said(made, lambda: click.echo(f"{made['reference']}: {clean(made['title'])}"))


def _linking(command: Callable[..., Said]) -> Callable[..., None]:
    target, kind = click.argument("target"), click.argument("kind", callback=read_link)
    return click.argument("reference")(kind(target(as_json(command))))


def _read_pair(reference: str, target: str) -> tuple[int, int]:
    return number_of(reference, "T"), number_of(target, "T")


@ticket.command()
@_linking
def link(reference: str, kind: str, target: str) -> Said:
    """Link a ticket to another: watchbill ticket link T-34 blocks T-35."""
    source, other = _read_pair(reference, target)
    made = Api().post(f"/tickets/{source}/links", {"kind": kind, "target": other})
    return Said(made, lambda: click.echo(f"T-{source} {kind.replace('_', ' ')} T-{other}."))


@ticket.command()
@_linking
def unlink(reference: str, kind: str, target: str) -> Said:
    """Take a link away, as it was made: watchbill ticket unlink T-34 blocks T-35."""
    source, other = _read_pair(reference, target)
    gone = Api().call("DELETE", f"/tickets/{source}/links", query={"kind": kind, "target": other})
    return Said(gone, lambda: click.echo(f"T-{source} {kind.replace('_', ' ')} T-{other}: no longer."))


@click.command()
@click.argument("reference")
@click.argument("stage", callback=read_stage)
@click.option("--outcome", default="done", show_default=True, type=click.Choice(["done", "wont_do", "duplicate"]))
@as_json
def move(reference: str, stage: str, outcome: str) -> Said:
    """Move a ticket: watchbill move T-34 in_progress. What it lacks before it is done is said all at once."""
    found = Api().post(f"/tickets/{number_of(reference, 'T')}/move", {"stage": stage, "outcome": outcome})
    return Said(found, lambda: click.echo(f"{found['reference']}: {STAGES[found['stage']].lower()}"))


@click.command()
@click.argument("reference")
@click.argument("text")
@as_json
def comment(reference: str, text: str) -> Said:
    """Write on a ticket (T-34), or a note for the team alone on a request (R-12)."""
    path = path_of(reference)
    found = Api().post(f"{path}/{'comment' if path.startswith('/tickets') else 'note'}", {"text": text})
    return Said(found, lambda: click.echo(f"{found['reference']}: written."))


@click.command()
@click.option("--team", default="", help="Whose board; not needed in one team.")
@click.option("--query", default=BOARD, show_default=True, help="Which tickets.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def board(team: str, query: str, limit: int) -> Said:
    """Show the board: what is to do, in progress, waiting, and done in the last week."""
    api = Api()
    found = list(api.every("/tickets", limit, team=team_of(api, team), query=query))
    columns = [[_card(one) for one in found if one["stage"] == stage] for stage in STAGES]
    headers = [f"{title} ({len(cards)})" for title, cards in zip(STAGES.values(), columns, strict=True)]
    return Said(found, lambda: _show_board(headers, columns))


def _card(found: dict[str, Any]) -> str:
    return f"{found['reference']} {found['title']} [{_whose(found)}]"


def _show_board(headers: list[str], columns: list[list[str]]) -> None:
    room = shutil.get_terminal_size().columns - GAP * (len(headers) - 1)
    width = max(NARROWEST, room // len(headers)) if sys.stdout.isatty() else IN_A_FILE
    rows = [[cut(clean(card), width) for card in row] for row in zip_longest(*columns, fillvalue="")]
    table(headers, rows, "The board is empty.")
