"""My work on the command line: what to do now, the clock, the sprints."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, clean
from watchbill.entry.cli.references import path_of, team_of
from watchbill.entry.cli.show import Said, as_json, name_of, table


@click.command(name="next")
@click.option("--team", default="", help="In which team; not needed in one.")
@as_json
def next_things(team: str) -> Said:
    """Say what to do now, by the team's order for when nothing burns, each with why."""
    api = Api()
    found = api.get("/tickets/next", team=team_of(api, team))
    rows = [(f"T-{one['ticket']}" if one["ticket"] else "", one["kind"], one["title"], one["why"]) for one in found]
    return Said(found, lambda: table(("TICKET", "KIND", "WHAT", "WHY"), rows, "Nothing: enjoy it."))


@click.group(invoke_without_command=True)
@as_json
@click.pass_context
def clock(ctx: click.Context) -> Said | None:
    """Show your clock; `clock start T-34` lets it run on a ticket or a request, `clock stop` ends it."""
    if ctx.invoked_subcommand:
        return None
    found = Api().get("/me/clock")
    running = found["clock"]
    if not running:
        return Said(found, lambda: click.echo("No clock of yours runs."))
    words = f"{_work(running)}: runs since {times.show(running['started_at'])}"
    return Said(found, lambda: click.echo(words))


def _work(found: dict[str, Any]) -> str:
    return f"R-{found['request']}" if found["request"] else f"T-{found['ticket']}"


@clock.command()
@click.argument("reference")
@as_json
def start(reference: str) -> Said:
    """Let it run on R-12 or T-34; on anything else it stops."""
    found = Api().post(f"{path_of(reference)}/clock")
    return Said(found, lambda: click.echo(f"{_work(found)}: runs."))


@clock.command()
@click.argument("note", default="")
@click.option("--minutes", default=None, type=click.IntRange(0, 24 * 60), help="Correct one that was forgotten.")
@as_json
def stop(note: str, minutes: int | None) -> Said:
    """Stop it; what it showed is logged."""
    found = Api().post("/me/clock/stop", {"note": note, "minutes": minutes})
    return Said(found, lambda: click.echo(f"{_work(found)}: {found['seconds'] // 60} min logged."))


@click.command()
@click.option("--team", default="", help="Only this team's.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def sprints(team: str, limit: int) -> Said:
    """List sprints, newest first."""
    found = list(Api().every("/sprints", limit, team=team))
    rows = [
        (s["id"], s["state"], s["kind"], s["starts_on"], s["ends_on"], name_of(s["team"]), clean(s["name"]))
        for s in found
    ]
    return Said(found, lambda: table(("ID", "STATE", "KIND", "FROM", "TO", "TEAM", "NAME"), rows, "No sprints."))
