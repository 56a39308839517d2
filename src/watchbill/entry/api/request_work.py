"""Work on a request: the timebox, time spent, its ticket, help, experts, vendors, the standup."""

from __future__ import annotations

from typing import Annotated

from ninja import Router, Status
from pydantic import BaseModel, Field, StringConstraints

from watchbill.actions import experts, request_timebox, requester_side, routing, vendor_cases, work_clock
from watchbill.actions.access import require
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.desk_lines import RequestLine, TicketLine, VendorCaseLine
from watchbill.entry.api.errors import answers
from watchbill.entry.api.requests import Note, Why, show_request, the_request
from watchbill.entry.api.visible import the_person
from watchbill.entry.api.words import Given, Id, Name, PersonRef, Word

router = Router(tags=["Requests"])


class Spent(Given):
    """Minutes that were really spent."""

    minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    note: Name = ""


class Advice(BaseModel):
    """What the time spent says: answer here, propose a ticket, ask for help."""

    do: str
    why: str
    spent_seconds: int


class Suggested(BaseModel):
    """Somebody who may be asked, and why."""

    person: PersonRef
    fit: str
    reasons: list[str]
    is_there: bool


class AskedOf(Given):
    """Whom to ask to take it on."""

    person: Id
    why: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\u0000]*$")] = ""


class NewCase(Given):
    """A case at a vendor; what is not given is read from the service."""

    vendor: Name = ""
    reference: Name = ""
    contact: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\u0000]*$")] = ""
    url: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\u0000]*$")] = ""
    note: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\u0000]*$")] = ""
    remind_after_hours: Annotated[int, Field(ge=1, le=2000)] | None = None


class TicketOf(Given):
    """What the ticket of a request says besides its conversation."""

    title: Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\u0000]*$")] = ""
    points: Annotated[int, Field(ge=0, le=100)] | None = None
    labels: Annotated[list[Word], Field(max_length=20)] = []


@router.get("/{number}/advice", auth=may("read"), response=answers(Advice), summary="Ask what the time spent says")
def advice(request: Asked, number: Id) -> Advice:
    """Answer it here, write a ticket, or ask for help."""
    row = the_request(request.auth.person, number)
    said = request_timebox.advise(row, request.auth.now)
    return Advice(do=said.do, why=said.why, spent_seconds=row.spent_seconds)


@router.post("/{number}/time", auth=may("answer"), response=answers(RequestLine), summary="Log time really spent")
def log_time(request: Asked, number: Id, body: Spent) -> RequestLine:
    """It counts for the timebox and for the community's budget."""
    row = the_request(request.auth.person, number)
    work_clock.log_time(row, body.minutes, request.auth.person, request.auth.now, body.note)
    return show_request(request, number)


@router.post("/{number}/clock", auth=may("answer"), response=answers(RequestLine), summary="Start the clock on it")
def start_clock(request: Asked, number: Id) -> RequestLine:
    """Your clock on anything else stops; `DELETE /me/clock` stops it."""
    work_clock.start(the_request(request.auth.person, number), request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post("/{number}/ticket", auth=may("answer"), response=answers(TicketLine, 201), summary="Write its ticket")
def make_ticket(request: Asked, number: Id, body: TicketOf) -> Status[TicketLine]:
    """From the conversation, for the seat on watch; the product manager hears of it if the team says so."""
    the_request(request.auth.person, number)
    values = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value not in (None, "")}
    return Status(
        201, TicketLine.of(request_timebox.make_ticket(number, values, request.auth.person, request.auth.now))
    )


@router.post("/{number}/help", auth=may("answer"), response=answers(RequestLine), summary="Ask the team for help")
def ask_for_help(request: Asked, number: Id, body: Why) -> RequestLine:
    """At half an hour, or at once when it is hopeless: the duty of the others is to help."""
    the_request(request.auth.person, number)
    request_timebox.ask_for_help(number, body.why, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.get("/{number}/experts", auth=may("read"), response=answers(list[Suggested]), summary="See whom you may ask")
def suggest(request: Asked, number: Id) -> list[Suggested]:
    """The best first, each with the reasons."""
    row = the_request(request.auth.person, number)
    require(request.auth.person, row.team, "member", "see whom to ask")
    found = experts.suggest(row.team, row, None, request.auth.now)
    return [
        Suggested(person=PersonRef.of(one.person), fit=one.fit, reasons=list(one.reasons), is_there=one.is_there)
        for one in found
    ]


@router.post(
    "/{number}/experts", auth=may("answer"), response=answers(RequestLine), summary="Ask somebody to take it on"
)
def ask_expert(request: Asked, number: Id, body: AskedOf) -> RequestLine:
    """They answer when they like; no needs no reason."""
    row = the_request(request.auth.person, number)
    experts.ask(row, the_person(request.auth.person, body.person), body.why, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post(
    "/{number}/vendor-cases",
    auth=may("answer"),
    response=answers(VendorCaseLine, 201),
    summary="Open a case at a vendor",
)
def open_case(request: Asked, number: Id, body: NewCase) -> Status[VendorCaseLine]:
    """The ball is the vendor's; you are reminded in working hours."""
    row = the_request(request.auth.person, number)
    values = body.model_dump(exclude_unset=True)
    return Status(201, VendorCaseLine.of(vendor_cases.open_case(row, values, request.auth.person, request.auth.now)))


@router.post(
    "/{number}/standup", auth=may("answer"), response=answers(RequestLine), summary="Keep it for the next standup"
)
def for_standup(request: Asked, number: Id, body: Why) -> RequestLine:
    """What is complex is talked about by the team."""
    the_request(request.auth.person, number)
    routing.mark_for_standup(number, body.why, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post(
    "/{number}/approve", auth=may("answer"), response=answers(RequestLine), summary="Write down a representative's yes"
)
def approve(request: Asked, number: Id, body: Note) -> RequestLine:
    """`text` names the representative who said so; the promise runs from now."""
    row = the_request(request.auth.person, number)
    requester_side.approve(row, willing=True, by_name=body.text[:80], now=request.auth.now, person=request.auth.person)
    return show_request(request, number)
