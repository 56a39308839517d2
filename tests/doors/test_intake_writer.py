"""The raw statements against the model: what the door writes is what Django reads, in order, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tests.doors.seed_intake import POISON
from watchbill.actions.intake import InboxAway, InboxRow, Intake, ListFull, RowRefused, open_writer
from watchbill.db import wake
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


@pytest.mark.parametrize("count", [1, 2, 3, 255, 700])
def test_what_it_stores_django_reads_as_it_was(writer, count):
    rows = [row(number, bytes(range(256)) * (number % 3)) for number in range(count)]
    ids = writer.store(rows)
    stored = list(Inbox.objects.order_by("id"))
    assert [one.pk for one in stored] == ids
    assert ids == sorted(ids)
    for sent, one in zip(rows, stored, strict=True):
        assert (one.received_at, one.service_id, one.connection_id) == sent[:3]
        assert (one.monitor, bytes(one.body), one.note, one.sender) == sent[3:]
        assert (one.state, one.error, one.parsed_at) == (Inbox.WAITING, "", None)


def test_a_row_that_the_database_refuses_is_named_and_the_others_keep_their_order(writer, no_poison):
    rows = [row(number, b"poison" if number in (0, 5, 6, 11) else b"good") for number in range(12)]
    stored = writer.store(rows)
    refused = [number for number, one in enumerate(stored) if isinstance(one, RowRefused)]
    assert refused == [0, 5, 6, 11]
    assert "poison" in str(stored[5])
    kept = [one for one in stored if isinstance(one, int)]
    assert list(Inbox.objects.order_by("id").values_list("pk", "connection_id")) == list(
        zip(kept, [1, 2, 3, 4, 7, 8, 9, 10], strict=True)
    )
    assert writer.store([row(12)])[0] > kept[-1]


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


class Broken:
    """A writer with a bug: a part of the test, to see that nobody waits for ever."""

    def store(self, rows):
        raise ZeroDivisionError

    def probe(self): ...

    def close(self): ...


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_writer_ends_in_an_answer_and_not_in_silence():
    async def story() -> None:
        intake = Intake(Broken())
        intake.start()
        with pytest.raises(InboxAway, match="writer has stopped"):
            await asyncio.wait_for(intake.take(row(0)), 5)
        assert intake.trouble
        await intake.drain(1)

    asyncio.run(story())


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
