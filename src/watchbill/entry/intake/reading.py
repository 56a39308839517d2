"""Read a request: its body up to a limit, the place where JSON breaks, and the key in a header."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

PATIENCE = 16
_AT_BYTE = re.compile(r" \(byte (\d+)\)")


class TooLarge(Exception):
    """The body is longer than allowed; `read_up` tells whether all of it was read, so that the line may stay open."""

    def __init__(self, limit: int, *, read_up: bool) -> None:
        super().__init__(f"The body is larger than {limit // 1024} KiB.")
        self.read_up = read_up


class SenderGone(Exception):
    """The sender hung up before the body was complete: nothing was promised."""


class NotJson(Exception):
    """The body is not JSON. `line` and `column` count from 1, columns in characters."""

    def __init__(self, what: str, body: bytes, at: int) -> None:
        before = body[:at].decode("utf-8", "replace")
        self.line = before.count("\n") + 1
        self.column = len(before) - (before.rfind("\n") + 1) + 1
        super().__init__(f"The body is not JSON: {what} at line {self.line}, column {self.column}.")


async def read_on(receive: Receive, message: Message, limit: int) -> bytes:
    """Read a body that did not come whole with its first `message`; raises TooLarge above `limit` bytes, SenderGone.

    What is too large is read a while longer and thrown away: a sender in the middle of its body would not see the
    answer on a line that was cut.
    """
    parts: list[bytes] = []
    size = 0
    while message["type"] != "http.disconnect":
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= limit:
            parts.append(part)
        more = message.get("more_body", False)
        if size > PATIENCE * limit or (size > limit and not more):
            raise TooLarge(limit, read_up=not more)
        if not more:
            return b"".join(parts)
        message = await receive()
    raise SenderGone


def read_json(body: bytes) -> object:
    """Decode a body; raises NotJson with the place."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _locate(error, body) from None


_SEVERITIES = ("critical", "warning", "error", "info")


def is_plainly_right(event: object) -> bool:
    """Tell at a glance that a trigger is right: `events_v2.check` says so too, at ten times the cost.

    False says nothing: whatever is less plain is for `check` to judge.
    """
    if not isinstance(event, dict) or event.get("event_action") != "trigger":
        return False
    content, key = event.get("payload"), event.get("dedup_key")
    return (
        isinstance(content, dict)
        and content.get("severity") in _SEVERITIES
        and _is_plain(content.get("summary"))
        and _is_plain(content.get("source"))
        and (key is None or (_is_plain(key) and len(key) <= 255))
    )


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and "!" <= value[:1] <= "~"


def _locate(error: Exception, body: bytes) -> NotJson:
    if not body.strip():
        return NotJson("it is empty", body, 0)
    if isinstance(error, RecursionError):
        return NotJson("nested too deep", body, 0)
    try:
        text = body.decode()
    except UnicodeDecodeError as broken:
        return NotJson("a byte that is not UTF-8", body, broken.start)
    try:
        # Slower than msgspec, but it points at the beginning of what is wrong. Of bytes it would guess the encoding.
        json.loads(text)
    except json.JSONDecodeError as broken:
        what = (
            "it ends too early" if broken.pos >= len(broken.doc.rstrip()) else broken.msg[:1].lower() + broken.msg[1:]
        )
        return NotJson(what, body, len(broken.doc[: broken.pos].encode()))
    place = _AT_BYTE.search(str(error))  # NaN, say, which is not JSON although Python reads it
    return NotJson("a value that JSON does not have", body, int(place[1]) if place else 0)


def header_of(scope: Scope, name: bytes) -> str:
    """Give a header's text, or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1")).strip()
    return ""


def key_in_headers(scope: Scope) -> str:
    """Find a key where tools put one: `Authorization: [Bearer|GenieKey|Token] KEY`, the password of Basic, X-Routing-Key."""
    scheme, _, given = header_of(scope, b"authorization").partition(" ")
    if scheme.lower() != "basic":
        return given.strip() or scheme or header_of(scope, b"x-routing-key")
    try:
        return b64decode(given, validate=True).decode().partition(":")[2]
    except (NotBase64, UnicodeDecodeError):
        return ""
