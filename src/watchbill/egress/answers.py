"""What comes back from outside, and what an unhappy answer means for the message that did not leave."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from watchbill.kit.errors import DeliveryFailed, Refused

TEXT_LIMIT = 2048
WORDS_LIMIT = 300
# The vendor may take it later: busy, or not ready to see it (RFC 9110, RFC 8470, RFC 6585).
TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
MOVED = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})
# A NUL cannot be stored by PostgreSQL, and the others have no business on a page.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]+")


class Blocked(Refused):
    """The guard will not call this address; the message says why. Trying again cannot help."""


class NoAnswer(DeliveryFailed):
    """Nothing sensible came back: an unknown name, a closed port, a timeout, bytes that are not HTTP."""


@dataclass(frozen=True)
class Response:
    """An answer. Header names are lower case; `content` is cut at 64 kB, or where the caller said."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def is_good(self) -> bool:
        """Tell whether the vendor took what it was given (2xx)."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """What it says, at most 2 kB, fit for a table and a page."""
        return readable(self.content, TEXT_LIMIT)

    def read_json(self) -> Any:
        """Give the JSON it holds, or None when it holds none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None


def readable(words: bytes | str, limit: int = WORDS_LIMIT) -> str:
    """Make a stranger's words fit for a table and a page: UTF-8, no control characters, at most `limit` long."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    text = text.encode("utf-8", "replace").decode("utf-8")
    return UNPRINTABLE.sub(" ", text.replace("\r\n", "\n")).strip()[:limit]


def explain(problem: Response | Blocked | DeliveryFailed) -> DeliveryFailed:
    """Turn what went wrong into the error that a channel raises, with the one bit that its caller needs.

    For good: an address the guard refuses, a place that has moved, any 4xx but 408, 425 and 429.
    For now: 5xx, timeouts, connections that fail, and anything else that nobody planned.
    """
    if isinstance(problem, DeliveryFailed):
        return problem
    if isinstance(problem, Blocked):
        return DeliveryFailed(problem.message, permanent=True)
    if 300 <= problem.status < 400:
        return _explain_redirect(problem)
    permanent = 400 <= problem.status < 500 and problem.status not in TRY_AGAIN
    return DeliveryFailed(f"It answered {_status(problem)}{_words(problem)}{_wait(problem)}", permanent)


def _explain_redirect(answer: Response) -> DeliveryFailed:
    where = readable(answer.headers.get("location", "nowhere"), 200)
    return DeliveryFailed(
        f"It answered {_status(answer)} to {where}, and following would lose the message: enter that address instead",
        permanent=answer.status in MOVED,
    )


def _status(answer: Response) -> str:
    known = {status.value: status.phrase for status in HTTPStatus}
    return f"{answer.status} {known.get(answer.status, '')}".strip()


def _words(answer: Response) -> str:
    said = readable(answer.content)
    return f": {said}" if said else ""


def _wait(answer: Response) -> str:
    wait = readable(answer.headers.get("retry-after", ""), 40)
    return f" (it asks to wait: {wait})" if wait else ""
