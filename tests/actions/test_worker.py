"""The worker: nothing that breaks may stop what does not, and nothing that is accepted is lost."""

from __future__ import annotations

from concurrent.futures import wait
from datetime import timedelta
from threading import Event as Happening
from threading import Thread

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from structlog.testing import capture_logs

from tests.actions.worker_world import SOON
from tests.world import World
from watchbill.actions import paging, timers
from watchbill.actions.log import Subject
from watchbill.core import delivery as rules
from watchbill.db import wake
from watchbill.db.models import AlertGroup, Inbox, Outgoing, Timer
from watchbill.db.wake import WOKEN
from watchbill.entry.worker import loop
from watchbill.entry.worker.handlers import HANDLERS


def test_a_poisoned_timer_is_pushed_forward_and_logged_and_stops_nobody(world, monkeypatch):
    def explode(claim: timers.Claim, now: object) -> None:
        raise ArithmeticError("poison")

    monkeypatch.setitem(HANDLERS, ("poison", "explode"), explode)
    timers.set_timer(Subject("poison", 1, None), "explode", world.now - timedelta(hours=1))
    world.event()
    with capture_logs() as logs:
        world.work()
        world.forward(minutes=5)
    assert world.mailbox.readers() == ["ana@example.org", "ben@example.org"]
    assert "a timer failed" in [line["event"] for line in logs]
    poisoned = Timer.objects.get(subject_kind="poison")
    assert world.now < poisoned.due_at <= world.now + timers.LONGEST_LEASE
    assert poisoned.attempt < 8, "it waits for longer each time"


def test_a_timer_that_nobody_handles_stays_and_stops_nobody(world):
    timers.set_timer(Subject("page", 1, None), "of_another_version", world.now)
    world.event()
    world.work()
    assert world.mailbox.readers() == ["ana@example.org"]
    assert Timer.objects.filter(kind="of_another_version").exists()


def test_the_timers_of_what_was_deleted_end(world):
    for kind, what in (("page", "climb"), ("page", "snooze_over"), ("alert", "silence_over")):
        timers.set_timer(Subject(kind, 999_999, None), what, world.now)
    world.work()
    assert not Timer.objects.filter(subject_id=999_999).exists()


@pytest.mark.parametrize("place", [0, 7, 60])
def test_a_poisoned_row_is_kept_as_failed_and_its_neighbours_go_on(world, place):
    """Promise 1: what cannot be placed is kept and shown; promise 5: somebody is told."""
    for number in range(61):
        if number == place:
            world.event(key="poison")
            Inbox.objects.filter(pk=Inbox.objects.latest("id").pk).update(
                note='{"dedup_key": ["not", "text"]', received_at=world.now
            )
        else:
            world.event(key=f"disk-{number}", severity="warning")
    world.work()
    (failed,) = Inbox.objects.exclude(state=Inbox.PARSED)
    assert failed.state == Inbox.FAILED
    assert "Error" in failed.error
    assert AlertGroup.objects.count() == 60
    assert "could not be placed" in world.mailbox.to(world.eva)[0]["Subject"]


def test_many_rows_that_cannot_be_placed_are_told_once(world):
    for _ in range(12):
        world.event()
    Inbox.objects.update(note="{broken")
    world.work()
    assert Inbox.objects.filter(state=Inbox.FAILED).count() == 12
    assert len(world.mailbox.to(world.eva)) == 1


def test_what_the_database_will_not_hold_fails_alone(world):
    """PostgreSQL's text knows no NUL: the row that brings one must not be tried for ever."""
    world.event(key="nul", summary="Disk \x00 full")
    world.event(key="good")
    world.work()
    assert not Inbox.objects.filter(state=Inbox.WAITING).exists()
    assert "ana@example.org" in world.mailbox.readers()


def test_rows_of_a_service_that_was_deleted_wait_for_nobody(world):
    world.event()
    Inbox.objects.update(service_id=999_999)
    world.event()
    world.work()
    assert Inbox.objects.filter(state=Inbox.FAILED, error="its service was deleted").count() == 1
    assert world.mailbox.readers() == ["ana@example.org"]


def test_an_alert_that_comes_goes_and_comes_in_one_batch_is_one_group(world):
    for action in ("trigger", "resolve", "trigger", "resolve", "trigger"):
        world.event(action)
    with capture_logs() as logs:
        world.work()
    assert [line["event"] for line in logs if line["log_level"] != "info"] == []
    assert (AlertGroup.objects.count(), world.group().state, world.group().firing_count) == (1, "firing", 1)
    assert world.mailbox.readers() == ["ana@example.org"]


def test_a_commit_wakes_the_worker_at_once(running, monkeypatch):
    """The poll is only the safety net: here it is an hour long, and the page leaves all the same."""
    monkeypatch.setattr("watchbill.entry.worker.loop.POLL", 3600.0)
    world = running
    arrived = Happening()
    handle = world.mailbox.handle_DATA

    async def handle_and_tell(*given: object) -> str:
        answer: str = await handle(*given)
        arrived.set()
        return answer

    monkeypatch.setattr(world.mailbox, "handle_DATA", handle_and_tell, raising=False)
    paging.open_page(world.team, paging.Opening("Help", service=world.service), "asked", world.now)
    assert arrived.wait(SOON)


def test_the_loop_goes_on_when_the_database_was_away(running, monkeypatch):
    """Whatever statement meets it first, also the one that reads how long to sleep."""
    world = running
    failed = Happening()
    away = iter([OperationalError("the server closed the connection")] * 3)
    real = timers.next_due

    def next_due() -> object:
        for error in away:
            failed.set()
            WOKEN.set()
            raise error
        return real()

    monkeypatch.setattr(timers, "next_due", next_due)
    WOKEN.set()
    assert failed.wait(SOON)
    arrived = arrival(world, monkeypatch)
    paging.open_page(world.team, paging.Opening("Help", service=world.service), "asked", world.now)
    assert arrived.wait(SOON)
    assert world.worker.thread.is_alive()


def arrival(world: World, monkeypatch: pytest.MonkeyPatch) -> Happening:
    """An event that the next mail sets."""
    arrived, handle = Happening(), world.mailbox.handle_DATA

    async def handle_and_tell(*given: object) -> str:
        answer: str = await handle(*given)
        arrived.set()
        return answer

    monkeypatch.setattr(world.mailbox, "handle_DATA", handle_and_tell, raising=False)
    return arrived


def test_every_connection_is_ended_and_the_worker_goes_on_without_a_restart(running, monkeypatch):
    """On PostgreSQL by the server itself; SQLite has no server that could end one."""
    world = running
    if connection.vendor == "postgresql":
        end_every_other_connection()
    arrived = arrival(world, monkeypatch)
    paging.open_page(world.team, paging.Opening("Help", service=world.service), "asked", world.now)
    assert arrived.wait(SOON)
    assert world.worker.thread.is_alive()


def end_every_other_connection() -> None:
    """End them, and wait until they are gone: one that dies later could take a claim along, for one lease."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pid, pg_terminate_backend(pid) {others}")
        ended = [pid for pid, _ in cursor.fetchall()]
        assert ended
        while True:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [ended])
            if cursor.fetchone() == (0,):
                return
            Happening().wait(0.005)


def test_the_worker_stops_in_time_although_a_vendor_hangs(world, silent):
    """SIGTERM ends within ten seconds: what hangs is due again when its lease ends."""
    settings.CHANNEL_SETTINGS = {"email": {**world.mailbox.channel_settings(), "port": silent.port, "timeout": 14}}
    silent.start(wanted=1)
    world.worker.start()
    world.event()
    WOKEN.set()
    assert silent.many.wait(SOON)
    stopping = Thread(target=world.worker.stop, args=(0.3,))
    stopping.start()
    stopping.join(SOON)
    assert not stopping.is_alive()
    row = Outgoing.objects.get()
    assert row.state == "waiting"
    assert row.due_at is not None
    assert row.due_at <= world.now + rules.LEASE
    silent.hang_up()
    wait(list(world.worker.sending), SOON)


def test_a_round_that_breaks_is_logged_and_the_next_one_works(running, monkeypatch):
    world = running
    broke = Happening()
    real = loop.claim_due

    def claim_due(*given: object) -> object:
        if not broke.is_set():
            broke.set()
            raise AssertionError("a bug nobody thought of")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "claim_due", claim_due)
    WOKEN.set()
    assert broke.wait(SOON)
    arrived = arrival(world, monkeypatch)
    paging.open_page(world.team, paging.Opening("Help", service=world.service), "asked", world.now)
    assert arrived.wait(SOON)


def test_a_chore_is_done_again_although_the_clock_was_set_back(world):
    """Or the dead man's switch outside would hear nothing for an hour."""
    beats: list[object] = []
    world.worker.every(timedelta(minutes=1), "beat", beats.append)
    world.work()
    for _ in range(3):
        world.now -= timedelta(hours=1)
        world.work()
    world.now += timedelta(seconds=30)
    world.work()
    assert len(beats) == 4


def test_an_open_page_that_cannot_be_refreshed_stops_no_work(world, monkeypatch):
    def broken() -> None:
        raise RuntimeError("this browser's line is closed")

    refreshed: list[bool] = []
    monkeypatch.setattr(wake, "LISTENERS", [broken, lambda: refreshed.append(True)])
    world.event()
    with capture_logs() as logs:
        world.work()
    assert world.mailbox.readers() == ["ana@example.org"]
    assert refreshed
    assert {line["event"] for line in logs if line["log_level"] == "error"} == {"an open page could not be refreshed"}
