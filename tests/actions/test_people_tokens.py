"""API tokens: shown once, kept as a hash, with scopes and an end. Feed addresses: signed, and ended by a version."""

from __future__ import annotations

from datetime import timedelta

import pytest

from watchbill.actions import tokens
from watchbill.db.models import ApiToken, Person
from watchbill.kit.errors import NotAllowed, Refused


def test_a_token_is_shown_once_and_kept_as_a_hash(world) -> None:
    row, text = tokens.create_token(world.ana, "laptop", ["read"], None, world.now)
    assert text.startswith("wb_")
    assert text not in (row.hash, row.prefix)
    assert text.startswith(row.prefix)
    assert tokens.person_of_token(text, "read", world.now) == world.ana


def test_a_stronger_scope_holds_the_weaker_and_not_the_other_way(world) -> None:
    _, text = tokens.create_token(world.ana, "pager", ["answer"], None, world.now)
    assert tokens.person_of_token(text, "read", world.now) == world.ana
    assert tokens.person_of_token(text, "answer", world.now) == world.ana
    with pytest.raises(NotAllowed, match="write"):
        tokens.person_of_token(text, "write", world.now)


def test_only_an_administrator_makes_a_token_that_administers(world) -> None:
    with pytest.raises(NotAllowed):
        tokens.create_token(world.ana, "all", ["admin"], None, world.now)


@pytest.mark.parametrize("scopes", [[], ["read", "fly"]])
def test_a_token_has_scopes_that_we_know(world, scopes) -> None:
    with pytest.raises(Refused):
        tokens.create_token(world.ana, "x", scopes, None, world.now)


def test_a_token_ends_by_its_date_by_revocation_and_with_its_person(world) -> None:
    ends = world.now + timedelta(days=30)
    row, text = tokens.create_token(world.ana, "month", ["read"], ends, world.now)
    assert tokens.person_of_token(text, "read", ends - timedelta(seconds=1)) == world.ana
    assert tokens.person_of_token(text, "read", ends) is None
    Person.objects.filter(pk=world.ana.pk).update(is_active=False)
    assert tokens.person_of_token(text, "read", world.now) is None
    Person.objects.filter(pk=world.ana.pk).update(is_active=True)
    with pytest.raises(NotAllowed):
        tokens.revoke_token(row, world.charlie, world.now)
    tokens.revoke_token(row, world.ana, world.now)
    assert tokens.person_of_token(text, "read", world.now) is None
    assert tokens.person_of_token("wb_nonsense", "read", world.now) is None


def test_no_token_lives_longer_than_a_year(world) -> None:
    with pytest.raises(Refused):
        tokens.create_token(world.ana, "forever", ["read"], world.now + timedelta(days=400), world.now)
    row, _ = tokens.create_token(world.ana, "year", ["read"], None, world.now)
    assert row.expires_at == world.now + tokens.LONGEST_LIFE


def test_its_last_use_is_written_at_most_once_a_minute(world) -> None:
    row, text = tokens.create_token(world.ana, "laptop", ["read"], None, world.now)
    for seconds, noted in ((0, 0), (59, 0), (60, 60)):
        tokens.person_of_token(text, "read", world.now + timedelta(seconds=seconds))
        assert ApiToken.objects.get(pk=row.pk).last_used_at == world.now + timedelta(seconds=noted)


def test_a_feed_address_is_ours_or_is_refused(world) -> None:
    token = tokens.feed_token("person", world.ana.pk, 1)
    assert tokens.read_feed_token(token) == ("person", world.ana.pk, 1)
    for forged in (token.replace(f"-{world.ana.pk}-", f"-{world.ana.pk + 1}-"), "person-1-1", "x"):
        with pytest.raises(Refused):
            tokens.read_feed_token(forged)


def test_feed_addresses_are_ended_by_their_owner(world) -> None:
    tokens.revoke_feed(world.ana, world.ana, world.now)
    assert Person.objects.get(pk=world.ana.pk).feed_version == 2
    with pytest.raises(NotAllowed):
        tokens.revoke_feed(world.ana, world.ben, world.now)
    with pytest.raises(NotAllowed):
        tokens.revoke_feed(world.team, world.ana, world.now)
    tokens.revoke_feed(world.team, world.eva, world.now)
