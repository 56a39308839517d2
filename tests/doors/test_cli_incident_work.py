"""Roles and tasks of an incident on the command line."""

from __future__ import annotations

from tests.doors.api_world import ApiWorld
from tests.doors.test_api_incident_work import declare
from tests.doors.test_cli import berlin, shell

__all__ = ["berlin", "shell"]


def test_a_role_is_handed_on_and_a_task_done(shell, api: ApiWorld):
    """ROL-09, ROL-12, INC-15."""
    number = str(declare(api).pk)
    ana, ben = shell("ana", "write"), shell("ben", "write")
    ana.run("role", "ask", number, "commander", "ben")
    assert "declined" in ben.run("role", "no", number)
    ana.run("role", "ask", number, "commander", "ben")
    assert [one["state"] for one in ben.json("role", "yes", number)["items"]] == ["ended", "declined", "accepted"]
    made = ana.json("task", "add", number, "Restart it", "--owner", "ben")
    assert ben.run("task", "done", number, str(made["id"])) == "Done: Restart it\n"
    assert "done" in ana.run("task", "list", number)
