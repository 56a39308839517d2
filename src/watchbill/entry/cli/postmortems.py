"""Post-mortems on the command line: list them, show one, take one along as a file, bring in reports from elsewhere."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, Failed, clean
from watchbill.entry.cli.references import team_of
from watchbill.entry.cli.show import Said, as_json, facts, heading, name_of, table


@click.command()
@click.option("--team", default="", help="Only this team's.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def postmortems(team: str, limit: int) -> Said:
    """List post-mortems, the newest first."""
    found = list(Api().every("/postmortems", limit, team=team))
    rows = [
        (one["id"], one["state"], name_of(one["owner"]) or "nobody", times.show(one["due_at"]), one["title"])
        for one in found
    ]
    return Said(found, lambda: table(("ID", "STATE", "WRITES", "DUE", "TITLE"), rows, "None yet."))


@click.group()
def postmortem() -> None:
    """Begin, write, move, publish, export or import post-mortems: watchbill postmortem import *.md --team platform."""


@postmortem.command()
@click.argument("number", type=click.IntRange(1))
@as_json
def show(number: int) -> Said:
    """Show one with its sections and its actions."""
    found = Api().get(f"/postmortems/{number}")
    return Said(found, lambda: _show(found))


def _show(found: dict[str, Any]) -> None:
    facts(
        (
            ("Post-mortem", found["id"]),
            ("Title", found["title"]),
            ("State", found["state"]),
            ("Incident", f"I-{found['incident']}"),
            ("Writes", name_of(found["owner"]) or "nobody"),
            ("Due", times.show(found["due_at"])),
            ("Public", found["public_url"] + (" (changed since published)" if found["is_changed"] else "")),
            ("Meeting", times.show(found["meeting_at"])),
            ("Asked", ", ".join(f"{_guest(one)} ({one['id']})" for one in found["attendees"])),
            ("Impact", ", ".join(f"{name} {value}" for name, value in found["impact"].items())),
            ("Missing", "; ".join(found["missing"])),
            ("Empty", ", ".join(one["key"] for one in found["sections"] if not one["text"])),
        )
    )
    for section in found["sections"]:
        if section["text"]:
            heading(f"{section['heading'] or 'Before all'} ({section['key']}, version {section['version']})")
            click.echo(clean(section["text"]))
    if found["actions"]:
        heading("Actions")
    for one in found["actions"]:
        click.echo(clean(f"[{'x' if one['is_done'] else ' '}] T-{one['ticket']} {one['title']}"))
    for one in found["set_aside"]:
        heading(f"Set aside, to be settled ({one['id']})")
        click.echo(clean(one["text"]))
    if found["publications"]:
        heading("Published")
    for one in found["publications"]:
        click.echo(clean(f"{one['id']}: {one['target']}, {one['state']} {one['url']} {one['answer']}".rstrip()))


def _guest(one: dict[str, Any]) -> str:
    return name_of(one["person"]) or str(one["name"] or one["email"])


@postmortem.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--style", default="markdown", show_default=True, type=click.Choice(("markdown", "myst")))
def export(number: int, style: str) -> None:
    """Write one to the standard output, as Markdown or MyST."""
    click.echo(Api().get(f"/postmortems/{number}/file", style=style)["text"], nl=False)


@postmortem.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--team", default="", help="Whose incidents they become; not needed in one team.")
@as_json
def import_files(files: tuple[Path, ...], team: str) -> Said:
    """Bring in reports: Markdown or PDF. A file that is here already makes nothing new; says what could not be read."""
    api = Api()
    slug = team_of(api, team)
    done: list[dict[str, Any]] = []
    for path in files:
        content = base64.b64encode(path.read_bytes()).decode()
        try:
            answer = api.post("/postmortems/import", {"team": slug, "name": path.name, "content": content})
            done.append({"file": path.name, **answer})
        except Failed as failure:
            done.append({"file": path.name, "error": failure.message})
    if any("error" in one for one in done):
        return Said(done, lambda: _refused(done))
    return Said(done, lambda: _tell(done))


def _tell(done: list[dict[str, Any]]) -> None:
    for one in done:
        if "error" in one:
            click.echo(clean(f"{one['file']}: not imported: {one['error']}"))
            continue
        what = f"post-mortem {one['postmortem']}, {one['title']}" if one["is_new"] else f"here already: {one['title']}"
        click.echo(clean(f"{one['file']}: {what}"))
        for name, words in (("guesses", "guessed"), ("not_understood", "could not be read")):
            for doubt in one[name]:
                click.echo(clean(f"  {words}: {doubt}"))


def _refused(done: list[dict[str, Any]]) -> None:
    _tell(done)
    raise Failed("some files were not imported")
