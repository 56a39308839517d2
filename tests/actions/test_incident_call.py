"""The call of an incident: a room that Zoom or Meet opens for it, the rule's address when none is opened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.actions.desk_cast import adopt
from tests.actions.tracker_world import Tracked
from tests.connectors.calls import Meet, Zoom
from tests.connectors.vendors import CUT, Vendor, running
from tests.egress.outside import Say
from tests.world import World
from watchbill.actions import connectors, declaring, incidents
from watchbill.actions.declaring import Declared
from watchbill.db.models import Connection, Event, Export, Incident
from watchbill.db.screens.incidents import call_asked_for

pytestmark = pytest.mark.django_db(transaction=True)
FIXED = {"call_url": "https://meet.example.org/watch-{incident}-{word}"}
REFUSED = Say(400, b'{"code":300,"message":"No such licence"}')


def declare(world: World, **said: Any) -> Incident:
    values = {"title": "SECRET sign-in is down", "impact": "Users see an error", "impact_kind": "outage", **said}
    return declaring.declare(world.team, Declared(**values), world.ana, world.now)


def told(incident: Incident) -> list[str]:
    """What the timeline says of the call."""
    lines = Event.objects.filter(subject_kind="incident", subject_id=incident.pk, kind__startswith="incident.call")
    return list(lines.order_by("id").values_list("why", flat=True))


def url_of(incident: Incident) -> str:
    return Incident.objects.get(pk=incident.pk).call_url


@pytest.mark.parametrize(
    ("name", "maker", "address"),
    [("zoom", Zoom, "https://us02web.zoom.us/j/"), ("google_meet", Meet, "https://meet.google.com/abc-")],
)
@pytest.mark.parametrize("said", [{}, {"is_private": True}, {"is_exercise": True}])
def test_a_room_is_opened_and_no_title_leaves(
    world: World, name: str, maker: type[Vendor], address: str, said: dict[str, bool]
) -> None:
    """INC-10: declared at once, the room follows; of a private incident a vendor learns a number."""
    with running(maker()) as vendor:
        there = Tracked(world, name, vendor)
        incident = declare(world, **said)
        assert (incident.call_url, vendor.calls("POST")) == ("", [])
        assert there.leave() == ["sent"]
        assert not [heard for heard in vendor.host.heard if b"SECRET" in heard.body]
    assert url_of(incident).startswith(address)
    assert told(incident) == [f"the call is open: {url_of(incident)}"]
    assert incident.steps.get(key="call").done_at
    assert call_asked_for(incident).state == "sent"


def test_a_refusal_is_told_and_the_rules_address_is_taken(world: World) -> None:
    """INC-10: an incident waits for no vendor; both sides are told why."""
    adopt(world, incident_start=FIXED)
    with running(Zoom()) as zoom:
        there = Tracked(world, "zoom", zoom)
        zoom.trouble.append(("POST meetings", REFUSED))
        incident = declare(world)
        assert there.leave() == ["failed"]
    assert url_of(incident).startswith(f"https://meet.example.org/watch-{incident.pk}-")
    (line,) = told(incident)
    assert "No such licence" in line
    assert "No such licence" in Connection.objects.get().failure


def test_without_an_address_a_refusal_asks_people_to_agree_on_a_place(world: World) -> None:
    with running(Zoom()) as zoom:
        there = Tracked(world, "zoom", zoom)
        zoom.trouble.append(("POST meetings", REFUSED))
        incident = declare(world)
        there.leave()
        assert "No such licence" in told(incident)[0]
        assert told(incident)[0].endswith("agree on a place and write it down")
        assert call_asked_for(incident).state == "failed"
        assert connectors.retry_failed(there.connection, world.ana, world.now) == 1
        there.leave()
    assert url_of(incident).startswith("https://us02web.zoom.us/")


def test_a_service_that_is_away_is_asked_again_and_told_once(world: World) -> None:
    with running(Zoom()) as zoom:
        there = Tracked(world, "zoom", zoom)
        zoom.trouble += [("POST meetings", Say(503, b"")), ("POST meetings", CUT)]
        incident = declare(world)
        for _ in range(3):
            there.leave()
            world.now += timedelta(minutes=30)
        assert [line.partition(":")[0] for line in told(incident)] == [
            "Tracker opened no room",
            "the call is open",
        ]
        assert url_of(incident) == "https://us02web.zoom.us/j/85000000002?pwd=a1"
        assert len(zoom.meetings) == 2


def test_with_an_address_nobody_waits_longer_than_two_minutes(world: World) -> None:
    adopt(world, incident_start=FIXED)
    with running(Zoom()) as zoom:
        there = Tracked(world, "zoom", zoom)
        zoom.trouble += [("POST", Say(502, b""))] * 20
        incident = declare(world)
        there.leave()
        assert url_of(incident) == ""
        world.now += timedelta(minutes=2)
        there.leave()
        assert "meet.example.org" in url_of(incident)
        assert not Export.objects.filter(state="waiting", what="call.open").exists()


def test_one_that_asks_to_be_left_alone_is_not_waited_for_nor_asked_for_the_next_incident(world: World) -> None:
    adopt(world, incident_start=FIXED)
    with running(Zoom()) as zoom:
        there = Tracked(world, "zoom", zoom)
        zoom.trouble.append(("POST meetings", Say(429, b"", {"Retry-After": "3600"})))
        first = declare(world)
        there.leave()
        second = declare(world)
    assert "meet.example.org" in url_of(first)
    assert "meet.example.org" in url_of(second)
    assert Export.objects.filter(what="call.open").count() == 1


def test_where_people_meet_already_stays(world: World) -> None:
    with running(Zoom()) as zoom:
        there = Tracked(world, "zoom", zoom)
        incident = declare(world)
        incidents.change(incident.pk, {"call_url": "https://meet.example.org/by-hand"}, world.ana, world.now)
        there.leave()
        assert zoom.meetings == []
    assert url_of(incident) == "https://meet.example.org/by-hand"


def test_only_a_major_incident_has_a_call_where_the_team_says_so(world: World) -> None:
    adopt(world, incident_start={"call_major_only": True})
    with running(Zoom()) as zoom:
        there = Tracked(world, "zoom", zoom)
        declare(world, impact_kind="", severity="sev3")
        assert there.leave() == []


@pytest.mark.parametrize("rule", [FIXED, {}])
def test_a_service_that_is_removed_before_it_opened_the_room_is_done_without(
    world: World, rule: dict[str, str]
) -> None:
    """INC-10: asked for by the incident and taken away in the same seconds; nobody waits for what does not come."""
    adopt(world, incident_start=rule)
    with running(Zoom()) as zoom:
        there = Tracked(world, "zoom", zoom)
        incident = declare(world)
        assert url_of(incident) == ""
        connectors.disconnect(there.connection, world.eva, world.now)
        assert there.leave() == ["dropped"]
        assert (zoom.meetings, there.leave()) == ([], [])
    (line,) = told(incident)
    assert "it was removed" in line
    if rule:
        assert url_of(incident).startswith(f"https://meet.example.org/watch-{incident.pk}-")
    else:
        assert line.endswith("agree on a place and write it down")
