"""Accounts: by invitation, with a link that works once; a profile; who leaves is seen to hold things."""

from __future__ import annotations

from datetime import timedelta

import pytest

from watchbill.actions import people
from watchbill.db.models import ContactAddress, Event, InstanceSetting, Ladder, Membership, NotificationRule, Person
from watchbill.kit.errors import NotAllowed, Refused

GOOD = "a long sentence nobody knows"


@pytest.fixture
def admin(world) -> Person:
    world.eva.is_superuser = True
    world.eva.save()
    return world.eva


def mailed_token(world, email: str) -> str:
    world.work()
    [mail] = [m for m in world.mailbox.messages if m["X-To"] == email]
    return mail.get_body(("plain",)).get_content().split("/join/")[1].split("/")[0]


def test_an_owner_invites_into_the_own_team_and_the_invited_joins_with_a_password(world) -> None:
    """ROT-03: the list of who belongs is kept by the team itself."""
    made = people.create_person("Dora@Example.org ", " Dora  Lane ", world.eva, world.now, team=world.team)
    assert (made.person.email, made.person.name, made.mailed) == ("dora@example.org", "Dora Lane", True)
    assert Membership.objects.get(team=world.team, person=made.person).role == "member"
    assert not made.person.check_password(GOOD)
    joined = people.accept_invitation(made.token, "Dora", GOOD, world.now, zone="Europe/London")
    assert joined.check_password(GOOD)
    assert (joined.zone, joined.joined_at) == ("Europe/London", world.now)


def test_an_invitation_works_once_and_for_seven_days(world) -> None:
    made = people.create_person("dora@example.org", "Dora", world.eva, world.now, team=world.team)
    with pytest.raises(Refused, match="older than 7 days"):
        people.accept_invitation(made.token, "Dora", GOOD, world.now + timedelta(days=7, minutes=1))
    people.accept_invitation(made.token, "Dora", GOOD, world.now + timedelta(days=6, hours=23))
    with pytest.raises(Refused, match="used already"):
        people.accept_invitation(made.token, "Dora", "another " + GOOD, world.now + timedelta(days=6, hours=23))


def test_a_changed_invitation_is_no_invitation(world) -> None:
    made = people.create_person("dora@example.org", "Dora", world.eva, world.now, team=world.team)
    with pytest.raises(Refused):
        people.read_invitation(made.token[:-2] + "xx", world.now)
    with pytest.raises(Refused):
        people.read_invitation("", world.now)


def test_the_mailed_link_proves_the_address_and_the_shown_link_does_not(world) -> None:
    shown = people.create_person("dora@example.org", "Dora", world.eva, world.now, team=world.team)
    people.accept_invitation(shown.token, "Dora", GOOD, world.now)
    assert not ContactAddress.objects.filter(person=shown.person, verified_at__isnull=False).exists()

    people.create_person("fred@example.org", "Fred", world.eva, world.now, team=world.team)
    fred = people.accept_invitation(mailed_token(world, "fred@example.org"), "Fred", GOOD, world.now)
    address = ContactAddress.objects.get(person=fred)
    assert address.verified_at == world.now
    assert set(NotificationRule.objects.filter(person=fred).values_list("urgency", flat=True)) == {
        "important",
        "default",
    }


def test_a_weak_password_is_refused_at_its_field_and_nothing_is_changed(world) -> None:
    made = people.create_person("dora@example.org", "Dora", world.eva, world.now, team=world.team)
    with pytest.raises(Refused) as refusal:
        people.accept_invitation(made.token, "Dora", "password12", world.now)
    assert refusal.value.field == "password"
    assert Person.objects.get(pk=made.person.pk).joined_at is None


def test_an_account_without_a_team_is_made_by_an_administrator_only(world, admin) -> None:
    with pytest.raises(NotAllowed, match="Ask Eva"):
        people.create_person("dora@example.org", "Dora", world.ana, world.now)
    assert people.create_person("dora@example.org", "Dora", admin, world.now).token


@pytest.mark.parametrize("who", ["ana", "olga", "charlie"])
def test_only_an_owner_invites_into_a_team(world, who) -> None:
    with pytest.raises(NotAllowed, match="Ask Eva"):
        people.create_person("dora@example.org", "Dora", world.people[who], world.now, team=world.team)
    assert not Person.objects.filter(email="dora@example.org").exists()


def test_inviting_somebody_with_an_account_adds_them_and_shows_no_link(world) -> None:
    """A link would let the inviter become that person."""
    world.charlie.joined_at = world.now
    world.charlie.save()
    made = people.create_person("charlie@example.org", "Anything", world.eva, world.now, team=world.team)
    assert made.token is None
    assert made.person.name == "Charlie"
    assert Membership.objects.filter(team=world.team, person=world.charlie, role="member").exists()


def test_an_owner_gets_no_link_for_somebody_who_was_invited_into_another_team(world, admin) -> None:
    waiting = people.create_person(
        "dora@example.org", "Dora", world.charlie, world.now, team=world.charlie.memberships.get().team
    )
    Membership.objects.filter(person=world.ben).update(role="owner")
    again = people.create_person("dora@example.org", "Dora", world.ben, world.now, team=world.team)
    assert (again.person, again.token) == (waiting.person, None)
    with pytest.raises(NotAllowed):
        people.invite_again(waiting.person, world.ben, world.now)
    assert people.invite_again(waiting.person, admin, world.now).token


def test_a_new_link_for_an_account_in_use_needs_an_administrator(world, admin) -> None:
    world.ana.joined_at = world.now
    world.ana.save()
    with pytest.raises(NotAllowed):
        people.invite_again(world.ana, world.ben, world.now)
    token = people.invite_again(world.ana, admin, world.now).token
    assert people.accept_invitation(token, "", GOOD, world.now).check_password(GOOD)


def test_the_first_person_is_the_administrator_and_there_is_only_one_first_person(db, mailbox) -> None:
    from tests.world import TUESDAY_NINE as NOW  # noqa: PLC0415 - the world would bring people

    first = people.create_first_person("ana@example.org", "Ana", GOOD, "Europe/London", NOW)
    assert first.is_superuser
    assert ContactAddress.objects.get(person=first).verified_at is None
    with pytest.raises(Refused, match="has an owner already"):
        people.create_first_person("mallory@example.org", "Mallory", GOOD, "UTC", NOW)
    assert InstanceSetting.objects.filter(name=people.FIRST_RUN).count() == 1


def test_a_profile_has_a_zone_that_exists_and_a_calendar_that_exists(world) -> None:
    good = {"name": "Ana Sousa", "zone": "Europe/Lisbon", "holiday_country": "pt"}
    assert people.change_profile(world.ana, good, world.now).holiday_country == "PT"
    for wrong, field in (
        ({"zone": "Europe/Atlantis"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"name": "  "}, "name"),
        ({"holiday_country": "XX"}, "holiday_country"),
        ({"holiday_subdivision": "NOPE"}, "holiday_subdivision"),
    ):
        with pytest.raises(Refused) as refusal:
            people.change_profile(world.ana, good | wrong, world.now)
        assert refusal.value.field == field


def test_who_is_switched_off_is_shown_to_hold_seats_ladders_and_duties(world, admin) -> None:
    Ladder.objects.create(
        team=world.team, name="Ben first", steps=[{"targets": [f"person:{world.ben.pk}"]}], changed_at=world.now
    )
    held = people.deactivate(world.ben, admin, world.now)
    assert {shift.person for shift in held.shifts} == {world.ben}
    assert [ladder.name for ladder in held.ladders] == ["Ben first"]
    assert not Person.objects.get(pk=world.ben.pk).is_active
    assert Event.objects.filter(subject_kind="person", subject_id=world.ben.pk, kind="person.deactivated").exists()
    people.reactivate(world.ben, admin, world.now)
    assert Person.objects.get(pk=world.ben.pk).is_active


def test_an_administrator_is_never_the_last_to_switch_themselves_off(world, admin) -> None:
    with pytest.raises(Refused):
        people.deactivate(admin, admin, world.now)
    with pytest.raises(Refused):
        people.set_administrator(admin, admin, world.now, administrator=False)
    with pytest.raises(NotAllowed):
        people.deactivate(world.ben, world.ana, world.now)
