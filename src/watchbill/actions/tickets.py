"""Tickets: write one, change it, move it, link it. Every path locks the ticket first; a pair is locked in order of id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions import ticket_exports
from watchbill.actions.access import require
from watchbill.actions.desk import desk_of
from watchbill.actions.effects import carry_out
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.ticket_places import place, reach_changed
from watchbill.actions.timers import set_timer
from watchbill.core import tickets
from watchbill.db.models import (
    Membership,
    Message,
    Person,
    Rotation,
    Service,
    Sprint,
    SupportRequest,
    Team,
    Ticket,
    TicketLink,
)
from watchbill.db.support_facts import ticket_fact
from watchbill.kit.errors import Refused
from watchbill.rules import oncall_task

LONGEST_TEXT = 100_000
MOST_LABELS = 20
EDITABLE = (
    "title", "text", "kind", "points", "service", "assignee", "seat", "epic", "sprint", "labels", "due_on", "starts_on",
    "no_pair_why", "is_unplanned", "community",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A ticket as somebody writes it; `seat` gives it to the watch (HND-09)."""

    title: str
    text: str = ""
    kind: str = "task"
    labels: tuple[str, ...] = ()
    points: int | None = None
    service: Service | None = None
    request: SupportRequest | None = None
    assignee: Person | None = None
    seat: str = ""
    epic: Ticket | None = None
    sprint: Sprint | None = None
    is_unplanned: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)


def subject_of(ticket: Ticket) -> Subject:
    """Give the log's name for a ticket."""
    return Subject("ticket", ticket.pk, ticket.team_id)


def add_ticket(team: Team, written: Written, person: Person, now: datetime) -> Ticket:
    """Write a new ticket; raises Refused naming the field, NotAllowed."""
    require(person, team, "member", "write a ticket")
    return add_by_rule(team, written, Actor.of(person), now)


def add_by_rule(team: Team, written: Written, by: Actor, now: datetime) -> Ticket:
    """Write a new ticket for an action that has checked who may, or for Watchbill itself. Raises Refused."""
    values = {
        "title": written.title, "text": written.text, "kind": written.kind, "labels": list(written.labels),
        "points": written.points, "service": written.service, "assignee": written.assignee, "seat": written.seat,
        "epic": written.epic, "sprint": written.sprint, "is_unplanned": written.is_unplanned, **written.more,
    }  # fmt: skip
    if written.request is not None and written.request.team_id != team.pk:
        raise Refused(f"R-{written.request.pk} is not of {team}", "request")
    checked = check(team, values)
    with transaction.atomic():
        desk = desk_of(team, now)
        ticket = Ticket(
            team=team,
            request=written.request,
            stage=tickets.STAGES[0],
            stage_at=now,
            created_at=now,
            created_by_id=by.id,
            changed_at=now,
            **checked,
        )
        if ticket.community is None and written.request is not None:
            ticket.community = written.request.community
        place(ticket, desk)
        ticket.save()
        record(subject_of(ticket), "ticket.added", f"{by.name} wrote it", now, by, {"kind": ticket.kind})
        ticket_exports.put(ticket, "written", now)
    return ticket


def check(team: Team, values: Mapping[str, Any]) -> dict[str, Any]:
    """Check what somebody wrote about a ticket of a team; raises Refused naming the field and how to mend it."""
    checked = dict(values)
    if "title" in checked:
        checked["title"] = " ".join(str(checked["title"]).split())
        if not 0 < len(checked["title"]) <= 300:
            raise Refused("a ticket needs a title, at most 300 characters", "title")
    if len(str(checked.get("text") or "")) > LONGEST_TEXT:
        raise Refused(f"at most {LONGEST_TEXT} characters", "text")
    if "kind" in checked:
        tickets.check_kind(str(checked["kind"]))
    if checked.get("points") is not None:
        checked["points"] = _check_points(checked["points"])
    if "labels" in checked:
        checked["labels"] = check_labels(checked["labels"])
    _check_who(team, checked)
    _check_others(team, checked)
    return checked


def _check_points(points: Any) -> int:
    if not str(points).strip().isdigit() or not 0 <= int(points) <= 100:
        raise Refused("points are whole, 0 to 100", "points")
    return int(points)


def _check_others(team: Team, checked: dict[str, Any]) -> None:
    for name in ("service", "epic", "sprint", "community"):
        other = checked.get(name)
        if other is not None and other.team_id != team.pk:
            raise Refused(f"{other} is not of {team}", name)
    epic, sprint = checked.get("epic"), checked.get("sprint")
    if epic is not None and epic.kind != "epic":
        raise Refused("this is no epic", "epic")
    if sprint is not None and sprint.closed_at is not None:
        raise Refused(f"{sprint} is closed", "sprint")
    starts, due = checked.get("starts_on"), checked.get("due_on")
    if starts and due and due < starts:
        raise Refused("it is due before it starts", "due_on")


def check_labels(labels: Any) -> list[str]:
    """Give labels each once, without spaces around them. Raises Refused."""
    words = labels.split(",") if isinstance(labels, str) else labels
    found = list(dict.fromkeys(word for label in words if (word := "-".join(str(label).split()))))
    if len(found) > MOST_LABELS or any(len(label) > 40 for label in found):
        raise Refused(f"at most {MOST_LABELS} labels of 40 characters", "labels")
    return found


def _check_who(team: Team, checked: dict[str, Any]) -> None:
    person, seat = checked.get("assignee"), checked.get("seat")
    if person is not None and seat:
        raise Refused("either a person has it or the watch", "assignee")
    if person is not None and not (person.is_active and Membership.objects.filter(team=team, person=person).exists()):
        raise Refused(f"{person} is not in {team}", "assignee")
    if seat and seat not in seats_of(team):
        raise Refused(f"{team} has no seat “{seat}”; there are {', '.join(seats_of(team)) or 'none'}", "seat")


def seats_of(team: Team) -> list[str]:
    """Read the seats of a team, from the newest settings of its rotations: by name, and as rotation/seat."""
    found: dict[str, None] = {}
    exact: dict[str, None] = {}
    for rotation in Rotation.objects.filter(team=team, archived_at=None).order_by("id"):
        newest = rotation.revisions.order_by("-version").first()
        for seat in newest.settings.get("seats", ()) if newest else ():
            found[str(seat["name"])] = None
            exact[f"{rotation.slug}/{seat['name']}"] = None
    return [*found, *exact]


def change_ticket(ticket_id: int, values: Mapping[str, Any], person: Person, now: datetime) -> Ticket:
    """Change a ticket; giving it to a person takes it from the watch, and the other way. Raises Refused, NotAllowed."""
    with transaction.atomic():
        ticket = lock(ticket_id)
        require(person, ticket.team, "member", "change a ticket")
        return change_locked(ticket, values, Actor.of(person), now)


def change_locked(ticket: Ticket, values: Mapping[str, Any], by: Actor, now: datetime) -> Ticket:
    """Change a ticket whose lock is held, for an action that has checked who may. Raises Refused naming the field."""
    unknown = set(values) - set(EDITABLE)
    if unknown:
        raise Refused(f"a ticket has no {', '.join(sorted(unknown))} that can be changed", sorted(unknown)[0])
    if values.get("assignee") is not None and "seat" not in values:
        values = {**values, "seat": ""}
    elif values.get("seat") and "assignee" not in values:
        values = {**values, "assignee": None}
    days = {"starts_on": ticket.starts_on, "due_on": ticket.due_on} if {"starts_on", "due_on"} & set(values) else {}
    checked = check(ticket.team, {**days, **values})
    changed = {
        name: (getattr(ticket, name), value) for name, value in checked.items() if getattr(ticket, name) != value
    }
    if not changed:
        return ticket
    _check_epics(ticket, changed)
    for name, (_, value) in changed.items():
        setattr(ticket, name, value)
    ticket.changed_at = now
    place(ticket, desk_of(ticket.team, now), anew="due_on" in changed)
    ticket.save()
    said = f"{by.name} changed {', '.join(name.replace('_', ' ') for name in changed)}"
    record(
        subject_of(ticket),
        "ticket.changed",
        said,
        now,
        by,
        {name: _plain(before, after) for name, (before, after) in changed.items()},
    )
    ticket_exports.put(ticket, "changed", now)
    if "community" in changed:
        reach_changed(ticket.team, desk_of(ticket.team, now), now)
    return ticket


def _check_epics(ticket: Ticket, changed: Mapping[str, tuple[Any, Any]]) -> None:
    epic = changed["epic"][1] if "epic" in changed else None
    seen = set()
    while epic is not None and epic.pk not in seen:
        if epic.pk == ticket.pk:
            raise Refused("an epic is no part of itself", "epic")
        seen.add(epic.pk)
        epic = epic.epic
    if "kind" in changed and ticket.kind == "epic" and ticket.parts.exists():
        raise Refused("it has parts: it stays an epic", "kind")


def _plain(before: Any, after: Any) -> list[str]:
    return [str(value)[:200] if value is not None else "" for value in (before, after)]


def move(ticket_id: int, stage: str, person: Person, now: datetime, *, outcome: str = "done") -> Ticket:
    """Move a ticket to another stage. Raises Refused, saying everything that is missing; NotAllowed."""
    with transaction.atomic():
        ticket = lock(ticket_id)
        require(person, ticket.team, "member", "move a ticket")
        return move_locked(ticket, stage, outcome, Actor.of(person), now)


def move_locked(ticket: Ticket, stage: str, outcome: str, by: Actor, now: datetime) -> Ticket:
    """Move a ticket whose lock is held, for an action that has checked who may. Raises Refused."""
    demand = desk_of(ticket.team, now).quick_fixes.demand
    fact = ticket_fact(ticket)
    if demand == "nothing":
        fact = tickets.Ticket(fact.kind, fact.stage, fact.stage_at, fact.open_parts)
    effects = tickets.move(fact, stage, outcome, by.name, now)
    if effects:
        carry_out(effects, ticket, subject_of(ticket), now, actor=by)
        ticket_exports.put(ticket, "moved", now)
        if ticket.kind == "tracking" and stage != "done":
            # One that is open again watches again for what it watched for.
            set_timer(subject_of(ticket), "gather", now)
    return ticket


def comment(ticket_id: int, text: str, person: Person, now: datetime, *, door: str = "page") -> Message:
    """Write on a ticket (HND-03, HND-07). Raises Refused, NotAllowed."""
    with transaction.atomic():
        ticket = lock(ticket_id)
        require(person, ticket.team, "member", "write on a ticket")
        return comment_locked(ticket, text, str(person), person, now, door)


def comment_locked(ticket: Ticket, text: str, name: str, person: Person | None, now: datetime, door: str) -> Message:
    """Write on a ticket whose lock is held, for an action that has checked who may. Raises Refused."""
    if not 0 < len(text.strip()) <= LONGEST_TEXT:
        raise Refused(f"write something, at most {LONGEST_TEXT} characters", "text")
    message = Message.objects.create(
        team_id=ticket.team_id,
        ticket=ticket,
        direction="note",
        door=door,
        author=person,
        author_name=name[:120],
        text=text.strip(),
        at=now,
        written_at=now,
    )
    ticket.changed_at = now
    ticket.save(update_fields=["changed_at"])
    ticket_exports.put(ticket, "commented", now, message)
    return message


def link(source_id: int, target_id: int, kind: str, person: Person, now: datetime) -> TicketLink:
    """Link two tickets: source is "lasting fix of", "blocks", … target. Raises Refused, NotAllowed."""
    if kind not in tickets.LINKS:
        raise Refused(f"a link is one of {', '.join(tickets.LINKS)}", "kind")
    if source_id == target_id:
        raise Refused("a ticket cannot be linked to itself", "target")
    with transaction.atomic():
        source, target = _lock_pair(source_id, target_id, person)
        if kind != "relates_to" and TicketLink.objects.filter(source=target, target=source, kind=kind).exists():
            raise Refused(f"T-{target_id} {kind.replace('_', ' ')} T-{source_id} already: it cannot be both", "kind")
        made, new = TicketLink.objects.get_or_create(
            source=source, target=target, kind=kind, defaults={"created_at": now, "created_by": person}
        )
        if new:
            _record_link(made, "linked", person, now)
    return made


def unlink(source_id: int, target_id: int, kind: str, person: Person, now: datetime) -> TicketLink:
    """Take a link away and give it as it was; both tickets say so. Raises Refused when there is none, NotAllowed."""
    with transaction.atomic():
        source, target = _lock_pair(source_id, target_id, person)
        found = TicketLink.objects.filter(source=source, target=target, kind=kind).first()
        if found is None:
            raise Refused(f"there is no such link between T-{source_id} and T-{target_id}", "target")
        _record_link(found, "unlinked", person, now)
        found.delete()
    return found


def _lock_pair(source_id: int, target_id: int, person: Person) -> tuple[Ticket, Ticket]:
    pair = {number: lock(number) for number in sorted((source_id, target_id))}
    for ticket in pair.values():
        require(person, ticket.team, "member", "link tickets")
    return pair[source_id], pair[target_id]


def _record_link(link: TicketLink, what: str, person: Person, now: datetime) -> None:
    phrase = f"T-{link.source_id} {link.kind.replace('_', ' ')} T-{link.target_id}"
    said = f"{person}: {phrase}" if what == "linked" else f"{person} took the link away: {phrase}"
    data = {"source": link.source_id, "target": link.target_id, "kind": link.kind}
    for ticket in (link.source, link.target):
        record(subject_of(ticket), f"ticket.{what}", said, now, Actor.of(person), data)
    for team in {ticket.team_id: ticket.team for ticket in (link.source, link.target)}.values():
        reach_changed(team, desk_of(team, now), now)


def set_priority(ticket_id: int, level: str, why: str, person: Person, now: datetime) -> Ticket:
    """Put a ticket where a person wants it, with the reason (PRI-09); an empty level gives it back to the table."""
    with transaction.atomic():
        ticket = lock(ticket_id)
        require(person, ticket.team, "member", "change a priority")
        desk = desk_of(ticket.team, now)
        if level and level not in desk.order.levels:
            raise Refused(f"there is no level “{level}”; there are {', '.join(desk.order.levels)}", "level")
        if level and not why.strip():
            raise Refused("say why: it stands beside the priority", "why")
        ticket.is_priority_pinned, ticket.priority = bool(level), level
        ticket.priority_why = f"{person}: {why.strip()}"
        ticket.changed_at = now
        place(ticket, desk)
        ticket.save()
        said = ticket.priority_why if level else f"{person}: by the team's table again"
        record(subject_of(ticket), "ticket.priority", said, now, Actor.of(person), {"level": level})
    return ticket


def where_it_belongs(ticket: Ticket, now: datetime) -> oncall_task.Decision:
    """Decide whether a ticket is a task of the watch, an epic, or one for the queue (DUT-16, BKL-06)."""
    desk = desk_of(ticket.team, now)
    level = desk.order.levels.get(ticket.priority)
    return oncall_task.decide(
        points=ticket.points,
        unplanned=ticket.is_unplanned,
        interrupts=bool(level and level.interrupts),
        settings=desk.watch_tasks,
    )


def lock(ticket_id: int) -> Ticket:
    """Lock a ticket; raises Refused when there is none."""
    rows = Ticket.objects.select_for_update(of=("self",))
    found = rows.select_related("team", "service", "assignee", "request", "community").filter(pk=ticket_id).first()
    if found is None:
        raise Refused(f"there is no ticket {ticket_id}")
    return found
