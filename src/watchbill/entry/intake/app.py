"""The door of the monitors: a lean ASGI application in front of Django. 202 means: it is on disk.

    POST /v2/enqueue             PagerDuty's Events v2, with its status codes and error body
    POST /v2/change/enqueue      PagerDuty's change events, with the same key
    POST /in/<monitor>/<key>     whatever <monitor> reads; the key may come in a header instead

Not a Django view: Django's handler alone costs ten times what storing costs. What is JSON is kept, understood or not;
reading it is the worker's part. Neither a key nor a body is ever logged.
"""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import Any, NamedTuple

from watchbill.actions.changes import CHANGE_NOTE
from watchbill.actions.intake import InboxRow, Intake, open_checkpointer, open_writer
from watchbill.db.inbox_keys import KeyOwner
from watchbill.entry import clock
from watchbill.entry.intake.answers import (
    JSON,
    ONLY_POST,
    PAGERDUTY,
    PLAIN,
    Answer,
    Dialect,
    Expected,
    Refusal,
    Send,
    WrongKey,
    encode,
    refuse,
)
from watchbill.entry.intake.keys import KeyTable
from watchbill.entry.intake.reading import (
    Receive,
    Scope,
    SenderGone,
    is_plainly_right,
    key_in_headers,
    read_json,
    read_on,
)
from watchbill.monitors import all_monitors, check_change

ENQUEUE = "/v2/enqueue"
CHANGE = "/v2/change/enqueue"
IN = "/in/"
PATHS = (ENQUEUE, CHANGE, IN)
EVENTS = "events_v2"
CHANGE_TAKEN = encode({"status": "success", "message": "Change event processed"})
LARGEST_EVENT = 512 * 1024  # "Events API v2 Overview": larger ones are refused
LARGEST_BODY = 1024 * 1024


class Entrance(NamedTuple):
    """Where a request came in: for which monitor, with which key in the path, and how it expects to be answered."""

    monitor: str
    key: str
    dialect: Dialect
    largest: int
    is_change: bool = False


class Parcel(NamedTuple):
    """What a body holds that the door must know: its key, and for an event how it will be recognised."""

    key: str
    dedup_key: object = None
    note: str = ""


EVENTS_ENTRANCE = Entrance(EVENTS, "", PAGERDUTY, LARGEST_EVENT)
CHANGE_ENTRANCE = Entrance(EVENTS, "", PAGERDUTY, LARGEST_EVENT, is_change=True)
NO_ENTRANCE = Entrance("", "", PLAIN, 0)


class IntakeApp:
    """An ASGI application. `startup` and `drain` belong to whoever serves it (or to ASGI's lifespan, when alone)."""

    def __init__(self, intake: Intake | None = None) -> None:
        self.intake = intake or Intake(open_writer())
        self.keys = KeyTable()
        self._checkpointer = open_checkpointer()

    async def startup(self) -> None:
        """Begin to take requests."""
        self.intake.start()
        await self.keys.start()
        if self._checkpointer is not None:
            self._checkpointer.start()

    async def drain(self, deadline: float = 8.0) -> None:
        """Take nothing more, answer what is held within `deadline` seconds, stop the threads."""
        await self.intake.drain(deadline)
        await self.keys.stop()
        if self._checkpointer is not None and self._checkpointer.is_alive():
            await asyncio.to_thread(self._checkpointer.stop)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._live(receive, send)
            return
        entrance = NO_ENTRANCE
        try:
            entrance = find_entrance(scope)
            answer = await self._store(entrance, scope, receive)
        except SenderGone:
            return
        except Expected as error:
            answer = refuse(error, entrance.dialect)
        status, body, more = answer
        headers = [JSON, (b"content-length", b"%d" % len(body)), *more]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    # Few and long steps: each coroutine between uvicorn and the disk costs every request half a microsecond.
    async def _store(self, entrance: Entrance, scope: Scope, receive: Receive) -> Answer:
        """Put a request on disk; raises one of the expected errors."""
        now = clock.now()
        message = await receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body", True) or len(body) > entrance.largest:
            body = await read_on(receive, message, entrance.largest)
        parcel = (open_event if entrance.monitor == EVENTS else open_any)(read_json(body), entrance, scope)
        owner = self.keys.find(parcel.key)
        if owner is None or owner.monitor != entrance.monitor:
            owner = await self._find_owner(parcel.key, entrance.monitor)
        client = scope.get("client")
        sender = client[0][:64] if client else ""  # behind a proxy it is what a stranger's header says
        row = InboxRow(now, owner.service_id, owner.connection_id, entrance.monitor, body, parcel.note, sender)
        number = await self.intake.take(row)
        if entrance.is_change:
            return Answer(202, CHANGE_TAKEN)
        if entrance.monitor == EVENTS:
            said = {"status": "success", "message": "Event processed", "dedup_key": parcel.dedup_key}
            return Answer(202, encode(said))
        return Answer(202, encode({"status": "accepted", "id": number}))

    async def _find_owner(self, key: str, monitor: str) -> KeyOwner:
        """Look for a key that is not known, or say why it does not open this entrance; raises WrongKey, InboxAway."""
        owner = self.keys.find(key) or (await self.keys.find_anew(key) if key else None)
        if owner is None or owner.monitor != monitor:
            raise WrongKey(_say_why_not(owner, key, monitor))
        return owner

    async def _live(self, receive: Receive, send: Send) -> None:
        """Follow ASGI's lifespan, for a server that serves nothing but this."""
        await receive()
        await self.startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.drain()
        await send({"type": "lifespan.shutdown.complete"})


def find_entrance(scope: Scope) -> Entrance:
    """Tell where a request comes in; raises Refusal for an address or a method that there is not."""
    path: str = scope["path"]
    entrance = EVENTS_ENTRANCE
    if path == CHANGE:
        entrance = CHANGE_ENTRANCE
    elif path != ENQUEUE:
        monitor, _, key = path.removeprefix(IN).rstrip("/").partition("/")
        if not path.startswith(IN) or monitor not in all_monitors():
            known = ", ".join(f"{IN}{name}/<key>" for name in all_monitors())
            raise Refusal(404, f"There is nothing at this address. Monitors post to {ENQUEUE} or to one of: {known}.")
        entrance = Entrance(monitor, key, PLAIN, LARGEST_BODY)
        if monitor == EVENTS:
            entrance = EVENTS_ENTRANCE._replace(key=key)
    if scope["method"] != "POST":
        text = f"This address takes POST with a JSON body, not {scope['method']}."
        raise Refusal(405, text, headers=(ONLY_POST,))
    return entrance


def open_any(value: object, entrance: Entrance, scope: Scope) -> Parcel:
    """Find the key of a request whose content is the worker's to read."""
    return Parcel(entrance.key or key_in_headers(scope))


def open_event(event: object, entrance: Entrance, scope: Scope) -> Parcel:
    """Check an event of Events v2; a trigger without a `dedup_key` is given one. Raises Refusal."""
    if entrance.is_change:
        return open_change(event, scope)
    if not is_plainly_right(event):
        check: Any = all_monitors()[EVENTS].check
        if errors := check(event):
            raise Refusal(400, *errors)
    assert isinstance(event, dict)  # noqa: S101 - for mypy: both checks say so
    key = entrance.key or str(event.get("routing_key") or "") or key_in_headers(scope)
    dedup_key = event.get("dedup_key")
    if dedup_key and str(dedup_key).strip():
        return Parcel(key, dedup_key)
    made = token_hex(16)
    return Parcel(key, made, f'{{"dedup_key": "{made}"}}')


def open_change(event: object, scope: Scope) -> Parcel:
    """Check a change event; its note tells the worker what it is. Raises Refusal."""
    if errors := check_change(event):
        raise Refusal(400, *errors)
    assert isinstance(event, dict)  # noqa: S101 - for mypy: the check says so
    return Parcel(str(event.get("routing_key") or "") or key_in_headers(scope), None, CHANGE_NOTE)


def _say_why_not(owner: KeyOwner | None, key: str, monitor: str) -> str:
    if not key:
        at_in = f"The key is missing: post to {IN}{monitor}/<key>, or send it as Authorization: Bearer <key>."
        return "'routing_key' is missing or blank" if monitor == EVENTS else at_in
    if owner is None:
        at_enqueue = "'routing_key' is invalid (no connection has this key)"
        return at_enqueue if monitor == EVENTS else "No connection has this key."
    there = ENQUEUE if owner.monitor == EVENTS else f"{IN}{owner.monitor}/<key>"
    return f"This key belongs to a connection of {owner.monitor}, not of {monitor}: post to {there}."
