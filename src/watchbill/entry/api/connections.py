"""Connections: which monitors speak of a service, how each is set up and read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404
from ninja import Router, Status
from pydantic import BaseModel

from watchbill import monitors
from watchbill.actions import catalogue
from watchbill.actions.access import require
from watchbill.actions.once import once
from watchbill.core.signals import Signal
from watchbill.db.models import MonitorConnection, Person
from watchbill.entry.api.auth import Asked, may
from watchbill.entry.api.errors import answers
from watchbill.entry.api.paging_by_key import After, Limit, Listed, by_id
from watchbill.entry.api.visible import the_service
from watchbill.entry.api.words import ONCE_KEY, Given, Id, Json, Name, OnceKey, PersonRef, Shown, Slug, Word
from watchbill.kit.errors import Refused, Unreadable

router = Router(tags=["Services"])
MOST_SIGNALS = 20


class Connection(Shown):
    """One monitor's way in to a service; its key is shown by `set-up` alone."""

    id: int
    monitor: str
    name: str
    settings: dict[str, Any]
    created_at: datetime
    created_by: PersonRef | None
    last_heard_at: datetime | None
    removed_at: datetime | None

    @classmethod
    def of(cls, row: MonitorConnection) -> Connection:
        """Show a connection without its key."""
        return cls.read(row)


class SetUp(BaseModel):
    """How to connect the tool, with the key and the address to post to."""

    connection: int
    monitor: str
    key: str
    address: str
    text: str


class NewConnection(Given):
    """Which monitor to connect, and what to call it."""

    monitor: Word
    name: Name = ""


class TestAlert(Given):
    """A test alert goes the way of every other, and may page people."""

    severity: Word = "critical"


class Example(Given):
    """A payload as the tool would post it."""

    payload: Json


class Accepted(BaseModel):
    """The number under which a payload waits in the inbox."""

    payload: int


class NewSettings(Given):
    """The settings of a connection, as its monitor defines them."""

    settings: Json


class Trial(Given):
    """Settings to try, and the payload to try them on."""

    settings: Json
    payload: Json


class Becomes(BaseModel):
    """One alert that a payload would become."""

    state: str
    title: str
    fingerprint: str
    group: str
    severity: str
    source: str
    description: str
    labels: dict[str, str]

    @classmethod
    def of(cls, signal: Signal) -> Becomes:
        """Show a signal."""
        plain = ("state", "title", "fingerprint", "group", "severity", "source", "description")
        return cls(**{name: getattr(signal, name) for name in plain}, labels=dict(signal.labels))


class Mapped(BaseModel):
    """What does not work yet: the field, what stands there, and why."""

    field: str
    expression: str
    message: str


class Understood(BaseModel):
    """What a payload would become, at most 20 alerts shown of `count`."""

    signals: list[Becomes]
    count: int
    problems: list[Mapped]


def _the_connection(person: Person, slug: str, number: int) -> MonitorConnection:
    rows = MonitorConnection.objects.filter(service=the_service(person, slug)).select_related(
        "service", "service__team", "created_by"
    )
    found = rows.filter(pk=number).first()
    if found is None:
        raise Http404(f"{slug} has no connection {number}")
    return found


@router.get(
    "/{slug}/connections", auth=may("read"), response=answers(Listed[Connection]), summary="List a service's monitors"
)
def list_connections(request: Asked, slug: Slug, after: After = "", limit: Limit = 50) -> Listed[Connection]:
    """With when each was heard last, and without the keys."""
    rows = MonitorConnection.objects.filter(service=the_service(request.auth.person, slug))
    return by_id(rows.select_related("created_by"), after, limit, Connection.of)


@router.post(
    "/{slug}/connections",
    auth=may("write"),
    response=answers(Connection, 201),
    summary="Connect a monitor to a service",
)
def connect(request: Asked, slug: Slug, body: NewConnection) -> Status[Connection]:
    """Makes a key; `set-up` shows it with what to write in the tool."""
    caller = request.auth
    service = the_service(caller.person, slug)
    made = catalogue.connect_monitor(service, body.monitor, body.name, caller.person, caller.now)
    return Status(201, Connection.of(_the_connection(caller.person, slug, made.pk)))


@router.get(
    "/{slug}/connections/{number}/set-up",
    auth=may("write"),
    response=answers(SetUp),
    summary="Read how to set the monitor up, with its key",
)
def read_set_up(request: Asked, slug: Slug, number: Id) -> SetUp:
    """For members, with a token that may write: whoever has the key can raise alerts."""
    person = request.auth.person
    row = _the_connection(person, slug, number)
    require(person, row.service.team, "member", "see a monitor's key")
    return SetUp(
        connection=row.pk,
        monitor=row.monitor,
        key=row.key,
        address=settings.WATCHBILL_URL + monitors.address_of(row.monitor, row.key),
        text=monitors.write_set_up(row.monitor, settings.WATCHBILL_URL, row.key),
    )


@router.put(
    "/{slug}/connections/{number}/settings",
    auth=may("write"),
    response=answers(Connection),
    summary="Change how a monitor's payloads are read",
)
def change_settings(request: Asked, slug: Slug, number: Id, body: NewSettings) -> Connection:
    """As the monitor defines them, such as a mapping."""
    caller = request.auth
    row = _the_connection(caller.person, slug, number)
    catalogue.change_connection(row, dict(body.settings), caller.person, caller.now)
    return Connection.of(_the_connection(caller.person, slug, number))


@router.post(
    "/{slug}/connections/{number}/preview",
    auth=may("read"),
    response=answers(Understood),
    summary="See what a payload would become with new settings",
)
def preview(request: Asked, slug: Slug, number: Id, body: Trial) -> Understood:
    """For a monitor whose settings a person writes against a payload, such as generic. Nothing is changed."""
    row = _the_connection(request.auth.person, slug, number)
    module = monitors.all_monitors()[row.monitor]
    if not hasattr(module, "preview"):
        raise Refused(f"{module.TITLE} has nothing to set", "settings")
    try:
        seen = module.preview(dict(body.payload), dict(body.settings))
    except Unreadable as error:
        raise Refused(error.message, f"payload.{error.where}" if error.where else "payload") from None
    return Understood(
        signals=[Becomes.of(signal) for signal in seen.signals[:MOST_SIGNALS]],
        count=len(seen.signals),
        problems=[Mapped(field=one.field, expression=one.expression, message=one.message) for one in seen.problems],
    )


@router.delete(
    "/{slug}/connections/{number}", auth=may("write"), response=answers(Connection), summary="Disconnect a monitor"
)
def disconnect(request: Asked, slug: Slug, number: Id) -> Connection:
    """The door refuses its key within seconds; the row stays."""
    caller = request.auth
    catalogue.disconnect_monitor(_the_connection(caller.person, slug, number), caller.person, caller.now)
    return Connection.of(_the_connection(caller.person, slug, number))


@router.post(
    "/{slug}/connections/{number}/test",
    auth=may("write"),
    response=answers(Accepted, 201),
    summary="Send a test alert through a monitor's way in",
)
def send_test(
    request: Asked, slug: Slug, number: Id, body: TestAlert, idempotency_key: OnceKey = ONCE_KEY
) -> Status[Accepted]:
    """It goes the way of every other alert and may page people; with Idempotency-Key a retry raises no second one."""
    caller = request.auth
    row = _the_connection(caller.person, slug, number)

    def act() -> int:
        return catalogue.send_test_alert(row, body.severity, caller.person, caller.now)

    made = once(idempotency_key, f"test connection {row.pk}", caller.person, caller.now, act)
    return Status(201, Accepted(payload=made))


@router.post(
    "/{slug}/connections/{number}/examples",
    auth=may("write"),
    response=answers(Accepted, 201),
    summary="Send a payload by hand, as if the monitor had posted it",
)
def send_example(
    request: Asked, slug: Slug, number: Id, body: Example, idempotency_key: OnceKey = ONCE_KEY
) -> Status[Accepted]:
    """For owners. With Idempotency-Key a retry raises no second alert."""
    caller = request.auth
    row = _the_connection(caller.person, slug, number)
    text = body.model_dump_json(include={"payload"})

    def act() -> int:
        inner = text.removeprefix('{"payload":').removesuffix("}")
        return catalogue.send_example(row, inner, caller.person, caller.now)

    made = once(idempotency_key, f"example for connection {row.pk}", caller.person, caller.now, act)
    return Status(201, Accepted(payload=made))
