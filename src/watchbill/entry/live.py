"""Live pages: one stream of "something of this team changed" per open page, over server-sent events.

The stream carries no content, only the name of what changed; the page then asks for its own parts again, with
its own rights. So nothing leaks through it, and a lost event costs a late refresh, never a wrong page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from itertools import count
from time import monotonic
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
KEEP_ALIVE_SECONDS = 20.0
BREATH_SECONDS = 0.5
# A page opens its stream within this time of being made; what changed meanwhile it is told as soon as it listens.
OPENING_SECONDS = 10.0
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class LiveHub:
    """Every open stream of this process; `changed` may be called from any thread."""

    def __init__(self) -> None:
        self.waiting: set[asyncio.Event] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.version = 0
        self.changed_at = -OPENING_SECONDS
        self.stopping = False
        self._versions = count(1)
        self._called = False

    def changed(self) -> None:
        """Tell every open page that something changed."""
        self.version = next(self._versions)
        self.changed_at = monotonic()
        if not self._called:
            self._called = True
            self._call()

    def stop(self) -> None:
        """End every stream, so that the server can stop."""
        self.stopping = True
        self._call()

    def _call(self) -> None:
        if self.loop is None:
            self._called = False
            return
        try:
            self.loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            # The loop has ended and every stream with it; a worker that still commits must not hear of that.
            self._called = False

    def _wake(self) -> None:
        self._called = False
        for event in self.waiting:
            event.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one stream until its page is closed."""
        self.loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        self.waiting.add(woken)
        gone = asyncio.create_task(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await self._tell(send, woken, gone)
        finally:
            self.waiting.discard(woken)
            gone.cancel()

    async def _tell(self, send: Send, woken: asyncio.Event, gone: asyncio.Task[None]) -> None:
        told = self.version
        if monotonic() - self.changed_at < OPENING_SECONDS:
            told -= 1
            woken.set()
        await send({"type": "http.response.body", "body": b"retry: 2000\n\n", "more_body": True})
        while not gone.done() and not self.stopping:
            waiter = asyncio.create_task(woken.wait())
            await asyncio.wait({waiter, gone}, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            waiter.cancel()
            woken.clear()
            if gone.done():
                return
            line = b": still here\n\n" if told == self.version else b"event: changed\ndata: .\n\n"
            told = self.version
            await send({"type": "http.response.body", "body": line, "more_body": True})
            # A storm of commits is one refresh every half second, not one each.
            await asyncio.wait({gone}, timeout=BREATH_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


HUB = LiveHub()
