"""My work on the command line: what to do now, what I take or give on, time spent, the sprints."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, clean, find_person
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


@click.command()
@click.argument("reference")
@as_json
def take(reference: str) -> Said:
    """Take a request (R-12) or a ticket (T-34): it is yours."""
    api = Api()
    return _give(api, reference, api.get("/me"))


@click.command()
@click.argument("reference")
@click.argument("whom", default="")
@as_json
def give(reference: str, whom: str) -> Said:
    """Give a request (R-12) or a ticket (T-34) to somebody: a name, an address or a number; to nobody without one."""
    api = Api()
    team = api.get(path_of(reference))["team"]["slug"]
    return _give(api, reference, find_person(api, whom, team) if whom else None)


def _give(api: Api, reference: str, person: dict[str, Any] | None) -> Said:
    path, number = path_of(reference), person["id"] if person else None
    if path.startswith("/tickets"):
        values = {"assignee": number} if person else {"assignee": None, "seat": None}
        found = api.call("PATCH", path, body=values)
    else:
        found = api.post(f"{path}/assign", {"person": number})
    return Said(found, lambda: click.echo(f"{found['reference']}: {name_of(found['assignee'], 'nobody')} has it."))


@click.command(name="log-time")
@click.argument("reference")
@click.argument("minutes", type=click.IntRange(1, 24 * 60))
@click.argument("note", default="")
@as_json
def log_time(reference: str, minutes: int, note: str) -> Said:
    """Log minutes really spent: watchbill log-time R-12 15 "read the logs"."""
    found = Api().post(f"{path_of(reference)}/time", {"minutes": minutes, "note": note})
    spent = found["spent_seconds"] // 60
    return Said(found, lambda: click.echo(f"{found['reference']}: {minutes} min logged, {spent} min in all."))


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
