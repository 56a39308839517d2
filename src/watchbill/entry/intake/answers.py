"""What the door answers, in two dialects: PagerDuty's for Events v2, our own for `/in/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from watchbill.actions.intake import InboxAway, ListFull, RowRefused
from watchbill.entry.intake.reading import Message, NotJson, TooLarge

Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")
SOON: Header = (b"retry-after", b"1")
LATER: Header = (b"retry-after", b"5")
ONLY_POST: Header = (b"allow", b"POST")
ASK_FOR_KEY: Header = (b"www-authenticate", b'Bearer realm="watchbill"')
HANG_UP: Header = (b"connection", b"close")

encode = msgspec.json.Encoder().encode


class Refusal(Exception):
    """The door refuses a request; `errors` say what is wrong, each a sentence for whoever set up the sender."""

    def __init__(self, status: int, *errors: str, headers: tuple[Header, ...] = (), **more: int) -> None:
        super().__init__(status)
        self.status = status
        self.errors = list(errors)
        self.headers = headers
        self.more = more


class WrongKey(Exception):
    """The key opens nothing here."""


class Answer(NamedTuple):
    """A status, a JSON body, and headers beside the usual two."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = ()


class Dialect(NamedTuple):
    """How one kind of sender expects to be refused."""

    write: Callable[[Refusal], dict[str, Any]]
    wrong_key: int


# "Events API v2 Overview", response codes; 413 and 503 are ours, in the same shape.
_IN_PAGERDUTYS_WORDS = {
    400: ("invalid event", "Event object is invalid"),
    413: ("invalid event", "Event object is too large"),
    429: ("throttle exceeded", "Requests for this service are arriving too quickly. Please retry later."),
    503: ("unavailable", "The event was not stored. Please retry later."),
}


def _write_as_pagerduty(refusal: Refusal) -> dict[str, Any]:
    status, message = _IN_PAGERDUTYS_WORDS.get(refusal.status, ("error", "The event was not stored"))
    return {"status": status, "message": message, "errors": refusal.errors, **refusal.more}


def _write_plainly(refusal: Refusal) -> dict[str, Any]:
    return {"status": "error", "message": " ".join(refusal.errors), **refusal.more}


PAGERDUTY = Dialect(_write_as_pagerduty, wrong_key=400)
PLAIN = Dialect(_write_plainly, wrong_key=401)

Expected = (Refusal, WrongKey, NotJson, TooLarge, ListFull, InboxAway, RowRefused)


def refuse(error: Exception, dialect: Dialect) -> Answer:
    """Give the answer to a request that met one of the expected errors."""
    refusal = _as_refusal(error, dialect)
    return Answer(refusal.status, encode(dialect.write(refusal)), refusal.headers)


def _as_refusal(error: Exception, dialect: Dialect) -> Refusal:
    match error:
        case Refusal():
            return error
        case NotJson():
            return Refusal(400, str(error), line=error.line, column=error.column)
        case WrongKey():
            return Refusal(dialect.wrong_key, str(error), headers=(ASK_FOR_KEY,) if dialect.wrong_key == 401 else ())
        case TooLarge():
            return Refusal(413, str(error), headers=() if error.read_up else (HANG_UP,))
        case ListFull():
            text = "Too much waits for the disk: nothing was stored. Send it again in a second."
            return Refusal(429, text, headers=(SOON,))
        case RowRefused():
            return Refusal(500, f"The database refuses this one request, again will not help: {error}")
        case _:
            text = "The database cannot be written now: nothing was stored. Send it again in a few seconds."
            return Refusal(503, text, headers=(LATER,))
