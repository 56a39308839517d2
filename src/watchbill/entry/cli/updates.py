"""Updates of an incident and planned work on the command line."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry import clock
from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, clean
from watchbill.entry.cli.references import team_of
from watchbill.entry.cli.show import Said, as_json, name_of, table


def read_parts(words: tuple[str, ...]) -> dict[str, str]:
    """Read why="…" doing="…" next="…"; raises click.BadParameter."""
    parts: dict[str, str] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key.strip():
            raise click.BadParameter(f'“{word}” is no part: write why="…"')
        parts[key.strip()] = text
    return parts


@click.command()
@click.argument("incident", type=int)
@click.argument("parts", nargs=-1, required=True, metavar="PART=TEXT...")
@click.option("--to", "audiences", multiple=True, required=True, help="The audience; may be given several times.")
@click.option("--next", "next_at", default="", help="When the next update comes: 45m, 18:00; else as the team says.")
@as_json
def update(incident: int, parts: tuple[str, ...], audiences: tuple[str, ...], next_at: str) -> Said:
    """Tell an audience: watchbill update 7 --to communities why="…" doing="…" next="…"."""
    due = times.read_instant(next_at, clock.now()).isoformat() if next_at else None
    said = [{"audience": one, "parts": read_parts(parts), "next_update_at": due} for one in audiences]
    made = Api().post(f"/incidents/{incident}/updates", {"said": said})
    return Said(made, lambda: _told(made))


def _told(made: list[dict[str, Any]]) -> None:
    for one in made:
        due = f" The next is promised by {times.show(one['next_update_at'])}." if one["next_update_at"] else ""
        click.echo(f"Told {clean(one['audience'])}.{due}")


@click.command()
@click.argument("incident", type=int)
@click.option("--to", "audience", default="", help="Only what this audience was told.")
@as_json
def updates(incident: int, audience: str) -> Said:
    """List what was said about an incident, newest first."""
    found = list(Api().every(f"/incidents/{incident}/updates", 50, audience=audience))
    rows = [
        (times.show(u["at"]), clean(u["audience"]), u["state"], clean(u["author"]), clean(u["text"])) for u in found
    ]
    return Said(found, lambda: table(("AT", "TO", "STATE", "BY", "TEXT"), rows, "Nothing was said yet."))


@click.group(invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@as_json
@click.pass_context
def notices(ctx: click.Context, team: str) -> Said | None:
    """List planned work; `notices plan` writes it down, `notices announce 3` tells everybody."""
    if ctx.invoked_subcommand:
        return None
    found = list(Api().every("/notices", 50, team=team))
    rows = [
        (
            n["id"],
            n["state"],
            times.show(n["starts_at"]),
            times.show(n["ends_at"]),
            name_of(n["team"]),
            clean(n["title"]),
        )
        for n in found
    ]
    return Said(found, lambda: table(("ID", "STATE", "STARTS", "ENDS", "TEAM", "TITLE"), rows, "Nothing is planned."))


@notices.command()
@click.argument("title")
@click.option("--text", required=True, help="What people will feel.")
@click.option("--from", "starts", required=True, help="When it starts: 2026-12-24 18:00.")
@click.option("--until", required=True, help="When it ends.")
@click.option("--service", "services", multiple=True, help="What it touches; may be given several times.")
@click.option("--to", "audiences", multiple=True, help="Who hears; else as the team's rule says.")
@click.option("--team", default="", help="Whose work it is; not needed in one.")
@as_json
def plan(
    title: str, text: str, starts: str, until: str, services: tuple[str, ...], audiences: tuple[str, ...], team: str
) -> Said:
    """Write planned work down; nobody is told yet."""
    api, now = Api(), clock.now()
    body: dict[str, Any] = {
        "team": team_of(api, team),
        "title": title,
        "text": text,
        "starts_at": times.read_instant(starts, now).isoformat(),
        "ends_at": times.read_instant(until, now).isoformat(),
        "services": list(services),
    }
    if audiences:
        body["audiences"] = list(audiences)
    made = api.post("/notices", body)
    return Said(made, lambda: click.echo(f"Planned work {made['id']} is written down. Nobody is told yet."))


@notices.command()
@click.argument("number", type=int)
@as_json
def announce(number: int) -> Said:
    """Tell everybody who should know."""
    return _step(number, "announce", None)


@notices.command()
@click.argument("number", type=int)
@click.option("--text", default="", help="What to say besides.")
@as_json
def begin(number: int, text: str) -> Said:
    """Say that it begins: its services are under maintenance."""
    return _step(number, "begin", {"text": text})


@notices.command()
@click.argument("number", type=int)
@click.option("--until", required=True, help="When it ends now.")
@click.option("--text", default="", help="What to say besides.")
@as_json
def extend(number: int, until: str, text: str) -> Said:
    """Say that it takes longer."""
    ends = times.read_instant(until, clock.now()).isoformat()
    return _step(number, "extend", {"text": text, "ends_at": ends})


@notices.command()
@click.argument("number", type=int)
@click.option("--from", "starts", required=True, help="When it starts instead.")
@click.option("--until", required=True, help="When it ends then.")
@as_json
def move(number: int, starts: str, until: str) -> Said:
    """Move it to another time."""
    now = clock.now()
    begins, ends = (times.read_instant(one, now).isoformat() for one in (starts, until))
    return _step(number, "reschedule", {"starts_at": begins, "ends_at": ends})


@notices.command()
@click.argument("number", type=int)
@click.option("--text", default="", help="What to say besides.")
@as_json
def done(number: int, text: str) -> Said:
    """Say that it is done."""
    return _step(number, "done", {"text": text})


@notices.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="For those who were told.")
@as_json
def cancel(number: int, why: str) -> Said:
    """Call it off."""
    return _step(number, "cancel", {"why": why})


def _step(number: int, what: str, body: dict[str, Any] | None) -> Said:
    found = Api().post(f"/notices/{number}/{what}", body)
    return Said(found, lambda: click.echo(f"{clean(found['title'])} is {found['state'].replace('_', ' ')}."))
