"""Requests on the command line: what people ask, the conversation, an answer."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, clean
from watchbill.entry.cli.references import number_of
from watchbill.entry.cli.show import Said, as_json, asks, facts, heading, name_of, table

OPEN = "state = open"
DIRECTIONS = {"in": "wrote", "out": "answered", "note": "noted, for the team alone"}


@asks(OPEN)
def requests(query: str, team: str, limit: int) -> Said:
    """List requests, the open ones or by a query: watchbill requests 'assignee = me and late = yes'."""
    found = list(Api().every("/requests", limit, team=team, query=query))
    rows = [
        (r["reference"], r["state"], r["waits_on"], name_of(r["assignee"], "nobody"), _due(r),
         r["requester"]["name"], r["title"])
        for r in found
    ]  # fmt: skip
    headers = ("ID", "STATE", "BALL", "WITH", "DUE", "ASKED BY", "TITLE")
    return Said(found, lambda: table(headers, rows, "No requests."))


def _due(found: dict[str, Any]) -> str:
    return times.show(found["due_at"]) + (" (late)" if found["is_late"] else "")


@click.command()
@click.argument("reference")
@as_json
def request(reference: str) -> Said:
    """Show one request (R-12 or 12) with its whole conversation."""
    api = Api()
    number = number_of(reference, "R")
    found = api.get(f"/requests/{number}")
    found["messages"] = list(api.every(f"/requests/{number}/messages", 10_000))
    return Said(found, lambda: _show(found))


def _show(found: dict[str, Any]) -> None:
    facts(
        (
            ("Request", found["reference"]),
            ("Title", found["title"]),
            ("State", found["state"]),
            ("Ball", found["waits_on"]),
            ("Due", f"{_due(found)} {found['due_what'].replace('_', ' ')}".strip()),
            ("Class", found["request_class"]),
            ("Asked by", f"{found['requester']['name']} {found['requester']['email']}".strip()),
            ("Community", name_of(found["community"])),
            ("Service", name_of(found["service"])),
            ("Team", name_of(found["team"])),
            ("With", name_of(found["assignee"], "nobody")),
            ("Priority", f"{found['priority']}: {found['priority_why']}".strip(": ")),
            ("Spent", f"{found['spent_seconds'] // 60} min" if found["spent_seconds"] else ""),
            ("Tickets", ", ".join(f"T-{number}" for number in found["tickets"])),
            ("Elsewhere", ", ".join(f"{twin['ref']} ({twin['sync']})" for twin in found["twins"])),
            ("Vendors", ", ".join(f"{case['vendor']} {case['reference']}" for case in found["vendor_cases"])),
        )
    )
    for message in found["messages"]:
        heading(f"{message['by']} {DIRECTIONS[message['direction']]}, {times.show(message['at'])}")
        for line in message["text"].splitlines():
            click.echo(clean(line))
        for file in message["files"]:
            click.echo(f"[{clean(file['name'])}, {file['size']} bytes]")


@click.command()
@click.argument("team")
@click.argument("title")
@click.option("--text", default="", help="More words.")
@click.option("--class", "request_class", default="", help="incident_report, change_request, guidance_request, …")
@click.option("--service", default=None, help="Which service it is about.")
@click.option("--for", "whom", default="", help="Log it for somebody: a name, or an address.")
@as_json
def ask(team: str, title: str, text: str, request_class: str, service: str | None, whom: str) -> Said:
    """Ask a team for something: watchbill ask platform "I need a bucket". With --for it is logged, and yours."""
    body: dict[str, Any] = {"team": team, "title": title, "text": text, "request_class": request_class}
    if service:
        body["service"] = service
    if whom:
        body |= {"is_logged": True, "requester_email" if "@" in whom else "requester_name": whom}
    made = Api().post("/requests", body, once=True)
    by = f" You hear by {times.show(made['first_response_due_at'])}." if made["first_response_due_at"] else ""
    return Said(made, lambda: click.echo(f"{made['reference']}: {name_of(made['team'])} has it.{by}"))


@click.command()
@click.argument("reference")
@click.argument("text")
@click.option("--waits-on", default="requester", show_default=True, type=click.Choice(["us", "requester", "vendor"]))
@as_json
def answer(reference: str, text: str, waits_on: str) -> Said:
    """Answer a request: the requester is written to, and has the ball unless you say otherwise."""
    number = number_of(reference, "R")
    found = Api().post(f"/requests/{number}/answer", {"text": text, "waits_on": waits_on})
    return Said(found, lambda: click.echo(f"{found['reference']}: answered; the ball is with {found['waits_on']}."))


@click.command()
@click.argument("reference")
@click.argument("whom", type=click.Choice(["us", "requester", "vendor"]))
@click.argument("why", default="")
@as_json
def wait(reference: str, whom: str, why: str) -> Said:
    """Say whom a request waits for: watchbill wait R-12 vendor "their case 4711". The clock stands still for others."""
    found = Api().post(f"/requests/{number_of(reference, 'R')}/ball", {"waits_on": whom, "why": why})
    return Said(found, lambda: click.echo(f"{found['reference']}: the ball is with {found['waits_on']}."))


@click.command()
@click.argument("reference")
@click.argument("why", default="")
@as_json
def reopen(reference: str, why: str) -> Said:
    """Open a request again; its clocks go on."""
    found = Api().post(f"/requests/{number_of(reference, 'R')}/reopen", {"why": why})
    return Said(found, lambda: click.echo(f"{found['reference']}: {found['state']}."))
