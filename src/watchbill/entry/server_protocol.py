"""What Watchbill changes in uvicorn's HTTP protocol: the head and the body of an answer leave in one write.

uvicorn writes the two apart and uvloop passes each write to the kernel at once: two system calls, two packets and two
wake-ups of the other side for each answer. On a loaded door that is a tenth of its CPU.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class JoiningTransport:
    """Holds a write until the next one, or until this turn of the event loop ends: a stream's head waits for nobody.

    It has what uvicorn uses of a transport, no more.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._held = b""
        self._write = transport.write
        self._close = transport.close
        self._call_soon = loop.call_soon
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.set_protocol = transport.set_protocol

    def write(self, data: bytes) -> None:
        """Hold `data`, or write it together with what is held."""
        if self._held:
            held, self._held = self._held, b""
            self._write(held + data)
        else:
            self._held = data
            self._call_soon(self._flush)

    def close(self) -> None:
        """Write what is held, then close."""
        self._flush()
        self._close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._write(held)


class Protocol(HttpToolsProtocol):
    """uvicorn's own, with a transport that joins."""

    def connection_made(self, transport: Any) -> None:
        """Begin to serve a connection."""
        super().connection_made(cast(asyncio.Transport, JoiningTransport(transport, self.loop)))
