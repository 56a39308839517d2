"""Who is on watch, and the rota, on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import click

from watchbill.entry import clock
from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, find_person
from watchbill.entry.cli.show import Said, as_json, name_of, table


@click.command()
@click.option("--team", default="", help="Only this team's.")
@click.option("--rotation", default="", help="Only this rotation.")
@click.option("--at", default="", help="When: 18:00, 2026-12-24 18:00, +2h. Without it now.")
@as_json
def who(team: str, rotation: str, at: str) -> Said:
    """Show who is on watch, now or at any time: watchbill who --team platform --at "2026-12-24 18:00"."""
    instant = times.read_instant(at, clock.now()).isoformat() if at else ""
    found = list(Api().every("/who", 10_000, team=team, rotation=rotation, at=instant))
    rows = [row for watch in found for row in _rows(watch)]
    headers = ("TEAM", "ROTATION", "SEAT", "ON WATCH", "UNTIL", "THEN")
    return Said(found, lambda: table(headers, rows, "There are no rotations."))


def _rows(watch: dict[str, Any]) -> list[Sequence[str]]:
    team, rotation = name_of(watch["rotation"]["team"]), name_of(watch["rotation"])
    if not watch["seats"]:
        coming = [f"{seat}: {name_of(c['person'])}, {times.show(c['starts_at'])}" for seat, c in watch["next"].items()]
        return [(team, rotation, "", "nobody", "", "; ".join(coming))]
    rows: list[Sequence[str]] = []
    for seat in watch["seats"]:
        coming = watch["next"].get(seat["seat"])
        then = name_of(coming["person"]) if coming else ""
        rows.append(
            (team, rotation, seat["seat"], name_of(seat["person"], "nobody"), times.show(seat["ends_at"]), then)
        )
    return rows


@click.group(invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@click.option("--rotation", default="", help="Only this rotation.")
@click.option("--person", default="", help="Only this person's.")
@click.option("--from", "starts", default="", help="From when (now).")
@click.option("--weeks", default=4, show_default=True, type=click.IntRange(1, 110))
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 10_000))
@as_json
@click.pass_context
def rota(ctx: click.Context, team: str, rotation: str, person: str, starts: str, weeks: int, limit: int) -> Said | None:
    """Show the shifts of the next weeks; see also the commands below."""
    if ctx.invoked_subcommand:
        return None
    now, api = clock.now(), Api()
    first = times.read_instant(starts, now) if starts else now
    found = list(
        api.every(
            "/shifts",
            limit,
            team=team,
            rotation=rotation,
            person=find_person(api, person)["id"] if person else None,
            starts=first.isoformat(),
            ends=(first + timedelta(weeks=weeks)).isoformat(),
        )
    )
    rows = [
        (name_of(s["rotation"]), s["seat"], times.show(s["starts_at"]), times.show(s["ends_at"]),
         name_of(s["person"], "nobody"), s["why"])
        for s in found
    ]  # fmt: skip
    return Said(found, lambda: table(("ROTATION", "SEAT", "FROM", "UNTIL", "WHO", "WHY"), rows, "No shifts."))


@rota.command("list")
@click.option("--team", default="", help="Only this team's.")
@as_json
def list_rotations(team: str) -> Said:
    """List the rotations."""
    found = list(Api().every("/rotations", 10_000, team=team))
    rows = [(r["slug"], name_of(r["team"]), times.show(r["published_until"]), r["name"]) for r in found]
    return Said(found, lambda: table(("ROTATION", "TEAM", "PUBLISHED UNTIL", "NAME"), rows, "There are no rotations."))


@rota.command()
@click.argument("rotation")
@click.argument("name")
@as_json
def rename(rotation: str, name: str) -> Said:
    """Give ROTATION another NAME; its slug stays."""
    made = Api().call("PATCH", f"/rotations/{rotation}", body={"name": name})
    return Said(made, lambda: click.echo(f"{made['slug']} is called {made['name']}."))


@rota.command()
@click.argument("rotation")
@click.argument("person")
@click.option("--from", "starts", default="", help="From when (now).")
@click.option("--until", default="", help="Until when: 18:00, 2026-12-24 18:00.")
@click.option("--for", "length", default="", help="How long: 8h, 1d.")
@click.option("--seat", default="", help="Only this seat; without it every one.")
@click.option("--why", default="", help="The reason.")
@as_json
def override(rotation: str, person: str, starts: str, until: str, length: str, seat: str, why: str) -> Said:
    """Let PERSON take the watch of ROTATION for a while."""
    if bool(length) == bool(until):
        raise click.UsageError("say either --for 8h or --until 18:00")
    now, api = clock.now(), Api()
    begins = times.read_instant(starts, now) if starts else now
    ends = begins + times.read_length(length) if length else times.read_instant(until, now)
    body = {
        "person": find_person(api, person)["id"],
        "starts_at": begins.isoformat(),
        "ends_at": ends.isoformat(),
        "seat": seat,
        "why": why,
    }
    made = api.post(f"/rotations/{rotation}/overrides", body)
    until_when = times.show(made["ends_at"])
    return Said(
        made, lambda: click.echo(f"{made['id']}: {name_of(made['person'])} takes the watch until {until_when}.")
    )


@rota.command()
@click.argument("rotation")
@click.argument("number", type=click.IntRange(1))
@as_json
def undo(rotation: str, number: int) -> Said:
    """Take the override NUMBER of ROTATION back."""
    found = Api().call("DELETE", f"/rotations/{rotation}/overrides/{number}")
    return Said(found, lambda: click.echo(f"{number}: taken back."))


@rota.command()
@click.argument("first_day")
@click.argument("last_day", default="")
@click.option("--person", default="", help="Somebody else; without it you.")
@click.option("--why", default="", help="The reason.")
@as_json
def away(first_day: str, last_day: str, person: str, why: str) -> Said:
    """Say that you are away from FIRST_DAY to LAST_DAY (2026-12-24), both included."""
    api = Api()
    first = times.read_day(first_day)
    last = times.read_day(last_day) if last_day else first
    body: dict[str, Any] = {"first_day": first.isoformat(), "last_day": last.isoformat(), "why": why}
    if person:
        body["person"] = find_person(api, person)["id"]
    made = api.post("/absences", body)
    return Said(made, lambda: click.echo(f"{made['id']}: {name_of(made['person'])} is away {first} to {last}."))
