"""Incidents on the command line, as people type them."""

from __future__ import annotations

from tests.doors.api_world import ApiWorld
from tests.doors.test_cli import berlin, shell
from watchbill.db.models import Incident

__all__ = ["berlin", "shell"]


def test_one_is_declared_written_on_and_ended(shell, api: ApiWorld) -> None:
    """INC-01, INC-08: from a terminal, with the time it happened."""
    ana = shell("ana", "write")
    said = ana.run("incident", "declare", "Nobody can sign in", "An error", "--service", "checkout", "--since", "09:00")
    incident = Incident.objects.get()
    assert said == f"I-{incident.pk} is declared: sev1, p1.\n"
    assert incident.started_at.hour == 8
    assert ana.run("incident", "take", f"I-{incident.pk}") == f"I-{incident.pk} is active.\n"
    ana.run("incident", "note", f"i{incident.pk}", "The disk is full\x1b[31m", "--at", "09:30")
    assert ana.run("incident", "touch", f"I-{incident.pk}", "checkout", "major_outage") == "checkout is major outage.\n"
    assert ana.run("incident", "mitigate", str(incident.pk)) == f"I-{incident.pk} is mitigated.\n"
    whole = ana.run("incident", f"I-{incident.pk}")
    assert "09:30 CET  Ana: The disk is full" in whole
    assert "\x1b" not in whole
    assert f"I-{incident.pk}" in ana.run("incidents", "sign")
