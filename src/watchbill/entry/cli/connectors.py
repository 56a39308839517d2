"""Connections to other systems on the command line: which may be connected, connect one, try it, change it, take it away.

A secret is never an argument, where a shell's history and every process list would keep it: it is asked for, or read
from a file. None is ever printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, Failed, clean
from watchbill.entry.cli.references import team_of
from watchbill.entry.cli.show import Said, as_json, facts, heading, name_of, table, told

NUMBER = click.argument("number", type=int)


def settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say a connection's settings."""
    option = click.option
    given = option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A setting; what is no text, as JSON.")
    files = option("--file", "files", multiple=True, metavar="NAME=PATH", help="A setting from a file; -: piped in.")
    asked = option("--ask", "asked", multiple=True, metavar="NAME", help="A secret that is asked for, and not shown.")
    return given(files(asked(command)))


@click.group(invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@as_json
@click.pass_context
def connector(ctx: click.Context, team: str) -> Said | None:
    """List connections to other systems; `connector add jira --set url=… --set project=OPS` makes one."""
    if ctx.invoked_subcommand:
        return None
    found = list(Api().every("/connectors", 1000, team=team))
    rows = [(c["id"], name_of(c["team"]), c["connector"], _state(c), clean(c["name"])) for c in found]
    return Said(
        found,
        lambda: table(("ID", "TEAM", "SYSTEM", "STATE", "NAME"), rows, "Nothing is connected with another system."),
    )


def _state(found: Mapping[str, Any]) -> str:
    if found["failure"]:
        return "failed"
    return f"worked {times.show(found['worked_at'])}" if found["worked_at"] else "not tried yet"


@connector.command()
@click.argument("kind", default="")
@as_json
def kinds(kind: str) -> Said:
    """List what may be connected, or the settings of one KIND."""
    found = Api().get("/connectors/kinds")
    if not kind:
        known = [(one["name"], one["port"], one["title"]) for one in found]
        return Said(found, lambda: table(("KIND", "WHAT", "NAME"), known))
    one = _named(found, kind)
    needed = one["settings"].get("required", [])
    rows = [
        (name, "secret" if _is_secret(about) else _type_of(about), "yes" if name in needed else "", _about(about))
        for name, about in one["settings"]["properties"].items()
    ]
    return Said(one, lambda: table(("SETTING", "TYPE", "NEEDED", "WHAT IT IS"), rows))


def _named(found: Sequence[dict[str, Any]], kind: str) -> dict[str, Any]:
    for one in found:
        if one["name"] == kind:
            return one
    raise Failed(f"“{kind}” is none of {', '.join(one['name'] for one in found)}")


def _is_secret(about: Mapping[str, Any]) -> bool:
    return bool(about.get("writeOnly"))


def _type_of(about: Mapping[str, Any]) -> str:
    return "|".join(about["enum"]) if "enum" in about else str(about.get("type", "JSON"))


def _about(about: Mapping[str, Any]) -> str:
    return f"{about.get('title', '')}. {about.get('description', '')}".strip(" .")


@connector.command()
@NUMBER
@as_json
def show(number: int) -> Said:
    """Show how a connection is doing."""
    return _whole(Api().get(f"/connectors/{number}"))


def _whole(found: dict[str, Any]) -> Said:
    last = found["last_import"]
    shown = (
        ("Connection", found["name"]),
        ("System", found["connector"]),
        ("Team", name_of(found["team"])),
        ("Worked", times.show(found["worked_at"])),
        ("Failed", times.show(found["failed_at"])),
        ("Why", found["failure"]),
        ("Not in step", ", ".join(f"{count} {sync}" for sync, count in found["not_in_step"].items() if count)),
        ("Did not leave", found["failing"] or ""),
        ("Not understood", found["unread"] or ""),
        ("Import", f"{last['state']}: {last['made']} new, {last['known']} known" if last else ""),
    )
    states = [(one["state"], one["number"]) for one in found["unknown_states"]]

    def show() -> None:
        facts(shown)
        if states:
            heading("Nobody explained yet")
            table(("STATE", "HOW MANY"), states)

    return Said(found, show)


@connector.command()
@click.argument("kind")
@click.option("--team", default="", help="Whose it is; not needed in one team.")
@click.option("--name", default="", help="What it is called here.")
@settings
@as_json
def add(kind: str, team: str, name: str, given: Sequence[str], files: Sequence[str], asked: Sequence[str]) -> Said:
    """Connect a team with a system of KIND; its secrets are asked for. For owners.

    `watchbill connector kinds KIND` tells its settings, and the page of the connection how to set the other side up.
    """
    api = Api()
    form = _named(api.get("/connectors/kinds"), kind)["settings"]
    values = _values(form, given, files, asked)
    values |= {word: _ask(word) for word in form.get("required", []) if _asks(form, word) and word not in values}
    body = {"team": team_of(api, team), "connector": kind, "name": name, "settings": values}
    found = api.post("/connectors", body)
    return told(found, f"{found['name']} is connection {found['id']}. Try it: watchbill connector try {found['id']}")


def _values(
    form: Mapping[str, Any], given: Sequence[str], files: Sequence[str], asked: Sequence[str]
) -> dict[str, Any]:
    """Read the settings that were typed, read from files, and asked for; raises click.BadParameter."""
    typed = {name: _read(form, name, text) for name, text in _pairs(given, "--set")}
    read = {name: _read_file(path) for name, path in _pairs(files, "--file")}
    return {**typed, **read, **{name: _ask(name) for name in asked}}


def _pairs(words: Sequence[str], option: str) -> list[tuple[str, str]]:
    parts = [word.partition("=") for word in words]
    for name, equals, _ in parts:
        if not (name and equals):
            raise click.BadParameter("write it as NAME=VALUE", param_hint=option)
    return [(name, value) for name, _, value in parts]


def _asks(form: Mapping[str, Any], name: str) -> bool:
    return _is_secret(form["properties"].get(name, {}))


def _read(form: Mapping[str, Any], name: str, text: str) -> Any:
    about = form["properties"].get(name, {})
    if _is_secret(about):
        raise click.BadParameter(
            f"{name} is a secret, and others on this machine can read what is typed here: --ask {name}, "
            f"or --file {name}=PATH",
            param_hint="--set",
        )
    if about.get("type", "string") == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise click.BadParameter(f"{name} is written as JSON", param_hint="--set") from None


def _read_file(path: str) -> str:
    if path == "-":
        return sys.stdin.read().strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{path} cannot be read: {error}", param_hint="--file") from None


def _ask(name: str) -> str:
    return str(click.prompt(name, hide_input=True, err=True))


@connector.command("try")
@NUMBER
@as_json
def try_it(number: int) -> Said:
    """Call the system, and say whom we reached. For owners."""
    found = Api().post(f"/connectors/{number}/try")
    return told(found, found["said"])


@connector.command()
@NUMBER
@click.option("--name", default="", help="What it is called here.")
@click.option("--default", "defaults", multiple=True, metavar="NAME", help="A setting that is as it comes again.")
@settings
@as_json
def change(
    number: int, name: str, defaults: Sequence[str], given: Sequence[str], files: Sequence[str], asked: Sequence[str]
) -> Said:
    """Change a connection; what is not given stays, secrets too. For owners."""
    if not (name or defaults or given or files or asked):
        raise Failed("say what changes: --name, --set, --file, --ask or --default")
    api = Api()
    form = _named(api.get("/connectors/kinds"), api.get(f"/connectors/{number}")["connector"])["settings"]
    values = {**_values(form, given, files, asked), **dict.fromkeys(defaults)}
    found = api.call("PATCH", f"/connectors/{number}", body={"name": name, "settings": values})
    return told(found, f"{found['name']} is changed. Try it: watchbill connector try {number}")


@connector.command()
@NUMBER
@as_json
def remove(number: int) -> Said:
    """Disconnect a system: nothing leaves for it, its webhooks are refused; what stands there stays. For owners."""
    found = Api().call("DELETE", f"/connectors/{number}")
    return told(found, f"{found['name']} is disconnected.")


@connector.command()
@NUMBER
@as_json
def retry(number: int) -> Said:
    """Try again all that did not leave for good."""
    found = Api().post(f"/connectors/{number}/retry")
    return told(found, f"{found['number']} tried again.")


@connector.command()
@NUMBER
@click.argument("sync", default="failed")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@as_json
def twins(number: int, sync: str, limit: int) -> Said:
    """List what is not in step: failed, refused, unknown_state, waiting or gone."""
    found = list(Api().every(f"/connectors/{number}/twins", limit, sync=sync))
    rows = [(one["id"], f"{one['subject_kind']} {one['subject_id']}", one["ref"], one["error"]) for one in found]
    return Said(found, lambda: table(("ID", "OF", "THERE", "WHY"), rows, "None."))


@connector.command("state")
@NUMBER
@click.argument("state")
@click.argument("target")
@as_json
def map_state(number: int, state: str, target: str) -> Said:
    """Say what a STATE of theirs means here (TARGET), such as “On hold” waiting; what waited for it follows."""
    found = Api().call("PUT", f"/connectors/{number}/states", body={"state": state, "target": target})
    return told(found, f"“{state}” is {target} from now on; {found['number']} followed.")


@connector.command()
@NUMBER
@click.option("--file", "path", default="", help="Say them anew, as a whole: JSON of this form; -: piped in.")
def words(number: int, path: str) -> None:
    """Print what the words of a system mean here, as JSON; an owner may say it anew."""
    api = Api()
    if not path:
        found = api.get(f"/connectors/{number}/mapping")
    else:
        try:
            body = json.loads(_read_file(path))
        except ValueError as error:
            raise click.BadParameter(f"this is no JSON: {error}", param_hint="--file") from None
        found = api.call("PUT", f"/connectors/{number}/mapping", body=body)
    click.echo(json.dumps(found, indent=2))


@connector.command("import")
@NUMBER
@click.argument("query", default="")
@click.option("--stop", is_flag=True, help="Stop it; what was taken in stays.")
@as_json
def import_(number: int, query: str, *, stop: bool) -> Said:
    """Take in issues as tickets, those that a QUERY in the system's own language finds. For owners."""
    api = Api()
    if stop:
        return _whole(api.call("DELETE", f"/connectors/{number}/import"))
    return _whole(api.post(f"/connectors/{number}/import", {"query": query}))


@connector.command()
@NUMBER
@as_json
def canned(number: int) -> Said:
    """Take over the canned responses that a helpdesk keeps, now."""
    return told(Api().post(f"/connectors/{number}/canned"), "They are being taken over.")
