"""Who does what in an incident, on the command line: roles asked for and answered, tasks, merging."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, Failed, clean, find_person
from watchbill.entry.cli.references import incident_number
from watchbill.entry.cli.show import Said, as_json, name_of, table, told


@click.group()
def role() -> None:
    """Who does what in an incident: `role list I-7`, `role ask I-7 commander ben`, `role yes I-7`, `role no I-7`."""


@role.command("list")
@click.argument("incident", type=incident_number)
@as_json
def list_roles(incident: int) -> Said:
    """List who has which role, who was asked, and who had it before."""
    return _said(Api().get(f"/incidents/{incident}/roles"))


@role.command()
@click.argument("incident", type=incident_number)
@click.argument("key")
@click.argument("person")
@click.option("--why", default="", help="A word to them.")
@click.option("--scope", default="", help="For what.")
@as_json
def ask(incident: int, key: str, person: str, why: str, scope: str) -> Said:
    """Ask somebody to take a role, or hand yours on; it stays as it is until they say yes."""
    api = Api()
    body = {"role": key, "person": find_person(api, person)["id"], "why": why, "scope": scope}
    return _said(api.post(f"/incidents/{incident}/roles/ask", body))


@role.command()
@click.argument("incident", type=incident_number)
@click.argument("key")
@click.option("--why", default="", help="Needed when somebody has it: they hear of it.")
@as_json
def take(incident: int, key: str, why: str) -> Said:
    """Take a role."""
    return _said(Api().post(f"/incidents/{incident}/roles/take", {"role": key, "why": why}))


@role.command()
@click.argument("incident", type=incident_number)
@click.option("--role", "key", default="", help="Which, when you were asked for several.")
@as_json
def yes(incident: int, key: str) -> Said:
    """Say yes to the role that you are asked to take."""
    api = Api()
    return _said(api.post(f"/incidents/{incident}/roles/{_asked(api, incident, key)}/accept"))


@role.command()
@click.argument("incident", type=incident_number)
@click.option("--role", "key", default="", help="Which, when you were asked for several.")
@as_json
def no(incident: int, key: str) -> Said:
    """Say no; it needs no reason, and somebody else is asked."""
    api = Api()
    return _said(api.post(f"/incidents/{incident}/roles/{_asked(api, incident, key)}/decline"))


@role.command()
@click.argument("incident", type=incident_number)
@click.option("--role", "key", default="", help="Which, when you have several.")
@as_json
def end(incident: int, key: str) -> Said:
    """End your role; one that the incident needs is handed on instead."""
    api = Api()
    line = _mine(api, incident, key, "accepted", "you have several: say --role", "you have no role in this incident")
    return _said(api.post(f"/incidents/{incident}/roles/{line}/end"))


@role.command()
@click.argument("incident", type=incident_number)
@click.argument("line", type=int)
@as_json
def withdraw(incident: int, line: int) -> Said:
    """Take back an offer before its answer, by its ID in the list."""
    return _said(Api().post(f"/incidents/{incident}/roles/{line}/withdraw"))


@role.command()
@click.argument("incident", type=incident_number)
@click.argument("key")
@as_json
def suggest(incident: int, key: str) -> Said:
    """List whom the team would ask, in its order, each with why."""
    found = Api().get(f"/incidents/{incident}/roles/{key}/suggested")
    rows = [(name_of(one["person"]), "; ".join(one["reasons"])) for one in found]
    return Said(found, lambda: table(("WHO", "WHY"), rows, "Nobody is left to ask."))


@role.command("ask-who")
@click.argument("incident", type=incident_number)
@click.argument("key")
@as_json
def ask_who(incident: int, key: str) -> Said:
    """Let whoever breaks ties say who, so that you need not name a colleague."""
    return _said(Api().post(f"/incidents/{incident}/roles/{key}/ask-who"))


def _asked(api: Api, incident: int, key: str) -> int:
    nobody = "nobody asks you for a role in this incident"
    return _mine(api, incident, key, "offered", "you are asked for several: say --role", nobody)


def _mine(api: Api, incident: int, key: str, state: str, several: str, none: str) -> int:
    """Find the one line that is the caller's and stands so; ends the command when there is none, or more."""
    me = api.get("/me")["id"]
    found = [
        one
        for one in api.get(f"/incidents/{incident}/roles")["items"]
        if one["state"] == state and one["person"]["id"] == me and key in {"", one["role"]}
    ]
    if len(found) != 1:
        raise Failed(several if found else none)
    return int(found[0]["id"])


def _said(found: dict[str, Any]) -> Said:
    rows = [
        (
            one["id"],
            clean(one["title"]),
            name_of(one["person"]),
            one["state"],
            times.show(one["since"] or one["offered_at"]),
        )
        for one in found["items"]
    ]

    def show() -> None:
        table(("ID", "ROLE", "WHO", "STATE", "SINCE"), rows, "Nobody has a role yet.")
        if found["missing"]:
            click.echo(f"Still looked for: {', '.join(found['missing'])}")

    return Said(found, show)


@click.group()
def task() -> None:
    """Tasks of an incident: `task list I-7`, `task add I-7 "Restart it"`, `task done I-7 3`."""


@task.command("list")
@click.argument("incident", type=incident_number)
@as_json
def list_tasks(incident: int) -> Said:
    """List the tasks of an incident."""
    found = Api().get(f"/incidents/{incident}/tasks")
    rows = [(one["id"], _state(one), name_of(one["owner"], "nobody"), clean(one["title"])) for one in found]
    return Said(found, lambda: table(("ID", "STATE", "WHO", "TASK"), rows, "No tasks."))


@task.command()
@click.argument("incident", type=incident_number)
@click.argument("title")
@click.option("--owner", default="", help="Who does it.")
@as_json
def add(incident: int, title: str, owner: str) -> Said:
    """Write a task."""
    api = Api()
    whom = find_person(api, owner)["id"] if owner else None
    found = api.post(f"/incidents/{incident}/tasks", {"title": title, "owner": whom})
    return Said(found, lambda: click.echo(f"Task {found['id']}: {clean(found['title'])}"))


@task.command()
@click.argument("incident", type=incident_number)
@click.argument("number", type=int)
@as_json
def done(incident: int, number: int) -> Said:
    """Finish a task."""
    found = Api().post(f"/incidents/{incident}/tasks/{number}/done")
    return Said(found, lambda: click.echo(f"Done: {clean(found['title'])}"))


@task.command()
@click.argument("incident", type=incident_number)
@click.argument("number", type=int)
@click.argument("owner", default="")
@as_json
def give(incident: int, number: int, owner: str) -> Said:
    """Give a task to somebody, who hears of it; without OWNER nobody has it."""
    api = Api()
    whom = find_person(api, owner)["id"] if owner else None
    found = api.post(f"/incidents/{incident}/tasks/{number}/give", {"owner": whom})
    return told(found, f"{name_of(found['owner'], 'Nobody')} has it now: {found['title']}")


@task.command()
@click.argument("incident", type=incident_number)
@click.argument("number", type=int)
@click.argument("why")
@as_json
def drop(incident: int, number: int, why: str) -> Said:
    """Say that a task is not needed, and why."""
    found = Api().post(f"/incidents/{incident}/tasks/{number}/drop", {"why": why})
    return told(found, f"Dropped: {found['title']}")


@task.command()
@click.argument("incident", type=incident_number)
@click.argument("number", type=int)
@as_json
def reopen(incident: int, number: int) -> Said:
    """Open a task again that was done or dropped."""
    found = Api().post(f"/incidents/{incident}/tasks/{number}/reopen")
    return told(found, f"Open again: {found['title']}")


@task.command()
@click.argument("incident", type=incident_number)
@click.argument("number", type=int)
@as_json
def ticket(incident: int, number: int) -> Said:
    """Make a task a ticket, which outlives the incident."""
    found = Api().post(f"/incidents/{incident}/tasks/{number}/ticket")
    return Said(found, lambda: click.echo(f"It is T-{found['ticket']} now."))


def _state(one: dict[str, Any]) -> str:
    if one["ticket"]:
        return f"T-{one['ticket']}"
    if one["done_at"]:
        return "done"
    return "dropped" if one["dropped_why"] else "open"


@click.command()
@click.argument("incident", type=incident_number)
@click.argument("into", type=incident_number)
@click.argument("why")
@as_json
def merge(incident: int, into: int, why: str) -> Said:
    """Say that an incident is part of another: `merge I-8 I-7 "the same outage"`; opening it again undoes it."""
    found = Api().post(f"/incidents/{incident}/merge", {"into": into, "why": why})
    return Said(found, lambda: click.echo(f"Incident {incident} is part of {into} now."))
