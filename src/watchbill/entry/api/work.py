"""My work at the desk: the clock that runs, what I was asked to take on; and the same clock on tickets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel, Field

from watchbill.actions import experts, work_clock
from watchbill.actions.access import require
from watchbill.actions.experts import Suggestion
from watchbill.db.models import ExpertAsk, WorkLog
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.requests import the_request
from watchbill.entry.api.tickets import the_ticket
from watchbill.entry.api.visible import the_person
from watchbill.entry.api.words import Given, Id, Name, PersonRef, up_to

mine = Router(tags=["Me"])
of_requests = Router(tags=["Requests"])
of_tickets = Router(tags=["Tickets"])


class ClockLine(BaseModel):
    """Time on a request or a ticket; `ended_at` null: the clock runs."""

    id: int
    request: int | None
    ticket: int | None
    started_at: datetime
    ended_at: datetime | None
    seconds: int
    note: str

    @classmethod
    def of(cls, row: WorkLog) -> ClockLine:
        """Show a clock."""
        plain = ("started_at", "ended_at", "seconds", "note")
        values = {name: getattr(row, name) for name in plain}
        return cls(id=row.pk, request=row.request_id, ticket=row.ticket_id, **values)


class Running(BaseModel):
    """The clock that runs; null: none does."""

    clock: ClockLine | None


class Ending(Given):
    """What was done; `minutes` corrects a clock that was forgotten."""

    note: Name = ""
    minutes: Annotated[int, Field(ge=0, le=24 * 60)] | None = None


class AskLine(BaseModel):
    """Somebody was asked to take something on; an empty `answer`: they have not said."""

    id: int
    request: int | None
    ticket: int | None
    person: PersonRef
    asked_by: PersonRef | None
    asked_at: datetime
    why: str
    answer: str
    answered_at: datetime | None

    @classmethod
    def of(cls, row: ExpertAsk) -> AskLine:
        """Show what somebody was asked."""
        return cls(
            id=row.pk,
            request=row.request_id,
            ticket=row.ticket_id,
            person=PersonRef.of(row.person),
            asked_by=PersonRef.maybe(row.asked_by),
            asked_at=row.asked_at,
            why=row.why,
            answer=row.answer,
            answered_at=row.answered_at,
        )


class Suggested(BaseModel):
    """Somebody who may be asked, and why."""

    person: PersonRef
    fit: str
    reasons: list[str]
    is_there: bool

    @classmethod
    def of(cls, found: Suggestion) -> Suggested:
        """Show a suggestion."""
        return cls(
            person=PersonRef.of(found.person), fit=found.fit, reasons=list(found.reasons), is_there=found.is_there
        )


class AskedOf(Given):
    """Whom to ask to take it on."""

    person: Id
    why: Annotated[str, up_to(experts.LONGEST_WHY)] = ""


class Answered(Given):
    """Yes or no; no needs no reason."""

    willing: bool


@mine.get("/clock", auth=may("read"), response=answers(Running), summary="Read the clock that runs")
def read_clock(request: Asked) -> Running:
    """Yours: one at a time."""
    log = work_clock.running_clock(request.auth.person)
    return Running(clock=ClockLine.of(log) if log else None)


@mine.post("/clock/stop", auth=may("answer"), response=answers(ClockLine), summary="Stop the clock with a note")
def end_clock(request: Asked, body: Ending) -> ClockLine:
    """Or correct one that was forgotten: less than it shows, never more."""
    caller = request.auth
    return ClockLine.of(work_clock.stop(caller.person, caller.now, body.note, minutes=body.minutes))


@mine.delete("/clock", auth=may("answer"), response=answers(ClockLine), summary="Stop the clock")
def stop_clock(request: Asked) -> ClockLine:
    """What it showed is logged."""
    return ClockLine.of(work_clock.stop(request.auth.person, request.auth.now))


@of_requests.post("/{number}/clock", auth=may("answer"), response=answers(ClockLine), summary="Start the clock on it")
def start_on_request(request: Asked, number: Id) -> ClockLine:
    """Your clock on anything else stops; `DELETE /me/clock` stops this one."""
    row = the_request(request.auth.person, number)
    return ClockLine.of(work_clock.start(row, request.auth.person, request.auth.now))


@of_tickets.post("/{number}/clock", auth=may("answer"), response=answers(ClockLine), summary="Start the clock on it")
def start_on_ticket(request: Asked, number: Id) -> ClockLine:
    """Your clock on anything else stops; `DELETE /me/clock` stops this one."""
    row = the_ticket(request.auth.person, number)
    return ClockLine.of(work_clock.start(row, request.auth.person, request.auth.now))


@mine.get("/asks", auth=may("read"), response=answers(Listed[AskLine]), summary="List what you were asked to take on")
def list_asks(request: Asked, answered: bool = False, after: After = "", limit: Limit = 50) -> Listed[AskLine]:
    """Those that wait for your answer; with `answered` the others."""
    rows = ExpertAsk.objects.filter(person=request.auth.person).select_related("person", "asked_by")
    rows = rows.exclude(answer="") if answered else rows.filter(answer="")
    return by_id(rows, after, limit, AskLine.of, newest_first=True)


@mine.post("/asks/{number}", auth=may("answer"), response=answers(AskLine), summary="Say whether you take it on")
def respond(request: Asked, number: Id, body: Answered) -> AskLine:
    """Whoever asked is told; no needs no reason."""
    caller = request.auth
    rows = ExpertAsk.objects.filter(person=caller.person).select_related("person", "asked_by")
    if not rows.filter(pk=number).exists():
        raise Http404(f"nobody asked you {number}")
    experts.respond(number, body.willing, caller.person, caller.now)
    return AskLine.of(rows.get(pk=number))


@of_requests.get(
    "/{number}/experts", auth=may("read"), response=answers(list[Suggested]), summary="See whom you may ask"
)
def suggest_for_request(request: Asked, number: Id) -> list[Suggested]:
    """The best first, each with the reasons."""
    row = the_request(request.auth.person, number)
    require(request.auth.person, row.team, "member", "see whom to ask")
    return [Suggested.of(one) for one in experts.suggest(row.team, row, None, request.auth.now)]


@of_tickets.get(
    "/{number}/experts", auth=may("read"), response=answers(list[Suggested]), summary="See whom you may ask"
)
def suggest_for_ticket(request: Asked, number: Id) -> list[Suggested]:
    """The best first, each with the reasons."""
    row = the_ticket(request.auth.person, number)
    require(request.auth.person, row.team, "member", "see whom to ask")
    return [Suggested.of(one) for one in experts.suggest(row.team, None, row, request.auth.now)]


@of_requests.post(
    "/{number}/experts", auth=may("answer"), response=answers(AskLine, 201), summary="Ask somebody to take it on"
)
def ask_for_request(request: Asked, number: Id, body: AskedOf) -> Status[AskLine]:
    """They answer when they like; no needs no reason."""
    caller = request.auth
    row, whom = the_request(caller.person, number), the_person(caller.person, body.person)
    return Status(201, AskLine.of(experts.ask(row, whom, body.why, caller.person, caller.now)))


@of_tickets.post(
    "/{number}/experts", auth=may("answer"), response=answers(AskLine, 201), summary="Ask somebody to take it on"
)
def ask_for_ticket(request: Asked, number: Id, body: AskedOf) -> Status[AskLine]:
    """They answer when they like; no needs no reason."""
    caller = request.auth
    row, whom = the_ticket(caller.person, number), the_person(caller.person, body.person)
    return Status(201, AskLine.of(experts.ask(row, whom, body.why, caller.person, caller.now)))
