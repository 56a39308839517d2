"""What the pages of services show: the list, one service with whoever would be paged now, its monitors and payloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from django.db.models import Q, QuerySet

from watchbill.core import paging
from watchbill.db import facts
from watchbill.db.models import AlertGroup, Event, Inbox, MonitorConnection, Person, Service, Silence, Team

SERVICES_MOST = 300
PAYLOADS = 20
CHANGES = 10
LOOK_BACK = timedelta(hours=2)


@dataclass(frozen=True)
class Rung:
    """One rung of a service's ladder as it would be at this moment."""

    number: int
    people: list[str]
    why: str
    skipped: str
    wait: timedelta


@dataclass(frozen=True)
class Row:
    """One service of the list, with what is open in it and the monitors that speak of it."""

    service: Service
    open_groups: int
    monitors: list[str]
    heard: datetime | None


def list_services(
    teams: Sequence[int] | None, *, text: str = "", team: str = "", tier: str = "", archived: bool = False
) -> list[Row]:
    """Read services by name, each with its number of open alerts (up to 99) and its monitors."""
    rows = Service.objects.filter(archived_at__isnull=not archived).select_related("team", "ladder")
    rows = rows if teams is None else rows.filter(team__in=teams)
    if text:
        words = Q(name__icontains=text) | Q(description__icontains=text) | Q(environment__icontains=text)
        rows = rows.filter(words | Q(host__icontains=text) | Q(vendor__icontains=text))
    rows = rows.filter(team__slug=team) if team else rows
    rows = rows.filter(tier=int(tier)) if tier in {"1", "2", "3", "4"} else rows
    services = list(rows.order_by("tier", "name")[:SERVICES_MOST])
    ids = [service.pk for service in services]
    team_ids = {service.team_id for service in services}
    open_in = list(
        AlertGroup.objects.filter(team__in=team_ids, service__in=ids)
        .exclude(state="resolved")
        .values_list("service_id", flat=True)[:5000]
    )
    speaks: dict[int, list[MonitorConnection]] = {}
    for connection in MonitorConnection.objects.filter(service__in=ids, removed_at=None).order_by("id"):
        speaks.setdefault(connection.service_id, []).append(connection)
    return [
        Row(
            service,
            min(open_in.count(service.pk), 99),
            [connection.name for connection in speaks.get(service.pk, [])],
            max((c.last_heard_at for c in speaks.get(service.pk, []) if c.last_heard_at), default=None),
        )
        for service in services
    ]


def who_would_be_paged(service: Service, now: datetime) -> list[Rung]:
    """Tell whom each rung of the service's ladder stands for at this moment, and why."""
    if service.ladder is None:
        return []
    ladder = paging.read_ladder(service.ladder.steps, service.ladder.repeat)
    targets = [target for step in ladder.steps for target in step.targets]
    moment = facts.moment_of(service.team, facts.policy_of(service.team), now, targets)
    names = facts.names_of({person for reach in moment.reach.values() for person in reach.people})
    page = paging.Page("climbing", "", "important", -1, 1)
    rungs = []
    for number, step in enumerate(ladder.steps, 1):
        people = list(dict.fromkeys(names[p] for t in step.targets for p in moment.reach[t].people))
        why = "; ".join(moment.reach[target].why for target in step.targets)
        only = f"only for {', '.join(sorted(step.severities))}" if step.severities else ""
        skipped = only or paging.why_not(step, page, moment)
        rungs.append(Rung(number, people, why, skipped, step.wait))
    return rungs


def connections_of(service: Service) -> list[MonitorConnection]:
    """Read the monitors that may speak of a service."""
    return list(MonitorConnection.objects.filter(service=service, removed_at=None).order_by("id"))


def not_understood(service: Service) -> list[Inbox]:
    """Read the newest payloads of a service that no monitor understood, and one more than are shown."""
    rows = Inbox.objects.filter(service_id=service.pk, state__gt=1).defer("body").order_by("-id")
    return list(rows[: PAYLOADS + 1])


def recent_groups(service: Service) -> list[AlertGroup]:
    """Read a service's open alerts, then its newest."""
    groups = AlertGroup.objects.filter(service=service, team=service.team_id).select_related("service", "silence")
    open_ones = list(groups.exclude(state="resolved").order_by("-opened_at")[:20])
    newest = AlertGroup.objects.filter(team=service.team_id).order_by("-id").values_list("pk", "service_id")[:2000]
    mine = [pk for pk, owner in newest if owner == service.pk][:10]
    known = {group.pk for group in open_ones}
    return [*open_ones, *(g for g in groups.filter(pk__in=mine).order_by("-id") if g.pk not in known)]


def changes_of(service: Service) -> list[Event]:
    """Read what was changed in a service lately, the newest report first."""
    return list(_changes(service.pk).order_by("-id")[:CHANGES])


def changes_before(group: AlertGroup) -> list[Event]:
    """Read what was changed in a service in the `LOOK_BACK` before an alert, the latest change first."""
    rows = _changes(group.service_id).filter(at__gt=group.opened_at - LOOK_BACK, at__lte=group.opened_at)
    return list(rows.order_by("-at", "-id")[:CHANGES])


def _changes(service: int) -> QuerySet[Event]:
    return Event.objects.filter(subject_kind="service", subject_id=service, kind="change.reported")


def silences_of(service: Service, now: datetime) -> list[Silence]:
    """Read what is held back of a service now or soon."""
    rows = Silence.objects.filter(team=service.team_id, ended_at=None, ends_at__gt=now)
    return list(rows.filter(Q(service=service) | Q(service=None)).select_related("created_by").order_by("ends_at")[:20])


def last_payload(connection: MonitorConnection) -> Inbox | None:
    """Read what a connection received last from its own tool."""
    rows = Inbox.objects.filter(connection_id=connection.pk, monitor=connection.monitor)
    return rows.filter(service_id=connection.service_id).order_by("-id").first()


def show_payload(body: bytes, most: int = 100_000) -> str:
    """Show a payload as a person reads it: JSON with line breaks, anything else as text."""
    raw = bytes(body)
    try:
        text = msgspec.json.format(raw, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = raw.decode("utf-8", "replace")
    return text if len(text) <= most else text[:most] + "\n… cut here …"


def choosable_people(team: Team) -> list[tuple[int, str]]:
    """List who may be a leadership contact: everybody with an account, the team's own first."""
    mine = set(Person.objects.filter(memberships__team=team).values_list("pk", flat=True))
    people = Person.objects.filter(is_active=True).order_by("name", "id")
    return sorted(((p.pk, str(p)) for p in people), key=lambda pair: pair[0] not in mine)
