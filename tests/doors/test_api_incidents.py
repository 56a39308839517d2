"""Incidents by the API: declared in one step, told, moved, closed with what is missing."""

from __future__ import annotations

from tests.doors.api_world import ApiWorld
from watchbill.db.models import Incident

SAID = {"team": "platform", "title": "Nobody can sign in", "impact": "An error after the password"}


def test_one_is_declared_once_told_and_ended(api: ApiWorld) -> None:
    """INC-01, INC-05, INC-08: a title and what people feel; event time is not entry time."""
    ana, alert = api.as_("ana"), api.alert()
    body = {**SAID, "impact_kind": "outage", "services": ["checkout"], "alert": alert}
    made = ana.post("/incidents", body, 201, Idempotency_Key="one")
    assert ana.post("/incidents", body, 201, Idempotency_Key="one")["id"] == made["id"]
    assert (made["severity"], made["services"][0]["condition"]) == ("sev1", "degraded")
    way = f"/incidents/{made['id']}"
    line = ana.post(f"{way}/timeline", {"text": "The disk is full", "kind": "observation"}, 201)
    fixed = ana.post(f"{way}/timeline/{line['id']}/correct", {"text": "The log disk is full"})
    assert fixed["data"]["corrects"] == line["id"]
    assert ana.post(f"{way}/state", {"state": "mitigated"})["state"] == "mitigated"
    assert ana.post(f"{way}/state", {"state": "resolved"})["services"][0]["condition"] == "operational"
    wrong = ana("POST", f"{way}/state", {"state": "closed"})
    assert wrong.status_code == 422
    assert "it cannot be closed yet" in wrong.json()["error"]["message"]
    assert ana.post(f"{way}/state", {"state": "closed", "words": "a test"})["state"] == "closed"
    assert "incident.declared" in {one["kind"] for one in ana.get(f"{way}/timeline")["items"]}
    assert [one["id"] for one in ana.get("/incidents?state=closed&search=sign")["items"]] == [made["id"]]


def test_what_cannot_be_is_refused_by_its_field(api: ApiWorld) -> None:
    ana = api.as_("ana")
    for body, field in (
        ({**SAID, "impact_kind": "plague"}, "impact_kind"),
        ({**SAID, "started_at": "2199-01-01T00:00:00Z"}, "started_at"),
    ):
        wrong = ana("POST", "/incidents", body)
        assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, field)
    assert ana("POST", "/incidents", {**SAID, "alert": 99}).status_code == 404
    assert api.as_("olga")("POST", "/incidents", SAID).status_code == 403
    assert not Incident.objects.exists()


def test_a_private_one_is_nowhere_for_others(api: ApiWorld) -> None:
    """Private incidents stay private in every list and count."""
    ana, ben = api.as_("ana"), api.as_("ben")
    made = ana.post("/incidents", {**SAID, "is_private": True}, 201)
    assert ben.get("/incidents")["items"] == []
    for path in ("", "/timeline"):
        assert ben("GET", f"/incidents/{made['id']}{path}").status_code == 404
    ana.post(f"/incidents/{made['id']}/responders", {"person": api.world.ben.pk})
    assert [one["id"] for one in ben.get("/incidents")["items"]] == [made["id"]]
