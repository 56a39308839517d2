"""Updates and planned work by the API: the same acts, the same refusals, and nothing of a private incident."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.doors.api_world import ApiWorld
from watchbill.actions import declaring
from watchbill.actions.declaring import Declared

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = {"why": "The certificate ran out", "doing": "We renew it", "next": "We watch it"}


def test_audiences_are_told_and_put_right_by_the_api(world, api: ApiWorld) -> None:
    """COM-01, COM-07."""
    ana = api.as_("ana")
    incident = declaring.declare(world.team, Declared("Down", "An error"), world.ana, world.now).pk
    said = [{"audience": one, "parts": PARTS} for one in ("communities", "leadership")]
    made = ana.post(f"/incidents/{incident}/updates", {"said": said}, status=201)
    assert [one["audience"] for one in made] == ["communities", "leadership"]
    wrong = [{"audience": "communities", "parts": {**PARTS, "next": ""}}]
    refused = ana("POST", f"/incidents/{incident}/updates", {"said": wrong})
    assert refused.status_code == 422
    assert "communities-next" in refused.content.decode()
    right = ana.post(f"/incidents/{incident}/updates/{made[0]['id']}/correct", {"parts": PARTS}, status=201)
    assert right["corrects"] == made[0]["id"]
    assert len(ana.get(f"/incidents/{incident}/updates?audience=communities")["items"]) == 2


def test_the_updates_of_a_private_incident_do_not_exist_for_others(world, api: ApiWorld) -> None:
    said = Declared("Down", "An error", is_private=True)
    incident = declaring.declare(world.team, said, world.ana, world.now).pk
    assert api.as_("ben")("GET", f"/incidents/{incident}/updates").status_code == 404
    body = {"said": [{"audience": "responders", "parts": PARTS}]}
    assert api.as_("ben")("POST", f"/incidents/{incident}/updates", body).status_code == 404


def test_planned_work_goes_its_way_by_the_api(world, api: ApiWorld) -> None:
    ana = api.as_("ana")
    starts = world.now + timedelta(days=3)
    body = {
        "team": world.team.slug, "title": "Move the database", "text": "You are signed out once.",
        "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=2)).isoformat(),
        "services": [world.service.slug],
    }  # fmt: skip
    made = ana.post("/notices", body, status=201)
    assert made["state"] == "draft"
    number = made["id"]
    assert ana.post(f"/notices/{number}/announce")["state"] == "announced"
    assert ana.post(f"/notices/{number}/begin", {})["state"] == "in_progress"
    assert ana.get(f"/notices/{number}")["conflicts"] == []
    assert ana.post(f"/notices/{number}/done", {"text": "It went well."})["state"] == "done"
    assert api.as_("charlie")("GET", f"/notices/{number}").status_code == 404
