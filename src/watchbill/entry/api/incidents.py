"""Incidents: declare one, tell its timeline, say where it stands, what it touches and who responds."""

from __future__ import annotations

from typing import Literal

from ninja import Router, Status

from watchbill.actions import declaring, incident_steps, incident_story, incidents, once
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_story import Entry
from watchbill.db.incident_facts import seen_by
from watchbill.db.models import Event, Incident, Person
from watchbill.db.screens.incidents import STATES, Filters, narrow
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.incident_lines import (
    Called,
    ChangedIncident,
    CorrectedLine,
    IncidentLine,
    IncidentSeverity,
    Milestone,
    MovedIncident,
    NewEntry,
    NewIncident,
    Privacy,
    TickedStep,
    TouchedService,
    WholeIncident,
)
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.requests import the_request
from watchbill.entry.api.visible import (
    alerts_of,
    chosen_teams,
    find_one,
    the_page,
    the_person,
    the_service,
    the_team,
)
from watchbill.entry.api.words import ONCE_KEY, EventLine, Id, OnceKey, Slug, Word
from watchbill.kit.errors import Refused

router = Router(tags=["Incidents"])
SHOWN = ("team", "service", "owner", "declared_by")


def the_incident(person: Person, number: int) -> Incident:
    """Read one incident that the caller may see; raises Http404, also for a private one of others."""
    return find_one(Incident.objects.filter(seen_by(person)).select_related(*SHOWN).distinct(), number, "incident")


@router.get("", auth=may("read"), response=answers(Listed[IncidentLine]), summary="List incidents, newest first")
def list_incidents(
    request: Asked,
    team: Slug = "",
    state: Word = "",
    severity: Word = "",
    service: Slug = "",
    exercise: Literal["", "no", "only"] = "",
    search: Word = "",
    after: After = "",
    limit: Limit = 50,
) -> Listed[IncidentLine]:
    """Private ones only for those who may see them."""
    if state not in STATES:
        raise Refused(f"a state is one of {', '.join(STATES[1:])}", "state")
    person = request.auth.person
    rows = Incident.objects.filter(seen_by(person)).select_related(*SHOWN)
    if team:
        rows = rows.filter(team__in=chosen_teams(person, team))
    rows = narrow(rows, Filters(state, "", severity, service, exercise, search.strip()))
    return by_id(rows.distinct(), after, limit, IncidentLine.of, newest_first=True)


@router.post("", auth=may("write"), response=answers(WholeIncident, 201), summary="Declare an incident")
def declare(request: Asked, body: NewIncident, idempotency_key: OnceKey = ONCE_KEY) -> Status[WholeIncident]:
    """In one step; severity and priority follow from the impact by the team's table."""
    caller = request.auth
    team = the_team(caller.person, body.team)
    given = body.model_dump(exclude={"team", "services", "alert", "page", "request"})
    services = [the_service(caller.person, slug) for slug in body.services]
    said = Declared(**given, services=services, came_from=_origins(caller.person, body), door="api")

    def act() -> int:
        return declaring.declare(team, said, caller.person, caller.now).pk

    number = once.once(idempotency_key, "incident", caller.person, caller.now, act)
    return Status(201, WholeIncident.whole(the_incident(caller.person, number), caller.now))


def _origins(person: Person, body: NewIncident) -> list[tuple[str, int]]:
    """Give what it began with; raises Http404 for what the caller may not see."""
    found: list[tuple[str, int]] = []
    if body.alert:
        found.append(("alert", find_one(alerts_of(person), body.alert, "alert").pk))
    if body.page:
        found.append(("page", the_page(person, body.page).pk))
    if body.request:
        found.append(("request", the_request(person, body.request).pk))
    return found


@router.get("/{number}", auth=may("read"), response=answers(WholeIncident), summary="Read one incident")
def read(request: Asked, number: Id) -> WholeIncident:
    """With what it touches, its protocol, who responds and what is missing."""
    return WholeIncident.whole(the_incident(request.auth.person, number), request.auth.now)


@router.patch("/{number}", auth=may("write"), response=answers(WholeIncident), summary="Change an incident")
def change(request: Asked, number: Id, body: ChangedIncident) -> WholeIncident:
    """Title, impact, summary, call, owner."""
    caller = request.auth
    the_incident(caller.person, number)
    values = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    if "owner" in values:
        values["owner"] = the_person(caller.person, values["owner"])
    incidents.change(number, values, caller.person, caller.now)
    return read(request, number)


@router.get("/{number}/timeline", auth=may("read"), response=answers(Listed[EventLine]), summary="Read the timeline")
def timeline(request: Asked, number: Id, after: After = "", limit: Limit = 50) -> Listed[EventLine]:
    """Oldest written first; `at` is when a thing happened. A correction names the line that it puts right."""
    the_incident(request.auth.person, number)
    rows = Event.objects.filter(subject_kind="incident", subject_id=number)
    return by_id(rows, after, limit, EventLine.of)


@router.post("/{number}/timeline", auth=may("write"), response=answers(EventLine, 201), summary="Write on the timeline")
def write(request: Asked, number: Id, body: NewEntry) -> Status[EventLine]:
    """What happened, was seen, supposed, ruled out, decided or done."""
    caller = request.auth
    the_incident(caller.person, number)
    entry = Entry(body.text, body.kind, body.at, "api", body.link)
    return Status(201, EventLine.of(incident_story.write(number, entry, caller.person, caller.now)))


@router.post(
    "/{number}/timeline/{line}/correct", auth=may("write"), response=answers(EventLine), summary="Correct a line"
)
def correct(request: Asked, number: Id, line: Id, body: CorrectedLine) -> EventLine:
    """By a new line; the old one stands."""
    caller = request.auth
    the_incident(caller.person, number)
    return EventLine.of(
        incident_story.correct(number, line, body.text, body.why, caller.person, caller.now, at=body.at)
    )


@router.post("/{number}/timeline/{line}/pin", auth=may("write"), response=answers(EventLine), summary="Pin a line")
def pin(request: Asked, number: Id, line: Id, pinned: bool = True) -> EventLine:
    """Or take the pin off."""
    caller = request.auth
    the_incident(caller.person, number)
    return EventLine.of(incident_story.pin(number, line, caller.person, caller.now, is_pinned=pinned))


@router.post("/{number}/state", auth=may("write"), response=answers(WholeIncident), summary="Say where it stands")
def move(request: Asked, number: Id, body: MovedIncident) -> WholeIncident:
    """Mitigated: people no longer feel it; resolved: all is normal; closed: the paperwork is done; active: it goes on."""
    caller = request.auth
    the_incident(caller.person, number)
    match body.state:
        case "acknowledged":
            incidents.acknowledge(number, caller.person, caller.now, body.at)
        case "mitigated":
            incidents.mitigate(number, caller.person, caller.now, body.at, body.words)
        case "resolved":
            incidents.resolve(number, caller.person, caller.now, body.at, body.words)
        case "closed":
            incidents.close(number, caller.person, caller.now, body.words)
        case _:
            incidents.reopen(number, body.words, caller.person, caller.now)
    return read(request, number)


@router.post("/{number}/steps/{key}", auth=may("write"), response=answers(WholeIncident), summary="Tick a step")
def step(request: Asked, number: Id, key: Word, body: TickedStep) -> WholeIncident:
    """Of the first responder's protocol: it is done, or it is not after all."""
    caller = request.auth
    the_incident(caller.person, number)
    incident_steps.set_step(number, key, caller.person, caller.now, is_done=body.is_done)
    return read(request, number)


@router.post("/{number}/milestone", auth=may("write"), response=answers(WholeIncident), summary="Move a milestone")
def milestone(request: Asked, number: Id, body: Milestone) -> WholeIncident:
    """The timeline keeps both times."""
    caller = request.auth
    the_incident(caller.person, number)
    incidents.move_milestone(number, body.milestone, body.at, body.why, caller.person, caller.now)
    return read(request, number)


@router.post("/{number}/severity", auth=may("write"), response=answers(WholeIncident), summary="Say how bad it is")
def severity(request: Asked, number: Id, body: IncidentSeverity) -> WholeIncident:
    """By the team's table, or by hand with a reason."""
    caller = request.auth
    the_incident(caller.person, number)
    incidents.set_severity(
        number, caller.person, caller.now, impact_kind=body.impact_kind, severity=body.severity, why=body.why
    )
    return read(request, number)


@router.post("/{number}/services", auth=may("write"), response=answers(WholeIncident), summary="Say how a service is")
def touch(request: Asked, number: Id, body: TouchedService) -> WholeIncident:
    """The status page and its history follow."""
    caller = request.auth
    the_incident(caller.person, number)
    service = the_service(caller.person, body.service)
    incidents.touch(number, service, body.condition, caller.person, caller.now)
    return read(request, number)


@router.post("/{number}/responders", auth=may("write"), response=answers(WholeIncident), summary="Call somebody in")
def call_in(request: Asked, number: Id, body: Called) -> WholeIncident:
    """They see it, also when it is private."""
    caller = request.auth
    the_incident(caller.person, number)
    incidents.add_responder(number, the_person(caller.person, body.person), caller.person, caller.now)
    return read(request, number)


@router.post("/{number}/leave", auth=may("write"), response=answers(IncidentLine), summary="Respond no longer")
def leave(request: Asked, number: Id) -> IncidentLine:
    """A role is handed on first."""
    caller = request.auth
    the_incident(caller.person, number)
    return IncidentLine.of(incidents.leave(number, caller.person, caller.now))


@router.post("/{number}/privacy", auth=may("write"), response=answers(IncidentLine), summary="Say who sees it")
def privacy(request: Asked, number: Id, body: Privacy) -> IncidentLine:
    """Only an owner opens a private one to the team."""
    caller = request.auth
    the_incident(caller.person, number)
    return IncidentLine.of(incidents.set_privacy(number, body.is_private, body.why, caller.person, caller.now))
