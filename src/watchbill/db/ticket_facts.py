"""Read what decisions about tickets need: whose they are, how long they stayed, what was done, what warned."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import repeat
from statistics import median
from typing import Any

from django.db.models import BigIntegerField, Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from watchbill.core import tickets
from watchbill.core.workload import MEASURES, Done, Progress
from watchbill.db.models import AlertGroup, Event, Person, Service, Team, Ticket, WorkLog
from watchbill.db.support_facts import seats_of
from watchbill.kit.spans import Span

# The order of a lane: the team's levels, then the place by deadline or by hand, then age.
ORDER = ("rank", "position", "id")
MOST_MEASURED = 5000
MOST_ALARMS = 5000


def mine(person: Person, team: Team, now: datetime) -> QuerySet[Ticket]:
    """Read the open tickets that are a person's, or of a seat in which they stand now (HND-09), in the team's order.

    At a handoff nothing is written: the shift ends, and the tickets of the seat are another person's.
    """
    seats = seats_of(person.pk, team, now)
    rows = Ticket.objects.filter(Q(assignee=person) | Q(seat__in=seats), team=team)
    return rows.exclude(stage="done").order_by(*ORDER)


def moves_of(ticket: Ticket) -> list[tuple[datetime, str]]:
    """Read when a ticket moved to which stage, in order."""
    lines = Event.objects.filter(subject_kind="ticket", subject_id=ticket.pk, kind="ticket.moved").order_by("id")
    return [(at, str(data["to"])) for at, data in lines.values_list("at", "data")]


def times(ticket: Ticket, now: datetime) -> list[tickets.Stay]:
    """Read how long a ticket stayed in each stage (MET-01)."""
    return tickets.stays(ticket.created_at, moves_of(ticket), now)


@dataclass(frozen=True)
class Medians:
    """How long the tickets of a team typically stay in each stage; `capped`: only the newest were measured."""

    stages: dict[str, timedelta] = field(default_factory=dict)
    count: int = 0
    capped: bool = False


def medians(team: Team, since: datetime, until: datetime) -> Medians:
    """Measure the tickets done in [since, until): the median time at each stage (MET-01).

    The log wrote at each move how long the ticket had stayed; of more than `MOST_MEASURED` the newest are measured.
    """
    done = Ticket.objects.filter(team=team, stage="done", done_at__gte=since, done_at__lt=until)
    newest = done.order_by("-done_at").values("pk")
    found = newest[: MOST_MEASURED + 1].count()
    count = min(found, MOST_MEASURED)
    stayed: dict[str, list[int]] = {stage: [] for stage in tickets.STAGES[:-1]}
    for stage, seconds in _stays(newest[:MOST_MEASURED]):
        if stage in stayed:
            stayed[stage].append(seconds)
    # Whoever was never in a stage stayed there for no time at all.
    stages = {
        stage: timedelta(seconds=median([*some, *repeat(0, count - len(some))]))
        for stage, some in stayed.items()
        if count
    }
    return Medians(stages, count, found > MOST_MEASURED)


def _stays(measured: QuerySet[Ticket, Any]) -> Iterable[tuple[str, int]]:
    """Add up how long each ticket stayed in each stage; their numbers never leave the database."""
    lines = Event.objects.filter(subject_kind="ticket", subject_id__in=measured, kind="ticket.moved").order_by()
    seconds = Cast(KeyTextTransform("seconds", "data"), BigIntegerField())
    stage = KeyTextTransform("from", "data")
    return lines.annotate(stage=stage).values("subject_id", "stage").annotate(all=Sum(seconds)).values_list(
        "stage", "all"
    )  # fmt: skip


def _number_of(moment: str, spans: Sequence[Span]) -> Case:
    """The number of the span in which a moment lies, as the database computes it."""
    inside = [
        When(Q(**{f"{moment}__gte": span.start, f"{moment}__lt": span.end}), then=Value(number))
        for number, span in enumerate(spans)
    ]
    return Case(*inside, default=None, output_field=IntegerField(null=True))


def done_in(team: Team, spans: Sequence[Span], measures: Collection[str] = MEASURES) -> list[Done]:
    """Count tickets and points done in each span, by kind of work; what lies in two spans is the first's.

    Each span is a read of the index of what is done, which holds all that is counted; a measure that nobody asked for
    is left out.
    """
    # All and one kind, not both grouped: SQLite would sort the rows of a whole span for two groups.
    feature = Q(work_kind="feature")
    wanted: dict[str, Count | Sum] = {}
    if "tickets" in measures:
        wanted |= {"all_tickets": Count("*"), "feature_tickets": Count("pk", filter=feature)}
    if "points" in measures:
        wanted |= {"all_points": Sum("points"), "feature_points": Sum("points", filter=feature)}
    found: list[Done] = []
    done = Ticket.objects.filter(team=team, stage="done", outcome="done").order_by()
    for number, span in enumerate(apart(spans) if wanted else ()):
        sums = done.filter(done_at__gte=span.start, done_at__lt=span.end).aggregate(**wanted)
        every, of_feature = sums.get("all_tickets") or 0, sums.get("feature_tickets") or 0
        points, feature_points = sums.get("all_points") or 0, sums.get("feature_points") or 0
        found.append(Done(number, "feature", tickets=of_feature, points=feature_points))
        found.append(Done(number, "operations", tickets=every - of_feature, points=points - feature_points))
    return found


def apart(spans: Sequence[Span]) -> list[Span]:
    """Cut spans in order of their starts so that no two have a moment in common: the earlier one keeps it."""
    found: list[Span] = []
    for span in spans:
        begin = max([span.start, *(one.end for one in found[-1:])])
        found.append(Span(begin, max(begin, span.end)))
    return found


def spent_in(team: Team, spans: Sequence[Span]) -> list[Done]:
    """Add up the time logged in each span, by kind of work; what was spent on a request is operations."""
    if not spans:
        return []
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    logs = WorkLog.objects.filter(team=team, started_at__gte=first, started_at__lt=last, ended_at__isnull=False)
    rows = logs.annotate(
        number=_number_of("started_at", spans), kind=Coalesce(F("ticket__work_kind"), Value("operations"))
    )
    sums = rows.exclude(number=None).order_by().values("number", "kind").annotate(all=Sum("seconds"))
    return [Done(number, kind, seconds=all_) for number, kind, all_ in sums.values_list("number", "kind", "all")]


def progress_of(epics: Collection[int]) -> dict[int, Progress]:
    """Read how far each of these epics is, in one statement; a part that was dropped counts no more."""
    parts = Ticket.objects.filter(epic__in=epics).exclude(stage="done", outcome__in=("wont_do", "duplicate"))
    done = Q(stage="done")
    rows = parts.order_by().values("epic").annotate(
        all_parts=Count("id"),
        done_parts=Count("id", filter=done),
        all_points=Coalesce(Sum("points"), 0),
        done_points=Coalesce(Sum("points", filter=done), 0),
        unsized=Count("id", filter=Q(points=None)),
    )  # fmt: skip
    columns = ("epic", "all_parts", "done_parts", "all_points", "done_points", "unsized")
    found = {epic: Progress(*numbers) for epic, *numbers in rows.values_list(*columns)}
    return {epic: found.get(epic, Progress()) for epic in epics}


def count_warnings(service: Service, severities: Sequence[str], since: datetime, most: int) -> int:
    """Count the alerts of a service with these severities since a moment, up to `most`: the newest are looked at."""
    rows = AlertGroup.objects.filter(service=service, severity__in=severities).order_by("-id")
    return sum(opened >= since for opened in rows.values_list("opened_at", flat=True)[:most])


@dataclass
class Alarm:
    """An alarm by its key: how often it opened an alert group lately, and the newest of them."""

    service_id: int
    key: str
    group: int
    title: str
    times: int = 0


def frequent_alarms(team: Team, since: datetime, least: int) -> list[Alarm]:
    """Read which alarms fired `least` times or more since a moment, most often first; looks at the newest few thousand."""
    rows = AlertGroup.objects.filter(team=team, opened_at__gte=since).order_by("-id")
    found: dict[tuple[int, str], Alarm] = {}
    columns = ("pk", "service_id", "key", "title", "restarts")
    for pk, service, key, title, restarts in rows.values_list(*columns)[:MOST_ALARMS]:
        alarm = found.setdefault((service, key), Alarm(service, key, pk, title))
        alarm.times += 1 + restarts
    often = [alarm for alarm in found.values() if alarm.times >= least]
    return sorted(often, key=lambda alarm: (-alarm.times, -alarm.group))
