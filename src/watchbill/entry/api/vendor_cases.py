"""Cases at vendors: what they were told, when they were last heard of, when somebody is reminded."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Router, Status
from pydantic import Field

from watchbill.actions import vendor_cases
from watchbill.db.incident_facts import hidden_from
from watchbill.db.models import Person, VendorCase
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.desk_lines import VendorCaseLine
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.requests import the_request
from watchbill.entry.api.tickets import the_ticket
from watchbill.entry.api.visible import chosen_teams, find_one, teams_of
from watchbill.entry.api.words import Given, Id, Name, Slug, up_to

router = Router(tags=["Vendor cases"])
of_requests = Router(tags=["Requests"])
of_tickets = Router(tags=["Tickets"])
Told = Annotated[str, up_to(2000)]
Url = Annotated[str, up_to(500)]
Hours = Annotated[int, Field(ge=0, le=2000)]


class NewCase(Given):
    """A case at a vendor; what is not given is read from the service."""

    vendor: Name = ""
    reference: Name = ""
    contact: Told = ""
    url: Url = ""
    note: Told = ""
    remind_after_hours: Hours | None = Field(
        None, description="Hours of the team's coverage, 0: never; null: the team's number."
    )


class TheirWords(Given):
    """What they said."""

    note: Told = ""


class WholeCase(VendorCaseLine):
    """A case with what waits for it."""

    request: int | None
    ticket: int | None
    incident: int | None
    waited_seconds: int = Field(description="By the clock, until it was closed or until now.")
    waited_covered_seconds: int = Field(description="In the team's coverage hours.")


def _seen(person: Person) -> QuerySet[VendorCase]:
    """Leave out the cases of incidents that somebody may not see."""
    return VendorCase.objects.exclude(incident__in=hidden_from(person))


def _the_case(person: Person, number: int) -> VendorCase:
    rows = _seen(person).filter(team__in=teams_of(person)).select_related("team", "request", "ticket", "incident")
    return find_one(rows, number, "case")


def _values(body: NewCase) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True)


@of_requests.post(
    "/{number}/vendor-cases",
    auth=may("answer"),
    response=answers(VendorCaseLine, 201),
    summary="Open a case at a vendor",
)
def open_for_request(request: Asked, number: Id, body: NewCase) -> Status[VendorCaseLine]:
    """The ball is the vendor's; you are reminded in working hours."""
    row = the_request(request.auth.person, number)
    made = vendor_cases.open_case(row, _values(body), request.auth.person, request.auth.now)
    return Status(201, VendorCaseLine.of(made))


@of_tickets.post(
    "/{number}/vendor-cases",
    auth=may("answer"),
    response=answers(VendorCaseLine, 201),
    summary="Open a case at a vendor",
)
def open_for_ticket(request: Asked, number: Id, body: NewCase) -> Status[VendorCaseLine]:
    """The ticket waits for the vendor; you are reminded in working hours."""
    row = the_ticket(request.auth.person, number)
    made = vendor_cases.open_case(row, _values(body), request.auth.person, request.auth.now)
    return Status(201, VendorCaseLine.of(made))


@router.get("", auth=may("read"), response=answers(Listed[VendorCaseLine]), summary="List cases at vendors")
def list_cases(
    request: Asked, team: Slug = "", closed: bool = False, after: After = "", limit: Limit = 50
) -> Listed[VendorCaseLine]:
    """Those that the teams wait for; with `closed` those that are over."""
    caller = request.auth.person
    rows = _seen(caller).filter(team__in=chosen_teams(caller, team), closed_at__isnull=not closed)
    return by_id(rows, after, limit, VendorCaseLine.of)


@router.get("/{number}", auth=may("read"), response=answers(WholeCase), summary="Read a case at a vendor")
def read(request: Asked, number: Id) -> WholeCase:
    """With what waits for it, and for how long."""
    row = _the_case(request.auth.person, number)
    waited = vendor_cases.waiting_time(row, request.auth.now)
    return WholeCase(
        **VendorCaseLine.of(row).model_dump(),
        request=row.request_id,
        ticket=row.ticket_id,
        incident=row.incident_id,
        waited_seconds=int(waited.clock.total_seconds()),
        waited_covered_seconds=int(waited.covered.total_seconds()),
    )


@router.patch("/{number}", auth=may("answer"), response=answers(VendorCaseLine), summary="Change a case at a vendor")
def change(request: Asked, number: Id, body: NewCase) -> VendorCaseLine:
    """What is not given stays as it is."""
    row = _the_case(request.auth.person, number)
    return VendorCaseLine.of(vendor_cases.change_case(row, _values(body), request.auth.person, request.auth.now))


@router.post("/{number}/heard", auth=may("answer"), response=answers(VendorCaseLine), summary="Write what they said")
def heard(request: Asked, number: Id, body: TheirWords) -> VendorCaseLine:
    """The reminder begins anew."""
    row = _the_case(request.auth.person, number)
    return VendorCaseLine.of(vendor_cases.heard(row, body.note, request.auth.person, request.auth.now))


@router.post("/{number}/close", auth=may("answer"), response=answers(VendorCaseLine), summary="Close a case")
def close(request: Asked, number: Id, body: TheirWords) -> VendorCaseLine:
    """With the last one the ball is with the team again, and the promise goes on."""
    row = _the_case(request.auth.person, number)
    return VendorCaseLine.of(vendor_cases.close_case(row, request.auth.person, request.auth.now, body.note))
