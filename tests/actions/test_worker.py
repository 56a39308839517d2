"""The worker: nothing that breaks may stop what does not, and nothing that is accepted is lost."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import closing
from datetime import timedelta
from threading import Event as Happening
from threading import Thread

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.world import TUESDAY_NINE, World, free_port, make_person
from watchbill import channels
from watchbill.actions import delivery, paging, timers
from watchbill.actions.log import Subject
from watchbill.core import delivery as rules
from watchbill.db.models import AlertGroup, ContactAddress, Event, Inbox, NotificationRule, Outgoing, Page, Timer
from watchbill.db.wake import WOKEN
from watchbill.egress import Allow, Client
from watchbill.entry.worker.handlers import HANDLERS
from watchbill.entry.worker.loop import Worker

SOON = 10.0


class Silent:
    """A mail server that takes every connection and never says a word."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self.listener.getsockname()[1]
        self.lines: list[socket.socket] = []
        self.many = Happening()
        self.thread = Thread(target=self._accept, daemon=True)
        self.wanted = 0

    def start(self, wanted: int) -> None:
        self.wanted = wanted
        self.thread.start()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            self.lines.append(line)
            if len(self.lines) >= self.wanted:
                self.many.set()

    def hang_up(self) -> None:
        for line in self.lines:
            line.close()

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.hang_up()
        self.thread.join()


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.stop()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A web server of one thread that answers 200 and remembers what it was asked."""
    server = Listener()
    server.start()
    yield server
    server.stop()


class Listener:
    """A web server on the loopback: `heard` is set by each request."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.heard = Happening()
        self.requests: list[bytes] = []
        self.thread = Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            with closing(line):
                self.requests.append(line.recv(65536))
                line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
            self.heard.set()

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture
def running(world: World) -> Iterator[World]:
    """The world with its worker running in its thread, as in the product."""
    world.worker.start()
    yield world
    world.worker.stop(SOON)


def fresh_worker(world: World) -> Worker:
    return Worker(lambda: world.now, Client(Allow.read("127.0.0.0/8")))


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


def test_a_channel_that_breaks_its_promise_keeps_the_row_and_the_page_goes_on(world, monkeypatch):
    def broken(*_: object) -> None:
        raise KeyError("a bug of the channel")

    monkeypatch.setattr(channels.all_channels()["email"], "send", broken)
    world.event()
    with capture_logs() as logs:
        world.work()
    row = Outgoing.objects.get()
    assert (row.state, row.attempt) == ("waiting", 1)
    assert "KeyError" in row.answer
    assert any("broke its promise" in line["event"] for line in logs)
    monkeypatch.undo()
    world.mailbox.clear()
    settings.CHANNEL_SETTINGS = {"email": world.mailbox.channel_settings()}
    world.forward(seconds=6)
    assert world.mailbox.readers() == ["ana@example.org"]


def test_a_vendor_that_hangs_holds_only_its_own_senders(running, silent, listener):
    """One vendor must not stop all: pages by web hook leave while eight mails wait for a dead mail server."""
    world = running
    settings.CHANNEL_SETTINGS = {"email": {**world.mailbox.channel_settings(), "port": silent.port, "timeout": 14}}
    silent.start(wanted=world.worker.each)
    for number in range(8):
        person = make_person(f"Mail{number}", world.now)
        put_message(world, ContactAddress.objects.get(person=person), f"mail-{number}")
    WOKEN.set()
    assert silent.many.wait(SOON), "the mails are on their way"
    hook = ContactAddress.objects.create(
        person=world.ana,
        channel="webhook",
        label="hook",
        address={"url": f"http://127.0.0.1:{listener.port}/page", "secret": "a secret of sixteen or more"},
        created_at=world.now,
        verified_at=world.now,
    )
    for number in range(4):
        put_message(world, hook, f"hook-{number}")
        WOKEN.set()
        assert listener.heard.wait(SOON / 2), "the hook was reached although every mail hangs"
        listener.heard.clear()
    assert len(silent.lines) == world.worker.each


def put_message(world: World, address: ContactAddress, key: str) -> Outgoing:
    return Outgoing.objects.create(
        key=key,
        team=world.team,
        person=address.person,
        address=address,
        channel=address.channel,
        purpose="notice",
        urgency="default",
        subject_kind="team",
        subject_id=world.team.pk,
        message={"subject": key, "text": key, "path": "", "action": ""},
        why="test",
        state="waiting",
        created_at=world.now,
        due_at=world.now,
    )


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


def test_the_work_of_a_dead_worker_is_anothers_within_one_lease(world):
    """Promise 3: 15 seconds of the clock, not more."""
    world.event()
    alerts_only(world)
    (claim,) = delivery.claim_due(lambda: world.now, 5)
    world.forward(seconds=14)
    assert world.mailbox.messages == []
    world.forward(seconds=1)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert Outgoing.objects.get(pk=claim.id).attempt == 2


def alerts_only(world: World) -> None:
    """The inbox is read and nothing leaves yet."""
    from watchbill.actions import alerts  # noqa: PLC0415

    alerts.receive(world.service.pk, world.now)


def test_a_worker_that_wakes_after_its_lease_overwrites_nothing(world):
    """The fence: a failure that comes late changes nothing of what the next worker did."""
    world.event()
    alerts_only(world)
    (old,) = delivery.claim_due(lambda: world.now, 5)
    world.forward(seconds=16)
    (sent,) = Outgoing.objects.all()
    assert (sent.state, sent.attempt) == ("sent", 2)
    assert delivery.send_one(old, Client(Allow.read("")), lambda _: {}, lambda: world.now) == "dropped"
    again = Outgoing.objects.get()
    assert (again.state, again.attempt, again.finished_at) == ("sent", 2, sent.finished_at)
    assert len(world.mailbox.messages) == 1


def test_a_timer_that_was_superseded_does_nothing(world):
    world.event()
    world.work()
    world.now += timedelta(minutes=5)
    (old,) = [claim for claim in timers.claim_due(lambda: world.now, 50) if claim.kind == "climb"]
    world.forward(seconds=16)
    assert world.mailbox.readers() == ["ana@example.org", "ben@example.org"]
    paging.climb_page(old, world.now)
    world.work()
    assert world.story(world.page()).count("page.step") == 2


def test_a_worker_whose_lease_is_over_leaves_the_timer_to_the_one_that_holds_it(world):
    """The fence: only the newest claim may finish."""
    world.event()
    world.work()
    world.now += timedelta(minutes=5)
    (old,) = [claim for claim in timers.claim_due(lambda: world.now, 50) if claim.kind == "climb"]
    world.now += rules.LEASE
    (new,) = [claim for claim in timers.claim_due(lambda: world.now, 50) if claim.kind == "climb"]
    paging.climb_page(old, world.now)
    assert world.story(world.page()).count("page.step") == 1
    paging.climb_page(new, world.now)
    assert world.story(world.page()).count("page.step") == 2


def test_it_is_asked_whether_it_is_still_wanted_just_before_it_leaves(world):
    """Promise 2: claimed before the answer, asked after it."""
    world.event()
    alerts_only(world)
    (claim,) = delivery.claim_due(lambda: world.now, 5)
    Page.objects.update(state="acknowledged")
    assert delivery.send_one(claim, Client(Allow.read("")), lambda _: {}, lambda: world.now) == "dropped"
    assert world.mailbox.messages == []
    assert Outgoing.objects.get().state == "dropped"


def test_a_message_that_was_leaving_while_somebody_answered_is_shown_as_sent(world, monkeypatch):
    """The record says what happened: the mail server had it before the answer."""
    real = channels.all_channels()["email"].send

    def answered_meanwhile(*given: object) -> object:
        receipt = real(*given)
        answering = Thread(target=acknowledge_and_leave, args=(world,))
        answering.start()
        answering.join()
        return receipt

    monkeypatch.setattr(channels.all_channels()["email"], "send", answered_meanwhile)
    world.event()
    world.work()
    assert world.page().state == "acknowledged"
    assert Outgoing.objects.get().state == "sent"
    assert "250" in Outgoing.objects.get().answer


def acknowledge_and_leave(world: World) -> None:
    try:
        paging.acknowledge(world.page().pk, world.ben, world.now)
    finally:
        connection.close()


def test_an_address_that_fails_for_good_after_an_answer_tells_nobody(world, monkeypatch):
    def answered_meanwhile(*_: object) -> object:
        answering = Thread(target=acknowledge_and_leave, args=(world,))
        answering.start()
        answering.join()
        raise delivery.DeliveryFailed("no such mailbox", permanent=True)

    monkeypatch.setattr(channels.all_channels()["email"], "send", answered_meanwhile)
    world.event()
    world.work()
    monkeypatch.undo()
    settings.CHANNEL_SETTINGS = {"email": world.mailbox.channel_settings()}
    world.forward(minutes=20)
    assert world.mailbox.messages == []


def test_the_mail_server_comes_back_after_twenty_minutes_and_the_page_leaves(world):
    good = settings.CHANNEL_SETTINGS
    settings.CHANNEL_SETTINGS = {"email": {**world.mailbox.channel_settings(), "port": free_port()}}
    world.event()
    world.forward(minutes=4)
    assert world.mailbox.messages == []
    settings.CHANNEL_SETTINGS = good
    world.forward(minutes=5)
    assert "ana@example.org" in world.mailbox.readers()


def test_a_mail_server_that_stays_away_is_told_to_nobody_in_secret(world):
    """After an hour the message is given up, and the record says so."""
    settings.CHANNEL_SETTINGS = {"email": {**world.mailbox.channel_settings(), "port": free_port()}}
    paging.open_page(world.team, paging.Opening("Help", targets=[f"person:{world.ana.pk}"]), "asked", world.now)
    world.forward(hours=2)
    assert Outgoing.objects.filter(person=world.ana, state="failed").exists()
    assert "delivery.failed" in world.story(world.page())


@given(attempt=st.integers(1, 500), seconds=st.floats(0, 3599.9))
def test_a_message_is_tried_again_at_least_every_five_minutes_for_an_hour(attempt, seconds):
    now = TUESDAY_NINE + timedelta(seconds=seconds)
    again = rules.retry_at(attempt, TUESDAY_NINE, now)
    assert again is not None
    assert rules.FIRST_RETRY <= again - now <= rules.LONGEST_RETRY
    if attempt < 500:
        later = rules.retry_at(attempt + 1, TUESDAY_NINE, now)
        assert later is not None
        assert later >= again


@given(attempt=st.integers(1, 500), hours=st.floats(1, 1000))
def test_after_an_hour_it_is_given_up(attempt, hours):
    assert rules.retry_at(attempt, TUESDAY_NINE, TUESDAY_NINE + timedelta(hours=hours)) is None


def test_a_message_that_always_fails_for_now_is_tried_about_twenty_times(world):
    """5, 10, 20, 40, 80, 160 s, then every 5 minutes: neither a hammer nor a sleep."""
    now, times = TUESDAY_NINE, 0
    again: object = now
    while again is not None:
        times += 1
        now = again if times > 1 else now  # type: ignore[assignment]
        again = rules.retry_at(times, TUESDAY_NINE, now)
    assert 15 <= times <= 20


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
    real = delivery.claim_due

    def claim_due(*given: object) -> object:
        if not broke.is_set():
            broke.set()
            raise AssertionError("a bug nobody thought of")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(delivery, "claim_due", claim_due)
    WOKEN.set()
    assert broke.wait(SOON)
    arrived = arrival(world, monkeypatch)
    paging.open_page(world.team, paging.Opening("Help", service=world.service), "asked", world.now)
    assert arrived.wait(SOON)


def test_two_rules_of_one_person_wait_their_time_and_the_second_is_taken_back(world):
    second = ContactAddress.objects.create(
        person=world.ana,
        channel="email",
        label="home",
        address={"email": "ana@home.example"},
        created_at=world.now,
        verified_at=world.now,
    )
    NotificationRule.objects.create(person=world.ana, urgency="important", address=second, after_seconds=120)
    world.event()
    world.work()
    world.forward(seconds=60)
    assert world.mailbox.readers() == ["ana@example.org"]
    paging.acknowledge(world.page().pk, world.ana, world.now)
    world.forward(minutes=5)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert Event.objects.filter(kind="delivery.sent").count() == 1
