"""Leases: the work of a dead worker is another's, and one that wakes late overwrites nothing."""

from __future__ import annotations

from datetime import timedelta

from tests.actions.worker_world import alerts_only
from tests.world import World
from watchbill.actions import claiming, paging, sending, timers
from watchbill.core import delivery as rules
from watchbill.db.models import Outgoing
from watchbill.egress import Allow, Client
from watchbill.entry.worker.loop import Worker


def fresh_worker(world: World) -> Worker:
    return Worker(lambda: world.now, Client(Allow.read("127.0.0.0/8")))


def test_the_work_of_a_dead_worker_is_anothers_within_one_lease(world):
    """Promise 3: 15 seconds of the clock, not more."""
    world.event()
    alerts_only(world)
    (run,) = claiming.claim_due(lambda: world.now, claiming.Senders())
    world.forward(seconds=14)
    assert world.mailbox.messages == []
    world.forward(seconds=1)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert Outgoing.objects.get(pk=run.claims[0].ids[0]).attempt == 2


def test_a_worker_that_wakes_after_its_lease_overwrites_nothing(world):
    """The fence: a failure that comes late changes nothing of what the next worker did."""
    world.event()
    alerts_only(world)
    (old,) = claiming.claim_due(lambda: world.now, claiming.Senders())
    world.forward(seconds=16)
    (sent,) = Outgoing.objects.all()
    assert (sent.state, sent.attempt) == ("sent", 2)
    assert sending.send_run(old, Client(Allow.read("")), lambda _: {}, lambda: world.now) == ["dropped"]
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
