"""A quick fix and its lasting fix: asked for, linked, shown together, and aging in the open while one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from watchbill.actions import tickets
from watchbill.actions.access import require
from watchbill.actions.desk import desk_of
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.tickets import Written
from watchbill.core.tickets import LINKS
from watchbill.db.models import AlertGroup, Event, Message, Person, SupportRequest, Team, Ticket, TicketLink
from watchbill.kit.errors import Refused
from watchbill.rules import quick_fixes

MOST_SHOWN = 200
MOST_COMMENTS = 20
MOST_READ = 1000


def close_quick_fix(
    ticket_id: int, person: Person, now: datetime, *, lasting: Written | int | None = None, reason: str = ""
) -> Ticket:
    """Close a quick fix with its other half: a new ticket, one that stands, or the reason why there is none (SPN-01).

    Raises Refused, saying everything that is missing; NotAllowed.
    """
    with transaction.atomic():
        ids = sorted({ticket_id, lasting} if isinstance(lasting, int) else {ticket_id})
        held = {number: tickets.lock(number) for number in ids}
        ticket = held[ticket_id]
        require(person, ticket.team, "member", "close a quick fix")
        if ticket.kind != "quick_fix":
            raise Refused("this is no quick fix", "kind")
        if isinstance(lasting, int) and lasting == ticket_id:
            raise Refused("a quick fix is not its own lasting fix", "lasting")
        if isinstance(lasting, Written):
            _write_other_half(ticket, lasting, person, now)
        elif lasting is not None:
            tickets.link(lasting, ticket_id, "lasting_fix_of", person, now)
        elif reason.strip():
            tickets.change_locked(ticket, {"no_pair_why": reason.strip()}, Actor.of(person), now)
        return tickets.move_locked(ticket, "done", "done", Actor.of(person), now)


def _write_other_half(ticket: Ticket, written: Written, person: Person, now: datetime) -> Ticket:
    return _spin_off(ticket, written, "lasting_fix_of", person, now)


def spin_off(ticket_id: int, written: Written, person: Person, now: datetime, *, kind: str = "spin_off_of") -> Ticket:
    """Write a ticket that came out of another, linked to it (SPN-02). Raises Refused, NotAllowed."""
    if kind not in LINKS:
        raise Refused(f"a link is one of {', '.join(LINKS)}", "kind")
    with transaction.atomic():
        ticket = tickets.lock(ticket_id)
        require(person, ticket.team, "member", "write a ticket")
        return _spin_off(ticket, written, kind, person, now)


def _spin_off(ticket: Ticket, written: Written, kind: str, person: Person, now: datetime) -> Ticket:
    title = written.title.strip() or ticket.title
    made_of = "lasting_fix" if kind == "lasting_fix_of" and written.kind == "task" else written.kind
    whole = Written(
        title=title,
        text=written.text,
        kind=made_of,
        labels=written.labels or tuple(str(label) for label in ticket.labels),
        points=written.points,
        service=written.service or ticket.service,
        request=written.request or ticket.request,
        assignee=written.assignee,
        seat=written.seat,
        epic=written.epic,
        sprint=written.sprint,
        is_unplanned=written.is_unplanned,
        more=written.more,
    )
    made = tickets.add_by_rule(ticket.team, whole, Actor.of(person), now)
    # The other ticket is locked and the new one is nobody else's yet.
    tickets.link(made.pk, ticket.pk, kind, person, now)
    return made


@dataclass(frozen=True)
class Row:
    """A quick fix without its other half; `age` since it was done, or since it was written while it is open."""

    ticket: Ticket
    done: bool
    age: timedelta
    is_old: bool


@dataclass(frozen=True)
class Unpaired:
    """The quick fixes of a team that nobody follows up: the oldest, how many, and how many are old (SPN-04)."""

    rows: list[Row] = field(default_factory=list)
    count: int = 0
    old: int = 0
    more: bool = False


def unpaired(team: Team, now: datetime) -> Unpaired:
    """Read the quick fixes without a lasting fix and without a reason, the oldest first; a dropped one needs none."""
    rule = desk_of(team, now).quick_fixes
    paired = TicketLink.objects.filter(target=OuterRef("pk"), kind="lasting_fix_of")
    rows: QuerySet[Ticket] = Ticket.objects.filter(
        ~Exists(paired), team=team, kind="quick_fix", no_pair_why="", outcome__in=("", "done")
    )
    found = list(rows.select_related("assignee", "service").order_by("id")[: MOST_SHOWN + 1])
    shown = [_row(ticket, rule, now) for ticket in found[:MOST_SHOWN]]
    shown.sort(key=lambda row: -row.age)
    return Unpaired(shown, len(shown), sum(row.is_old for row in shown), len(found) > MOST_SHOWN)


def _row(ticket: Ticket, rule: quick_fixes.Settings, now: datetime) -> Row:
    since = ticket.done_at or ticket.created_at
    return Row(ticket, ticket.done_at is not None, now - since, quick_fixes.is_old(since, rule, now))


@dataclass(frozen=True)
class Context:
    """What belongs to one half of a pair: the other, what it was for, and what was said about it (SPN-03)."""

    quick_fixes: list[Ticket] = field(default_factory=list)
    lasting_fixes: list[Ticket] = field(default_factory=list)
    requests: list[SupportRequest] = field(default_factory=list)
    groups: list[AlertGroup] = field(default_factory=list)
    comments: list[Message] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)


def pair_context(ticket: Ticket) -> Context:
    """Read what a lasting fix comes from, or what a quick fix leads to, with requests, alerts and comments of all."""
    return pair_contexts([ticket])[ticket.pk]


def pair_contexts(rows: Sequence[Ticket]) -> dict[int, Context]:
    """Read the context of each of these tickets, as `pair_context` does: many cost the statements of one."""
    ids = [ticket.pk for ticket in rows]
    links = TicketLink.objects.filter(Q(source__in=ids) | Q(target__in=ids), kind="lasting_fix_of").order_by("id")
    halves = list(links.select_related("source", "target"))
    every = {one.pk: one for link in halves for one in (link.source, link.target)} | {one.pk: one for one in rows}
    wanted = [one.request_id for one in every.values() if one.request_id]
    requests = SupportRequest.objects.select_related("requester").in_bulk(wanted)
    comments, groups = _comments_of(every), _alerts_of(every)
    found = {}
    for ticket in rows:
        quick = [link.target for link in halves if link.source_id == ticket.pk]
        lasting = [link.source for link in halves if link.target_id == ticket.pk]
        whole = [ticket, *quick, *lasting]
        asked = dict.fromkeys(one.request_id for one in whole if one.request_id)
        found[ticket.pk] = Context(
            quick_fixes=quick,
            lasting_fixes=lasting,
            requests=[requests[number] for number in asked],
            groups=list({group.pk: group for one in whole for group in groups.get(one.pk, ())}.values()),
            comments=sorted((one for part in whole for one in comments.get(part.pk, ())), key=lambda one: one.pk),
            reasons=[one.no_pair_why for one in whole if one.no_pair_why],
        )
    return found


def _comments_of(every: Iterable[int]) -> dict[int, list[Message]]:
    newest = Message.objects.filter(ticket__in=list(every)).select_related("ticket", "author").order_by("-id")
    found: dict[int, list[Message]] = {}
    for message in newest[:MOST_READ]:
        of_one = found.setdefault(message.ticket_id or 0, [])
        if len(of_one) < MOST_COMMENTS:
            of_one.append(message)
    return found


def groups_of(ids: Iterable[int]) -> list[AlertGroup]:
    """Read the alerts that tickets were written for or that happened to them, each once."""
    return list({group.pk: group for groups in _alerts_of(ids).values() for group in groups}.values())


def _alerts_of(every: Iterable[int]) -> dict[int, list[AlertGroup]]:
    """The alerts that tickets were written for or that happened to them, oldest first."""
    kinds = ("ticket.alert", "ticket.happened")
    lines = Event.objects.filter(subject_kind="ticket", subject_id__in=list(every), kind__in=kinds).order_by("-id")
    pairs = [(line.subject_id, line.data["group"]) for line in lines[:MOST_READ] if line.data.get("group")]
    groups = AlertGroup.objects.select_related("service").in_bulk([group for _, group in pairs])
    found: dict[int, list[AlertGroup]] = {}
    for ticket, group in reversed(pairs):
        if group in groups:
            found.setdefault(ticket, []).append(groups[group])
    return found


@dataclass(frozen=True)
class Solved:
    """What somebody writes about an alert: high-level words, and the section of the runbook that resolved it (RUN-07)."""

    title: str = ""
    text: str = ""
    kind: str = "task"
    points: int | None = None
    labels: tuple[str, ...] = ()
    runbook: str = ""
    solved: bool = True
    seat: str = ""


def from_alert(group_id: int, solved: Solved, person: Person, now: datetime) -> Ticket:
    """Write a ticket for the work that an alert asked for, solved already or not (SPN-06, PAG-04).

    It names the runbook that helped, else those of the service. Raises Refused, NotAllowed.
    """
    with transaction.atomic():
        group = AlertGroup.objects.select_related("team", "service").filter(pk=group_id).first()
        if group is None:
            raise Refused(f"there is no alert {group_id}", "group")
        require(person, group.team, "member", "write a ticket")
        return write_for(group, solved, Actor.of(person), now)


def write_for(group: AlertGroup, solved: Solved, by: Actor, now: datetime) -> Ticket:
    """Write a ticket about an alert, for an action that has checked who may, or for a rule. Raises Refused."""
    written = Written(
        title=(solved.title.strip() or group.title)[:300],
        text=_words(group, solved),
        kind=solved.kind,
        labels=solved.labels or (desk_of(group.team, now).kinds.operations_labels[0],),
        points=solved.points,
        service=group.service,
        seat=solved.seat,
        is_unplanned=True,
    )
    with transaction.atomic():
        ticket = tickets.add_by_rule(group.team, written, by, now)
        join(ticket, group, by, now)
        if solved.solved:
            ticket = tickets.move_locked(tickets.lock(ticket.pk), "done", "done", by, now)
    return ticket


def _words(group: AlertGroup, solved: Solved) -> str:
    books = [solved.runbook.strip()] if solved.runbook.strip() else _runbooks(group)
    lines = [solved.text.strip(), f"It reached us by: {group.detected_by}."]
    lines += [f"Runbook: {book}" for book in books]
    return "\n\n".join(line for line in lines if line)


def _runbooks(group: AlertGroup) -> list[str]:
    return [str(link["url"]) for link in group.service.links if link.get("kind") == "runbook" and link.get("url")]


def join(ticket: Ticket, group: AlertGroup, by: Actor, now: datetime) -> None:
    """Say on a ticket and on an alert that one is about the other."""
    data = {"group": group.pk, "ticket": ticket.pk, "detected_by": group.detected_by}
    said = f"{by.name} wrote it for alert {group.pk}: {group.title}"[:1000]
    record(tickets.subject_of(ticket), "ticket.alert", said, now, by, data)
    alert = Subject("alert", group.pk, group.team_id)
    record(alert, "alert.ticket", f"{by.name}: T-{ticket.pk} is about it", now, by, data)


def ticketed(groups: Iterable[AlertGroup]) -> dict[int, int]:
    """Read which of these alerts have a ticket: the id of the newest by the alert's."""
    ids = [group.pk for group in groups]
    lines = Event.objects.filter(subject_kind="alert", subject_id__in=ids, kind="alert.ticket").order_by("id")
    return {line.subject_id: line.data["ticket"] for line in lines}
