"""Work on a request: the timebox, time spent, its ticket, help, experts, vendors, the standup."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import request_timebox, requester_side, routing, work_clock
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.desk_lines import RequestLine, TicketLine
from watchbill.entry.api.errors import answers
from watchbill.entry.api.requests import Why, show_request, the_request
from watchbill.entry.api.words import Given, Id, Name, Word, up_to

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


class Help(Given):
    """What one needs help with, and whose."""

    why: Annotated[str, up_to(2000, 1)]
    hopeless: bool = Field(default=False, description="At once, without waiting for the limit.")
    whom: Literal["team", "manager"] = "team"


class AnsweredAtOnce(Given):
    """What was said, and what was asked if that differs from the title."""

    text: Annotated[str, up_to(100_000, 1)]
    question: Annotated[str, up_to(300)] = ""


class Approved(Given):
    """Which representative said so, and what."""

    by: Annotated[Name, Field(min_length=1)]
    willing: bool = True


class TicketOf(Given):
    """What the ticket of a request says besides its conversation."""

    title: Annotated[str, up_to(300)] = ""
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


@router.post("/{number}/ticket", auth=may("answer"), response=answers(TicketLine, 201), summary="Write its ticket")
def make_ticket(request: Asked, number: Id, body: TicketOf) -> Status[TicketLine]:
    """From the conversation, for the seat on watch; the product manager hears of it if the team says so."""
    the_request(request.auth.person, number)
    values = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value not in (None, "")}
    return Status(
        201, TicketLine.of(request_timebox.make_ticket(number, values, request.auth.person, request.auth.now))
    )


@router.post("/{number}/help", auth=may("answer"), response=answers(RequestLine), summary="Ask for help")
def ask_for_help(request: Asked, number: Id, body: Help) -> RequestLine:
    """At half an hour, or at once when it is hopeless: the duty of the others is to help."""
    caller = request.auth
    the_request(caller.person, number)
    request_timebox.ask_for_help(number, body.why, caller.person, caller.now, hopeless=body.hopeless, whom=body.whom)
    return show_request(request, number)


@router.post("/{number}/help/offer", auth=may("answer"), response=answers(RequestLine), summary="Say that you help")
def offer_help(request: Asked, number: Id) -> RequestLine:
    """Whoever asked hears it."""
    the_request(request.auth.person, number)
    request_timebox.offer_help(number, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post(
    "/{number}/answer-and-log", auth=may("answer"), response=answers(RequestLine), summary="Answer it and be done"
)
def answer_and_log(request: Asked, number: Id, body: AnsweredAtOnce) -> RequestLine:
    """No ticket: it is resolved with its answer, which is found again."""
    caller = request.auth
    the_request(caller.person, number)
    request_timebox.answer_and_log(number, body.text, caller.person, caller.now, question=body.question)
    return show_request(request, number)


@router.delete("/{number}/standup", auth=may("answer"), response=answers(RequestLine), summary="Take it off the list")
def off_standup(request: Asked, number: Id) -> RequestLine:
    """The team talked about it."""
    the_request(request.auth.person, number)
    routing.take_off_standup(number, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post(
    "/{number}/standup", auth=may("answer"), response=answers(RequestLine), summary="Keep it for the next standup"
)
def for_standup(request: Asked, number: Id, body: Why) -> RequestLine:
    """What is complex is talked about by the team."""
    the_request(request.auth.person, number)
    routing.mark_for_standup(number, body.why, request.auth.person, request.auth.now)
    return show_request(request, number)


@router.post(
    "/{number}/approve", auth=may("answer"), response=answers(RequestLine), summary="Write down a representative's word"
)
def approve(request: Asked, number: Id, body: Approved) -> RequestLine:
    """Approved, the promise runs from now; refused, it ends and its requester is told."""
    caller = request.auth
    row = the_request(caller.person, number)
    requester_side.approve(row, body.willing, body.by, caller.now, caller.person)
    return show_request(request, number)
