"""Rotations through their actions: what is published, what an override or an absence moves, what never changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from watchbill import presets
from watchbill.actions import rota, teams
from watchbill.db import facts
from watchbill.db.models import Membership, Shift
from watchbill.kit.errors import NotAllowed, Refused

WEEKLY = {
    "zone": "Europe/London",
    "unit": "week",
    "handoff_at": "09:00",
    "handoff_weekday": 0,
    "starts_on": "2026-03-02",
    "seats": [{"name": "primary"}],
}


@pytest.fixture
def weekly(world):
    """Ana, Ben and Eva take a week each from Monday 2 March 2026, 09:00 London."""
    members = [{"person": person.pk} for person in (world.ana, world.ben, world.eva)]
    return rota.create_rotation(world.team, "Weekly", {**WEEKLY, "members": members}, world.eva, world.now)


def on_watch(world, rotation, at):
    return [shift.person for shift in Shift.objects.filter(rotation=rotation, starts_at__lte=at, ends_at__gt=at)]


def test_a_rotation_is_published_for_more_than_a_year(world, weekly):
    """ROT-03: the list of who is in the rotation, and when, is maintained by itself."""
    last = Shift.objects.filter(rotation=weekly).order_by("-ends_at").first()
    assert last.ends_at > world.now + timedelta(days=365)
    assert on_watch(world, weekly, world.now) == [world.ana]
    assert on_watch(world, weekly, world.now + timedelta(weeks=1)) == [world.ben]


def test_a_handoff_keeps_its_wall_clock_time_across_the_change_of_clock(world, weekly):
    starts = set(Shift.objects.filter(rotation=weekly, starts_at__gt=world.now).values_list("starts_at", flat=True)[:8])
    assert datetime(2026, 3, 23, 9, tzinfo=UTC) in starts
    assert datetime(2026, 3, 30, 8, tzinfo=UTC) in starts, "09:00 in London is 08:00 UTC in summer"


def test_an_absence_gives_the_turn_to_the_next_and_nothing_served_changes(world, weekly):
    before = list(
        Shift.objects.filter(rotation=weekly, starts_at__lte=world.now).values_list("pk", "person", "starts_at")
    )
    rota.add_absence(world.ben, date(2026, 3, 9), date(2026, 3, 16), world.ben, world.now, why="holiday")
    at = datetime(2026, 3, 11, 12, tzinfo=UTC)
    assert on_watch(world, weekly, at) != [world.ben]
    assert on_watch(world, weekly, at) != []
    after = list(
        Shift.objects.filter(rotation=weekly, starts_at__lte=world.now).values_list("pk", "person", "starts_at")
    )
    assert before == after


def test_an_override_takes_part_of_a_shift_and_another_on_top_of_it_wins(world, weekly):
    """Overrides of a part, also on top of overrides."""
    wednesday = datetime(2026, 3, 4, 9, tzinfo=UTC)
    rota.add_override(weekly, world.ben, wednesday, wednesday + timedelta(days=1), world.ben, world.now, why="swap")
    rota.add_override(
        weekly,
        world.eva,
        wednesday + timedelta(hours=3),
        wednesday + timedelta(hours=5),
        world.eva,
        world.now + timedelta(minutes=1),
    )
    seen = [on_watch(world, weekly, wednesday + timedelta(hours=h))[0] for h in (-1, 1, 4, 6, 25)]
    assert seen == [world.ana, world.ben, world.eva, world.ben, world.ana]


def test_an_override_that_begins_now_cuts_the_running_shift_and_keeps_its_past(world, weekly):
    world.forward(hours=3)
    rota.add_override(weekly, world.ben, world.now, world.now + timedelta(hours=2), world.ben, world.now)
    first = Shift.objects.filter(rotation=weekly).order_by("starts_at").first()
    assert (first.person, first.ends_at) == (world.ana, world.now)
    assert on_watch(world, weekly, world.now) == [world.ben]
    assert on_watch(world, weekly, world.now + timedelta(hours=2)) == [world.ana]


def test_taking_an_override_back_restores_the_plan(world, weekly):
    start = world.now + timedelta(days=1)
    override = rota.add_override(weekly, world.ben, start, start + timedelta(days=1), world.ben, world.now)
    rota.remove_override(override, world.ben, world.now)
    assert on_watch(world, weekly, start + timedelta(hours=1)) == [world.ana]


def test_what_has_passed_cannot_be_overridden(world, weekly):
    with pytest.raises(Refused, match="does not change"):
        rota.add_override(
            weekly, world.ben, world.now - timedelta(days=2), world.now - timedelta(days=1), world.ben, world.now
        )


def test_publishing_again_and_again_changes_nothing(world, weekly):
    until = world.now + timedelta(days=300)

    def rows():
        return list(
            Shift.objects.filter(rotation=weekly, ends_at__lt=until)
            .order_by("starts_at")
            .values_list("seat", "person", "starts_at", "ends_at")
        )

    before = rows()
    world.forward(days=10)
    after = rows()
    assert len(after) > 40
    assert [row for row in after if row[2] <= world.now] == [row for row in before if row[2] <= world.now]
    assert after == before


def test_an_edit_shows_first_whom_it_moves_and_then_moves_only_what_lies_ahead(world, weekly):
    settings = {**WEEKLY, "members": [{"person": person.pk} for person in (world.ana, world.eva)]}
    preview = rota.preview_change(weekly, settings, world.now)
    assert any(move.before == world.ben.pk for move in preview.moves)
    assert on_watch(world, weekly, world.now + timedelta(weeks=1)) == [world.ben], "a preview moves nobody"
    rota.change_rotation(weekly, settings, "Ben leaves the rotation", world.eva, world.now)
    assert on_watch(world, weekly, world.now) == [world.ana]
    assert on_watch(world, weekly, world.now + timedelta(weeks=1)) == [world.eva]
    assert weekly.revisions.count() == 2


def test_the_page_goes_to_whoever_the_published_row_names(world, weekly):
    """One question, one calculator: the engine reads what the calendar shows."""
    reach = facts.moment_of(world.team, {}, world.now).reach
    assert reach["seat:primary"].people == (world.ana.pk,)
    assert reach["next:primary"].people == (world.ben.pk,)


def test_a_member_may_take_a_watch_but_not_give_somebody_elses_away(world, weekly):
    start = world.now + timedelta(days=1)
    with pytest.raises(NotAllowed, match="You may take a watch"):
        rota.add_override(weekly, world.ana, start, start + timedelta(days=1), world.ben, world.now)


@pytest.mark.parametrize("who", ["charlie", "olga"])
def test_strangers_and_observers_change_nothing(world, weekly, who):
    somebody = getattr(world, who)
    start = world.now + timedelta(days=1)
    with pytest.raises(NotAllowed):
        rota.add_override(weekly, somebody, start, start + timedelta(days=1), somebody, world.now)
    with pytest.raises(NotAllowed):
        rota.change_rotation(weekly, {**WEEKLY, "members": []}, "", somebody, world.now)
    with pytest.raises(NotAllowed):
        rota.add_absence(world.ana, date(2026, 3, 9), date(2026, 3, 10), somebody, world.now)


def test_two_seats_of_different_skills_are_filled_by_those_who_have_them(world):
    """ROT-09: two named duty seats of different skills."""
    Membership.objects.filter(person=world.eva).update(skills=["dba"])
    settings = {
        **WEEKLY,
        "unit": "working_day",
        "seats": [{"name": "engineer2"}, {"name": "dba", "skill": "dba"}],
        "members": [{"person": person.pk} for person in (world.ana, world.ben, world.eva)],
    }
    rotation = rota.create_rotation(world.team, "Two seats", settings, world.eva, world.now)
    dbas = set(
        Shift.objects.filter(rotation=rotation, seat="dba").exclude(person=None).values_list("person", flat=True)
    )
    assert dbas == {world.eva.pk}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"unit": "fortnight"}, "unit"),
        ({"seats": []}, "seats"),
        ({"handoff_at": "25:00"}, "handoff_at"),
    ],
)
def test_settings_that_are_wrong_are_refused_at_their_field_and_nothing_is_written(world, change, field):
    settings = {**WEEKLY, "members": [{"person": world.ana.pk}], **change}
    with pytest.raises(Refused) as refusal:
        rota.create_rotation(world.team, "Wrong", settings, world.eva, world.now)
    assert field in refusal.value.field
    assert not world.team.rotations.filter(name="Wrong").exists()


@pytest.mark.parametrize("preset", sorted(presets.all_presets()))
def test_a_team_made_from_a_preset_has_somebody_on_watch_from_the_first_minute(world, preset):
    """ROT-06, GEN-01: a new team picks a preset and gets its rotation, its seats and its ladder."""
    world.eva.is_superuser = True
    world.eva.save()
    noon = world.now + timedelta(hours=3)
    team = teams.create_team("New", "UTC", preset, world.eva, noon, members=[world.ana, world.ben])
    standing = facts.shifts_now(team, noon)
    assert standing
    assert all(shift.person is not None for shift in standing)
    assert team.ladders.count() == 1
