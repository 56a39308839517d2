"""Run Watchbill: prepare the database, start what was asked for, stop cleanly.

On SIGTERM the door finishes what it holds, the worker what it has claimed, within ten seconds; what is not
finished is due again when its lease ends.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager
from threading import Timer
from time import monotonic
from types import FrameType
from typing import IO, TYPE_CHECKING

import structlog
import uvicorn
from django.core.management import call_command
from django.db import connection

from watchbill.db.models import Person
from watchbill.db.wake import LISTENERS, Ear
from watchbill.egress import Allow, Client
from watchbill.entry import clock
from watchbill.entry.application import Application
from watchbill.entry.forwarded import Forwarded
from watchbill.entry.intake.app import IntakeApp
from watchbill.entry.live import HUB
from watchbill.entry.logs import set_up_logs
from watchbill.entry.mail.polling import add_mail_polling
from watchbill.entry.server_protocol import Protocol
from watchbill.entry.settings import CONFIG
from watchbill.entry.worker.heartbeat import add_heartbeat
from watchbill.entry.worker.loop import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger()
MIGRATION_LOCK = 0x57A7C4B1
GRACE_SECONDS = 8


class Server(uvicorn.Server):
    """At the first signal: ends the live streams, which would never end by themselves, and calls `at_exit`."""

    def __init__(self, config: uvicorn.Config, at_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self.at_exit = at_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start to stop."""
        HUB.stop()
        self.at_exit()
        super().handle_exit(sig, frame)


class Ending:
    """The ten seconds between the first signal and the end of the process, whatever hangs meanwhile."""

    def __init__(self, crew: Worker | None) -> None:
        self.crew = crew
        self.at: float | None = None

    def begin(self) -> None:
        """Claim no more work; from now on the time runs. The second signal changes nothing."""
        if self.at is not None:
            return
        self.at = monotonic() + GRACE_SECONDS
        if self.crew is not None:
            self.crew.stop_claiming()
        # What is not finished then is due again when its lease ends, as after any other death.
        last = Timer(GRACE_SECONDS + 1, os._exit, [0])
        last.daemon = True
        last.start()

    def left(self) -> float:
        """Give the seconds that are left."""
        return max(self.at - monotonic(), 0.0) if self.at is not None else GRACE_SECONDS


def prepare() -> None:
    """Bring the database to this version's shape; of many nodes that start at once, one does it."""
    set_up_logs()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
            try:
                call_command("migrate", verbosity=0, interactive=False)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
    else:
        CONFIG.data.mkdir(parents=True, exist_ok=True)
        call_command("migrate", verbosity=0, interactive=False)
    connection.close()


@contextmanager
def only_server_here() -> Iterator[None]:
    """Refuse a second server on one SQLite folder: two would each believe that they are the only writer."""
    if connection.vendor == "postgresql":
        yield
        return
    CONFIG.data.mkdir(parents=True, exist_ok=True)
    file: IO[str] = (CONFIG.data / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(
            f"Another Watchbill serves {CONFIG.data} already. Stop it first, give this one a folder of its own with "
            "WATCHBILL_DATA, or move to PostgreSQL with WATCHBILL_DATABASE_URL, which any number of nodes share."
        ) from None
    yield
    file.close()


def run(host: str, port: int, *, web: bool, intake: bool, worker: bool) -> None:
    """Run until SIGTERM or SIGINT."""
    if connection.vendor == "sqlite" and not (web and intake and worker):
        raise SystemExit(
            "On SQLite everything runs in one process: use `watchbill serve`, or set WATCHBILL_DATABASE_URL."
        )
    with only_server_here():
        prepare()
        _greet()
        LISTENERS.append(HUB.changed)
        ear = Ear() if connection.vendor == "postgresql" else None
        if ear:
            ear.start()
        crew = _start_worker() if worker else None
        ending = Ending(crew)
        try:
            _serve(host, port, ending, web=web, intake=intake)
        finally:
            if crew:
                crew.stop(ending.left())
            if ear:
                ear.stopping.set()
    # Threads that still hold a vendor's line must not keep the process: their rows are due again after the lease.
    sys.stderr.flush()
    os._exit(0)


def _start_worker() -> Worker:
    http = Client(Allow.read(CONFIG.allow))
    crew = Worker(clock.now, http)
    add_heartbeat(crew, http, CONFIG.heartbeat_url)
    add_mail_polling(crew)
    crew.start()
    return crew


def _serve(host: str, port: int, ending: Ending, *, web: bool, intake: bool) -> None:
    application = Application(IntakeApp() if intake else None, web=web, metrics_token=CONFIG.metrics_token)
    config = uvicorn.Config(
        Forwarded(application, CONFIG.trust_proxy) if CONFIG.trust_proxy else application,
        host=host,
        port=port,
        loop="uvloop",
        http=Protocol,
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=4096,
    )
    server = Server(config, ending.begin)
    signal.signal(signal.SIGTERM, server.handle_exit)
    print(f"Watchbill listens on http://{host}:{port} and is reached at {CONFIG.url}", file=sys.stderr, flush=True)
    server.run()
    if not server.started:
        raise SystemExit("Watchbill could not start; the reason stands above.")


def _greet() -> None:
    """Tell the operator of a fresh instance how to claim it."""
    if not Person.objects.exists():
        print(
            f"Nobody has an account yet. Open {CONFIG.url}/welcome/ with this code: {CONFIG.setup_code}",
            file=sys.stderr,
        )
    connection.close()
