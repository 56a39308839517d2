"""Status pages on the command line: make and fill one; publish an incident, retitle it, end it, take it off."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry.cli.client import Api, Failed, clean
from watchbill.entry.cli.references import incident_number, team_of
from watchbill.entry.cli.show import Said, as_json, facts, heading, name_of, table, told

GROUP = click.option("--group", default=None, help="Under which heading it stands.")
ABOUT = click.option("--description", default=None, help="One line about it.")


@click.group("status-page", invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@as_json
@click.pass_context
def status_page(ctx: click.Context, team: str) -> Said | None:
    """List status pages; `status-page publish 3 I-12 TITLE` puts incident 12 on page 3."""
    if ctx.invoked_subcommand:
        return None
    found = list(Api().every("/status-pages", 50, team=team))
    rows = [(p["id"], name_of(p["team"]), clean(p["title"]), p["url"] or "", len(p["components"])) for p in found]
    return Said(found, lambda: table(("ID", "TEAM", "TITLE", "ADDRESS", "PARTS"), rows, "No status pages."))


@status_page.command()
@click.argument("page", type=int)
@as_json
def show(page: int) -> Said:
    """Show a page's settings, what stands on it, and how many hear of it."""
    return _page(Api().get(f"/status-pages/{page}"))


def _page(found: dict[str, Any]) -> Said:
    heard = ", ".join(f"{number} by {kind}" for kind, number in (found["subscribers"] or {}).items())
    shown = (
        ("Status page", found["title"]),
        ("Team", name_of(found["team"])),
        ("Address", found["url"]),
        ("Open to", "everybody" if found["is_public"] else "whoever has the link"),
        ("Archived", "yes" if found["is_archived"] else ""),
        ("Intro", found["intro"]),
        ("Heard", heard),
    )
    rows = [(c["id"], c["service"], c["group"], c["name"], c["description"]) for c in found["components"]]

    def show() -> None:
        facts(shown)
        heading("Components")
        table(("ID", "SERVICE", "GROUP", "NAME", "ABOUT"), rows, "Nothing stands on it yet.")

    return Said(found, show)


@status_page.command()
@click.argument("title")
@click.option("--team", default="", help="Whose page it is; not needed in one team.")
@click.option("--slug", default="", help="Its name in the address; else made of the title.")
@click.option("--intro", default="", help="What stands above.")
@click.option("--public", is_flag=True, help="Open to everybody; else to whoever has the link.")
@as_json
def new(title: str, team: str, slug: str, intro: str, *, public: bool) -> Said:
    """Make a status page; for owners."""
    api = Api()
    body = {"team": team_of(api, team), "title": title, "slug": slug, "intro": intro, "is_public": public}
    return _page(api.post("/status-pages", body))


@status_page.command()
@click.argument("page", type=int)
@click.option("--title", default=None, help="Its title.")
@click.option("--slug", default=None, help="Its name in the address.")
@click.option("--intro", default=None, help="What stands above.")
@click.option("--public/--by-link", "is_public", default=None, help="Open to everybody, or to whoever has the link.")
@click.option("--archive/--restore", "is_archived", default=None, help="Take it from its address, or put it back.")
@as_json
def change(page: int, **given: Any) -> Said:
    """Change or archive a page; what is not given stays."""
    body = {name: value for name, value in given.items() if value is not None}
    if not body:
        raise Failed("say what changes: --title, --slug, --intro, --public, --by-link, --archive or --restore")
    return _page(Api().call("PATCH", f"/status-pages/{page}", body=body))


@status_page.command("renew-link")
@click.argument("page", type=int)
@as_json
def renew_link(page: int) -> Said:
    """Give a page a new link; the old one opens nothing any more."""
    return _page(Api().post(f"/status-pages/{page}/renew-link"))


@status_page.command()
@click.argument("page", type=int)
@click.argument("service")
@click.option("--name", default="", help="What the public calls it; else as the service is called.")
@GROUP
@ABOUT
@as_json
def add(page: int, service: str, name: str, group: str | None, description: str | None) -> Said:
    """Put a service on a page."""
    body = {"service": service, "name": name, "group": group or "", "description": description or ""}
    return _page(Api().post(f"/status-pages/{page}/components", body))


@status_page.command()
@click.argument("page", type=int)
@click.argument("component")
@click.argument("name", default="")
@GROUP
@ABOUT
@as_json
def rename(page: int, component: str, name: str, group: str | None, description: str | None) -> Said:
    """Say what the public calls a COMPONENT, named by its ID or its service."""
    api = Api()
    given = {"name": name or None, "group": group, "description": description}
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise Failed("say what changes: a name, --group or --description")
    number = _component(api, page, component)
    return _page(api.call("PATCH", f"/status-pages/{page}/components/{number}", body=body))


@status_page.command()
@click.argument("page", type=int)
@click.argument("component")
@as_json
def remove(page: int, component: str) -> Said:
    """Take a COMPONENT off a page, named by its ID or its service."""
    api = Api()
    number = _component(api, page, component)
    return _page(api.call("DELETE", f"/status-pages/{page}/components/{number}"))


@status_page.command()
@click.argument("page", type=int)
@click.argument("components", nargs=-1, required=True, metavar="COMPONENT...")
@as_json
def order(page: int, components: tuple[str, ...]) -> Said:
    """Put COMPONENTs first, in this order; those not named follow."""
    api = Api()
    wanted = [_component(api, page, one) for one in components]
    return _page(api.call("PUT", f"/status-pages/{page}/components", body={"order": wanted}))


def _component(api: Api, page: int, text: str) -> int:
    """Find a component by its id or by its service; ends the command when the page has none."""
    for one in api.get(f"/status-pages/{page}")["components"]:
        if text in {str(one["id"]), one["service"]}:
            return int(one["id"])
    raise Failed(f"“{text}” does not stand on status page {page}")


@status_page.command()
@click.argument("page", type=int)
@click.argument("incident", type=incident_number)
@click.argument("title")
@as_json
def publish(page: int, incident: int, title: str) -> Said:
    """Put an incident on a page, under a title that the public may read."""
    made = Api().post(f"/status-pages/{page}/incidents", {"incident": incident, "title": title})
    return told(made, f"Incident {incident} is on status page {page}: {made['title']}")


@status_page.command()
@click.argument("page", type=int)
@click.argument("incident", type=incident_number)
@click.argument("title")
@as_json
def retitle(page: int, incident: int, title: str) -> Said:
    """Give an incident on a page another title for the public."""
    made = Api().call("PATCH", f"/status-pages/{page}/incidents/{incident}", body={"title": title})
    return told(made, f"The public reads: {made['title']}")


@status_page.command()
@click.argument("page", type=int)
@click.argument("incident", type=incident_number)
@as_json
def end(page: int, incident: int) -> Said:
    """Say in public that it is over."""
    made = Api().post(f"/status-pages/{page}/incidents/{incident}/end", {})
    return told(made, f"Incident {incident} is over on status page {page}.")


@status_page.command()
@click.argument("page", type=int)
@click.argument("incident", type=incident_number)
@click.option("--why", required=True, help="The timeline keeps it; the public does not see it.")
@as_json
def withdraw(page: int, incident: int, why: str) -> Said:
    """Take an incident off a page."""
    made = Api().post(f"/status-pages/{page}/incidents/{incident}/withdraw", {"why": why})
    return told(made, f"Incident {incident} is off status page {page}.")
