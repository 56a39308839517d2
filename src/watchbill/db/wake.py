"""Tell the workers and the open pages at once that something was committed.

In one process an event is enough; between machines PostgreSQL's NOTIFY carries it, inside the transaction, so
that it arrives only after the commit. The worker's poll is the safety net: a lost wake costs half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import psycopg
import structlog
from django.db import connection, transaction

log = structlog.get_logger()
CHANNEL = "watchbill"
WOKEN = Event()
LISTENERS: list[Callable[[], None]] = []


def wake_workers() -> None:
    """Wake every worker, and refresh every open page, once the present transaction is committed; said once is enough.

    What a savepoint takes back takes its own call along, in Django's list as in PostgreSQL's.
    """
    if connection.in_atomic_block and any(hook[1] is tell_here for hook in connection.run_on_commit):
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    transaction.on_commit(tell_here)


def tell_here() -> None:
    """Wake the workers and pages of this process."""
    WOKEN.set()
    for listener in LISTENERS:
        listener()


class Ear(Thread):
    """Listens for the NOTIFY of other machines; a lost connection is made again."""

    def __init__(self) -> None:
        super().__init__(name="ear", daemon=True)
        self.stopping = Event()

    def run(self) -> None:
        """Listen until stopped."""
        while not self.stopping.is_set():
            try:
                self._listen()
            except psycopg.Error:
                log.warning("lost the database's notifications; listening again in a second")
                self.stopping.wait(1)

    def _listen(self) -> None:
        parameters = connection.get_connection_params()
        parameters.pop("pool", None)
        parameters.pop("cursor_factory", None)
        parameters.pop("context", None)
        with psycopg.connect(**parameters, autocommit=True) as line:
            line.execute(f"LISTEN {CHANNEL}")
            tell_here()  # what was said while nobody listened is not repeated
            while not self.stopping.is_set():
                for _ in line.notifies(timeout=1.0, stop_after=1):
                    tell_here()
