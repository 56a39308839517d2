"""Status pages on the command line: list them, publish an incident, end it, take it off."""

from __future__ import annotations

import click

from watchbill.entry.cli.client import Api, clean
from watchbill.entry.cli.show import Said, as_json, name_of, table


@click.group("status-page", invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@as_json
@click.pass_context
def status_page(ctx: click.Context, team: str) -> Said | None:
    """List status pages; `status-page publish 3 12 TITLE` puts incident 12 on page 3."""
    if ctx.invoked_subcommand:
        return None
    found = list(Api().every("/status-pages", 50, team=team))
    rows = [(p["id"], name_of(p["team"]), clean(p["title"]), p["url"] or "", len(p["components"])) for p in found]
    return Said(found, lambda: table(("ID", "TEAM", "TITLE", "ADDRESS", "PARTS"), rows, "No status pages."))


@status_page.command()
@click.argument("page", type=int)
@click.argument("incident", type=int)
@click.argument("title")
@as_json
def publish(page: int, incident: int, title: str) -> Said:
    """Put an incident on a page, under a title that the public may read."""
    made = Api().post(f"/status-pages/{page}/incidents", {"incident": incident, "title": title})
    return Said(made, lambda: click.echo(f"Incident {incident} is on status page {page}: {clean(made['title'])}"))


@status_page.command()
@click.argument("page", type=int)
@click.argument("incident", type=int)
@as_json
def end(page: int, incident: int) -> Said:
    """Say in public that it is over."""
    made = Api().post(f"/status-pages/{page}/incidents/{incident}/end", {})
    return Said(made, lambda: click.echo(f"Incident {incident} is over on status page {page}."))


@status_page.command()
@click.argument("page", type=int)
@click.argument("incident", type=int)
@click.option("--why", required=True, help="The timeline keeps it; the public does not see it.")
@as_json
def withdraw(page: int, incident: int, why: str) -> Said:
    """Take an incident off a page."""
    made = Api().post(f"/status-pages/{page}/incidents/{incident}/withdraw", {"why": why})
    return Said(made, lambda: click.echo(f"Incident {incident} is off status page {page}."))
