"""Incidents on the command line: declare one, tell its timeline, say where it stands."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry import clock
from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, clean, find_person
from watchbill.entry.cli.references import incident_number, request_number, team_of
from watchbill.entry.cli.show import Said, as_json, facts, heading, name_of, table
from watchbill.entry.cli.tickets import ByNumber

KINDS = ("note", "observation", "hypothesis", "ruled_out", "decision", "action", "command")
SOURCES = ("alert", "requester", "member", "vendor")
CONDITIONS = ("operational", "degraded", "partial_outage", "major_outage")
AT = click.option("--at", default="", help="When it was, if earlier: 09:40, 2026-12-24 18:00, RFC 3339.")


def instant(text: str) -> str | None:
    """Read a time as the API wants it; nothing: None."""
    return times.read_instant(text, clock.now()).isoformat() if text else None


@click.command()
@click.argument("search", default="")
@click.option("--team", default="", help="Only this team's.")
@click.option("--state", default="", type=click.Choice(["", "active", "mitigated", "resolved", "closed"]))
@click.option("--severity", default="", help="Only of this severity, a key of the team's table.")
@click.option("--service", default="", help="Only those that touch this service.")
@click.option("--exercise", default="", type=click.Choice(["", "no", "only"]), help="Without exercises, or only them.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def incidents(search: str, limit: int, **narrow: str) -> Said:
    """List incidents, newest first; words narrow the list."""
    found = list(Api().every("/incidents", limit, search=search, **narrow))
    rows = [
        (i["reference"], i["state"], i["priority"], times.show(i["started_at"]), name_of(i["team"]), _title(i))
        for i in found
    ]
    headers = ("ID", "STATE", "PRIORITY", "BEGAN", "TEAM", "TITLE")
    return Said(found, lambda: table(headers, rows, "No incidents."))


def _title(found: dict[str, Any]) -> str:
    marks = [word for word, holds in (("Exercise", found["is_exercise"]), ("Private", found["is_private"])) if holds]
    return ": ".join([*marks, found["title"]])


@click.group(cls=ByNumber)
def incident() -> None:
    """Show an incident, `watchbill incident I-12`, or declare one: `watchbill incident declare "Title" "What people feel"`."""


@incident.command()
@click.argument("title")
@click.argument("impact")
@click.option("--team", default="", help="Whose incident; not needed in one team.")
@click.option("--kind", "impact_kind", default="", help="A key of the team's table of impacts.")
@click.option("--severity", default="", help="A key of the team's table; wins over the impact.")
@click.option("--service", "services", multiple=True, help="What it touches; may be said several times.")
@click.option("--condition", default="degraded", show_default=True, type=click.Choice(CONDITIONS))
@click.option("--since", default="", help="When it began: 09:40, 2026-12-24 18:00.")
@click.option("--noticed", default="", help="When it was noticed, if later.")
@click.option(
    "--by", "detection_source", default="member", show_default=True, type=click.Choice(SOURCES), help="Who noticed."
)
@click.option("--alert", default=None, type=int, help="The alert that it began with.")
@click.option("--page", default=None, type=int, help="The page that it began with.")
@click.option("--request", default=None, type=request_number, help="The request that it began with: R-12.")
@click.option("--why", default="", help="Why the severity, when you say one.")
@click.option("--private", is_flag=True, help="Only those named in it and the team's owners see it.")
@click.option("--exercise", is_flag=True, help="It stays out of every figure.")
@as_json
def declare(title: str, impact: str, team: str, *, private: bool, exercise: bool, **more: Any) -> Said:
    """Declare an incident in one step: a title and what people feel."""
    api = Api()
    body = {
        "team": team_of(api, team), "title": title, "impact": impact, "started_at": instant(more.pop("since")),
        "detected_at": instant(more.pop("noticed")), "is_private": private, "is_exercise": exercise, **more, "services": list(more["services"]),
    }  # fmt: skip
    found = api.post("/incidents", body, once=True)
    return Said(
        found, lambda: click.echo(f"{found['reference']} is declared: {found['severity']}, {found['priority']}.")
    )


@incident.command()
@click.argument("number", type=incident_number)
@as_json
def show(number: int) -> Said:
    """Show an incident with its timeline and what is missing before it can be closed."""
    api = Api()
    found = api.get(f"/incidents/{number}")
    found["timeline"] = list(api.every(f"/incidents/{number}/timeline", 10_000))
    return Said(found, lambda: _show(found))


def _show(found: dict[str, Any]) -> None:
    milestones = ("started", "detected", "declared", "acknowledged", "mitigated", "resolved", "closed")
    facts(
        (
            ("Incident", found["reference"]),
            ("Title", _title(found)),
            ("What people feel", found["impact"]),
            ("State", found["outcome"] or found["state"]),
            ("Severity", f"{found['severity']}, {found['priority']}: {found['priority_why']}"),
            ("Team", name_of(found["team"])),
            ("Owner", name_of(found["owner"])),
            ("Touches", ", ".join(f"{name_of(one['service'])} ({one['condition']})" for one in found["services"])),
            ("Respond", ", ".join(name_of(one) for one in found["responders"])),
            ("Call", found["call_url"]),
            ("Next update", times.show(found["next_update_at"])),
            *((name.capitalize(), times.show(found[f"{name}_at"])) for name in milestones),
            ("Missing", "; ".join(found["missing"])),
        )
    )
    heading("Timeline")
    for line in sorted(found["timeline"], key=lambda one: one["at"]):
        click.echo(f"{line['id']:>6}  {times.show(line['at'])}  {clean(line['by'])}: {clean(line['why'])}")


@incident.command()
@click.argument("number", type=incident_number)
@click.argument("text")
@click.option("--kind", default="note", show_default=True, type=click.Choice(KINDS))
@AT
@as_json
def note(number: int, text: str, kind: str, at: str) -> Said:
    """Write on the timeline of I-12."""
    found = Api().post(f"/incidents/{number}/timeline", {"text": text, "kind": kind, "at": instant(at)})
    return Said(found, lambda: click.echo("It stands on the timeline."))


def _moves(name: str, state: str, about: str) -> None:
    """Add a command that says where an incident stands."""

    @incident.command(name=name, help=about)
    @click.argument("number", type=incident_number)
    @click.argument("words", default="")
    @AT
    @as_json
    def move(number: int, words: str, at: str) -> Said:
        body = {"state": state, "words": words, "at": instant(at)}
        found = Api().post(f"/incidents/{number}/state", body)
        return Said(found, lambda: click.echo(f"{found['reference']} is {found['state']}."))


_moves("take", "acknowledged", "Say that you have I-12.")
_moves("mitigate", "mitigated", "Say that people no longer feel I-12.")
_moves("resolve", "resolved", "Say that all is normal.")
_moves("close", "closed", "Close I-12; with something missing, WORDS say why it may be closed.")
_moves("reopen", "active", "Say that I-12 goes on, and why (WORDS).")


@incident.command()
@click.argument("number", type=incident_number)
@click.argument("service")
@click.argument("condition", type=click.Choice(CONDITIONS))
@as_json
def touch(number: int, service: str, condition: str) -> Said:
    """Say how a service is because of I-12."""
    body = {"service": service, "condition": condition}
    found = Api().post(f"/incidents/{number}/services", body)
    return Said(found, lambda: click.echo(f"{service} is {condition.replace('_', ' ')}."))


@incident.command(name="call")
@click.argument("number", type=incident_number)
@click.argument("person")
@as_json
def call_in(number: int, person: str) -> Said:
    """Call somebody into I-12."""
    api = Api()
    whom = find_person(api, person)
    found = api.post(f"/incidents/{number}/responders", {"person": whom["id"]})
    return Said(found, lambda: click.echo(f"{name_of(whom)} is called in."))
