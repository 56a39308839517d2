"""The demo: a quarter of three small teams' lives, built through the actions with a clock that only the story moves.

It is a place to visit: every screen has something true to show, and the present is in the middle of something. Nothing
leaves the machine; all mail goes to a mailbox that a visitor can read at /demo/mailbox/. The same seed tells the
same story each time, so screenshots and docs use it too. `people` and `house` say who and what, `story`, `noise`,
`watches`, `handing`, `asking`, `work`, `incidents` and `present` what happens, `desks` and `statuspages` what the
public reads, `stage` moves the clock, `habits` lets people answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from django.conf import settings
from django.contrib.auth.hashers import get_hasher
from django.db import connections

from watchbill.db.models import Person
from watchbill.entry import clock
from watchbill.entry.demo import asking, desks, handing, house, incidents, noise, people, present, story, watches, work
from watchbill.entry.demo.habits import someone_answers
from watchbill.entry.demo.mailbox import Mailbox
from watchbill.entry.demo.mailbox_page import show_mailbox
from watchbill.entry.demo.stage import Stage
from watchbill.entry.settings import CONFIG

BUILT = "demo.json"


def build(weeks: int) -> None:
    """Build the demo in the data folder, or keep what is there, and open its mailbox; prints the accounts.

    Stops the program when the folder holds people who are not the demo's.
    """
    mailbox = Mailbox(CONFIG.data / "mailbox")
    settings.CHANNEL_SETTINGS["email"] = mailbox.open()
    show_mailbox(mailbox)
    marker = CONFIG.data / BUILT
    if not marker.exists():
        _refuse_strangers()
        _build(weeks, mailbox, marker)
    _print_accounts()


def _refuse_strangers() -> None:
    if Person.objects.exists():
        raise SystemExit(
            f"{CONFIG.data} holds an instance that is not a finished demo. Give the demo a folder of its own with "
            "WATCHBILL_DATA, or remove this one if it is a demo whose building was stopped."
        )


def _build(weeks: int, mailbox: Mailbox, marker: Path) -> None:
    end = clock.now()
    click.echo(f"Building {weeks} weeks of three teams' lives; this takes a minute or two.")
    _hurry()
    with _cheap_passwords():
        tell(Stage(end - timedelta(weeks=weeks), end, mailbox))
    took = (clock.now() - end).total_seconds()
    marker.write_text(json.dumps({"built_at": end.isoformat(), "weeks": weeks, "seconds": round(took, 1)}))
    click.echo(f"Built in {took:.0f} s.")
    connections.close_all()


def _hurry() -> None:
    """Let SQLite skip the disk's confirmations while the demo is built: what is lost in a crash is built again."""
    settings_dict = connections["default"].settings_dict
    command = settings_dict["OPTIONS"].get("init_command")
    if command is not None:
        settings_dict["OPTIONS"]["init_command"] = command.replace("synchronous=FULL", "synchronous=OFF")
    connections.close_all()  # those that are open already would go on as before


@contextmanager
def _cheap_passwords() -> Iterator[None]:
    """Keep the demo's one password, which everybody is told, at little cost; the first sign-in keeps it as usual."""
    hasher: Any = get_hasher()
    usual = hasher.work_factor
    hasher.work_factor = 2**4
    try:
        yield
    finally:
        hasher.work_factor = usual


def tell(stage: Stage) -> house.House:
    """Play the whole story on a stage; gives the house as it stands at the end."""
    cast = people.gather(stage)
    built = house.build(stage, cast)
    stage.on_page = lambda page: someone_answers(built, page)
    watches.arrange(built)
    story.tell(built)
    noise.strew(built)
    desks.open_desks(built)
    asking.ask_all_quarter(built)
    work.keep_backlog(built)
    incidents.tell(built)
    handing.hand_on(built)
    present.set_up(built)
    stage.play()
    stage.close()
    return built


def _print_accounts() -> None:
    rows = [(role.email, role.name, role.what) for role in (*people.CAST, people.NEWCOMER)]
    known = set(Person.objects.values_list("email", flat=True))
    widths = [max(len(row[place]) for row in rows) for place in (0, 1)]
    click.echo(f"\nOpen {CONFIG.url} and sign in as one of these; the password is always {people.PASSWORD}\n")
    for email, name, what in rows:
        if email in known:
            click.echo(f"  {email:<{widths[0]}}  {name:<{widths[1]}}  {what}")
    click.echo(f"\nEvery mail of the demo stays here: {CONFIG.url}/demo/mailbox/\n")
