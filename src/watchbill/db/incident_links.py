"""Read what is linked to an incident, as whoever reads may see it, and the incidents that something belongs to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from django.db.models import Q

from watchbill.db.incident_facts import seen_by
from watchbill.db.models import (
    AlertGroup,
    Event,
    Incident,
    IncidentLink,
    Membership,
    Page,
    Person,
    Silence,
    SupportRequest,
    Ticket,
)


@dataclass(frozen=True)
class Named:
    """Something that may be linked: what it is called, where it is read, and whose it is."""

    title: str
    path: str
    team: int | None


@dataclass(frozen=True)
class Linked:
    """A link of an incident as its page shows it."""

    id: int
    kind: str
    subject_id: int
    note: str
    title: str
    path: str


def _alerts(numbers: Collection[int]) -> dict[int, Named]:
    rows = AlertGroup.objects.in_bulk(numbers)
    return {pk: Named(row.title, f"/alerts/{pk}/", row.team_id) for pk, row in rows.items()}


def _pages(numbers: Collection[int]) -> dict[int, Named]:
    rows = Page.objects.in_bulk(numbers)
    return {pk: Named(row.title, f"/pages/{pk}/", row.team_id) for pk, row in rows.items()}


def _requests(numbers: Collection[int]) -> dict[int, Named]:
    rows = SupportRequest.objects.in_bulk(numbers)
    return {pk: Named(f"R-{pk} {row.title}", f"/requests/{pk}/", row.team_id) for pk, row in rows.items()}


def _tickets(numbers: Collection[int]) -> dict[int, Named]:
    rows = Ticket.objects.in_bulk(numbers)
    return {pk: Named(f"T-{pk} {row.title}", f"/tickets/{pk}/", row.team_id) for pk, row in rows.items()}


def _changes(numbers: Collection[int]) -> dict[int, Named]:
    rows = Event.objects.filter(kind="change.reported").in_bulk(numbers)
    return {pk: Named(f"{row.why} ({row.at:%F %H:%M} UTC)", "", row.team_id) for pk, row in rows.items()}


def _silences(numbers: Collection[int]) -> dict[int, Named]:
    rows = Silence.objects.in_bulk(numbers)
    return {pk: Named(row.why or f"silence {pk}", "/silences/", row.team_id) for pk, row in rows.items()}


def _related(numbers: Collection[int]) -> dict[int, Named]:
    rows = Incident.objects.in_bulk(numbers)
    return {pk: Named(row.title, f"/incidents/{pk}/", row.team_id) for pk, row in rows.items()}


NAMES: dict[str, Callable[[Collection[int]], dict[int, Named]]] = {
    "alert": _alerts,
    "page": _pages,
    "request": _requests,
    "ticket": _tickets,
    "change": _changes,
    "silence": _silences,
    "related": _related,
}


def find_named(kind: str, number: int, reader: Person) -> Named | None:
    """Read what may be linked, as somebody may see it: of their teams, or an incident that they see; None: nothing."""
    return _seen(kind, [number], reader, lambda: _teams_of(reader)).get(number)


def _teams_of(reader: Person) -> set[int]:
    return set(Membership.objects.filter(person=reader).values_list("team", flat=True))


def _seen(kind: str, numbers: Collection[int], reader: Person, teams: Callable[[], set[int]]) -> dict[int, Named]:
    named = NAMES[kind](numbers)
    if kind == "related":
        seen = set(Incident.objects.filter(seen_by(reader), pk__in=named).values_list("pk", flat=True))
        return {pk: one for pk, one in named.items() if pk in seen}
    if reader.is_superuser or not named:
        return named
    return {pk: one for pk, one in named.items() if one.team in teams()}


def links_of(incident: Incident, reader: Person) -> list[Linked]:
    """Read what is linked to an incident, by kind; what the reader may not see is not in it."""
    rows = list(incident.links.order_by("kind", "id"))
    teams = cache(lambda: _teams_of(reader))
    found = []
    for kind, of_kind in groupby(rows, key=lambda row: row.kind):
        links = list(of_kind)
        named = _seen(kind, [row.subject_id for row in links], reader, teams)
        found += [
            Linked(row.pk, kind, row.subject_id, row.note, named[row.subject_id].title, named[row.subject_id].path)
            for row in links
            if row.subject_id in named
        ]
    return found


def merged_into(incident: Incident, reader: Person) -> list[Incident]:
    """Read what was merged into an incident, as far as the reader may see it, the oldest first."""
    numbers = list(Incident.objects.filter(merged_into=incident).values_list("pk", flat=True))
    # Most have none, and to ask who may see what takes Django longer than everything else of this panel.
    return list(Incident.objects.filter(seen_by(reader), pk__in=numbers).order_by("id")) if numbers else []


def incidents_with(kind: str, number: int, reader: Person) -> list[Incident]:
    """Read the incidents that something belongs to and that the reader may see, newest first."""
    numbers = IncidentLink.objects.filter(kind=kind, subject_id=number).values("incident")
    return list(Incident.objects.filter(seen_by(reader), Q(pk__in=numbers)).order_by("-id"))
