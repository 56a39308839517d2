"""The one HTTP client of the program, with the guard inside.

Each call opens its own connection and closes it: a page is worth a handshake, no cookie or connection of one
stranger meets another, and "the address was checked" is true of every call. Proxies and other settings from
the environment are not read: a proxy would look the name up again, out of our sight.
"""

from __future__ import annotations

import json as json_module
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus
from typing import Any

import httpcore2

from watchbill.egress.addresses import Allow
from watchbill.egress.answers import Blocked, NoAnswer, Response, explain
from watchbill.egress.deadline import Deadline
from watchbill.egress.road import Resolve, Road, find_addresses, look_up
from watchbill.egress.urls import Target, join_url, read_url

NOTHING_MORE = Allow()
MOST_REDIRECTS = 3
CONTENT_LIMIT = 64 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD"})
KEEPS_METHOD = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})
REDIRECTS = KEEPS_METHOD | {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}
# Said to one host, not to whoever that host points at; vendors have names of their own for it (PRIVATE-TOKEN).
FOR_ONE_HOST = re.compile("auth|cookie|token|secret|api-?key")


class _SteadyContext(ssl.SSLContext):
    """A TLS context that threads can share while connections are being made.

    The HTTP layer sets the ALPN protocols anew for each connection; OpenSSL frees the old list while another
    thread's SSL_new(), which runs without the GIL, may be copying it. We speak HTTP/1.1 only and offer nothing.
    """

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:
        """Leave the context as it is."""


def trust(cafile: str | None = None) -> ssl.SSLContext:
    """Give the TLS context: the system's authorities (or SSL_CERT_FILE), or only those in `cafile`.

    They are read once by each process: the system has many, and reading them takes longer than most of our answers.
    """
    return _read_authorities(cafile, *(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")))


@cache
def _read_authorities(cafile: str | None, *named: str | None) -> ssl.SSLContext:
    context = _SteadyContext(ssl.PROTOCOL_TLS_CLIENT)
    if cafile:
        context.load_verify_locations(cafile)
    else:
        context.load_default_certs()
    return context


@dataclass(frozen=True)
class _Call:
    method: str
    target: Target
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    most: int


class Client:
    """Calls URLs that people typed, and only those that may be called; one is shared by many threads.

    `allow` is the operator's; `resolve` and `tls` stand in for the name server and the authorities in tests.
    """

    def __init__(
        self, allow: Allow = NOTHING_MORE, *, resolve: Resolve = look_up, tls: ssl.SSLContext | None = None
    ) -> None:
        self._allow = allow
        self._resolve = resolve
        self._tls = tls or trust()

    def check(self, url: str, field: str = "url", timeout: float = 5.0) -> None:
        """Refuse a URL while the person who types it can still mend it; raises Refused with the field."""
        target = read_url(url, field)
        try:
            find_addresses(target, self._allow, self._resolve, Deadline.after(timeout))
        except (Blocked, NoAnswer) as error:
            raise Blocked(error.message, field) from error

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, timeout: float = 5.0) -> Response:
        """Ask for a URL; see `request`."""
        return self.request("GET", url, headers=headers, timeout=timeout)

    def post(
        self,
        url: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 5.0,
    ) -> Response:
        """Post to a URL; see `request`."""
        return self.request("POST", url, json=json, content=content, headers=headers, timeout=timeout)

    def deliver(
        self,
        url: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 5.0,
    ) -> Response:
        """Post a message and give the answer if it is a 2xx; raises DeliveryFailed for everything else."""
        try:
            answer = self.post(url, json=json, content=content, headers=headers, timeout=timeout)
        except Blocked as error:
            raise explain(error) from error
        if not answer.is_good:
            raise explain(answer)
        return answer

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 5.0,
        most: int = CONTENT_LIMIT,
    ) -> Response:
        """Call a URL and give what it answers, whatever the status; raises Blocked or NoAnswer.

        `most` is where the answer is cut, in bytes, for callers who asked for a page of something long.

        `timeout` is in seconds, for name server, connection, redirects and answer together. At most three
        redirects are followed, each checked like the first. A method that says something (POST) is only
        repeated on 307 and 308; on the others the redirect itself is the answer, because following it would
        turn the message into a question and look like success.
        """
        call = _first_call(method.upper(), url, json, content, headers or {}, most)
        deadline = Deadline.after(timeout)
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._make(call, deadline, timeout)
            onward = _follow(call, answer)
            if onward is None:
                return answer
            call = onward
        raise NoAnswer(f"{call.target.host} redirects more than {MOST_REDIRECTS} times", permanent=True)

    def _make(self, call: _Call, deadline: Deadline, timeout: float) -> Response:
        host = call.target.host
        try:
            return self._exchange(call, deadline)
        except httpcore2.TimeoutException as error:
            raise NoAnswer(f"{host} did not answer within {timeout:g} s") from error
        except httpcore2.NetworkError as error:
            raise NoAnswer(f"The connection to {host} failed: {error or type(error).__name__}") from error
        except httpcore2.RemoteProtocolError as error:
            raise NoAnswer(f"{host} answered with something that is not HTTP: {error}") from error
        except httpcore2.LocalProtocolError as error:
            raise NoAnswer(f"This cannot be said to {host} in HTTP: {error}", permanent=True) from error

    def _exchange(self, call: _Call, deadline: Deadline) -> Response:
        target = call.target
        origin = httpcore2.Origin(target.scheme.encode(), target.host.encode(), target.port)
        url = httpcore2.URL(scheme=origin.scheme, host=origin.host, port=target.port, target=target.path)
        road = Road(target, self._allow, self._resolve, deadline)
        headers = [
            (name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in call.headers.items()
        ]
        with (
            httpcore2.HTTPConnection(origin, ssl_context=self._tls, network_backend=road) as connection,
            connection.stream(call.method, url, headers=headers, content=call.content) as answer,
        ):
            return Response(
                status=answer.status,
                headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers},
                content=_cut(answer.iter_stream(), call.most),
            )


def _first_call(
    method: str, url: str, json: Any, content: bytes | None, headers: Mapping[str, str], most: int
) -> _Call:
    target = read_url(url)
    sent = {"User-Agent": "Watchbill", "Accept": "*/*"}
    if json is not None:
        # ASCII, so that half a surrogate pair in somebody's text cannot break the encoding.
        content = json_module.dumps(json, separators=(",", ":")).encode("ascii")
        sent["Content-Type"] = "application/json"
    # Nothing packed: a small answer that unpacks to gigabytes is an old trick.
    sent |= {**headers, "Host": target.authority, "Accept-Encoding": "identity", "Connection": "close"}
    return _Call(method, target, url, sent, content, most)


def _follow(call: _Call, answer: Response) -> _Call | None:
    """Say what to call next, or None when this answer is the last."""
    location = answer.headers.get("location", "")
    if answer.status not in REDIRECTS or not location:
        return None
    if call.method not in SAFE_METHODS and answer.status not in KEEPS_METHOD:
        return None
    try:
        url = join_url(call.url, location)
        target = read_url(url)
    except Blocked as error:
        raise Blocked(f"{call.target.host} redirects to where we do not go. {error.message}") from error
    headers = {**call.headers, "Host": target.authority}
    if target.origin != call.target.origin:
        headers = {name: value for name, value in headers.items() if not FOR_ONE_HOST.search(name.lower())}
    return replace(call, target=target, url=url, headers=headers)


def _cut(parts: Iterator[bytes], most: int) -> bytes:
    """Read at most `most` bytes; the rest is nothing that we asked for."""
    content = bytearray()
    for part in parts:
        content += part
        if len(content) >= most:
            break
    return bytes(content[:most])
