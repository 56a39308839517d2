"""Move what the write-ahead log of SQLite holds into the database beside the writers, not inside their commits.

SQLite's own checkpoint runs in whichever commit finds the log long, and that commit's sender waits for it. This
thread does it instead, and keeps the log from growing without end under steady writing.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Event, Thread

import structlog

from watchbill.db.write_lock import WRITE_LOCK

log = structlog.get_logger()
EVERY_SECONDS = 2.0
CAP_BYTES = 64 * 1024 * 1024


class Checkpointer(Thread):
    """One per process that serves a SQLite file. Above `cap` bytes of log, writers wait once while it starts anew."""

    def __init__(self, path: str, cap: int = CAP_BYTES) -> None:
        super().__init__(name="checkpoint", daemon=True)
        self.path = path
        self.cap = cap
        self.stopping = Event()
        self._connection: sqlite3.Connection | None = None

    def run(self) -> None:
        """Checkpoint until stopped."""
        while not self.stopping.wait(EVERY_SECONDS):
            self.checkpoint()
        self.close()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self.stopping.set()
        self.join()

    def checkpoint(self) -> None:
        """Move what can be moved now; a database that cannot be reached is tried again next time."""
        try:
            self._checkpoint(self._connection or self._open())
        except sqlite3.DatabaseError as error:
            log.warning("cannot checkpoint the database now", error=str(error))
            self.close()

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        page_size: int = connection.execute("PRAGMA page_size").fetchone()[0]
        _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if frames * page_size <= self.cap:
            return
        # PASSIVE never lets the log begin again while somebody writes. RESTART, not TRUNCATE: to sync into a file
        # that has its length already is twice as fast.
        with WRITE_LOCK:
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()

    def _open(self) -> sqlite3.Connection:
        # A reader that keeps the log from beginning anew is waited for only this long.
        self._connection = sqlite3.connect(
            f"{Path(self.path).absolute().as_uri()}?mode=rw", uri=True, timeout=0.1, isolation_level=None
        )
        self._connection.execute("PRAGMA synchronous=FULL")
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
