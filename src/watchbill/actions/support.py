"""Requests: take one in, talk about it, pass the ball, resolve it. Every path locks the request first, then its timers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from watchbill.actions import incident_proposals, request_mail, request_watch, requesters, ticket_places, twin_refs
from watchbill.actions.access import require
from watchbill.actions.asked import Asked, check_asked, demand_text, write_message
from watchbill.actions.desk import Desk, deadline_of, desk_of, request_priority
from watchbill.actions.effects import carry_out
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.requesters import Asker
from watchbill.actions.timers import Claim, finish
from watchbill.core import support
from watchbill.db.models import Membership, Message, Person, Requester, SupportRequest, Team
from watchbill.db.support_facts import request_fact
from watchbill.kit.effects import Effect
from watchbill.kit.errors import Refused
from watchbill.rules import representatives, request_ends

EDITABLE = ("title", "request_class", "service", "environment", "component", "impact", "community")


def subject_of(request: SupportRequest) -> Subject:
    """Give the log's name for a request."""
    return Subject("request", request.pk, request.team_id)


def open_request(team: Team, asker: Asker, asked: Asked, now: datetime, actor: Actor | None = None) -> SupportRequest:
    """Take in a request, whatever door it came by: promises begin, the watch is told, the requester hears what is next.

    The door has checked that its caller may come in; anybody may ask. Raises Refused naming the field.
    """
    check_asked(team, asked, now)
    desk = desk_of(team, now)
    with transaction.atomic():
        requester = requesters.find_or_add(team, asker, now)
        by = actor or (Actor.of(requester.person) if requester.person else Actor(None, str(requester)))
        request = _create(team, requester, asked, desk, now, by)
        write_message(request, "in", asked.door, asked.text, str(requester), requester.person, now, asked)
        record(
            subject_of(request), "request.opened", f"{requester} asked by {asked.door}", now, by, {"door": asked.door}
        )
        if request.approval == "asked":
            waiting = support.pass_ball(request_fact(request), "requester", "Watchbill", "a representative's approval")
            carry_out(waiting, request, subject_of(request), now)
        _settle(request, desk, now)
        keep_first_response(request)
        if not (asked.quiet or asked.unseen):
            request_mail.confirm(request, desk, now)
        if not asked.unseen:
            request_mail.ask_representatives(request, desk, now)
            request_watch.tell_of_new(request, desk, now)
            incident_proposals.consider_request(request, now)
    return request


def _create(team: Team, requester: Requester, asked: Asked, desk: Desk, now: datetime, by: Actor) -> SupportRequest:
    approval = representatives.decide(
        desk.who_may_ask,
        is_representative=requester.is_representative,
        in_community=requester.community_id is not None,
        request_class=asked.request_class,
    )
    environment = asked.environment or (asked.service.environment if asked.service else "")
    return SupportRequest.objects.create(
        team=team,
        title=asked.title.strip(),
        request_class=asked.request_class,
        approval=approval.approval,
        door=asked.door,
        requester=requester,
        community=requester.community,
        service=asked.service,
        environment=environment[:40],
        component=asked.component.strip()[:80],
        impact=asked.impact,
        opened_at=asked.at or now,
        opened_by_id=by.id,
        last_message_at=asked.at or now,
    )


def log_for_them(team: Team, asker: Asker, asked: Asked, person: Person, now: datetime) -> SupportRequest:
    """Log a request for somebody who asked by word or elsewhere (TRI-04); the one who logs it has it."""
    require(person, team, "member", "log a request")
    with transaction.atomic():
        request = open_request(team, asker, asked, now, Actor.of(person))
        if asked.door == "logged":
            take(request.pk, person, now)
            request.refresh_from_db()
    return request


def hear(request_id: int, asker: Asker, asked: Asked, now: datetime) -> SupportRequest:
    """Take in what the requester's side wrote on a request that stands; a closed one opens again, or a new one begins.

    Which of the two the team decides by its days of reopening. Returns the request that has the message now.
    """
    with transaction.atomic():
        request = lock(request_id)
        desk = desk_of(request.team, now)
        if request.closed_at and not request_ends.reopens(request.closed_at, desk.ends, now):
            record(subject_of(request), "request.followed", "a reply came too late to reopen it", now)
            return open_request(request.team, asker, asked, now)
        requester = requesters.find_or_add(request.team, asker, now)
        write_message(request, "in", asked.door, asked.text, str(requester), requester.person, now, asked)
        apply(request, support.hear(request_fact(request), str(requester), now), desk, now)
        request_watch.tell_of_reply(request, requester, desk, now)
    return request


def answer(
    request_id: int, text: str, person: Person, now: datetime, *, waits_on: str = "requester", door: str = "page"
) -> Message:
    """Write to the requester by the door they came by; the first answer keeps the promise. Raises Refused, NotAllowed."""
    with transaction.atomic():
        request = lock(request_id)
        require(person, request.team, "member", "answer a request")
        demand_text(text)
        desk = desk_of(request.team, now)
        message = write_message(request, "out", door, text, str(person), person, now)
        effects = support.answer(request_fact(request), str(person), waits_on, now)
        apply(request, effects, desk, now, Actor.of(person))
        if request.assignee_id is None:
            _assign(request, person, person, now)
        request_mail.send(request, message, now)
    return message


def note(request_id: int, text: str, person: Person, now: datetime) -> Message:
    """Write for the team alone. Raises Refused, NotAllowed."""
    with transaction.atomic():
        request = lock(request_id)
        require(person, request.team, "member", "write on a request")
        demand_text(text)
        return write_message(request, "note", "page", text, str(person), person, now)


def pass_ball(request_id: int, waits_on: str, why: str, person: Person, now: datetime) -> SupportRequest:
    """Say who has the ball: us, the requester, a vendor; the clock stands still for others (INT-13)."""
    with transaction.atomic():
        request = lock(request_id)
        require(person, request.team, "member", "say what a request waits for")
        effects = support.pass_ball(request_fact(request), waits_on, str(person), why.strip())
        apply(request, effects, desk_of(request.team, now), now, Actor.of(person))
    return request


def take(request_id: int, person: Person, now: datetime) -> SupportRequest:
    """Take a request. Raises NotAllowed."""
    return assign(request_id, person, person, now)


def assign(request_id: int, to: Person | None, person: Person, now: datetime) -> SupportRequest:
    """Give a request to a member of the team, or to nobody. Raises Refused, NotAllowed."""
    with transaction.atomic():
        request = lock(request_id)
        require(person, request.team, "member", "say who has a request")
        _assign(request, to, person, now)
    return request


def _assign(request: SupportRequest, to: Person | None, person: Person, now: datetime) -> None:
    if to is not None and not (to.is_active and Membership.objects.filter(team=request.team, person=to).exists()):
        raise Refused(f"{to} is not in {request.team}", "assignee")
    if request.assignee_id == (to.pk if to else None):
        return
    request.assignee = to
    request.save(update_fields=["assignee"])
    said = f"{person} took it" if to == person else f"{person} gave it to {to}" if to else f"{person}: nobody has it"
    record(subject_of(request), "request.assigned", said, now, Actor.of(person), {"to": to.pk if to else None})
    request_watch.keep_reminder(request, desk_of(request.team, now), now)
    if to is not None and to != person:
        request_watch.tell_assignee(request, to, person, now)


def change(request_id: int, values: dict[str, object], person: Person, now: datetime) -> SupportRequest:
    """Change what a request is about: its class, service, environment, impact; promises and priority follow."""
    with transaction.atomic():
        request = lock(request_id)
        require(person, request.team, "member", "change a request")
        desk = desk_of(request.team, now)
        changed = [name for name in EDITABLE if name in values and getattr(request, name) != values[name]]
        if not changed:
            return request
        for name in changed:
            setattr(request, name, values[name])
        asked = Asked(request.title, "", request.request_class, "page", request.service, impact=request.impact)
        check_asked(request.team, asked, now)
        if request.community and request.community.team_id != request.team_id:
            raise Refused(f"{request.community} is no community of {request.team}", "community")
        request.save(update_fields=changed)
        said = f"{person} changed {', '.join(name.replace('_', ' ') for name in changed)}"
        record(subject_of(request), "request.changed", said, now, Actor.of(person), {"fields": changed})
        _settle(request, desk, now)
        keep_first_response(request)
        incident_proposals.consider_request(request, now)
        if "community" in changed:
            ticket_places.reach_changed(request.team, desk, now)
    return request


def set_priority(request_id: int, level: str, why: str, person: Person, now: datetime) -> SupportRequest:
    """Put a request where a person wants it, with the reason (PRI-09); an empty level gives it back to the table."""
    with transaction.atomic():
        request = lock(request_id)
        require(person, request.team, "member", "change a priority")
        desk = desk_of(request.team, now)
        if level and level not in desk.order.levels:
            raise Refused(f"there is no level “{level}”; there are {', '.join(desk.order.levels)}", "level")
        if level and not why.strip():
            raise Refused("say why: it stands beside the priority", "why")
        request.is_priority_pinned, request.priority = bool(level), level
        request.priority_why = f"{person}: {why.strip()}"
        request.save(update_fields=["is_priority_pinned", "priority", "priority_why"])
        said = request.priority_why if level else f"{person}: by the team's table again"
        record(subject_of(request), "request.priority", said, now, Actor.of(person), {"level": level})
        _settle(request, desk, now)
    return request


def resolve(request_id: int, outcome: str, text: str, person: Person, now: datetime) -> SupportRequest:
    """Resolve a request, telling the requester in `text` or in the team's words. Raises Refused, NotAllowed."""
    with transaction.atomic():
        request = lock(request_id)
        require(person, request.team, "member", "resolve a request")
        desk = desk_of(request.team, now)
        silence = request_ends.decide(desk.ends)
        effects = support.resolve(request_fact(request), outcome, str(person), silence, desk.coverage, now)
        if text.strip():
            demand_text(text)
        apply(request, effects, desk, now, Actor.of(person))
        request_mail.tell_resolved(request, text.strip(), person, desk, now)
    return request


def reopen(request_id: int, why: str, person: Person, now: datetime) -> SupportRequest:
    """Open a resolved or closed request again. Raises Refused, NotAllowed."""
    with transaction.atomic():
        request = lock(request_id)
        require(person, request.team, "member", "reopen a request")
        effects = support.reopen(request_fact(request), str(person), why.strip())
        apply(request, effects, desk_of(request.team, now), now, Actor.of(person))
    return request


def apply(request: SupportRequest, effects: list[Effect], desk: Desk, now: datetime, actor: Actor = WATCHBILL) -> None:
    """Carry out what core decided for a locked request, then compute its deadline and its priority again."""
    if effects:
        carry_out(effects, request, subject_of(request), now, actor=actor)
        _settle(request, desk, now)
        twin_refs.state_there(request, now)


def _settle(request: SupportRequest, desk: Desk, now: datetime) -> None:
    deadline = deadline_of(request, desk)
    told = request.is_late and request.due_what == deadline.what
    carry_out(support.keep_deadline(deadline, told=told, now=now), request, subject_of(request), now)
    placed = request_priority(request, desk)
    if (request.priority, request.rank, request.priority_why) != (placed.level, placed.rank, placed.why):
        request.priority, request.rank, request.priority_why = placed.level, placed.rank, placed.why
        request.save(update_fields=["priority", "rank", "priority_why"])
    request_watch.keep_reminder(request, desk, now)
    ticket_places.follow_request(request, desk, now)


def place_again(request: SupportRequest, now: datetime) -> None:
    """Compute the deadline and the priority of a locked request again: what they depend on has changed."""
    _settle(request, desk_of(request.team, now), now)


def keep_first_response(request: SupportRequest) -> None:
    """Keep on a locked request by when somebody answers first; once somebody did, what was promised stands."""
    if request.first_response_at is None:
        request.first_response_due_at = request.due_at if request.due_what == "first_response" else None
        request.save(update_fields=["first_response_due_at"])


def lock(request_id: int) -> SupportRequest:
    """Lock a request; raises Refused when there is none."""
    rows = SupportRequest.objects.select_for_update(of=("self",))
    found = rows.select_related("team", "requester", "community", "service", "assignee").filter(pk=request_id).first()
    if found is None:
        raise Refused(f"there is no request {request_id}")
    return found


def miss_promise(claim: Claim, now: datetime) -> None:
    """Say that a promise was not kept, once; what was missed comes first from now on (PRI-05)."""
    with transaction.atomic():
        request = (
            SupportRequest.objects.select_for_update(of=("self",)).select_related("team").filter(pk=claim.subject_id)
        )
        found = request.first()
        if not finish(claim) or found is None:
            return
        desk = desk_of(found.team, now)
        effects = support.miss(deadline_of(found, desk), now)
        if effects:
            apply(found, effects, desk, now)
            request_watch.tell_of_miss(found, desk, now)


def close_silent(claim: Claim, now: datetime) -> None:
    """Close a resolved request after the team's silence (MET-02)."""
    with transaction.atomic():
        request = (
            SupportRequest.objects.select_for_update(of=("self",)).select_related("team").filter(pk=claim.subject_id)
        )
        found = request.first()
        if finish(claim) and found is not None:
            apply(
                found,
                support.close(request_fact(found), "nobody replied after it was resolved", now),
                desk_of(found.team, now),
                now,
            )


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("request", "promise"): miss_promise,
    ("request", "close"): close_silent,
    **request_watch.TIMER_HANDLERS,
}
