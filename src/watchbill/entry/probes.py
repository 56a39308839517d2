"""Is it alive, is it ready, how is it doing: for load balancers, Prometheus and a dead man's switch outside."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from django.db import DatabaseError, connections
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from watchbill.actions import timers
from watchbill.db.channel_health import failing_channels
from watchbill.db.models import AlertGroup, Event, Inbox, Outgoing, Page, Timer
from watchbill.entry import clock

LATE = timedelta(seconds=60)
MOST_COUNTED = 100_000


def lateness(now: datetime) -> timedelta:
    """Read by how much the process is behind: the oldest due timer, message or payload that nobody took."""
    due = [timers.next_due()]
    due.append(Outgoing.objects.filter(due_at__lt=now).order_by("due_at").values_list("due_at", flat=True).first())
    due.append(Inbox.objects.filter(state=Inbox.WAITING).order_by("id").values_list("received_at", flat=True).first())
    return max((now - at for at in due if at is not None and at < now), default=timedelta())


def answer(path: str, authorization: str, metrics_token: str) -> tuple[int, str, bytes]:
    """Answer a probe: status, content type, body. Never raises for a database that is away: it says so."""
    if path == "/healthz":
        return 200, "text/plain; charset=utf-8", b"alive\n"
    try:
        return _ready() if path == "/readyz" else _metrics(authorization, metrics_token)
    except DatabaseError as error:
        return 503, "text/plain; charset=utf-8", f"the database does not answer: {type(error).__name__}\n".encode()
    finally:
        connections.close_all()


def _ready() -> tuple[int, str, bytes]:
    """Ready means that requests can be served. Late work is said, but it closes no door: a balancer that took every
    node away because the workers are behind would refuse the alerts that could still be stored.
    """
    late = lateness(clock.now())
    troubles = [f"work is {int(late.total_seconds())} s late: no worker keeps up"] if late > LATE else []
    for channel, line in failing_channels().items():
        troubles.append(f"{channel} fails since {line.at:%F %H:%M} UTC: Settings say why")
    text = f"ready, but {'; '.join(troubles)}\n" if troubles else "ready\n"
    return 200, "text/plain; charset=utf-8", text.encode()


def _metrics(authorization: str, token: str) -> tuple[int, str, bytes]:
    if token and not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        return 401, "text/plain; charset=utf-8", b"/metrics wants the bearer token of WATCHBILL_METRICS_TOKEN\n"
    registry = CollectorRegistry()
    for name, help_, value in measures(clock.now()):
        Gauge(f"watchbill_{name}", help_, registry=registry).set(value)
    return 200, "text/plain; version=0.0.4; charset=utf-8", generate_latest(registry)


def measures(now: datetime) -> list[tuple[str, str, float]]:
    """Read what /metrics shows. Nothing counts a whole table: waiting things are few, and capped."""

    def count(rows: object) -> float:
        return float(len(rows.values_list("pk", flat=True)[:MOST_COUNTED]))  # type: ignore[attr-defined]

    newest = Event.objects.order_by("-id").values_list("id", flat=True).first()
    open_groups = AlertGroup.objects.exclude(state="resolved")
    return [
        ("late_seconds", "Age of the oldest due work that nobody took.", lateness(now).total_seconds()),
        ("timers", "Timers that wait for their time.", count(Timer.objects.all())),
        ("inbox_waiting", "Accepted payloads not yet read.", count(Inbox.objects.filter(state=Inbox.WAITING))),
        (
            "inbox_not_understood",
            "Payloads kept that no monitor understands.",
            count(Inbox.objects.filter(state__gt=Inbox.PARSED)),
        ),
        ("outgoing_waiting", "Messages that have not left.", count(Outgoing.objects.filter(due_at__isnull=False))),
        ("alert_groups_open", "Alert groups that are not resolved.", count(open_groups)),
        ("channels_failing", "Channels that fail on the operator's side.", float(len(failing_channels()))),
        ("pages_open", "Pages that are not resolved.", count(Page.objects.filter(closed_at=None))),
        ("events_written", "Number of the newest line in the log.", float(newest or 0)),
    ]
