"""A page that stays open and requests that pile up propose an incident; a person declares it."""

from __future__ import annotations

import pytest

from tests.actions.desk_cast import adopt, ask, story, subjects
from tests.world import World
from watchbill.actions import declaring, incident_proposals, paging
from watchbill.actions.declaring import Declared
from watchbill.actions.requesters import Asker
from watchbill.db.models import Incident

pytestmark = pytest.mark.django_db(transaction=True)
HALF_AN_HOUR = {"down_minutes": 30}


def proposals(world: World, name: str = "ana") -> list[str]:
    return [subject for subject in subjects(world, name) if subject.startswith("An incident?")]


def test_more_than_half_an_hour_down_proposes_and_declares_nothing(world: World) -> None:
    """INC-02, INC-01: the rule proposes; it starts when a member says so."""
    adopt(world, incident_proposed=HALF_AN_HOUR)
    world.event()
    world.work()
    paging.acknowledge(world.page().pk, world.ana, world.now)
    world.forward(minutes=30)
    assert proposals(world) == []
    world.forward(minutes=1)
    assert proposals(world) == ["An incident? Disk full on db1"]
    assert incident_proposals.reasons_for("alert", world.group().pk) == ["down for more than 30 minutes"]
    assert not Incident.objects.exists()
    world.forward(hours=3)
    assert len(proposals(world)) == 1


def test_what_is_over_by_then_proposes_nothing(world: World) -> None:
    """INC-02: an alert that resolved in time is none."""
    adopt(world, incident_proposed=HALF_AN_HOUR)
    world.event()
    world.work()
    world.forward(minutes=29)
    world.event("resolve")
    world.forward(minutes=10)
    assert proposals(world) == []


def test_two_users_who_are_blocked_on_one_service_propose_it_once(world: World) -> None:
    """C8, INC-03: two or more users; the same one twice is one."""
    adopt(world, incident_proposed={"users_blocked": 2})
    broken = {"request_class": "incident_report", "service": world.service}
    first = ask(world, **broken)
    again = ask(world, **broken)
    assert "request.incident_proposed" not in [*story(first), *story(again)]
    second = ask(world, Asker("Tom", "tom@example.net"), **broken)
    assert story(second).count("request.incident_proposed") == 1
    assert incident_proposals.reasons_for("request", second.pk) == ["2 users are blocked"]


def test_a_blocked_team_and_a_vulnerability_propose_by_themselves(world: World) -> None:
    """PRI-08: blocks one or more teams; creates a major vulnerability."""
    adopt(world, incident_proposed={"blocked_team": True, "security": True})
    for impact, why in (("team", "it blocks a team"), ("security", "it is a major vulnerability")):
        request = ask(world, request_class="incident_report", impact=impact)
        assert incident_proposals.reasons_for("request", request.pk) == [why]


def test_what_belongs_to_an_incident_proposes_none(world: World) -> None:
    adopt(world, incident_proposed=HALF_AN_HOUR)
    world.event()
    world.work()
    said = Declared("Disk full", "Nobody can save", came_from=[("alert", world.group().pk)])
    declaring.declare(world.team, said, world.ana, world.now)
    world.forward(hours=1)
    assert proposals(world) == []


def test_a_team_that_set_nothing_is_left_alone(world: World) -> None:
    """INC-01: it starts when a member says that it has."""
    world.event()
    world.work()
    world.forward(hours=2)
    assert proposals(world) == []
