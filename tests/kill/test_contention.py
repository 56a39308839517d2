"""Several workers and several people at the same pages: no deadlock, no rung twice, nobody called after an answer.

On PostgreSQL four worker processes share 150 pages while two more processes answer them; on SQLite the same runs with
threads in one process, as there it always does, with fewer pages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from threading import Event as Waiting
from time import monotonic
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Q

from tests.kill import crew
from tests.kill.crew import Shared, Spec
from tests.world import World
from watchbill.actions import catalogue
from watchbill.db.models import AlertGroup, Event, Inbox, Outgoing, Page, Policy, Service, Timer

ASKING = {"page.opened", "page.step", "page.asks_again", "page.help_asked", "page.reassigned", "page.exhausted"}
QUIET = {"page.acknowledged", "page.snoozed", "page.resolved"}
RESTARTS = {"page.asks_again", "page.exhausted"}
# Seconds of the clock that the test moves, as many as it moves at once; it stands still while a message is held.
TICK = 7
# Seconds of the machine's own; other tests may have every core for a while.
PATIENCE = 300


@pytest.fixture
def busy(world: World) -> World:
    """Six services; on them, as many events as there shall be pages."""
    pages = 150 if connection.vendor == "postgresql" else 60
    world.ladder.steps = [{**step, "wait_minutes": 1} for step in world.ladder.steps]
    world.ladder.save()
    rules = {"acknowledgement_expires": {"minutes": 2}, "page_exhausted": {"again_after_minutes": 1}}
    Policy.objects.update(settings={"rules": rules})
    connections = [world.connection]
    for number in range(5):
        service = Service.objects.create(
            team=world.team, slug=f"s{number}", name=f"Service {number}", ladder=world.ladder, created_at=world.now
        )
        connections.append(catalogue.connect_monitor(service, "events_v2", "Prometheus", world.eva, world.now))
    for number in range(pages):
        say(world, connections[number % 6], "trigger", number)
    return world


def say(world: World, source: Any, action: str, number: int) -> None:
    world.service, world.connection, world.key = source.service, source, source.key
    world.event(action, key=f"disk-{number}", summary=f"Disk {number} is full")


@contextmanager
def everybody(spec: Spec, shared: Shared) -> Iterator[None]:
    """Workers and people are at work; at the end all have left."""
    if connection.vendor != "postgresql":
        before = structlog.get_config()
        structlog.configure(processors=[crew.log_to(shared)])
        threads = crew.as_threads(spec, shared)
        try:
            yield
        finally:
            shared.stop()
            for thread in threads:
                thread.join()
            structlog.configure(**before)
        return
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "watchbill.entry.settings",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "tests.kill.crew", json.dumps(asdict(spec))]
    process = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        shared.stop()
        assert process.wait(PATIENCE) == 0


def until(is_so: Callable[[], bool], seconds: float, each: Callable[[], None] = lambda: None) -> bool:
    end = monotonic() + seconds
    while monotonic() < end:
        if is_so():
            return True
        each()
        Waiting().wait(0.01)
    return False


def deadlocks() -> int:
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_four_workers_and_two_who_answer_never_trip_over_each_other(
    busy: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    world, shared = busy, Shared(tmp_path)
    shared.set(world.now)
    before, pages = deadlocks(), Inbox.objects.count()
    mails = Noting(shared)
    monkeypatch.setattr(world.mailbox, "messages", mails)
    smtp = settings.CHANNEL_SETTINGS["email"]
    people = [world.ana.pk, world.ben.pk, world.eva.pk]
    spec = Spec(str(tmp_path), str(connection.settings_dict["NAME"]), smtp, people, 4, 2, seed=20261120)

    def time_passes() -> None:
        # Only while nobody holds a claim, and less than half a lease at once: this clock runs a hundred times too fast.
        if nothing_is_held(world):
            world.now += timedelta(seconds=TICK)
            shared.set(world.now)

    with everybody(spec, shared):
        assert until(lambda: Page.objects.count() == pages, PATIENCE), f"{Page.objects.count()} pages of {pages}"
        end = world.now + timedelta(minutes=5)
        assert until(lambda: world.now >= end, PATIENCE, time_passes), (
            f"{end - world.now} to go, {what_is_left()[:3000]}"
        )
        for connection_ in list({c.pk: c for c in connections_of(world)}.values()):
            resolve_all(world, connection_)
        assert until(all_done, PATIENCE, time_passes), what_is_left()
    assert deadlocks() == before
    assert [line for line in shared.told() if "log" in line] == []
    check_the_log(shared, mails.heard)


def connections_of(world: World) -> list[Any]:
    return [connection_ for service in Service.objects.all() for connection_ in service.connections.all()]


def resolve_all(world: World, source: Any) -> None:
    """The monitor says that all of its alerts are over."""
    for group in AlertGroup.objects.filter(service=source.service).order_by("id"):
        say(world, source, "resolve", int(group.title.split()[1]))


def all_done() -> bool:
    return not (
        Inbox.objects.filter(state=Inbox.WAITING).exists()
        or Page.objects.filter(closed_at=None).exists()
        or Outgoing.objects.filter(due_at__isnull=False).exists()
        or Timer.objects.exclude(subject_kind="rotation").exists()
    )


def nothing_is_held(world: World) -> bool:
    timers = Timer.objects.filter(Q(due_at__lte=world.now) | Q(attempt__gt=0))
    messages = Outgoing.objects.filter(Q(due_at__lte=world.now) | Q(attempt__gt=0, state="waiting"))
    return not timers.exists() and not messages.exists()


def what_is_left() -> str:
    timers = list(Timer.objects.exclude(subject_kind="rotation"))
    rows = Outgoing.objects.filter(due_at__isnull=False).count()
    open_pages = list(Page.objects.filter(closed_at=None).values_list("pk", "state"))
    return f"{timers=} {rows=} {open_pages=} inbox={Inbox.objects.filter(state=Inbox.WAITING).count()}"


class Noting(list[Any]):
    """Keeps the mails, and at which moment of the shared clock each was taken, by its key."""

    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self.shared = shared
        self.heard: dict[str, list[float]] = defaultdict(list)

    def append(self, message: Any) -> None:
        self.heard[str(message["Message-ID"])].append(self.shared.now().timestamp())
        super().append(message)


def check_the_log(shared: Shared, heard: dict[str, list[float]]) -> None:
    """Fold the log of every page: rungs only rise, and only what asks makes messages."""
    lines = defaultdict(list)
    for line in Event.objects.filter(subject_kind="page").order_by("id"):
        lines[line.subject_id].append(line)
    quiet_lines: set[int] = set()
    for story in lines.values():
        quiet_lines |= check_one_story(story)
    answers = defaultdict(list)
    for told in shared.told():
        answers[told["page"]].append((told["line"], told["at"]))
    rows = list(Outgoing.objects.filter(subject_kind="page"))
    assert len(rows) > len(lines), "every page asked somebody"
    for row in rows:
        assert row_line(row) not in quiet_lines, f"{row.key} was caused by a line that asks nobody"
        assert row.state in {"sent", "dropped"}
        times = heard[row.reference] if row.state == "sent" else []
        assert len(times) == (row.state == "sent"), f"{row.key} left {len(times)} times"
        for line, at in answers[row.subject_id]:
            late = times[0] - at if times and row_line(row) < line else 0
            assert late <= TICK, f"{row.key} left {late} s after the answer"


def row_line(row: Outgoing) -> int:
    return int(row.key.split("-")[2])


def check_one_story(story: list[Event]) -> set[int]:
    """Rungs rise until the page starts over; gives the ids of the lines after which nobody may be called."""
    quiet, rung, quiet_lines = False, -1, set()
    for line in story:
        if line.kind in RESTARTS:
            rung = -1
        if line.kind == "page.step":
            assert line.data["step"] > rung, f"page {line.subject_id} climbed {line.data['step']} after {rung}"
            assert not quiet, f"page {line.subject_id} climbed although somebody had answered"
            rung = line.data["step"]
        quiet = (quiet or line.kind in QUIET) and line.kind not in ASKING - {"page.step"}
        if quiet:
            quiet_lines.add(line.pk)
    return quiet_lines
