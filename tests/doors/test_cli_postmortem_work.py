"""The work on a post-mortem on the command line: written from a file, moved, ranked, met about, published and taken back."""

from __future__ import annotations

from pathlib import Path

from tests.actions.postmortem_cast import adopt_rules, an_outage, the_postmortem
from tests.doors.api_world import ApiWorld
from tests.doors.test_cli import berlin, shell
from watchbill.actions import postmortem_sections
from watchbill.db.models import PostMortemAttendee, Ticket

__all__ = ["berlin", "shell"]


def test_a_section_is_written_from_a_file_and_no_words_are_lost(shell, api: ApiWorld, tmp_path: Path) -> None:
    """PM-03: whoever wrote from an older version hears of the other's words and settles both."""
    adopt_rules(api.world)
    an_outage(api.world)
    one, ana = the_postmortem(), shell("ana", "write")
    number, mine = str(one.pk), tmp_path / "avoid.md"
    mine.write_text("Watch the date.")
    section = one.sections.get(key="avoid")
    assert "avoid" in ana.run("postmortem", "show", number)
    ana.run("postmortem", "write", number, "avoid", str(mine), "--version", str(section.version))
    assert ana.try_("postmortem", "write", number, "avoid", str(mine)).exit_code == 1
    postmortem_sections.save(section.pk, "Renew it by a machine.", section.version + 1, api.world.ben, api.world.now)
    said = ana.run("postmortem", "write", number, "avoid", str(mine), "--version", str(section.version))
    section.refresh_from_db()
    assert "Renew it by a machine." in section.text
    assert "is set aside" in said
    mine.write_text("Watch the date, and renew it by a machine.")
    (aside,) = ana.json("postmortem", "show", number)["set_aside"]
    ana.run("postmortem", "settle", number, str(aside["id"]), str(mine), "--version", str(section.version))
    section.refresh_from_db()
    assert section.text.startswith("Watch the date, and")
    assert ana.try_("postmortem", "write", number, "nothing", str(mine)).exit_code == 1
    assert ana.try_("postmortem", "write", number, "avoid", str(tmp_path / "away.md")).exit_code == 2


def test_it_is_given_counted_acted_on_and_moved(shell, api: ApiWorld) -> None:
    """PM-07, PM-08: actions are tickets in an order; what is missing is said."""
    adopt_rules(api.world)
    incident = an_outage(api.world)
    number, ana = str(the_postmortem().pk), shell("ana", "write")
    assert ana.run("postmortem", "begin", f"I-{incident.pk}") == f"Post-mortem {number} is begun.\n"
    ana.run("postmortem", "change", number, "--title", "The certificate", "--owner", "ben", "--due", "2026-03-10 12:00")
    ana.run("postmortem", "impact", number, "Users=120", "Sites=2")
    ana.run("postmortem", "impact", number, "Sites=")
    ana.run("postmortem", "refill", number)
    one = the_postmortem()
    assert (one.title, one.owner, one.impact["Users"], "Sites" in one.impact) == (
        "The certificate", api.world.ben, "120", False,
    )  # fmt: skip
    ana.run("postmortem", "action", number, "Alert earlier @ben #detect")
    ana.run("postmortem", "action", number, "Write it down @ana #documentation")
    first, second = (f"T-{row.pk}" for row in Ticket.objects.order_by("pk"))
    assert ana.run("postmortem", "rank", number, second, "1") == f"{second} is at place 1.\n"
    ana.run("postmortem", "action-for", number, first, "--purpose", "prevent", "--smallest")
    listed = [(row["purpose"], row["is_smallest"]) for row in ana.json("postmortem", "show", number)["actions"]]
    assert listed[1] == ("prevent", True)
    for code, words in (
        (1, ("action", number, "For nobody @nobody")),
        (1, ("next-sprint", number, first)),
        (1, ("rank", number, "T-999000", "1")),
        (2, ("rank", number, first, "0")),
        (2, ("impact", number, "many")),
        (1, ("change", number)),
    ):
        assert ana.try_("postmortem", *words).exit_code == code, words
    assert Ticket.objects.count() == 2
    missing = ana.try_("postmortem", "move", number, "in_review")
    assert (missing.exit_code, "“How will we avoid it” is empty" in missing.stderr) == (1, True)


def test_people_meet_about_it_and_it_is_published_and_taken_back(shell, api: ApiWorld) -> None:
    """PM-02, PM-10."""
    adopt_rules(api.world)
    an_outage(api.world)
    number, ana, ben = str(the_postmortem().pk), shell("ana", "write"), shell("ben", "write")
    asked = str(ana.json("postmortem", "invite", number, "eva", "--optional")["id"])
    assert ana.try_("postmortem", "invite", number, "--guest", "Gus", "--email", "nowhere").exit_code == 1
    ana.run("postmortem", "invite", number, "--guest", "Gus", "--email", "gus@example.net")
    assert "15 minutes" in ana.run("postmortem", "meeting", number, "2026-03-10 15:00", "--minutes", "15")
    assert ana.try_("postmortem", "meeting", number, "2026-01-10 15:00").exit_code == 1
    ana.run("postmortem", "excuse", number, asked)
    assert not PostMortemAttendee.objects.filter(pk=asked).exists()
    assert ana.run("postmortem", "call-off", number, "all is clear") == "The meeting is called off.\n"
    assert ana.try_("postmortem", "call-off", number).exit_code == 1
    section = the_postmortem().sections.get(key="avoid")
    postmortem_sections.save(section.pk, "Watch the date.", section.version, api.world.ana, api.world.now)
    ana.run("postmortem", "move", number, "in_review")
    ben.run("postmortem", "move", number, "reviewed")
    assert ana.try_("postmortem", "publish", number, "--to", "page", "--place", "999000").exit_code == 1
    ana.run("postmortem", "publish", number, "--to", "page")
    assert the_postmortem().is_public
    assert "page" in ana.run("postmortem", "show", number)
    ana.run("postmortem", "retract", number, "a name is in it")
    assert not the_postmortem().is_public
    assert ana.try_("postmortem", "retry", number, "999000").exit_code == 1
