"""Incidents through their actions: declared in one step, told as a timeline, ended in three steps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import adopt, subjects
from tests.world import World
from watchbill.actions import catalogue, declaring, incident_story, incidents
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_story import Entry
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import Event, Incident, Service, ServiceCondition
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)
SAID = Declared("Nobody can sign in", "Users see an error after the password", impact_kind="outage")


def declare(world: World, **said: object) -> Incident:
    values = {"title": SAID.title, "impact": SAID.impact, "impact_kind": SAID.impact_kind, **said}
    return declaring.declare(world.team, Declared(**values), world.ana, world.now)


def kinds(incident: Incident) -> list[str]:
    lines = Event.objects.filter(subject_kind="incident", subject_id=incident.pk).order_by("id")
    return list(lines.values_list("kind", flat=True))


def a_service(world: World) -> Service:
    return catalogue.add_service(world.team, {"name": "Sign-in 2", "environment": "production"}, world.eva, world.now)


def test_a_title_and_what_people_feel_is_enough(world: World) -> None:
    """INC-01, INC-05, PRI-07: one step; severity follows from the impact, and the protocol stands ready."""
    incident = declare(world)
    assert (incident.state, incident.severity, incident.priority) == ("active", "sev1", "p1")
    assert incident.started_at == incident.declared_at == world.now
    assert incidents.is_major(incident, incidents.desk_of(world.team, world.now))
    assert [step.key for step in incident.steps.filter(done_at=None).order_by("position")][:2] == ["call", "posted"]
    assert kinds(incident)[0] == "incident.declared"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"title": " "}, "title"),
        ({"impact": ""}, "impact"),
        ({"impact_kind": "plague"}, "impact_kind"),
        ({"severity": "sev9"}, "severity"),
        ({"condition": "sad"}, "condition"),
        ({"detection_source": "dream"}, "detection_source"),
    ],
)
def test_what_cannot_be_declared_is_refused_by_its_field_and_nothing_is_left(
    world: World, said: dict[str, str], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        declare(world, **said)
    assert refused.value.field == field
    assert not Incident.objects.exists()


def test_it_may_have_begun_hours_ago_but_not_tomorrow(world: World) -> None:
    """INC-08: backdating is normal."""
    began = world.now - timedelta(hours=6)
    assert declare(world, started_at=began).started_at == began
    with pytest.raises(Refused, match="lies ahead"):
        declare(world, started_at=world.now + timedelta(hours=1))


def test_the_timeline_keeps_what_happened_when_and_what_was_put_right(world: World) -> None:
    """INC-08, INC-12: event time, entry time, author, kind; a correction is a new line."""
    incident = declare(world)
    world.forward(minutes=40)
    at = world.now - timedelta(minutes=30)
    line = incident_story.write(incident.pk, Entry("The database is full", "observation", at), world.ben, world.now)
    assert (line.at, line.written_at, line.actor_name, line.data["kind"]) == (at, world.now, "Ben", "observation")
    fixed = incident_story.correct(incident.pk, line.pk, "The disk is full", "it was the disk", world.ana, world.now)
    assert (fixed.at, fixed.data["corrects"]) == (at, line.pk)
    assert Event.objects.get(pk=line.pk).why == "The database is full"
    ahead = Entry("?", at=world.now + timedelta(hours=1))
    with pytest.raises(Refused, match="lies ahead"):
        incident_story.write(incident.pk, ahead, world.ana, world.now)


def test_resolving_makes_its_services_operational_and_history_keeps_how_long_they_were_not(world: World) -> None:
    """Mitigated, resolved, closed are three things."""
    service = a_service(world)
    incident = declare(world, services=[service], condition="major_outage")
    world.forward(minutes=20)
    incidents.touch(incident.pk, service, "degraded", world.ana, world.now)
    world.forward(minutes=10)
    incidents.mitigate(incident.pk, world.ana, world.now)
    world.forward(minutes=30)
    incidents.resolve(incident.pk, world.ana, world.now, words="renewed the certificate")
    spans = [(one.condition, one.ends_at - one.starts_at) for one in ServiceCondition.objects.order_by("starts_at")]
    assert spans == [("major_outage", timedelta(minutes=20)), ("degraded", timedelta(minutes=40))]


def test_closing_asks_for_what_is_missing(world: World) -> None:
    """Closing says what is missing, as a list of reasons."""
    adopt(world, incident_closing={"demands": ["resolved", "milestones"]})
    incident = declare(world)
    incidents.resolve(incident.pk, world.ana, world.now)
    with pytest.raises(Refused, match="when was it acknowledged"):
        incidents.close(incident.pk, world.ana, world.now)
    incidents.move_milestone(incident.pk, "acknowledged", world.now, "Ana had it at once", world.ana, world.now)
    incidents.close(incident.pk, world.ana, world.now)
    assert Incident.objects.get().state == "closed"


def test_strangers_neither_see_nor_touch_it(world: World) -> None:
    incident = declare(world)
    assert not sees_incident(world.charlie, incident)
    with pytest.raises(NotAllowed):
        incidents.mitigate(incident.pk, world.charlie, world.now)


def test_a_private_one_does_not_exist_for_members_who_are_not_named(world: World) -> None:
    """Private incidents stay private; whoever is called in sees it."""
    incident = declare(world, is_private=True)
    assert sees_incident(world.ana, incident)
    assert not sees_incident(world.ben, incident)
    with pytest.raises(Refused, match="no such incident"):
        incident_story.write(incident.pk, Entry("I look"), world.ben, world.now)
    incidents.add_responder(incident.pk, world.ben, world.ana, world.now)
    assert sees_incident(world.ben, incident)


def test_whoever_is_called_in_hears_of_it_once(world: World) -> None:
    """INC-06, INC-16: people are tagged and asked to help; calling twice, or oneself, says nothing new."""
    incident = declare(world)
    for whom in (world.ben, world.ben, world.ana):
        incidents.add_responder(incident.pk, whom, world.ana, world.now)
    assert subjects(world, "ben") == ["Ana calls you in: Nobody can sign in"]
    assert not [one for one in subjects(world, "ana") if "calls you in" in one]


def test_who_still_responds_is_known(world: World) -> None:
    """INC-11: notes show who is continuing to respond."""
    incident = declare(world)
    incidents.acknowledge(incident.pk, world.ben, world.now)
    assert incident.members.filter(left_at=None).count() == 2
    incidents.leave(incident.pk, world.ben, world.now)
    assert [str(row) for row in incident.members.filter(left_at=None)] == ["Ana"]
