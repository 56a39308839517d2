"""Post-mortems through the API and the command line: written, imported, taken along; private ones are nowhere."""

from __future__ import annotations

from pathlib import Path

from tests.actions.postmortem_cast import adopt_rules, an_outage, the_postmortem
from tests.actions.test_report_import import NAME, REPORT
from tests.doors.api_world import ApiWorld
from tests.doors.test_cli import berlin, shell
from watchbill.db.models import PostMortem, Ticket

__all__ = ["berlin", "shell"]


def test_it_is_read_written_and_moved(api: ApiWorld) -> None:
    adopt_rules(api.world)
    an_outage(api.world)
    ana, ben = api.as_("ana", "write"), api.as_("ben", "write")
    path = f"/postmortems/{the_postmortem().pk}"
    section = next(one for one in ana.get(path)["sections"] if one["key"] == "avoid")
    body = {"text": "Watch the date.", "version": section["version"]}
    assert ana("PUT", f"{path}/sections/{section['id']}", body).json()["set_aside"] is None
    other = ben("PUT", f"{path}/sections/{section['id']}", {**body, "text": "Renew it by a machine."}).json()
    (aside,) = ana.get(path)["set_aside"]
    assert aside["id"] == other["set_aside"]
    settled = {"revision": aside["id"], "text": "Both.", "version": other["section"]["version"]}
    assert ana.post(f"{path}/settle", settled)["section"]["text"] == "Both."
    ana.post(f"{path}/actions", {"line": "Alert earlier @ben #detect"}, 201)
    assert Ticket.objects.get().assignee == api.world.ben
    ana.post(f"{path}/move", {"state": "in_review"})
    assert ben.post(f"{path}/move", {"state": "reviewed"})["state"] == "reviewed"


def test_a_private_one_does_not_exist_for_others(api: ApiWorld) -> None:
    adopt_rules(api.world)
    incident = an_outage(api.world, is_private=True, title="A leak")
    path = f"/postmortems/{the_postmortem().pk}"
    olga = api.as_("olga", "write")
    assert olga.get("/postmortems")["items"] == []
    for way in (path, f"{path}/file"):
        assert olga("GET", way).status_code == 404
    refused = olga("POST", "/postmortems", {"incident": incident.pk})
    assert "A leak" not in refused.content.decode()
    assert refused.status_code in {403, 404, 422}


def test_what_was_learned_is_measured_between_named_moments_and_what_is_owed_is_listed(shell, api: ApiWorld) -> None:
    """MET-02, PM-09: lengths say from when to when; an exercise counts nowhere, a private one only for who sees it."""
    adopt_rules(api.world)
    an_outage(api.world)
    an_outage(api.world, is_exercise=True)
    an_outage(api.world, is_private=True, title="A leak")
    eva, olga = api.as_("eva", "write"), api.as_("olga", "write")
    assert (eva.get("/learned/measures")["incidents"], olga.get("/learned/measures")["incidents"]) == (2, 1)
    until = api.world.now.isoformat().replace("+00:00", "Z")
    found = olga.get(f"/learned/measures?team=platform&since=2026-01-01T00:00:00Z&until={until}")
    assert found["lengths"][0] == {
        "earlier": "started", "later": "detected", "incidents": 1,
        "median_seconds": 1800, "nine_of_ten_seconds": 1800,
    }  # fmt: skip
    assert (found["high"], found["by_source"]) == (1, {"requester": 1})
    assert olga.get("/learned/measures?until=2026-01-01T00:00:00Z")["incidents"] == 0
    refused = olga("GET", "/learned/measures?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z")
    assert (refused.status_code, "it ends after it begins" in refused.content.decode()) == (422, True)
    one = PostMortem.objects.get(incident__is_private=False, incident__is_exercise=False)
    eva.post(f"/postmortems/{one.pk}/actions", {"line": "Alert earlier @ben #detect"}, 201)
    owed = olga.get("/learned/owed")
    assert [(row["title"], row["owner"]["name"], row["purpose"]) for row in owed["actions"]] == [
        ("Alert earlier", "Ben", "detect")
    ]
    assert [row["id"] for row in owed["reports"]] == [one.pk]
    terminal = shell("olga", "read")
    assert "started to detected" in terminal.run("measures", "--since", "2026-01-01")
    assert "Alert earlier" in terminal.run("owed", "--team", "platform")


def test_reports_are_imported_on_the_command_line_once_and_it_says_what_it_could_not_read(
    shell, api: ApiWorld, tmp_path: Path
) -> None:
    """Import: says truly what it could not read; the second time nothing is new."""
    file = tmp_path / NAME
    file.write_bytes(REPORT)
    ana = shell("ana", "write")
    said = ana.run("postmortem", "import", str(file))
    one = PostMortem.objects.get()
    assert f"post-mortem {one.pk}" in said
    assert "here already" in ana.run("postmortem", "import", str(file), "--team", "platform")
    assert "The memory ran out" in ana.run("postmortems")
    assert "[x]" in ana.run("postmortem", "show", str(one.pk))
    assert "- [x] Tell the community how to ask" in ana.run("postmortem", "export", str(one.pk))
