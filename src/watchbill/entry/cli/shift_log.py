"""The log on the command line: what happened by itself, and what people noted on watch."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry import clock
from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, Failed, find_person
from watchbill.entry.cli.references import number_of, team_of
from watchbill.entry.cli.show import Said, as_json, facts, name_of, table, told


@click.group(invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@click.option("--kind", default="", help="Such as page.acknowledged.")
@click.option("--since", default="", help="From when: 08:00, 2026-12-24.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
@click.pass_context
def log(ctx: click.Context, team: str, kind: str, since: str, limit: int) -> Said | None:
    """Show what happened, newest first; `log add "The fan hums"` notes something on watch, `log notes` lists that."""
    if ctx.invoked_subcommand:
        return None
    first = times.read_instant(since, clock.now()).isoformat() if since else ""
    found = list(Api().every("/log", limit, team=team, kind=kind, since=first))
    rows = [
        (times.show(e["at"]), f"{e['subject_kind']} {e['subject_id']}", e["by"], f"{e['kind']}: {e['why']}")
        for e in found
    ]
    return Said(found, lambda: table(("AT", "OF", "BY", "WHAT"), rows, "Nothing happened."))


@log.command()
@click.option("--team", default="", help="Only this team's.")
@click.option("--who", default="", help="Only what this person noted.")
@click.option("--search", default="", help="Words in title or text.")
@click.option("--since", default="", help="From when: 08:00, 2026-12-24.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def notes(team: str, who: str, search: str, since: str, limit: int) -> Said:
    """List the on-call log, newest first."""
    api = Api()
    asked: dict[str, Any] = {"team": team, "search": search}
    if who:
        asked["person"] = find_person(api, who)["id"]
    if since:
        asked["since"] = times.read_instant(since, clock.now()).isoformat()
    found = list(api.every("/shift-log", limit, **asked))
    rows = [
        (e["id"], times.show(e["at"]), name_of(e["author"], "somebody"), _ticket(e), e["title"]) for e in found
    ]  # fmt: skip
    return Said(found, lambda: table(("ID", "AT", "BY", "TICKET", "WHAT"), rows, "Nothing is noted."))


def _ticket(entry: dict[str, Any]) -> str:
    return f"T-{entry['ticket']}" if entry["ticket"] else ""


@log.command()
@click.argument("number", type=int)
@as_json
def show(number: int) -> Said:
    """Show one entry."""
    found = Api().get(f"/shift-log/{number}")
    watch = f"{found['seat']} of {name_of(found['rotation'])}" if found["seat"] else ""
    shown = (
        ("Entry", found["title"]), ("At", times.show(found["at"])), ("By", name_of(found["author"], "somebody")),
        ("On watch as", watch), ("Ticket", _ticket(found)), ("Text", found["text"]),
    )  # fmt: skip
    return Said(found, lambda: facts(shown))


@log.command()
@click.argument("title")
@click.option("--text", default="", help="More about it.")
@click.option("--ticket", default="", help="The ticket it is about, T-34; an entry needs none.")
@click.option("--at", default="", help="When it was: 08:00; else now.")
@click.option("--team", default="", help="Whose log; not needed in one.")
@as_json
def add(title: str, text: str, ticket: str, at: str, team: str) -> Said:
    """Note something on watch: watchbill log add "The fan of db1 hums"."""
    api = Api()
    body = {
        "team": team_of(api, team),
        "title": title,
        "text": text,
        "ticket": number_of(ticket, "T") if ticket else None,
        "at": times.read_instant(at, clock.now()).isoformat() if at else None,
    }
    made = api.post("/shift-log", body)
    return told(made, f"Entry {made['id']} is noted.")


@log.command()
@click.argument("number", type=int)
@click.option("--title", default=None, help="Its title.")
@click.option("--text", default=None, help="Its text.")
@click.option("--ticket", default=None, help="The ticket it is about, T-34; empty: none.")
@as_json
def edit(number: int, title: str | None, text: str | None, ticket: str | None) -> Said:
    """Change an entry: its title too."""
    body: dict[str, Any] = {name: value for name, value in (("title", title), ("text", text)) if value is not None}
    if ticket is not None:
        body["ticket"] = number_of(ticket, "T") if ticket else None
    if not body:
        raise Failed("say what changes: --title, --text or --ticket")
    found = Api().call("PATCH", f"/shift-log/{number}", body=body)
    return told(found, f"{found['title']} is changed.")
