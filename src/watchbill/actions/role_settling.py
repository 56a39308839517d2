"""What follows when somebody has come to have a role: they respond, a commander is made known, others are released."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from watchbill.actions import incidents, request_mail, support
from watchbill.actions.access import ROLES, role_of
from watchbill.actions.log import Actor
from watchbill.actions.role_scene import Scene
from watchbill.actions.timers import clear_timer
from watchbill.core import roles as core
from watchbill.core.roles import Line, Load
from watchbill.db.models import IncidentLink, IncidentMember, Person, SupportRequest
from watchbill.db.role_facts import at_once


def settle(scene: Scene, role: str, before: Sequence[int]) -> None:
    """Do what follows when somebody has come to have a role; `before` are those who had it until now.

    Nobody waits for a commander any more; whoever began is released where the team says so (ROL-13), and those who
    asked us for help hear who leads (ROL-14).
    """
    line = core.holders(scene.lines, role)[-1]
    person = Person.objects.get(pk=line.person)
    incidents.join(scene.incident, person, person, scene.now)
    _warn(scene, line, person)
    if role != "commander":
        return
    incidents.tick(scene.incident, "commander", person, scene.now)
    clear_timer(scene.subject, "lead")
    scene.keep_topic()
    requests = _requests_of(scene)
    if before and scene.rule.releases_declarer:
        _release(scene, person, before, requests)
    if scene.rule.introduce_commander and not (scene.incident.is_private or scene.incident.is_exercise):
        _introduce(scene, person, requests)


def _warn(scene: Scene, line: Line, person: Person) -> None:
    """Say so at once when somebody has their hands full (INC-18)."""
    load = Load(line.since or scene.now, at_once(person, scene.incident))
    why = core.tired(load, timedelta(), scene.rule.most_at_once, scene.now)
    if why and not scene.incident.is_exercise:
        said = f"{person} has {why[0]}: hand one on to a fresh person"
        told = scene.note("role_load", said, person=person.pk, at_once=load.at_once)
        scene.tell(person.pk, scene.news(said), told, "you have several incidents")


def _requests_of(scene: Scene) -> list[SupportRequest]:
    numbers = IncidentLink.objects.filter(incident=scene.incident, kind="request").order_by("subject_id")
    return [support.lock(number) for number in numbers.values_list("subject_id", flat=True)]


def _release(scene: Scene, person: Person, before: Sequence[int], requests: Sequence[SupportRequest]) -> None:
    """Release whoever had it: the incident and its requests are theirs no more, unless they are asked (ROL-13)."""
    incident = scene.incident
    if incident.owner_id in before:
        incident.owner = person
        incident.save(update_fields=["owner"])
        scene.note("changed", f"the incident is {person}'s now", Actor.of(person), owner=str(person))
    held = role_of(person, incident.team)
    if held is not None and ROLES.index(held) >= ROLES.index("member"):
        for request in requests:
            if request.assignee_id in before and request.state == "open":
                support.assign(request.pk, person, person, scene.now)
    busy = {line.person for line in scene.lines if line.state == core.ACCEPTED}
    for row in IncidentMember.objects.filter(incident=incident, person__in=before, left_at=None):
        if row.person_id not in busy:
            row.left_at = scene.now
            row.save(update_fields=["left_at"])
            scene.note("left", f"{row.person} is released, unless somebody asks", person=row.person_id)


def _introduce(scene: Scene, person: Person, requests: Sequence[SupportRequest]) -> None:
    """Tell requesters who leads; the title of the incident is not theirs to read (ROL-14)."""
    for request in requests:
        if request.state == "open":
            text = f"{person} now leads the work on what you told us, and will keep you informed."
            request_mail.write(request, text, scene.now)
            scene.note("introduced", f"{request.requester} heard that {person} leads", request=request.pk)
