"""Kill -9 at every boundary of a page's way, then let a fresh process finish: nothing is lost, nobody is called twice
for nothing, and no hand mends anything (promises 1 to 3 of the design).

The story: an event is accepted; Ana is asked and does not answer; Ben is asked, at once by mail and two minutes later
at his second address; Ben acknowledges before that; the alert resolves. Each process of it is killed in turn at each
of its boundaries, under a clock that only the test moves.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import QuerySet

from tests.kill.killing import Death, Moments, Step, Zygote, fewest_deaths
from tests.world import World
from watchbill.actions import paging
from watchbill.db.models import (
    Alert,
    AlertGroup,
    ContactAddress,
    Event,
    Inbox,
    NotificationRule,
    Outgoing,
    Page,
    Timer,
)

LEASE = timedelta(seconds=16)
WHOLE_CLIMB = ["page.opened", "page.step", "page.step", "page.acknowledged", "page.resolved"]


def give_ben_a_second_address(world: World) -> None:
    address = ContactAddress.objects.create(
        person=world.ben,
        channel="email",
        label="home",
        address={"email": "ben@home.example"},
        created_at=world.now,
        verified_at=world.now,
    )
    NotificationRule.objects.create(person=world.ben, urgency="important", address=address, after_seconds=120)


def steps_of(world: World) -> list[Step]:
    start = world.now
    answer = {"do": "answer", "how": "acknowledge", "person": world.ben.pk}
    return [
        Step("accepted", start, {"do": "work"}),
        Step("climbs", start + timedelta(minutes=5), {"do": "work"}),
        Step("answers", start + timedelta(minutes=6), answer),
        Step("resolves", start + timedelta(minutes=9), {"do": "work"}),
    ]


@pytest.fixture
def story(world, moments, zygote) -> list[Step]:
    """The story told once by processes that nobody kills, with the moment before each step kept."""
    give_ben_a_second_address(world)
    world.event()
    steps = steps_of(world)
    for step in steps:
        if step.name == "answers":
            step.job["page"] = Page.objects.get().pk
        if step.name == "resolves":
            world.now = step.at
            world.event("resolve")
        moments.keep(step.name)
        assert zygote.run(step.as_job()).how == "survived"
    return steps


def finish(world: World, steps: list[Step], number: int) -> None:
    """A fresh worker, and the people, go on from wherever the killed process left it."""
    world.now = steps[number].at + LEASE
    world.work()
    if number == 0:
        world.forward(minutes=5)
    if number < 3:
        world.now = max(world.now, steps[2].at + LEASE)
        answered_at = len(world.mailbox.messages)
        paging.acknowledge(Page.objects.get().pk, world.ben, world.now)
        world.forward(minutes=20)
        assert len(world.mailbox.messages) == answered_at, "somebody was called after the answer"
        world.event("resolve")
    world.work()


def timers_of_the_story() -> QuerySet[Timer]:
    """Everything that is due but for the publication of shifts, which goes on for ever."""
    return Timer.objects.exclude(subject_kind="rotation")


def check_the_end(world: World, before: set[str], death: Death) -> None:
    assert list(Inbox.objects.exclude(state=Inbox.PARSED)) == []
    assert (Page.objects.get().state, AlertGroup.objects.get().state) == ("resolved", "resolved")
    assert AlertGroup.objects.get().firing_count == 0
    assert Alert.objects.get().state == "resolved"
    assert [kind for kind in world.story(Page.objects.get()) if kind.startswith("page.")] == WHOLE_CLIMB
    assert list(timers_of_the_story()) == []
    rows = list(Outgoing.objects.select_related("address").order_by("id"))
    told = [(row.address.address["email"], row.state) for row in rows]
    assert told == [("ana@example.org", "sent"), ("ben@example.org", "sent"), ("ben@home.example", "dropped")]
    assert [row for row in rows if row.due_at] == []
    marks = Counter(line.data["outgoing"] for line in Event.objects.filter(kind="delivery.sent"))
    assert marks == {row.pk: 1 for row in rows if row.state == "sent"}
    left = Counter(str(mail["Message-ID"]) for mail in world.mailbox.messages)
    assert set(left) == {row.reference for row in rows if row.state == "sent"} - before
    twice = [key for key, times in left.items() if times > 1]
    assert len(twice) == (1 if death.taken else 0), f"{death} but {left}"
    assert max(left.values(), default=0) <= 2


@pytest.mark.parametrize("number", range(4), ids=["accepted", "climbs", "answers", "resolves"])
def test_killed_at_any_boundary_a_fresh_process_finishes_the_story(
    number: int, world: World, story: list[Step], moments: Moments, zygote: Zygote
):
    step, kill_at = story[number], 0
    while True:
        kill_at += 1
        moments.go_back(step.name)
        world.mailbox.clear()
        before = set(Outgoing.objects.filter(state="sent").values_list("reference", flat=True))
        death = zygote.run(step.as_job(), kill_at)
        if step.name == "answers":
            check_wholly_or_not_at_all(world)
        finish(world, story, number)
        check_the_end(world, before, death)
        if death.how == "survived":
            break
    assert kill_at >= fewest_deaths()


def check_wholly_or_not_at_all(world: World) -> None:
    """An answer is one transaction: the page, its group, its timers, its messages and the log agree."""
    page, group = Page.objects.get(), AlertGroup.objects.get()
    answered = page.state == "acknowledged"
    assert page.state in {"climbing", "acknowledged"}
    assert (group.state == "acknowledged") == answered
    assert ("page.acknowledged" in world.story(page)) == answered
    assert ("alert.acknowledged" in world.story(group)) == answered
    assert [timer.kind for timer in timers_of_the_story()] == ["acknowledgement_expires" if answered else "climb"]
    assert Outgoing.objects.filter(state="waiting").exists() != answered
