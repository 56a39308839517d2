"""What the tests of the worker share: a mail server that hangs, a web server that answers, a batch that sends nothing."""

from __future__ import annotations

import socket
from contextlib import closing
from threading import Event as Happening
from threading import Thread

from tests.world import World

SOON = 10.0


class Silent:
    """A mail server that takes every connection and never says a word."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.lines: list[socket.socket] = []
        self.many = Happening()
        self.thread = Thread(target=self._accept, daemon=True)
        self.wanted = 0

    def start(self, wanted: int) -> None:
        self.wanted = wanted
        self.thread.start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            self.lines.append(line)
            if len(self.lines) >= self.wanted:
                self.many.set()

    def hang_up(self) -> None:
        for line in self.lines:
            line.close()

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.hang_up()
        self.thread.join()


class Listener:
    """A web server on the loopback: `heard` is set by each request."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.heard = Happening()
        self.requests: list[bytes] = []
        self.thread = Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with closing(line):
                self.requests.append(line.recv(65536))
                line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
            self.heard.set()

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def alerts_only(world: World) -> None:
    """The inbox is read and nothing leaves yet."""
    from watchbill.actions import alerts  # noqa: PLC0415

    alerts.receive(world.service.pk, world.now)
