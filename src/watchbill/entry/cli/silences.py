"""Silences on the command line."""

from __future__ import annotations

import re

import click

from watchbill.entry import clock
from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api
from watchbill.entry.cli.show import Said, as_json, name_of, table

MATCHER = re.compile(r"([^=!~]+)(=~|!~|!=|=)(.*)", re.DOTALL)


def read_matcher(text: str) -> dict[str, str]:
    """Read alertname=DiskFull, instance!=db1, job=~api.* or job!~api.*; raises click.BadParameter."""
    found = MATCHER.fullmatch(text)
    if found is None:
        raise click.BadParameter(
            f"“{text}” is no matcher: write label=value, label!=value, label=~pattern or label!~pattern"
        )
    return {"label": found[1].strip(), "operator": found[2], "value": found[3]}


@click.command()
@click.argument("words", nargs=-1, metavar="[SERVICE] [LABEL=VALUE]...")
@click.option("--for", "length", default="", help="How long: 2h, 1d.")
@click.option("--until", default="", help="Until when: 18:00, 2026-12-24 18:00.")
@click.option("--from", "starts", default="", help="From when (now).")
@click.option("--why", default="", help="The reason, for whoever looks for the alert.")
@click.option("--team", default="", help="The team, when no service is named.")
@click.option("--preview", is_flag=True, help="Only show which open alerts it would cover.")
@as_json
def silence(words: tuple[str, ...], length: str, until: str, starts: str, why: str, team: str, preview: bool) -> Said:
    """Hold alerts back: watchbill silence checkout --for 2h --why "disk swap" alertname=DiskFull."""
    services = [word for word in words if not MATCHER.fullmatch(word)]
    if len(services) > 1:
        raise click.UsageError(f"name one service; “{services[1]}” is no label=value")
    scope = {
        "service": services[0] if services else "",
        "team": team,
        "matchers": [read_matcher(word) for word in words if word not in services],
    }
    scope = {name: value for name, value in scope.items() if value}
    if preview:
        found = Api().post("/silences/preview", scope)
        rows = [(a["id"], a["state"], a["severity"], name_of(a["service"]), a["title"]) for a in found]
        headers = ("ID", "STATE", "SEVERITY", "SERVICE", "TITLE")
        return Said(found, lambda: table(headers, rows, "It would cover nothing now."))
    now = clock.now()
    if bool(length) == bool(until) or not why:
        raise click.UsageError("say --why, and either --for 2h or --until 18:00")
    begins = times.read_instant(starts, now) if starts else now
    ends = begins + times.read_length(length) if length else times.read_instant(until, now)
    body = {**scope, "why": why, "ends_at": ends.isoformat()} | ({"starts_at": begins.isoformat()} if starts else {})
    made = Api().post("/silences", body)
    return Said(
        made,
        lambda: click.echo(
            f"{made['id']}: silenced until {times.show(made['ends_at'])}. Undo with `watchbill silences end {made['id']}`."
        ),
    )


@click.group(invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@click.option("--service", default="", help="Only this service's.")
@click.option("--state", default="now", show_default=True, type=click.Choice(["now", "coming", "over", "all"]))
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
@click.pass_context
def silences(ctx: click.Context, team: str, service: str, state: str, limit: int) -> Said | None:
    """List silences; `watchbill silences end 12` ends one early."""
    if ctx.invoked_subcommand:
        return None
    state = "" if state == "all" else state
    found = list(Api().every("/silences", limit, team=team, service=service, state=state))
    rows = [
        (s["id"], name_of(s["service"]) or name_of(s["team"]), times.show(s["starts_at"]), times.show(s["ends_at"]),
         name_of(s["created_by"]), " ".join(f"{m['label']}{m['operator']}{m['value']}" for m in s["matchers"]), s["why"])
        for s in found
    ]  # fmt: skip
    return Said(found, lambda: table(("ID", "WHERE", "FROM", "UNTIL", "BY", "LABELS", "WHY"), rows, "No silences."))


@silences.command()
@click.argument("number", type=click.IntRange(1))
@as_json
def end(number: int) -> Said:
    """End a silence early."""
    found = Api().post(f"/silences/{number}/end")
    return Said(found, lambda: click.echo(f"{number}: ended. What still fires is looked at again."))
