"""What the tests of post-mortems share: an incident that was resolved, and looks at what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.actions.desk_cast import adopt
from tests.world import World
from watchbill.actions import declaring, incident_story, incidents, postmortem_sections
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_story import Entry
from watchbill.db.models import Event, Incident, PostMortem

OUTAGE = {"title": "Nobody can sign in", "impact": "Users see an error after the password"}


def adopt_rules(world: World, **rules: Any) -> None:
    """The team works in office hours with these rules, and nobody is asked to close what is resolved."""
    adopt(world, **{"incident_closing": {"ask_after_hours": 0}, **rules})


def an_outage(world: World, impact_kind: str = "outage", **said: Any) -> Incident:
    """Ana declares an outage, Ben helps, the notes ask a question, and after an hour it is resolved."""
    values = {**OUTAGE, "impact_kind": impact_kind, "detection_source": "requester", **said}
    began = {"started_at": world.now - timedelta(minutes=30), "detected_at": world.now}
    incident = declaring.declare(world.team, Declared(**{**began, **values}), world.ana, world.now)
    incidents.add_responder(incident.pk, world.ben, world.ana, world.now)
    incidents.acknowledge(incident.pk, world.ana, world.now)
    world.now += timedelta(minutes=20)
    note = Entry("The certificate ran out. Why did nobody see the date?", "observation")
    incident_story.write(incident.pk, note, world.ben, world.now)
    world.now += timedelta(minutes=40)
    incidents.resolve(incident.pk, world.ana, world.now, words="renewed the certificate")
    return Incident.objects.get(pk=incident.pk)


def the_postmortem() -> PostMortem:
    """Read the newest post-mortem."""
    return PostMortem.objects.select_related("incident", "owner", "team").latest("id")


def write(world: World, postmortem: PostMortem, **texts: str) -> None:
    """Ana writes sections, by their keys."""
    for key, text in texts.items():
        section = postmortem.sections.get(key=key)
        postmortem_sections.save(section.pk, text, section.version, world.ana, world.now)


def told(postmortem: PostMortem) -> list[str]:
    """Read what happened to a post-mortem, in order."""
    rows = Event.objects.filter(subject_kind="postmortem", subject_id=postmortem.pk).order_by("id")
    return list(rows.values_list("kind", flat=True))
