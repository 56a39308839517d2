"""Tell the workers that there is work, and the open pages that something changed, once it is committed.

In one process an event is enough; between machines PostgreSQL's NOTIFY carries it, inside the transaction, so
that it arrives only after the commit. Most commits make no work (a line in the log, a mark that something was sent),
and every worker that is woken asks the database what is due, so the two are told apart. The worker's poll is the
safety net: a lost wake costs half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import psycopg
import structlog
from django.db import connection, transaction

from watchbill.db.pool import drop_dead_connections

log = structlog.get_logger()
CHANNEL = "watchbill"
WORK, CHANGE = "", "change"
WOKEN = Event()
LISTENERS: list[Callable[[], None]] = []


def wake_workers() -> None:
    """Wake every worker, and refresh every open page, once the present transaction is committed; said once is enough."""
    _tell_after_commit(WORK, tell_here)


def refresh_pages() -> None:
    """Refresh every open page once the present transaction is committed: it changed something and made no work."""
    _tell_after_commit(CHANGE, refresh_here)


def _tell_after_commit(what: str, here: Callable[[], None]) -> None:
    # What a savepoint takes back takes its own call along, in Django's list as in PostgreSQL's.
    if connection.in_atomic_block and any(hook[1] in {here, tell_here} for hook in connection.run_on_commit):
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, what])
    transaction.on_commit(here)


def tell_here(what: str = WORK) -> None:
    """Wake the workers of this process, when there is work, and refresh its pages."""
    if what == WORK:
        WOKEN.set()
    for listener in LISTENERS:
        try:
            listener()
        except Exception:
            # It is called after a commit, in the midst of other people's work: a page that is not refreshed stops none.
            log.exception("an open page could not be refreshed")


def refresh_here() -> None:
    """Refresh the pages of this process."""
    tell_here(CHANGE)


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
                self._drop_dead()

    def _drop_dead(self) -> None:
        """Whatever took this connection took those of the pool along; a node without a worker has nobody else to notice."""
        try:
            drop_dead_connections()
        except Exception:
            log.exception("dead connections could not be dropped")

    def _listen(self) -> None:
        parameters = connection.get_connection_params()
        parameters.pop("pool", None)
        parameters.pop("cursor_factory", None)
        parameters.pop("context", None)
        with psycopg.connect(**parameters, autocommit=True) as line:
            line.execute(f"LISTEN {CHANNEL}")
            tell_here()  # what was said while nobody listened is not repeated
            while not self.stopping.is_set():
                for said in line.notifies(timeout=1.0, stop_after=1):
                    tell_here(said.payload)
