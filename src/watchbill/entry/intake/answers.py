"""What the door answers, in two dialects: PagerDuty's for Events v2, our own for `/in/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")
SOON: Header = (b"retry-after", b"1")
LATER: Header = (b"retry-after", b"5")
ONLY_POST: Header = (b"allow", b"POST")
ASK_FOR_KEY: Header = (b"www-authenticate", b'Bearer realm="watchbill"')
HANG_UP: Header = (b"connection", b"close")

encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """A status, a JSON body, and headers beside the usual two."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = ()


class Rejected(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Dialect(NamedTuple):
    """How one kind of sender expects to be refused: (status, what is wrong, more fields, headers) to an answer."""

    refuse: Callable[[int, list[str], dict[str, int], tuple[Header, ...]], Answer]
    wrong_key: int


def _refuse_plainly(status: int, errors: list[str], more: dict[str, int], headers: tuple[Header, ...]) -> Answer:
    return Answer(status, encode({"status": "error", "message": " ".join(errors), **more}), headers)


def _refuse_as_pagerduty(status: int, errors: list[str], more: dict[str, int], headers: tuple[Header, ...]) -> Answer:
    said, message = _PAGERDUTY.get(status, ("error", "The event was not stored"))
    return Answer(status, encode({"status": said, "message": message, "errors": errors, **more}), headers)


# "Events API v2 Overview", response codes; 413 and 503 are ours, in the same shape.
_PAGERDUTY = {
    400: ("invalid event", "Event object is invalid"),
    413: ("invalid event", "Event object is too large"),
    429: ("throttle exceeded", "Requests for this service are arriving too quickly. Please retry later."),
    503: ("unavailable", "The event was not stored. Please retry later."),
}

PLAIN = Dialect(_refuse_plainly, wrong_key=401)
PAGERDUTY = Dialect(_refuse_as_pagerduty, wrong_key=400)


async def send_answer(send: Send, answer: Answer) -> None:
    """Send it."""
    headers = [JSON, (b"content-length", b"%d" % len(answer.body)), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
