"""The desk on the command line: requests, tickets, the board and the clock, as people type them."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.doors.api_world import ApiWorld
from tests.doors.desk_world import ask, write
from tests.doors.test_cli import berlin, shell
from watchbill.db.models import Membership, SupportRequest, Team, Ticket, WorkLog

__all__ = ["berlin", "shell"]


def test_a_request_is_listed_read_and_answered(shell, api: ApiWorld):
    request = ask(api.world, "I cannot log in", text="Since this morning.\x1b[31m")
    ana = shell("ana", "answer")
    assert f"R-{request.pk}" in ana.run("requests")
    assert ana.run("requests", "assignee = me") == "No requests.\n"
    whole = ana.run("request", f"R-{request.pk}")
    assert "Ria wrote, Tue 03 Mar 2026 10:00 CET" in whole
    assert "Since this morning." in whole
    assert "\x1b" not in whole
    assert ana.run("answer", str(request.pk), "Try again, please.") == (
        f"R-{request.pk}: answered; the ball is with requester.\n"
    )
    assert ana.run("comment", f"r-{request.pk}", "It was the proxy.") == f"R-{request.pk}: written.\n"
    said = ana.json("request", f"r{request.pk}")["messages"]
    assert [one["direction"] for one in said if one["by"] == "Ana"] == ["out", "note"]


def test_a_request_goes_through_its_day_without_a_page(shell, api: ApiWorld):
    """INT-13, TRI-02, MET-02: taken, time logged, waiting for others, given on, resolved, open again."""
    request = ask(api.world)
    ana, name = shell("ana", "write"), f"R-{request.pk}"
    assert ana.run("take", name) == f"{name}: Ana has it.\n"
    assert ana.run("log-time", name, "15", "read the logs") == f"{name}: 15 min logged, 15 min in all.\n"
    assert WorkLog.objects.get().note == "read the logs"
    assert ana.run("wait", name, "vendor", "their case 4711") == f"{name}: the ball is with vendor.\n"
    assert ana.run("give", name, "ben") == f"{name}: Ben has it.\n"
    assert ana.run("give", name) == f"{name}: nobody has it.\n"
    assert ana.run("resolve", name, "--text", "The proxy is back.") == f"{name}: resolved: I cannot log in\n"
    assert "The proxy is back." in ana.run("request", name)
    assert ana.run("reopen", name, "it is gone again") == f"{name}: open.\n"


def test_somebody_asks_and_a_member_logs_for_somebody(shell, api: ApiWorld):
    olga = shell("olga", "answer")
    assert "Platform has it. You hear by" in olga.run("ask", "platform", "May I have a bucket?")
    ana = shell("ana", "answer")
    made = ana.json("ask", "platform", "A new key", "--for", "ria@example.net", "--service", "checkout")
    assert (made["assignee"]["name"], made["requester"]["email"]) == ("Ana", "ria@example.net")
    assert SupportRequest.objects.count() == 2


def test_a_ticket_is_written_shown_moved_and_written_on(shell, api: ApiWorld):
    ana = shell("ana", "write")
    made = ana.run("ticket", "new", "Renew the certificate", "--points", "2", "--label", "ops", "--to", "ben")
    ticket = Ticket.objects.get()
    assert made == f"T-{ticket.pk}: Renew the certificate\n"
    assert (ticket.points, ticket.labels, ticket.assignee) == (2, ["ops"], api.world.ben)
    ana.run("move", f"t-{ticket.pk}", "In Progress")
    ana.run("comment", f"T-{ticket.pk}", "It ends on Friday.")
    whole = ana.run("ticket", str(ticket.pk))
    assert "in_progress since" in whole
    assert "It ends on Friday." in whole
    assert ana.json("ticket", f"T-{ticket.pk}")["comments"][0]["by"] == "Ana"
    assert "Ben" in ana.run("tickets", "stage = in_progress order by due")
    assert ana.run("move", str(ticket.pk), "done", "--outcome", "wont_do") == f"T-{ticket.pk}: done\n"
    assert ana.run("tickets") == "No tickets.\n"


def test_a_ticket_is_taken_given_on_and_linked_and_no_longer(shell, api: ApiWorld):
    """SPN-02: links are made and taken away as people say them."""
    one, two = (f"T-{write(api.world, seat='engineer').pk}", f"T-{write(api.world).pk}")
    ana = shell("ana", "write")
    assert ana.run("take", one) == f"{one}: Ana has it.\n"
    assert ana.run("give", one) == f"{one}: nobody has it.\n"
    assert ana.run("log-time", one, "30") == f"{one}: 30 min logged, 30 min in all.\n"
    assert ana.run("ticket", "link", one, "lasting fix of", two) == f"{one} lasting fix of {two}.\n"
    assert f"{one} lasting_fix_of {two}" in ana.run("ticket", two)
    assert ana.run("ticket", "unlink", one, "lasting_fix_of", two) == f"{one} lasting fix of {two}: no longer.\n"
    assert "lasting_fix_of" not in ana.run("ticket", two)
    gone = ana.try_("ticket", "unlink", one, "lasting_fix_of", two)
    assert (gone.exit_code, "there is no such link" in gone.stderr) == (1, True)


def test_the_board_stands_in_columns(shell, api: ApiWorld):
    first, second = write(api.world, "Renew the certificate"), write(api.world, "Turn the key", seat="engineer")
    ana = shell("ana", "write")
    ana.run("move", str(second.pk), "waiting")
    head, row = ana.run("board").splitlines()
    assert head.split("  ")[0] == "TO DO (1)"
    assert head.index("WAITING (1)") == row.index(f"T-{second.pk} Turn the key [watch: engineer]")
    assert row.startswith(f"T-{first.pk} Renew the certificate [nobody]")
    assert {one["id"] for one in json.loads(ana.run("board", "--json"))} == {first.pk, second.pk}


def test_what_to_do_next_and_the_clock(shell, api: ApiWorld):
    ticket = write(api.world, assignee=api.world.ana)
    ana = shell("ana", "answer")
    assert f"T-{ticket.pk}" in ana.run("next")
    assert ana.run("clock") == "No clock of yours runs.\n"
    assert ana.run("clock", "start", f"T-{ticket.pk}") == f"T-{ticket.pk}: runs.\n"
    api.world.now += timedelta(minutes=12)
    assert ana.run("clock").startswith(f"T-{ticket.pk}: runs since")
    assert ana.run("clock", "stop", "the new one is in") == f"T-{ticket.pk}: 12 min logged.\n"
    assert WorkLog.objects.get().note == "the new one is in"
    assert ana.run("sprints") == "No sprints.\n"


def test_what_cannot_be_meant_is_said_before_anything_is_sent(shell, api: ApiWorld):
    ticket = write(api.world)
    ana = shell("ana", "write")
    for words, said in (
        (("request", f"T-{ticket.pk}"), "is no request: write R-12 or 12"),
        (("move", "R-1", "done"), "is no ticket: write T-12 or 12"),
        (("move", str(ticket.pk), "away"), "is no stage: to_do, in_progress"),
        (("comment", "12", "x"), "may be either: write R-12"),
        (("clock", "start", "12"), "may be either"),
        (("ticket", "link", "1", "eats", "2"), "is no link: lasting_fix_of"),
        (("take", "12"), "may be either"),
        (("ticket", "burn"), "No such command"),
    ):
        result = ana.try_(*words)
        assert (result.exit_code, said in result.stderr) == (2, True), (words, result.output)
    refused = ana.try_("tickets", "colour = red")
    assert (refused.exit_code, "there is no field “colour”" in refused.stderr) == (1, True)
    missing = ana.try_("ticket", "999000999")
    assert (missing.exit_code, missing.stderr.splitlines()[-1]) == (1, "watchbill: there is no ticket 999000999")


def test_who_is_in_two_teams_says_which(shell, api: ApiWorld):
    other = Team.objects.get(slug="payments")
    Membership.objects.create(team=other, person=api.world.ana, role="member", created_at=api.world.now)
    ana = shell("ana", "write")
    unclear = ana.try_("ticket", "new", "x")
    assert (unclear.exit_code, "say which team with --team" in unclear.stderr) == (1, True)
    assert ana.run("ticket", "new", "x", "--team", "payments").endswith(": x\n")
    assert ana.run("board", "--team", "platform") == "The board is empty.\n"
