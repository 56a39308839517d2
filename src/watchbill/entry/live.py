"""Live pages: one stream of "something of this team changed" per open page, over server-sent events.

The stream carries no content, only the name of what changed; the page then asks for its own parts again, with
its own rights. So nothing leaks through it, and a lost event costs a late refresh, never a wrong page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
KEEP_ALIVE_SECONDS = 20.0
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
        self.stopping = False

    def changed(self) -> None:
        """Tell every open page that something changed."""
        self.version += 1
        if self.loop is not None and self.waiting:
            self.loop.call_soon_threadsafe(self._wake)

    def stop(self) -> None:
        """End every stream, so that the server can stop."""
        self.stopping = True
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
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
        await send({"type": "http.response.body", "body": b"retry: 2000\n\n", "more_body": True})
        while not gone.done() and not self.stopping:
            waiter = asyncio.create_task(woken.wait())
            await asyncio.wait({waiter, gone}, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            waiter.cancel()
            woken.clear()
            line = b": still here\n\n" if told == self.version else b"event: changed\ndata: .\n\n"
            told = self.version
            if not gone.done():
                await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


HUB = LiveHub()
