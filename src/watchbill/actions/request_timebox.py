"""Quick help: answer it here, write the ticket from the conversation, or ask the team for help (TRI-01 to TRI-09).

A ticket is the record, the conversation stays where it is (TRI-05); whoever has the request writes the ticket, not
its requester (TRI-04).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.db import transaction

from watchbill.actions import delivery, desk_settings, paging, request_watch, support, tickets, work_clock
from watchbill.actions.access import require
from watchbill.actions.delivery import Words
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import Actor, record
from watchbill.actions.paging import Opening
from watchbill.actions.request_words import reference
from watchbill.actions.tickets import Written
from watchbill.core import support as decisions
from watchbill.db.models import Event, Message, Person, SupportRequest, Ticket
from watchbill.db.support_facts import seats_of
from watchbill.kit.errors import Refused
from watchbill.rules import timebox

LONGEST_QUOTE = 60_000
WRITERS = {"in": "", "out": " (to the requester)"}
Whom = Literal["team", "manager"]


def advise(request: SupportRequest, now: datetime) -> timebox.Decision:
    """Say what the clock advises now: answer here, propose a ticket, ask for help (TRI-01, TRI-02, TRI-09)."""
    request.refresh_from_db(fields=["spent_seconds"])
    return work_clock.decision_on(request, desk_of(request.team, now), now)


def make_ticket(request_id: int, values: Mapping[str, Any], person: Person, now: datetime) -> Ticket:
    """Write the ticket of a request from its conversation; the conversation goes on where it is (TRI-04, TRI-05).

    `values` may give title, text (before the conversation), kind, labels, points, service, assignee, seat, epic,
    sprint, is_unplanned. By default it is unplanned work of the seat on watch. The product manager hears of it when
    the team says so (TRI-03). Raises Refused naming the field, NotAllowed.
    """
    with transaction.atomic():
        request = support.lock(request_id)
        require(person, request.team, "member", "write a ticket")
        if request.state == decisions.CLOSED:
            raise Refused("it is closed: reopen it before you write a ticket of it")
        desk = desk_of(request.team, now)
        ticket = tickets.add_by_rule(request.team, _written(request, values, person, now), Actor.of(person), now)
        said = f"{person} wrote T-{ticket.pk}: {work_clock.words_of(request.spent_seconds)} spent until then"
        record(support.subject_of(request), "request.ticket", said, now, Actor.of(person), {"ticket": ticket.pk})
        if desk.timebox.tell_product_manager:
            _tell_product_manager(request, ticket, person, now)
    return ticket


def _written(request: SupportRequest, values: Mapping[str, Any], person: Person, now: datetime) -> Written:
    own = str(values.get("text") or "").strip()
    quoted = quote(request)
    return Written(
        title=str(values.get("title") or request.title),
        text="\n\n".join(part for part in (own, quoted) if part),
        kind=str(values.get("kind") or "request"),
        labels=tuple(values.get("labels") or ()),
        points=values.get("points"),
        service=values.get("service", request.service),
        request=request,
        epic=values.get("epic"),
        sprint=values.get("sprint"),
        is_unplanned=bool(values.get("is_unplanned", True)),
        **_whose(request, values, person, now),
    )


def _whose(request: SupportRequest, values: Mapping[str, Any], person: Person, now: datetime) -> dict[str, Any]:
    """Give it to the seat on watch (HND-09), unless somebody else is named; a team without seats: to who writes it."""
    if values.get("assignee") or values.get("seat"):
        return {"assignee": values.get("assignee"), "seat": str(values.get("seat") or "")}
    seats = tickets.seats_of(request.team)
    if not seats:
        return {"assignee": person}
    mine = seats_of(person.pk, request.team, now)
    return {"seat": next((seat for seat in seats if seat in mine), seats[0])}


def quote(request: SupportRequest) -> str:
    """Write a request's conversation as the text of a ticket, oldest first, with the way back to it.

    What was written for the team alone stays on the request: a ticket may have a twin in a tracker that others read.
    """
    link = f"{settings.WATCHBILL_URL.rstrip('/')}/requests/{request.pk}/"
    parts = [f"{reference(request)}, from {request.requester}: {link}"]
    for message in Message.objects.filter(request=request, direction__in=WRITERS).order_by("id"):
        lines = "\n".join(f"> {line}".rstrip() for line in message.text.splitlines())
        parts.append(f"{message.author_name}{WRITERS[message.direction]}, {message.at:%Y-%m-%d %H:%M} UTC:\n{lines}")
    whole = "\n\n".join(parts)
    return (
        whole if len(whole) <= LONGEST_QUOTE else f"{whole[:LONGEST_QUOTE]}\n\n… the rest is on {reference(request)}."
    )


def _tell_product_manager(request: SupportRequest, ticket: Ticket, person: Person, now: datetime) -> None:
    """Tell the product manager that work will begin on it (TRI-03)."""
    manager = request.team.product_manager
    if manager is None or not manager.is_active or manager == person:
        return
    said = f"told {manager}, the product manager"
    line = record(support.subject_of(request), "request.product_manager_told", said, now, data={"ticket": ticket.pk})
    words = Words(
        subject=f"T-{ticket.pk} comes in between: {ticket.title}"[:200],
        text=f"{person} begins to work on it. {reference(request)}, from {request.requester}, took longer than quick help."
        f"\n\n{ticket.priority_why}",
        purpose="notice",
        path=f"/tickets/{ticket.pk}/",
        action="Open the ticket",
    )
    delivery.reach_or_tell(manager.pk, support.subject_of(request), words, line, "you are the product manager", now)


def answer_and_log(request_id: int, text: str, person: Person, now: datetime, *, question: str = "") -> SupportRequest:
    """Answer a request where it was asked and resolve it: no ticket, and the answer is found again (TRI-01, INT-07).

    With a `question`, question and answer also stand on the team's public page. A clock of this person that runs on
    the request stops. Raises Refused when the team wants a ticket for everything; NotAllowed.
    """
    if not text.strip():
        raise Refused("write the answer", "text")
    with transaction.atomic():
        request = support.lock(request_id)
        require(person, request.team, "member", "answer a request")
        if not desk_of(request.team, now).timebox.advice_needs_no_ticket and not request.tickets.exists():
            raise Refused(f"{request.team} writes a ticket for everything: write it first")
        clock = work_clock.running_clock(person)
        if clock is not None and clock.request_id == request.pk:
            work_clock.stop(person, now)
        if request.assignee_id is None:
            support.take(request_id, person, now)
        request = support.resolve(request_id, "answered", text, person, now)
        if question.strip():
            values = {"question": question, "answer": text, "service": request.service}
            desk_settings.add_faq(request.team, values, person, now)
    return request


def ask_for_help(
    request_id: int, why: str, person: Person, now: datetime, *, hopeless: bool = False, whom: Whom = "team"
) -> timebox.Decision:
    """Ask the team, or its manager, for help with a request: after the limit, at once when hopeless, or in doubt.

    A request whose level interrupts opens a page to the whole team (TRI-09, DUT-05, DUT-10). Gives what the clock
    says, which stands on the request. Raises Refused, NotAllowed.
    """
    if not why.strip():
        raise Refused("say in a line what you need help with", "why")
    with transaction.atomic():
        request = support.lock(request_id)
        require(person, request.team, "member", "ask for help")
        if request.state != decisions.OPEN:
            raise Refused(f"it is {request.state}: reopen it first")
        desk = desk_of(request.team, now)
        decision = work_clock.decision_on(request, desk, now, hopeless=hopeless)
        said = f"{person} asks {'the manager' if whom == 'manager' else 'the team'} for help: {why.strip()}"
        data = {"do": decision.do, "why": decision.why, "hopeless": hopeless, "whom": whom}
        record(support.subject_of(request), "request.help_asked", said, now, Actor.of(person), data)
        _call_helpers(request, desk, why.strip(), person, whom, now)
    return decision


def _call_helpers(request: SupportRequest, desk: Desk, why: str, person: Person, whom: Whom, now: datetime) -> None:
    level = desk.order.levels.get(request.priority)
    people = [one for one in _helpers(request, whom, now) if one != person]
    if whom == "team" and level is not None and level.interrupts:
        opening = Opening(
            title=f"{person} needs help with {reference(request)}: {request.title}",
            details=f"{why}\n\n{request.priority_why}",
            service=request.service,
            targets=tuple(f"person:{one.pk}" for one in people) or ("fallback",),
        )
        page = paging.open_page(request.team, opening, f"{person} asks for help: {why}", now, Actor.of(person))
        record(support.subject_of(request), "request.paged", f"page {page.pk}: help", now, data={"page": page.pk})
        return
    request_watch.tell(request, people, "request.help_told", f"{person} asks for your help", now, "important", why)


def _helpers(request: SupportRequest, whom: Whom, now: datetime) -> list[Person]:
    """Read who is asked: all who serve, or the manager; a team without one: its fallback person."""
    if whom == "manager":
        above = (request.team.manager, request.team.fallback)
        return [one for one in above if one is not None and one.is_active][:1]
    return request_watch.readers(request, "team", now)


def offer_help(request_id: int, person: Person, now: datetime) -> None:
    """Say that one helps: whoever asked hears it, and it stands on the request (DUT-06). Raises Refused, NotAllowed."""
    with transaction.atomic():
        request = support.lock(request_id)
        require(person, request.team, "member", "help with a request")
        asked = Event.objects.filter(subject_kind="request", subject_id=request.pk, kind="request.help_asked").last()
        if asked is None:
            raise Refused("nobody asked for help with it; you can take it")
        record(support.subject_of(request), "request.help_offered", f"{person} helps", now, Actor.of(person))
        if asked.actor is not None and asked.actor != person:
            request_watch.tell(request, [asked.actor], "request.help_coming", f"{person} helps you", now)
