"""Who calls, when the operator's own proxies stand in front: each writes behind the last comma from where it was called.

What stands further to the left is whatever the caller liked to say, and limits for one address must not believe it;
uvicorn's own reader takes the first of all when it trusts every proxy.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from watchbill.entry.live import Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Forwarded:
    """An ASGI application behind so many proxies of the operator's."""

    def __init__(self, app: App, proxies: int) -> None:
        self.app = app
        self.proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as from whom the outermost of the proxies heard it."""
        if scope["type"] == "http":
            said = _all_of(scope, b"x-forwarded-for")
            if said:
                scope["client"] = (_host_of(said[-min(self.proxies, len(said))]), 0)
            scheme = _all_of(scope, b"x-forwarded-proto")[:1]
            if scheme and scheme[0] in {"http", "https"}:
                scope["scheme"] = scheme[0]
        await self.app(scope, receive, send)


def _all_of(scope: Scope, wanted: bytes) -> list[str]:
    whole = ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == wanted)
    return [part for one in whole.split(",") if (part := one.strip())]


def _host_of(text: str) -> str:
    """Leave out a port: `192.0.2.1:443`, `[2001:db8::1]:443`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
