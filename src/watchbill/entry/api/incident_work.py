"""The work of an incident: tasks, links, merging, cases at vendors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.db.models import Q
from ninja import Router, Status
from pydantic import BaseModel

from watchbill.actions import incident_links, incident_merging, incident_tasks, vendor_cases
from watchbill.db import incident_links as links
from watchbill.db.models import Incident, IncidentLink, IncidentTask, Person
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.desk_lines import VendorCaseLine
from watchbill.entry.api.errors import answers
from watchbill.entry.api.incident_roles import the_incident
from watchbill.entry.api.vendor_cases import NewCase
from watchbill.entry.api.visible import find_one, people_of
from watchbill.entry.api.words import Given, Id, PersonRef, Word, up_to

router = Router(tags=["Incidents"])
Line = Annotated[str, up_to(200)]


class NewTask(Given):
    """What is to be done, and by whom."""

    title: Annotated[str, up_to(200, 1)]
    owner: Id | None = None


class TaskOwner(Given):
    """Whose it is now; null: nobody's."""

    owner: Id | None


class IncidentWhy(Given):
    """Why."""

    why: Annotated[str, up_to(500, 1)]


class NewIncidentLink(Given):
    """What belongs to it: alert, page, request, ticket, change, silence or related (another incident), by its id."""

    kind: Word
    number: Id
    note: Line = ""


class Merge(Given):
    """Of which incident it is a part, and why."""

    into: Id
    why: Annotated[str, up_to(500, 1)]


class TaskLine(BaseModel):
    """A task; one that became a ticket is planned there."""

    id: int
    title: str
    owner: PersonRef | None
    created_at: datetime
    done_at: datetime | None
    dropped_why: str
    ticket: int | None

    @classmethod
    def of(cls, row: IncidentTask) -> TaskLine:
        """Show a task."""
        return cls(
            id=row.pk,
            title=row.title,
            owner=PersonRef.maybe(row.owner),
            created_at=row.created_at,
            done_at=row.done_at,
            dropped_why=row.dropped_why,
            ticket=row.ticket_id,
        )


class IncidentLinkLine(BaseModel):
    """Something that belongs to an incident."""

    id: int
    kind: str
    number: int
    title: str
    note: str


class EndedIncident(BaseModel):
    """How it ended early."""

    id: int
    state: str
    outcome: str
    merged_into: int | None

    @classmethod
    def of(cls, row: Incident) -> EndedIncident:
        """Show an incident that ended early."""
        return cls(id=row.pk, state=row.state, outcome=row.outcome, merged_into=row.merged_into_id)


def _task(incident: Incident, number: int) -> IncidentTask:
    return find_one(IncidentTask.objects.filter(incident=incident).select_related("owner"), number, "task")


@router.get("/{number}/tasks", auth=may("read"), response=answers(list[TaskLine]), summary="List the tasks")
def list_tasks(request: Asked, number: Id) -> list[TaskLine]:
    """In the order in which they were written."""
    rows = IncidentTask.objects.filter(incident=the_incident(request.auth, number)).select_related("owner")
    return [TaskLine.of(row) for row in rows.order_by("id")]


@router.post("/{number}/tasks", auth=may("answer"), response=answers(TaskLine, 201), summary="Write a task")
def add_task(request: Asked, number: Id, body: NewTask) -> Status[TaskLine]:
    """Its owner hears of it, and responds from then on."""
    caller = request.auth
    owner = _owner(the_incident(caller, number), body.owner, caller.person)
    return Status(201, TaskLine.of(incident_tasks.add(number, body.title, caller.person, caller.now, owner)))


def _owner(incident: Incident, number: int | None, person: Person) -> Person | None:
    """Read whom a task is given to: somebody of the caller's teams, or whoever is named in the incident."""
    if number is None:
        return None
    there = Q(pk__in=people_of(person).values("pk")) | Q(pk__in=incident.members.values("person"))
    return find_one(Person.objects.filter(there), number, "person")


@router.post("/{number}/tasks/{task}/give", auth=may("answer"), response=answers(TaskLine), summary="Give a task")
def give_task(request: Asked, number: Id, task: Id, body: TaskOwner) -> TaskLine:
    """To another owner, who hears of it; or to nobody."""
    caller = request.auth
    incident = the_incident(caller, number)
    owner = _owner(incident, body.owner, caller.person)
    return TaskLine.of(incident_tasks.give(_task(incident, task).pk, owner, caller.person, caller.now))


@router.post("/{number}/tasks/{task}/done", auth=may("answer"), response=answers(TaskLine), summary="Finish a task")
def finish_task(request: Asked, number: Id, task: Id) -> TaskLine:
    """It is done."""
    row = _task(the_incident(request.auth, number), task)
    return TaskLine.of(incident_tasks.finish(row.pk, request.auth.person, request.auth.now))


@router.post("/{number}/tasks/{task}/drop", auth=may("answer"), response=answers(TaskLine), summary="Drop a task")
def drop_task(request: Asked, number: Id, task: Id, body: IncidentWhy) -> TaskLine:
    """With why it is not needed."""
    row = _task(the_incident(request.auth, number), task)
    return TaskLine.of(incident_tasks.drop(row.pk, body.why, request.auth.person, request.auth.now))


@router.post(
    "/{number}/tasks/{task}/reopen", auth=may("answer"), response=answers(TaskLine), summary="Open a task again"
)
def reopen_task(request: Asked, number: Id, task: Id) -> TaskLine:
    """One that was done or dropped."""
    row = _task(the_incident(request.auth, number), task)
    return TaskLine.of(incident_tasks.take_up(row.pk, request.auth.person, request.auth.now))


@router.post(
    "/{number}/tasks/{task}/ticket", auth=may("answer"), response=answers(TaskLine), summary="Make a task a ticket"
)
def task_to_ticket(request: Asked, number: Id, task: Id) -> TaskLine:
    """What outlives the incident."""
    incident = the_incident(request.auth, number)
    row = _task(incident, task)
    incident_tasks.make_ticket(row.pk, request.auth.person, request.auth.now)
    return TaskLine.of(_task(incident, task))


@router.get(
    "/{number}/links", auth=may("read"), response=answers(list[IncidentLinkLine]), summary="List what belongs to it"
)
def list_links(request: Asked, number: Id) -> list[IncidentLinkLine]:
    """What you may see of it."""
    return _links(the_incident(request.auth, number), request.auth.person)


def _links(incident: Incident, person: Person) -> list[IncidentLinkLine]:
    return [
        IncidentLinkLine(id=one.id, kind=one.kind, number=one.subject_id, title=one.title, note=one.note)
        for one in links.links_of(incident, person)
    ]


@router.post("/{number}/links", auth=may("answer"), response=answers(list[IncidentLinkLine]), summary="Link something")
def link(request: Asked, number: Id, body: NewIncidentLink) -> list[IncidentLinkLine]:
    """Once is enough."""
    caller = request.auth
    incident = the_incident(caller, number)
    incident_links.link(number, body.kind, body.number, caller.person, caller.now, body.note)
    return _links(incident, caller.person)


@router.delete(
    "/{number}/links/{link}", auth=may("answer"), response=answers(list[IncidentLinkLine]), summary="Take a link off"
)
def unlink(request: Asked, number: Id, link: Id) -> list[IncidentLinkLine]:
    """The timeline keeps that it was there."""
    incident = the_incident(request.auth, number)
    row = find_one(IncidentLink.objects.filter(incident=incident), link, "link")
    incident_links.unlink(row.pk, request.auth.person, request.auth.now)
    return _links(incident, request.auth.person)


@router.post(
    "/{number}/merge", auth=may("answer"), response=answers(EndedIncident), summary="Merge into another incident"
)
def merge(request: Asked, number: Id, body: Merge) -> EndedIncident:
    """Links, people, open tasks and cases go along; opening it again undoes it."""
    the_incident(request.auth, number)
    the_incident(request.auth, body.into)
    return EndedIncident.of(incident_merging.merge(number, body.into, body.why, request.auth.person, request.auth.now))


@router.post(
    "/{number}/call-off", auth=may("answer"), response=answers(EndedIncident), summary="Say that it was no incident"
)
def call_off(request: Asked, number: Id, body: IncidentWhy) -> EndedIncident:
    """It ends without paperwork."""
    the_incident(request.auth, number)
    return EndedIncident.of(incident_merging.call_off(number, body.why, request.auth.person, request.auth.now))


@router.post(
    "/{number}/vendor-cases",
    auth=may("answer"),
    response=answers(VendorCaseLine, 201),
    summary="Open a case at a vendor",
)
def open_case(request: Asked, number: Id, body: NewCase) -> Status[VendorCaseLine]:
    """The incident goes on; whoever commands is reminded in working hours."""
    row = the_incident(request.auth, number)
    made = vendor_cases.open_case(row, body.model_dump(exclude_unset=True), request.auth.person, request.auth.now)
    return Status(201, VendorCaseLine.of(made))
