"""A storm of pages to one person: few messages, each page with its own link and its own state."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.actions.worker_world import Listener
from tests.world import World
from watchbill.actions import alerts, claiming, paging
from watchbill.actions.answer_link import answer_by_link, read_link
from watchbill.core.delivery import LEASE
from watchbill.db.models import ContactAddress, NotificationRule, Outgoing, Page

SECOND = timedelta(seconds=1)


@pytest.fixture
def stormy(world: World) -> World:
    world.worker.senders.window = SECOND
    return world


def fire(world: World, *numbers: int) -> None:
    for number in numbers:
        world.event(key=f"disk-{number}", summary=f"Disk {number} is full")


def read_without_sending(world: World) -> None:
    alerts.receive(world.service.pk, world.now)


def links_in(mail) -> list[str]:
    return re.findall(r"http://watchbill\.test/a/(\S+)", mail.get_body(("plain",)).get_content())


def test_the_first_page_leaves_at_once_and_those_that_follow_leave_together(stormy):
    world = stormy
    fire(world, 0)
    world.work()
    assert len(world.mailbox.to(world.ana)) == 1
    world.now += timedelta(milliseconds=300)
    fire(world, *range(1, 41))
    world.work()
    assert len(world.mailbox.to(world.ana)) == 1, "they wait for company"
    world.forward(milliseconds=700)
    first, together = world.mailbox.to(world.ana)
    assert len(links_in(first)) == 1
    assert together["Subject"].startswith("40 pages: critical: Disk 1 is full")
    assert len(set(links_in(together))) == 40
    rows = Outgoing.objects.all()
    assert {row.state for row in rows} == {"sent"}
    assert {row.reference for row in rows} == {first["Message-ID"], together["Message-ID"]}
    assert "in one message with 39 more" in world.reasons(world.page())


def test_each_link_of_a_bundle_answers_its_own_page(stormy):
    world = stormy
    fire(world, 1, 2, 3)
    world.work()
    (mail,) = world.mailbox.to(world.ana)
    row = read_link(links_in(mail)[1])
    answered = answer_by_link(row, "acknowledge", world.now)
    assert answered.title == "Disk 2 is full"
    assert sorted(Page.objects.values_list("title", "state")) == [
        ("Disk 1 is full", "climbing"),
        ("Disk 2 is full", "acknowledged"),
        ("Disk 3 is full", "climbing"),
    ]


def test_what_is_answered_while_it_waits_for_company_drops_out(stormy):
    world = stormy
    fire(world, 1)
    world.work()
    fire(world, 2, 3, 4)
    world.work()
    paging.acknowledge(Page.objects.get(title="Disk 3 is full").pk, world.ben, world.now)
    world.forward(seconds=1)
    together = world.mailbox.to(world.ana)[1]
    assert len(links_in(together)) == 2
    assert "Disk 3" not in together.as_string()
    assert sorted(Outgoing.objects.values_list("state", flat=True)) == ["dropped", "sent", "sent", "sent"]


def test_each_page_of_a_claimed_bundle_is_asked_about_just_before_it_leaves(stormy):
    """Promise 2, also for one of many: claimed together, one answered, the others leave."""
    world = stormy
    fire(world, 1, 2)
    read_without_sending(world)
    (run,) = claiming.claim_due(lambda: world.now, world.worker.senders)
    Page.objects.filter(title="Disk 1 is full").update(state="acknowledged")
    assert world.worker._send(run) == ["sent"]
    (mail,) = world.mailbox.to(world.ana)
    assert mail["Subject"].startswith("critical: Disk 2 is full")
    assert sorted(Outgoing.objects.values_list("state", flat=True)) == ["dropped", "sent"]


def test_a_bundle_that_a_dead_worker_held_leaves_again_in_the_same_company_under_the_same_key(stormy):
    """It may have arrived: the second copy has the first one's Message-ID, and what came since has its own."""
    world = stormy
    fire(world, 1, 2)
    read_without_sending(world)
    (run,) = claiming.claim_due(lambda: world.now, world.worker.senders)
    kept = {"state": "waiting", "attempt": 1, "due_at": world.now + LEASE, "finished_at": None}
    world.worker._send(run)
    (first,) = world.mailbox.to(world.ana)
    Outgoing.objects.update(**kept)  # the mark was never written
    world.forward(seconds=14)
    fire(world, 3)
    world.work()
    world.forward(seconds=5)
    mails = world.mailbox.to(world.ana)
    assert [len(links_in(mail)) for mail in mails] == [2, 1, 2]
    assert mails[2]["Message-ID"] == first["Message-ID"] != mails[1]["Message-ID"]


def test_a_bundle_that_fails_for_now_is_tried_again_and_each_page_says_so(stormy):
    world = stormy
    world.mailbox.refuse("ana@example.org", "451 come back later")
    fire(world, 1, 2)
    world.work()
    assert set(Outgoing.objects.values_list("state", "attempt")) == {("waiting", 1)}
    assert all("delivery.retried" in world.story(page) for page in Page.objects.all())
    world.mailbox.refusals.clear()
    world.forward(seconds=6)
    (mail,) = world.mailbox.to(world.ana)
    assert len(links_in(mail)) == 2


def test_a_bundle_that_fails_for_good_is_told_for_each_page(stormy):
    world = stormy
    world.mailbox.refuse("ana@example.org", "550 no such user")
    fire(world, 1, 2)
    world.forward(seconds=2)
    assert {row.state for row in Outgoing.objects.filter(person=world.ana)} == {"failed"}
    told = world.mailbox.to(world.eva)
    assert sum(len(links_in(mail)) for mail in told) == 2


def test_a_webhook_gets_each_page_alone(stormy):
    """A program wants one each, and at once."""
    world, listener = stormy, Listener()
    hook = ContactAddress.objects.create(
        person=world.ana,
        channel="webhook",
        label="hook",
        address={"url": f"http://127.0.0.1:{listener.port}/page", "secret": "a secret of sixteen or more"},
        created_at=world.now,
        verified_at=world.now,
    )
    NotificationRule.objects.filter(person=world.ana).update(address=hook)
    listener.start()
    try:
        fire(world, 1, 2, 3)
        world.work()
    finally:
        listener.stop()
    assert len(listener.requests) == 3
    assert set(Outgoing.objects.values_list("state", flat=True)) == {"sent"}
