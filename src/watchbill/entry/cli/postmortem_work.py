"""The work on a post-mortem on the command line: its sections, its way, its figures, its actions, its meeting, where it goes."""

from __future__ import annotations

from typing import Any, TextIO

import click

from watchbill.entry import clock
from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, Failed, find_person
from watchbill.entry.cli.postmortems import postmortem
from watchbill.entry.cli.references import incident_number, ticket_number
from watchbill.entry.cli.show import Said, as_json, told

NUMBER = click.argument("number", type=click.IntRange(1))
VERSION = click.option("--version", type=int, default=None, help="Which one you began from, as `show` tells it.")


def _stands(found: dict[str, Any]) -> Said:
    return told(found, f"{found['title']}: {found['state'].replace('_', ' ')}.")


@postmortem.command()
@click.argument("incident", type=incident_number)
@click.option("--why", default="", help="Why, when nobody asked for it.")
@as_json
def begin(incident: int, why: str) -> Said:
    """Begin one for I-12, from what its record tells."""
    found = Api().post("/postmortems", {"incident": incident, "why": why})
    return told(found, f"Post-mortem {found['id']} is begun.")


@postmortem.command()
@NUMBER
@click.argument("key")
@click.argument("text", type=click.File())
@VERSION
@as_json
def write(number: int, key: str, text: TextIO, version: int | None) -> Said:
    """Write a section from a file (- reads standard input). What others wrote since your version is not lost."""
    api = Api()
    section = next((one for one in api.get(f"/postmortems/{number}")["sections"] if one["key"] == key), None)
    if section is None:
        raise Failed(f"post-mortem {number} has no section “{key}”")
    if version is None and section["text"]:
        raise Failed(f"“{key}” has words already: say --version {section['version']} when you began from them")
    body = {"text": text.read(), "version": section["version"] if version is None else version}
    return _saved(api.call("PUT", f"/postmortems/{number}/sections/{section['id']}", body=body))


@postmortem.command()
@NUMBER
@click.argument("revision", type=int)
@click.argument("text", type=click.File())
@click.option("--version", type=int, required=True, help="The section's version that you made it from.")
@as_json
def settle(number: int, revision: int, text: TextIO, version: int) -> Said:
    """Settle words that were set aside: one text, made of both, from a file."""
    body = {"revision": revision, "text": text.read(), "version": version}
    return _saved(Api().post(f"/postmortems/{number}/settle", body))


def _saved(found: dict[str, Any]) -> Said:
    words = f"Saved: “{found['section']['key']}” is version {found['section']['version']}."
    if found["was_merged"]:
        words += " What others wrote meanwhile stands with it."
    if found["set_aside"]:
        words = f"Another wrote in the same place: yours is set aside as {found['set_aside']}. Settle both into one."
    return told(found, words)


@postmortem.command()
@NUMBER
@as_json
def refill(number: int) -> Said:
    """Draft anew, from what was noted since, what nobody touched."""
    return _stands(Api().post(f"/postmortems/{number}/refill"))


@postmortem.command()
@NUMBER
@click.argument("state", type=click.Choice(("draft", "in_review", "reviewed", "published")))
@click.option("--why", default="", help="Needed when it goes back.")
@as_json
def move(number: int, state: str, why: str) -> Said:
    """Move it on, or back; all that is missing is said at once."""
    return _stands(Api().post(f"/postmortems/{number}/move", {"state": state, "why": why}))


@postmortem.command()
@NUMBER
@click.option("--title", default="", help="Its title.")
@click.option("--owner", default="", help="Who writes it.")
@click.option("--due", default="", help="By when: 2026-12-24 18:00.")
@as_json
def change(number: int, title: str, owner: str, due: str) -> Said:
    """Say what it is called, who writes it, and by when."""
    api = Api()
    body: dict[str, Any] = {"title": title} if title else {}
    if owner:
        body["owner"] = find_person(api, owner)["id"]
    if due:
        body["due_at"] = times.read_instant(due, clock.now()).isoformat()
    if not body:
        raise Failed("say what changes: --title, --owner or --due")
    return _stands(api.call("PATCH", f"/postmortems/{number}", body=body))


@postmortem.command()
@NUMBER
@click.argument("figures", nargs=-1, required=True, metavar="NAME=NUMBER...")
@as_json
def impact(number: int, figures: tuple[str, ...]) -> Said:
    """Write figures of the impact down: impact 7 "Users=120"; an empty one is taken away."""
    given: dict[str, str] = {}
    for figure in figures:
        name, equals, value = figure.rpartition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"“{figure}” is no figure: write Users=120")
        given[name.strip()] = value.strip()
    return _stands(Api().call("PUT", f"/postmortems/{number}/impact", body={"impact": given}))


@postmortem.command()
@NUMBER
@click.argument("line")
@as_json
def action(number: int, line: str) -> Said:
    """Make an action of one line: action 7 "Alert earlier @ben by 2026-04-01 #technical #detect"."""
    found = Api().post(f"/postmortems/{number}/actions", {"line": line})
    return told(found, f"T-{found['ticket']} is made: {found['title']}")


@postmortem.command("action-for")
@NUMBER
@click.argument("ticket", type=ticket_number)
@click.option("--kind", default=None, type=click.Choice(("process", "documentation", "technical")))
@click.option("--purpose", default=None, type=click.Choice(("prevent", "detect", "mitigate")))
@click.option("--smallest/--not-smallest", "is_smallest", default=None, help="It is the smallest that helps.")
@as_json
def action_for(number: int, ticket: int, **given: Any) -> Said:
    """Say what the action T-34 is for."""
    api = Api()
    found = api.call("PATCH", f"/postmortems/{number}/actions/{_action(api, number, ticket)}", body=given)
    return told(found, f"T-{ticket}: {found['kind']}, to {found['purpose']}.")


@postmortem.command()
@NUMBER
@click.argument("ticket", type=ticket_number)
@click.argument("place", type=click.IntRange(1, 10_000))
@as_json
def rank(number: int, ticket: int, place: int) -> Said:
    """Put the action T-34 at a place of the list, 1 first."""
    api = Api()
    found = api.post(f"/postmortems/{number}/actions/{_action(api, number, ticket)}/rank", {"place": place - 1})
    return told(found, f"T-{ticket} is at place {place}.")


@postmortem.command("next-sprint")
@NUMBER
@click.argument("ticket", type=ticket_number)
@as_json
def next_sprint(number: int, ticket: int) -> Said:
    """Put the action T-34 into the next sprint."""
    api = Api()
    found = api.post(f"/postmortems/{number}/actions/{_action(api, number, ticket)}/next-sprint")
    return told(found, f"T-{ticket} is in the next sprint.")


def _action(api: Api, number: int, ticket: int) -> int:
    for one in api.get(f"/postmortems/{number}")["actions"]:
        if one["ticket"] == ticket:
            return int(one["id"])
    raise Failed(f"T-{ticket} is no action of post-mortem {number}")


@postmortem.command()
@NUMBER
@click.argument("at")
@click.option("--minutes", default=None, type=click.IntRange(5, 480), help="How long; else as the team's rule says.")
@as_json
def meeting(number: int, at: str, minutes: int | None) -> Said:
    """Plan its meeting, or move it; everybody who is asked gets an invitation by mail."""
    begins = times.read_instant(at, clock.now()).isoformat()
    found = Api().post(f"/postmortems/{number}/meeting", {"at": begins, "minutes": minutes})
    return told(found, f"The meeting is {times.show(found['meeting_at'])}, {found['meeting_minutes']} minutes.")


@postmortem.command("call-off")
@NUMBER
@click.argument("why", default="")
@as_json
def call_off(number: int, why: str) -> Said:
    """Call its meeting off; calendars take it away."""
    return told(Api().post(f"/postmortems/{number}/meeting/call-off", {"why": why}), "The meeting is called off.")


@postmortem.command()
@NUMBER
@click.argument("who", default="")
@click.option("--guest", default="", help="Or a guest, by name.")
@click.option("--email", default="", help="A guest's mail address.")
@click.option("--optional", is_flag=True, help="They may stay away.")
@as_json
def invite(number: int, who: str, guest: str, email: str, *, optional: bool) -> Said:
    """Ask somebody to the meeting."""
    api = Api()
    person = find_person(api, who)["id"] if who else None
    body = {"person": person, "name": guest, "email": email, "is_required": not optional}
    found = api.post(f"/postmortems/{number}/attendees", body)
    return told(found, f"Asked, as {found['id']}.")


@postmortem.command()
@NUMBER
@click.argument("attendee", type=int)
@as_json
def excuse(number: int, attendee: int) -> Said:
    """Take somebody off the list of the meeting, by their ID in `show`."""
    return told(Api().call("DELETE", f"/postmortems/{number}/attendees/{attendee}"), "They need not come.")


@postmortem.command()
@NUMBER
@click.option("--to", "targets", multiple=True, type=click.Choice(("page", "git", "confluence", "chat")))
@click.option("--place", default=None, type=int, help="Which connector, by its ID; else the first that fits.")
@as_json
def publish(number: int, targets: tuple[str, ...], place: int | None) -> Said:
    """Publish it where the team's rule says, or where you say; without names."""
    return _stands(Api().post(f"/postmortems/{number}/publish", {"targets": list(targets), "connection": place}))


@postmortem.command()
@NUMBER
@click.argument("why")
@as_json
def retract(number: int, why: str) -> Said:
    """Take the public page away."""
    return _stands(Api().post(f"/postmortems/{number}/retract", {"why": why}))


@postmortem.command()
@NUMBER
@click.argument("publication", type=int)
@as_json
def retry(number: int, publication: int) -> Said:
    """Publish once more what failed, by its ID in `show`."""
    return _stands(Api().post(f"/postmortems/{number}/publications/{publication}/retry"))
