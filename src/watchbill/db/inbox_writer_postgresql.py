"""Batches into `Inbox` on PostgreSQL: one statement, which is its own transaction, and wakes every node.

`PostgresqlInbox` waits for the server; `inbox_loop_postgresql` lets an event loop wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from psycopg.types.numeric import Int8

from watchbill.db.inbox_writer import InboxAway, InboxRow, RowRefused, Stored
from watchbill.db.wake import CHANNEL

# One round trip: the insert and the NOTIFY are one statement, so one transaction. WITH ORDINALITY keeps the order of
# arrival; the ids come from the sequence in that order.
STORE = f"""
WITH stored AS (
    INSERT INTO watchbill_inbox
        (received_at, service_id, connection_id, monitor, body, note, sender, state, error)
    SELECT received_at, service_id, connection_id, monitor, body, note, sender, 0, ''
    FROM unnest($1::timestamptz[], $2::bigint[], $3::bigint[], $4::text[], $5::bytea[], $6::text[], $7::text[])
         WITH ORDINALITY AS t (received_at, service_id, connection_id, monitor, body, note, sender, place)
    ORDER BY place RETURNING id
)
SELECT array_agg(id ORDER BY id), pg_notify('{CHANNEL}', '') FROM stored
"""  # noqa: S608 - the channel is a constant
PREPARED = b"store"
BINARY = [PyFormat.BINARY] * len(InboxRow._fields)
OURS_TO_TRY_ALONE = (psycopg.DataError, psycopg.IntegrityError)


class PostgresqlInbox:
    """Writes on its own connection. `parameters` are those of `psycopg.connect`; a commit that takes longer than
    `patience` seconds counts as a database that is away."""

    def __init__(self, parameters: dict[str, Any], patience: float = 5.0) -> None:
        self.parameters = {"connect_timeout": max(2, round(patience)), **parameters}
        self.patience = patience
        self.connection: psycopg.Connection[Any] | None = None

    def store(self, rows: Sequence[InboxRow]) -> list[Stored]:
        """Commit the rows; gives each its id or why it was refused. Raises InboxAway."""
        try:
            connection = self.connection or self.open()
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
            connection = self.connection or self.open()
            answer = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        except psycopg.Error as error:
            self.close()
            raise InboxAway(str(error)) from error
        if answer is None or answer[0]:
            self.close()
            raise InboxAway("the server is a standby")

    def close(self) -> None:
        """Close the connection."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    def open(self) -> psycopg.Connection[Any]:
        """Connect, and prepare STORE as PREPARED; raises psycopg.Error."""
        self.close()
        connection = psycopg.connect(**self.parameters, autocommit=True)
        self.connection = connection
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [f"{round(self.patience * 1000)}ms"])
        # Accepted is stored: a server that is told to answer before its disk must not do so here.
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        raise_if_failed(connection.pgconn.prepare(PREPARED, STORE.encode()))
        return connection


def raise_if_failed(result: PGresult) -> None:
    """Raise the psycopg.Error that a result tells of, if it does."""
    if result.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
        raise error_from_result(result)


class Batch:
    """The parameters and the outcome of PREPARED, both in PostgreSQL's binary form."""

    def __init__(self, connection: psycopg.Connection[Any], rows: Sequence[InboxRow]) -> None:
        self._transformer = Transformer(connection)
        received_at, service_id, connection_id, *others = (list(column) for column in zip(*rows, strict=True))
        # An int alone would be sent as the smallest type that holds it.
        columns = [received_at, [Int8(one) for one in service_id], [Int8(one) for one in connection_id], *others]
        self.parameters: list[Any] = [*self._transformer.dump_sequence(columns, BINARY)]
        self.formats = self._transformer.formats

    def ids(self, result: PGresult) -> list[Stored]:
        """Read the ids; raises the psycopg.Error that the result tells of."""
        raise_if_failed(result)
        self._transformer.set_pgresult(result)
        row = self._transformer.load_row(0, list)
        return list(row[0]) if row else []


def _store_together(connection: psycopg.Connection[Any], rows: Sequence[InboxRow]) -> list[Stored]:
    batch = Batch(connection, rows)
    return batch.ids(connection.pgconn.exec_prepared(PREPARED, batch.parameters, batch.formats, Format.BINARY))


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
