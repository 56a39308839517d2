"""Batches into `Inbox` on SQLite: one BEGIN IMMEDIATE, statements of many rows, one synced COMMIT."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from watchbill.db.inbox_writer import InboxAway, InboxRow, RowRefused, Stored
from watchbill.db.write_lock import WRITE_LOCK

COLUMNS = "received_at, service_id, connection_id, monitor, body, note, sender, state, error"
LARGEST_STATEMENT = 128
REFUSED = (sqlite3.IntegrityError, sqlite3.DataError)


class SqliteInbox:
    """Writes on its own connection, under the write lock that Django's connections of this process take too.

    `patience` is how many seconds another writer, in this process or outside, may keep the file.
    """

    def __init__(self, path: str, patience: float = 5.0) -> None:
        self.path = path
        self.patience = patience
        self._connection: sqlite3.Connection | None = None

    def store(self, rows: Sequence[InboxRow]) -> list[Stored]:
        """Commit the rows; gives each its id or why it was refused. Raises InboxAway."""
        return self._in_transaction(rows)

    def probe(self) -> None:
        """Begin and end a transaction that writes nothing; raises InboxAway when it cannot."""
        self._in_transaction(())

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _in_transaction(self, rows: Sequence[InboxRow]) -> list[Stored]:
        if not WRITE_LOCK.acquire(timeout=self.patience):
            raise InboxAway("another transaction of this process keeps the database")
        try:
            return _commit(self._connection or self._open(), rows)
        except (sqlite3.DatabaseError, OSError) as error:
            self.close()  # rolls back
            raise InboxAway(str(error)) from error
        except Exception:
            self.close()  # a bug must not leave a transaction open
            raise
        finally:
            WRITE_LOCK.release()

    def _open(self) -> sqlite3.Connection:
        # mode=rw: a database that is not there must not be made anew, empty.
        connection = sqlite3.connect(
            f"{Path(self.path).absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=self.patience,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=LARGEST_STATEMENT + 16,
        )
        self._connection = connection
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        # A checkpoint inside a commit doubles the p99; db.sqlite.checkpoint does it beside.
        connection.execute("PRAGMA wal_autocheckpoint=0")
        return connection


def _commit(connection: sqlite3.Connection, rows: Sequence[InboxRow]) -> list[Stored]:
    """Store the rows in one transaction; when the database refuses them together, one by one."""
    if 0 < len(rows) <= LARGEST_STATEMENT:
        try:
            # A statement alone is its own transaction. Each call from here lets the event loop take the
            # interpreter and waits to get it back, so one call is better than three.
            return _insert(connection, rows)
        except REFUSED:
            pass  # found below
    connection.execute("BEGIN IMMEDIATE")
    parts = [rows[at : at + LARGEST_STATEMENT] for at in range(0, len(rows), LARGEST_STATEMENT)]
    stored = [one for part in parts for one in _insert_somehow(connection, part)]
    connection.execute("COMMIT")
    return stored


def _insert_somehow(connection: sqlite3.Connection, rows: Sequence[InboxRow]) -> list[Stored]:
    try:
        return _insert(connection, rows)
    except REFUSED as error:
        if len(rows) == 1:
            return [RowRefused(str(error))]
        return [one for row in rows for one in _insert_somehow(connection, [row])]


def _insert(connection: sqlite3.Connection, rows: Sequence[InboxRow]) -> list[Stored]:
    last = connection.execute(_statement(len(rows)), _values(rows)).lastrowid or 0
    # AUTOINCREMENT counts up by one while nobody else may write.
    return list(range(last - len(rows) + 1, last + 1))


@cache
def _statement(count: int) -> str:
    # S608: nothing but a number of question marks comes in here.
    return f"INSERT INTO watchbill_inbox ({COLUMNS}) VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?, ?, 0, '')"] * count)  # noqa: S608


def _values(rows: Sequence[InboxRow]) -> list[object]:
    # Times as Django writes them in SQLite: UTC, without a zone.
    return list(chain.from_iterable((row.received_at.isoformat(" ").removesuffix("+00:00"), *row[1:]) for row in rows))
