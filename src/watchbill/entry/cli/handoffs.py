"""Handoffs of a watch on the command line: read, write, ask, accept."""

from __future__ import annotations

from typing import Any

import click

from watchbill.entry import clock
from watchbill.entry.cli import times
from watchbill.entry.cli.client import Api, Failed, clean, find_person
from watchbill.entry.cli.show import Said, as_json, facts, heading, name_of, table, told


def _told(found: dict[str, Any], words: str) -> Said:
    return told(found, f"Handoff {found['id']} {words}")


@click.group(invoke_without_command=True)
@click.option("--team", default="", help="Only this team's.")
@click.option("--who", default="", help="Only those in which this person left or came.")
@click.option("--since", default="", help="Of shifts that ended from then on: 2026-03-01.")
@click.option("--until", default="", help="Of shifts that ended before.")
@click.option("--state", default="", help="draft, handed_on, accepted or dropped.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@as_json
@click.pass_context
def handoff(ctx: click.Context, team: str, who: str, since: str, until: str, state: str, limit: int) -> Said | None:
    """List handoffs; `handoff show 3` reads one, `handoff on 3` hands it on, `handoff accept 3` takes it."""
    if ctx.invoked_subcommand:
        return None
    api, now = Api(), clock.now()
    asked: dict[str, Any] = {"team": team, "state": state}
    if who:
        asked["person"] = find_person(api, who)["id"]
    for name, given in (("since", since), ("until", until)):
        if given:
            asked[name] = times.read_instant(given, now).isoformat()
    found = list(api.every("/handoffs", limit, **asked))
    rows = [
        (
            h["id"], h["state"].replace("_", " "), times.show(h["ends_at"]), name_of(h["leaver"]),
            name_of(h["accepted_by"] or h["comer"], "nobody yet"), f"{h['seat']} of {name_of(h['rotation'])}",
        )
        for h in found
    ]  # fmt: skip
    return Said(found, lambda: table(("ID", "STATE", "ENDED", "FROM", "TO", "WATCH"), rows, "No handoff is like that."))


@handoff.command()
@click.argument("number", type=int)
@as_json
def show(number: int) -> Said:
    """Read a handoff from its first line to its last question."""
    found = Api().get(f"/handoffs/{number}")
    return Said(found, lambda: _show(found))


def _show(found: dict[str, Any]) -> None:
    seen = ", ".join(name_of(one["person"]) for one in found["witnesses"])
    shown = (
        ("Handoff", f"{name_of(found['leaver'])} to {name_of(found['accepted_by'] or found['comer'], 'nobody yet')}"),
        ("Watch", f"{found['seat']} of {name_of(found['rotation'])}"),
        ("State", found["state"].replace("_", " ")),
        ("Ends", times.show(found["ends_at"])),
        ("Due", times.show(found["due_at"])),
        ("Accepted", times.show(found["accepted_at"])),
        ("In front of", seen),
    )
    facts(shown)
    if found["summary"]:
        heading("The most important")
        click.echo(clean(found["summary"]))
    asked: dict[int | None, list[dict[str, Any]]] = {}
    for one in found["questions"]:
        asked.setdefault(one["item"], []).append(one)
    part = ""
    for item in found["items"]:
        if item["part"] != part:
            part = item["part"]
            heading(part.capitalize())
        click.echo(_line(item))
        if item["note"]:
            click.echo(f"      {clean(item['note'])}")
        _questions(asked.get(item["id"], []))
    if None in asked:
        heading("About the whole")
        _questions(asked[None])


def _line(item: dict[str, Any]) -> str:
    about = f"{item['about']} {item['about_id']}: " if item["about"] else ""
    at = f"{item['at_words']} {times.show(item['at'])}" if item["at"] else ""
    marks = [
        word for word, on in (("first", item["is_first"]), ("kept", item["keeps"]), ("over", item["is_over"])) if on
    ]
    more = "; ".join(word for word in (item["priority"], item["detail"], at, *marks) if word)
    return clean(f"{item['id']:>5} {about}{item['title']}{f' ({more})' if more else ''}")


def _questions(asked: list[dict[str, Any]]) -> None:
    for one in asked:
        click.echo(clean(f"      ? {one['id']} {name_of(one['asker'], 'somebody')}: {one['text']}"))
        answer = f"{name_of(one['answered_by'], 'somebody')}: {one['answer']}" if one["answer"] else "not answered yet"
        click.echo(clean(f"        {answer}"))


@handoff.command()
@click.argument("rotation")
@click.argument("seat")
@as_json
def begin(rotation: str, seat: str) -> Said:
    """Begin the handoff of your watch before its time: watchbill handoff begin platform-engineers engineer."""
    found = Api().post("/handoffs", {"rotation": rotation, "seat": seat})
    return _told(found, f"is drafted: read it with `handoff show {found['id']}`.")


@handoff.command()
@click.argument("number", type=int)
@click.argument("text")
@as_json
def summary(number: int, text: str) -> Said:
    """Say the most important in your words."""
    api = Api()
    version = api.get(f"/handoffs/{number}")["version"]
    found = api.call("PATCH", f"/handoffs/{number}", body={"summary": text, "version": version})
    return _told(found, "has your words.")


@handoff.command()
@click.argument("number", type=int)
@click.argument("title")
@click.option("--detail", default="", help="More about it.")
@as_json
def add(number: int, title: str, detail: str) -> Said:
    """Add a line that no fact gave."""
    made = Api().post(f"/handoffs/{number}/items", {"title": title, "detail": detail})
    return told(made, f"Line {made['id']} is added.")


@handoff.command()
@click.argument("number", type=int)
@click.argument("line", type=int)
@click.option("--first/--not-first", default=None, help="Whether it comes before the others.")
@click.option("--keep/--give", "keeps", default=None, help="Whether you keep this ticket or request.")
@click.option("--note", default=None, help="A note; on a ticket or a request it stands there too.")
@as_json
def line(number: int, line: int, first: bool | None, keeps: bool | None, note: str | None) -> Said:
    """Mark or note a line, by the number in front of it."""
    given = {"is_first": first, "keeps": keeps, "note": note}
    body = {name: value for name, value in given.items() if value is not None}
    if not body:
        raise Failed("say what of it: --first, --keep or --note")
    found = Api().call("PATCH", f"/handoffs/{number}/items/{line}", body=body)
    return told(found, f"{found['title']}: it is noted.")


@handoff.command()
@click.argument("number", type=int)
@click.argument("line", type=int)
@as_json
def remove(number: int, line: int) -> Said:
    """Take away a line that a person added."""
    return _told(Api().call("DELETE", f"/handoffs/{number}/items/{line}"), "has this line no more.")


@handoff.command()
@click.argument("number", type=int)
@as_json
def redraft(number: int) -> Said:
    """Draft it anew from what stands now; what was written stays."""
    return _told(Api().post(f"/handoffs/{number}/redraft"), "is drafted anew.")


@handoff.command("on")
@click.argument("number", type=int)
@as_json
def hand_on(number: int) -> Said:
    """Hand it on; the one who comes is told."""
    found = Api().post(f"/handoffs/{number}/hand-on")
    return _told(found, f"is handed on to {name_of(found['comer'], 'whoever comes')}.")


@handoff.command()
@click.argument("number", type=int)
@click.option("--confirm-order", "confirms", is_flag=True, help="The order of the work is clear to you.")
@click.option("--how", default="", help="meeting, call, chat or notes; else as the team does it.")
@click.option("--seen-by", "seen", multiple=True, help="Who of the team was there; may be given several times.")
@as_json
def accept(number: int, confirms: bool, how: str, seen: tuple[str, ...]) -> Said:
    """Accept it: from the end of the shift nothing of it follows the one who left."""
    api = Api()
    people = [find_person(api, one)["id"] for one in seen]
    found = api.post(f"/handoffs/{number}/accept", {"confirms": confirms, "how": how, "witnesses": people})
    return _told(found, "is yours now.")


@handoff.command()
@click.argument("number", type=int)
@click.option("--why", required=True, help="Why it is not needed.")
@as_json
def drop(number: int, why: str) -> Said:
    """Say that it is not needed."""
    return _told(Api().post(f"/handoffs/{number}/drop", {"why": why}), "is not needed.")


@handoff.command()
@click.argument("number", type=int)
@click.argument("text")
@click.option("--line", "item", default=None, type=int, help="About this line; else about the whole.")
@as_json
def ask(number: int, text: str, item: int | None) -> Said:
    """Ask about it; about a ticket or a request the question stands there too."""
    made = Api().post(f"/handoffs/{number}/questions", {"text": text, "item": item})
    return told(made, f"Question {made['id']} is asked.")


@handoff.command()
@click.argument("number", type=int)
@click.argument("question", type=int)
@click.argument("text")
@as_json
def answer(number: int, question: int, text: str) -> Said:
    """Answer a question, by the number in front of it."""
    found = Api().post(f"/handoffs/{number}/questions/{question}/answer", {"text": text})
    return told(found, f"Question {found['id']} is answered.")


@handoff.command()
@click.argument("number", type=int)
@click.argument("who", required=False, default="")
@as_json
def witness(number: int, who: str) -> Said:
    """Note that you were there, or, for those who hand over, who was."""
    api = Api()
    whom = find_person(api, who)["id"] if who else None
    found = api.post(f"/handoffs/{number}/witnesses", {"person": whom})
    return told(found, f"{name_of(found['person'])} was there.")
