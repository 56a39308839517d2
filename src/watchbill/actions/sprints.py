"""Sprints of the team and of operations: begin one, plan in it, close it, and what operations were promised and got."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from watchbill.actions import tickets
from watchbill.actions.access import require
from watchbill.actions.desk import desk_of
from watchbill.actions.log import Actor, Subject, record
from watchbill.core import workload
from watchbill.core.wallclock import day_of, said_day, whole_days
from watchbill.core.workload import Bucket, Split, Stretch, Unit
from watchbill.db import ticket_facts
from watchbill.db.models import Person, Sprint, Team, Ticket
from watchbill.kit.errors import Refused
from watchbill.kit.spans import Span
from watchbill.rules import ops_capacity

KINDS = ("team", "ops")
EDITABLE = ("name", "kind", "starts_on", "ends_on", "goal", "capacity_points", "ops_share")
LONGEST = timedelta(days=366)


def subject_of(sprint: Sprint) -> Subject:
    """Give the log's name for a sprint."""
    return Subject("sprint", sprint.pk, sprint.team_id)


def rule_of(team: Team, now: datetime) -> ops_capacity.Settings:
    """Read what a team promises to operations and how it keeps its operations sprint."""
    return ops_capacity.Settings.model_validate(desk_of(team, now).rule("ops_capacity"))


def add_sprint(team: Team, values: Mapping[str, Any], person: Person, now: datetime) -> Sprint:
    """Write a sprint: name, kind (team or ops), starts_on, ends_on (both count), goal, capacity_points, ops_share.

    An operations sprint may be longer than the team's (BKL-07). Raises Refused naming the field, NotAllowed.
    """
    require(person, team, "member", "plan a sprint")
    with transaction.atomic():
        _lock_team(team)
        checked = _check(team, {"kind": "team", **values}, None)
        if checked.get("ops_share") is None:
            checked["ops_share"] = rule_of(team, now).share_percent
        sprint = Sprint.objects.create(team=team, created_at=now, **checked)
        said = f"{person} planned “{sprint}”, {said_day(sprint.starts_on)} to {said_day(sprint.ends_on)}"
        record(subject_of(sprint), "sprint.added", said, now, Actor.of(person), {"kind": sprint.kind})
    return sprint


def change_sprint(sprint_id: int, values: Mapping[str, Any], person: Person, now: datetime) -> Sprint:
    """Change a sprint that is not closed. Raises Refused naming the field, NotAllowed."""
    with transaction.atomic():
        sprint = _lock(sprint_id, person, "change a sprint")
        kept = {name: getattr(sprint, name) for name in EDITABLE}
        checked = _check(sprint.team, {**kept, **values}, sprint)
        changed = {name: value for name, value in checked.items() if value != kept[name]}
        if changed:
            _write(sprint, changed, "sprint.changed", f"{person} changed {', '.join(changed)}", person, now)
    return sprint


def _write(sprint: Sprint, changed: Mapping[str, Any], kind: str, said: str, person: Person, now: datetime) -> None:
    for name, value in changed.items():
        setattr(sprint, name, value)
    sprint.save(update_fields=list(changed))
    record(subject_of(sprint), kind, said.replace("_", " "), now, Actor.of(person))


def _check(team: Team, values: Mapping[str, Any], own: Sprint | None) -> dict[str, Any]:
    unknown = set(values) - set(EDITABLE)
    if unknown:
        raise Refused(f"a sprint has no {', '.join(sorted(unknown))}", sorted(unknown)[0])
    checked = dict(values)
    checked["name"] = " ".join(str(values.get("name") or "").split())
    if not 0 < len(checked["name"]) <= 80:
        raise Refused("a sprint needs a name, at most 80 characters", "name")
    if checked["kind"] not in KINDS:
        raise Refused(f"a sprint is one of {', '.join(KINDS)}", "kind")
    others = Sprint.objects.filter(team=team).exclude(pk=own.pk if own else 0)
    if others.filter(name=checked["name"]).exists():
        raise Refused(f"{team} had a sprint of this name", "name")
    _check_days(checked)
    meets = others.filter(kind=checked["kind"], closed_at=None)
    clash = meets.filter(starts_on__lte=checked["ends_on"], ends_on__gte=checked["starts_on"]).first()
    if clash is not None:
        raise Refused(
            f"{clash} runs from {said_day(clash.starts_on)} to {said_day(clash.ends_on)}: close it or choose other days",
            "starts_on",
        )
    for name, most in (("capacity_points", 10_000), ("ops_share", 100)):
        if checked.get(name) is not None and not 0 <= int(checked[name]) <= most:
            raise Refused(f"0 to {most}", name)
    return checked


def _check_days(checked: Mapping[str, Any]) -> None:
    starts, ends = checked.get("starts_on"), checked.get("ends_on")
    if not isinstance(starts, date):
        raise Refused("say on which day it starts", "starts_on")
    if not isinstance(ends, date):
        raise Refused("say on which day it ends", "ends_on")
    if not starts <= ends < starts + LONGEST:
        raise Refused("it ends on or after the day it starts, within a year", "ends_on")


def start_now(sprint_id: int, person: Person, now: datetime) -> Sprint:
    """Let a planned sprint start today. Raises Refused, NotAllowed."""
    with transaction.atomic():
        sprint = _lock(sprint_id, person, "start a sprint")
        today = day_of(now, sprint.team.zone)
        if sprint.starts_on <= today:
            return sprint
        kept = {name: getattr(sprint, name) for name in EDITABLE}
        _check(sprint.team, {**kept, "starts_on": today}, sprint)
        _write(sprint, {"starts_on": today}, "sprint.started", f"{person} started it", person, now)
    return sprint


@dataclass(frozen=True)
class Closed:
    """A sprint that was closed: how many of its tickets were done, and which went on."""

    sprint: Sprint
    done: int
    moved: list[int]


def close_sprint(sprint_id: int, next_id: int | None, person: Person, now: datetime) -> Closed:
    """Close a sprint; what is open goes into the next one, or back to the queue, each said on its record.

    Raises Refused, NotAllowed.
    """
    with transaction.atomic():
        sprint = _lock(sprint_id, person, "close a sprint")
        following = _open_sprint(sprint.team, next_id, "next") if next_id else None
        if following is not None and following.pk == sprint.pk:
            raise Refused("this is the sprint that closes", "next")
        ids = list(
            Ticket.objects.filter(sprint=sprint).exclude(stage="done").order_by("id").values_list("pk", flat=True)
        )
        for number in ids:
            tickets.change_locked(tickets.lock(number), {"sprint": following}, Actor.of(person), now)
        done = Ticket.objects.filter(sprint=sprint, stage="done").count()
        where = f"into {following}" if following else "back to the queue"
        said = f"{person} closed it: {done} done, {len(ids)} went {where}"
        _write(sprint, {"closed_at": now}, "sprint.closed", said, person, now)
    return Closed(sprint, done, ids)


def plan(ticket_id: int, sprint_id: int | None, person: Person, now: datetime) -> Ticket:
    """Put a ticket into a sprint, or take it out. Raises Refused, NotAllowed."""
    ticket = Ticket.objects.select_related("team").filter(pk=ticket_id).first()
    if ticket is None:
        raise Refused(f"there is no ticket {ticket_id}")
    sprint = _open_sprint(ticket.team, sprint_id, "sprint") if sprint_id else None
    return tickets.change_ticket(ticket_id, {"sprint": sprint}, person, now)


def _open_sprint(team: Team, number: int, field: str) -> Sprint:
    found = Sprint.objects.filter(team=team, pk=number, closed_at=None).first()
    if found is None:
        raise Refused(f"{team} has no open sprint {number}", field)
    return found


def _lock(sprint_id: int, person: Person, what: str) -> Sprint:
    found = Sprint.objects.select_related("team").filter(pk=sprint_id).first()
    if found is None:
        raise Refused(f"there is no sprint {sprint_id}")
    require(person, found.team, "member", what)
    _lock_team(found.team)
    found.refresh_from_db()
    if found.closed_at is not None:
        raise Refused(f"{found} is closed")
    return found


def _lock_team(team: Team) -> None:
    # Sprints of a team may not overlap: whoever plans one waits for the others who do.
    Team.objects.select_for_update(of=("self",)).get(pk=team.pk)


def current(team: Team, kind: str, now: datetime) -> Sprint | None:
    """Give the sprint of a kind that runs, overdue ones too: it runs until somebody closes it."""
    today = day_of(now, team.zone)
    running = Sprint.objects.filter(team=team, kind=kind, closed_at=None, starts_on__lte=today)
    return running.order_by("-starts_on", "-id").first()


def ops_sprint_for(team: Team, person: Person, now: datetime) -> Sprint:
    """Give the running operations sprint, or begin one today of the length that the team's policy says (BKL-07)."""
    found = current(team, "ops", now)
    if found is not None:
        return found
    today = day_of(now, team.zone)
    ends = today + timedelta(days=rule_of(team, now).ops_sprint_days - 1)
    coming = (
        Sprint.objects.filter(team=team, kind="ops", closed_at=None, starts_on__gt=today).order_by("starts_on").first()
    )
    if coming is not None:
        ends = min(ends, coming.starts_on - timedelta(days=1))
    name = f"Operations from {said_day(today)}"
    return add_sprint(team, {"name": name, "kind": "ops", "starts_on": today, "ends_on": ends}, person, now)


def state_of(sprint: Sprint, now: datetime) -> str:
    """Tell whether a sprint is planned, running, overdue or closed."""
    today = day_of(now, sprint.team.zone)
    if sprint.closed_at is not None:
        return "closed"
    if today < sprint.starts_on:
        return "planned"
    return "overdue" if today > sprint.ends_on else "running"


@dataclass(frozen=True)
class Upkeep:
    """A sprint that nobody looks after, or one that is missing; `what` is missing, overdue or unmaintained."""

    sprint: Sprint | None
    what: str
    why: str


def upkeep(team: Team, now: datetime) -> list[Upkeep]:
    """Read which sprints need somebody: one that should have ended, an operations sprint in which nothing moves (BKL-07)."""
    rule, today = rule_of(team, now), day_of(now, team.zone)
    found = []
    for sprint in Sprint.objects.filter(team=team, closed_at=None, starts_on__lte=today).order_by("starts_on", "id"):
        touched = _touched(sprint)
        state = ops_capacity.decide(sprint.ends_on, touched, today, rule)
        if state == "overdue":
            late = (today - sprint.ends_on).days
            why = f"“{sprint}” was to end on {said_day(sprint.ends_on)}, {late} {'day' if late == 1 else 'days'} ago: close it"
            found.append(Upkeep(sprint, state, why))
        elif state == "unmaintained" and sprint.kind == "ops":
            found.append(Upkeep(sprint, state, f"nothing moved in “{sprint}” since {said_day(touched)}: look after it"))
    if rule.keep_ops_sprint and current(team, "ops", now) is None:
        found.append(Upkeep(None, "missing", "no operations sprint runs: begin one"))
    return found


def _touched(sprint: Sprint) -> date:
    newest = sprint.tickets.aggregate(newest=Max("changed_at"))["newest"]
    return max(sprint.starts_on, day_of(newest, sprint.team.zone)) if newest else sprint.starts_on


@dataclass(frozen=True)
class Capacity:
    """What a sprint promised to operations, in percent, and what they got: as tickets, points and seconds."""

    promised: int | None
    planned: Split
    tickets: Split
    points: Split
    time: Split


def capacity(sprint: Sprint, now: datetime) -> Capacity:
    """Compare the share promised to operations with what was planned in a sprint and done in its days (BKL-04)."""
    promised = sprint.ops_share if sprint.ops_share is not None else rule_of(sprint.team, now).share_percent
    days = whole_days(sprint.starts_on, sprint.ends_on, sprint.team.zone)
    # A sprint that is closed early ends there; one that is overdue goes on.
    end = sprint.closed_at or max(days.end, now)
    stretch = Stretch(sprint.starts_on, sprint.ends_on + timedelta(days=1), sprint.name)
    bucket = _sum_up(sprint.team, [stretch], [Span(days.start, max(days.start, end))])[0]
    return Capacity(promised, _planned(sprint), bucket.tickets, bucket.points, bucket.seconds)


def _planned(sprint: Sprint) -> Split:
    counts = sprint.tickets.exclude(~Q(outcome__in=("", "done"))).values_list("work_kind", "points")
    planned = Split()
    for kind, points in counts:
        planned = planned.plus(kind, points or 0)
    return planned


def kinds_over(
    team: Team, since: date, until: date, bucket: Unit = "week", measures: Collection[str] = workload.MEASURES
) -> list[Bucket]:
    """Read feature against operations from `since` to before `until`, by weeks, months or the team's sprints (MET-03).

    Days are those of the team's zone; only these measures are read. Raises Refused for too long a time.
    """
    found = _sprints_between(team, since, until) if bucket == "sprint" else workload.stretches(since, until, bucket)
    one = timedelta(days=1)
    return _sum_up(team, found, [whole_days(part.start, part.end - one, team.zone) for part in found], measures)


def _sprints_between(team: Team, since: date, until: date) -> list[Stretch]:
    rows: QuerySet[Sprint] = Sprint.objects.filter(team=team, kind="team", starts_on__lt=until, ends_on__gte=since)
    found = list(rows.order_by("starts_on", "id")[: workload.MOST_BUCKETS + 1])
    if len(found) > workload.MOST_BUCKETS:
        raise Refused(f"at most {workload.MOST_BUCKETS} sprints at once: choose a shorter time", "since")
    return [Stretch(row.starts_on, row.ends_on + timedelta(days=1), row.name) for row in found]


def _sum_up(
    team: Team, found: list[Stretch], spans: list[Span], measures: Collection[str] = workload.MEASURES
) -> list[Bucket]:
    spent = ticket_facts.spent_in(team, spans) if "time" in measures else []
    return workload.fill(found, [*ticket_facts.done_in(team, spans, measures), *spent])
