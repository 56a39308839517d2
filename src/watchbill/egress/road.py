"""The connection itself: look a name up once, check every address it has, and go to one of those.

This is where DNS rebinding ends. The name is looked up here and nowhere else, for this one connection, and
the socket is opened to an address from that same answer. The HTTP layer above never learns the address: it
goes on using the name for the Host header, for SNI and to verify the certificate.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from ssl import SSLContext
from threading import Thread
from typing import Any

import httpcore2

from watchbill.egress.addresses import Address, Allow, why_closed
from watchbill.egress.answers import Blocked, NoAnswer
from watchbill.egress.deadline import Deadline
from watchbill.egress.urls import Target, check_manners

Resolve = Callable[[str, int], Sequence[str]]
# A name with a hundred dead addresses must not use up the time of all.
MOST_TRIED = 4


def look_up(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a name, best first; raises OSError or UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(place[4][0]) for place in found))


def find_addresses(target: Target, allow: Allow, resolve: Resolve, deadline: Deadline) -> list[Address]:
    """Give the addresses of a target, all of them checked; raises Blocked or NoAnswer.

    One forbidden address among several is enough to refuse: which one is used would be luck.
    """
    literal = target.literal
    addresses = [literal] if literal else _resolve(target, resolve, deadline)
    for address in addresses:
        kind = why_closed(address, target.host, allow)
        if kind:
            raise Blocked(
                f"{target.host} leads to a {kind} address, which is not called from here; "
                "the operator can permit it (WATCHBILL_ALLOW)"
            )
    check_manners(target, addresses, allow)
    return addresses


def _resolve(target: Target, resolve: Resolve, deadline: Deadline) -> list[Address]:
    """Look the name up in a thread of its own, because a name server's silence cannot be timed otherwise."""
    answers: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(target.host, target.port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    Thread(target=ask, name=f"look up {target.host}", daemon=True).start()
    try:
        found = answers.get(timeout=deadline.left())
    except Empty:
        raise NoAnswer(f"The name server did not say in time where {target.host} is") from None
    if isinstance(found, Exception) or not found:
        raise NoAnswer(f"There is no host called {target.host}, or the name server does not answer")
    # A scope ("fe80::1%2") only comes with link-local addresses, which are refused by their number.
    return [ip_address(text.partition("%")[0]) for text in found]


class Road(httpcore2.NetworkBackend):
    """Opens the one connection of one call, to an address that has been checked."""

    def __init__(self, target: Target, allow: Allow, resolve: Resolve, deadline: Deadline) -> None:
        self._target = target
        self._allow = allow
        self._resolve = resolve
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect; `host` and `timeout` are what the HTTP layer thinks, the target and deadline are ours."""
        addresses = find_addresses(self._target, self._allow, self._resolve, self._deadline)[:MOST_TRIED]
        problem: Exception = httpcore2.ConnectError("no address")
        for place, address in enumerate(addresses):
            share = self._deadline.left() / (len(addresses) - place)
            try:
                stream = httpcore2.SyncBackend().connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                problem = error
            else:
                return TimedStream(stream, self._deadline)
        raise problem


class TimedStream(httpcore2.NetworkStream):
    """A stream whose every wait ends at the one deadline of the call."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there; raises ReadTimeout when the time is up."""
        if self._deadline.is_over:
            raise httpcore2.ReadTimeout
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write it all; raises WriteTimeout when the time is up."""
        if self._deadline.is_over:
            raise httpcore2.WriteTimeout
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Shake hands; the certificate is verified against `server_hostname`, which is the name."""
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Pass the question on to the real stream."""
        return self._stream.get_extra_info(info)
