"""Kill -9 while a silence begins and ends, and while a storm is looked at alert by alert: what fires is never forgotten.

As in test_killed_anywhere: each process is killed in turn at each of its boundaries, then a fresh one finishes.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from tests.kill.killing import Death, Moments, Step, Zygote, fewest_deaths
from tests.world import World
from watchbill.actions import alerts, silences
from watchbill.actions.placing import ASKED_AT_ONCE
from watchbill.db.models import AlertGroup, Inbox, Outgoing, Page, Timer

LEASE = timedelta(seconds=16)
LATER = 2


def due_kinds() -> list[str]:
    return sorted(timer.kind for timer in Timer.objects.exclude(subject_kind="rotation"))


def check_the_mail(world: World, people: list[str], death: Death) -> None:
    """Everybody was called once; twice, with the same key, only if the vendor had it and we could not write that down."""
    left = Counter(str(mail["Message-ID"]) for mail in world.mailbox.messages)
    assert sorted(set(world.mailbox.readers())) == sorted(set(people))
    assert len(left) == len(people)
    assert sum(left.values()) == len(people) + (1 if death.taken else 0), f"{death} but {left}"
    assert not Outgoing.objects.filter(state="waiting").exists()


def kill_at_each_boundary(step: Step, moments: Moments, zygote: Zygote, world: World):
    """Give every death of a step in turn, the database as the killed process left it; the last one survived."""
    kill_at = 0
    while True:
        kill_at += 1
        moments.go_back(step.name)
        world.mailbox.clear()
        death = zygote.run(step.as_job(), kill_at)
        world.now = step.at + LEASE
        yield death
        if death.how == "survived":
            break
    assert kill_at >= fewest_deaths()


@pytest.fixture
def silenced(world, moments, zygote) -> list[Step]:
    """Ana is asked about an alert, then it is silenced for an hour, and it fires on: a moment before each step."""
    world.event()
    world.work()
    end = world.now + timedelta(hours=1)
    silences.add_silence(
        world.team, world.ana, world.now, service=world.service, matchers=[], why="swap", starts_at=None, ends_at=end
    )
    steps = [Step("begins", world.now, {"do": "work"}), Step("ends", end, {"do": "work"})]
    for step in steps:
        moments.keep(step.name)
        assert zygote.run(step.as_job()).how == "survived"
    return steps


def test_killed_while_a_silence_begins_it_holds_and_its_end_is_not_forgotten(
    world: World, silenced: list[Step], moments: Moments, zygote: Zygote
):
    for death in kill_at_each_boundary(silenced[0], moments, zygote, world):
        world.work()
        group = AlertGroup.objects.get()
        assert (Page.objects.get().state, group.state, group.silence_id is not None) == ("resolved", "firing", True)
        assert world.story(group).count("alert.silenced") == 1
        assert due_kinds() == ["silence_over"]
        world.forward(minutes=58)
        check_the_mail(world, [], death)
        world.forward(minutes=2)
        check_the_mail(world, ["ana@example.org"], death)


def test_killed_while_a_silence_ends_what_still_fires_pages_once(
    world: World, silenced: list[Step], moments: Moments, zygote: Zygote
):
    for death in kill_at_each_boundary(silenced[1], moments, zygote, world):
        world.work()
        assert [page.state for page in Page.objects.order_by("id")] == ["resolved", "climbing"]
        assert world.story(world.group()).count("alert.looked_again") == 1
        assert world.group().silence_id is None
        assert due_kinds() == ["climb"]
        check_the_mail(world, ["ana@example.org"], death)


@pytest.fixture
def storm(world, moments, zygote) -> Step:
    """A storm is placed and its first alerts paged; each of the others waits for a look of its own."""
    for number in range(ASKED_AT_ONCE + LATER):
        world.event(key=f"k{number:02}")
    alerts.receive(world.service.pk, world.now)
    looks = Timer.objects.filter(kind="look")
    assert looks.count() == LATER
    step = Step("looks", world.now + timedelta(minutes=1), {"do": "work"})
    looks.update(due_at=step.at)
    world.work()
    assert Page.objects.count() == ASKED_AT_ONCE
    moments.keep(step.name)
    assert zygote.run(step.as_job()).how == "survived"
    return step


def test_killed_while_a_storm_is_looked_at_every_alert_of_it_pages_once(
    world: World, storm: Step, moments: Moments, zygote: Zygote
):
    for death in kill_at_each_boundary(storm, moments, zygote, world):
        world.work()
        assert set(Page.objects.values_list("group", flat=True)) == set(AlertGroup.objects.values_list("pk", flat=True))
        assert Page.objects.count() == ASKED_AT_ONCE + LATER
        assert Counter(due_kinds()) == {"climb": ASKED_AT_ONCE + LATER}
        assert not Inbox.objects.exclude(state=Inbox.PARSED).exists()
        check_the_mail(world, ["ana@example.org"], death)
        rows = Outgoing.objects.order_by("-id")[:LATER]
        assert len({row.reference for row in rows}) == 1, "they left together"
