"""From the 202 at the real door to the page in the hands of a mail server, with `watchbill serve` as people run it.

At rest: one critical alert at a time. Goals: p50 < 100 ms, p99 < 1 s. Under load: 200 alerts a second, each an alert
of its own, of which one in ten pages somebody; then the same with every single one paging. Goal: p99 < 3 s. Pages that
follow each other to one person leave in one mail; `--people` spreads each load over so many of them. What the
door refused is counted, and each page that should arrive is waited for: a missing one ends with status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.client import HTTPConnection
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from time import perf_counter
from urllib.request import urlopen

from bench.ground import arguments, chosen, instance
from bench.table import at_most, ms, percentile, show

SENDERS = 4
# Longer than the time in which a page waits for company behind another one to the same person.
AT_REST = 1.2
KEY = re.compile(r"bench-[a-z]+-[0-9]+")
PATIENCE = 60.0


class Sink(ThreadingTCPServer):
    """A mail server that notes when each subject was handed over."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.taken: dict[str, float] = {}
        self.mails = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Conversation(StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self._say("220 bench")
        while line := self.rfile.readline(4096):
            verb = line[:4].upper()
            if verb == b"DATA":
                self._take()
            else:
                self._say("221 bye" if verb == b"QUIT" else "250 ok")

    def _take(self) -> None:
        self._say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline(4096)) not in {b".\r\n", b""}:
            lines.append(line)
        taken = perf_counter()
        self._say("250 kept")
        self.server.mails += 1  # type: ignore[attr-defined]
        for key in _keys_in(lines):
            self.server.taken.setdefault(key, taken)  # type: ignore[attr-defined]

    def _say(self, words: str) -> None:
        self.wfile.write(words.encode() + b"\r\n")


def _keys_in(lines: list[bytes]) -> set[str]:
    """Find which alerts a mail speaks of: one in its subject, or those that a bundle lists."""
    subject = next((line for line in lines if line.startswith(b"Subject: ")), b"")
    text = subject.decode("ascii", "replace")
    if b" pages: " in subject:
        letter = message_from_bytes(b"".join(lines), _class=EmailMessage, policy=default)
        body = letter.get_body(("plain",))
        text = str(body.get_content()) if body else ""
    return set(KEY.findall(text))


class Door:
    """A way in over kept connections; notes when each 202 came, and what else came instead."""

    def __init__(self, port: int, keys: list[str]) -> None:
        self.port = port
        self.keys = keys
        self.accepted: dict[str, float] = {}
        self.refused: dict[int, int] = {}
        self._line = threading.local()

    def send(self, name: str, severity: str, number: int) -> None:
        """Post one event."""
        if not hasattr(self._line, "connection"):
            self._line.connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
            self._line.connection.connect()
            self._line.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        content = {"summary": f"{name} is in trouble", "source": "bench", "severity": severity}
        key = self.keys[number % len(self.keys)]
        body = {"routing_key": key, "event_action": "trigger", "dedup_key": name, "payload": content}
        self._line.connection.request("POST", "/v2/enqueue", json.dumps(body), {"Content-Type": "application/json"})
        answer = self._line.connection.getresponse()
        answer.read()
        if answer.status == 202:
            self.accepted[name] = perf_counter()
        else:
            self.refused[answer.status] = self.refused.get(answer.status, 0) + 1


def at_rest(door: Door, times: int, name: str = "rest") -> list[str]:
    """Send one critical alert at a time; gives the names that should page."""
    names = [f"bench-{name}-{number}" for number in range(times)]
    for number, one in enumerate(names):
        door.send(one, "critical", number)
        _pause(AT_REST)
    return names


def under_load(door: Door, name: str, rate: int, seconds: int, every: int) -> list[str]:
    """Send `rate` alerts a second from a few senders, each `every`th critical; gives the names that should page."""
    started = perf_counter() + 0.2
    paging: list[str] = []

    def run(sender: int) -> None:
        for number in range(sender, rate * seconds, SENDERS):
            _pause(started + number / rate - perf_counter())
            severity = "critical" if number % every == 0 else "warning"
            one = f"bench-{name}-{number}"
            if severity == "critical":
                paging.append(one)
            door.send(one, severity, number)

    senders = [threading.Thread(target=run, args=(sender,)) for sender in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return paging


def _pause(seconds: float) -> None:
    if seconds > 0:
        time.sleep(seconds)


def wait_for(sink: Sink, door: Door, names: list[str]) -> list[float]:
    """Wait until every accepted page has arrived, or patience ends; gives how long each took after its 202."""
    wanted = [name for name in names if name in door.accepted]
    end = perf_counter() + PATIENCE
    while perf_counter() < end and any(name not in sink.taken for name in wanted):
        _pause(0.05)
    return [max(sink.taken[name] - door.accepted[name], 0.0) for name in wanted if name in sink.taken]


def main(argv: list[str] | None = None) -> int:
    """Measure on the databases asked for."""
    parser = arguments(__doc__, 20, "alerts at rest")
    parser.add_argument("--rate", type=int, default=200, help="alerts a second under load (default 200)")
    parser.add_argument("--seconds", type=int, default=8, help="how long each load lasts (default 8)")
    parser.add_argument("--people", type=int, default=1, help="how many share the pages (default 1)")
    given = parser.parse_args(argv)
    return max(_measure(database, given) for database in chosen(given.database))


def _measure(database: str, given: argparse.Namespace) -> int:
    sink = Sink()
    with instance(database) as environment:
        port = _free_port()
        environment["WATCHBILL_URL"] = f"http://127.0.0.1:{port}"
        environment["WATCHBILL_SMTP_URL"] = f"smtp://127.0.0.1:{sink.server_address[1]}/?from=watch@bench.example"
        setup = [sys.executable, "-m", "bench.inside.delivery", str(given.people)]
        keys = subprocess.run(setup, env=environment, check=True, capture_output=True, text=True).stdout.split()
        watchbill = str(Path(sys.executable).parent / "watchbill")
        server = subprocess.Popen([watchbill, "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL)
        try:
            _wait_until_ready(port)
            return _run(database, given, sink, Door(port, keys), server.pid)
        finally:
            server.terminate()
            server.wait(20)
            sink.shutdown()


def _run(database: str, given: argparse.Namespace, sink: Sink, door: Door, pid: int) -> int:
    wait_for(sink, door, at_rest(door, 3, "warm"))  # the first ones warm everything up
    for name in list(door.accepted):
        del door.accepted[name], sink.taken[name]
    rows, missing = [], 0
    loads = (
        ("at rest", lambda: at_rest(door, given.size), 0.100, 1.0),
        (f"{given.rate}/s, 1 in 10 pages", lambda: under_load(door, "tenth", given.rate, given.seconds, 10), None, 3.0),
        (f"{given.rate}/s, each one pages", lambda: under_load(door, "each", given.rate, given.seconds, 1), None, 3.0),
    )
    for title, send, goal50, goal99 in loads:
        before, worked, mails = len(door.accepted), _cpu(pid), sink.mails
        names = send()
        took = wait_for(sink, door, names)
        lost = len([name for name in names if name in door.accepted]) - len(took)
        missing += lost
        p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
        cpu = _cpu(pid) - worked
        counts = (f"{len(door.accepted) - before:,}", f"{len(took):,}", f"{sink.mails - mails:,}", str(lost))
        figures = (*counts, ms(p50), ms(p99), ms(max(took)))
        goals = (at_most(p50, goal50) if goal50 else "", at_most(p99, goal99))
        rows.append((title, *figures, f"{cpu:.1f} s", *goals))
    head = (
        "",
        "accepted",
        "handed over",
        "in mails",
        "missing",
        "p50",
        "p99",
        "longest",
        "CPU",
        "p50 < 100 ms",
        "p99 < 1 s, 3 s",
    )
    show(f"202 to the mail server's hands, {database}", head, rows)
    print(f"  refused by the door: {door.refused or 'none'}")
    return 1 if missing or door.refused else 0


def _cpu(pid: int) -> float:
    """Read the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait_until_ready(port: int) -> None:
    end = perf_counter() + PATIENCE
    while perf_counter() < end:
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            _pause(0.1)
    raise SystemExit("watchbill serve did not become ready")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
