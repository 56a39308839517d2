"""Stories from an event at the door to a person who answers, with a real mail server and a clock moved by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.world import make_person
from watchbill.actions import paging
from watchbill.db.models import ContactAddress, NotificationRule, Outgoing
from watchbill.kit.errors import NotAllowed, Refused


def test_an_event_pages_the_person_on_watch_and_the_mail_says_what_and_where(world):
    """PAG-02: an alert usually starts it."""
    world.event()
    world.work()
    (mail,) = world.mailbox.messages
    assert mail["X-To"] == "ana@example.org"
    assert "Disk full on db1" in mail["Subject"]
    assert "http://watchbill.test/a/" in mail.get_body(("plain",)).get_content()


def test_nobody_answers_so_the_next_on_watch_is_asked_and_then_the_whole_team(world):
    """PAG-01, DUT-17: escalates by itself, at last all hands."""
    world.event()
    world.work()
    world.forward(minutes=5)
    assert world.mailbox.readers() == ["ana@example.org", "ben@example.org"]
    world.mailbox.clear()
    world.forward(minutes=5)
    assert sorted(world.mailbox.readers()) == ["ana@example.org", "ben@example.org", "eva@example.org"]


def test_after_an_answer_nobody_is_called(world):
    world.event()
    world.work()
    paging.acknowledge(world.page().pk, world.ana, world.now)
    world.mailbox.clear()
    world.forward(minutes=29)
    assert world.mailbox.messages == []
    assert world.group().state == "acknowledged"


def test_an_acknowledgement_that_is_not_kept_asks_again(world):
    world.event()
    world.work()
    paging.acknowledge(world.page().pk, world.ben, world.now)
    world.mailbox.clear()
    world.forward(minutes=31)
    assert world.mailbox.readers() == ["ben@example.org"]
    world.forward(minutes=5)
    assert world.mailbox.readers() == ["ben@example.org", "ana@example.org"]


def test_a_snooze_ends_and_asks_again(world):
    world.event()
    world.work()
    paging.snooze(world.page().pk, world.ana, world.now + timedelta(minutes=15), world.now)
    world.mailbox.clear()
    world.forward(minutes=14)
    assert world.mailbox.messages == []
    world.forward(minutes=2)
    assert world.mailbox.readers() == ["ana@example.org"]


def test_when_the_alert_resolves_the_page_is_over(world):
    world.event()
    world.work()
    world.event("resolve")
    world.forward(minutes=60)
    assert world.page().state == "resolved"
    assert world.group().state == "resolved"
    assert world.mailbox.readers() == ["ana@example.org"]


def test_a_page_that_nobody_answers_tells_the_fallback_person_and_starts_over(world):
    world.event()
    world.work()
    world.forward(minutes=20)
    assert world.page().state == "exhausted"
    told = world.mailbox.to(world.eva)
    assert len(told) == 2
    assert "nobody on the ladder answered" in world.reasons(world.page()) or "nobody answered" in world.reasons(
        world.page()
    )
    world.mailbox.clear()
    world.forward(minutes=31)
    assert world.mailbox.readers()[0] == "ana@example.org"


def test_a_person_without_an_address_is_passed_over_and_the_fallback_person_hears_why(world):
    ContactAddress.objects.filter(person=world.ana).delete()
    world.event()
    world.work()
    (mail,) = world.mailbox.messages
    assert mail["X-To"] == "eva@example.org"
    assert "Ana has no verified address" in mail["Subject"]


def test_an_address_that_fails_for_good_brings_the_next_one_forward(world):
    second = ContactAddress.objects.create(
        person=world.ana,
        channel="email",
        label="home",
        address={"email": "ana@home.example"},
        created_at=world.now,
        verified_at=world.now,
    )
    NotificationRule.objects.create(person=world.ana, urgency="important", address=second, after_seconds=120)
    world.mailbox.refuse("ana@example.org", "550 no such mailbox")
    world.event()
    world.work()
    assert world.mailbox.readers() == ["ana@home.example"]
    assert "550" in Outgoing.objects.get(state="failed").answer


def test_when_no_address_of_a_person_works_somebody_else_is_told_why(world):
    world.mailbox.refuse("ana@example.org", "550 no such mailbox")
    world.event()
    world.work()
    (mail,) = world.mailbox.messages
    assert mail["X-To"] == "eva@example.org"
    assert "could not be reached" in mail["Subject"]


def test_a_mail_server_that_is_busy_is_tried_again_with_the_same_key(world):
    world.mailbox.refuse("ana@example.org", "451 try later")
    world.event()
    world.work()
    assert world.mailbox.messages == []
    world.mailbox.refusals.clear()
    world.forward(seconds=10)
    (mail,) = world.mailbox.messages
    row = Outgoing.objects.get(person=world.ana)
    assert row.attempt == 2
    assert row.state == "sent"
    assert mail["X-To"] == "ana@example.org"


def test_a_personal_delay_is_kept_and_dropped_when_somebody_answers_first(world):
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
    assert world.mailbox.readers() == ["ana@example.org"]
    world.forward(seconds=60)
    paging.acknowledge(world.page().pk, world.ana, world.now)
    world.forward(seconds=300)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert Outgoing.objects.get(address=second).state == "dropped"


def test_an_edit_of_the_ladder_never_disturbs_a_climb(world):
    world.event()
    world.work()
    world.ladder.steps = [{"targets": ["fallback"], "wait_minutes": 1}]
    world.ladder.save()
    world.forward(minutes=5)
    assert world.mailbox.readers() == ["ana@example.org", "ben@example.org"]


def test_reassigning_asks_that_person_and_the_ladder_goes_on_if_they_do_not_answer(world):
    world.event()
    world.work()
    world.mailbox.clear()
    paging.reassign(world.page().pk, world.eva, world.ana, world.now)
    world.work()
    assert world.mailbox.readers() == ["eva@example.org"]
    world.forward(minutes=5)
    assert world.mailbox.readers() == ["eva@example.org", "ben@example.org"]


def test_asking_for_help_climbs_at_once(world):
    """DUT-05, DUT-07: calling help is the judgement of the person on watch."""
    world.event()
    world.work()
    paging.acknowledge(world.page().pk, world.ana, world.now)
    world.mailbox.clear()
    paging.ask_for_help(world.page().pk, world.ana, world.now)
    world.work()
    assert world.mailbox.readers() == ["ben@example.org"]


def test_nobody_can_be_handed_a_page_who_would_not_hear_of_it(world):
    quiet = make_person("Quiet", world.now, addresses=False)
    world.event()
    world.work()
    with pytest.raises(Refused, match="no verified address"):
        paging.reassign(world.page().pk, quiet, world.ana, world.now)


@pytest.mark.parametrize("who", ["charlie", "olga"])
def test_a_stranger_and_an_observer_may_not_answer_and_hear_whom_to_ask(world, who):
    world.event()
    world.work()
    with pytest.raises(NotAllowed, match="Ask Eva"):
        paging.acknowledge(world.page().pk, getattr(world, who), world.now)


def test_every_step_stands_on_the_record_with_its_reason(world):
    world.event()
    world.work()
    world.forward(minutes=5)
    paging.acknowledge(world.page().pk, world.ben, world.now)
    world.event("resolve")
    world.work()
    assert world.story(world.group()) == ["alert.opened", "alert.paged", "alert.acknowledged", "alert.resolved"]
    reasons = world.reasons(world.page())
    for sentence in (
        "critical pages at once",
        "Ana is engineer on watch",
        "Ben is next on watch as engineer",
        "Ben acknowledged",
        "resolved by the monitor",
    ):
        assert sentence in reasons


def test_a_message_that_a_rule_planned_for_much_later_is_tried_again_like_any_other(world):
    NotificationRule.objects.filter(person=world.ana, urgency="important").delete()
    late = ContactAddress.objects.create(
        person=world.ana,
        channel="email",
        label="home",
        address={"email": "ana@home.example"},
        created_at=world.now,
        verified_at=world.now,
    )
    first = ContactAddress.objects.get(person=world.ana, label="work")
    NotificationRule.objects.create(person=world.ana, urgency="important", address=first, after_seconds=0)
    NotificationRule.objects.create(person=world.ana, urgency="important", address=late, after_seconds=2 * 3600)
    world.ladder.steps = [{"targets": ["seat:engineer"], "wait_minutes": 24 * 60}]
    world.ladder.save()
    world.mailbox.refuse("ana@home.example", "451 try later")
    world.event()
    world.work()
    world.forward(hours=2)
    assert "ana@home.example" not in world.mailbox.readers()
    world.mailbox.refusals.clear()
    world.forward(minutes=1)
    assert "ana@home.example" in world.mailbox.readers()
