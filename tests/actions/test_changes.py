"""Changes that a tool reports: on the service's record, beside the alerts that follow, and nobody is paged."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.doors.rota_pages import as_, text_of
from watchbill.actions.changes import CHANGE_NOTE
from watchbill.db.models import AlertGroup, Event, Inbox, Page
from watchbill.db.screens.services import changes_before


def change(world, summary="Deployed checkout 4.2", **content):
    payload = {"summary": summary, "source": "pipeline", **content}
    links = [{"href": "https://ci.example.org/42", "text": "Build 42"}, {"href": "javascript:alert(1)"}]
    world.arrives({"routing_key": world.key, "payload": payload, "links": links}, json.loads(CHANGE_NOTE))
    world.work()


def test_a_change_is_a_line_on_the_services_record_and_pages_nobody(world):
    change(world, timestamp=(world.now - timedelta(minutes=5)).isoformat(), custom_details={"state": "passed"})
    line = Event.objects.get(kind="change.reported")
    assert (line.subject_kind, line.subject_id, line.why) == ("service", world.service.pk, "Deployed checkout 4.2")
    assert (line.at, line.actor_name) == (world.now - timedelta(minutes=5), "pipeline")
    assert line.data["links"] == [["Build 42", "https://ci.example.org/42"]]
    assert line.data["description"] == "state: passed"
    assert Inbox.objects.get().state == Inbox.PARSED
    assert not Page.objects.exists()
    assert not AlertGroup.objects.exists()


@pytest.mark.parametrize("timestamp", ["2199-01-01T00:00:00Z", "yesterday", None])
def test_a_change_that_gives_no_time_or_one_ahead_happened_when_it_arrived(world, timestamp):
    change(world, timestamp=timestamp)
    assert Event.objects.get(kind="change.reported").at == world.now


def test_an_alert_shows_the_changes_of_its_service_in_the_two_hours_before(world):
    change(world, "Too long ago")
    world.forward(minutes=61)
    change(world, "Raised the limit")
    world.forward(minutes=60)
    change(world)
    world.event()
    world.work()
    group = world.group()
    world.forward(minutes=1)
    change(world, "Rolled back")
    assert [line.why for line in changes_before(group)] == ["Deployed checkout 4.2", "Raised the limit"]
    page = text_of(as_(world.ana).get(f"/alerts/{group.pk}/"))
    assert "Changes in the 2 hours before" in page
    assert "Raised the limit" in page
    assert "Too long ago" not in page
    assert "Rolled back" not in page
    body = as_(world.ana).get("/services/checkout/").content.decode()
    assert "Rolled back" in body
    assert "Too long ago" in body
    assert 'href="https://ci.example.org/42"' in body
    assert "javascript:" not in body


def test_a_change_among_alerts_costs_none_of_them(world):
    world.event()
    change(world)
    world.event(key="other")
    world.work()
    assert AlertGroup.objects.count() == 2
    assert Event.objects.filter(kind="change.reported").count() == 1
