"""Services, teams, people, the log, and any other operation of the API, on the command line."""

from __future__ import annotations

import json
from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api
from watchbill.entry.cli.show import Said, as_json, facts, heading, name_of, table


@click.command()
@click.option("--team", default="", help="Only this team's.")
@click.option("--search", default="", help="Words in the name.")
@as_json
def services(team: str, search: str) -> Said:
    """List services."""
    found = list(Api().every("/services", 10_000, team=team, search=search))
    rows = [
        (s["slug"], name_of(s["team"]), s["tier"], s["environment"], name_of(s["ladder"]), s["name"]) for s in found
    ]
    return Said(
        found, lambda: table(("SERVICE", "TEAM", "TIER", "WHERE", "LADDER", "NAME"), rows, "There are no services.")
    )


@click.command()
@click.argument("slug")
@click.option("--replay", is_flag=True, help="Read again what no monitor understood.")
@as_json
def service(slug: str, replay: bool) -> Said:
    """Show a service, the monitors that speak of it, and what none of them understood."""
    api = Api()
    replayed = api.post(f"/services/{slug}/replay") if replay else None
    found = api.get(f"/services/{slug}")
    found["connections"] = list(api.every(f"/services/{slug}/connections", 200))
    found["not_understood"] = list(api.every(f"/services/{slug}/not-understood", 20))
    return Said(found, lambda: _show_service(found, replayed))


def _show_service(found: dict[str, Any], replayed: dict[str, Any] | None) -> None:
    facts(
        (
            ("Service", found["name"]),
            ("Team", name_of(found["team"])),
            ("Tier", found["tier"]),
            ("Environment", found["environment"]),
            ("Host", found["host"]),
            ("Vendor", found["vendor"]),
            ("Contact", found["vendor_contact"]),
            ("Ladder", name_of(found["ladder"])),
            ("About", found["description"]),
            ("Read again", f"{replayed['count']} payloads" if replayed else ""),
            *((link["kind"], link["url"]) for link in found["links"]),
        )
    )
    heading("Monitors")
    rows = [(c["id"], c["monitor"], c["name"], times.show(c["last_heard_at"]) or "never") for c in found["connections"]]
    table(("ID", "MONITOR", "NAME", "LAST HEARD"), rows, "No monitor is connected.")
    if found["not_understood"]:
        heading("Not understood")
        missed = [(times.show(p["received_at"]), p["monitor"], p["error"]) for p in found["not_understood"]]
        table(("AT", "MONITOR", "WHY"), missed)


@click.command()
@as_json
def teams() -> Said:
    """List your teams."""
    found = list(Api().every("/teams", 10_000))
    rows = [(t["slug"], t["zone"], name_of(t["fallback"]), t["name"]) for t in found]
    return Said(found, lambda: table(("TEAM", "ZONE", "FALLBACK", "NAME"), rows, "You are in no team yet."))


@click.command()
@click.argument("slug")
@as_json
def team(slug: str) -> Said:
    """Show a team: its members, and who is on watch soon and cannot be reached."""
    api = Api()
    found = api.get(f"/teams/{slug}")
    found["members"] = list(api.every(f"/teams/{slug}/members", 10_000))
    found["unreachable"] = api.get(f"/teams/{slug}/reachability")

    def shown() -> None:
        facts(
            (
                ("Team", found["name"]),
                ("Zone", found["zone"]),
                ("Fallback", name_of(found["fallback"])),
                ("Manager", name_of(found["manager"])),
            )
        )
        heading("Members")
        table(("ID", "ROLE", "SKILLS", "NAME"), [
            (m["person"]["id"], m["role"], ", ".join(m["skills"]), name_of(m["person"])) for m in found["members"]
        ])  # fmt: skip
        if found["unreachable"]:
            heading("Nothing would reach")
            missing = [
                (name_of(u["person"]), u["seat"], times.show(u["starts_at"]), u["why"]) for u in found["unreachable"]
            ]
            table(("WHO", "SEAT", "ON WATCH FROM", "WHY"), missing)

    return Said(found, shown)


@click.command()
@click.option("--team", default="", help="Only this team's.")
@click.option("--search", default="", help="Words in the name or the e-mail.")
@as_json
def people(team: str, search: str) -> Said:
    """List the people of your teams."""
    found = list(Api().every("/people", 10_000, team=team, search=search))
    rows = [(p["id"], p["email"], p["zone"], p["name"]) for p in found]
    return Said(found, lambda: table(("ID", "E-MAIL", "ZONE", "NAME"), rows, "Nobody."))


@click.command()
@click.argument("method", type=click.Choice(["GET", "POST", "PUT", "PATCH", "DELETE"], case_sensitive=False))
@click.argument("path")
@click.option("--data", default="", help="The body, as JSON.")
def api(method: str, path: str, data: str) -> None:
    """Ask anything of the API: watchbill api PATCH /services/checkout --data '{"tier": 1}'. Prints JSON."""
    try:
        body = json.loads(data) if data else None
    except ValueError as error:
        raise click.BadParameter(f"this is no JSON: {error}", param_hint="--data") from None
    if not path.startswith("/"):
        raise click.BadParameter("a path starts with /, such as /who", param_hint="PATH")
    found = Api().call(method.upper(), path.removeprefix("/api"), body=body)
    click.echo(json.dumps(found, indent=2))
