"""What the database refuses in one piece of work, or has no room for, is no reason for a page to wait."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from structlog.testing import capture_logs

from tests.world import World, make_person
from watchbill.actions import alerts, timers
from watchbill.actions.log import Subject
from watchbill.db.models import Event, Inbox, Service, Timer
from watchbill.entry.worker.handlers import HANDLERS


def ask_too_much(*_: object) -> None:
    """Neither database gives so many columns, and both call it an operational error, like a server that is away."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(['1'] * 3000)}")


def do_rounds(world: World, number: int) -> None:
    for _ in range(number):
        world.worker._run_round()
        wait(list(world.worker.sending))


def test_a_row_that_asks_too_much_of_the_database_stops_nobody(world, monkeypatch):
    """Two thirds of a megabyte of small alerts are more values than SQLite takes in one statement."""
    read = alerts._read

    def read_or_ask(row: Inbox, *given: object) -> object:
        if b"a thousand" in bytes(row.body):
            ask_too_much()
        return read(row, *given)

    monkeypatch.setattr(alerts, "_read", read_or_ask)
    other = Service.objects.create(
        team=world.team, slug="other", name="other", ladder=world.ladder, created_at=world.now
    )
    world.event(summary="a thousand things")
    world.event(key="behind", summary="Behind it")
    world.event(key="other", summary="Beside it")
    Inbox.objects.filter(pk=Inbox.objects.latest("id").pk).update(service_id=other.pk)
    with capture_logs():
        do_rounds(world, 4)
    subjects = " ".join(message["Subject"] for message in world.mailbox.to(world.ana))
    assert "Behind it" in subjects
    assert "Beside it" in subjects
    assert Inbox.objects.filter(state=Inbox.FAILED).count() == 1
    assert "was not placed" in world.mailbox.to(world.eva)[0]["Subject"]


def test_a_timer_that_asks_too_much_of_the_database_stops_nobody(world, monkeypatch):
    monkeypatch.setitem(HANDLERS, ("poison", "ask"), ask_too_much)
    for number in range(30):
        timers.set_timer(Subject("poison", number, None), "ask", world.now - timedelta(hours=1))
    world.event()
    with capture_logs():
        do_rounds(world, 3)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert Timer.objects.filter(kind="ask", due_at__gt=world.now).count() == 30


def test_a_climb_that_fails_each_time_is_told_to_somebody_once_an_hour(world):
    """Promise 5: the next on watch is not asked, so somebody hears of it."""
    world.event()
    world.work()
    page = world.page()
    page.ladder = {"steps": "no list", "repeat": 1}
    page.save()
    world.mailbox.clear()
    with capture_logs():
        world.forward(minutes=30)
    (told,) = world.mailbox.to(world.eva)
    assert "“climb” of page" in told["Subject"]
    assert "fails each time" in told["Subject"]
    assert Event.objects.filter(subject_kind="page", subject_id=page.pk, kind="timer.failed").count() == 1
    with capture_logs():
        world.forward(minutes=45)
    assert len(world.mailbox.to(world.eva)) == 2


def test_what_belongs_to_no_team_is_told_to_an_administrator(world, monkeypatch):
    admin = make_person("Ada", world.now, is_superuser=True)
    monkeypatch.setitem(HANDLERS, ("poison", "ask"), ask_too_much)
    timers.set_timer(Subject("poison", 1, None), "ask", world.now)
    with capture_logs():
        world.forward(minutes=2)
    assert len(world.mailbox.to(admin)) == 1


def test_a_full_disk_keeps_no_page_that_is_on_its_way(world):
    world.mailbox.refuse("ana@example.org", "451 busy")
    world.event()
    world.work()
    world.mailbox.refusals.clear()
    world.arrives(
        {
            "routing_key": world.key,
            "event_action": "trigger",
            "dedup_key": "big",
            "payload": {
                "summary": "Another",
                "source": "db2",
                "severity": "critical",
                "custom_details": {"log": "x" * 100_000},
            },
        }
    )
    world.now += timedelta(seconds=10)
    with no_room(), capture_logs() as logs:
        do_rounds(world, 2)
        assert "ana@example.org" in world.mailbox.readers()
    assert any("full" in str(line.get("error")) for line in logs), "it was indeed full"
    world.forward(minutes=1)
    assert any("Another" in message["Subject"] for message in world.mailbox.to(world.ana)), "nothing was lost"


@contextmanager
def no_room() -> Iterator[None]:
    """Let the database have no room for a new alert: on SQLite for no new page, on PostgreSQL by saying so."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA page_count")
            (count,) = cursor.fetchone()

        def limit(connection: BaseDatabaseWrapper, **_: object) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA max_page_count = {count}")

        connection_created.connect(limit)
        connection.close()
        try:
            yield
        finally:
            connection_created.disconnect(limit)
            connection.close()
        return
    refuse = "BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ {refuse} $$")
        cursor.execute("CREATE TRIGGER no_room BEFORE INSERT ON watchbill_alert EXECUTE FUNCTION no_room()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER no_room ON watchbill_alert")
            cursor.execute("DROP FUNCTION no_room")


def test_an_address_that_can_no_longer_be_unsealed_is_passed_over_like_one_that_does_not_work(world):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE watchbill_contactaddress SET address = 'no token' WHERE person_id = %s", [world.ana.pk])
    world.event()
    with capture_logs() as logs:
        world.work()
    (told,) = world.mailbox.to(world.eva)
    assert told["Subject"].startswith("Ana could not be reached")
    assert any("WATCHBILL_SECRET" in line["event"] for line in logs)


def test_a_key_that_can_no_longer_be_unsealed_holds_back_no_alert(world):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE watchbill_monitorconnection SET key = 'no token'")
    world.event()
    world.work()
    assert world.mailbox.readers() == ["ana@example.org"]
