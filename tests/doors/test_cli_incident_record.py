"""What an incident's record says, put right on the command line; its tasks and roles, and cases at vendors."""

from __future__ import annotations

from datetime import timedelta

from tests.doors.api_world import ApiWorld
from tests.doors.desk_world import ask
from tests.doors.test_api_incident_work import declare
from tests.doors.test_cli import berlin, shell
from watchbill.actions import incident_story
from watchbill.actions.incident_story import Entry
from watchbill.db.models import Event, Incident, IncidentTask, RoleAssignment, VendorCase

__all__ = ["berlin", "shell"]


def test_it_is_declared_with_what_it_began_with(shell, api: ApiWorld) -> None:
    """INC-01, INC-08: from a page and a request, noticed later than it began."""
    api.alert()
    page, request = api.world.page(), ask(api.world)
    ana = shell("ana", "write")
    words = ("--page", str(page.pk), "--request", f"R-{request.pk}", "--since", "08:30", "--noticed", "09:00")
    ana.run("incident", "declare", "Nobody can pay", "The card is refused", *words, "--by", "requester")
    incident = Incident.objects.get()
    assert (incident.detection_source, incident.detected_at - incident.started_at) == (
        "requester",
        timedelta(minutes=30),
    )
    assert {"page", "request"} <= set(incident.links.values_list("kind", flat=True))
    assert "Nobody can pay" in ana.run("incidents", "--severity", incident.severity, "--exercise", "no")
    assert ana.run("incidents", "--service", "checkout") == "No incidents.\n"
    assert ana.try_("incident", "declare", "A", "B", "--page", "999000").exit_code == 1
    assert Incident.objects.count() == 1


def test_the_record_is_put_right(shell, api: ApiWorld) -> None:
    """INC-08, INC-12, PRI-09: by new lines, with both times kept, and nothing wrong changes it."""
    incident = declare(api)
    number, ana = f"I-{incident.pk}", shell("ana", "write")
    line = incident_story.write(incident.pk, Entry("The disk is ful"), api.world.ana, api.world.now)
    assert str(line.pk) in ana.run("incident", number)
    ana.run("incident", "fix", number, str(line.pk), "The disk is full", "--why", "a typo")
    assert Event.objects.get(pk=line.pk).why == "The disk is ful"
    assert ana.run("incident", "pin", number, str(line.pk)) == "It is pinned.\n"
    assert ana.run("incident", "pin", number, str(line.pk), "--off") == "The pin is off.\n"
    ana.run("incident", "milestone", number, "started", "09:10", "--why", "the graph shows it")
    assert "sev" in ana.run("incident", "severity", number, "--severity", "sev2", "--why", "one site only")
    ana.run(
        "incident", "change", number, "--title", "Sign-in fails", "--owner", "ben", "--call", "https://meet.example/1"
    )
    incident.refresh_from_db()
    assert (incident.title, incident.owner, incident.started_at.hour) == ("Sign-in fails", api.world.ben, 8)
    for code, words in (
        (1, ("fix", number, "999000", "No such line")),
        (2, ("milestone", number, "started", "yesterday", "--why", "a guess")),
        (2, ("milestone", number, "born", "09:00", "--why", "a guess")),
        (1, ("severity", number, "--severity", "terrible", "--why", "it is")),
        (1, ("change", number)),
        (1, ("change", number, "--call", "ftp://x")),
        (1, ("step", number, "nothing")),
        (2, ("privacy", number, "everybody", "why not")),
    ):
        assert ana.try_("incident", *words).exit_code == code, words
    incident.refresh_from_db()
    assert (incident.title, incident.severity, incident.is_private) == ("Sign-in fails", "sev2", False)


def test_its_first_steps_are_ticked_and_what_belongs_to_it_is_linked(shell, api: ApiWorld) -> None:
    """INC-04, INC-12."""
    number, ana = f"I-{declare(api).pk}", shell("ana", "write")
    (key, *_) = [one["key"] for one in ana.json("incident", "step", number)]
    assert "done" in ana.run("incident", "step", number, key)
    assert {one["key"]: one["done_at"] for one in ana.json("incident", "step", number, key, "--undone")}[key] is None
    alert = str(api.alert())
    (linked,) = ana.json("incident", "link", number, "alert", alert, "--note", "it began so")
    assert "it began so" in ana.run("incident", "links", number)
    assert ana.run("incident", "unlink", number, str(linked["id"])) == "Nothing is linked.\n"
    assert ana.try_("incident", "link", number, "alert", "999000").exit_code == 1


def test_who_sees_it_who_responds_and_that_it_was_none(shell, api: ApiWorld) -> None:
    """INC-16, INC-17."""
    incident = declare(api)
    number, ana, ben = f"I-{incident.pk}", shell("ana", "write"), shell("ben", "write")
    ana.run("incident", "call", number, "ben")
    assert "no longer respond" in ben.run("incident", "leave", number)
    assert ana.run("incident", "privacy", number, "named", "a name is in it") == f"I-{incident.pk} is private.\n"
    assert ana.try_("incident", "privacy", number, "team", "it is over").exit_code == 3
    shell("eva", "write").run("incident", "privacy", number, "team", "it is over")
    assert ana.run("incident", "call-off", number, "planned work") == f"I-{incident.pk} was no incident.\n"
    assert Incident.objects.get().outcome == "not_an_incident"


def test_a_task_changes_hands_and_is_opened_again(shell, api: ApiWorld) -> None:
    """INC-15, INC-16: who is not in the team gets none, and what is wrong changes nothing."""
    number, ana = f"I-{declare(api).pk}", shell("ana", "write")
    task = str(ana.json("task", "add", number, "Restart it", "--owner", "ana")["id"])
    assert ana.run("task", "give", number, task, "ben") == "Ben has it now: Restart it\n"
    assert ana.try_("task", "give", number, task, "charlie").exit_code == 1
    assert IncidentTask.objects.get().owner == api.world.ben
    assert ana.run("task", "give", number, task) == "Nobody has it now: Restart it\n"
    assert ana.run("task", "drop", number, task, "not needed") == "Dropped: Restart it\n"
    assert ana.try_("task", "give", number, task, "ben").exit_code == 1
    assert ana.run("task", "reopen", number, task) == "Open again: Restart it\n"
    assert "open" in ana.run("task", "list", number)
    assert shell("olga", "write").try_("task", "give", number, task, "ben").exit_code == 3


def test_a_role_is_suggested_taken_back_and_ended(shell, api: ApiWorld) -> None:
    """ROL-09, ROL-11."""
    number, ana, ben = f"I-{declare(api).pk}", shell("ana", "write"), shell("ben", "write")
    assert "Ben" in ana.run("role", "suggest", number, "scribe")
    ana.run("role", "ask", number, "scribe", "ben")
    offer = RoleAssignment.objects.get(state="offered")
    ana.run("role", "withdraw", number, str(offer.pk))
    ben.run("role", "take", number, "scribe")
    assert "ended" in ben.run("role", "end", number)
    nobody = ben.try_("role", "end", number)
    assert (nobody.exit_code, nobody.stderr) == (1, "watchbill: you have no role in this incident\n")
    assert "ROLE" in ana.run("role", "ask-who", number, "scribe")


def test_a_case_at_a_vendor_goes_its_way(shell, api: ApiWorld) -> None:
    """INT-12."""
    number, ana = f"I-{declare(api).pk}", shell("ana", "write")
    assert ana.try_("vendor", "open", "12", "6dg").exit_code == 2
    assert ana.try_("vendor", "open", number, "6dg", "--url", "ftp://6dg.example").exit_code == 1
    assert VendorCase.objects.count() == 0
    case = str(ana.json("vendor", "open", number, "6dg", "--reference", "C-9", "--remind", "4")["id"])
    ana.run("vendor", "change", case, "--reference", "C-10", "--remind", "0")
    ana.run("vendor", "heard", case, "They look at it")
    assert "C-10" in ana.run("vendor")
    assert f"I-{Incident.objects.get().pk}" in ana.run("vendor", "show", case)
    assert VendorCase.objects.get().remind_at is None
    ana.run("vendor", "close", case, "A cable")
    assert ana.run("vendor") == "Nobody waits for a vendor.\n"
    assert ana.try_("vendor", "heard", case, "Once more").exit_code == 1
    assert ana.try_("vendor", "change", case).exit_code == 1
