"""Who has heard, and who of those who respond has looked: eyes on the document, so that nobody is left out unseen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import adopt_preset
from tests.world import World
from watchbill.actions import declaring, incident_eyes, incidents
from watchbill.actions.declaring import Declared
from watchbill.actions.desk import desk_of
from watchbill.actions.incident_eyes import Told
from watchbill.actions.incident_updates import write_update
from watchbill.db.models import Event, Incident, IncidentMember

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = {"why": "The certificate has run out", "doing": "We renew it", "next": "We watch sign-ins"}


def declare(world: World) -> Incident:
    """Ana declares it, and Ben responds."""
    incident = declaring.declare(world.team, Declared("Nobody can sign in", "An error"), world.ana, world.now)
    incidents.add_responder(incident.pk, world.ben, world.ana, world.now)
    return incident


def looked(incident: Incident) -> dict[str, bool]:
    named = IncidentMember.objects.filter(incident=incident).order_by("id")
    readers = incident_eyes.readers_of(named, list(incident.updates.order_by("id")))
    return {str(one.person): one.knows_newest for one in readers}


def told(world: World, incident: Incident) -> list[Told]:
    return incident_eyes.told_of(incident, desk_of(world.team, world.now), world.now, incident.updates.order_by("id"))


def test_who_responds_and_has_not_looked_since_the_newest_update_is_known(world: World) -> None:
    """COM-08: eyes on the document. Whoever reads without being called in is not watched, and whoever left is let go."""
    incident = declare(world)
    lines = Event.objects.count()
    for person in (world.ana, world.ben, world.olga):
        incident_eyes.note_seen(incident, person, world.now)
    assert looked(incident) == {"Ana": True, "Ben": True}
    assert Event.objects.count() == lines, "that somebody looked is no event"
    world.now += timedelta(seconds=20)
    write_update(incident.pk, "communities", PARTS, world.ana, world.now)
    assert looked(incident) == {"Ana": True, "Ben": False}, "whoever wrote it knows it"
    write_update(incident.pk, "leadership", PARTS, world.eva, world.now)
    assert looked(incident) == {"Ana": False, "Ben": False}
    world.now += timedelta(seconds=20)
    incident_eyes.note_seen(incident, world.ana, world.now)
    assert looked(incident) == {"Ana": True, "Ben": False}
    incidents.leave(incident.pk, world.ben, world.now)
    incident_eyes.note_seen(incident, world.ben, world.now)
    assert looked(incident) == {"Ana": True}
    assert IncidentMember.objects.filter(incident=incident).count() == 2


def test_that_somebody_looks_all_the_time_is_written_once_a_minute(world: World) -> None:
    incident = declare(world)
    first = world.now
    for seconds in (0, 30, 59):
        incident_eyes.note_seen(incident, world.ana, first + timedelta(seconds=seconds))
        assert IncidentMember.objects.get(incident=incident, person=world.ana).seen_at == first
    incident_eyes.note_seen(incident, world.ana, first + timedelta(seconds=60))
    assert IncidentMember.objects.get(incident=incident, person=world.ana).seen_at == first + timedelta(seconds=60)


@pytest.mark.parametrize("preset", ["hub-support", "library-devops", "operate-first"])
def test_each_audience_is_listed_with_what_it_heard_last_also_one_that_heard_nothing(world: World, preset: str) -> None:
    """COM-08, COM-01: how do you communicate with stakeholders? By the team's own list, leadership in it."""
    adopt_preset(world, preset)
    incident = declare(world)
    assert len(told(world, incident)) >= 2
    assert not any(one.is_late for one in told(world, incident))
    world.now += timedelta(days=1)
    assert [one.is_late for one in told(world, incident)] == [one.promise is not None for one in told(world, incident)]
