"""Who does what in an incident: ask, say yes or no, take, hand on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Router
from pydantic import BaseModel, Field

from watchbill.actions import incident_roles
from watchbill.actions.role_scene import Scene
from watchbill.db.models import Incident, Person, RoleAssignment
from watchbill.db.screens.incidents import find_incident
from watchbill.entry.api.auth import Asked, Caller, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.visible import find_one
from watchbill.entry.api.words import Given, Id, PersonRef, Shown, Word, up_to

router = Router(tags=["Incidents"])
Told = Annotated[str, up_to(2000)]
For = Annotated[str, up_to(120)]


class RoleAssignmentLine(Shown):
    """A role in somebody's hands, or offered to them; `id` answers an offer."""

    id: int
    role: str
    title: str
    person: PersonRef
    state: str = Field(description="offered, accepted, declined, lapsed, withdrawn or ended")
    offered_by: PersonRef | None
    offered_at: datetime
    answer_by: datetime | None
    since: datetime | None
    until: datetime | None
    scope: str


class Roles(BaseModel):
    """The whole record of who had which role, in its order, and which roles are still looked for."""

    items: list[RoleAssignmentLine]
    missing: list[str]


class Ask(Given):
    """Whom to ask; in the team's order of `suggested`. They may say no, without a reason."""

    role: Word
    person: Id
    why: Told = ""
    scope: For = ""


class Take(Given):
    """Which role; `why` when somebody has it."""

    role: Word
    why: Told = ""


class SuggestedForRole(BaseModel):
    """Whom the team would ask, and why them."""

    person: PersonRef
    reasons: list[str]
    is_there: bool


def the_incident(caller: Caller, number: int) -> Incident:
    """Read an incident that the caller may see; raises Http404."""
    found = find_incident(caller.person, number)
    return find_one(Incident.objects.select_related("team"), found.pk if found else 0, "incident")


def _record(incident: Incident, now: datetime) -> Roles:
    scene = Scene(incident, now)
    rows = RoleAssignment.objects.filter(incident=incident).select_related("person", "offered_by").order_by("id")
    lines = [RoleAssignmentLine.read(row, title=scene.title(row.role)) for row in rows]
    held = {line.role for line in lines if line.state == "accepted"}
    return Roles(items=lines, missing=[role for role in scene.needed if role not in held])


@router.get("/{number}/roles", auth=may("read"), response=answers(Roles), summary="Read who does what")
def read(request: Asked, number: Id) -> Roles:
    """With who had it before, and who was asked."""
    return _record(the_incident(request.auth, number), request.auth.now)


@router.get(
    "/{number}/roles/{role}/suggested",
    auth=may("read"),
    response=answers(list[SuggestedForRole]),
    summary="Read whom the team would ask",
)
def suggested(request: Asked, number: Id, role: Word) -> list[SuggestedForRole]:
    """In its order, each with the reasons."""
    found = incident_roles.suggest(the_incident(request.auth, number), role, request.auth.now)
    return [
        SuggestedForRole(person=PersonRef(id=one.id, name=one.name), reasons=list(one.reasons), is_there=one.is_there)
        for one in found
    ]


@router.post("/{number}/roles/ask", auth=may("answer"), response=answers(Roles), summary="Ask somebody to take a role")
def ask(request: Asked, number: Id, body: Ask) -> Roles:
    """Whoever has it keeps it until they say yes."""
    caller = request.auth
    incident = the_incident(caller, number)
    whom = find_one(Person.objects.filter(memberships__team=incident.team_id), body.person, "person")
    incident_roles.offer(number, body.role, whom, caller.person, caller.now, body.why, body.scope)
    return _record(incident, caller.now)


@router.post("/{number}/roles/take", auth=may("answer"), response=answers(Roles), summary="Take a role")
def take(request: Asked, number: Id, body: Take) -> Roles:
    """From somebody else only with a reason; they hear of it."""
    incident = the_incident(request.auth, number)
    incident_roles.take(number, body.role, request.auth.person, request.auth.now, body.why)
    return _record(incident, request.auth.now)


@router.post(
    "/{number}/roles/{role}/ask-who",
    auth=may("answer"),
    response=answers(Roles),
    summary="Let whoever breaks ties say who",
)
def ask_who(request: Asked, number: Id, role: Word) -> Roles:
    """So that nobody must name a colleague."""
    incident = the_incident(request.auth, number)
    incident_roles.ask_who(number, role, request.auth.person, request.auth.now)
    return _record(incident, request.auth.now)


def _of(incident: Incident, line: int) -> int:
    return find_one(RoleAssignment.objects.filter(incident=incident), line, "offer").pk


@router.post("/{number}/roles/{line}/accept", auth=may("answer"), response=answers(Roles), summary="Say yes to a role")
def accept(request: Asked, number: Id, line: Id) -> Roles:
    """Whoever had it is released at the same instant."""
    incident = the_incident(request.auth, number)
    incident_roles.accept(_of(incident, line), request.auth.person, request.auth.now)
    return _record(incident, request.auth.now)


@router.post("/{number}/roles/{line}/decline", auth=may("answer"), response=answers(Roles), summary="Say no to a role")
def decline(request: Asked, number: Id, line: Id) -> Roles:
    """No needs no reason; the next one is asked."""
    incident = the_incident(request.auth, number)
    incident_roles.decline(_of(incident, line), request.auth.person, request.auth.now)
    return _record(incident, request.auth.now)


@router.post(
    "/{number}/roles/{line}/withdraw", auth=may("answer"), response=answers(Roles), summary="Take back an offer"
)
def withdraw(request: Asked, number: Id, line: Id) -> Roles:
    """Before its answer."""
    incident = the_incident(request.auth, number)
    incident_roles.withdraw(_of(incident, line), request.auth.person, request.auth.now)
    return _record(incident, request.auth.now)


@router.post("/{number}/roles/{line}/end", auth=may("answer"), response=answers(Roles), summary="End a role")
def end(request: Asked, number: Id, line: Id) -> Roles:
    """One that the incident needs is handed on instead."""
    incident = the_incident(request.auth, number)
    incident_roles.end(_of(incident, line), request.auth.person, request.auth.now)
    return _record(incident, request.auth.now)
