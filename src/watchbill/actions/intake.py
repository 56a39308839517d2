"""Take what arrives: many requests wait together for one commit, and none is answered before it.

One thread writes. A batch is what one turn of the event loop brought, or whatever arrived during the last commit, so
there is no timer to wait for: at rest a request costs one commit, under load a commit serves hundreds
(docs/decisions/0006). What the database refuses is told to the one sender whose row it is; a database that is away is
told to everybody, and tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from queue import SimpleQueue
from threading import Event, Thread

import structlog
from django.db import connection

from watchbill.db import wake
from watchbill.db.inbox_writer import InboxAway, InboxRow, InboxWriter, RowRefused, Stored
from watchbill.db.inbox_writer_postgresql import PostgresqlInbox
from watchbill.db.inbox_writer_sqlite import SqliteInbox
from watchbill.db.sqlite.checkpoint import Checkpointer

log = structlog.get_logger()
MOST_WAITING = 10_000
MOST_BYTES = 64 * 1024 * 1024
LARGEST_BATCH = 1024
FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0

Place = tuple[InboxRow, "asyncio.Future[int]"]
Outcomes = Sequence[Stored | InboxAway]


class ListFull(Exception):
    """So much waits for the disk that no more is taken in: the sender should come again in a moment."""


class Intake:
    """The list in front of the database, and the thread that empties it. All methods belong to the event loop.

    `most_waiting` requests and `most_bytes` of bodies may wait; what is more is refused at once.
    """

    def __init__(self, writer: InboxWriter, most_waiting: int = MOST_WAITING, most_bytes: int = MOST_BYTES) -> None:
        self.writer = writer
        self.most_waiting = most_waiting
        self.most_bytes = most_bytes
        self.waiting = 0
        self.bytes_waiting = 0
        self._list: list[Place] = []
        self._writing = False  # a batch is with the thread, or about to be
        self._away = ""
        self._closing = False
        self._empty = asyncio.Event()
        self._empty.set()
        self._stopped = Event()
        self._batches: SimpleQueue[list[Place] | None] = SimpleQueue()
        self._thread = Thread(target=self._write_until_stopped, name="inbox", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def take(self, row: InboxRow) -> asyncio.Future[int]:
        """Put a row on the list; the future holds its id once it is on disk, or raises InboxAway or RowRefused.

        Raises InboxAway at once while the database is known to be away or the process stops, ListFull when too
        much waits. Rows are stored in the order in which they are taken.
        """
        if self._away or self._closing:
            raise InboxAway(self._away or "this process is stopping")
        size = len(row.body)
        if self.waiting >= self.most_waiting or self.bytes_waiting + size > self.most_bytes:
            raise ListFull(f"{self.waiting} requests wait for the disk")
        self.waiting += 1
        self.bytes_waiting += size
        future = self._loop.create_future()
        self._list.append((row, future))
        if not self._writing:
            self._writing = True
            self._empty.clear()
            # Not at once: what else this turn of the loop reads joins the batch.
            self._loop.call_soon(self._hand_over)
        return future

    @property
    def trouble(self) -> str:
        """Say why nothing can be stored now; empty when all is well."""
        return self._away

    async def drain(self, deadline: float) -> None:
        """Take nothing more, answer what waits within `deadline` seconds, end the thread."""
        self._closing = True
        try:
            await asyncio.wait_for(self._empty.wait(), deadline)
        except TimeoutError:
            log.error("stopped before everything was stored; its senders were not answered", waiting=self.waiting)
        self._stopped.set()
        self._batches.put(None)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join, 1.0)

    def _hand_over(self) -> None:
        """Give the thread the next batch, or note that it has nothing to do."""
        batch, self._list = self._list[:LARGEST_BATCH], self._list[LARGEST_BATCH:]
        if batch:
            self._batches.put(batch)
        else:
            self._writing = False
            self._empty.set()

    def _resolve(self, batch: list[Place], outcomes: Outcomes) -> None:
        """Answer every request of a batch, and let the next begin."""
        for (row, future), outcome in zip(batch, outcomes, strict=True):
            self.waiting -= 1
            self.bytes_waiting -= len(row.body)
            if future.cancelled():
                continue
            if isinstance(outcome, int):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
        if self._away and self._list:
            left, self._list = self._list, []
            self._resolve(left, [InboxAway(self._away) for _ in left])
        else:
            self._hand_over()

    # From here on: the writing thread.

    def _write_until_stopped(self) -> None:
        batch: list[Place] | None = None
        try:
            while (batch := self._batches.get()) is not None:
                self._write(batch)
        finally:
            # Also when a bug ends the thread: nobody waits for an answer that cannot come.
            self._away = self._away or "the writer has stopped"
            if batch is not None:
                self._tell_away(batch)
            self.writer.close()

    def _write(self, batch: list[Place]) -> None:
        try:
            stored = self.writer.store([row for row, _ in batch])
        except InboxAway as away:
            self._away = str(away)
            log.error("the database is away: senders are told to come again", error=str(away))
            self._tell_away(batch)
            self._wait_for_database()
            return
        wake.WOKEN.set()
        self._tell(batch, stored)

    def _wait_for_database(self) -> None:
        """Try until the database is back or the process stops; meanwhile the door refuses by itself."""
        pause = FIRST_WAIT
        while not self._stopped.wait(pause):
            try:
                self.writer.probe()
            except InboxAway as away:
                self._away = str(away)
                pause = min(pause * 2, LONGEST_WAIT)
            else:
                log.info("the database is back")
                self._away = ""
                return

    def _tell_away(self, batch: list[Place]) -> None:
        self._tell(batch, [InboxAway(self._away) for _ in batch])

    def _tell(self, batch: list[Place], outcomes: Outcomes) -> None:
        if not self._loop.is_closed():  # stopped at its deadline: nobody is there to be told
            self._loop.call_soon_threadsafe(self._resolve, batch, outcomes)


def open_writer(patience: float = 5.0) -> InboxWriter:
    """Give the writer for the database of this instance; it connects when the first batch comes."""
    if connection.vendor == "sqlite":
        return SqliteInbox(str(connection.settings_dict["NAME"]), patience)
    parameters = connection.get_connection_params()
    ours = {key: value for key, value in parameters.items() if key not in {"pool", "cursor_factory", "context"}}
    return PostgresqlInbox(ours, patience)


def open_checkpointer() -> Checkpointer | None:
    """Give the thread that checkpoints SQLite's log, for the process that serves; None on PostgreSQL."""
    return Checkpointer(str(connection.settings_dict["NAME"])) if connection.vendor == "sqlite" else None


__all__ = ["InboxAway", "InboxRow", "Intake", "ListFull", "RowRefused", "open_checkpointer", "open_writer"]
