"""Who of the team hears of a request: the watch at once, a page when it interrupts, a reminder while nobody has it (INT-08)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction

from watchbill.actions import delivery, paging
from watchbill.actions.delivery import Words
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import Subject, record
from watchbill.actions.paging import Opening
from watchbill.actions.request_words import reference
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.core.coverage import after_covered
from watchbill.db import facts
from watchbill.db.models import Event, Ladder, Membership, Person, Requester, SupportRequest, Timer
from watchbill.rules import request_arrives


def _subject(request: SupportRequest) -> Subject:
    return Subject("request", request.pk, request.team_id)


def _words(request: SupportRequest, subject: str, urgency: str = "default", more: str = "") -> Words:
    lines = [
        request.title,
        "",
        *([more, ""] if more else []),
        f"{reference(request)}, from {request.requester}",
        request.priority_why,
    ]
    return Words(
        subject=f"{subject}: {request.title}"[:200],
        text="\n".join(lines),
        purpose="notice",
        urgency=urgency,
        path=f"/requests/{request.pk}/",
        action="Open the request",
    )


def tell_of_new(request: SupportRequest, desk: Desk, now: datetime) -> None:
    """Tell the team of a new request as its policy says: page for what interrupts, else a notice to the watch."""
    rule = request_arrives.Settings.model_validate(desk.rule("request_arrives"))
    level = desk.order.levels.get(request.priority)
    if level is not None and level.interrupts and rule.page_interrupting:
        opening = Opening(
            title=f"{reference(request)}: {request.title}",
            details=f"{request.requester} asked. {request.priority_why}",
            service=request.service,
            ladder=None if request.service and request.service.ladder else _oldest_ladder(request),
        )
        page = paging.open_page(request.team, opening, f"{level.title} interrupts: {request.priority_why}", now)
        record(
            _subject(request), "request.paged", f"page {page.pk}: {level.title} interrupts", now, data={"page": page.pk}
        )
        return
    if rule.tell != "nobody":
        tell(request, readers(request, rule.tell, now), "request.told", "New request", now)


def _oldest_ladder(request: SupportRequest) -> Ladder | None:
    return Ladder.objects.filter(team=request.team, archived_at=None).order_by("id").first()


def readers(request: SupportRequest, whom: str, now: datetime) -> list[Person]:
    """Read who is meant: "team" (all who serve), "holder" (whoever has it, else the watch), else the watch."""
    if whom == "holder" and request.assignee and request.assignee.is_active:
        return [request.assignee]
    if whom == "team":
        members = Membership.objects.filter(team=request.team, role__in=facts.SERVING, person__is_active=True)
        return [member.person for member in members.select_related("person").order_by("id")]
    standing = [
        shift.person for shift in facts.shifts_now(request.team, now) if shift.person and shift.person.is_active
    ]
    return list(dict.fromkeys(standing))


def tell(
    request: SupportRequest,
    people: Iterable[Person],
    kind: str,
    subject: str,
    now: datetime,
    urgency: str = "default",
    more: str = "",
) -> None:
    """Tell people something about a request in one line, `subject`, with what was said, `more`; the log keeps `kind`.

    What is important reaches somebody in any case.
    """
    people = list(dict.fromkeys(people))
    if not people:
        return
    names = ", ".join(str(person) for person in people)
    line = record(_subject(request), kind, f"told {names}", now, data={"people": [person.pk for person in people]})
    for person in people:
        words = _words(request, subject, urgency, more)
        if urgency == "important":
            delivery.reach_or_tell(person.pk, _subject(request), words, line, subject.lower(), now)
        else:
            delivery.reach(person.pk, _subject(request), words, line, subject.lower(), now)


def tell_of_reply(request: SupportRequest, requester: Requester, desk: Desk, now: datetime) -> None:
    """Tell whoever has a request, else the watch, that its requester wrote."""
    tell(request, readers(request, "holder", now), "request.reply_told", f"{requester} wrote", now)


def tell_assignee(request: SupportRequest, to: Person, by: Person, now: datetime) -> None:
    """Tell somebody that a request is theirs now."""
    tell(request, [to], "request.assignee_told", f"{by} gave you a request", now)


def tell_of_miss(request: SupportRequest, desk: Desk, now: datetime) -> None:
    """Tell whoever has a request, else the watch, that a promise has run out."""
    tell(request, readers(request, "holder", now), "request.miss_told", "A promise has run out", now)


def keep_reminder(request: SupportRequest, desk: Desk, now: datetime) -> None:
    """Set the timer of an unassigned open request, or forget it: nothing unassigned is missed (INT-08)."""
    if request.state != "open" or request.assignee_id is not None:
        clear_timer(_subject(request), "unassigned")
        return
    timers = Timer.objects.filter(subject_kind="request", subject_id=request.pk, kind="unassigned")
    if not timers.exists():
        _set_reminder(request, desk, now)


def _set_reminder(request: SupportRequest, desk: Desk, now: datetime) -> None:
    rule = request_arrives.Settings.model_validate(desk.rule("request_arrives"))
    sent = Event.objects.filter(subject_kind="request", subject_id=request.pk, kind="request.reminded").count()
    wait = request_arrives.decide(sent, rule)
    at = after_covered(desk.coverage, now, wait) if wait else None
    if at is not None:
        set_timer(_subject(request), "unassigned", at)


def remind_unassigned(claim: Claim, now: datetime) -> None:
    """Remind the watch that nobody has a request; the second time the fallback person hears of it."""
    with transaction.atomic():
        rows = SupportRequest.objects.select_for_update(of=("self",)).select_related(
            "team", "requester", "team__fallback"
        )
        request = rows.filter(pk=claim.subject_id).first()
        if not finish(claim) or request is None or request.state != "open" or request.assignee_id is not None:
            return
        desk = desk_of(request.team, now)
        before = Event.objects.filter(subject_kind="request", subject_id=request.pk, kind="request.reminded").count()
        people = readers(request, "watch", now)
        if before or not people:
            people = list(dict.fromkeys([*people, *([request.team.fallback] if request.team.fallback else [])]))
        names = ", ".join(str(person) for person in people) or "nobody, for nobody could be told"
        line = record(_subject(request), "request.reminded", f"reminded {names}: nobody has it", now)
        for person in people:
            words = _words(request, "Nobody has this request", "important" if before else "default")
            delivery.reach_or_tell(person.pk, _subject(request), words, line, "nobody has this request", now)
        _set_reminder(request, desk, now)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("request", "unassigned"): remind_unassigned,
}
