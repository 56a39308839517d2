"""Who does what in an incident, and its work, through the API; a private one is not there for others."""

from __future__ import annotations

from tests.actions.desk_cast import adopt
from tests.doors.api_world import ApiWorld
from watchbill.actions import declaring, vendor_cases
from watchbill.actions.declaring import Declared
from watchbill.db.models import Incident


def declare(api: ApiWorld, **said: object) -> Incident:
    adopt(api.world, None, incident_roles={"designation": "declarer"})
    values = {"title": "Nobody can sign in", "impact": "Users see an error", **said}
    return declaring.declare(api.world.team, Declared(**values), api.world.ana, api.world.now)


def test_a_role_is_asked_for_and_answered(api: ApiWorld):
    """ROL-08, ROL-09, ROL-12, ROL-18."""
    at = f"/incidents/{declare(api).pk}"
    ana, ben = api.as_("ana", "write"), api.as_("ben", "write")
    first = ana.get(f"{at}/roles/commander/suggested")[0]
    assert first["reasons"]
    asked = ana.post(f"{at}/roles/ask", {"role": "commander", "person": api.world.ben.pk})
    offer = next(line["id"] for line in asked["items"] if line["state"] == "offered")
    ben.post(f"{at}/roles/{offer}/decline", None)
    asked = ana.post(f"{at}/roles/ask", {"role": "commander", "person": api.world.ben.pk})
    offer = next(line["id"] for line in asked["items"] if line["state"] == "offered")
    assert ana("POST", f"{at}/roles/{offer}/accept").status_code == 403
    done = ben.post(f"{at}/roles/{offer}/accept", None)
    assert [(line["person"]["name"], line["state"]) for line in done["items"]] == [
        ("Ana", "ended"),
        ("Ben", "declined"),
        ("Ben", "accepted"),
    ]
    assert done["missing"] == []
    assert ana("POST", f"{at}/roles/take", {"role": "commander"}).status_code == 422


def test_tasks_links_and_a_duplicate(api: ApiWorld):
    """INC-15."""
    incident, other = declare(api), declare(api, title="Sign-in fails")
    at, ana = f"/incidents/{incident.pk}", api.as_("ana", "write")
    task = ana.post(f"{at}/tasks", {"title": "Restart it", "owner": api.world.ben.pk}, 201)
    assert ana.post(f"{at}/tasks/{task['id']}/ticket", None)["ticket"]
    assert [one["kind"] for one in ana.get(f"{at}/links")] == ["ticket"]
    ended = ana.post(f"{at}/merge", {"into": other.pk, "why": "the same"})
    assert (ended["outcome"], ended["merged_into"]) == ("merged", other.pk)
    assert [one["kind"] for one in ana.get(f"/incidents/{other.pk}/links")] == ["ticket"]


def test_a_task_changes_hands_and_is_opened_again(api: ApiWorld):
    """INC-15, INC-16: only to whoever sees the incident; what is wrong changes nothing."""
    at, ana, ben = f"/incidents/{declare(api).pk}", api.as_("ana", "write"), api.as_("ben", "write")
    task = f"{at}/tasks/{ana.post(f'{at}/tasks', {'title': 'Restart it'}, 201)['id']}"
    assert ana.post(f"{task}/give", {"owner": api.world.ben.pk})["owner"]["name"] == "Ben"
    assert ana("POST", f"{task}/give", {"owner": api.world.charlie.pk}).status_code == 404
    assert ana("POST", f"{task}/give", {}).status_code == 422
    assert ben.post(f"{task}/give", {"owner": None})["owner"] is None
    ben.post(f"{task}/done", None)
    assert ana("POST", f"{task}/give", {"owner": api.world.ben.pk}).status_code == 422
    assert ana.post(f"{task}/reopen", None)["done_at"] is None
    assert ana("POST", f"{at}/tasks/999000/reopen").status_code == 404
    assert api.as_("olga", "write")("POST", f"{task}/reopen").status_code == 403


def test_a_step_is_ticked_and_not_done_after_all(api: ApiWorld):
    """INC-04, INC-12."""
    at, ana = f"/incidents/{declare(api).pk}", api.as_("ana", "write")
    key = next(one["key"] for one in ana.get(at)["steps"] if one["done_at"] is None)
    assert {one["key"]: one["done_at"] for one in ana.post(f"{at}/steps/{key}", {})["steps"]}[key]
    undone = ana.post(f"{at}/steps/{key}", {"is_done": False})["steps"]
    assert {one["key"]: one["done_at"] for one in undone}[key] is None
    assert ana("POST", f"{at}/steps/nothing", {}).status_code == 422
    assert api.as_("olga", "write")("POST", f"{at}/steps/{key}", {}).status_code == 403


def test_a_private_incident_and_its_cases_are_not_there_for_others(api: ApiWorld):
    incident = declare(api, is_private=True)
    case = vendor_cases.open_case(incident, {"vendor": "6dg"}, api.world.ana, api.world.now)
    ana, ben = api.as_("ana", "write"), api.as_("ben", "write")
    assert [one["id"] for one in ana.get("/vendor-cases")["items"]] == [case.pk]
    assert ben.get("/vendor-cases")["items"] == []
    for path in (
        f"/vendor-cases/{case.pk}",
        *(f"/incidents/{incident.pk}/{what}" for what in ("roles", "tasks", "links")),
    ):
        assert ben("GET", path).status_code == 404
    assert ben("POST", f"/incidents/{incident.pk}/roles/take", {"role": "scribe"}).status_code == 404
