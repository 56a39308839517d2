"""Time really spent on a request or a ticket: a clock that runs, or one tap afterwards (TRI-02).

One clock runs per person: starting another stops the first. What is spent on a request is measured against the
team's timebox, and whoever works hears when the box and the limit are reached. Subjects are locked first: requests
in order of their ids, then tickets.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from watchbill.actions import communities, delivery, support, tickets
from watchbill.actions.access import require
from watchbill.actions.delivery import Words
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.db.models import Event, ExpertAsk, Person, SupportRequest, Ticket, VendorCase, WorkLog
from watchbill.db.support_facts import spent_on
from watchbill.kit.errors import Refused
from watchbill.rules import timebox

Work = SupportRequest | Ticket
TAPS = (5, 15, 30, 60)
LONGEST_MINUTES = 24 * 60
TOLD = {
    "propose_ticket": "Time for a ticket",
    "escalate": "Time to ask for help",
}


def subject_of(work: Work) -> Subject:
    """Give the log's name for a request or a ticket."""
    return support.subject_of(work) if isinstance(work, SupportRequest) else tickets.subject_of(work)


def running_clock(person: Person) -> WorkLog | None:
    """Read the clock of a person that runs now."""
    return (
        WorkLog.objects.filter(person=person, ended_at=None)
        .select_related("request", "ticket", "person", "community")
        .first()
    )


def start(work: Work, person: Person, now: datetime) -> WorkLog:
    """Let a person's clock run on a request or a ticket; another that runs is stopped. Raises Refused, NotAllowed."""
    with transaction.atomic():
        before = running_clock(person)
        held = _lock([work, *([work_of(before)] if before else [])])
        work = held[_key(work)]
        require(person, work.team, "member", "let a clock run")
        _demand_open(work)
        if before is not None and _key(work_of(before)) == _key(work):
            return before
        if before is not None:
            _end(before, held[_key(work_of(before))], now)
        log = _begin(work, person, now)
        desk = desk_of(work.team, now)
        if desk.timebox.forgotten_after_minutes:
            set_timer(_log_subject(log), "forgotten", now + timedelta(minutes=desk.timebox.forgotten_after_minutes))
        if isinstance(work, SupportRequest):
            _watch_box(work, desk, now)
    return log


def _demand_open(work: Work) -> None:
    is_open = work.state == "open" if isinstance(work, SupportRequest) else work.stage != "done"
    if not is_open:
        raise Refused("it is done: open it again before you work on it")


def _begin(work: Work, person: Person, now: datetime) -> WorkLog:
    try:
        with transaction.atomic():
            return _new_log(work, person, now)
    except IntegrityError:
        raise Refused("another clock of yours was started at this very moment; look again") from None


def _new_log(work: Work, person: Person, now: datetime, **more: object) -> WorkLog:
    return WorkLog.objects.create(
        team=work.team,
        request=work if isinstance(work, SupportRequest) else None,
        ticket=work if isinstance(work, Ticket) else None,
        community_id=work.community_id,
        person=person,
        started_at=now,
        **more,
    )


def stop(person: Person, now: datetime, note: str = "", *, minutes: int | None = None) -> WorkLog:
    """Stop a person's clock. `minutes` corrects one that was forgotten: less than it shows, never more. Raises Refused."""
    with transaction.atomic():
        log = running_clock(person)
        if log is None:
            raise Refused("no clock of yours runs")
        held = _lock([work_of(log)])
        work = held[_key(work_of(log))]
        if minutes is not None and not 0 <= minutes * 60 <= (now - log.started_at).total_seconds():
            raise Refused("it cannot be more than the clock shows", "minutes")
        return _end(log, work, now, note, minutes)


def log_time(work: Work, minutes: int, person: Person, now: datetime, note: str = "") -> WorkLog:
    """Log time that was spent, by one tap; it counts for the community's month (TRI-14). Raises Refused, NotAllowed."""
    if not 0 < minutes <= LONGEST_MINUTES:
        raise Refused("log between a minute and a day", "minutes")
    with transaction.atomic():
        work = lock_work(work)
        require(person, work.team, "member", "log time")
        log = _new_log(work, person, now, ended_at=now, seconds=minutes * 60, note=_line(note))
        _count(log, work, now)
    return log


def _end(log: WorkLog, work: Work, now: datetime, note: str = "", minutes: int | None = None) -> WorkLog:
    """End a clock whose subject is locked; of two who end it at once, the second is refused."""
    seconds = int((now - log.started_at).total_seconds()) if minutes is None else minutes * 60
    log.ended_at, log.seconds, log.note = now, max(seconds, 0), _line(note)
    ended = WorkLog.objects.filter(pk=log.pk, ended_at=None).update(ended_at=now, seconds=log.seconds, note=log.note)
    if not ended:
        raise Refused("this clock was stopped at this very moment; look again")
    for kind in ("timebox", "forgotten"):
        clear_timer(_log_subject(log), kind)
    _count(log, work, now)
    return log


def _count(log: WorkLog, work: Work, now: datetime) -> None:
    """Add what was spent to its subject, and let the box and the community's budget follow."""
    work.spent_seconds += log.seconds
    work.save(update_fields=["spent_seconds"])
    subject = subject_of(work)
    said = f"{log.person} spent {words_of(log.seconds)}" + (f": {log.note}" if log.note else "")
    record(subject, f"{subject.kind}.worked", said, now, Actor.of(log.person), {"seconds": log.seconds})
    if log.community is not None:
        communities.look_at_budget(log.community, now)
    if isinstance(work, SupportRequest):
        desk = desk_of(work.team, now)
        note_decision(work, log.person, desk, now)
        _watch_box(work, desk, now)


def words_of(seconds: int) -> str:
    """Say a length: 45 seconds, 1 minute, 2 h 5 min."""
    minutes = seconds // 60
    if minutes < 1:
        return f"{seconds} seconds"
    if minutes < 60:
        return f"{minutes} minute" + ("" if minutes == 1 else "s")
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def decision_on(request: SupportRequest, desk: Desk, now: datetime, *, hopeless: bool = False) -> timebox.Decision:
    """Decide what follows from the time really spent on a request, running clocks included."""
    has_ticket = request.tickets.exists()
    return timebox.decide(spent_on(request, now), desk.timebox, has_ticket=has_ticket, hopeless=hopeless)


def note_decision(request: SupportRequest, person: Person, desk: Desk, now: datetime) -> Event | None:
    """Write on a locked request that its box or its limit is reached, once for each who works on it."""
    decision = decision_on(request, desk, now)
    said = Event.objects.filter(subject_kind="request", subject_id=request.pk, kind="request.timebox")
    if decision.do not in TOLD or said.filter(data__do=decision.do, data__person=person.pk).exists():
        return None
    data = {"do": decision.do, "person": person.pk}
    return record(support.subject_of(request), "request.timebox", decision.why, now, data=data)


def _watch_box(request: SupportRequest, desk: Desk, now: datetime) -> None:
    """Wake those whose clocks run on a request when the decision can change next: together they are faster."""
    running = list(WorkLog.objects.filter(request=request, ended_at=None).order_by("id"))
    look = timebox.next_look(spent_on(request, now), desk.timebox)
    for log in running:
        if look is None:
            clear_timer(_log_subject(log), "timebox")
        else:
            set_timer(_log_subject(log), "timebox", now + look / len(running))


def reach_box(claim: Claim, now: datetime) -> None:
    """Tell those who work that the box or the limit is reached, and write the decision on the request."""
    with transaction.atomic():
        found = WorkLog.objects.filter(pk=claim.subject_id, request__isnull=False).values_list("request", flat=True)
        number = found.first()
        request = support.lock(number) if number is not None else None
        if not finish(claim) or request is None:
            return
        desk = desk_of(request.team, now)
        running = WorkLog.objects.filter(request=request, ended_at=None).select_related("person").order_by("id")
        # All whose clocks run here: the timers of the others are set anew below.
        for log in running:
            _tell_of_box(request, log.person, desk, now)
        _watch_box(request, desk, now)


def _tell_of_box(request: SupportRequest, person: Person, desk: Desk, now: datetime) -> None:
    line = note_decision(request, person, desk, now)
    if line is not None:
        words = _words(request, TOLD[line.data["do"]], line.why)
        delivery.reach(person.pk, support.subject_of(request), words, line, line.why, now)


def ask_forgotten(claim: Claim, now: datetime) -> None:
    """Ask whoever's clock has run for very long whether it is right, once."""
    with transaction.atomic():
        log = WorkLog.objects.filter(pk=claim.subject_id).select_related("request", "ticket", "person").first()
        held = _lock([work_of(log)]) if log is not None else {}
        if not finish(claim) or log is None or not WorkLog.objects.filter(pk=log.pk, ended_at=None).exists():
            return
        work = held[_key(work_of(log))]
        subject = subject_of(work)
        why = f"{log.person}'s clock has run for {words_of(int((now - log.started_at).total_seconds()))}"
        line = record(subject, f"{subject.kind}.clock_asked", why, now)
        words = _words(
            work, "Is your clock still right?", f"{why}. When you stop it you can say how long it really was."
        )
        delivery.reach(log.person_id, subject, words, line, why, now)


def _words(work: Work, subject: str, text: str) -> Words:
    return Words(
        subject=f"{subject}: {work.title}"[:200],
        text=f"{work.title}\n\n{text}",
        purpose="notice",
        path=f"/{subject_of(work).kind}s/{work.pk}/",
        action="Open it",
    )


def work_of(row: WorkLog | VendorCase | ExpertAsk) -> Work:
    """Give the request or the ticket that a row is about."""
    work = row.request or row.ticket
    if work is None:
        raise TypeError(f"{row} is of neither a request nor a ticket")
    return work


def lock_work(work: Work) -> Work:
    """Lock a request or a ticket, and give it as it is now."""
    return _lock([work])[_key(work)]


def _key(work: Work) -> tuple[int, int]:
    """Give the order in which subjects are locked."""
    return (0 if isinstance(work, SupportRequest) else 1, work.pk)


def _lock(works: list[Work]) -> dict[tuple[int, int], Work]:
    keys = sorted({_key(work) for work in works})
    return {(place, number): tickets.lock(number) if place else support.lock(number) for place, number in keys}


def _log_subject(log: WorkLog) -> Subject:
    return Subject("work_log", log.pk, log.team_id)


def _line(note: str) -> str:
    return " ".join(note.split())[:200]


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("work_log", "timebox"): reach_box,
    ("work_log", "forgotten"): ask_forgotten,
}
