"""A flapping alert: an answer survives it, no longer than it was given for."""

from __future__ import annotations

from datetime import timedelta

from watchbill.actions import alerts, paging
from watchbill.db.models import AlertGroup, Page


def goes(world):
    world.event("resolve")
    world.work()


def fires(world, **event):
    world.event(**event)
    world.work()


def test_an_alert_that_returns_while_somebody_has_it_pages_nobody_anew_and_says_so(world):
    fires(world)
    paging.acknowledge(world.page().pk, world.ben, world.now)
    world.mailbox.clear()
    for _ in range(3):
        goes(world)
        world.forward(minutes=2)
        fires(world)
    group, page = AlertGroup.objects.get(), Page.objects.get()
    assert (group.state, group.acknowledged_by, group.restarts) == ("acknowledged", world.ben, 3)
    assert (page.state, page.answered_by, page.closed_at) == ("acknowledged", world.ben, None)
    assert "it returned within 10 minutes, Ben has it until Tue 09:30 UTC" in world.reasons(group)
    assert world.mailbox.messages == []


def test_the_promise_ends_when_it_would_have_ended_without_the_flapping(world):
    fires(world)
    paging.acknowledge(world.page().pk, world.ben, world.now)
    world.forward(minutes=20)
    goes(world)
    world.forward(minutes=5)
    fires(world)
    world.mailbox.clear()
    world.forward(minutes=4)
    assert world.mailbox.messages == []
    world.forward(minutes=2)
    assert world.mailbox.readers() == ["ben@example.org"]
    assert Page.objects.get().state == "climbing"
    assert AlertGroup.objects.get().state == "firing"


def test_a_promise_that_ran_out_while_it_was_quiet_holds_nobody(world):
    fires(world)
    paging.acknowledge(world.page().pk, world.ben, world.now)
    world.forward(minutes=28)
    goes(world)
    world.forward(minutes=4)
    fires(world)
    assert "what Ben answered ran out at 09:30 UTC" in world.reasons(world.group())
    assert [page.state for page in Page.objects.order_by("id")] == ["resolved", "climbing"]


def test_an_alert_that_nobody_had_answered_pages_when_it_returns(world):
    fires(world)
    goes(world)
    fires(world)
    assert "it returned within 10 minutes, and nobody had answered" in world.reasons(world.group())
    assert [page.state for page in Page.objects.order_by("id")] == ["resolved", "climbing"]


def test_after_the_window_it_pages_whoever_had_answered(world):
    fires(world)
    paging.acknowledge(world.page().pk, world.ben, world.now)
    goes(world)
    world.forward(minutes=10)
    fires(world)
    assert AlertGroup.objects.count() == 2
    assert world.page().state == "climbing"


def test_what_a_person_closed_and_fires_again_pages_anew(world):
    """Whoever resolves it says that it is over: they no longer look."""
    fires(world)
    paging.acknowledge(world.page().pk, world.ben, world.now)
    alerts.resolve_group(world.group().pk, world.ben, world.now)
    fires(world)
    assert world.page().state == "climbing"
    assert "nobody had answered" in world.reasons(world.group())


def test_a_snooze_goes_on_until_its_own_end(world):
    fires(world)
    paging.snooze(world.page().pk, world.ben, world.now + timedelta(hours=1), world.now)
    world.mailbox.clear()
    goes(world)
    world.forward(minutes=1)
    fires(world)
    assert (Page.objects.get().state, world.group().state) == ("snoozed", "acknowledged")
    assert world.group().snoozed_until == world.now + timedelta(minutes=59)
    world.forward(minutes=58)
    assert world.mailbox.messages == []
    world.forward(minutes=2)
    assert world.mailbox.readers() == ["ben@example.org"]


def test_an_alert_that_returns_worse_pages_although_somebody_has_it(world):
    fires(world, severity="error")
    paging.acknowledge(world.page().pk, world.ben, world.now)
    goes(world)
    fires(world, severity="critical")
    assert [page.state for page in Page.objects.order_by("id")] == ["resolved", "climbing"]


def test_one_that_goes_and_returns_within_one_batch_stays_with_whoever_has_it(world):
    fires(world)
    paging.acknowledge(world.page().pk, world.ben, world.now)
    world.event("resolve")
    world.event()
    world.work()
    assert (Page.objects.get().state, world.group().state) == ("acknowledged", "acknowledged")
    world.event("resolve")
    world.event()
    world.event("resolve")
    world.work()
    assert (Page.objects.get().state, world.group().state) == ("resolved", "resolved")
