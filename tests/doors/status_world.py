"""The door of the status pages for tests: asked as a server asks it, without one."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchbill.entry.status.app import StatusApp
from watchbill.entry.status.shelf import Shelf


@dataclass(frozen=True)
class Given:
    """An answer: its status, its headers in lower case, its body unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


Ask = Callable[..., Awaitable[Given]]


@dataclass
class Drawings:
    """A clock that stands still, and counts how often it was read: once for each drawing of a page."""

    now: datetime
    count: int = 0

    def read(self) -> datetime:
        self.count += 1
        return self.now


@asynccontextmanager
async def open_door(now: datetime, drawings: Drawings | None = None) -> AsyncIterator[Ask]:
    """A door that stands at one instant: `await ask("/status/hub/", accept_encoding="gzip")`."""
    app = StatusApp(Shelf((drawings or Drawings(now)).read))
    await app.startup()

    async def ask(path: str, method: str = "GET", **headers: str) -> Given:
        said: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            said.append(dict(message))

        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": named}
        await app(scope, _nothing, send)
        got = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        body = said[1]["body"]
        return Given(said[0]["status"], got, gzip.decompress(body) if "content-encoding" in got and body else body)

    try:
        yield ask
    finally:
        await app.drain()


async def _nothing() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


def ask_all(now: datetime, *paths: str, **headers: str) -> list[Given]:
    """Ask a new door for some addresses, one after the other."""

    async def run() -> list[Given]:
        async with open_door(now) as ask:
            return [await ask(path, **headers) for path in paths]

    return asyncio.run(run())
