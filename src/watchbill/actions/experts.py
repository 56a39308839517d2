"""Ask somebody to take work on: suggestions with reasons, their consent, and how the asking was spread (TRI-11 to TRI-13).

Whoever is asked may decline without a reason, and declining is never counted. Who asks is the team's policy (TRI-15):
whoever is on watch, the manager, or nobody, when the team is told and somebody takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from watchbill.actions import delivery, support, tickets
from watchbill.actions.access import require
from watchbill.actions.delivery import Words
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.actions.work_clock import Work, lock_work, subject_of, work_of
from watchbill.core import experts
from watchbill.core.coverage import after_covered
from watchbill.db import expert_facts, facts
from watchbill.db.models import Event, ExpertAsk, Membership, Person, SupportRequest, Team, Ticket
from watchbill.kit.errors import NotAllowed, Refused
from watchbill.rules import ask_expert

LONGEST_WHY = 2000


@dataclass(frozen=True)
class Suggestion:
    """Somebody who may be asked: how well they fit, in words and in points, and the reasons."""

    person: Person
    fit: str
    points: float
    reasons: tuple[str, ...]
    is_there: bool


@dataclass(frozen=True)
class Share:
    """How often somebody was asked in a time, how often they took it on, most times in a row, and percent of all."""

    person: Person
    asked: int
    took: int
    in_a_row: int
    percent: int


def settings_of(desk: Desk) -> ask_expert.Settings:
    """Read whom a team asks, and who asks."""
    return ask_expert.Settings.model_validate(desk.rule("ask_expert"))


def suggest(team: Team, request: SupportRequest | None, ticket: Ticket | None, now: datetime) -> list[Suggestion]:
    """Suggest who might take a request or a ticket on, the best first, each with reasons; who is away comes last.

    Whoever has it, and whoever asks for it, is not suggested.
    """
    rule = settings_of(desk_of(team, now))
    people = {row.person_id: row.person for row in expert_facts.serving(team, now)}
    candidates = _candidates(team, request, ticket, rule, now)
    ranked = ask_expert.decide(candidates, _topics(request, ticket), rule, now)
    return [Suggestion(people[one.id], _fit(one, rule), one.points, one.reasons, one.is_there) for one in ranked]


def _fit(one: experts.Ranked, rule: ask_expert.Settings) -> str:
    if not one.is_there:
        return "not at work"
    if one.points >= max(rule.skill, rule.touched):
        return "knows this"
    return "could do this" if one.points > 0 else "has it harder"


def _candidates(
    team: Team, request: SupportRequest | None, ticket: Ticket | None, rule: ask_expert.Settings, now: datetime
) -> list[experts.Candidate]:
    work = request or ticket
    not_these = {work.assignee_id if work else None, request.requester.person_id if request else None}
    members = [row for row in expert_facts.serving(team, now) if row.person_id not in not_these]
    service = work.service if work else None
    touched = expert_facts.touches(service, now - timedelta(days=rule.touched_days)) if service else {}
    loads = expert_facts.loads([row.person_id for row in members])
    asked = expert_facts.asked_since(team, now - timedelta(days=rule.asked_days))
    away = expert_facts.away_now([row.person for row in members], now)
    about = _asked_about(request, ticket)
    return [
        experts.Candidate(
            id=row.person_id,
            name=str(row.person),
            skills=[str(skill) for skill in row.skills],
            touch=touched.get(row.person_id),
            load=loads[row.person_id],
            asked=asked.get(row.person_id, ()),
            away=away.get(row.person_id, ""),
            about_this=row.person_id in about,
        )
        for row in members
    ]


def _asked_about(request: SupportRequest | None, ticket: Ticket | None) -> set[int]:
    if request is None and ticket is None:
        return set()
    return set(ExpertAsk.objects.filter(request=request, ticket=ticket).values_list("person", flat=True))


def _topics(request: SupportRequest | None, ticket: Ticket | None) -> list[str]:
    """Give the words that a skill may name: of the service, the component, the labels (INT-02)."""
    work = request or ticket
    names = [work.service.name, work.service.slug] if work and work.service else []
    names += [request.component] if request else []
    names += [str(label) for label in ticket.labels] if ticket else []
    return [*names, *(word for name in names for word in name.replace("-", " ").split())]


def ask(work: Work, person_asked: Person, why: str, by: Person, now: datetime) -> ExpertAsk:
    """Ask somebody of the team to take work on; they are told and answer when they like. Raises Refused, NotAllowed."""
    if len(why) > LONGEST_WHY:
        raise Refused(f"at most {LONGEST_WHY} characters", "why")
    with transaction.atomic():
        work = lock_work(work)
        require(by, work.team, "member", "ask somebody to take it on")
        desk = desk_of(work.team, now)
        _demand_may_ask(work, person_asked, by, desk)
        asked = ExpertAsk.objects.create(
            team=work.team,
            request=work if isinstance(work, SupportRequest) else None,
            ticket=work if isinstance(work, Ticket) else None,
            person=person_asked,
            asked_by=by,
            asked_at=now,
            why=why.strip(),
        )
        line = _note(work, "expert_asked", f"{by} asked {person_asked} to take it on", by, asked, now)
        text = f"{by} asks whether you would take it on. Say yes or no; no needs no reason.\n\n{asked.why}".strip()
        _tell(person_asked, work, f"{by} asks you", text, line, now)
        _set_patience(asked, desk, now)
    return asked


def _demand_may_ask(work: Work, person_asked: Person, by: Person, desk: Desk) -> None:
    if _is_over(work):
        raise Refused("it is done already")
    if settings_of(desk).who_asks == "manager" and by not in {
        work.team.manager,
        work.team.product_manager,
        work.assignee,
    }:
        owner = Membership.objects.filter(team=work.team, person=by, role="owner").exists()
        if not owner:
            raise NotAllowed(
                f"In {work.team} the manager says who takes what on. Ask {work.team.manager or 'an owner'}."
            )
    members = Membership.objects.filter(team=work.team, person=person_asked, role__in=facts.SERVING)
    if not (person_asked.is_active and members.exists()):
        raise Refused(f"{person_asked} does not serve in {work.team}", "person")
    if work.assignee_id == person_asked.pk:
        raise Refused(f"{person_asked} has it already", "person")
    if _open_asks(work).filter(person=person_asked).exists():
        raise Refused(f"{person_asked} was asked and has not answered yet", "person")


def _is_over(work: Work) -> bool:
    return work.state != "open" if isinstance(work, SupportRequest) else work.stage == "done"


def _open_asks(work: Work) -> QuerySet[ExpertAsk]:
    if isinstance(work, SupportRequest):
        return ExpertAsk.objects.filter(request=work, answer="")
    return ExpertAsk.objects.filter(ticket=work, answer="")


def respond(ask_id: int, willing: bool, person: Person, now: datetime) -> ExpertAsk:
    """Take work on, or not, without a reason; whoever asked is told. The others who were asked are let off.

    Raises Refused when it was answered or is over, NotAllowed for anybody but the one who was asked.
    """
    with transaction.atomic():
        found = ExpertAsk.objects.select_related("request", "ticket").filter(pk=ask_id).first()
        if found is None:
            raise Refused("nobody was asked this")
        work = lock_work(work_of(found))
        asked = ExpertAsk.objects.select_related("person", "asked_by").get(pk=ask_id)
        if asked.person_id != person.pk:
            raise NotAllowed(f"{asked.person} was asked, and only they can say. Take it yourself instead.")
        if asked.answer:
            raise Refused("this was answered, or somebody else took it on")
        _answer(asked, "willing" if willing else "declined", now)
        line = _note(work, "expert_answered", f"{person}: {'yes' if willing else 'not this time'}", person, asked, now)
        if asked.asked_by is not None and asked.asked_by != person:
            said = f"{person} takes it on" if willing else f"{person} cannot take it on"
            _tell(asked.asked_by, work, said, f"{said}.", line, now)
        if willing:
            _give(work, person, now)
            _let_off(work, person, now)
    return asked


def _answer(asked: ExpertAsk, answer: str, now: datetime) -> None:
    asked.answer, asked.answered_at = answer, now
    asked.save(update_fields=["answer", "answered_at"])
    clear_timer(_subject(asked), "unanswered")


def _give(work: Work, person: Person, now: datetime) -> None:
    if _is_over(work):
        raise Refused("it is done already; thank you")
    if isinstance(work, SupportRequest):
        support.take(work.pk, person, now)
    else:
        tickets.change_locked(work, {"assignee": person}, Actor.of(person), now)


def _let_off(work: Work, taker: Person, now: datetime) -> None:
    for other in _open_asks(work).select_related("person").order_by("id"):
        _answer(other, "let_off", now)
        line = _note(work, "expert_let_off", f"{taker} takes it on; {other.person} need not answer", taker, other, now)
        _tell(other.person, work, f"{taker} takes it on", f"{taker} takes it on: you need not answer.", line, now)


def tell_unanswered(claim: Claim, now: datetime) -> None:
    """Tell whoever asked that there was no answer; the one who was asked may still say yes."""
    with transaction.atomic():
        found = ExpertAsk.objects.select_related("request", "ticket").filter(pk=claim.subject_id).first()
        work = lock_work(work_of(found)) if found else None
        if not finish(claim) or found is None or work is None:
            return
        asked = ExpertAsk.objects.select_related("person", "asked_by").get(pk=found.pk)
        if asked.answer or _is_over(work):
            return
        line = _note(work, "expert_silent", f"{asked.person} has not answered yet", None, asked, now)
        if asked.asked_by is not None:
            text = f"{asked.person} has not answered yet. You can ask somebody else as well."
            _tell(asked.asked_by, work, f"No answer from {asked.person}", text, line, now)


def spread(team: Team, since: datetime, until: datetime) -> list[Share]:
    """Show how asking was spread over the team in a time, who was asked most first (TRI-12, TRI-13)."""
    rows = ExpertAsk.objects.filter(team=team, asked_at__gte=since, asked_at__lt=until).order_by("asked_at", "id")
    asks = list(rows.values_list("person", "answer"))
    serving = [row.person_id for row in expert_facts.serving(team, until)]
    shares = experts.spread(serving, [who for who, _ in asks], [who for who, answer in asks if answer == "willing"])
    people = Person.objects.in_bulk([share.id for share in shares])
    return [Share(people[one.id], one.asked, one.took, one.in_a_row, one.percent) for one in shares]


def _set_patience(asked: ExpertAsk, desk: Desk, now: datetime) -> None:
    wait = ask_expert.patience(settings_of(desk))
    at = after_covered(desk.coverage, now, wait) if wait else None
    if at is not None:
        set_timer(_subject(asked), "unanswered", at)


def _subject(asked: ExpertAsk) -> Subject:
    return Subject("expert_ask", asked.pk, asked.team_id)


def _note(work: Work, what: str, why: str, person: Person | None, asked: ExpertAsk, now: datetime) -> Event:
    subject = subject_of(work)
    by = Actor.of(person) if person else WATCHBILL
    return record(subject, f"{subject.kind}.{what}", why, now, by, {"ask": asked.pk, "person": asked.person_id})


def _tell(person: Person, work: Work, subject: str, text: str, line: Event, now: datetime) -> None:
    words = Words(
        subject=f"{subject}: {work.title}"[:200],
        text=f"{work.title}\n\n{text}",
        purpose="notice",
        path=f"/{subject_of(work).kind}s/{work.pk}/",
        action="Open it",
    )
    delivery.reach_or_tell(person.pk, subject_of(work), words, line, subject, now)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("expert_ask", "unanswered"): tell_unanswered,
}
