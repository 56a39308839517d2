"""Updates and planned work by the API: the same acts, the same refusals, and nothing of a private incident."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.doors.api_world import ApiWorld
from watchbill.actions import declaring, incident_eyes, incidents
from watchbill.actions.declaring import Declared
from watchbill.db.models import IncidentUpdate

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


def test_what_cannot_be_kept_is_refused_at_its_field_and_nobody_is_told(world, api: ApiWorld) -> None:
    """A time without its zone, a character that no database keeps, an audience that there is not."""
    ana = api.as_("ana")
    incident = declaring.declare(world.team, Declared("Down", "An error"), world.ana, world.now).pk
    at_first = IncidentUpdate.objects.count()
    for wrong, field in (
        ({"next_update_at": "2026-03-03T12:00:00"}, "said.0.next_update_at"),
        ({"parts": {**PARTS, "why": "\0"}}, "said.0.parts"),
        ({"audience": "friends"}, "audience"),
        ({"state": "fine"}, "state"),
    ):
        said = {"said": [{"audience": "communities", "parts": PARTS, **wrong}]}
        for way in ("updates", "updates/preview"):
            refused = ana("POST", f"/incidents/{incident}/{way}", said)
            assert (refused.status_code, field in refused.json()["error"]["field"]) == (422, True), refused.content
    assert IncidentUpdate.objects.count() == at_first


def test_a_preview_tells_nobody_and_is_for_those_who_may_write(world, api: ApiWorld) -> None:
    """COM-07: what is perhaps not meant for people outside is said before it leaves."""
    incident = declaring.declare(world.team, Declared("Down", "An error"), world.ana, world.now).pk
    at_first = IncidentUpdate.objects.count()
    said = {"said": [{"audience": "communities", "parts": {**PARTS, "doing": "Ben renews it"}}]}
    (shown,) = api.as_("ana").post(f"/incidents/{incident}/updates/preview", said)
    assert "Ben renews it" in shown["text"]
    assert shown["worries"]
    assert api.as_("olga")("POST", f"/incidents/{incident}/updates/preview", said).status_code == 403
    assert IncidentUpdate.objects.count() == at_first


def test_planned_work_is_changed_by_the_api_and_what_is_wrong_changes_nothing(world, api: ApiWorld) -> None:
    ana, starts = api.as_("ana"), world.now + timedelta(days=3)
    times = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=2)).isoformat()}
    made = ana.post("/notices", {"team": world.team.slug, "title": "Move", "text": "Slow", **times}, status=201)
    at = f"/notices/{made['id']}"
    changed = ana(
        "PATCH", at, {"title": "Move the store", "services": [world.service.slug], "audiences": ["team"]}
    ).json()
    assert (changed["title"], changed["services"], changed["text"]) == ("Move the store", [world.service.slug], "Slow")
    for wrong, field in (
        ({"services": ["till"]}, "services"),
        ({"audiences": ["friends"]}, "audiences"),
        ({"title": " "}, "title"),
    ):
        refused = ana("PATCH", at, wrong)
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, field)
    naive = {"starts_at": "2026-03-20T18:00:00", "ends_at": "2026-03-20T20:00:00"}
    assert ana("POST", f"{at}/reschedule", naive).status_code == 422
    assert api.as_("charlie")("PATCH", at, {"title": "Mine"}).status_code == 404
    kept = ana.get(at)
    assert (kept["title"], kept["services"], kept["state"]) == ("Move the store", [world.service.slug], "draft")


def test_who_has_heard_and_who_has_looked_is_read_by_the_api(world, api: ApiWorld) -> None:
    """COM-08: an audience that heard nothing yet is named too; of a private incident nothing is told."""
    incident = declaring.declare(world.team, Declared("Down", "An error"), world.ana, world.now)
    ana, at = api.as_("ana"), f"/incidents/{incident.pk}"
    said = {"said": [{"audience": "communities", "parts": PARTS}]}
    api.as_("eva").post(f"{at}/updates", said, status=201)
    found = ana.get(f"{at}/heard")
    heard = {one["audience"]: one["heard_at"] for one in found["audiences"]}
    assert heard["communities"] == world.now.isoformat().replace("+00:00", "Z")
    assert (heard["public"], len(heard) > 2) == (None, True)
    assert [(one["person"]["name"], one["knows_newest"]) for one in found["readers"]] == [("Ana", False)]
    incident_eyes.note_seen(incident, world.ana, world.now)
    assert ana.get(f"{at}/heard")["readers"][0]["knows_newest"]
    incidents.set_privacy(incident.pk, True, "a name is in it", world.ana, world.now)
    assert api.as_("ben")("GET", f"{at}/heard").status_code == 404
