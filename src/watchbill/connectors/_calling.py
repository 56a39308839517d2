"""Call a system's JSON API through the guarded client: every unhappy answer becomes DeliveryFailed.

429, and 403 with Retry-After or with no calls left (GitHub's secondary limits), become `Busy` with the seconds to
wait, so that the whole connection can rest and not only this call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from watchbill.egress import Blocked, Client, Deadline, NoAnswer, Response, explain
from watchbill.kit.errors import DeliveryFailed

TIMEOUT = 20.0
# A page of a hundred issues with their texts; what is longer is not asked for in one call.
MOST = 8 * 1024 * 1024
LONGEST_WAIT = 3600
# No part goes beyond the next "<", so that the time grows with the header and no faster.
NEXT_LINK = re.compile(r'<([^<>]+)>\s*+;[^,<]*rel="next"')


class Busy(DeliveryFailed):
    """The system asks us to come back later: after `seconds`."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class Api:
    """One system's API: where it is, and what every call to it carries."""

    client: Client
    base: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> Any:
        """Read JSON; a query value of None is left out."""
        return self.call("GET", path, query=query)

    def call(self, method: str, path: str, json: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        """Call and give the JSON of the answer (None: an empty one). Raises DeliveryFailed."""
        return _json_of(self.answer(method, path, json, query))

    def answer(self, method: str, path: str, json: Any = None, query: Mapping[str, Any] | None = None) -> Response:
        """Call and give the happy answer itself, for its headers. Raises DeliveryFailed, Busy."""
        found = self._ask(method, path, json, query)
        if found.is_good:
            return found
        raise _failure(found)

    def look(self, path: str, **query: Any) -> Any:
        """Read JSON of what may not be there; None: it is not. Raises DeliveryFailed, Busy."""
        found = self._ask("GET", path, None, query)
        if found.status == HTTPStatus.NOT_FOUND:
            return None
        if found.is_good:
            return _json_of(found)
        raise _failure(found)

    def fill(self, path: str, form: Mapping[str, str]) -> Any:
        """Post a form, as whoever gives out tokens wants it (RFC 6749), and give the JSON. Raises DeliveryFailed, Busy."""
        found = self._ask("POST", path, None, None, urlencode(form).encode())
        if found.is_good:
            return _json_of(found)
        raise _failure(found)

    def _ask(
        self, method: str, path: str, json: Any, query: Mapping[str, Any] | None, form: bytes | None = None
    ) -> Response:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = f"{self.base.rstrip('/')}{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {"Accept": "application/json", **self.headers}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            return self.client.request(
                method, url, json=json, content=form, headers=headers, timeout=TIMEOUT, most=MOST
            )
        except Blocked as error:
            raise explain(error) from error


def next_of(answer: Response) -> str:
    """Give the address of the following page as the Link header (RFC 8288) names it, or nothing."""
    found = NEXT_LINK.search(answer.headers.get("link", ""))
    return found.group(1) if found else ""


def _json_of(answer: Response) -> Any:
    if not answer.content.strip():
        return None
    found = answer.read_json()
    if found is None and answer.content.strip() != b"null":
        size = " (it was cut: too long)" if len(answer.content) >= MOST else ""
        raise DeliveryFailed(f"It answered {answer.status} with something that is not JSON{size}: {answer.text[:200]}")
    return found


def _failure(answer: Response) -> DeliveryFailed:
    plain = explain(answer)
    wait = answer.headers.get("retry-after", "").strip()
    spent = answer.headers.get("x-ratelimit-remaining", "").strip() == "0"
    limited = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    if limited or (answer.status == HTTPStatus.FORBIDDEN and (wait or spent)):
        return Busy(plain.message, min(int(wait), LONGEST_WAIT) if wait.isascii() and wait.isdigit() else 60)
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE and wait.isascii() and wait.isdigit():
        return Busy(plain.message, min(int(wait), LONGEST_WAIT))
    return plain


class ClientInTime(Client):
    """The guarded client with so much time for all calls together: whoever holds a lease must be done before it ends."""

    def __init__(self, http: Client, seconds: float) -> None:
        self._http = http
        self._deadline = Deadline.after(seconds)

    def request(self, method: str, url: str, **more: Any) -> Response:
        """Call as the client does, in the time that is left; raises NoAnswer when it is over."""
        if self._deadline.is_over:
            raise NoAnswer("There was no time left for another call: what is missing follows in the next try")
        timeout = min(float(more.pop("timeout", TIMEOUT)), self._deadline.left())
        return self._http.request(method, url, **more, timeout=timeout)
