"""Who does what in an incident, on the command line: roles asked for and answered, tasks, merging."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, Failed, clean, find_person
from watchbill.entry.cli.show import Said, as_json, name_of, table


@click.group()
def role() -> None:
    """Who does what in an incident: `role list 7`, `role ask 7 commander ben`, `role yes 7`, `role no 7`."""


@role.command("list")
@click.argument("incident", type=int)
@as_json
def list_roles(incident: int) -> Said:
    """List who has which role, who was asked, and who had it before."""
    return _said(Api().get(f"/incidents/{incident}/roles"))


@role.command()
@click.argument("incident", type=int)
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
@click.argument("incident", type=int)
@click.argument("key")
@click.option("--why", default="", help="Needed when somebody has it: they hear of it.")
@as_json
def take(incident: int, key: str, why: str) -> Said:
    """Take a role."""
    return _said(Api().post(f"/incidents/{incident}/roles/take", {"role": key, "why": why}))


@role.command()
@click.argument("incident", type=int)
@click.option("--role", "key", default="", help="Which, when you were asked for several.")
@as_json
def yes(incident: int, key: str) -> Said:
    """Say yes to the role that you are asked to take."""
    return _answer(incident, key, "accept")


@role.command()
@click.argument("incident", type=int)
@click.option("--role", "key", default="", help="Which, when you were asked for several.")
@as_json
def no(incident: int, key: str) -> Said:
    """Say no; it needs no reason, and somebody else is asked."""
    return _answer(incident, key, "decline")


def _answer(incident: int, key: str, answer: str) -> Said:
    api = Api()
    me = api.get("/me")["id"]
    asked = [
        one
        for one in api.get(f"/incidents/{incident}/roles")["items"]
        if one["state"] == "offered" and one["person"]["id"] == me and key in {"", one["role"]}
    ]
    if len(asked) != 1:
        raise Failed(
            "you are asked for several: say --role" if asked else "nobody asks you for a role in this incident"
        )
    return _said(api.post(f"/incidents/{incident}/roles/{asked[0]['id']}/{answer}"))


def _said(found: dict[str, Any]) -> Said:
    rows = [
        (clean(one["title"]), name_of(one["person"]), one["state"], times.show(one["since"] or one["offered_at"]))
        for one in found["items"]
    ]

    def show() -> None:
        table(("ROLE", "WHO", "STATE", "SINCE"), rows, "Nobody has a role yet.")
        if found["missing"]:
            click.echo(f"Still looked for: {', '.join(found['missing'])}")

    return Said(found, show)


@click.group()
def task() -> None:
    """Tasks of an incident: `task list 7`, `task add 7 "Restart it"`, `task done 7 3`."""


@task.command("list")
@click.argument("incident", type=int)
@as_json
def list_tasks(incident: int) -> Said:
    """List the tasks of an incident."""
    found = Api().get(f"/incidents/{incident}/tasks")
    rows = [(one["id"], _state(one), name_of(one["owner"], "nobody"), clean(one["title"])) for one in found]
    return Said(found, lambda: table(("ID", "STATE", "WHO", "TASK"), rows, "No tasks."))


@task.command()
@click.argument("incident", type=int)
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
@click.argument("incident", type=int)
@click.argument("number", type=int)
@as_json
def done(incident: int, number: int) -> Said:
    """Finish a task."""
    found = Api().post(f"/incidents/{incident}/tasks/{number}/done")
    return Said(found, lambda: click.echo(f"Done: {clean(found['title'])}"))


@task.command()
@click.argument("incident", type=int)
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
@click.argument("incident", type=int)
@click.argument("into", type=int)
@click.argument("why")
@as_json
def merge(incident: int, into: int, why: str) -> Said:
    """Say that an incident is part of another: `merge 8 7 "the same outage"`; opening it again undoes it."""
    found = Api().post(f"/incidents/{incident}/merge", {"into": into, "why": why})
    return Said(found, lambda: click.echo(f"Incident {incident} is part of {into} now."))
