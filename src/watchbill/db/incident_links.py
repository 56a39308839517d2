"""Read what is linked to an incident, as whoever reads may see it, and the incidents that something belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


def _alert(number: int) -> Named | None:
    row = AlertGroup.objects.filter(pk=number).first()
    return Named(row.title, f"/alerts/{number}/", row.team_id) if row else None


def _page(number: int) -> Named | None:
    row = Page.objects.filter(pk=number).first()
    return Named(row.title, f"/pages/{number}/", row.team_id) if row else None


def _request(number: int) -> Named | None:
    row = SupportRequest.objects.filter(pk=number).first()
    return Named(f"R-{number} {row.title}", f"/requests/{number}/", row.team_id) if row else None


def _ticket(number: int) -> Named | None:
    row = Ticket.objects.filter(pk=number).first()
    return Named(f"T-{number} {row.title}", f"/tickets/{number}/", row.team_id) if row else None


def _change(number: int) -> Named | None:
    row = Event.objects.filter(pk=number, kind="change.reported").first()
    return Named(f"{row.why} ({row.at:%F %H:%M} UTC)", "", row.team_id) if row else None


def _silence(number: int) -> Named | None:
    row = Silence.objects.filter(pk=number).first()
    return Named(row.why or f"silence {number}", "/silences/", row.team_id) if row else None


def _related(number: int) -> Named | None:
    row = Incident.objects.filter(pk=number).first()
    return Named(row.title, f"/incidents/{number}/", row.team_id) if row else None


NAMES: dict[str, Callable[[int], Named | None]] = {
    "alert": _alert,
    "page": _page,
    "request": _request,
    "ticket": _ticket,
    "change": _change,
    "silence": _silence,
    "related": _related,
}


def find_named(kind: str, number: int, reader: Person) -> Named | None:
    """Read what may be linked, as somebody may see it: of their teams, or an incident that they see; None: nothing."""
    named = NAMES[kind](number)
    if named is None:
        return None
    if kind == "related":
        return named if Incident.objects.filter(seen_by(reader), pk=number).exists() else None
    mine = Membership.objects.filter(team=named.team, person=reader).exists()
    return named if mine or reader.is_superuser else None


def links_of(incident: Incident, reader: Person) -> list[Linked]:
    """Read what is linked to an incident; what the reader may not see is not in it."""
    found = []
    for row in incident.links.order_by("kind", "id"):
        named = find_named(row.kind, row.subject_id, reader)
        if named is not None:
            found.append(Linked(row.pk, row.kind, row.subject_id, row.note, named.title, named.path))
    return found


def incidents_with(kind: str, number: int, reader: Person) -> list[Incident]:
    """Read the incidents that something belongs to and that the reader may see, newest first."""
    numbers = IncidentLink.objects.filter(kind=kind, subject_id=number).values("incident")
    return list(Incident.objects.filter(seen_by(reader), Q(pk__in=numbers)).order_by("-id"))
