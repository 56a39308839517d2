"""The door of the monitors: a lean ASGI application in front of Django. 202 means: it is on disk.

    POST /v2/enqueue             PagerDuty's Events v2, with its status codes and error body
    POST /in/<monitor>/<key>     whatever <monitor> reads; the key may come in a header instead

Not a Django view: Django's handler alone costs ten times what storing costs. What is JSON is kept, understood or not;
reading it is the worker's part. Neither a key nor a body is ever logged.
"""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import Any

from watchbill.actions.intake import (
    InboxAway,
    InboxRow,
    Intake,
    ListFull,
    RowRefused,
    open_checkpointer,
    open_writer,
)
from watchbill.db.inbox_keys import KeyOwner
from watchbill.entry import clock
from watchbill.entry.intake.answers import (
    ASK_FOR_KEY,
    HANG_UP,
    LATER,
    ONLY_POST,
    PAGERDUTY,
    PLAIN,
    SOON,
    Answer,
    Dialect,
    Receive,
    Rejected,
    Scope,
    Send,
    encode,
    send_answer,
)
from watchbill.entry.intake.keys import KeyTable
from watchbill.entry.intake.reading import (
    NotJson,
    SenderGone,
    TooLarge,
    header_of,
    is_plainly_right,
    key_in_headers,
    read_body,
    read_json,
)
from watchbill.monitors import all_monitors

ENQUEUE = "/v2/enqueue"
IN = "/in/"
PATHS = (ENQUEUE, IN)
EVENTS = "events_v2"
LARGEST_EVENT = 512 * 1024  # "Events API v2 Overview": larger ones are refused
LARGEST_BODY = 1024 * 1024


class IntakeApp:
    """An ASGI application. `startup` and `drain` belong to whoever serves it (or to ASGI's lifespan, when alone)."""

    def __init__(self, intake: Intake | None = None, largest_body: int = LARGEST_BODY) -> None:
        self.intake = intake or Intake(open_writer())
        self.largest_body = largest_body
        self.keys = KeyTable()
        self.check_event: Any = all_monitors()[EVENTS].check
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
        if scope["type"] == "http":
            try:
                answer = await self._answer(scope, receive)
            except Rejected as rejected:
                answer = rejected.answer
            except SenderGone:
                return
            await send_answer(send, answer)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path: str = scope["path"]
        if path == ENQUEUE:
            _refuse_other_methods(scope, PAGERDUTY)
            return await self._enqueue(scope, receive, "")
        monitor, _, key = path.removeprefix(IN).rstrip("/").partition("/")
        if not path.startswith(IN) or monitor not in all_monitors():
            raise _no_such_address(path)
        _refuse_other_methods(scope, PLAIN)
        if monitor == EVENTS:
            return await self._enqueue(scope, receive, key)
        return await self._keep(scope, receive, monitor, key or key_in_headers(scope))

    async def _enqueue(self, scope: Scope, receive: Receive, key: str) -> Answer:
        """Take one event of Events v2; one that has no `dedup_key` is given one."""
        now = clock.now()
        body = await _read(receive, LARGEST_EVENT, PAGERDUTY)
        event = _decode(body, PAGERDUTY)
        errors: list[str] = [] if is_plainly_right(event) else self.check_event(event)
        if errors or not isinstance(event, dict):
            raise Rejected(PAGERDUTY.refuse(400, errors, {}, ()))
        key = key or str(event.get("routing_key") or "") or header_of(scope, b"x-routing-key") or key_in_headers(scope)
        owner = await self._find_owner(key, EVENTS, PAGERDUTY)
        dedup_key, note = event.get("dedup_key"), ""
        if not dedup_key or not str(dedup_key).strip():
            dedup_key = token_hex(16)
            note = f'{{"dedup_key": "{dedup_key}"}}'
        await self._store(InboxRow(now, owner[1], owner[0], EVENTS, body, note, _sender_of(scope)), PAGERDUTY)
        return Answer(202, encode({"status": "success", "message": "Event processed", "dedup_key": dedup_key}))

    async def _keep(self, scope: Scope, receive: Receive, monitor: str, key: str) -> Answer:
        """Take whatever a monitor sent."""
        now = clock.now()
        body = await _read(receive, self.largest_body, PLAIN)
        owner = await self._find_owner(key, monitor, PLAIN)
        _decode(body, PLAIN)
        number = await self._store(InboxRow(now, owner[1], owner[0], monitor, body, "", _sender_of(scope)), PLAIN)
        return Answer(202, encode({"status": "accepted", "id": number}))

    async def _find_owner(self, key: str, monitor: str, dialect: Dialect) -> KeyOwner:
        try:
            owner = self.keys.find(key) or (await self.keys.find_anew(key) if key else None)
        except InboxAway:
            raise Rejected(_away(dialect)) from None
        if owner is not None and owner.monitor == monitor:
            return owner
        headers = (ASK_FOR_KEY,) if dialect.wrong_key == 401 else ()
        raise Rejected(dialect.refuse(dialect.wrong_key, [_say_why_not(owner, key, monitor)], {}, headers))

    async def _store(self, row: InboxRow, dialect: Dialect) -> int:
        try:
            return await self.intake.take(row)
        except ListFull:
            errors = ["Too much waits for the disk: nothing was stored. Send it again in a second."]
            raise Rejected(dialect.refuse(429, errors, {}, (SOON,))) from None
        except InboxAway:
            raise Rejected(_away(dialect)) from None
        except RowRefused as refused:
            errors = [f"The database refuses this one request, sending it again will not help: {refused}"]
            raise Rejected(dialect.refuse(500, errors, {}, ())) from None

    async def _live(self, receive: Receive, send: Send) -> None:
        """Follow ASGI's lifespan, for a server that serves nothing but this."""
        await receive()
        await self.startup()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.drain()
        await send({"type": "lifespan.shutdown.complete"})


async def _read(receive: Receive, limit: int, dialect: Dialect) -> bytes:
    try:
        return await read_body(receive, limit)
    except TooLarge as large:
        errors = [f"The body is larger than {limit // 1024} KiB."]
        raise Rejected(dialect.refuse(413, errors, {}, () if large.read_up else (HANG_UP,))) from None


def _decode(body: bytes, dialect: Dialect) -> object:
    try:
        return read_json(body)
    except NotJson as wrong:
        more = {"line": wrong.line, "column": wrong.column}
        raise Rejected(dialect.refuse(400, [str(wrong)], more, ())) from None


def _refuse_other_methods(scope: Scope, dialect: Dialect) -> None:
    if scope["method"] != "POST":
        errors = [f"This address takes POST with a JSON body, not {scope['method']}."]
        raise Rejected(dialect.refuse(405, errors, {}, (ONLY_POST,)))


def _no_such_address(path: str) -> Rejected:
    known = ", ".join(f"{IN}{name}/<key>" for name in all_monitors())
    errors = [f"There is nothing at this address. Monitors post to {ENQUEUE} or to one of: {known}."]
    return Rejected(PLAIN.refuse(404, errors, {}, ()))


def _say_why_not(owner: KeyOwner | None, key: str, monitor: str) -> str:
    if not key:
        return (
            "'routing_key' is missing or blank"
            if monitor == EVENTS
            else f"The key is missing: post to {IN}{monitor}/<key>, or send it as Authorization: Bearer <key>."
        )
    if owner is None:
        return (
            "'routing_key' is invalid (no connection has this key)"
            if monitor == EVENTS
            else "No connection has this key."
        )
    there = ENQUEUE if owner.monitor == EVENTS else f"{IN}{owner.monitor}/<key>"
    return f"This key belongs to a connection of {owner.monitor}, not of {monitor}: post to {there}."


def _away(dialect: Dialect) -> Answer:
    errors = ["The database cannot be written now: nothing was stored. Send it again in a few seconds."]
    return dialect.refuse(503, errors, {}, (LATER,))


def _sender_of(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0])[:64] if client else ""
