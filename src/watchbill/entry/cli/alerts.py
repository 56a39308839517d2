"""Alerts on the command line: list, read, and answer; `p12` names the page 12, a number alone the alert."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import click

from watchbill.entry import clock
from watchbill.entry.cli import references, times
from watchbill.entry.cli.client import Api, Failed, find_person
from watchbill.entry.cli.show import Said, as_json, facts, heading, name_of, table

NUMBER = re.compile(r"p?\d{1,18}", re.ASCII)


def path_of(number: str) -> str:
    """Give the path of an alert (123) or a page (p12); raises click.BadParameter."""
    if not NUMBER.fullmatch(number):
        raise click.BadParameter(f"“{number}” is no alert (123) and no page (p12)")
    return f"/pages/{number[1:]}" if number.startswith("p") else f"/alerts/{number}"


@click.command()
@click.option("--team", default="", help="Only this team's.")
@click.option("--service", default="", help="Only this service's.")
@click.option(
    "--state",
    default="open",
    show_default=True,
    type=click.Choice(["open", "firing", "acknowledged", "resolved", "all"]),
)
@click.option("--severity", default="", help="Only this severity.")
@click.option("--mine", is_flag=True, help="Only what asked you, or what you acknowledged.")
@click.option("--search", default="", help="Words in the title.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def alerts(team: str, service: str, state: str, severity: str, mine: bool, search: str, limit: int) -> Said:
    """List alerts, newest first."""
    found = list(
        Api().every(
            "/alerts",
            limit,
            team=team,
            service=service,
            state="" if state == "all" else state,
            severity=severity,
            mine=mine or None,
            search=search,
        )
    )
    rows = [
        (a["id"], a["state"], a["severity"], name_of(a["service"]), times.show(a["opened_at"]),
         name_of(a["acknowledged_by"]), a["title"])
        for a in found
    ]  # fmt: skip
    headers = ("ID", "STATE", "SEVERITY", "SERVICE", "SINCE", "WITH", "TITLE")
    return Said(found, lambda: table(headers, rows, "No alerts."))


@click.command()
@click.argument("number")
@as_json
def alert(number: str) -> Said:
    """Show one alert (123) or one page (p12): why, its timeline, every notification."""
    found = Api().get(path_of(number))
    return Said(found, lambda: _show_whole(found))


def _show_whole(found: dict[str, Any]) -> None:
    why = found.get("explanation", {})
    facts(
        (
            ("Title", found["title"]),
            ("State", found["state"]),
            ("Severity", found["severity"]),
            ("Service", name_of(found["service"])),
            ("Team", name_of(found["team"])),
            ("Since", times.show(found["opened_at"])),
            ("With", name_of(found.get("acknowledged_by") or found.get("answered_by"))),
            ("Until", times.show(found.get("snoozed_until") or found.get("until"))),
            ("Received by", why.get("received_by")),
            ("Grouped", why.get("grouped")),
            ("Silenced by", why.get("silenced_by")),
            ("Ladder", why.get("paged_through") or found.get("ladder")),
            ("Because", why.get("because")),
        )
    )
    heading("Timeline")
    table(("AT", "BY", "WHAT"), [(times.show(e["at"]), e["by"], f"{e['kind']}: {e['why']}") for e in found["timeline"]])
    heading("Notifications")
    sent = [
        (name_of(n["person"]), n["channel"], n["address"], n["state"], times.show(n["finished_at"] or n["due_at"]),
         n["answer"])
        for n in found["notifications"]
    ]  # fmt: skip
    table(("TO", "BY", "ADDRESS", "STATE", "AT", "ANSWER"), sent, "Nobody was told.")


def answer_each(
    numbers: Sequence[str], act: Callable[[str], dict[str, Any]], read: Callable[[str], str] = path_of
) -> Said:
    """Do the same to each; what goes wrong with one is said and does not keep the others from it."""
    paths = [(number, read(number)) for number in numbers]
    done, worst = [], 0
    for number, path in paths:
        try:
            done.append((number, act(path)))
        except Failed as failure:
            click.echo(f"watchbill: {number}: {failure.message}", err=True)
            worst = max(worst, failure.exit_code)

    def shown() -> None:
        for number, found in done:
            click.echo(f"{number}: {_words(found)}")

    return Said([found for _, found in done], shown, worst)


def _words(found: dict[str, Any]) -> str:
    who = name_of(found.get("acknowledged_by") or found.get("answered_by"))
    until = times.show(found.get("snoozed_until") or found.get("until"))
    by = f" by {who}" if who and found["state"] in {"acknowledged", "snoozed"} else ""
    return f"{found['state']}{by}{f' until {until}' if until else ''}: {found['title']}"


@click.command()
@click.argument("numbers", nargs=-1)
@click.option("--mine", is_flag=True, help="Everything that asks you now.")
@as_json
def ack(numbers: tuple[str, ...], mine: bool) -> Said:
    """Take responsibility for alerts (123) or pages (p12)."""
    api = Api()
    wanted = list(numbers) + (_asking_me(api) if mine else [])
    if not wanted and not mine:
        raise click.UsageError("say which, such as `watchbill ack 123`, or --mine")
    if not wanted:
        return Said([], lambda: click.echo("Nothing asks you now."))
    return answer_each(wanted, lambda path: _dict(api.post(f"{path}/acknowledge")))


def _asking_me(api: Api) -> list[str]:
    pages = [
        *api.every("/pages", 200, mine=True, state="climbing"),
        *api.every("/pages", 200, mine=True, state="exhausted"),
    ]
    return [str(page["alert"]) if page["alert"] else f"p{page['id']}" for page in pages]


def _dict(found: Any) -> dict[str, Any]:
    return dict(found)


@click.command()
@click.argument("numbers", nargs=-1, required=True)
@click.option("--text", default="", help="What the requester is told; of a request alone.")
@click.option("--outcome", default="done", show_default=True, type=click.Choice(["done", "answered", "duplicate"]))
@as_json
def resolve(numbers: tuple[str, ...], text: str, outcome: str) -> Said:
    """Close alerts (123), pages (p12) or requests (R-12); the requester is told."""
    api = Api()

    def act(path: str) -> dict[str, Any]:
        body = {"outcome": outcome, "text": text} if path.startswith("/requests/") else None
        return _dict(api.post(f"{path}/resolve", body))

    return answer_each(numbers, act, _path_of_any)


def _path_of_any(number: str) -> str:
    return references.path_of(number) if number[:1] in {"R", "r"} else path_of(number)


@click.command()
@click.argument("numbers", nargs=-1, required=True)
@click.option("--for", "length", default="", help="How long: 30m, 2h.")
@click.option("--until", default="", help="Until when: 18:00, 2026-12-24 18:00.")
@as_json
def snooze(numbers: tuple[str, ...], length: str, until: str) -> Said:
    """Ask nobody until a time; then the climb starts over."""
    now = clock.now()
    if bool(length) == bool(until):
        raise click.UsageError("say either --for 2h or --until 18:00")
    end = now + times.read_length(length) if length else times.read_instant(until, now)
    api = Api()
    return answer_each(numbers, lambda path: _dict(api.post(f"{path}/snooze", {"until": end.isoformat()})))


@click.command()
@click.argument("number")
@click.argument("person")
@as_json
def reassign(number: str, person: str) -> Said:
    """Ask PERSON (a name, an e-mail or an id) to take an alert."""
    api = Api()
    to = find_person(api, person)["id"]
    return answer_each([number], lambda path: _dict(api.post(f"{path}/reassign", {"to": to})))


@click.command("help-me")
@click.argument("numbers", nargs=-1, required=True)
@as_json
def help_me(numbers: tuple[str, ...]) -> Said:
    """Ask the next rung of the ladder for help at once."""
    api = Api()
    return answer_each(numbers, lambda path: _dict(api.post(f"{path}/help")))


@click.command()
@click.argument("number")
@click.argument("text")
@as_json
def note(number: str, text: str) -> Said:
    """Write TEXT on an alert's timeline."""
    if number.startswith("p"):
        raise click.BadParameter("a note stands on an alert (123)")
    found = Api().post(f"{path_of(number)}/notes", {"text": text})
    return Said(found, lambda: click.echo(f"{number}: noted."))


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[PERSON] MESSAGE")
@click.option("--service", default="", help="The service it is about; without PERSON its ladder decides who is asked.")
@click.option("--team", default="", help="The team; without PERSON its ladder decides who is asked.")
@click.option("--details", default="", help="More to read.")
@click.option("--quiet", is_flag=True, help="By the rules for what is not important.")
@as_json
def page(words: tuple[str, ...], service: str, team: str, details: str, quiet: bool) -> Said:
    """Page somebody: watchbill page ben "need you" --service checkout."""
    if len(words) > 2:
        raise click.UsageError("put the message in quotes")
    api = Api()
    to = find_person(api, words[0], team) if len(words) == 2 else None
    if to and not (service or team):
        team = _team_of(api, to)
    if not (service or team):
        raise click.UsageError("say whom: a person, --service or --team")
    body = {
        "title": words[-1],
        "details": details,
        "service": service,
        "team": team,
        "to": to["id"] if to else None,
        "urgency": "default" if quiet else "important",
    }
    found = api.post("/pages", {name: value for name, value in body.items() if value}, once=True)
    whom = to["name"] if to else name_of(found["service"] or found["team"])
    return Said(
        found, lambda: click.echo(f"p{found['id']}: paging {whom}. Follow it with `watchbill alert p{found['id']}`.")
    )


def _team_of(api: Api, person: dict[str, Any]) -> str:
    roles = api.get(f"/people/{person['id']}")["roles"]
    if len(roles) != 1:
        raise click.UsageError(f"say which team's page it is: --team {' or '.join(r['team']['slug'] for r in roles)}")
    return str(roles[0]["team"]["slug"])
