"""What an incident's record says, put right on the command line: its lines, milestones, severity, words, links, who sees it."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry.cli.client import Api, Failed, clean, find_person
from watchbill.entry.cli.incidents import AT, incident, instant
from watchbill.entry.cli.references import incident_number
from watchbill.entry.cli.show import Said, as_json, table, told

MILESTONES = ("started", "detected", "declared", "acknowledged", "mitigated", "resolved", "closed")
LINKED = ("alert", "page", "request", "ticket", "change", "silence", "related")


@incident.command()
@click.argument("number", type=incident_number)
@click.argument("line", type=int)
@click.argument("text")
@click.option("--why", default="", help="Why it is put right.")
@AT
@as_json
def fix(number: int, line: int, text: str, why: str, at: str) -> Said:
    """Say what a line of the timeline should say; the old one stays readable."""
    body = {"text": text, "why": why, "at": instant(at)}
    found = Api().post(f"/incidents/{number}/timeline/{line}/correct", body)
    return told(found, f"Put right by line {found['id']}.")


@incident.command()
@click.argument("number", type=incident_number)
@click.argument("line", type=int)
@click.option("--off", is_flag=True, help="Take the pin off.")
@as_json
def pin(number: int, line: int, *, off: bool) -> Said:
    """Pin a line of the timeline to the top."""
    found = Api().call("POST", f"/incidents/{number}/timeline/{line}/pin", query={"pinned": not off})
    return told(found, "The pin is off." if off else "It is pinned.")


@incident.command()
@click.argument("number", type=incident_number)
@click.argument("name", type=click.Choice(MILESTONES))
@click.argument("at", default="")
@click.option("--why", required=True, help="How that is known; the timeline keeps both times.")
@as_json
def milestone(number: int, name: str, at: str, why: str) -> Said:
    """Say when something really was; without AT it is not known."""
    body = {"milestone": name, "at": instant(at), "why": why}
    found = Api().post(f"/incidents/{number}/milestone", body)
    return told(found, "The timeline keeps both times.")


@incident.command()
@click.argument("number", type=incident_number)
@click.option("--kind", "impact_kind", default="", help="A key of the team's table of impacts.")
@click.option("--severity", "level", default="", help="By hand, a key of the team's table; wants --why.")
@click.option("--why", default="", help="Why by hand.")
@as_json
def severity(number: int, impact_kind: str, level: str, why: str) -> Said:
    """Say what people feel by the team's table, or how bad it is by hand."""
    body = {"impact_kind": impact_kind, "severity": level, "why": why}
    found = Api().post(f"/incidents/{number}/severity", body)
    return told(found, f"{found['reference']} is {found['severity']}, {found['priority']}.")


@incident.command()
@click.argument("number", type=incident_number)
@click.option("--title", default=None, help="What it is.")
@click.option("--impact", default=None, help="What people feel.")
@click.option("--summary", default=None, help="In short, for whoever comes later.")
@click.option("--call", "call_url", default=None, help="Where people talk: https://…")
@click.option("--owner", default="", help="Who sees it through until it is closed.")
@as_json
def change(number: int, owner: str, **given: str | None) -> Said:
    """Change its words, its call, its owner; what is not given stays."""
    api = Api()
    body: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if owner:
        body["owner"] = find_person(api, owner)["id"]
    if not body:
        raise Failed("say what changes: --title, --impact, --summary, --call or --owner")
    found = api.call("PATCH", f"/incidents/{number}", body=body)
    return told(found, f"{found['reference']} is changed.")


@incident.command()
@click.argument("number", type=incident_number)
@click.argument("who", type=click.Choice(("named", "team")))
@click.argument("why")
@as_json
def privacy(number: int, who: str, why: str) -> Said:
    """Say who sees I-12: those who are named in it and the team's owners, or the team."""
    body = {"is_private": who == "named", "why": why}
    found = Api().post(f"/incidents/{number}/privacy", body)
    return told(found, f"{found['reference']} is {'private' if found['is_private'] else 'open to the team'}.")


@incident.command()
@click.argument("number", type=incident_number)
@as_json
def leave(number: int) -> Said:
    """Respond no longer; a role is handed on first."""
    return told(Api().post(f"/incidents/{number}/leave"), "You no longer respond. Rest well.")


@incident.command()
@click.argument("number", type=incident_number)
@click.argument("key", default="")
@click.option("--undone", is_flag=True, help="It is not done after all.")
@as_json
def step(number: int, key: str, *, undone: bool) -> Said:
    """Tick a step of the first responder's protocol; without KEY list them."""
    api = Api()
    if key:
        found = api.post(f"/incidents/{number}/steps/{key}", {"is_done": not undone})
    else:
        found = api.get(f"/incidents/{number}")
    rows = [(one["key"], "done" if one["done_at"] else "open", one["text"]) for one in found["steps"]]
    return Said(found["steps"], lambda: table(("KEY", "STATE", "STEP"), rows, "It has no steps."))


@incident.command()
@click.argument("number", type=incident_number)
@as_json
def links(number: int) -> Said:
    """List what belongs to I-12."""
    return _linked(Api().get(f"/incidents/{number}/links"))


@incident.command()
@click.argument("number", type=incident_number)
@click.argument("kind", type=click.Choice(LINKED))
@click.argument("other", type=int)
@click.option("--note", default="", help="Why it belongs here.")
@as_json
def link(number: int, kind: str, other: int, note: str) -> Said:
    """Say that something belongs to I-12: `incident link I-12 alert 5`."""
    return _linked(Api().post(f"/incidents/{number}/links", {"kind": kind, "number": other, "note": note}))


@incident.command()
@click.argument("number", type=incident_number)
@click.argument("line", type=int)
@as_json
def unlink(number: int, line: int) -> Said:
    """Take a link off, by its ID in the list."""
    return _linked(Api().call("DELETE", f"/incidents/{number}/links/{line}"))


def _linked(found: list[dict[str, Any]]) -> Said:
    rows = [(one["id"], one["kind"], one["number"], clean(one["note"]), clean(one["title"])) for one in found]
    return Said(found, lambda: table(("ID", "KIND", "NUMBER", "NOTE", "TITLE"), rows, "Nothing is linked."))


@incident.command("call-off")
@click.argument("number", type=incident_number)
@click.argument("why")
@as_json
def call_off(number: int, why: str) -> Said:
    """Say that I-12 was no incident; opening it again undoes that."""
    return told(Api().post(f"/incidents/{number}/call-off", {"why": why}), f"I-{number} was no incident.")
