"""Somebody leaves while they are asked, or while they hold a page: nobody writes to them, and somebody else is told."""

from __future__ import annotations

import pytest

from tests.world import World, make_person
from watchbill.actions import paging, people
from watchbill.db.models import ContactAddress, Outgoing, Person, Policy


def leaves(world: World, person: Person) -> None:
    admin = Person.objects.filter(is_superuser=True).first() or make_person("Ada", world.now, is_superuser=True)
    people.deactivate(person, admin, world.now)


def test_a_page_that_is_on_its_way_to_somebody_who_has_left_is_told_to_somebody_else(world):
    world.mailbox.refuse("ana@example.org", "451 busy")
    world.event()
    world.work()
    world.mailbox.refusals.clear()
    leaves(world, world.ana)
    world.forward(seconds=10)
    assert world.mailbox.readers() == ["eva@example.org"]
    assert Outgoing.objects.get(person=world.ana).answer == "the account of Ana is switched off"
    assert not ContactAddress.objects.filter(failed_at__isnull=False).exists(), "it is not the address that fails"


@pytest.mark.parametrize("minutes", [30, 0])
def test_what_somebody_had_answered_who_has_left_asks_again_at_once(world, minutes):
    """Also where an acknowledgement has no end."""
    Policy.objects.filter(team=world.team).update(settings={"rules": {"acknowledgement_expires": {"minutes": minutes}}})
    world.event()
    world.work()
    paging.acknowledge(world.page().pk, world.ana, world.now)
    world.mailbox.clear()
    leaves(world, world.ana)
    world.forward(seconds=1)
    assert world.page().state == "climbing"
    assert "Ana, who had answered, has left" in world.reasons(world.page())
    assert world.mailbox.readers() == ["ben@example.org"], "the seat is Ana's still, and Ben is next"


def test_when_the_fallback_person_has_left_somebody_else_hears_that_nobody_answered(world):
    world.event()
    world.work()
    leaves(world, world.eva)
    world.forward(minutes=20)
    assert world.page().state == "exhausted"
    assert "eva@example.org" not in world.mailbox.readers()
    assert world.mailbox.to(Person.objects.get(is_superuser=True))
