"""Updates, planned work and status pages on the command line: as people type them, and what they mistype."""

from __future__ import annotations

from typing import Any

from tests.actions.status_cast import add_service
from tests.doors.api_world import ApiWorld
from tests.doors.test_api_incident_work import declare
from tests.doors.test_cli import Terminal, berlin, shell
from watchbill.actions import catalogue
from watchbill.db.models import IncidentUpdate, Notice, PublicIncident, StatusComponent, StatusPage

__all__ = ["berlin", "shell"]
SAID = ("why=The certificate ran out", "doing=We renew it", "next=We watch it")
# At the world's time it is ten in Berlin, on 3 March.
FROM, UNTIL, LATER = "2026-03-20 18:00", "2026-03-20 20:00", "2026-03-20 21:00"


def ends(shell: Terminal, *words: str) -> tuple[int, str]:
    """How a command ends that does not go well, and what it says."""
    result = shell.try_(*words)
    return result.exit_code, result.stderr


def test_an_audience_is_told_after_a_look_and_put_right(shell, api: ApiWorld) -> None:
    """COM-01, COM-07, COM-08: in its own words, and nobody hears a preview."""
    number = f"I-{declare(api).pk}"
    ana = shell("ana", "write")
    at_first = IncidentUpdate.objects.count()
    seen = ana.run("update", number, "--to", "communities", "--preview", *SAID, "doing=Ben renews it on Ana’s machine")
    assert "We watch it" in seen
    assert "! " in seen, "a name is perhaps not meant for people outside"
    assert IncidentUpdate.objects.count() == at_first
    assert "Told communities. The next is promised by" in ana.run("update", number, "--to", "communities", *SAID)
    assert "The next" not in ana.run("update", number, "--to", "leadership", "--no-next", *SAID)
    first = IncidentUpdate.objects.get(audience="communities", text__contains="certificate")
    ana.run("update", number, "--corrects", str(first.pk), "why=The key ran out", *SAID[1:])
    assert IncidentUpdate.objects.get(corrects=first).text != first.text
    listed = ana.run("updates", number, "--to", "communities")
    heard = ana.run("heard", number)
    assert ("public" in heard, "nothing yet" in heard, "LOOKED" in heard) == (True, True, True)
    assert ("The key ran out" in listed, str(first.pk) in listed, "leadership" in listed) == (True, True, False)


def test_what_is_mistyped_tells_nobody_and_says_what_to_mend(shell, api: ApiWorld) -> None:
    number = f"I-{declare(api).pk}"
    ana = shell("ana", "write")
    to = ("--to", "communities")
    at_first = IncidentUpdate.objects.count()
    for code, words, message in (
        (2, ("update", "R-7", *to, *SAID), "is no incident"),
        (2, ("update", number, *to, "We renew it"), "is no part"),
        (2, ("update", number, *SAID), "say whom"),
        (2, ("update", number, *to, "--next", "soon", *SAID), "is no time"),
        (1, ("update", number, "--to", "friends", *SAID), "it is told to"),
        (1, ("update", number, *to, "--next", "2026-01-01 10:00", *SAID), "next_update_at"),
        (1, ("update", number, *to, "--state", "fine", *SAID), "state"),
        (1, ("update", number, *to, *SAID[:2]), "communities-next"),
        (1, ("update", number, *to, "why=\0", *SAID[1:]), "parts"),
        (1, ("update", "I-999000", *to, *SAID), "there is no incident"),
        (1, ("update", number, "--corrects", "999000", *SAID), "there is no update"),
    ):
        ended, said = ends(ana, *words)
        assert (ended, message in said) == (code, True), (words, ended, said)
    assert ends(shell("olga", "write"), "update", number, *to, *SAID)[0] == 3
    assert IncidentUpdate.objects.count() == at_first


def plan(ana: Terminal, *more: str) -> Any:
    words = ("--text", "You are signed out once.", "--from", FROM, "--until", UNTIL)
    return ana.json("notices", "plan", "Move the database", *words, *more)


def test_planned_work_goes_its_way(shell, api: ApiWorld) -> None:
    """COM-01: planned, changed, announced, moved, begun, longer, done; the list says where it stands."""
    ana = shell("ana", "write")
    number = str(plan(ana, "--service", "checkout", "--to", "team")["id"])
    assert "draft" in ana.run("notices")
    assert "Nobody is told" in ana.run("notices", "change", number, "--title", "Move the store", "--to", "communities")
    shown = ana.run("notices", "show", number)
    assert all(words in shown for words in ("Move the store", "checkout", "communities", "18:00 CET"))
    assert ana.run("notices", "announce", number) == "Move the store is announced.\n"
    ana.run(
        "notices", "move", number, "--from", "2026-03-21 18:00", "--until", "2026-03-21 20:00", "--text", "A day later."
    )
    assert ana.run("notices", "begin", number) == "Move the store is in progress.\n"
    ana.run("notices", "extend", number, "--until", "2026-03-21 21:00", "--text", "An hour more.")
    assert ana.run("notices", "done", number, "--text", "It went well.") == "Move the store is done.\n"
    notice = Notice.objects.get()
    assert (notice.starts_at.day, notice.ends_at.hour) == (21, 20)


def test_a_step_that_planned_work_cannot_take_changes_nothing(shell, api: ApiWorld) -> None:
    ana = shell("ana", "write")
    number = str(plan(ana)["id"])
    assert ends(ana, "notices", "plan", "A", "--text", "B", "--from", UNTIL, "--until", FROM)[0] == 1
    assert ends(ana, "notices", "plan", "A", "--text", "B", "--from", "Friday", "--until", UNTIL)[0] == 2
    assert (
        ends(ana, "notices", "plan", "A", "--text", "B", "--from", FROM, "--until", UNTIL, "--service", "till")[0] == 1
    )
    assert ends(ana, "notices", "change", number) == (
        1,
        "watchbill: say what changes: --title, --text, --service or --to\n",
    )
    assert ends(ana, "notices", "change", number, "--to", "friends")[0] == 1
    assert ends(ana, "notices", "done", number)[0] == 1
    ana.run("notices", "cancel", number, "--why", "The disk came late.")
    assert ends(ana, "notices", "begin", number)[0] == 1
    assert ends(shell("charlie", "write"), "notices", "show", number)[0] == 1
    notice = Notice.objects.get()
    assert (notice.state, notice.began_at) == ("cancelled", None)


def test_a_status_page_is_made_filled_and_published_on(shell, api: ApiWorld) -> None:
    eva, ana = shell("eva", "write"), shell("ana", "write")
    first = catalogue.add_service(api.world.team, {"name": "idp"}, api.world.eva, api.world.now)
    second = add_service(api.world, "smtp-prod")
    page = str(eva.json("status-page", "new", "Status", "--intro", "All times are UTC.")["id"])
    assert "whoever has the link" in eva.run("status-page", "show", page)
    eva.run("status-page", "add", page, first.slug, "--name", "Signing in")
    eva.run("status-page", "add", page, second.slug, "--name", "Post")
    eva.run("status-page", "rename", page, second.slug, "Mail", "--group", "People")
    eva.run("status-page", "order", page, second.slug)
    assert [one["name"] for one in eva.json("status-page", "show", page)["components"]] == ["Mail", "Signing in"]
    eva.run("status-page", "remove", page, first.slug)
    standing = StatusComponent.objects.get(removed_at=None)
    assert (standing.name, standing.group, standing.position) == ("Mail", "People", 0)
    link = StatusPage.objects.get().key
    eva.run("status-page", "renew-link", page)
    assert StatusPage.objects.get().key != link
    number = f"I-{declare(api).pk}"
    ana.run("status-page", "publish", page, number, "Nobody signs in")
    assert ana.run("status-page", "retitle", page, number, "Signing in fails") == "The public reads: Signing in fails\n"
    assert "is over" in ana.run("status-page", "end", page, number)
    assert "is off" in ana.run("status-page", "withdraw", page, number, "--why", "it was ours")
    assert PublicIncident.objects.get().withdrawn_at == api.world.now
    assert "Archived" in eva.run("status-page", "change", page, "--public", "--archive")
    assert "Status" in eva.run("status-page")


def test_what_a_status_page_refuses_leaves_it_as_it_was(shell, api: ApiWorld) -> None:
    eva, ana = shell("eva", "write"), shell("ana", "write")
    page = str(eva.json("status-page", "new", "Status")["id"])
    eva.run("status-page", "add", page, "checkout")
    secret = f"I-{declare(api, is_private=True).pk}"
    for code, who, words in (
        (3, ana, ("rename", page, "checkout", "Mine")),
        (3, ana, ("remove", page, "checkout")),
        (3, ana, ("order", page, "checkout")),
        (1, eva, ("rename", page, "till", "Ours")),
        (1, eva, ("rename", page, "checkout")),
        (1, eva, ("order", page, "checkout", "checkout")),
        (1, eva, ("add", page, "checkout")),
        (1, eva, ("add", page, "nothing")),
        (1, eva, ("change", page)),
        (1, eva, ("change", page, "--slug", "Not an address")),
        (1, ana, ("publish", page, secret, "Nobody signs in")),
        (1, ana, ("retitle", page, secret, "Nobody signs in")),
        (2, ana, ("withdraw", page, secret)),
        (1, shell("charlie", "write"), ("show", page)),
    ):
        assert ends(who, "status-page", *words)[0] == code, words
    one = StatusComponent.objects.get()
    assert (one.name, one.removed_at, StatusPage.objects.get().slug) == (one.service.name, None, "status")
    assert PublicIncident.objects.count() == 0
