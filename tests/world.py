"""A small team's world for tests: built through the actions, at a time that only the test moves."""

from __future__ import annotations

import email
import email.policy
import json
import pickle
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from random import SystemRandom
from typing import Any

from aiosmtpd.controller import Controller

from watchbill.actions import catalogue, exports, rota, timers
from watchbill.db.models import (
    AlertGroup,
    ContactAddress,
    Event,
    Inbox,
    Ladder,
    Membership,
    MonitorConnection,
    NotificationRule,
    Outgoing,
    Page,
    Person,
    Policy,
    Rotation,
    Service,
    Team,
)
from watchbill.egress import Allow, Client
from watchbill.entry.worker.loop import Worker

TUESDAY_NINE = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


class Mailbox:
    """A real SMTP server; `refuse` makes it answer RCPT for an address with an SMTP line of its own."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.refusals: dict[str, str] = {}
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def start(self) -> None:
        self.controller.start()

    def stop(self) -> None:
        self.controller.stop()

    def clear(self) -> None:
        self.messages.clear()
        self.refusals.clear()

    def refuse(self, address: str, line: str) -> None:
        self.refusals[address] = line

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        message["X-To"] = envelope.rcpt_tos[0]
        self.messages.append(message)
        return "250 taken"

    def channel_settings(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.port, "security": "none", "sender": "watch@watchbill.test"}

    def to(self, person: Person) -> list[EmailMessage]:
        return [message for message in self.messages if message["X-To"] == person.email]

    def readers(self) -> list[str]:
        return [message["X-To"] for message in self.messages]


# Below the ports that the system gives to outgoing connections (from 32768 on Linux): those are lost as soon as found.
PORTS = range(12_000, 32_000)
_given: set[int] = set()


def free_port() -> int:
    """Find a port of the loopback that nobody listens on; none is given twice."""
    while True:
        port = SystemRandom().choice(PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


@dataclass
class World:
    """The cast and the things they own; `now` moves only by `forward`."""

    now: datetime
    mailbox: Mailbox
    people: dict[str, Person]
    team: Team
    service: Service
    ladder: Ladder
    rotation: Rotation
    connection: MonitorConnection
    key: str
    worker: Worker = field(init=False)

    def __post_init__(self) -> None:
        # No window: a test that stands still, or goes back in time, waits for no company. Those of bundling set one.
        http = Client(Allow.read("127.0.0.0/8,::1,localhost"))
        self.worker = Worker(lambda: self.now, http, window=timedelta())

    def __getattr__(self, name: str) -> Person:
        people = self.__dict__.get("people", {})
        if name in people:
            return people[name]
        raise AttributeError(name)

    def arrives(self, payload: Any, note: dict[str, Any] | None = None) -> None:
        """A payload is accepted at the door."""
        Inbox.objects.create(
            received_at=self.now,
            service_id=self.service.pk,
            connection_id=self.connection.pk,
            monitor=self.connection.monitor,
            body=json.dumps(payload).encode(),
            note=json.dumps(note) if note else "",
            sender="127.0.0.1",
        )

    def event(
        self,
        action: str = "trigger",
        key: str = "disk-full",
        severity: str = "critical",
        summary: str = "Disk full on db1",
    ) -> None:
        """An Events v2 event is accepted at the door."""
        self.arrives(
            {
                "routing_key": self.key,
                "event_action": action,
                "dedup_key": key,
                "payload": {"summary": summary, "source": "db1", "severity": severity},
            }
        )

    def work(self) -> None:
        """The worker does whatever is due now."""
        self.worker.drain()

    def forward(self, **by: float) -> None:
        """Time passes in small steps, and the worker works at each due moment."""
        end = self.now + timedelta(**by)
        while True:
            due = [at for at in (timers.next_due(), outgoing_due(), exports.next_due()) if at and at <= end]
            if not due:
                break
            self.now = max(self.now, min(due))
            self.worker.drain()
        self.now = end
        self.worker.drain()

    def group(self) -> AlertGroup:
        return AlertGroup.objects.latest("id")

    def page(self) -> Page:
        return Page.objects.latest("id")

    def story(self, subject: Page | AlertGroup) -> list[str]:
        kind = "page" if isinstance(subject, Page) else "alert"
        return list(
            Event.objects.filter(subject_kind=kind, subject_id=subject.pk).order_by("id").values_list("kind", flat=True)
        )

    def reasons(self, subject: Page | AlertGroup) -> str:
        kind = "page" if isinstance(subject, Page) else "alert"
        return "\n".join(
            Event.objects.filter(subject_kind=kind, subject_id=subject.pk).order_by("id").values_list("why", flat=True)
        )


def outgoing_due() -> datetime | None:
    return Outgoing.objects.filter(due_at__isnull=False).order_by("due_at").values_list("due_at", flat=True).first()


def make_person(name: str, now: datetime, *, addresses: bool = True, **fields: Any) -> Person:
    """A person with a verified e-mail address and rules for both urgencies."""
    person = Person.objects.create_user(f"{name.lower()}@example.org", "correct horse 9", name=name, **fields)
    if addresses:
        address = ContactAddress.objects.create(
            person=person,
            channel="email",
            label="work",
            address={"email": person.email},
            created_at=now,
            verified_at=now,
        )
        for urgency in ("important", "default"):
            NotificationRule.objects.create(person=person, urgency=urgency, address=address, after_seconds=0)
    return person


def build_world(mailbox: Mailbox, now: datetime = TUESDAY_NINE) -> World:
    people = {name.lower(): make_person(name, now) for name in ("Ana", "Ben", "Eva", "Olga", "Charlie")}
    team = Team.objects.create(slug="platform", name="Platform", zone="UTC", fallback=people["eva"], created_at=now)
    other = Team.objects.create(slug="payments", name="Payments", zone="UTC", created_at=now)
    for name, role, where in (
        ("eva", "owner", team),
        ("ana", "member", team),
        ("ben", "member", team),
        ("olga", "observer", team),
        ("charlie", "owner", other),
    ):
        Membership.objects.create(team=where, person=people[name], role=role, created_at=now)
    Policy.objects.create(team=team, version=1, preset="oncall-remodel", settings={}, adopted_at=now, why="test")
    ladder = Ladder.objects.create(
        team=team,
        name="Standard",
        steps=[
            {"targets": ["seat:engineer"], "wait_minutes": 5},
            {"targets": ["next:engineer"], "wait_minutes": 5},
            {"targets": ["team"], "wait_minutes": 10},
        ],
        repeat=1,
        changed_at=now,
    )
    service = Service.objects.create(team=team, slug="checkout", name="checkout", ladder=ladder, created_at=now)
    settings = {
        "zone": "UTC",
        "unit": "week",
        "handoff_at": "09:00",
        "handoff_weekday": 0,
        "starts_on": (now - timedelta(days=now.weekday())).date().isoformat(),
        "seats": [{"name": "engineer"}],
        "members": [{"person": people["ana"].pk}, {"person": people["ben"].pk}],
    }
    rotation = rota.create_rotation(team, "Engineers", settings, people["eva"], now)
    connection = catalogue.connect_monitor(service, "events_v2", "Prometheus", people["eva"], now)
    return World(now, mailbox, people, team, service, ladder, rotation, connection, connection.key)


def freeze(world: World) -> bytes:
    """Give what a test holds of a world that stands in the database, to hold it anew in each test."""
    return pickle.dumps({name: value for name, value in vars(world).items() if name not in {"mailbox", "worker"}})


def thaw(frozen: bytes, mailbox: Mailbox) -> World:
    return World(**pickle.loads(frozen), mailbox=mailbox)
