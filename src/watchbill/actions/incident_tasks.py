"""Tasks of an incident: each with an owner, done, dropped with why, or made into a ticket that outlives it (INC-15, INC-16)."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from watchbill.actions import incidents, tickets
from watchbill.actions.access import role_of
from watchbill.actions.incident_links import attach
from watchbill.actions.log import Actor
from watchbill.actions.role_scene import Scene
from watchbill.actions.tickets import Written
from watchbill.db.models import Incident, IncidentTask, Person, Ticket
from watchbill.kit.errors import Refused

LONGEST_TITLE = 200


def add(incident_id: int, title: str, person: Person, now: datetime, owner: Person | None = None) -> IncidentTask:
    """Write a task; its owner hears of it when somebody else wrote it. Raises Refused naming the field, NotAllowed."""
    with transaction.atomic():
        scene = _open(incident_id, person, now, "write a task")
        said = " ".join(title.split())
        if not 0 < len(said) <= LONGEST_TITLE:
            raise Refused(f"say what is to be done, in at most {LONGEST_TITLE} characters", "title")
        _check_owner(scene, owner)
        task = IncidentTask.objects.create(
            incident=scene.incident, title=said, owner=owner, created_at=now, created_by=person
        )
        _say(scene, task, "added", f"{person} wrote a task: {said}" + (f", for {owner}" if owner else ""), person)
        _tell_owner(scene, task, person)
    return task


def give(task_id: int, owner: Person | None, person: Person, now: datetime) -> IncidentTask:
    """Give a task to somebody, or to nobody. Raises Refused, NotAllowed."""
    with transaction.atomic():
        scene, task = _find(task_id, person, now, "give a task")
        _demand_open(task)
        _check_owner(scene, owner)
        if task.owner_id == (owner.pk if owner else None):
            return task
        task.owner = owner
        task.save(update_fields=["owner"])
        said = f"{person} gave it to {owner}: {task.title}" if owner else f"nobody has it now: {task.title}"
        _say(scene, task, "given", said, person)
        _tell_owner(scene, task, person)
    return task


def finish(task_id: int, person: Person, now: datetime) -> IncidentTask:
    """Say that a task is done. Raises Refused, NotAllowed."""
    with transaction.atomic():
        scene, task = _find(task_id, person, now, "finish a task")
        _demand_open(task)
        task.done_at = now
        task.save(update_fields=["done_at"])
        _say(scene, task, "done", f"{person} finished: {task.title}", person)
    return task


def drop(task_id: int, why: str, person: Person, now: datetime) -> IncidentTask:
    """Say that a task is not needed, and why. Raises Refused, NotAllowed."""
    with transaction.atomic():
        scene, task = _find(task_id, person, now, "drop a task")
        _demand_open(task)
        said = " ".join(why.split())
        if not 0 < len(said) <= LONGEST_TITLE:
            raise Refused(f"say why it is not needed, in at most {LONGEST_TITLE} characters", "why")
        task.dropped_why = said
        task.save(update_fields=["dropped_why"])
        _say(scene, task, "dropped", f"{person} dropped {task.title}: {said}", person)
    return task


def take_up(task_id: int, person: Person, now: datetime) -> IncidentTask:
    """Open a task again that was done or dropped. Raises Refused, NotAllowed."""
    with transaction.atomic():
        scene, task = _find(task_id, person, now, "open a task again")
        if task.ticket_id is not None:
            raise Refused(f"it is T-{task.ticket_id} now", "task")
        task.done_at, task.dropped_why = None, ""
        task.save(update_fields=["done_at", "dropped_why"])
        _say(scene, task, "reopened", f"{person} opened it again: {task.title}", person)
    return task


def make_ticket(task_id: int, person: Person, now: datetime) -> Ticket:
    """Make a task into a ticket, linked to its incident: what outlives the incident. Raises Refused, NotAllowed.

    Refused in a private incident: the whole team reads its tickets, and so may a tracker outside.
    """
    with transaction.atomic():
        scene, task = _find(task_id, person, now, "make a task into a ticket")
        _demand_open(task)
        incident = scene.incident
        if incident.is_private:
            raise Refused("the whole team reads a ticket: write one by hand, without what is private", "task")
        link = f"{settings.WATCHBILL_URL.rstrip('/')}/incidents/{incident.pk}/"
        exercise = "Exercise: " if incident.is_exercise else ""
        owner = task.owner if task.owner and role_of(task.owner, incident.team) in {"member", "owner"} else None
        written = Written(
            title=f"{exercise}{task.title}",
            text=f"{exercise}From the incident “{incident.title}”: {link}",
            kind="action",
            service=incident.service,
            assignee=owner,
            is_unplanned=True,
        )
        ticket = tickets.add_ticket(incident.team, written, person, now)
        task.ticket = ticket
        task.save(update_fields=["ticket"])
        attach(incident, "ticket", ticket.pk, person, now, "was a task")
        _say(scene, task, "ticket", f"{person} made it T-{ticket.pk}: {task.title}", person)
    return ticket


def _open(incident_id: int, person: Person, now: datetime, what: str) -> Scene:
    incident = incidents.lock(incident_id)
    incidents.require_member(person, incident, what)
    return Scene(incident, now)


def _find(task_id: int, person: Person, now: datetime, what: str) -> tuple[Scene, IncidentTask]:
    number = IncidentTask.objects.filter(pk=task_id).values_list("incident", flat=True).first()
    if number is None:
        raise Refused("there is no such task", "task")
    scene = _open(number, person, now, what)
    return scene, IncidentTask.objects.select_related("owner").get(pk=task_id, incident=scene.incident)


def _demand_open(task: IncidentTask) -> None:
    if task.done_at or task.dropped_why or task.ticket_id:
        raise Refused("it is done, dropped, or a ticket already", "task")


def _check_owner(scene: Scene, owner: Person | None) -> None:
    incident: Incident = scene.incident
    if owner is None:
        return
    responds = incident.members.filter(person=owner).exists()
    if not owner.is_active or not (responds or role_of(owner, incident.team) is not None):
        raise Refused(f"{owner} is not in {incident.team}: call them into the incident first", "owner")


def _tell_owner(scene: Scene, task: IncidentTask, person: Person) -> None:
    """Tell the owner; in a private incident they see it from now on, because somebody gave them a part of it."""
    if task.owner is None:
        return
    incidents.join(scene.incident, task.owner, person, scene.now)
    if task.owner != person:
        line = scene.note("task_told", f"{task.owner} heard of it: {task.title}", task=task.pk)
        words = scene.words(f"For you: {task.title}", f"{person} gives you a task: {task.title}.")
        scene.tell(task.owner.pk, words, line, "it is yours")


def _say(scene: Scene, task: IncidentTask, what: str, why: str, person: Person) -> None:
    scene.note(f"task_{what}", why, Actor.of(person), task=task.pk)
