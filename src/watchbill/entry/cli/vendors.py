"""Cases at vendors on the command line: open one, write what they said, close it."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, Failed, clean
from watchbill.entry.cli.references import REFERENCE
from watchbill.entry.cli.show import Said, as_json, facts, table, told

HOURS = click.option(
    "--remind",
    "remind_after_hours",
    default=None,
    type=click.IntRange(0, 2000),
    help="After so many working hours; 0: never.",
)


@click.group(invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@click.option("--closed", is_flag=True, help="Those that are over.")
@as_json
@click.pass_context
def vendor(ctx: click.Context, team: str, *, closed: bool) -> Said | None:
    """List cases at vendors; `vendor open I-12 6dg --reference C-9` opens one, `vendor heard 3 TEXT` writes what they said."""
    if ctx.invoked_subcommand:
        return None
    found = list(Api().every("/vendor-cases", 200, team=team, closed=closed))
    rows = [
        (one["id"], clean(one["vendor"]), clean(one["reference"]), times.show(one["heard_at"] or one["opened_at"]))
        for one in found
    ]
    return Said(found, lambda: table(("ID", "VENDOR", "NUMBER", "LAST HEARD"), rows, "Nobody waits for a vendor."))


@vendor.command()
@click.argument("number", type=int)
@as_json
def show(number: int) -> Said:
    """Show a case, what waits for it and for how long."""
    found = Api().get(f"/vendor-cases/{number}")
    waits = [f"{letter}-{found[name]}" for letter, name in WAITS.items() if found[name]]
    shown = (
        ("Vendor", found["vendor"]),
        ("Number", found["reference"]),
        ("Read at", found["url"]),
        ("Contact", found["contact"]),
        ("Note", found["note"]),
        ("Waits", ", ".join(waits)),
        ("Opened", times.show(found["opened_at"])),
        ("Heard", times.show(found["heard_at"])),
        ("Reminds", times.show(found["remind_at"])),
        ("Closed", times.show(found["closed_at"])),
        ("Waited", f"{found['waited_covered_seconds'] / 3600:.1f} working hours"),
    )
    return Said(found, lambda: facts(shown))


WAITS = {"I": "incident", "R": "request", "T": "ticket"}


@vendor.command("open")
@click.argument("what")
@click.argument("name", default="")
@click.option("--reference", default="", help="Their number.")
@click.option("--url", default="", help="Where it is read.")
@click.option("--contact", default="", help="Whom to ask there.")
@click.option("--note", default="", help="What they were told.")
@HOURS
@as_json
def open_case(what: str, name: str, **given: Any) -> Said:
    """Open a case for I-12, R-3 or T-4; without NAME at the vendor of its service."""
    named = REFERENCE.fullmatch(what)
    if named is None or not named[1]:
        raise click.BadParameter(f"“{what}” may be any: write I-12, R-3 or T-4", param_hint="WHAT")
    body = _given({"vendor": name, **given})
    found = Api().post(PLACES[named[1].upper()].format(named[2]), body)
    return told(found, f"Case {found['id']} at {found['vendor']} is written down.")


PLACES = {"I": "/incidents/{}/vendor-cases", "R": "/requests/{}/vendor-cases", "T": "/tickets/{}/vendor-cases"}


@vendor.command()
@click.argument("number", type=int)
@click.option("--vendor", "name", default="", help="Its name.")
@click.option("--reference", default="", help="Their number.")
@click.option("--url", default="", help="Where it is read.")
@click.option("--contact", default="", help="Whom to ask there.")
@click.option("--note", default="", help="What they were told.")
@HOURS
@as_json
def change(number: int, name: str, **given: Any) -> Said:
    """Change a case; what is not given stays."""
    body = _given({"vendor": name, **given})
    if not body:
        raise Failed("say what changes: --vendor, --reference, --url, --contact, --note or --remind")
    return told(Api().call("PATCH", f"/vendor-cases/{number}", body=body), f"Case {number} is changed.")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None)}


@vendor.command()
@click.argument("number", type=int)
@click.argument("text")
@as_json
def heard(number: int, text: str) -> Said:
    """Write what they said; the reminder begins anew."""
    return told(Api().post(f"/vendor-cases/{number}/heard", {"note": text}), "Written down.")


@vendor.command()
@click.argument("number", type=int)
@click.argument("text", default="")
@as_json
def close(number: int, text: str) -> Said:
    """Close a case; with the last one the ball is with the team again."""
    return told(Api().post(f"/vendor-cases/{number}/close", {"note": text}), f"Case {number} is closed.")
