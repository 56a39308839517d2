"""What leaves: asked whether it is still wanted, tried again, held up by no other vendor, and told when it cannot leave."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

from django.conf import settings
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.actions.worker_world import SOON, alerts_only
from tests.world import TUESDAY_NINE, World, free_port, make_person
from watchbill import channels
from watchbill.actions import claiming, paging, sending
from watchbill.core import delivery as rules
from watchbill.db.models import ContactAddress, Event, NotificationRule, Outgoing, Page
from watchbill.db.wake import WOKEN
from watchbill.egress import Allow, Client
from watchbill.kit.errors import DeliveryFailed


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
    silent.start(wanted=world.worker.senders.most)
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
    assert len(silent.lines) == world.worker.senders.most


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


def test_it_is_asked_whether_it_is_still_wanted_just_before_it_leaves(world):
    """Promise 2: claimed before the answer, asked after it."""
    world.event()
    alerts_only(world)
    (run,) = claiming.claim_due(lambda: world.now, claiming.Senders())
    Page.objects.update(state="acknowledged")
    assert sending.send_run(run, Client(Allow.read("")), lambda _: {}, lambda: world.now) == ["dropped"]
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
        raise DeliveryFailed("no such mailbox", permanent=True)

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
