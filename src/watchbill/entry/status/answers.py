"""The answers of a status page, made once and given many times: body, gzip, ETag, cache headers, 304."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

HTML = "text/html; charset=utf-8"
CSS = "text/css; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
SVG = "image/svg+xml; charset=utf-8"
# A short life, and an old copy rather than an error: a cache in front takes the load of a bad day.
LIFE = "max-age=15, stale-while-revalidate=60, stale-if-error=86400"
POLICY = b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
SMALL = 600
ALWAYS: Headers = [(b"x-content-type-options", b"nosniff"), (b"vary", b"accept-encoding")]


@dataclass(frozen=True)
class Coded:
    """A body in one encoding with its ETag; `start` is the head of the whole answer, `unchanged` that of a 304."""

    etag: bytes
    body: bytes
    start: dict[str, Any]
    unchanged: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """One address of a page: as it is and, where that helps, packed."""

    plain: Coded
    packed: Coded | None = None


def make(body: bytes, kind: str, *, is_public: bool, life: str = LIFE) -> Answer:
    """Make the answer of an address. What has a key in its address is kept by no shared cache and by no search engine."""
    headers: Headers = [*ALWAYS, (b"cache-control", f"{'public' if is_public else 'private'}, {life}".encode())]
    if not is_public:
        headers += [(b"x-robots-tag", b"noindex, nofollow, noarchive"), (b"referrer-policy", b"no-referrer")]
    elif kind in {JSON, SVG}:
        headers.append((b"access-control-allow-origin", b"*"))
    if kind == HTML:
        headers.append((b"content-security-policy", POLICY))
    mark = sha256(body).hexdigest()[:24]
    plain = _code(body, mark, kind, headers)
    if len(body) < SMALL:
        return Answer(plain)
    packed = _code(gzip.compress(body, mtime=0), f"{mark}-gz", kind, [*headers, (b"content-encoding", b"gzip")])
    return Answer(plain, packed)


def _code(body: bytes, mark: str, kind: str, headers: Headers) -> Coded:
    etag = f'"{mark}"'.encode()
    shared = [*headers, (b"etag", etag)]
    whole = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body)), *shared]
    return Coded(
        etag,
        body,
        {"type": "http.response.start", "status": 200, "headers": whole},
        {"type": "http.response.start", "status": 304, "headers": shared},
    )


async def give(answer: Answer, scope: Scope, send: Send) -> None:
    """Give an answer, packed for whom that suits, or say that it has not changed."""
    known = accepts = b""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            known = value
        elif name == b"accept-encoding":
            accepts = value
    chosen = answer.packed if answer.packed is not None and b"gzip" in accepts else answer.plain
    if known and (known == b"*" or chosen.etag in known):
        await send(chosen.unchanged)
        await send({"type": "http.response.body", "body": b""})
        return
    await send(chosen.start)
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else chosen.body})


async def say(send: Send, status: int, words: str, *more: tuple[bytes, bytes]) -> None:
    """Say something short that no cache keeps."""
    body = f"{words}\n".encode()
    headers = [
        (b"content-type", TEXT.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-robots-tag", b"noindex"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
