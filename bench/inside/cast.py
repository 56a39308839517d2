"""A team for a bench: a handful of people who can be reached, services with monitors, all at one fixed instant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from watchbill.actions import catalogue, ladders, rota
from watchbill.db.models import (
    ContactAddress,
    Inbox,
    Membership,
    MonitorConnection,
    NotificationRule,
    Person,
    Service,
    Team,
)
from watchbill.entry.server import prepare

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
STEPS = [{"targets": ["seat:engineer"], "wait_minutes": 5}, {"targets": ["team"], "wait_minutes": 10}]


def build(services: int, monitor: str = "events_v2", people: int = 4, now: datetime = NOW) -> list[MonitorConnection]:
    """Make an empty instance's one team; gives the way in to each of its services."""
    prepare()
    cast = [make_person(number, now) for number in range(people)]
    team = Team.objects.create(slug="bench", name="Bench", zone="UTC", fallback=cast[0], created_at=now)
    for number, person in enumerate(cast):
        Membership.objects.create(
            team=team, person=person, role="member" if number else "owner", created_at=now, skills=[]
        )
    ladder = ladders.add_ladder(team, "Standard", STEPS, 1, cast[0], now)
    rota.create_rotation(team, "Engineers", rotation_settings([person.pk for person in cast]), cast[0], now)
    made = [
        catalogue.add_service(team, {"name": f"service {number}", "ladder": ladder.pk}, cast[0], now)
        for number in range(services)
    ]
    return [catalogue.connect_monitor(service, monitor, "", cast[0], now) for service in made]


def rotation_settings(people: Sequence[int], **more: Any) -> dict[str, Any]:
    """Give the settings of a plain weekly rotation of these people."""
    return {
        "zone": "UTC",
        "unit": "week",
        "handoff_at": "09:00",
        "handoff_weekday": 0,
        "starts_on": "2026-03-02",
        "seats": [{"name": "engineer"}],
        "members": [{"person": person} for person in people],
        **more,
    }


def make_person(number: int, now: datetime = NOW) -> Person:
    """Write a person with one verified e-mail address and a rule for it."""
    person = Person.objects.create_user(f"person{number}@bench.example", None, name=f"Person {number}")
    address = ContactAddress.objects.create(
        person=person,
        channel="email",
        label="mail",
        address={"email": person.email},
        created_at=now,
        verified_at=now,
    )
    for urgency in ("important", "default"):
        NotificationRule.objects.create(person=person, urgency=urgency, address=address)
    return person


def arrive(payloads: Iterable[tuple[MonitorConnection, object]], now: datetime = NOW) -> int:
    """Store payloads in the inbox, in order; gives how many."""
    rows = [
        Inbox(
            received_at=now,
            service_id=connection.service_id,
            connection_id=connection.pk,
            monitor=connection.monitor,
            body=json.dumps(payload).encode(),
        )
        for connection, payload in payloads
    ]
    Inbox.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def event(key: str, severity: str = "critical", action: str = "trigger") -> dict[str, Any]:
    """Give an event of Events v2."""
    content = {"summary": f"Trouble with {key}", "source": "host-1", "severity": severity, "component": "disk"}
    return {"routing_key": "x", "event_action": action, "dedup_key": key, "payload": content}


def alertmanager(group: str, alerts: Sequence[dict[str, Any]], status: str = "firing") -> dict[str, Any]:
    """Give a notification of Prometheus Alertmanager."""
    return {
        "version": "4",
        "groupKey": group,
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "watchbill",
        "groupLabels": {"alertname": "HighLoad"},
        "commonLabels": {"alertname": "HighLoad"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": list(alerts),
    }


def one_alert(number: int, severity: str, status: str = "firing") -> dict[str, Any]:
    """Give one alert inside such a notification."""
    return {
        "status": status,
        "labels": {"alertname": "HighLoad", "instance": f"node-{number}:9100", "job": "node", "severity": severity},
        "annotations": {"summary": f"Load of node-{number} is high", "description": "above 20 for 5 minutes"},
        "startsAt": "2026-03-03T08:59:01.123Z",
        "endsAt": "2026-03-03T09:01:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=node_load1",
        "fingerprint": f"{number:016x}",
    }


def connect(service: Service, monitor: str) -> MonitorConnection:
    """Give a service one more way in."""
    return catalogue.connect_monitor(service, monitor, "", Person.objects.order_by("id")[0], NOW)
