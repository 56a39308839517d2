"""The sheet of a rotation's settings: every setting, two steps, rows by buttons, nothing typed is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.doors.rota_pages import as_, form_of, text_of, weekly
from watchbill import presets
from watchbill.actions import rota
from watchbill.db import rota_facts
from watchbill.db.models import Event, Membership, Rotation, Shift
from watchbill.entry import clock
from watchbill.entry.web.rota_sheet import read_post, read_settings

EDIT = "/rota/platform-weekly/edit/"
NEW = "/teams/platform/rotations/new/"

pytestmark = pytest.mark.usefixtures("contexts")


@pytest.fixture
def world(world, monkeypatch):
    """The pages read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


@pytest.fixture
def rotation(world):
    return weekly(world)


@pytest.fixture
def eva(world, rotation):
    return as_(world.eva)


def settings_of(rotation):
    return rota_facts.newest_revision(rotation).settings


def press(client, address, form, button, **changes):
    return client.post(address, {**form, **changes, "do": button})


def test_a_change_is_shown_with_every_move_and_adopted_with_its_reason(world, rotation, eva):
    """An edit shows whom it moves before it is adopted; ROT-02: the reason is kept."""
    form = form_of(eva.get(EDIT))
    shown = press(eva, EDIT, form_of(press(eva, EDIT, form, "remove members.1")), "show")
    page = text_of(shown)
    assert "Eva instead of Ben" in page
    assert f"It moves {len(shown.context['moved'])} watches in the next 90 days" in page
    assert "As it would be" in page
    assert rotation.revisions.count() == 1, "a preview moves nobody"
    sent = form_of(shown)
    assert press(eva, EDIT, sent, "adopt", why="Ben changes teams").status_code == 302
    assert [member["person"] for member in settings_of(rotation)["members"]] == [world.ana.pk, world.eva.pk]
    assert "Version 2: Ben changes teams" in text_of(eva.get("/rota/platform-weekly/"))
    assert not Shift.objects.filter(rotation=rotation, starts_at__gt=world.now, person=world.ben).exists()


def test_nothing_is_adopted_that_was_not_shown(world, rotation, eva):
    sent = form_of(press(eva, EDIT, form_of(eva.get(EDIT)), "show"))
    page = press(eva, EDIT, {**sent, "every": "2"}, "adopt")
    assert "Something changed since you looked" in text_of(page)
    assert rotation.revisions.count() == 1


def test_what_somebody_else_adopted_meanwhile_is_not_overwritten_unseen(world, rotation, eva):
    sent = form_of(press(eva, EDIT, form_of(eva.get(EDIT)), "show"))
    world.forward(minutes=1)
    rota.change_rotation(rotation, {**settings_of(rotation), "every": 3}, "meanwhile", world.eva, world.now)
    page = press(eva, EDIT, sent, "adopt")
    assert "Something changed since you looked" in text_of(page)
    assert rotation.revisions.count() == 2


def test_an_owner_renames_it_and_every_link_stays(world, rotation, eva):
    assert "Its name" in text_of(eva.get(EDIT))
    assert eva.post("/rota/platform-weekly/rename/", {"name": "  Night   watch "}).status_code == 302
    assert "Night watch" in text_of(eva.get("/rota/platform-weekly/"))
    line = Event.objects.get(kind="rotation.renamed")
    assert (line.actor, line.why) == (world.eva, "Eva renamed it from Weekly to Night watch")
    assert "This field is required" in text_of(eva.post("/rota/platform-weekly/rename/", {"name": " "}))
    refused = as_(world.ana).post("/rota/platform-weekly/rename/", {"name": "Mine"})
    assert refused.status_code == 403
    assert Rotation.objects.get(pk=rotation.pk).name == "Night watch"


EVERYTHING = {
    "zone": "America/New_York",
    "unit": "working_day",
    "every": 2,
    "starts_on": "2026-03-02",
    "handoff_at": "08:30",
    "handoff_weekday": 2,
    "coverage": [
        {"weekdays": [0, 1, 2, 3], "start": "08:00", "end": "18:00"},
        {"weekdays": [4], "start": "08:00", "end": "00:00"},
    ],
    "seats": [
        {"name": "engineer", "skill": None, "offset": 0, "coverage": None},
        {
            "name": "evening",
            "skill": "night owl",
            "offset": 1,
            "coverage": [{"weekdays": [0, 4], "start": "17:00", "end": "22:00"}],
        },
        {"name": "trial", "skill": None, "offset": 0, "coverage": []},
    ],
    "order": "reshuffle_each_cycle",
    "seed": 4711,
    "follow_holidays": True,
    "own_holidays": True,
    "absent_keeps_turn": False,
}


def test_every_setting_survives_being_opened_and_sent_back(world, eva):
    """ROT-04, ROT-08, ROT-09, ROT-10, ROT-12: order, hours, seats with skills and hours of their own."""
    members = [
        {"person": world.ben.pk, "active_from": "2026-03-09", "active_until": "2026-09-30"},
        {"person": world.ana.pk},
    ]
    wanted = {**EVERYTHING, "members": members}
    rotation = rota.create_rotation(world.team, "All", wanted, world.eva, world.now)
    sent = form_of(press(eva, "/rota/platform-all/edit/", form_of(eva.get("/rota/platform-all/edit/")), "show"))
    assert press(eva, "/rota/platform-all/edit/", sent, "adopt", why="the same").status_code == 302
    assert settings_of(rotation) == wanted


@pytest.mark.parametrize("name", list(presets.all_presets()))
def test_a_preset_becomes_a_rotation_by_two_presses(world, eva, name):
    """GEN-01 begins here: the presets' rotations are made through the same sheet."""
    Membership.objects.filter(team=world.team).update(skills=["engineer", "dba"])
    address = f"{NEW}?preset={name}.0"
    shown = press(eva, address, form_of(eva.get(address)), "show")
    assert "These would be its first weeks" in text_of(shown)
    made = press(eva, address, form_of(shown), "adopt")
    assert made.status_code == 302
    rotation = Rotation.objects.latest("id")
    wanted = presets.load(name).rotations[0]
    assert rotation.name == wanted["name"]
    stored = settings_of(rotation)
    assert {key: stored[key] for key in wanted if key != "name"} == {k: v for k, v in wanted.items() if k != "name"}
    assert Shift.objects.filter(rotation=rotation, starts_at__gt=world.now + timedelta(days=300)).exists()


def test_a_rotation_from_scratch_needs_a_name(world, eva):
    address = f"{NEW}?preset=scratch"
    shown = press(eva, address, form_of(eva.get(address)), "show")
    assert shown.context["named"].errors["name"]
    shown = press(eva, address, form_of(shown), "show", name="Fire watch")
    assert press(eva, address, form_of(shown), "adopt").status_code == 302
    assert Rotation.objects.latest("id").name == "Fire watch"


def test_rows_are_added_moved_and_removed_by_buttons_and_nothing_typed_is_lost(world, rotation, eva):
    page = press(eva, EDIT, form_of(eva.get(EDIT)), "add seats", every="soon", **{"seats-0-name": "first"})
    assert 'value="soon"' in page.content.decode()
    page = press(eva, EDIT, form_of(page), "add seats.1.coverage", **{"seats-1-name": "late"})
    page = press(eva, EDIT, form_of(page), "add coverage")
    page = press(eva, EDIT, form_of(page), "down members.0")
    form = form_of(page)
    assert (form["seats-0-name"], form["seats-1-name"], form["every"]) == (["first"], ["late"], ["soon"])
    assert form["seats-1-hours"] == form["hours"] == ["windows"]
    assert form["coverage-0-weekdays"] == ["0", "1", "2", "3", "4"]
    assert [form[f"members-{n}-person"][0] for n in range(3)] == [str(p.pk) for p in (world.ben, world.ana, world.eva)]
    page = press(eva, EDIT, form_of(page), "remove seats.0")
    assert form_of(page)["seats-0-name"] == ["late"]
    assert "seats-1-name" not in form_of(page)
    page = press(eva, EDIT, form_of(page), "remove members.0")
    page = press(eva, EDIT, form_of(page), "add members", added=str(world.ben.pk))
    assert form_of(page)["members-2-person"] == [str(world.ben.pk)]


@pytest.mark.parametrize(
    "button", ["remove seats.9", "up members.-1", "add seats.7.coverage", "add x", "remove", "down y.z"]
)
def test_a_button_that_points_nowhere_does_nothing(world, rotation, eva, button):
    form = form_of(eva.get(EDIT))
    assert form_of(press(eva, EDIT, form, button)) == form


def test_the_shuffle_shows_its_number_and_can_be_drawn_again(world, rotation, eva):
    """ROT-04: the order is reshuffled, with a stored seed."""
    form = form_of(eva.get(EDIT))
    again = form_of(press(eva, EDIT, form, "reshuffle"))
    assert again["seed"] != form["seed"]
    page = press(eva, EDIT, again, "up members.1")
    assert form_of(page)["seed"] == again["seed"]
    assert f"The shuffle is number {again['seed'][0]}" in text_of(page)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"handoff_at": "25:00"}, ("", "handoff_at")),
        ({"starts_on": "30 February"}, ("", "starts_on")),
        ({"every": "0"}, ("", "every")),
        ({"zone": "Mars/Olympus"}, ("", "zone")),
        ({"seats-1-coverage-0-start": "noon"}, ("seats-1-coverage-0", "start")),
        ({"seats-1-coverage-0-weekdays": []}, ("seats-1-coverage-0", "weekdays")),
        ({"coverage-0-end": "26:00"}, ("coverage-0", "end")),
        ({"seats-1-name": "engineer"}, ("seats-1", "name")),
        ({"seats-1-name": ""}, ("seats-1", "name")),
        (
            {"members-0-active_from": "2026-05-01", "members-0-active_until": "2026-04-01"},
            ("members-0", "active_until"),
        ),
        ({"members-1-active_from": "someday"}, ("members-1", "active_from")),
    ],
)
def test_a_mistake_is_shown_at_its_field_however_deep_and_the_rest_stays(world, eva, changes, place):
    members = [{"person": world.ben.pk}, {"person": world.ana.pk}]
    rota.create_rotation(world.team, "Deep", {**EVERYTHING, "members": members}, world.eva, world.now)
    address = "/rota/platform-deep/edit/"
    page = press(eva, address, {**form_of(eva.get(address)), **changes}, "adopt", why="typed before")
    prefix, field = place
    assert page.status_code == 200
    assert page.context["sheet"].forms()[prefix].errors.get(field), {
        name: form.errors for name, form in page.context["sheet"].forms().items() if form.errors
    }
    kept = form_of(page)
    for name, typed in changes.items():
        if typed and name != "zone":
            assert kept[name] == [typed]


def test_a_rotation_without_seats_is_refused_in_words(world, rotation, eva):
    page = press(eva, EDIT, form_of(eva.get(EDIT)), "remove seats.0")
    page = press(eva, EDIT, form_of(page), "show")
    assert "at least one seat" in text_of(page)


def test_hours_without_any_hour_are_refused(world, rotation, eva):
    page = press(eva, EDIT, form_of(eva.get(EDIT)), "show", hours="windows")
    assert page.context["sheet"].plan.errors["hours"]


@pytest.mark.parametrize(("who", "status"), [("ana", 403), ("olga", 403), ("charlie", 403), (None, 302)])
def test_only_an_owner_changes_or_makes_a_rotation(world, rotation, who, status):
    client = as_(getattr(world, who) if who else None)
    for address in (EDIT, NEW, f"{NEW}?preset=scratch"):
        assert client.get(address).status_code == status
        assert client.post(address, {"do": "adopt"}).status_code == status
    assert rotation.revisions.count() == 1


def test_a_form_that_was_cut_short_is_answered_with_what_is_missing(world, rotation, eva):
    page = eva.post(EDIT, {"do": "adopt"})
    assert page.status_code == 200
    assert page.context["sheet"].plan.errors["zone"]
    assert rotation.revisions.count() == 1


def test_the_sheet_reads_nothing_that_a_browser_did_not_send(rf):
    typed = read_post(rf.post("/", {"seats-0-name": "a", "seats-2-name": "c"}).POST)
    assert [seat["name"] for seat in typed["seats"]] == ["a"]
    assert typed["members"] == []


def test_days_that_were_stored_by_name_are_shown_as_days(world):
    stored = {
        "zone": "UTC",
        "unit": "week",
        "starts_on": "2026-03-02",
        "seats": [{"name": "a"}],
        "coverage": [{"weekdays": ["monday", "fri"], "start": "09:00", "end": "17:00"}],
    }
    assert read_settings(stored)["coverage"][0]["weekdays"] == [0, 4]
