"""Read what decisions about planned work need, what stands in its way, and what lies ahead of a team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from watchbill.core import notices
from watchbill.db.incident_facts import seen_by
from watchbill.db.models import Incident, Membership, Notice, Person
from watchbill.db.models.incidents import NOT_OVER

GOING = ("draft", "announced", "in_progress")


@dataclass(frozen=True)
class Conflict:
    """Something else on a service of planned work, at its time: an incident or other planned work."""

    kind: str
    id: int
    title: str
    services: str


def notice_fact(notice: Notice) -> notices.Notice:
    """Give what decisions need of planned work."""
    return notices.Notice(notice.state, notice.title, notice.starts_at, notice.ends_at)


def conflicts_of(notice: Notice, reader: Person) -> list[Conflict]:
    """Read what else stands on the services of planned work, as far as the reader may see it."""
    if notice.state in notices.OVER:
        return []
    services = list(notice.services.order_by("name"))
    touched = Q(service__in=services) | Q(touched__service__in=services)
    incidents = Incident.objects.filter(NOT_OVER, seen_by(reader)).filter(touched).distinct().order_by("id")
    found = [
        Conflict("incident", one.pk, one.title, ", ".join(sorted({str(s) for s in services if _touches(one, s.pk)})))
        for one in incidents
    ]
    others = Notice.objects.filter(services__in=services, state__in=GOING).exclude(pk=notice.pk).distinct()
    others = others.filter(starts_at__lt=notice.ends_at, ends_at__gt=notice.starts_at).order_by("starts_at", "id")
    return found + [
        Conflict("notice", one.pk, one.title, ", ".join(str(s) for s in one.services.order_by("name") if s in services))
        for one in others
    ]


def _touches(incident: Incident, service: int) -> bool:
    return incident.service_id == service or incident.touched.filter(service=service).exists()


def notices_seen_by(person: Person) -> Q:
    """Give the planned work that somebody may see, as a condition on `Notice`: that of their teams."""
    return Q() if person.is_superuser else Q(team__in=Membership.objects.filter(person=person).values("team"))


def notices_now(teams: list[int], now: datetime, ahead: timedelta) -> list[Notice]:
    """Read the planned work of teams that goes on, should have begun, or begins soon; drafts are nobody's news."""
    soon = Q(state="announced", starts_at__lt=now + ahead) | Q(state="in_progress")
    rows = Notice.objects.filter(soon, team__in=teams).select_related("team").prefetch_related("services")
    return list(rows.order_by("starts_at", "id"))
