"""Real `watchbill` processes for tests: started, asked, stopped, killed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Waiting
from time import monotonic
from typing import Any

from tests.doors.intake_world import KIND, Reply, Store
from tests.world import free_port

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PROGRAM = [sys.executable, "-c", "from watchbill.entry.cli import main; main()"]
TOKEN = "a token for the metrics"
# Other tests may have every core for a while.
STARTS, STOPS = 90.0, 30.0


def until(is_so: Callable[[], Any], seconds: float = STARTS) -> Any:
    """Ask again until it is so; gives the answer, or the last one when the time is over."""
    end = monotonic() + seconds
    while not (answer := is_so()) and monotonic() < end:
        Waiting().wait(0.02)
    return answer


@dataclass
class Node:
    """One process of Watchbill."""

    environment: dict[str, str]
    command: list[str]
    folder: Path
    key: str = ""
    session: str = ""
    port: int = field(default_factory=free_port)

    def start(self, *, wait: bool = True) -> Node:
        self.log = (self.folder / f"log-{self.port}").open("w+")
        environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "WATCHBILL_URL": f"http://127.0.0.1:{self.port}",
            "WATCHBILL_METRICS_TOKEN": TOKEN,
            **self.environment,
        }
        command = [*PROGRAM, *self.command, "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
        if wait:
            assert until(self.answers), self.said()
        return self

    def answers(self) -> bool:
        if self.process.poll() is not None:
            return True
        try:
            return self.ask("/healthz", method="GET").status == 200
        except OSError:
            return False

    def said(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text()

    def ask(self, path: str, body: Any = None, method: str = "POST", headers: dict[str, str] | None = None) -> Reply:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.request(method, path, json.dumps(body).encode() if body is not None else b"", headers or {})
            answer = line.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            line.close()

    def event(self, key: str, action: str = "trigger") -> int:
        """Send one event; gives the status, 0 when there was no answer."""
        payload = {"summary": f"Disk {key} is full", "source": "db1", "severity": "critical"}
        event = {"routing_key": self.key, "event_action": action, "dedup_key": key, "payload": payload}
        try:
            return self.ask("/v2/enqueue", event).status
        except (OSError, http.client.HTTPException):
            return 0

    def stream(self, session: str | None = None) -> socket.socket:
        """Open a live stream, and read until it is there."""
        line = socket.create_connection(("127.0.0.1", self.port), timeout=STARTS)
        cookie = f"Cookie: sessionid={session}\r\n" if session else ""
        line.sendall(f"GET /live HTTP/1.1\r\nHost: x\r\n{cookie}\r\n".encode())
        return line

    def stop(self) -> int:
        """SIGTERM; gives the exit code, and fails when it takes longer than it may."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOPS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def read_until(line: socket.socket, words: bytes) -> bytes:
    """Read from a stream until the words have come; gives all that came, also when the stream ended before."""
    read = b""
    while words not in read:
        more = line.recv(65536)
        if not more:
            break
        read += more
    return read


@dataclass
class Base:
    """A database with the team in it, from which every test has a copy."""

    store: Store
    key: str
    session: str


def make_base(folder: Path) -> Base:
    folder.mkdir()
    store = KIND.make(folder, "nodes")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "watchbill.entry.settings",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        **store.environment,
    }
    made = subprocess.run(
        [sys.executable, HERE / "seed_team.py"], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return Base(store, **json.loads(made.stdout))
