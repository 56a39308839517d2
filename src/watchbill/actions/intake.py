"""Take what arrives: many requests wait together for one commit, and none is answered before it.

One task writes. A batch is what one turn of the event loop brought, or whatever arrived during the last commit, so
there is no timer to wait for: at rest a request costs one commit, under load a commit serves hundreds
(docs/decisions/0006). What the database refuses is told to the one sender whose row it is; a database that is away is
told to everybody, and tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from django.db import connection

from watchbill.db import wake
from watchbill.db.inbox_loop_postgresql import PostgresqlInboxInLoop
from watchbill.db.inbox_thread import InboxThread
from watchbill.db.inbox_writer import AsyncInboxWriter, InboxAway, InboxRow, InboxWriter, RowRefused, Stored
from watchbill.db.inbox_writer_postgresql import PostgresqlInbox
from watchbill.db.inbox_writer_sqlite import SqliteInbox
from watchbill.db.sqlite.checkpoint import Checkpointer

log = structlog.get_logger()
MOST_WAITING = 10_000
MOST_BYTES = 64 * 1024 * 1024
LARGEST_BATCH = 1024
FIRST_WAIT, LONGEST_WAIT = 0.1, 2.0  # seconds between two looks for a database that is away
LAST_WAIT = 1.0  # seconds for the writer to close

Place = tuple[InboxRow, "asyncio.Future[int]"]
Outcomes = Sequence[Stored | InboxAway]


class ListFull(Exception):
    """So much waits for the disk that no more is taken in: the sender should come again in a moment."""


class Intake:
    """The list in front of the database, and the task that empties it. All of it belongs to the event loop.

    `most_waiting` requests and `most_bytes` of bodies may wait; what is more is refused at once.
    """

    def __init__(self, writer: InboxWriter, most_waiting: int = MOST_WAITING, most_bytes: int = MOST_BYTES) -> None:
        self.writer = for_a_loop(writer)
        self.most_waiting = most_waiting
        self.most_bytes = most_bytes
        self.waiting = 0
        self.bytes_waiting = 0
        self._list: list[Place] = []
        self._some = asyncio.Event()  # on the list
        self._none = asyncio.Event()  # on the list, or with the writer
        self._none.set()
        self._away = ""
        self._closing = False

    def start(self) -> None:
        """Begin to write."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._write_on(), name="inbox")

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
        # The task runs in the loop's next turn: what else this turn reads joins the batch.
        self._some.set()
        self._none.clear()
        return future

    @property
    def trouble(self) -> str:
        """Say why nothing can be stored now; empty when all is well."""
        return self._away

    async def drain(self, deadline: float) -> None:
        """Take nothing more, answer what waits within `deadline` seconds, end the task."""
        self._closing = True
        try:
            await asyncio.wait_for(self._none.wait(), deadline)
        except TimeoutError:
            log.error("stopped before everything was stored; its senders were not answered", waiting=self.waiting)
        self._task.cancel()
        await asyncio.wait([self._task])
        with suppress(TimeoutError):
            await asyncio.wait_for(self.writer.close(), LAST_WAIT)

    async def _write_on(self) -> None:
        """Store batch after batch, until cancelled."""
        batch: list[Place] = []
        try:
            while await self._some.wait():
                batch, self._list = self._list[:LARGEST_BATCH], self._list[LARGEST_BATCH:]
                await self._write(batch)
                batch = []
                if not self._list:
                    self._some.clear()
        except Exception:
            log.exception("the writer has stopped: a bug")
            raise
        finally:
            # Also when a bug ends the task: nobody waits for an answer that cannot come.
            self._away = self._away or "the writer has stopped"
            self._tell_away(batch + self._list)

    async def _write(self, batch: list[Place]) -> None:
        try:
            stored = await self._store([row for row, _ in batch])
        except InboxAway as away:
            self._away = str(away)
            log.error("the database is away: senders are told to come again", error=self._away)
            self._tell_away(batch)
            left, self._list = self._list, []
            self._tell_away(left)
            await self._wait_for_database()
            return
        wake.WOKEN.set()
        self._tell(batch, stored)

    async def _store(self, rows: list[InboxRow]) -> Sequence[Stored]:
        """Store rows; what breaks the writer is found among them and refused, so that the door stays open for the others."""
        try:
            return await self.writer.store(rows)
        except InboxAway:
            raise
        except Exception as bug:
            log.exception("the writer broke: a bug", rows=len(rows))
            if len(rows) == 1:
                return [RowRefused(f"{type(bug).__name__}: {bug}")]
            return [one for row in rows for one in await self._store([row])]

    async def _wait_for_database(self) -> None:
        """Try until the database is back; meanwhile the door refuses by itself."""
        pause = FIRST_WAIT
        while self._away:
            await asyncio.sleep(pause)
            try:
                await self.writer.probe()
            except InboxAway as away:
                self._away = str(away)
                pause = min(pause * 2, LONGEST_WAIT)
            else:
                log.info("the database is back")
                self._away = ""

    def _tell_away(self, batch: list[Place]) -> None:
        self._tell(batch, [InboxAway(self._away) for _ in batch])

    def _tell(self, batch: list[Place], outcomes: Outcomes) -> None:
        """Answer every request of a batch that nobody has answered."""
        for (row, future), outcome in zip(batch, outcomes, strict=True):
            self.waiting -= 1
            self.bytes_waiting -= len(row.body)
            if future.done():
                continue
            if isinstance(outcome, int):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
        if not self.waiting:
            self._none.set()


def open_writer(patience: float = 5.0) -> InboxWriter:
    """Give the writer for the database of this instance; it connects when the first batch comes."""
    if connection.vendor == "sqlite":
        return SqliteInbox(str(connection.settings_dict["NAME"]), patience)
    parameters = connection.get_connection_params()
    ours = {key: value for key, value in parameters.items() if key not in {"pool", "cursor_factory", "context"}}
    return PostgresqlInbox(ours, patience)


def for_a_loop(writer: InboxWriter) -> AsyncInboxWriter:
    """Let an event loop wait for what `writer` stores."""
    return PostgresqlInboxInLoop(writer) if isinstance(writer, PostgresqlInbox) else InboxThread(writer)


def open_checkpointer() -> Checkpointer | None:
    """Give the thread that checkpoints SQLite's log, for the process that serves; None on PostgreSQL."""
    return Checkpointer(str(connection.settings_dict["NAME"])) if connection.vendor == "sqlite" else None


__all__ = [
    "InboxAway",
    "InboxRow",
    "Intake",
    "ListFull",
    "RowRefused",
    "for_a_loop",
    "open_checkpointer",
    "open_writer",
]
