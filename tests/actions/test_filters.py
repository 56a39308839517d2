"""Saved filters: who keeps one, under which name, what is refused."""

from __future__ import annotations

import pytest

from tests.world import World
from watchbill.actions import filters
from watchbill.db.models import Event, SavedFilter
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def keep(world: World, name: str = "Toil", query: str = "label = toil", *, is_shared: bool = False) -> SavedFilter:
    return filters.save_filter(world.team, world.ana, name, query, world.now, is_shared=is_shared)


def test_an_observer_keeps_filters_and_a_stranger_does_not(world: World) -> None:
    filters.save_filter(world.team, world.olga, "What is open", "stage = waiting", world.now)
    with pytest.raises(NotAllowed):
        filters.save_filter(world.team, world.charlie, "Theirs", "", world.now)


@pytest.mark.parametrize(
    ("name", "query", "field"), [("", "", "name"), ("x" * 81, "", "name"), ("Odd", "colour = red", "query")]
)
def test_what_cannot_be_kept_names_its_field(world: World, name: str, query: str, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        keep(world, name, query)
    assert refusal.value.field == field
    assert not SavedFilter.objects.exists()


def test_a_name_is_used_once_by_a_person(world: World) -> None:
    keep(world)
    with pytest.raises(Refused, match="you have a filter called"):
        keep(world, "  Toil ")
    filters.save_filter(world.team, world.ben, "Toil", "", world.now)


def test_renaming_onto_another_is_refused_and_onto_itself_changes_nothing(world: World) -> None:
    first, second = keep(world), keep(world, "Other")
    with pytest.raises(Refused):
        filters.change_filter(second.pk, {"name": first.name}, world.ana, world.now)
    lines = Event.objects.filter(subject_kind="filter").count()
    filters.change_filter(first.pk, {"name": "Toil"}, world.ana, world.now)
    assert Event.objects.filter(subject_kind="filter").count() == lines


def test_only_its_owner_changes_it_and_an_owner_of_the_team_may_end_what_is_shared(world: World) -> None:
    own, shared = keep(world), keep(world, "Shared", is_shared=True)
    for act in (
        lambda: filters.change_filter(shared.pk, {"name": "Mine"}, world.eva, world.now),
        lambda: filters.open_feed(shared.pk, world.eva, world.now),
        lambda: filters.delete_filter(own.pk, world.eva, world.now),
        lambda: filters.delete_filter(shared.pk, world.ben, world.now),
    ):
        with pytest.raises(NotAllowed):
            act()
    filters.delete_filter(shared.pk, world.eva, world.now)
    assert list(SavedFilter.objects.values_list("name", flat=True)) == ["Toil"]


def test_a_key_opens_its_filter_until_it_is_closed(world: World) -> None:
    found = keep(world)
    assert filters.feed_key(found) == ""
    key = filters.open_feed(found.pk, world.ana, world.now)
    opened = filters.filter_of_key(key)
    assert opened == found
    filters.close_feed(found.pk, world.ana, world.now)
    assert filters.filter_of_key(key) is None


def test_who_is_switched_off_feeds_nobody(world: World) -> None:
    key = filters.open_feed(keep(world).pk, world.ana, world.now)
    world.ana.is_active = False
    world.ana.save()
    assert filters.filter_of_key(key) is None
