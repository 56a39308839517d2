"""Updates of an incident and planned work on the command line."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry import clock
from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, Failed, clean
from watchbill.entry.cli.references import incident_number, team_of
from watchbill.entry.cli.show import Said, as_json, facts, heading, name_of, table, told


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
@click.argument("incident", type=incident_number)
@click.argument("parts", nargs=-1, required=True, metavar="PART=TEXT...")
@click.option("--to", "audiences", multiple=True, help="The audience; may be given several times.")
@click.option("--next", "next_at", default="", help="When the next update comes: +45m, 18:00; else as the team says.")
@click.option("--no-next", is_flag=True, help="Promise no next update.")
@click.option("--state", default="", help="identified, when the cause is known.")
@click.option("--preview", is_flag=True, help="Show how it would read; nobody is told.")
@click.option("--corrects", default=0, help="Which update it puts right, by its ID; its audience is told again.")
@as_json
def update(incident: int, parts: tuple[str, ...], audiences: tuple[str, ...], **more: Any) -> Said:
    """Tell an audience: watchbill update I-7 --to communities why="…" doing="…" next="…"."""
    words = read_parts(parts)
    if more["corrects"]:
        body = {"parts": words, "state": more["state"]}
        right = Api().post(f"/incidents/{incident}/updates/{more['corrects']}/correct", body)
        return Said(right, lambda: _told([right]))
    if not audiences:
        raise click.UsageError("say whom: --to communities, --to leadership; or --corrects an update")
    due = times.read_instant(more["next_at"], clock.now()).isoformat() if more["next_at"] else None
    plain = {"parts": words, "next_update_at": due, "no_next": more["no_next"], "state": more["state"]}
    said = {"said": [{"audience": one, **plain} for one in audiences]}
    if more["preview"]:
        shown = Api().post(f"/incidents/{incident}/updates/preview", said)
        return Said(shown, lambda: _preview(shown))
    made = Api().post(f"/incidents/{incident}/updates", said)
    return Said(made, lambda: _told(made))


def _preview(shown: list[dict[str, Any]]) -> None:
    for one in shown:
        heading(one["audience"])
        for line in one["text"].splitlines():
            click.echo(clean(line))
        for worry in one["worries"]:
            click.echo(f"! {clean(worry)}")


def _told(made: list[dict[str, Any]]) -> None:
    for one in made:
        due = f" The next is promised by {times.show(one['next_update_at'])}." if one["next_update_at"] else ""
        click.echo(f"Told {clean(one['audience'])}.{due}")


@click.command()
@click.argument("incident", type=incident_number)
@click.option("--to", "audience", default="", help="Only what this audience was told.")
@as_json
def updates(incident: int, audience: str) -> Said:
    """List what was said about an incident, newest first."""
    found = list(Api().every(f"/incidents/{incident}/updates", 50, audience=audience))
    rows = [
        (u["id"], times.show(u["at"]), clean(u["audience"]), u["state"], clean(u["author"]), clean(u["text"]))
        for u in found
    ]
    return Said(found, lambda: table(("ID", "AT", "TO", "STATE", "BY", "TEXT"), rows, "Nothing was said yet."))


@click.command()
@click.argument("incident", type=incident_number)
@as_json
def heard(incident: int) -> Said:
    """Show who has heard of I-12 and when they hear next, and who of those who respond has looked."""
    found = Api().get(f"/incidents/{incident}/heard")
    told_rows = [
        (one["audience"], times.show(one["heard_at"]) or "nothing yet", _next(one), clean(one["title"]))
        for one in found["audiences"]
    ]
    readers = [
        (times.show(one["seen_at"]) or "never", "yes" if one["knows_newest"] else "no", name_of(one["person"]))
        for one in found["readers"]
    ]

    def show() -> None:
        table(("TO", "HEARD LAST", "HEARS NEXT BY", "WHO"), told_rows, "The team's policy names no audience.")
        heading("Who responds")
        table(("LOOKED", "SINCE THE NEWEST", "WHO"), readers, "Nobody responds now.")

    return Said(found, show)


def _next(one: dict[str, Any]) -> str:
    return times.show(one["next_update_at"]) + (" late" if one["is_late"] else "")


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
def show(number: int) -> Said:
    """Show planned work, and what stands in its way."""
    found = Api().get(f"/notices/{number}")
    in_the_way = [f"{one['kind']} {one['id']} {one['title']} ({one['services']})" for one in found["conflicts"]]
    shown = (
        ("Planned work", found["title"]),
        ("Team", name_of(found["team"])),
        ("State", found["state"].replace("_", " ")),
        ("Starts", times.show(found["starts_at"])),
        ("Ends", times.show(found["ends_at"])),
        ("Touches", ", ".join(found["services"])),
        ("Told to", ", ".join(found["audiences"])),
        ("Text", found["text"]),
        ("In its way", "; ".join(in_the_way)),
    )
    return Said(found, lambda: facts(shown))


@notices.command()
@click.argument("number", type=int)
@click.option("--title", default=None, help="What it is.")
@click.option("--text", default=None, help="What people will feel.")
@click.option("--service", "services", multiple=True, help="What it touches instead; may be given several times.")
@click.option("--to", "audiences", multiple=True, help="Who hears instead; may be given several times.")
@as_json
def change(
    number: int, title: str | None, text: str | None, services: tuple[str, ...], audiences: tuple[str, ...]
) -> Said:
    """Change its words, services or audiences; nobody is told. `move` and `extend` change when it is."""
    given = {"title": title, "text": text, "services": list(services) or None, "audiences": list(audiences) or None}
    body = {name: value for name, value in given.items() if value is not None}
    if not body:
        raise Failed("say what changes: --title, --text, --service or --to")
    found = Api().call("PATCH", f"/notices/{number}", body=body)
    return told(found, f"{found['title']} is changed. Nobody is told.")


@notices.command()
@click.argument("number", type=int)
@as_json
def announce(number: int) -> Said:
    """Tell everybody who should know."""
    return _step(f"/notices/{number}/announce", None)


@notices.command()
@click.argument("number", type=int)
@click.option("--text", default="", help="What to say besides.")
@as_json
def begin(number: int, text: str) -> Said:
    """Say that it begins: its services are under maintenance."""
    return _step(f"/notices/{number}/begin", {"text": text})


@notices.command()
@click.argument("number", type=int)
@click.option("--until", required=True, help="When it ends now.")
@click.option("--text", default="", help="What to say besides.")
@as_json
def extend(number: int, until: str, text: str) -> Said:
    """Say that it takes longer."""
    ends = times.read_instant(until, clock.now()).isoformat()
    return _step(f"/notices/{number}/extend", {"text": text, "ends_at": ends})


@notices.command()
@click.argument("number", type=int)
@click.option("--from", "starts", required=True, help="When it starts instead.")
@click.option("--until", required=True, help="When it ends then.")
@click.option("--text", default="", help="What to say besides.")
@as_json
def move(number: int, starts: str, until: str, text: str) -> Said:
    """Move it to another time."""
    now = clock.now()
    begins, ends = (times.read_instant(one, now).isoformat() for one in (starts, until))
    return _step(f"/notices/{number}/reschedule", {"text": text, "starts_at": begins, "ends_at": ends})


@notices.command()
@click.argument("number", type=int)
@click.option("--text", default="", help="What to say besides.")
@as_json
def done(number: int, text: str) -> Said:
    """Say that it is done."""
    return _step(f"/notices/{number}/done", {"text": text})


@notices.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="For those who were told.")
@as_json
def cancel(number: int, why: str) -> Said:
    """Call it off."""
    return _step(f"/notices/{number}/cancel", {"why": why})


def _step(path: str, body: dict[str, Any] | None) -> Said:
    found = Api().post(path, body)
    return Said(found, lambda: click.echo(f"{clean(found['title'])} is {found['state'].replace('_', ' ')}."))
