"""What do I do now? For somebody on watch with nothing burning: work by the team's idle order (DUT-11 to DUT-14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from watchbill.actions import looking, sprints, stale, ticket_pairs, tickets
from watchbill.actions.access import require
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import Actor
from watchbill.actions.tickets import Written
from watchbill.core import idle
from watchbill.core.idle import Idea
from watchbill.core.wallclock import day_of
from watchbill.db import support_facts, ticket_facts
from watchbill.db.models import AlertGroup, Outgoing, Page, Person, Service, Sprint, SupportRequest, Team, Ticket
from watchbill.db.ticket_facts import ORDER
from watchbill.kit.errors import Refused
from watchbill.rules import idle_order

LOOKED_AT = 200
QUIET = ("list_due", "record")
NEXT = "/next/"
MENDED_LATELY = timedelta(days=14)


@dataclass(frozen=True)
class _Asked:
    """Who asks, in which team, and how it works."""

    person: Person
    team: Team
    desk: Desk
    rule: idle_order.Settings
    seats: frozenset[str]
    now: datetime


def suggest(person: Person, team: Team, now: datetime) -> list[Idea]:
    """Read what a member could do next: what burns comes first, then the team's sources in its order.

    Raises NotAllowed.
    """
    require(person, team, "member", "ask what to do next")
    desk = desk_of(team, now)
    rule = idle_order.Settings.model_validate(desk.rule("idle_order"))
    asked = _Asked(person, team, desk, rule, frozenset(support_facts.seats_of(person.pk, team, now)), now)
    burning = _burning(asked)
    found: dict[str, list[Idea]] = {source: _SOURCES[source](asked) for source in rule.sources}
    order = idle_order.decide(rule, [source for source, ideas in found.items() if ideas])
    return idle.put_in_order(burning, found, order, rule.most_each)


def _burning(asked: _Asked) -> list[Idea]:
    interrupts = [name for name, level in asked.desk.order.levels.items() if level.interrupts]
    ideas = [_page_idea(page) for page in _pages(asked)]
    requests = _requests(asked).filter(priority__in=interrupts)[:LOOKED_AT]
    ideas += [_request_idea(idle.BURNING, one, f"it interrupts: {one.priority_why}") for one in requests]
    mine = _mine(asked).filter(priority__in=interrupts)[:LOOKED_AT]
    return ideas + [_ticket_idea(idle.BURNING, one, f"it interrupts: {one.priority_why}") for one in mine]


def _page_idea(page: Page) -> Idea:
    why = "you answered its page" if page.answered_by_id else "it pages, and nobody has answered"
    path = f"/alerts/{page.group_id}/" if page.group_id else f"/pages/{page.pk}/"
    return Idea(idle.BURNING, page.title, why, path, group=page.group_id, page=page.pk)


def _pages(asked: _Asked) -> list[Page]:
    rows = Page.objects.filter(team=asked.team, closed_at=None)
    told = Outgoing.objects.filter(subject_kind="page", person=asked.person, purpose="page")
    theirs = Q(pk__in=told.filter(subject_id__in=rows.values("pk")).values("subject_id"), answered_by=None)
    if asked.seats:
        theirs |= Q(answered_by=None)
    return list(rows.filter(theirs | Q(answered_by=asked.person)).order_by("id")[:LOOKED_AT])


def _requests(asked: _Asked) -> QuerySet[SupportRequest]:
    whose = Q(assignee=asked.person)
    if asked.seats:
        whose |= Q(assignee=None)
    rows = SupportRequest.objects.filter(whose, team=asked.team, state="open", waiting_on="us")
    return rows.select_related("requester").order_by("rank", "due_at", "id")


def _mine(asked: _Asked) -> QuerySet[Ticket]:
    rows = ticket_facts.mine(asked.person, asked.team, asked.now).exclude(stage="waiting")
    return rows.exclude(kind__in=("epic", "tracking")).filter(_ready(asked))


def _ready(asked: _Asked) -> Q:
    return Q(starts_on=None) | Q(starts_on__lte=day_of(asked.now, asked.team.zone))


def _from_mine(asked: _Asked) -> list[Idea]:
    most = LOOKED_AT
    ideas = [_request_idea("mine", one, _whose_request(one, asked)) for one in _requests(asked)[:most]]
    rows = _mine(asked)
    begun = [*rows.filter(stage="in_progress")[:most], *rows.exclude(stage="in_progress")[:most]]
    return ideas + [_ticket_idea("mine", ticket, _whose(ticket)) for ticket in begun]


def _whose_request(request: SupportRequest, asked: _Asked) -> str:
    if request.assignee_id is None:
        return f"{request.requester} asked, and nobody has it"
    return f"{request.requester} waits for you" if request.assignee_id == asked.person.pk else ""


def _whose(ticket: Ticket) -> str:
    begun = "begun" if ticket.stage == "in_progress" else "next in order"
    return f"{begun}; it belongs to {ticket.seat} on watch" if ticket.seat else f"{begun}; it is yours"


def _open(asked: _Asked) -> QuerySet[Ticket]:
    """What nobody has begun and nobody has: in the team's order."""
    rows = Ticket.objects.filter(_ready(asked), team=asked.team, stage="to_do", assignee=None, seat="")
    # Said twice, so that both databases know that the indexes of what is open suffice.
    return rows.exclude(stage="done").exclude(kind__in=("epic", "tracking")).order_by(*ORDER)


def _from_sprint(asked: _Asked) -> list[Idea]:
    ideas = [
        Idea("sprint", "Look after the sprints", one.why, f"/sprints/{one.sprint.pk}/" if one.sprint else "/sprints/")
        for one in sprints.upkeep(asked.team, asked.now)
    ]
    sprint = sprints.current(asked.team, "ops", asked.now)
    rows = _open(asked).filter(sprint=sprint)[: asked.rule.most_each] if sprint else []
    return [_ticket_idea("sprint", ticket, f"planned in {sprint}") for ticket in rows] + ideas


def _from_backlog(asked: _Asked) -> list[Idea]:
    rows = _open(asked).filter(work_kind="operations")[:LOOKED_AT]
    return [_ticket_idea("backlog", ticket, f"{_level(ticket, asked)}: {ticket.priority_why}") for ticket in rows]


def _level(ticket: Ticket, asked: _Asked) -> str:
    level = asked.desk.order.levels.get(ticket.priority)
    return level.title if level else "Backlog"


def _from_epics(asked: _Asked) -> list[Idea]:
    most = asked.desk.watch_tasks.max_points
    rows = Ticket.objects.filter(team=asked.team, work_kind="operations").exclude(stage="done").order_by(*ORDER)
    epics = list(rows.filter(kind="epic")[:LOOKED_AT])
    far = ticket_facts.progress_of([epic.pk for epic in epics])
    ideas = [
        _ticket_idea(
            "epic", epic, "split it: it has no parts yet" if not far[epic.pk].parts else "its parts need points"
        )
        for epic in sorted(epics, key=lambda epic: (epic.due_on is None, epic.due_on))
        if not far[epic.pk].parts or far[epic.pk].unsized
    ]
    big = rows.filter(points__gt=most).exclude(kind="epic").filter(stage="to_do")[: asked.rule.most_each]
    return ideas + [_ticket_idea("epic", one, f"{one.points} points: split it into pieces") for one in big]


def _from_alarms(asked: _Asked) -> list[Idea]:
    rule = asked.rule
    since = asked.now - timedelta(days=rule.alarm_days)
    return [
        Idea(
            "alarm",
            alarm.title,
            f"it fired {alarm.times} times in {rule.alarm_days} days: gather data on it",
            f"/alerts/{alarm.group}/",
            group=alarm.group,
            times=alarm.times,
        )
        for alarm in ticket_facts.frequent_alarms(asked.team, since, rule.alarm_times)
    ]


def _from_findings(asked: _Asked) -> list[Idea]:
    labels = {label.casefold() for label in asked.rule.finding_labels}
    labelled = [
        _ticket_idea("finding", ticket, "a finding that nobody has")
        for ticket in _open(asked)[:LOOKED_AT]
        if labels & {str(label).casefold() for label in ticket.labels}
    ]
    rows = AlertGroup.objects.filter(team=asked.team, response__in=QUIET, silence=None).exclude(state="resolved")
    listed = list(rows.order_by("due_at", "id")[:LOOKED_AT])
    ticketed = ticket_pairs.ticketed(listed)
    return labelled + [
        Idea("finding", group.title, "it is listed, and no ticket is about it", f"/alerts/{group.pk}/", group=group.pk)
        for group in listed
        if group.pk not in ticketed
    ]


def _from_stale(asked: _Asked) -> list[Idea]:
    return [
        _ticket_idea("stale", one.ticket, f"{one.why}{f', with {one.ticket.assignee}' if one.ticket.assignee else ''}")
        for one in stale.stale(asked.team, None, asked.now)
    ]


def _from_features(asked: _Asked) -> list[Idea]:
    sprint = sprints.current(asked.team, "team", asked.now)
    if sprint is None:
        return []
    rows = _open(asked).filter(sprint=sprint, work_kind="feature")[: asked.rule.most_each]
    return [_ticket_idea("feature", ticket, f"planned in {sprint}") for ticket in rows]


def _from_consoles(asked: _Asked) -> list[Idea]:
    """A look that no alarm asks for, once a day (DUT-02)."""
    if not asked.seats or looking.last_look(asked.team, asked.now) or not looking.consoles(asked.team):
        return []
    return [Idea("console", "Look at the consoles", "nobody has looked today", f"/teams/{asked.team.slug}/looking/")]


def _from_runbooks(asked: _Asked) -> list[Idea]:
    """What was mended and is not written down: whoever is on watch writes it (DUT-04)."""
    since = asked.now - MENDED_LATELY
    ended = AlertGroup.objects.filter(team=asked.team, state="resolved", opened_at__gte=since, response="page_now")
    lately = set(ended.order_by("-id").values_list("service", flat=True)[:LOOKED_AT])
    services = Service.objects.filter(pk__in=lately, archived_at=None).order_by("tier", "name")
    return [
        Idea(
            "runbook",
            f"Write down how {one} is mended",
            "it paged lately, and it has no runbook",
            f"/services/{one.slug}/",
        )
        for one in services
        if not any(link.get("kind") == "runbook" for link in one.links)
    ]


def _own(asked: _Asked) -> list[Idea]:
    sprint = sprints.current(asked.team, "ops", asked.now)
    label = asked.desk.kinds.operations_labels[0]
    keeps = sprints.rule_of(asked.team, asked.now).keep_ops_sprint
    first = " and a place in the operations sprint, which is begun first" if keeps else ""
    where = f" and a place in {sprint}" if sprint else first
    return [Idea("own", "Investigate something of your own", f"it gets a ticket with the label {label}{where}", NEXT)]


def _ticket_idea(kind: str, ticket: Ticket, why: str) -> Idea:
    return Idea(kind, ticket.title, why, f"/tickets/{ticket.pk}/", ticket=ticket.pk)


def _request_idea(kind: str, request: SupportRequest, why: str) -> Idea:
    return Idea(kind, request.title, why, f"/requests/{request.pk}/", request=request.pk)


_SOURCES: dict[str, Callable[[_Asked], list[Idea]]] = {
    "mine": _from_mine,
    "sprint": _from_sprint,
    "backlog": _from_backlog,
    "console": _from_consoles,
    "epic": _from_epics,
    "alarm": _from_alarms,
    "finding": _from_findings,
    "runbook": _from_runbooks,
    "stale": _from_stale,
    "feature": _from_features,
    "own": _own,
}


def start_investigation(
    person: Person, team: Team, title: str, why: str, now: datetime, *, sprint: Sprint | None = None
) -> Ticket:
    """Begin an investigation of one's own: a ticket, the operations label and the operations sprint at once (DUT-14).

    It is the seat's of whoever stands the watch, where the team gives such work to the seat. Raises Refused: field
    "title", or "sprint" when the team keeps an operations sprint and none runs (`sprints.ops_sprint_for` begins one); NotAllowed.
    """
    require(person, team, "member", "begin an investigation")
    if not title.strip():
        raise Refused("say in one line what you look into", "title")
    with transaction.atomic():
        chosen = sprint or sprints.current(team, "ops", now)
        if chosen is None and sprints.rule_of(team, now).keep_ops_sprint:
            raise Refused("no operations sprint runs: begin one, and this goes into it", "sprint")
        desk = desk_of(team, now)
        seat = _seat_of(person, team, desk, now)
        written = Written(
            title=title,
            text=why.strip(),
            kind="investigation",
            labels=(desk.kinds.operations_labels[0],),
            assignee=None if seat else person,
            seat=seat,
            sprint=chosen,
        )
        ticket = tickets.add_ticket(team, written, person, now)
        return tickets.move_locked(tickets.lock(ticket.pk), "in_progress", "done", Actor.of(person), now)


def _seat_of(person: Person, team: Team, desk: Desk, now: datetime) -> str:
    if desk.watch_tasks.assign_to != "seat":
        return ""
    standing = support_facts.seats_of(person.pk, team, now)
    return next((seat for seat in tickets.seats_of(team) if seat in standing), "")
