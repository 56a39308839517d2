"""What was learned, on the command line: how long incidents took, and what is still owed from them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from watchbill.entry import clock
from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api
from watchbill.entry.cli.show import Said, as_json, heading, name_of, table


@click.command()
@click.option("--team", default="", help="Only this team's.")
@click.option("--since", default="", help="From when on: a time, or a day such as 2026-01-01; else the last 90 days.")
@click.option("--until", default="", help="Until when; else now.")
@as_json
def measures(team: str, since: str, until: str) -> Said:
    """Say how long incidents took, from one named moment to another, and how many there were."""
    given = {name: text for name, text in (("since", since), ("until", until)) if text}
    asked = {name: times.read_instant(text, clock.now()).isoformat() for name, text in given.items()}
    found = Api().get("/learned/measures", team=team, **asked)
    return Said(found, lambda: _show(found))


def _show(found: dict[str, Any]) -> None:
    since, until = times.show(found["since"]), times.show(found["until"])
    click.echo(f"{since} to {until}: {found['incidents']} incidents, {found['high']} of them high")
    rows = [
        (f"{one['earlier']} to {one['later']}", _span(one["median_seconds"]), _span(one["nine_of_ten_seconds"]),
         one["incidents"])
        for one in found["lengths"]
    ]  # fmt: skip
    table(("FROM, TO", "MEDIAN", "NINE OF TEN", "INCIDENTS"), rows)
    for title, counts in (("priority", found["by_priority"]), ("who noticed", found["by_source"])):
        if counts:
            click.echo(f"By {title}: {', '.join(f'{name} {count}' for name, count in counts.items())}")


def _span(seconds: int | None) -> str:
    return "-" if seconds is None else str(timedelta(seconds=seconds))


@click.command()
@click.option("--team", default="", help="Only this team's.")
@as_json
def owed(team: str) -> Said:
    """List the actions that are open and the reports that are not published."""
    found = Api().get("/learned/owed", team=team)
    return Said(found, lambda: _show_owed(found))


def _show_owed(found: dict[str, Any]) -> None:
    heading("Actions that are open")
    rows = [
        (f"T-{one['ticket']}", one["due_on"] or "no date", name_of(one["owner"]) or "nobody", one["title"])
        for one in found["actions"]
    ]
    table(("TICKET", "DUE", "OWNER", "TITLE"), rows, "None.")
    heading("Reports not yet published")
    reports = [
        (one["id"], one["state"], times.show(one["due_at"]), name_of(one["owner"]) or "nobody", one["title"])
        for one in found["reports"]
    ]
    table(("ID", "STATE", "DUE", "WRITES", "TITLE"), reports, "None.")
