"""Teams are made from a preset and then their own: members, a versioned policy, ladders, and who cannot be reached."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.world import TUESDAY_NINE
from watchbill import presets
from watchbill.actions import ladders, reachability, rota, teams, timers
from watchbill.core.people import changes_between, next_morning
from watchbill.db import facts
from watchbill.db.models import (
    ContactAddress,
    Event,
    Ladder,
    Membership,
    Outgoing,
    Person,
    Policy,
    Rotation,
    Shift,
    Team,
)
from watchbill.db.screens import teams as screen
from watchbill.kit.errors import NotAllowed, Refused


@pytest.fixture
def admin(world) -> Person:
    world.eva.is_superuser = True
    world.eva.save()
    return world.eva


@pytest.mark.parametrize("name", sorted(presets.all_presets()))
def test_a_team_from_any_preset_has_an_owner_a_policy_a_ladder_and_a_watch(world, admin, name) -> None:
    """GEN-01: adapt before adopting; everything that the preset brings is the team's own from the first minute."""
    made = teams.create_team("Nights & days", "Europe/London", name, admin, world.now, members=[world.ana, world.ben])
    assert made.slug == "nights-days"
    assert {m.person: m.role for m in made.memberships.all()} == {
        admin: "owner",
        world.ana: "member",
        world.ben: "member",
    }
    policy = Policy.objects.get(team=made)
    assert (policy.version, policy.preset, policy.adopted_by, policy.adopted_at) == (1, name, admin, world.now)
    assert Ladder.objects.get(team=made).version == 1
    assert Rotation.objects.filter(team=made).count() == len(presets.load(name).rotations)
    filled = Shift.objects.filter(
        rotation__team=made, person__isnull=False, starts_at__lt=world.now + timedelta(days=30)
    )
    assert filled.exists()
    assert screen.rungs_of(Ladder.objects.get(team=made))


def test_only_an_administrator_makes_a_team(world) -> None:
    with pytest.raises(NotAllowed):
        teams.create_team("Mine", "UTC", "laa-ops", world.ana, world.now)


@pytest.mark.parametrize(
    ("name", "zone", "preset", "field"),
    [("", "UTC", "laa-ops", "name"), ("X", "Mars/Base", "laa-ops", "zone"), ("X", "UTC", "no-such", "preset")],
)
def test_a_team_that_cannot_be_is_refused_at_its_field_and_nothing_is_left(
    world, admin, name, zone, preset, field
) -> None:
    before = Team.objects.count()
    with pytest.raises(Refused) as refusal:
        teams.create_team(name, zone, preset, admin, world.now)
    assert refusal.value.field == field
    assert Team.objects.count() == before


def test_two_teams_of_one_name_have_two_addresses(world, admin) -> None:
    slugs = [teams.create_team("New", "UTC", "laa-ops", admin, world.now).slug for _ in range(2)]
    assert slugs == ["new-2", "new-3"]


def test_an_owner_changes_the_team_and_others_may_not(world) -> None:
    values = {"name": "Platform", "zone": "Europe/Paris", "holiday_country": "FR", "fallback": str(world.ben.pk)}
    changed = teams.change_team(world.team, values, world.eva, world.now)
    assert (changed.zone, changed.fallback, changed.manager) == ("Europe/Paris", world.ben, None)
    for name in ("ana", "olga", "charlie"):
        with pytest.raises(NotAllowed, match="Ask Eva"):
            teams.change_team(world.team, values, world.people[name], world.now)
    with pytest.raises(Refused) as refusal:
        teams.change_team(world.team, values | {"manager": "99999999"}, world.eva, world.now)
    assert refusal.value.field == "manager"


def test_a_member_has_a_role_skills_and_dates_whose_end_is_inclusive(world) -> None:
    """ROT-03: who is in the rotation, and from when to when."""
    values = {
        "role": "member",
        "skills": "dba,  network, dba",
        "active_from": date(2026, 3, 1),
        "active_until": date(2026, 3, 31),
    }
    made = teams.add_member(world.team, world.charlie, values, world.eva, world.now)
    assert made.skills == ["dba", "network"]
    with pytest.raises(Refused, match="already"):
        teams.add_member(world.team, world.charlie, values, world.eva, world.now)
    with pytest.raises(Refused) as refusal:
        teams.change_member(made, values | {"active_until": date(2026, 2, 28)}, world.eva, world.now)
    assert refusal.value.field == "active_until"


def test_the_last_owner_stays_an_owner(world) -> None:
    eva = Membership.objects.get(team=world.team, person=world.eva)
    with pytest.raises(Refused, match="last owner"):
        teams.remove_member(eva, world.eva, world.now)
    with pytest.raises(Refused, match="last owner"):
        teams.change_member(eva, {"role": "member"}, world.eva, world.now)
    ana = Membership.objects.get(team=world.team, person=world.ana)
    teams.change_member(ana, {"role": "owner"}, world.eva, world.now)
    teams.remove_member(eva, world.eva, world.now)
    assert not Membership.objects.filter(team=world.team, person=world.eva).exists()


def test_an_owner_whose_account_is_switched_off_does_not_count_as_the_one_who_stays(world) -> None:
    Membership.objects.filter(team=world.team, person=world.ben).update(role="owner")
    Person.objects.filter(pk=world.ben.pk).update(is_active=False)
    with pytest.raises(Refused, match="last owner"):
        teams.remove_member(Membership.objects.get(team=world.team, person=world.eva), world.eva, world.now)


def test_everybody_may_leave_and_only_an_owner_takes_others_out(world) -> None:
    olga = Membership.objects.get(team=world.team, person=world.olga)
    with pytest.raises(NotAllowed):
        teams.remove_member(olga, world.ana, world.now)
    teams.remove_member(olga, world.olga, world.now)
    assert Event.objects.filter(kind="team.member_removed", team=world.team).exists()


def test_who_has_turns_in_a_rotation_is_taken_out_of_it_first(world) -> None:
    """ROT-06: nobody's turn vanishes behind the backs of the others."""
    with pytest.raises(Refused, match="turns in Engineers"):
        teams.remove_member(Membership.objects.get(team=world.team, person=world.ben), world.eva, world.now)


def test_a_new_skill_changes_who_may_take_a_seat_at_once(world) -> None:
    settings = {
        "zone": "UTC",
        "unit": "week",
        "starts_on": "2026-03-02",
        "members": [{"person": world.ana.pk}, {"person": world.ben.pk}],
        "seats": [{"name": "dba", "skill": "dba"}],
    }
    made = rota.create_rotation(world.team, "Databases", settings, world.eva, world.now)
    assert not Shift.objects.filter(rotation=made, person__isnull=False).exists()
    Rotation.objects.exclude(pk=made.pk).delete()
    ben = Membership.objects.get(team=world.team, person=world.ben)
    teams.change_member(ben, {"role": "member", "skills": ["dba"]}, world.eva, world.now)
    assert set(Shift.objects.filter(rotation=made, starts_at__gt=world.now).values_list("person", flat=True)) == {
        world.ben.pk
    }


def test_a_policy_is_versioned_dated_and_says_who_and_why(world) -> None:
    """COM-10, GEN-01, PRI-10: today's rule may change, and it is known when, by whom and why it did."""
    new = {"rules": {"acknowledgement_expires": {"minutes": 60}}}
    adopted = teams.adopt_policy(world.team, new, world.eva, "we are fewer now", world.now)
    assert (adopted.version, adopted.adopted_by, adopted.why) == (2, world.eva, "we are fewer now")
    assert facts.policy_of(world.team)["rules"]["acknowledgement_expires"] == {"minutes": 60}
    assert Policy.objects.get(team=world.team, version=1).settings == {}
    newest = screen.versions_of(world.team)[0]
    assert [(c.name, c.before, c.after) for c in newest.changes] == [("acknowledgement expires › minutes", "", "60")]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"rules": {"no_such_rule": {}}}, "rules.no_such_rule"),
        ({"rules": {"acknowledgement_expires": {"minutes": -1}}}, "rules.acknowledgement_expires.minutes"),
        ({"rules": {"acknowledgement_expires": {"hours": 1}}}, "rules.acknowledgement_expires.hours"),
        ({"coverage": [{"weekdays": ["someday"], "start": "09:00", "end": "17:00"}]}, "coverage.0.weekdays.0"),
        ({"labels": {"engineer": "x" * 41}}, "labels"),
        ({"surprise": 1}, ""),
    ],
)
def test_a_policy_that_a_rule_would_not_accept_is_not_adopted(world, settings, field) -> None:
    with pytest.raises(Refused) as refusal:
        teams.adopt_policy(world.team, settings, world.eva, "because", world.now)
    assert refusal.value.field == field
    assert Policy.objects.filter(team=world.team).count() == 1


def test_a_policy_needs_a_reason_a_difference_and_an_owner(world) -> None:
    new = {"labels": {"engineer": "steward"}}
    with pytest.raises(Refused) as refusal:
        teams.adopt_policy(world.team, new, world.eva, "  ", world.now)
    assert refusal.value.field == "why"
    for name in ("ana", "olga", "charlie"):
        with pytest.raises(NotAllowed):
            teams.adopt_policy(world.team, new, world.people[name], "because", world.now)
    teams.adopt_policy(world.team, new, world.eva, "our word", world.now)
    with pytest.raises(Refused, match="nothing is different"):
        teams.adopt_policy(world.team, new, world.eva, "again", world.now)


SETTINGS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
POLICIES = st.dictionaries(st.text(min_size=1, max_size=4), SETTINGS, max_size=4)


@given(POLICIES, POLICIES)
def test_a_difference_is_empty_for_the_same_and_mirrored_for_the_reverse(before, after) -> None:
    assert changes_between(before, before) == []
    there = sorted((c.name, c.before, c.after) for c in changes_between(before, after))
    back = sorted((c.name, c.after, c.before) for c in changes_between(after, before))
    assert there == back


def test_a_ladder_is_versioned_and_a_climb_keeps_the_one_it_began_with(world) -> None:
    world.event()
    world.work()
    steps = [{"targets": [f"person:{world.eva.pk}"], "wait_minutes": 2, "when": {"weekdays": [], "in_coverage": None}}]
    changed = ladders.change_ladder(world.ladder, "Standard", steps, 2, world.eva, world.now)
    assert (changed.version, changed.repeat) == (2, 2)
    assert changed.steps == [{"targets": [f"person:{world.eva.pk}"], "wait_minutes": 2}]
    assert world.page().ladder["version"] == 1


def test_a_ladder_that_asks_nobody_or_a_stranger_is_refused(world) -> None:
    for steps in ([], [{"targets": []}], [{"targets": ["person:999999"]}], [{"targets": ["whoever"]}]):
        with pytest.raises(Refused) as refusal:
            ladders.add_ladder(world.team, "New", steps, 1, world.eva, world.now)
        assert refusal.value.field == "steps"
    theirs = [{"targets": [f"person:{world.charlie.pk}"]}]
    with pytest.raises(Refused, match="in a team of yours"):
        ladders.add_ladder(world.team, "New", theirs, 1, world.eva, world.now)
    # Whoever stands there already may stay.
    Ladder.objects.filter(pk=world.ladder.pk).update(steps=theirs)
    world.ladder.refresh_from_db()
    assert ladders.change_ladder(world.ladder, "Standard", theirs, 2, world.eva, world.now).version > 1
    with pytest.raises(Refused) as refusal:
        ladders.add_ladder(world.team, "Standard", [{"targets": ["team"]}], 1, world.eva, world.now)
    assert refusal.value.field == "name"


def test_a_ladder_that_a_service_pages_with_is_not_archived(world) -> None:
    with pytest.raises(Refused, match="checkout"):
        ladders.archive_ladder(world.ladder, world.eva, world.now)
    for name in ("ana", "olga", "charlie"):
        with pytest.raises(NotAllowed):
            ladders.archive_ladder(world.ladder, world.people[name], world.now)
    spare = ladders.add_ladder(world.team, "Spare", [{"targets": ["team"]}], 1, world.eva, world.now)
    ladders.archive_ladder(spare, world.eva, world.now)
    assert Ladder.objects.get(pk=spare.pk).archived_at == world.now


def lose_address(person: Person) -> None:
    ContactAddress.objects.filter(person=person).update(verified_at=None)


def test_who_is_on_watch_within_days_and_cannot_be_reached_is_found(world) -> None:
    assert reachability.reachability(world.team, world.now) == []
    lose_address(world.ben)
    [found] = reachability.reachability(world.team, world.now)
    assert (found.person, found.why) == (world.ben, "no verified contact address")
    assert found.shift.starts_at > world.now
    assert reachability.reachability(world.team, world.now, 3) == []
    assert [item.person for item in reachability.reachability(None, world.now, 7)] == [world.ben]


def test_an_address_that_failed_for_good_reaches_nobody(world) -> None:
    ContactAddress.objects.filter(person=world.ana).update(failed_at=world.now, failure="550 gone")
    assert [item.person for item in reachability.reachability(world.team, world.now)] == [world.ana]


def test_they_and_the_owners_hear_of_it_once_a_morning_and_it_stands_in_the_log(world) -> None:
    lose_address(world.ben)
    reachability.set_daily(world.team, world.now)
    world.forward(hours=1)
    assert world.mailbox.messages == []
    world.forward(hours=24)
    assert sorted(world.mailbox.readers()) == ["ben@example.org", "eva@example.org"]
    [told] = Event.objects.filter(team=world.team, kind="reachability.missing")
    assert "Ben is on watch as engineer" in told.why
    world.forward(hours=24)
    assert sorted(world.mailbox.readers()) == ["ben@example.org"] * 2 + ["eva@example.org"] * 2


def test_nobody_is_told_while_everybody_can_be_reached(world) -> None:
    reachability.set_daily(world.team, world.now)
    world.forward(days=3)
    assert Outgoing.objects.count() == 0
    assert timers.next_due() is not None


def test_mending_the_address_ends_it(world) -> None:
    lose_address(world.ben)
    reachability.set_daily(world.team, world.now)
    world.forward(hours=24)
    world.mailbox.clear()
    ContactAddress.objects.filter(person=world.ben).update(verified_at=world.now)
    world.forward(hours=24)
    assert world.mailbox.messages == []


@given(st.sampled_from(["UTC", "Europe/London", "Australia/Lord_Howe", "America/Santiago"]), st.integers(0, 500 * 24))
def test_the_next_morning_is_nine_on_the_wall_within_a_day_and_a_change_of_clock(zone, hours) -> None:
    now = TUESDAY_NINE + timedelta(hours=hours)
    at = next_morning(zone, now)
    assert now < at <= now + timedelta(hours=25)


def test_a_rung_for_a_severity_that_the_team_does_not_have_is_refused(world):
    """It would never count, and nobody would see that before the night on which it should have."""
    steps = [{"targets": ["team"], "wait_minutes": 5, "when": {"severities": ["crit"]}}]
    with pytest.raises(Refused, match="“crit” is no severity of Platform, which has critical, error") as refusal:
        ladders.add_ladder(world.team, "Nights", steps, 1, world.eva, world.now)
    assert refusal.value.field == "steps"
