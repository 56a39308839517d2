"""Incidents in the browser: one incident with its panels, declaring, the list; what is private is nowhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import adopt
from tests.doors.web_world import Cast
from watchbill.actions import declaring
from watchbill.actions.declaring import Declared
from watchbill.db.models import Event, Incident
from watchbill.entry.web.incident_panels import acts_of, all_panels

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_(world):
    return Cast(world)


def declare(world, title="Nobody can sign in", **said) -> Incident:
    values = {"impact": "Users see an error after the password", "impact_kind": "outage", **said}
    return declaring.declare(world.team, Declared(title, **values), world.ana, world.now)


def test_every_panel_keeps_its_contract():
    for name, module in all_panels().items():
        assert isinstance(module.PLACE, int), name
        assert module.TEMPLATE.startswith("incidents/"), name
        assert getattr(module, "WHERE", "main") in {"top", "main", "side"}, name
        assert all(act.islower() for act in acts_of(module)), name


def test_one_page_shows_how_it_stands_and_whoever_may_not_act_gets_no_buttons(world, as_):
    incident = declare(world, services=[world.service])
    text = as_.ben.text(f"/incidents/{incident.pk}/")
    assert "Nobody can sign in" in text
    assert "I have it" in text
    reading = as_.olga.text(f"/incidents/{incident.pk}/")
    assert "Nobody can sign in" in reading
    assert "I have it" not in reading
    assert as_.charlie.get(f"/incidents/{incident.pk}/").status_code == 404


def test_from_acknowledged_to_closed_and_open_again(world, as_):
    """INC-08: each step may be dated back; closing lists what is missing, and may be done despite it with a reason."""
    adopt(world, incident_closing={"demands": ["steps"]})
    incident = declare(world)
    at = f"/incidents/{incident.pk}"
    as_.ben.post(f"{at}/acknowledge/")
    world.forward(minutes=40)
    ago = (world.now - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M")
    as_.ben.post(f"{at}/mitigate/", {"at": ago, "text": "failed over"})
    as_.ben.post(f"{at}/resolve/")
    incident.refresh_from_db()
    assert incident.state == "resolved"
    assert incident.resolved_at - incident.mitigated_at == timedelta(minutes=10)
    refused = as_.ben.post(f"{at}/close/")
    assert refused.status_code == 409
    assert "it cannot be closed yet" in refused.content.decode()
    as_.ben.post(f"{at}/close/", {"despite": "told by telephone"})
    incident.refresh_from_db()
    assert incident.state == "closed"
    as_.ana.post(f"{at}/reopen/", {"why": "it is back"})
    incident.refresh_from_db()
    assert incident.state == "active"


def test_a_milestone_is_moved_with_a_reason_and_a_refusal_loses_nothing(world, as_):
    incident = declare(world)
    url = f"/incidents/{incident.pk}/milestone/"
    ahead = (world.now + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    refused = as_.ana.post(url, {"milestone": "started", "at": ahead, "why": "the graph says so"})
    text = refused.content.decode()
    assert refused.status_code == 409
    assert "lies ahead" in text
    assert 'id="milestone-at_error"' in text
    assert "the graph says so" in text
    assert as_.ana.post(url, {"milestone": "started", "at": "2026-03-03T07:00", "why": ""}).status_code == 409
    as_.ana.post(url, {"milestone": "started", "at": "2026-03-03T07:00", "why": "the graph says so"})
    incident.refresh_from_db()
    assert incident.started_at == world.now - timedelta(hours=2)
    assert Event.objects.filter(kind="incident.milestone").count() == 1


def test_a_panel_asks_for_itself_alone(world, as_):
    incident = declare(world)
    whole, part = (as_.ana.text(f"/incidents/{incident.pk}/{query}") for query in ("", "?panel=state"))
    assert 'id="incident-state"' in part
    assert f"/incidents/{incident.pk}/?panel=state" in whole
    assert as_.ana.get(f"/incidents/{incident.pk}/?panel=nonsense").status_code == 200
    assert as_.ana.post(f"/incidents/{incident.pk}/nonsense/").status_code == 404
