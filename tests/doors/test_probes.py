"""The probes and the heartbeat: what a balancer, Prometheus and a dead man's switch are told."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tests.actions.worker_world import SOON, Listener, Silent
from tests.world import World
from watchbill.actions import timers
from watchbill.actions.log import Subject
from watchbill.db.models import Inbox
from watchbill.egress import Allow, Client
from watchbill.entry import clock, probes
from watchbill.entry.worker.heartbeat import PERIOD, add_heartbeat


@pytest.fixture
def at(monkeypatch):
    """Move the clock that the probes read."""

    def move(now):
        monkeypatch.setattr(clock, "now", lambda: now)

    return move


def measured(now) -> dict[str, float]:
    return {name: value for name, _, value in probes.measures(now)}


def test_what_waits_is_measured_by_its_age_and_its_number(world):
    """An event that nobody has read yet, then its page and its message."""
    world.event()
    later = world.now + timedelta(seconds=90)
    assert measured(later)["late_seconds"] == 90
    assert measured(later)["inbox_waiting"] == 1
    world.work()
    now = measured(world.now)
    assert (now["late_seconds"], now["inbox_waiting"], now["pages_open"], now["alert_groups_open"]) == (0, 0, 1, 1)
    assert now["events_written"] > 0


@pytest.mark.parametrize("what", ["timer", "message", "payload"])
def test_each_kind_of_work_that_nobody_takes_counts_as_late(world, what):
    if what == "payload":
        world.event()
    elif what == "timer":
        timers.set_timer(Subject("page", 1, None), "climb", world.now)
    else:
        world.event()
        from watchbill.actions import alerts  # noqa: PLC0415

        alerts.receive(world.service.pk, world.now)
    assert probes.lateness(world.now + timedelta(seconds=61)) == timedelta(seconds=61)


def test_late_work_is_said_and_closes_no_door(world, at):
    """A balancer that took the doors away because workers are behind would refuse what could still be stored."""
    world.event()
    at(world.now + timedelta(minutes=5))
    status, _, body = probes.answer("/readyz", "", "")
    assert (status, body) == (200, b"ready, but work is 300 s late: no worker keeps up\n")


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Bearer caf\xe9 \u2603", "token"])
def test_the_metrics_want_their_token(world, given):
    assert probes.answer("/metrics", given, "token")[0] == 401
    assert probes.answer("/metrics", "Bearer token", "token")[0] == 200
    assert probes.answer("/metrics", given, "")[0] == 200, "without a token they are open"


def test_what_was_not_understood_is_counted(world):
    world.arrives(["no event"])
    world.work()
    assert Inbox.objects.get().state == Inbox.NOT_UNDERSTOOD
    assert measured(world.now)["inbox_not_understood"] == 1


@pytest.fixture
def switch():
    server = Listener()
    server.start()
    yield server
    server.stop()


def beating(world: World, switch: Listener) -> None:
    add_heartbeat(world.worker, Client(Allow.read("127.0.0.0/8")), f"http://127.0.0.1:{switch.port}/beat")


def wait_for_the_call() -> None:
    """Let the call end that runs in a thread of its own: while it runs no other is made."""
    for thread in threading.enumerate():
        if thread.name == "heartbeat":
            thread.join(SOON)


def test_the_heartbeat_is_heard_about_every_minute_while_all_is_on_time(world, switch):
    beating(world, switch)
    for _ in range(3):
        world.work()
        assert switch.heard.wait(SOON)
        switch.heard.clear()
        wait_for_the_call()
        world.work()
        world.now += PERIOD
    assert len(switch.requests) == 3
    assert switch.requests[0].startswith(b"GET /beat ")


def test_the_heartbeat_stops_while_timers_fall_behind_and_comes_back_with_them(world, switch, monkeypatch):
    """Issue 2, section 5: a dead man's switch outside hears that our timers are late by not hearing of us."""
    beating(world, switch)
    timers.set_timer(Subject("page", 1, None), "climb", world.now)
    monkeypatch.setattr(world.worker, "_do_due", lambda: False)
    world.now += probes.LATE + timedelta(seconds=1)
    world.work()
    assert not switch.heard.is_set()
    monkeypatch.undo()
    world.work()
    world.now += PERIOD
    world.work()
    assert switch.heard.wait(SOON)
    assert len(switch.requests) == 1


def test_a_switch_that_hangs_holds_back_no_page(world):
    """It takes the connection and never answers: the page leaves all the same, and no second call is made."""
    hanging = Silent()
    hanging.start(wanted=1)
    add_heartbeat(world.worker, Client(Allow.read("127.0.0.0/8")), f"http://127.0.0.1:{hanging.port}/beat")
    world.work()
    assert hanging.many.wait(SOON)
    world.event()
    world.now += PERIOD
    world.work()
    assert world.mailbox.readers() == ["ana@example.org"]
    assert len(hanging.lines) == 1
    hanging.stop()


def test_without_a_url_there_is_no_heartbeat(world):
    add_heartbeat(world.worker, Client(Allow.read("")), "")
    assert world.worker.chores == {}
