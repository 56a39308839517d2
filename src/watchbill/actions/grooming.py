"""Grooming the backlog: what is talked about in which order, with its context, and what was decided (BKL-02, BKL-03, SPN-03)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from watchbill.actions import epics, ticket_pairs, tickets
from watchbill.actions.access import require
from watchbill.actions.epics import Outlook, Part
from watchbill.actions.log import Actor, record
from watchbill.actions.ticket_pairs import Context
from watchbill.core import grooming
from watchbill.core.wallclock import day_of, said_day
from watchbill.db.models import Event, Person, Sprint, Team, Ticket, TicketLink
from watchbill.db.ticket_facts import ORDER
from watchbill.kit.errors import Refused

KINDS = ("feature", "operations")
MOST_EACH = 50
LATER = timedelta(days=28)
BURNS = frozenset({"late", "tight"})


@dataclass(frozen=True)
class Topic:
    """A ticket to talk about: why now, what belongs to it, and what was decided the last time."""

    ticket: Ticket
    why: str
    context: Context | None
    last: str


@dataclass(frozen=True)
class Agenda:
    """The two sections, and the epics with what burns first on top; `more` when a section was cut.

    `counts` says how many each section has, also one that was not asked for and stands empty here.
    """

    feature: list[Topic]
    operations: list[Topic]
    epics: list[Outlook]
    counts: dict[str, int]
    more: bool


@dataclass(frozen=True)
class Groomed:
    """What was decided about a ticket: plan (in a sprint), later (from a day on), drop (with a note), split (in parts)."""

    decision: str
    sprint: Sprint | None = None
    points: int | None = None
    note: str = ""
    until: date | None = None
    parts: Sequence[Part] = field(default=())


def agenda(team: Team, now: datetime, only: str = "") -> Agenda:
    """Read what is to be groomed: open, in no sprint, and not put off to a later day; `only` one section, or both."""
    today = day_of(now, team.zone)
    outlooks = epics.outlook(team, now)
    burning = {one.epic.pk for one in outlooks if one.state in BURNS}
    found: dict[int, grooming.Item] = {}
    more = False
    for kind in KINDS:
        rows = _backlog(team, today).filter(work_kind=kind)
        chosen = _items(rows.order_by(*ORDER)[: MOST_EACH + 1], burning, now)
        more = more or len(chosen) > MOST_EACH
        fixes = _items(rows.filter(kind="lasting_fix").order_by("id")[:MOST_EACH], burning, now)
        urgent = _items(rows.filter(pk__in=burning), burning, now)
        found.update({item.id: item for item in (*urgent, *fixes, *chosen[:MOST_EACH])})
    sections = grooming.arrange(_with_pairs(found.values()))
    whole = {"feature": sections.feature, "operations": sections.operations}
    shown = {name: placed if only in {"", name} else () for name, placed in whole.items()}
    tickets_of = _tickets([one.id for placed in shown.values() for one in placed])
    last = _last_decisions(list(tickets_of))
    contexts = ticket_pairs.pair_contexts([one for one in tickets_of.values() if one.kind == "lasting_fix"])
    topics = {
        name: [Topic(tickets_of[one.id], one.why, contexts.get(one.id), last.get(one.id, "")) for one in placed]
        for name, placed in shown.items()
    }
    return Agenda(
        topics["feature"],
        topics["operations"],
        outlooks,
        {name: len(placed) for name, placed in whole.items()},
        more,
    )


def _backlog(team: Team, today: date) -> QuerySet[Ticket]:
    ready = Q(starts_on=None) | Q(starts_on__lte=today)
    # Said twice, so that both databases know that the indexes of what is open suffice.
    return Ticket.objects.filter(ready, team=team, stage="to_do", sprint=None).exclude(stage="done")


def _tickets(ids: list[int]) -> dict[int, Ticket]:
    return Ticket.objects.select_related("service", "assignee", "request", "epic").in_bulk(ids)


def _items(rows: QuerySet[Ticket], burning: set[int], now: datetime) -> list[grooming.Item]:
    columns = ("pk", "kind", "work_kind", "rank", "position", "created_at")
    return [
        grooming.Item(
            id=pk,
            kind=kind,
            work_kind=work_kind,
            rank=rank,
            position=position,
            age=(now - created_at).days,
            burns=pk in burning,
        )
        for pk, kind, work_kind, rank, position, created_at in rows.values_list(*columns)
    ]


def _with_pairs(items: Collection[grooming.Item]) -> list[grooming.Item]:
    fixes = [item.id for item in items if item.kind == "lasting_fix"]
    links = TicketLink.objects.filter(source__in=fixes, kind="lasting_fix_of")
    paired = set(links.values_list("source_id", flat=True)) if fixes else set()
    return [replace(item, is_paired=item.id in paired) for item in items]


def _last_decisions(ids: list[int]) -> dict[int, str]:
    lines = Event.objects.filter(subject_kind="ticket", subject_id__in=ids, kind="ticket.groomed").order_by("id")
    return {line.subject_id: line.why for line in lines}


def groom(ticket_id: int, groomed: Groomed, person: Person, now: datetime) -> Ticket:
    """Carry out what was decided about a ticket, and keep it on its record. Raises Refused, NotAllowed."""
    with transaction.atomic():
        ticket = tickets.lock(ticket_id)
        require(person, ticket.team, "member", "groom the backlog")
        if ticket.stage == "done":
            raise Refused("this ticket is done", "decision")
        today = day_of(now, ticket.team.zone)
        grooming.check(
            groomed.decision,
            sprint=groomed.sprint is not None,
            note=groomed.note,
            until=groomed.until,
            today=today,
            parts=len(groomed.parts),
        )
        said = _carry_out(ticket, groomed, person, today, now)
        why = f"{person}: {said}{f': {groomed.note.strip()}' if groomed.note.strip() else ''}"
        data = {"decision": groomed.decision}
        record(tickets.subject_of(ticket), "ticket.groomed", why[:1000], now, Actor.of(person), data)
    return ticket


def _carry_out(ticket: Ticket, groomed: Groomed, person: Person, today: date, now: datetime) -> str:
    by = Actor.of(person)
    if groomed.points is not None:
        tickets.change_locked(ticket, {"points": groomed.points}, by, now)
    match groomed.decision:
        case "plan":
            tickets.change_locked(ticket, {"sprint": groomed.sprint}, by, now)
            return f"planned for {groomed.sprint}"
        case "later":
            until = groomed.until or today + LATER
            if ticket.due_on is not None and ticket.due_on < until:
                raise Refused(f"it is due on {said_day(ticket.due_on)}, before that", "until")
            tickets.change_locked(ticket, {"sprint": None, "starts_on": until}, by, now)
            return f"later, from {said_day(until)}"
        case "drop":
            tickets.move_locked(ticket, "done", "wont_do", by, now)
            return "dropped"
        case _:
            if ticket.kind != "epic":
                tickets.change_locked(ticket, {"kind": "epic"}, by, now)
            made = epics.split_locked(ticket, groomed.parts, person, now)
            return f"split into {', '.join(f'T-{part.pk}' for part in made)}"
