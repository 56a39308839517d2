"""Handoffs and the on-call log on the command line: as people type them, and what they mistype."""

from __future__ import annotations

import json

from tests.actions.handoff_cast import hands_on, line_of, monday, watch_ticket
from tests.doors.api_world import ApiWorld
from tests.doors.test_cli import berlin, shell
from watchbill.db.models import Handoff, LogEntry

__all__ = ["berlin", "shell"]


def test_a_watch_is_handed_on_in_a_terminal(shell, api: ApiWorld) -> None:
    """HND-02, HND-03, HND-04, HND-05, HND-06, HND-07, HND-10: by call, told to the next, and marked."""
    world = api.world
    hands_on(world)
    ticket = watch_ticket(world)
    given = monday(world)
    number, line = str(given.pk), str(line_of(given, ticket).pk)
    ana, ben = shell("ana", "write"), shell("ben", "write")
    assert "Ana" in ana.run("handoff", "--who", "ben")
    assert "Say the most important" in ana.try_("handoff", "on", number).stderr.replace("say", "Say")
    ana.run("handoff", "summary", number, "Look at the certificate.")
    ana.run("handoff", "add", number, "The vendor calls")
    ana.run("handoff", "line", number, line, "--first", "--note", "Ordered.")
    assert ana.try_("handoff", "line", number, line).exit_code == 1
    ana.run("handoff", "redraft", number)
    assert f"Handoff {number} is handed on to Ben." in ana.run("handoff", "on", number)
    question = json.loads(ben.run("handoff", "ask", number, "Until when?", "--line", line, "--json"))["id"]
    ana.run("handoff", "answer", number, str(question), "Friday.")
    shown = ben.run("handoff", "show", number)
    for words in ("Look at the certificate.", f"ticket {ticket.pk}: {ticket.title}", "first", "Ordered.", "Until when?",
                  "Ana: Friday.", "The vendor calls"):  # fmt: skip
        assert words in shown
    own = str(given.items.get(part="own").pk)
    ana.run("handoff", "remove", number, own)
    assert "confirm the order" in ben.try_("handoff", "accept", number).stderr
    assert "Eva was there." in shell("eva", "write").run("handoff", "witness", number)
    assert f"Handoff {number} is yours now." in ben.run("handoff", "accept", number, "--confirm-order", "--how", "call")
    assert "accepted" in ben.run("handoff", "--state", "accepted", "--since", "2026-03-01", "--until", "2026-03-31")
    given.refresh_from_db()
    assert (given.state, given.how) == ("accepted", "call")


def test_one_is_begun_and_dropped_by_hand(shell, api: ApiWorld) -> None:
    ana = shell("ana", "write")
    assert "is drafted" in ana.run("handoff", "begin", api.world.rotation.slug, "engineer")
    number = str(Handoff.objects.get().pk)
    assert "is not needed" in ana.run("handoff", "drop", number, "--why", "I stay")
    assert "no handoff" in ana.run("handoff", "--state", "accepted").lower()


def test_something_is_noted_on_watch_and_renamed(shell, api: ApiWorld) -> None:
    """RUN-10, RUN-11: an entry needs no ticket; the log of what happened by itself stays where it was."""
    ticket = watch_ticket(api.world)
    ana = shell("ana", "answer")
    ana.run("log", "add", "Printer on fire", "--text", "Not really.")
    entry = LogEntry.objects.get()
    ana.run("log", "edit", str(entry.pk), "--title", "Printer smells", "--ticket", f"T-{ticket.pk}")
    listed = ana.run("log", "notes", "--search", "smells", "--who", "ana", "--since", "2026-03-01")
    assert ("Printer smells" in listed, f"T-{ticket.pk}" in listed, "Ana" in listed) == (True, True, True)
    shown = ana.run("log", "show", str(entry.pk))
    assert ("engineer of Engineers" in shown, "Not really." in shown) == (True, True)
    ana.run("log", "edit", str(entry.pk), "--ticket", "")
    assert LogEntry.objects.get().ticket is None
    assert ana.try_("log", "edit", str(entry.pk)).exit_code == 1
    assert ana.try_("log", "add", "x", "--ticket", "R-1").exit_code == 2
    assert "log_entry.added" in ana.run("log", "--kind", "log_entry.added")
