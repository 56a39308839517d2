"""The measuring part of `bench.status`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import sleep, thread_time
from typing import Any

import psutil
import uvicorn
from django.db import connection

from bench.inside import cast
from bench.table import ms, show
from watchbill.actions import declaring, status_incidents, status_publishing, statuspage
from watchbill.actions.declaring import Declared
from watchbill.db.models import Incident, IncidentUpdate, Service, StatusPage, Team
from watchbill.db.wake import LISTENERS
from watchbill.entry import clock
from watchbill.entry.application import Application
from watchbill.entry.server_protocol import Protocol

HEAD = ("", "asked/s", "p50", "p99", "CPU an answer", "to no-op", "wrong")
EVERY = 0.2  # seconds between two updates
COMPONENTS = 12
NOTHING = "/no-op"


class Writer(Thread):
    """Writes a public update every so often, through the actions."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(daemon=True)
        self.incident = incident
        self.ending = Event()
        self.written = 0
        self.cpu = 0.0

    def run(self) -> None:
        while not self.ending.wait(EVERY):
            write(self.incident, f"Update {self.written}")
            self.written += 1
        self.cpu = thread_time()
        connection.close()


def write(incident: Incident, text: str) -> None:
    """Say something in public."""
    now = clock.now()
    update = IncidentUpdate.objects.create(
        incident=incident, audience="public", state="active", parts=[["", text]], text=text, at=now, author_name="Bench"
    )
    status_publishing.on_public_update(update, now)


def main() -> int:
    """Build a page, serve it, load it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    given = parser.parse_args()
    incident = build()
    with serving() as port:
        etag = ask(port, "/status/bench/")[1]
        lines = [
            ("no-op", NOTHING, "", False),
            ("the page, gzip", "/status/bench/", "", False),
            ("the page, unchanged (304)", "/status/bench/", etag, False),
            ("the page while it is written", "/status/bench/", "", True),
            ("summary.json while it is written", "/status/bench/summary.json", "", True),
        ]
        rows, bad, base = [], 0, 0.0
        for name, path, known, is_written in lines:
            said, cpu = run(port, path, known, given, incident if is_written else None)
            base = base or cpu
            wrong = sum(count for status, count in said["seen"].items() if status not in {"200", "304"})
            bad += wrong
            figures = (f"{said['rate']:,.0f}", ms(said["p50"]), ms(said["p99"]), f"{cpu * 1e6:,.0f} us")
            rows.append((name, *figures, f"{cpu / base:.2f}", str(wrong)))
        write(incident, "The last word")
        is_shown = _is_shown(port)
    database = os.environ["WATCHBILL_BENCH_DATABASE"]
    show(f"A status page of {COMPONENTS} components at {given.size:,} requests/s, {database}", HEAD, rows)
    print(f"  the last update is {'shown' if is_shown else 'MISSING'}")
    return 1 if bad or not is_shown else 0


def build() -> Incident:
    """Make a public page with an incident on it."""
    now = clock.now()
    cast.build(COMPONENTS, now=now)
    team = Team.objects.get()
    owner = team.fallback
    assert owner is not None
    page = statuspage.create(team, {"title": "Bench", "slug": "bench", "is_public": True}, owner, now)
    services = list(Service.objects.order_by("id"))
    for service in services:
        statuspage.add_component(page, service, {}, owner, now)
    incident = declaring.declare(team, Declared("Slow", "It is slow", services=services[:2]), owner, now)
    status_incidents.publish(incident.pk, StatusPage.objects.get(), "Slow", owner, now)
    return incident


@contextmanager
def serving() -> Iterator[int]:
    """Serve the application and a no-op beside it, as `watchbill serve` does, in a thread; gives the port."""
    application = Application(None)
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == NOTHING:
            await send(start)
            await send({"type": "http.response.body", "body": b"ok"})
        else:
            await application(scope, receive, send)

    config = uvicorn.Config(
        app, port=0, loop="uvloop", http=Protocol, lifespan="on", access_log=False, log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        sleep(0.05)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)
    LISTENERS.clear()


def run(port: int, path: str, etag: str, given: argparse.Namespace, incident: Incident | None) -> tuple[Any, float]:
    """Load an address; gives what the load saw, and the server's CPU in seconds for each answer, without the writer's."""
    writer = Writer(incident) if incident else None
    process = psutil.Process()
    before = sum(process.cpu_times()[:2])
    if writer:
        writer.start()
    arguments = [str(port), path, str(given.size), str(given.seconds), etag]
    command = [sys.executable, "-m", "bench.inside.status_load", *arguments]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    cpu = sum(process.cpu_times()[:2]) - before
    if writer:
        writer.ending.set()
        writer.join()
    return said, (cpu - (writer.cpu if writer else 0.0)) / (given.size * given.seconds)


def ask(port: int, path: str) -> tuple[bytes, str]:
    """Ask once; gives the body and the ETag of what is packed."""
    wanted = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    with urllib.request.urlopen(wanted, timeout=30) as answer:
        body: bytes = answer.read()
        return body, answer.headers["ETag"].rstrip('"') + '-gz"'


def _is_shown(port: int) -> bool:
    for _ in range(50):
        if b"The last word" in ask(port, "/status/bench/")[0]:
            return True
        sleep(0.1)
    return False


if __name__ == "__main__":
    import django

    django.setup()
    sys.exit(main())
