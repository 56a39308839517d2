"""Action items of a post-mortem: real tickets of kind "action", made in the meeting in one line, and chased until done.

Each has an owner, a due date, a kind (process, documentation, technical) and a purpose (prevent, detect, mitigate), and
stands in the team's order where its rule puts it (PM-07, PM-08, PM-09). The ticket is locked after its post-mortem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings as django_settings
from django.db import transaction
from django.db.models import Max

from watchbill.actions import delivery, tickets
from watchbill.actions.access import require
from watchbill.actions.delivery import Words
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.postmortem_begin import subject_of, title_for_mail
from watchbill.actions.postmortem_rules import rule_of
from watchbill.actions.postmortems import lock_for
from watchbill.actions.tickets import Written
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.core.action_lines import Line, read_line
from watchbill.core.postmortems import ACTION_KINDS, PURPOSES
from watchbill.core.wallclock import day_of
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import ActionItem, IncidentLink, Membership, Person, PostMortem, Sprint, Team, Ticket
from watchbill.kit.errors import Refused

LABEL = "post-mortem"


@dataclass(frozen=True)
class Wanted:
    """An action as somebody wants it. `owner` None and `due_on` None: the team's rule says when, nobody has it yet."""

    title: str
    text: str = ""
    owner: Person | None = None
    due_on: date | None = None
    kind: str = "technical"
    purpose: str = "prevent"
    level: str = ""
    is_smallest: bool = False


def add_line(postmortem_id: int, text: str, person: Person, now: datetime) -> ActionItem:
    """Make an action of one typed line: `Alert earlier @ben by 2026-04-01 #detect` (PM-08). Raises Refused, NotAllowed."""
    with transaction.atomic():
        postmortem = lock_for(postmortem_id, person, "add an action")
        line = read_line(text, day_of(now, postmortem.team.zone))
        return _add(postmortem, _wanted(postmortem.team, line), person, now)


def _wanted(team: Team, line: Line) -> Wanted:
    return Wanted(
        title=line.title,
        owner=find_member(team, line.who) if line.who else None,
        due_on=line.due,
        kind=line.kind or "technical",
        purpose=line.purpose or "prevent",
        level=line.level,
        is_smallest=line.is_smallest,
    )


def find_member(team: Team, name: str) -> Person:
    """Find a member of a team by mail address, first name or whole name. Raises Refused when none or several fit."""
    wanted = name.casefold().replace(".", " ")
    rows = Membership.objects.filter(team=team, person__is_active=True).select_related("person").order_by("id")
    people = [row.person for row in rows]
    exact = [one for one in people if wanted in {one.name.casefold(), one.email.replace(".", " ").casefold()}]
    close = [one for one in people if one.get_short_name().casefold() == wanted]
    short = [one for one in people if one.email.partition("@")[0].replace(".", " ").casefold() == wanted]
    found = exact or close or short
    if len(found) != 1:
        raise Refused(
            f"{'several are' if found else 'nobody is'} called “{name}” in {team}: use the mail address", "line"
        )
    return found[0]


def add(postmortem_id: int, wanted: Wanted, person: Person, now: datetime) -> ActionItem:
    """Add an action. Raises Refused naming the field, NotAllowed."""
    with transaction.atomic():
        return _add(lock_for(postmortem_id, person, "add an action"), wanted, person, now)


def _add(postmortem: PostMortem, wanted: Wanted, person: Person, now: datetime) -> ActionItem:
    require(person, postmortem.team, "member", "write a ticket")
    desk = desk_of(postmortem.team, now)
    item = add_locked(postmortem, wanted, desk, Actor.of(person), now)
    said = f"{person} added the action T-{item.ticket_id}: {item.ticket.title}"
    data = {"ticket": item.ticket_id}
    record(subject_of(postmortem), "postmortem.action", said[:1000], now, Actor.of(person), data)
    return item


def add_locked(postmortem: PostMortem, wanted: Wanted, desk: Desk, by: Actor, now: datetime) -> ActionItem:
    """Add an action to a locked post-mortem, for an action that has checked who may. Raises Refused naming the field."""
    _check(wanted.kind, wanted.purpose)
    rule = rule_of(desk).actions
    level = wanted.level or rule.level
    if level and level not in desk.order.levels:
        raise Refused(f"there is no level “{level}”; there are {', '.join(desk.order.levels)}", "level")
    due = wanted.due_on
    if due is None and rule.due_days:
        due = day_of(now, postmortem.team.zone) + timedelta(days=rule.due_days)
    pinned = {"is_priority_pinned": True, "priority": level, "priority_why": "an action of a post-mortem"}
    written = Written(
        title=wanted.title,
        text=_text(postmortem, wanted),
        kind="action",
        labels=(LABEL,),
        assignee=wanted.owner,
        service=None if postmortem.incident.is_private else postmortem.incident.service,
        more={"due_on": due, **(pinned if level else {})},
    )
    ticket = tickets.add_by_rule(postmortem.team, written, by, now)
    last = postmortem.actions.aggregate(last=Max("position"))["last"]
    item = ActionItem.objects.create(
        postmortem=postmortem,
        ticket=ticket,
        kind=wanted.kind,
        purpose=wanted.purpose,
        position=0 if last is None else last + 1,
        is_smallest=wanted.is_smallest,
    )
    if wanted.is_smallest:
        postmortem.actions.exclude(pk=item.pk).update(is_smallest=False)
    IncidentLink.objects.get_or_create(
        incident=postmortem.incident,
        kind="ticket",
        subject_id=ticket.pk,
        defaults={"created_at": now, "created_by_id": by.id, "note": "action"},
    )
    if rule.chase_days:
        set_timer(_subject(item), "chase", now + timedelta(days=rule.chase_days))
    return item


def _text(postmortem: PostMortem, wanted: Wanted) -> str:
    """Say where it came from; of a private incident a ticket, which the whole team reads, says nothing."""
    link = f"{django_settings.WATCHBILL_URL.rstrip('/')}/postmortems/{postmortem.pk}/"
    where = link if postmortem.incident.is_private else f"[{title_for_mail(postmortem, postmortem.title)}]({link})"
    return "\n\n".join(part for part in (wanted.text.strip(), f"An action of {where}") if part)


def _check(kind: str, purpose: str) -> None:
    if kind not in ACTION_KINDS:
        raise Refused(f"an action is one of {', '.join(ACTION_KINDS)}", "kind")
    if purpose not in PURPOSES:
        raise Refused(f"an action is there to {', '.join(PURPOSES)}", "purpose")


def change(
    item_id: int, person: Person, now: datetime, *, kind: str = "", purpose: str = "", is_smallest: bool | None = None
) -> ActionItem:
    """Say what an action is for, or that it is the smallest that helps. Raises Refused, NotAllowed."""
    with transaction.atomic():
        postmortem, item = _locked(item_id, person)
        _check(kind or item.kind, purpose or item.purpose)
        item.kind, item.purpose = kind or item.kind, purpose or item.purpose
        if is_smallest is not None:
            postmortem.actions.update(is_smallest=False)
            item.is_smallest = is_smallest
        item.save(update_fields=["kind", "purpose", "is_smallest"])
        said = f"{person}: T-{item.ticket_id} is {item.kind}, to {item.purpose}"
        said += ", the smallest that helps" if item.is_smallest else ""
        record(subject_of(postmortem), "postmortem.action", said, now, Actor.of(person), {"ticket": item.ticket_id})
    return item


def rank(item_id: int, place: int, person: Person, now: datetime) -> ActionItem:
    """Put an action at a place of the list, 0 first: a prioritised list of improvements (PM-07). Raises Refused."""
    with transaction.atomic():
        postmortem, item = _locked(item_id, person)
        rows = [one for one in postmortem.actions.order_by("position", "id") if one.pk != item.pk]
        rows.insert(max(0, min(place, len(rows))), item)
        for number, one in enumerate(rows):
            one.position = number
        ActionItem.objects.bulk_update(rows, ["position"])
        said = f"{person} put T-{item.ticket_id} at place {item.position + 1}"
        record(subject_of(postmortem), "postmortem.action", said, now, Actor.of(person), {"ticket": item.ticket_id})
    return item


def into_next_sprint(item_id: int, person: Person, now: datetime) -> ActionItem:
    """Put an action's ticket into the next sprint of its team that has not begun, else the one that runs. Raises Refused."""
    with transaction.atomic():
        _, item = _locked(item_id, person)
        today = day_of(now, item.ticket.team.zone)
        rows = Sprint.objects.filter(team=item.ticket.team_id, closed_at=None, ends_on__gte=today)
        sprint = rows.filter(starts_on__gt=today).order_by("starts_on").first() or rows.order_by("-starts_on").first()
        if sprint is None:
            raise Refused("the team has no sprint ahead: plan one first", "sprint")
        item.ticket = tickets.change_ticket(item.ticket_id, {"sprint": sprint}, person, now)
    return item


def _locked(item_id: int, person: Person) -> tuple[PostMortem, ActionItem]:
    number = ActionItem.objects.filter(pk=item_id).values_list("postmortem", flat=True).first()
    if number is None:
        raise Refused("there is no such action", "action")
    postmortem = lock_for(number, person, "change an action")
    return postmortem, ActionItem.objects.select_related("ticket__team").get(pk=item_id)


def chase(claim: Claim, now: datetime) -> None:
    """Remind whoever has an open action; after the team's days its manager hears as well (PM-09)."""
    with transaction.atomic():
        found = ActionItem.objects.filter(pk=claim.subject_id).values_list("ticket", flat=True).first()
        ticket = tickets.lock(found) if found is not None else None
        if not finish(claim) or ticket is None or ticket.stage == "done":
            return
        item = ActionItem.objects.select_related("postmortem__incident__team", "postmortem__owner").get(
            pk=claim.subject_id
        )
        rule = rule_of(desk_of(ticket.team, now)).actions
        if not rule.chase_days:
            return
        item.chased_at = now
        item.save(update_fields=["chased_at"])
        today = day_of(now, ticket.team.zone)
        late = (today - ticket.due_on).days if ticket.due_on else 0
        _chase(
            item, ticket, late, tell_manager=bool(rule.manager_after_days) and late >= rule.manager_after_days, now=now
        )
        set_timer(_subject(item), "chase", now + timedelta(days=rule.chase_days))


def _chase(item: ActionItem, ticket: Ticket, late: int, *, tell_manager: bool, now: datetime) -> None:
    incident = item.postmortem.incident
    due = f"due {ticket.due_on:%a %d %b}" if ticket.due_on else "without a date"
    state = f"{late} days overdue" if late > 0 else due
    whom = [ticket.assignee or item.postmortem.owner, *([ticket.team.manager] if tell_manager else [])]
    line = record(tickets.subject_of(ticket), "ticket.chased", f"an action of a post-mortem: {state}", now)
    text = f"T-{ticket.pk}: {ticket.title}\n\nAn open action of a post-mortem, {state}."
    if ticket.assignee is None:
        text += " Nobody has it yet: give it to somebody."
    words = Words(
        subject=title_for_mail(item.postmortem, f"{'Overdue action' if late > 0 else 'Open action'}: {ticket.title}"),
        text=text,
        purpose="notice",
        path=f"/tickets/{ticket.pk}/",
        action="Open the ticket",
    )
    for person in dict.fromkeys(one for one in whom if one is not None and one.is_active):
        if sees_incident(person, incident) or not incident.is_private or person == ticket.assignee:
            delivery.reach_or_tell(person.pk, tickets.subject_of(ticket), words, line, "you have it", now)


def stop_chasing(item: ActionItem) -> None:
    """Forget the reminders of an action."""
    clear_timer(_subject(item), "chase")


def _subject(item: ActionItem) -> Subject:
    return Subject("action_item", item.pk, item.postmortem.team_id)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("action_item", "chase"): chase}
