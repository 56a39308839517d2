"""A drill is a real exercise: real pages by the team's own ladder, people who answer or not, a debrief."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import subjects
from tests.core.test_drills import FULL
from tests.world import World
from watchbill.actions import drills, incidents, paging
from watchbill.db.models import Drill, Event, Incident, Page
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_pages_climbs_and_looks_back(world: World) -> None:
    """INC-21, INC-20: nobody answers at first, the ladder is climbed, the debrief says how long people took."""
    drill = drills.start(world.team, FULL, 5, world.eva, world.now)
    incident = Incident.objects.get()
    assert incident.is_exercise
    world.forward(minutes=1)
    page = Page.objects.get()
    assert page.title == "Exercise: Disk full on db1"
    assert any(subject.startswith("critical: Exercise: ") for subject in subjects(world, "ana"))
    paging.acknowledge(page.pk, world.ana, world.now)
    world.forward(minutes=4)
    incidents.resolve(incident.pk, world.ana, world.now)
    world.forward(minutes=20)
    drill.refresh_from_db()
    assert drill.state == "ended"
    marks = {mark["name"]: mark for mark in drill.debrief["marks"]}
    assert (marks["acknowledged"]["came"], marks["acknowledged"]["is_kept"]) == (300, True)
    assert (marks["commander"]["came"], marks["commander"]["is_kept"]) == (None, False)
    assert marks["resolved"]["came"] == 25 * 60
    told = Event.objects.filter(subject_kind="incident", kind="incident.entry").order_by("id")
    assert [line.actor_name for line in told] == ["Ria (played)", "Red Centric (played)", "The drill (played)"]
    assert (Incident.objects.get().state, Incident.objects.get().outcome) == ("closed", "exercise")
    assert Page.objects.get().state == "resolved"


def test_stopping_calls_nobody_any_more(world: World) -> None:
    drill = drills.start(world.team, FULL, 1, world.eva, world.now)
    world.work()
    drills.stop(drill.pk, world.ana, world.now)
    before = len(world.mailbox.messages)
    world.forward(hours=3)
    assert len(world.mailbox.messages) == before
    assert Drill.objects.get().state == "stopped"
    with pytest.raises(Refused):
        drills.stop(drill.pk, world.ana, world.now)


def test_one_at_a_time_by_those_who_serve_and_with_services_that_exist(world: World) -> None:
    with pytest.raises(NotAllowed):
        drills.start(world.team, FULL, 1, world.charlie, world.now)
    with pytest.raises(Refused) as refused:
        drills.start(world.team, FULL.replace("impact:", "service: nowhere\nimpact:"), 1, world.ana, world.now)
    assert refused.value.field == "scenario.service"
    with pytest.raises(Refused, match="1 to 60"):
        drills.start(world.team, FULL, 0.5, world.ana, world.now)
    assert not Incident.objects.exists()
    drills.start(world.team, FULL, 1, world.ana, world.now)
    with pytest.raises(Refused, match="one at a time"):
        drills.start(world.team, FULL, 1, world.ana, world.now)
    assert Incident.objects.filter(started_at__gt=world.now - timedelta(hours=1)).count() == 1
