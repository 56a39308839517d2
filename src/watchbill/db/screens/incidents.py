"""What the pages of incidents show. Every path begins with what the reader may see: a private one is nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from watchbill.db.incident_facts import seen_by
from watchbill.db.models import Export, Incident, IncidentLink, IncidentMember, Person, RoleAssignment, Team
from watchbill.db.models.incidents import NOT_OVER

ROWS = 50
OPEN_MOST = 200
NOW_MOST = 8
COUNTED = 99
STATES = ("", "active", "mitigated", "resolved", "closed")


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; the empty word means all. `exercise`: "", "no" or "only"."""

    state: str = ""
    team: str = ""
    severity: str = ""
    service: str = ""
    exercise: str = ""
    text: str = ""


def find_incident(person: Person, number: int) -> Incident | None:
    """Find an incident that somebody may see; None also for one of others, or a private one."""
    rows = Incident.objects.filter(seen_by(person), pk=number).select_related(
        "team__fallback", "team__manager", "team__product_manager", "service", "owner", "declared_by"
    )
    # Not first(): it would put the one row in order, which takes Django longer than to read it.
    return next(iter(rows), None)


def _seen(person: Person) -> QuerySet[Incident]:
    return Incident.objects.filter(seen_by(person)).select_related("team", "service", "owner", "declared_by")


def open_incidents(person: Person, filters: Filters) -> list[Incident]:
    """Read what is not over, the newest first."""
    return list(narrow(_seen(person).filter(NOT_OVER), filters).order_by("-pk")[:OPEN_MOST])


def past_incidents(person: Person, filters: Filters, before: int | None) -> list[Incident]:
    """Read one screen of what is over, the newest first, and one more, which tells that there are more."""
    rows = narrow(_seen(person).exclude(NOT_OVER), filters)
    rows = rows if before is None else rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[: ROWS + 1])


def every_incident(person: Person, filters: Filters, most: int) -> Iterator[Incident]:
    """Read all incidents of a filtered list, what is not over first, screen by screen."""
    yield from open_incidents(person, filters)
    before: int | None = None
    for _ in range(most // ROWS):
        rows = past_incidents(person, filters, before)
        yield from rows[:ROWS]
        if len(rows) <= ROWS:
            return
        before = rows[ROWS - 1].pk


def narrow(rows: QuerySet[Incident], filters: Filters) -> QuerySet[Incident]:
    """Keep what a list is narrowed to."""
    equal = {"state": filters.state, "team__slug": filters.team, "severity": filters.severity}
    rows = rows.filter(**{name: value for name, value in equal.items() if value})
    if filters.service:
        rows = rows.filter(Q(service__slug=filters.service) | Q(touched__service__slug=filters.service)).distinct()
    if filters.exercise:
        rows = rows.filter(is_exercise=filters.exercise == "only")
    return rows.filter(_holds(filters.text)) if filters.text else rows


def number_in(text: str) -> int | None:
    """Read I-12, or a number alone; None: it is neither."""
    number = text.strip().lower().removeprefix("i-")
    return int(number) if number.isdecimal() and len(number) < 16 else None


def _holds(text: str) -> Q:
    number = number_in(text)
    if number is not None:
        return Q(pk=number)
    words = Q()
    for word in text.split()[:8]:
        words &= Q(title__icontains=word) | Q(impact__icontains=word) | Q(summary__icontains=word)
    return words


def search_incidents(person: Person, text: str, most: int) -> list[Incident]:
    """Find incidents by their number, or by words of what they are, the newest first."""
    return list(_seen(person).filter(_holds(text)).order_by("-pk")[:most])


def count_open(person: Person) -> int:
    """Count what is not over of somebody's own teams, and of what names them, up to 99; no exercises."""
    return len(_mine(person).filter(is_exercise=False).values_list("pk", flat=True)[:COUNTED])


def incidents_now(person: Person) -> list[Incident]:
    """Read what is not over of somebody's own teams, and what names them."""
    return list(_mine(person).order_by("-pk")[:NOW_MOST])


def open_of_team(person: Person, team: Team) -> list[Incident]:
    """Read what is not over of one team, among what somebody may see; exercises last."""
    return list(_seen(person).filter(NOT_OVER, team=team).order_by("is_exercise", "-pk")[:NOW_MOST])


def _mine(person: Person) -> QuerySet[Incident]:
    named = Q(pk__in=IncidentMember.objects.filter(person=person).values("incident"))
    held = Q(pk__in=RoleAssignment.objects.filter(person=person, state="accepted").values("incident"))
    mine = Q(team__memberships__person=person) | Q(owner=person) | named | held
    return _seen(person).filter(NOT_OVER).filter(pk__in=Incident.objects.filter(NOT_OVER).filter(mine).values("pk"))


def linked_incidents(person: Person, kind: str, number: int) -> list[Incident]:
    """Read the incidents that something belongs to, among what somebody may see."""
    links = IncidentLink.objects.filter(kind=kind, subject_id=number).values("incident")
    return list(_seen(person).filter(pk__in=links).order_by("-pk")[:ROWS])


def call_asked_for(incident: Incident) -> Export | None:
    """Read how far the call is that a service is to open; None: nobody was asked."""
    rows = Export.objects.filter(subject_kind="incident", subject_id=incident.pk, what="call.open")
    return rows.exclude(state="dropped").select_related("connection").order_by("id").last()


def commanders_of(incidents: Sequence[Incident]) -> dict[int, Person]:
    """Read who commands, by incident."""
    rows = RoleAssignment.objects.filter(incident__in=incidents, role="commander", state="accepted")
    return {row.incident_id: row.person for row in rows.select_related("person").order_by("id")}
