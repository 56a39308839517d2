"""Kill -9 while the alerts of several services are read at once, and while mails leave one behind the other.

As in test_killed_anywhere: the worker is killed in turn at each of its boundaries but for those within a transaction,
which that one tries, then a fresh one finishes.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from tests.kill.killing import EDGES, Moments, Step, Zygote, fewest_deaths
from tests.world import World, make_person
from watchbill.actions import alerts, catalogue
from watchbill.db.models import AlertGroup, Inbox, Ladder, Outgoing, Page, Service, Timer
from watchbill.entry.worker.loop import SENDERS_EACH

LEASE = timedelta(seconds=16)
SERVICES = 2


@pytest.fixture
def together(world: World, moments: Moments, zygote: Zygote) -> Step:
    """Two services page one person more than the mail has senders, so that one sender has two of them."""
    people = [make_person(f"Mail{number}", world.now) for number in range(SENDERS_EACH + 1)]
    for number in range(SERVICES):
        targets = [f"person:{person.pk}" for person in people[number::SERVICES]]
        ladder = Ladder.objects.create(
            team=world.team, name=f"{number}", steps=[{"targets": targets, "wait_minutes": 5}], changed_at=world.now
        )
        service = Service.objects.create(
            team=world.team, slug=f"s{number}", name=f"Service {number}", ladder=ladder, created_at=world.now
        )
        way = catalogue.connect_monitor(service, "events_v2", "", world.eva, world.now)
        world.service, world.connection, world.key = service, way, way.key
        world.event()
    assert len(alerts.read_together(limit=50)) == 1
    step = Step("together", world.now, {"do": "work", "only": EDGES})
    moments.keep(step.name)
    assert zygote.run(step.as_job()).how == "survived"
    return step


def test_killed_while_services_are_read_together_everybody_is_called_and_every_copy_has_its_key(
    world: World, together: Step, moments: Moments, zygote: Zygote
):
    kill_at, most = 0, 0
    while True:
        kill_at += 1
        moments.go_back(together.name)
        world.mailbox.clear()
        death = zygote.run(together.as_job(), kill_at)
        world.now = together.at + LEASE
        world.work()
        assert Page.objects.count() == AlertGroup.objects.count() == SERVICES
        assert Timer.objects.filter(kind="climb").count() == SERVICES
        assert not Inbox.objects.exclude(state=Inbox.PARSED).exists()
        left = Counter(str(mail["Message-ID"]) for mail in world.mailbox.messages)
        assert len(left) == len(set(world.mailbox.readers())) == SENDERS_EACH + 1
        assert set(Outgoing.objects.values_list("state", flat=True)) == {"sent"}
        twice = sum(left.values()) - len(left)
        assert (twice > 0) == death.taken, f"{death} but {left}"
        most = max(most, twice)
        if death.how == "survived":
            break
    assert kill_at >= fewest_deaths()
    assert most == 2, "the two of one sender were taken, and not yet written down"
