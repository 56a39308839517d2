"""One ASGI application in front: intake, status pages and the live stream natively, probes, everything else to Django in threads.

Django's ASGI handler costs 0.8 ms a request and runs its views one at a time; its WSGI handler in a pool of
threads is three to five times faster. So only what must be asynchronous is.
"""

from __future__ import annotations

import asyncio
from typing import Any

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.wsgi import get_wsgi_application
from django.db import connections

from watchbill.entry import probes
from watchbill.entry.intake.app import PATHS, IntakeApp
from watchbill.entry.live import HUB, Receive, Scope, Send
from watchbill.entry.server_memory import spare_what_stays
from watchbill.entry.status.app import PATH as STATUS
from watchbill.entry.status.app import StatusApp

THREADS = 10
PROBES = ("/healthz", "/readyz", "/metrics")
# The largest that a page takes is a mail of 40 MB or some reports; Django would write a stranger's terabyte to disk.
LARGEST_BODY = 128 * 1024 * 1024


class Application:
    """Dispatches by path, before Django sees a request."""

    def __init__(self, intake: IntakeApp | None, *, web: bool = True, metrics_token: str = "") -> None:
        self.intake = intake
        self.status = StatusApp()
        self.metrics_token = metrics_token
        self.pages: Any = WSGIMiddleware(get_wsgi_application(), workers=THREADS) if web else None  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._live_and_die(receive, send)
            return
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if self.intake is not None and path.startswith(PATHS):
            await self.intake(scope, receive, send)
        elif path.startswith(STATUS):
            await self.status(scope, receive, send)
        elif path in PROBES:
            await self._probe(scope, send)
        elif path == "/live":
            await self._live(scope, receive, send)
        elif self.pages is not None and is_too_large(scope):
            said = f"This is too large: at most {LARGEST_BODY // 1024**2} MB at once.\n".encode()
            await _answer(send, 413, "text/plain; charset=utf-8", said)
        elif self.pages is not None:
            await self.pages(scope, receive, send)
        else:
            await _answer(send, 404, "text/plain; charset=utf-8", b"this node serves no pages\n")

    async def _live_and_die(self, receive: Receive, send: Send) -> None:
        """Start the intake with the server, and let it answer what it holds before the end."""
        await receive()
        if self.intake is not None:
            await self.intake.startup()
        await self.status.startup()
        spare_what_stays()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.status.drain()
        if self.intake is not None:
            await self.intake.drain()
        await send({"type": "lifespan.shutdown.complete"})

    async def _probe(self, scope: Scope, send: Send) -> None:
        given = _header(scope, b"authorization")
        answer = await asyncio.to_thread(probes.answer, scope["path"], given, self.metrics_token)
        await _answer(send, *answer)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await asyncio.to_thread(is_signed_in, _header(scope, b"cookie")):
            await _answer(send, 403, "text/plain; charset=utf-8", b"sign in first\n")
            return
        await HUB(scope, receive, send)


def is_too_large(scope: Scope) -> bool:
    """Tell whether a body says to be larger than any page takes; of one that says no length nothing is read."""
    length = _header(scope, b"content-length").strip()
    return length.isdigit() and (len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY)


def is_signed_in(cookies: str) -> bool:
    """Tell whether the cookies hold a session of somebody who is signed in."""
    pairs = (cookie.strip().partition("=") for cookie in cookies.split(";"))
    key = next((value for name, _, value in pairs if name == settings.SESSION_COOKIE_NAME), "")
    try:
        return bool(key) and "_auth_user_id" in SessionStore(key)
    finally:
        connections.close_all()


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _answer(send: Send, status: int, kind: str, body: bytes) -> None:
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
