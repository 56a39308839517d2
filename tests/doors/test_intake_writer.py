"""The raw statements against the model: what the door writes is what Django reads, in order, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tests.doors.seed_intake import POISON
from watchbill.actions.intake import InboxAway, InboxRow, Intake, ListFull, RowRefused, for_a_loop, open_writer
from watchbill.db import wake
from watchbill.db.inbox_writer import InboxWriter, Stored
from watchbill.db.inbox_writer_postgresql import PostgresqlInbox
from watchbill.db.inbox_writer_sqlite import SqliteInbox
from watchbill.db.models import Inbox
from watchbill.db.sqlite.checkpoint import Checkpointer

NOON = datetime(2026, 3, 29, 12, 0, 0, tzinfo=UTC)


def row(number: int, body: bytes = b"{}") -> InboxRow:
    # Every second one falls on a whole second: SQLite writes those without a fraction.
    return InboxRow(NOON + timedelta(microseconds=number % 2, seconds=number), 1, number, "generic", body, "", "::1")


@pytest.fixture
def writer(transactional_db):
    writer = open_writer(patience=2)
    yield writer
    writer.close()


@pytest.fixture
def no_poison(transactional_db):
    """The table refuses bodies that hold `poison`."""
    with connection.cursor() as cursor:
        cursor.execute(POISON[connection.vendor])
    yield
    undo = {"sqlite": "DROP TRIGGER no_poison", "postgresql": "ALTER TABLE watchbill_inbox DROP CONSTRAINT no_poison"}
    with connection.cursor() as cursor:
        cursor.execute(undo[connection.vendor])


def store_waiting(writer: InboxWriter, rows: list[InboxRow]) -> list[Stored]:
    return writer.store(rows)


def store_in_a_loop(writer: InboxWriter, rows: list[InboxRow]) -> list[Stored]:
    async def story() -> list[Stored]:
        in_loop = for_a_loop(writer)
        try:
            return await in_loop.store(rows)
        finally:
            await in_loop.close()

    return asyncio.run(story())


both_ways = pytest.mark.parametrize("store", [store_waiting, store_in_a_loop])


@both_ways
@pytest.mark.parametrize("count", [1, 2, 3, 255, 700])
def test_what_it_stores_django_reads_as_it_was(writer, count, store):
    rows = [row(number, bytes(range(256)) * (number % 3)) for number in range(count)]
    ids = store(writer, rows)
    stored = list(Inbox.objects.order_by("id"))
    assert [one.pk for one in stored] == ids
    assert ids == sorted(ids)
    for sent, one in zip(rows, stored, strict=True):
        assert (one.received_at, one.service_id, one.connection_id) == sent[:3]
        assert (one.monitor, bytes(one.body), one.note, one.sender) == sent[3:]
        assert (one.state, one.error, one.parsed_at) == (Inbox.WAITING, "", None)


@both_ways
def test_a_row_that_the_database_refuses_is_named_and_the_others_keep_their_order(writer, no_poison, store):
    rows = [row(number, b"poison" if number in (0, 5, 6, 11) else b"good") for number in range(12)]
    stored = store(writer, rows)
    refused = [number for number, one in enumerate(stored) if isinstance(one, RowRefused)]
    assert refused == [0, 5, 6, 11]
    assert "poison" in str(stored[5])
    kept = [one for one in stored if isinstance(one, int)]
    assert list(Inbox.objects.order_by("id").values_list("pk", "connection_id")) == list(
        zip(kept, [1, 2, 3, 4, 7, 8, 9, 10], strict=True)
    )
    assert writer.store([row(12)])[0] > kept[-1]


@both_ways
def test_a_batch_is_stored_whole_that_is_larger_than_what_the_kernel_takes_at_once(writer, store):
    ids = store(writer, [row(number, b"x" * 900_000) for number in range(10)])
    assert [len(body) for body in Inbox.objects.filter(pk__in=ids).values_list("body", flat=True)] == [900_000] * 10


def test_a_connection_that_ended_while_nothing_came_costs_no_request(writer):
    """An administrator ends it; on SQLite there is none to end, and the next batch is stored as the first was."""

    async def story() -> None:
        in_loop = for_a_loop(writer)
        await in_loop.store([row(0)])
        await asyncio.to_thread(end_connection_of, writer)
        await in_loop.store([row(1)])
        await in_loop.close()

    asyncio.run(story())
    assert Inbox.objects.count() == 2


def end_connection_of(writer: InboxWriter) -> None:
    if isinstance(writer, PostgresqlInbox):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [writer.connection.info.backend_pid])
        connection.close()  # this thread's own


def test_a_database_that_says_nothing_is_away_and_is_used_again_when_it_speaks(writer):
    writer.patience = 0.2

    async def story() -> None:
        async with silencer(writer) as silence:
            intake = Intake(writer)
            intake.start()
            await intake.take(row(0))
            with silence():
                with pytest.raises(InboxAway):
                    await intake.take(row(1))
                with pytest.raises(InboxAway):
                    intake.take(row(2))
            while intake.trouble:
                await asyncio.sleep(0)
            await intake.take(row(3))
            await intake.drain(5)

    asyncio.run(story())
    stored = list(Inbox.objects.order_by("id").values_list("connection_id", flat=True))
    assert set(stored) - {1} == {0, 3}  # whether what was sent into the silence is stored, nobody can know


@asynccontextmanager
async def silencer(writer: InboxWriter) -> AsyncIterator[Callable[[], AbstractContextManager[None]]]:
    """Give what silences the database: another writer keeps SQLite's file, a line brings nothing of PostgreSQL's words."""
    if isinstance(writer, SqliteInbox):
        yield lambda: kept(writer.path)
        return
    async with asyncio.TaskGroup() as tasks:
        line = Line(writer.parameters["host"], writer.parameters.get("port") or 5432, tasks)
        server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
        writer.parameters |= {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1]}
        yield line.silent
        server.close()


@contextmanager
def kept(path: str) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


class Line:
    """A line to a PostgreSQL server that can fall silent: it takes everything and brings nothing."""

    def __init__(self, host: str, port: int, tasks: asyncio.TaskGroup) -> None:
        self.host, self.port, self.tasks = host, port, tasks
        self.speaks = asyncio.Event()
        self.speaks.set()

    @contextmanager
    def silent(self) -> Iterator[None]:
        self.speaks.clear()
        yield
        self.speaks.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.host.startswith("/"):
            there = await asyncio.open_unix_connection(f"{self.host}/.s.PGSQL.{self.port}")
        else:
            there = await asyncio.open_connection(self.host, self.port)
        self.tasks.create_task(self.copy(reader, there[1]))
        self.tasks.create_task(self.copy(there[0], writer))

    async def copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self.speaks.wait()
            writer.write(data)
        writer.close()


def test_rows_are_stored_in_the_order_in_which_they_were_taken_and_the_workers_are_woken(writer):
    async def story() -> list[int]:
        intake = Intake(writer)
        intake.start()
        wake.WOKEN.clear()
        ids = await asyncio.gather(*(intake.take(row(number)) for number in range(2500)))
        assert intake.waiting == intake.bytes_waiting == 0
        await intake.drain(5)
        return ids

    ids = asyncio.run(story())
    assert ids == sorted(ids)
    assert wake.WOKEN.is_set()
    assert list(Inbox.objects.order_by("id").values_list("connection_id", flat=True)) == list(range(2500))


def test_it_takes_nothing_more_while_it_drains_and_answers_what_it_holds(writer):
    async def story() -> None:
        intake = Intake(writer, most_waiting=2)
        intake.start()
        held = [intake.take(row(0)), intake.take(row(1))]
        with pytest.raises(ListFull):
            intake.take(row(2))
        draining = asyncio.create_task(intake.drain(5))
        await asyncio.sleep(0)
        with pytest.raises(InboxAway, match="stopping"):
            intake.take(row(3))
        assert len(await asyncio.gather(*held)) == 2
        await draining

    asyncio.run(story())
    assert Inbox.objects.count() == 2


def test_a_row_that_breaks_the_writer_is_refused_alone_and_the_door_stays_open(writer):
    """Half a surrogate pair is no text for either database: a bug of whoever made the row, and no reason to store nothing."""

    async def story() -> list[object]:
        intake = Intake(writer)
        intake.start()
        poison = row(1)._replace(sender="\ud800")
        taken = [intake.take(one) for one in (row(0), poison, row(2))]
        told = await asyncio.wait_for(asyncio.gather(*taken, return_exceptions=True), 5)
        later = await asyncio.wait_for(intake.take(row(3)), 5)
        assert not intake.trouble
        await intake.drain(5)
        return [*told, later]

    first, refused, third, later = asyncio.run(story())
    assert isinstance(refused, RowRefused)
    assert first < third < later
    assert list(Inbox.objects.order_by("id").values_list("connection_id", flat=True)) == [0, 2, 3]


def test_the_log_of_sqlite_begins_anew_once_it_is_above_its_cap(tmp_path):
    path = str(tmp_path / "own.sqlite3")
    with closing(sqlite3.connect(path)) as own:
        own.execute("PRAGMA journal_mode=WAL")
        own.execute(
            "CREATE TABLE watchbill_inbox (id integer PRIMARY KEY AUTOINCREMENT, received_at, service_id,"
            " connection_id, monitor, body, note, sender, state, error)"
        )
    writer, checkpointer = SqliteInbox(path), Checkpointer(path, cap=200_000)
    for number in range(40):
        writer.store([row(number, b"x" * 20_000)])
    size = _size(path)
    checkpointer.checkpoint()
    assert writer.store([row(number, b"x" * 20_000) for number in range(40, 60)]) == list(range(41, 61))
    assert _size(path) == size > 800_000
    writer.close()
    checkpointer.close()


def _size(path: str) -> int:
    with open(f"{path}-wal", "rb") as file:
        return file.seek(0, 2)
