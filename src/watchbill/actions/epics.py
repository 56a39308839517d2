"""Epics: split one into parts, see how far it is, and whether it is done before its date burns (DUT-12, BKL-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Min, Sum

from watchbill.actions import tickets
from watchbill.actions.access import require
from watchbill.actions.log import Actor, record
from watchbill.actions.tickets import Written
from watchbill.core import workload
from watchbill.core.wallclock import day_of
from watchbill.core.workload import Progress, Slack
from watchbill.db import ticket_facts
from watchbill.db.models import Person, Team, Ticket
from watchbill.kit.errors import Refused

MOST_PARTS = 50
MOST_EPICS = 100
PACE_WEEKS = 6
_STATES = ("late", "tight", "unknown", "undated", "calm")


@dataclass(frozen=True)
class Part:
    """One part of an epic, as somebody names it."""

    title: str
    points: int | None = None
    kind: str = "task"


def split(epic_id: int, parts: Sequence[Part], person: Person, now: datetime) -> list[Ticket]:
    """Write the parts of an epic as tickets of its labels, service and community. Raises Refused, NotAllowed."""
    with transaction.atomic():
        epic = tickets.lock(epic_id)
        require(person, epic.team, "member", "split an epic")
        return split_locked(epic, parts, person, now)


def split_locked(epic: Ticket, parts: Sequence[Part], person: Person, now: datetime) -> list[Ticket]:
    """Write the parts of an epic whose lock is held, for an action that has checked who may. Raises Refused."""
    if epic.kind != "epic":
        raise Refused("only an epic is split: make it one first", "kind")
    if epic.stage == "done":
        raise Refused("this epic is done", "stage")
    named = [part for part in parts if part.title.strip()]
    if not 0 < len(named) <= MOST_PARTS:
        raise Refused(f"name the parts, at most {MOST_PARTS} at once", "parts")
    if any(part.kind == "epic" for part in named):
        raise Refused("a part is smaller than an epic", "parts")
    made = [tickets.add_by_rule(epic.team, _written(epic, part), Actor.of(person), now) for part in named]
    said = f"{person} split it: {', '.join(f'T-{part.pk}' for part in made)}"
    data = {"parts": [part.pk for part in made]}
    record(tickets.subject_of(epic), "ticket.split", said, now, Actor.of(person), data)
    epic.changed_at = now
    epic.save(update_fields=["changed_at"])
    return made


def _written(epic: Ticket, part: Part) -> Written:
    return Written(
        title=part.title,
        kind=part.kind,
        points=part.points,
        labels=tuple(str(label) for label in epic.labels),
        service=epic.service,
        epic=epic,
        more={"community": epic.community},
    )


def progress(epic: Ticket) -> Progress:
    """Read how far an epic is."""
    return ticket_facts.progress_of([epic.pk])[epic.pk]


@dataclass(frozen=True)
class Outlook:
    """An open epic: how far it is, and whether it comes before its date at the team's pace."""

    epic: Ticket
    progress: Progress
    slack: Slack

    @property
    def state(self) -> str:
        """Give late, tight, unknown (no pace, or parts without points), undated or calm."""
        return self.slack.state

    @property
    def due_on(self) -> date | None:
        """Give its last day."""
        return self.epic.due_on


def outlook(team: Team, now: datetime) -> list[Outlook]:
    """Read the open epics of a team, what burns first on top: time to plan, not a race against the date (BKL-05)."""
    rows = Ticket.objects.filter(team=team, kind="epic").exclude(stage="done").select_related("service", "assignee")
    epics = list(rows.order_by(*ticket_facts.ORDER)[:MOST_EPICS])
    far = ticket_facts.progress_of([epic.pk for epic in epics])
    pace, today = points_per_week(team, now), day_of(now, team.zone)
    found = [Outlook(epic, far[epic.pk], _slack(epic, far[epic.pk], pace, today)) for epic in epics]
    return sorted(found, key=lambda one: (_STATES.index(one.state), one.due_on or date.max))


def _slack(epic: Ticket, far: Progress, pace: float, today: date) -> Slack:
    # An epic that nobody split is measured by its own points.
    left = far.open_points if far.parts else (epic.points or 0)
    found = workload.slack(left, epic.due_on, pace, today)
    unsized = far.unsized or (not far.parts and epic.points is None)
    if unsized and found.state in {"calm", "tight"}:
        return Slack("unknown", found.days_left)
    return found


def points_per_week(team: Team, now: datetime) -> float:
    """Measure the team's pace: points done in a week, of the last six; of very many tickets the newest are measured."""
    since = now - timedelta(weeks=PACE_WEEKS)
    done = Ticket.objects.filter(team=team, stage="done", done_at__gte=since, done_at__lt=now, outcome="done")
    newest = done.exclude(kind="epic").order_by("-done_at").values("points", "done_at")[: ticket_facts.MOST_MEASURED]
    found = newest.aggregate(points=Sum("points"), count=Count("*"), first=Min("done_at"))
    if found["count"] < ticket_facts.MOST_MEASURED:
        return (found["points"] or 0) / PACE_WEEKS
    measured: timedelta = max(now - found["first"], timedelta(seconds=1))
    return float(found["points"] or 0) * (timedelta(weeks=1) / measured)


def too_big(ticket: Ticket, now: datetime) -> str:
    """Say why a ticket should be an epic; nothing: it is small enough (DUT-16)."""
    belongs = tickets.where_it_belongs(ticket, now)
    return belongs.why if belongs.where == "epic" and ticket.kind != "epic" and ticket.stage != "done" else ""


def make_epic(ticket_id: int, person: Person, now: datetime) -> Ticket:
    """Make a ticket an epic, which is split into parts. Raises Refused, NotAllowed."""
    with transaction.atomic():
        ticket = tickets.lock(ticket_id)
        require(person, ticket.team, "member", "make an epic")
        if ticket.kind == "quick_fix":
            raise Refused("a quick fix is small: its lasting fix may be an epic", "kind")
        return tickets.change_locked(ticket, {"kind": "epic"}, Actor.of(person), now)
