"""Several workers and several people at the same requests: no deadlock, no promise told twice, nothing left behind.

On PostgreSQL four worker processes and two that help share 100 requests; on SQLite the same runs with threads in one
process, as there it always does, with fewer requests.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Q

from tests.actions.desk_cast import adopt, ask
from tests.kill.crew import Shared, Spec
from tests.kill.test_contention import PATIENCE, Noting, deadlocks, everybody, nothing_is_held, until
from tests.world import World
from watchbill.actions.requesters import Asker
from watchbill.db.models import Event, Export, Outgoing, SupportRequest, Timer

MINUTES = 3
CLASSES = {"unclassed": {"amount": 2, "unit": "minutes"}, "classes": {}}


@pytest.fixture
def asked(world: World) -> World:
    """Seven people have asked very often; everybody is promised an answer within two minutes."""
    adopt(world, coverage=None, request_classes=CLASSES)
    for number in range(100 if connection.vendor == "postgresql" else 40):
        ria = Asker(f"Ria {number % 7}", f"ria{number % 7}@example.net")
        ask(world, ria, title=f"Disk {number} is full")
    return world


def test_four_workers_and_two_who_help_never_trip_over_each_other(
    asked: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INT-08, INT-13, PRI-05."""
    world, shared = asked, Shared(tmp_path)
    shared.set(world.now)
    before, mails = deadlocks(), Noting(shared)
    monkeypatch.setattr(world.mailbox, "messages", mails)
    people = [world.ana.pk, world.ben.pk, world.eva.pk]
    smtp, database = settings.CHANNEL_SETTINGS["email"], str(connection.settings_dict["NAME"])
    spec = Spec(str(tmp_path), database, smtp, people, 4, 0, seed=20261121, helpers=2)
    end = world.now + timedelta(minutes=MINUTES)

    def time_passes() -> None:
        # As in the test of pages: less than half a lease at once, and only while nobody holds a claim.
        if nothing_is_held(world) and no_export_is_held(world):
            world.now += timedelta(seconds=7)
            shared.set(world.now)

    with everybody(spec, shared):
        assert until(lambda: world.now >= end, PATIENCE, time_passes), f"{end - world.now} to go, {what_is_due(world)}"
    world.work()
    assert deadlocks() == before
    assert [line for line in shared.told() if "log" in line] == []
    assert what_is_due(world) == []
    check_what_was_promised()
    check_what_left(mails.heard)


def no_export_is_held(world: World) -> bool:
    return not Export.objects.filter(Q(due_at__lte=world.now) | Q(attempt__gt=0, state="waiting")).exists()


def what_is_due(world: World) -> list[Any]:
    return [
        row for model in (Timer, Outgoing, Export) for row in model.objects.filter(due_at__lte=world.now).values()[:20]
    ]


def check_what_was_promised() -> None:
    """A promise is missed once, and each miss is told once to whoever is there to hear it."""
    lines = Event.objects.filter(subject_kind="request")
    missed = Counter(
        (line.subject_id, line.data["what"]) for line in lines.filter(kind="request.promise_missed").order_by("id")
    )
    told = Counter(lines.filter(kind="request.miss_told").values_list("subject_id", flat=True))
    assert missed
    assert set(missed.values()) == {1}
    assert told == Counter(number for number, _ in missed)
    late = SupportRequest.objects.filter(first_response_at=None, state="open", waiting_on="us")
    for request in late.filter(first_response_due_at__isnull=False):
        assert request.is_late == ((request.pk, "first_response") in missed)


def check_what_left(heard: dict[str, list[float]]) -> None:
    """Every mail that was put left once, and each request was confirmed once."""
    assert {row.state for row in Export.objects.all()} == {"sent"}
    confirmed = Counter(Event.objects.filter(kind="request.opened").values_list("subject_id", flat=True))
    assert set(confirmed.values()) == {1}
    assert len(confirmed) == SupportRequest.objects.count()
    assert {len(times) for times in heard.values()} == {1}
    sent = Outgoing.objects.filter(state="sent").count() + Export.objects.filter(what="mail", state="sent").count()
    assert len(heard) == sent
