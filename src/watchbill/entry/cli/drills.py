"""Drills on the command line: begin one from a scenario file, look back, stop it."""

from __future__ import annotations

from typing import Any, TextIO

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, clean
from watchbill.entry.cli.references import team_of
from watchbill.entry.cli.show import Said, as_json, name_of, table


@click.group(invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@as_json
@click.pass_context
def drill(ctx: click.Context, team: str) -> Said | None:
    """List drills; `drill start FILE` begins one, `drill show 3` looks back, `drill stop 3` ends it."""
    if ctx.invoked_subcommand:
        return None
    found = list(Api().every("/drills", 50, team=team))
    rows = [(d["id"], d["state"], times.show(d["started_at"]), name_of(d["team"]), clean(d["name"])) for d in found]
    return Said(found, lambda: table(("ID", "STATE", "BEGUN", "TEAM", "NAME"), rows, "No drills."))


@drill.command()
@click.argument("scenario", type=click.File())
@click.option("--team", default="", help="Whose policy is tried; not needed in one.")
@click.option("--speed", default=1.0, show_default=True, help="How many times as fast the clock runs.")
@as_json
def start(scenario: TextIO, team: str, speed: float) -> Said:
    """Begin a drill from a scenario file (YAML; - reads standard input). People are paged for real."""
    api = Api()
    found = api.post("/drills", {"team": team_of(api, team), "scenario": scenario.read(), "speed": speed})
    words = f"Drill {found['id']}, {clean(found['name'])}, has begun as incident {found['incident']}."
    return Said(found, lambda: click.echo(words))


@drill.command()
@click.argument("number", type=int)
@as_json
def show(number: int) -> Said:
    """Look back at a drill: what came when, in scenario time, and what was expected."""
    found = Api().get(f"/drills/{number}")
    rows = [
        (mark["words"], _length(mark["came"], "never"), _length(mark["expected"], ""), _kept(mark))
        for mark in found["debrief"].get("marks", ())
    ]
    empty = f"{clean(found['name'])} is {found['state']}: there is nothing to look back at yet."
    return Said(found, lambda: table(("UNTIL", "CAME AFTER", "EXPECTED", ""), rows, empty))


@drill.command()
@click.argument("number", type=int)
@as_json
def stop(number: int) -> Said:
    """Stop a drill: nobody is called any more."""
    found = Api().post(f"/drills/{number}/stop")
    return Said(found, lambda: click.echo(f"Drill {number} is {found['state']}."))


def _length(seconds: int | None, missing: str) -> str:
    return missing if seconds is None else f"{seconds // 60}m {seconds % 60:02}s"


def _kept(mark: dict[str, Any]) -> str:
    return {True: "in time", False: "late or missing", None: ""}[mark["is_kept"]]
