"""Batches into `Inbox` on PostgreSQL: one statement, which is its own transaction, and wakes every node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from watchbill.db.inbox_writer import InboxAway, InboxRow, RowRefused, Stored
from watchbill.db.wake import CHANNEL

# One round trip: the insert and the NOTIFY are one statement, so one transaction. WITH ORDINALITY keeps the order of
# arrival; the ids come from the sequence in that order.
STORE = """
WITH stored AS (
    INSERT INTO watchbill_inbox
        (received_at, service_id, connection_id, monitor, body, note, sender, state, error)
    SELECT received_at, service_id, connection_id, monitor, body, note, sender, 0, ''
    FROM unnest(%b::timestamptz[], %b::bigint[], %b::bigint[], %b::text[], %b::bytea[], %b::text[], %b::text[])
         WITH ORDINALITY AS t (received_at, service_id, connection_id, monitor, body, note, sender, place)
    ORDER BY place RETURNING id
)
SELECT array_agg(id ORDER BY id), pg_notify(%b, '') FROM stored
"""
OURS_TO_TRY_ALONE = (psycopg.DataError, psycopg.IntegrityError)


class PostgresqlInbox:
    """Writes on its own connection. `parameters` are those of `psycopg.connect`; a commit that takes longer than
    `patience` seconds counts as a database that is away."""

    def __init__(self, parameters: dict[str, Any], patience: float = 5.0) -> None:
        self.parameters = {"connect_timeout": max(2, round(patience)), **parameters}
        self.patience = patience
        self._connection: psycopg.Connection[Any] | None = None

    def store(self, rows: Sequence[InboxRow]) -> list[Stored]:
        """Commit the rows; gives each its id or why it was refused. Raises InboxAway."""
        try:
            connection = self._connection or self._open()
            try:
                return _store_together(connection, rows)
            except OURS_TO_TRY_ALONE:
                return _store_apart(connection, rows)
        except psycopg.Error as error:
            self.close()
            raise InboxAway(str(error)) from error

    def probe(self) -> None:
        """Ask the server whether it takes writes; raises InboxAway."""
        try:
            connection = self._connection or self._open()
            answer = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        except psycopg.Error as error:
            self.close()
            raise InboxAway(str(error)) from error
        if answer is None or answer[0]:
            self.close()
            raise InboxAway("the server is a standby")

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(**self.parameters, autocommit=True)
        self._connection = connection
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [f"{round(self.patience * 1000)}ms"])
        # Accepted is stored: a server that is told to answer before its disk must not do so here.
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        return connection


def _store_together(connection: psycopg.Connection[Any], rows: Sequence[InboxRow]) -> list[Stored]:
    row = connection.execute(STORE, [*(list(column) for column in zip(*rows, strict=True)), CHANNEL]).fetchone()
    return list(row[0]) if row else []


def _store_apart(connection: psycopg.Connection[Any], rows: Sequence[InboxRow]) -> list[Stored]:
    """Store each row behind its own savepoint, all in one transaction."""
    with connection.transaction():
        return [_store_one(connection, row) for row in rows]


def _store_one(connection: psycopg.Connection[Any], row: InboxRow) -> Stored:
    try:
        with connection.transaction():
            return _store_together(connection, [row])[0]
    except OURS_TO_TRY_ALONE as error:
        return RowRefused(str(error))
