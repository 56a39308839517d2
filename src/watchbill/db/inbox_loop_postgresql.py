"""Batches into `Inbox` on PostgreSQL, sent and awaited by the event loop itself.

A thread that waits for the server fights with the loop over the interpreter four times a batch, and psycopg's own
asynchronous connection takes some turns of the loop for each statement; both store a quarter less (docs/decisions/0006). So the
hot path speaks to libpq by `psycopg.pq`. Whatever is rare (to connect, to find the row that is refused, to probe) is left to
`PostgresqlInbox` in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.pq import Format
from psycopg.pq.abc import PGconn, PGresult

from watchbill.db.inbox_thread import InboxThread
from watchbill.db.inbox_writer import InboxAway, InboxRow, Stored
from watchbill.db.inbox_writer_postgresql import (
    OURS_TO_TRY_ALONE,
    PREPARED,
    Batch,
    PostgresqlInbox,
)

GRACE = 0.5  # seconds beyond the server's own limit, before its silence counts


class PostgresqlInboxInLoop:
    """Writes on the connection of `writer`, which the thread uses only while no batch is under way."""

    def __init__(self, writer: PostgresqlInbox) -> None:
        self.writer = writer
        self._thread = InboxThread(writer)

    async def store(self, rows: Sequence[InboxRow]) -> list[Stored]:
        """As `PostgresqlInbox.store`."""
        try:
            async with asyncio.timeout(self.writer.patience + GRACE):
                return await _store(await self._connect(), rows)
        except OURS_TO_TRY_ALONE:
            return await self._thread.store(rows)
        except (psycopg.Error, TimeoutError) as error:
            self.writer.close()
            raise InboxAway(str(error) or "the server does not answer") from error
        except Exception:
            self.writer.close()  # a bug may have left half a statement on it
            raise

    async def probe(self) -> None:
        """As `PostgresqlInbox.probe`."""
        await self._thread.probe()

    async def close(self) -> None:
        """Close the connection, and end the thread."""
        await self._thread.close()

    async def _connect(self) -> psycopg.Connection[Any]:
        """Give the connection; one on which the server has hung up meanwhile is made anew, before a batch is lost with it."""
        connection = self.writer.connection
        if connection is None or _has_hung_up(connection.pgconn):
            connection = await self._thread.do(self.writer.open)
        return connection


def _has_hung_up(pgconn: PGconn) -> bool:
    try:
        pgconn.consume_input()  # reads what the server said last ...
        pgconn.consume_input()  # ... and whether it has closed after that
    except psycopg.OperationalError:
        return True
    return False


async def _store(connection: psycopg.Connection[Any], rows: Sequence[InboxRow]) -> list[Stored]:
    """Send one batch and wait for its commit; gives the ids. Raises psycopg.Error."""
    batch, pgconn = Batch(connection, rows), connection.pgconn
    pgconn.send_query_prepared(PREPARED, batch.parameters, batch.formats, result_format=Format.BINARY)
    await _flush(pgconn)
    return batch.ids(await _receive(pgconn))


async def _flush(pgconn: PGconn) -> None:
    """Wait until the kernel has all that is to be sent."""
    loop, socket = asyncio.get_running_loop(), pgconn.socket
    while pgconn.flush():
        writable = asyncio.Event()
        loop.add_writer(socket, writable.set)
        try:
            await writable.wait()
        finally:
            loop.remove_writer(socket)


async def _receive(pgconn: PGconn) -> PGresult:
    """Wait until the server is done, not until a result comes: that comes before the commit, which may still fail."""
    loop, socket = asyncio.get_running_loop(), pgconn.socket
    results: list[PGresult] = []
    done: asyncio.Future[PGresult] = loop.create_future()

    def read() -> None:
        try:
            pgconn.consume_input()
            while not (done.done() or pgconn.is_busy()):
                if (result := pgconn.get_result()) is None:
                    done.set_result(results[-1])
                else:
                    results.append(result)
        except psycopg.Error as error:
            loop.remove_reader(socket)  # now: libpq may have closed it, and the next connection may get its number
            if not done.done():
                done.set_exception(error)

    loop.add_reader(socket, read)
    try:
        return await done
    finally:
        loop.remove_reader(socket)
