"""The rota pages: who reads them, what they answer, overrides and absences by form."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.doors.rota_pages import as_, form_of, text_of, weekly
from watchbill.actions import rota
from watchbill.db.models import Absence, Override, Policy, Shift
from watchbill.entry import clock

pytestmark = pytest.mark.usefixtures("contexts")


@pytest.fixture
def world(world, monkeypatch):
    """The pages read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


@pytest.fixture
def rotation(world):
    return weekly(world)


def holder(rotation, at):
    return Shift.objects.get(rotation=rotation, starts_at__lte=at, ends_at__gt=at).person


PAGES = [
    "/rota/",
    "/rota/platform-weekly/",
    "/rota/platform-weekly/year/",
    "/rota/year/",
    "/rota/platform-weekly/take/",
]


@pytest.mark.parametrize("page", [*PAGES, "/me/absences/"])
def test_nobody_reads_a_rota_without_signing_in(world, rotation, page):
    response = as_(None).get(page)
    assert response.status_code == 302
    assert "login" in response["Location"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("who", ["ana", "ben", "eva", "olga"])
def test_everybody_in_the_team_reads_every_page(world, rotation, page, who):
    """ROT-03: the official list is there for all."""
    assert as_(getattr(world, who)).get(page).status_code == 200


def test_somebody_of_another_team_sees_nothing_of_it(world, rotation):
    charlie = as_(world.charlie)
    assert "Ana" not in charlie.get("/rota/").content.decode()
    for page in ("/rota/platform-weekly/", "/rota/platform-weekly/year/", "/rota/platform-weekly/take/"):
        response = charlie.get(page)
        assert response.status_code == 403
        assert "Ask Eva" in response.content.decode()


def test_the_first_sentence_says_whose_watch_it_is_and_when_mine_comes(world, rotation):
    mine = text_of(as_(world.ana).get("/rota/platform-weekly/"))
    assert "You are on watch for Platform until Monday 09:00." in mine
    others = text_of(as_(world.ben).get("/rota/platform-weekly/"))
    assert "Ana is on watch for Platform until Monday 09:00; you are next on Monday 09:00." in others


def test_a_turn_and_what_is_taken_right_after_it_are_one_watch(world, rotation):
    """Now, Rota and Me say the same end."""
    monday = Shift.objects.get(rotation=rotation, starts_at__lte=world.now, ends_at__gt=world.now).ends_at
    rota.add_override(rotation, world.ana, monday, monday + timedelta(hours=12), world.ana, world.now, why="swap")
    ana = as_(world.ana)
    assert "You are on watch for Platform until Monday 21:00." in text_of(ana.get("/rota/"))
    assert "You are on watch until Monday 21:00." in text_of(ana.get("/me/"))
    assert "You are on watch until Monday 21:00." in text_of(ana.get("/"))
    bens = text_of(as_(world.ben).get("/rota/"))
    assert "Ana is on watch for Platform until Monday 21:00; you are next on Monday 21:00." in bens


def test_the_first_sentence_says_that_nobody_is_on_watch_and_who_follows(world):
    """ROT-07, ROT-08: coverage may be partial, and then the page says so."""
    hours = [{"weekdays": [0, 1, 2, 3, 4], "start": "08:00", "end": "18:00"}]
    weekly(world, coverage=hours)
    world.now = datetime(2026, 3, 7, 12, tzinfo=UTC)
    page = text_of(as_(world.olga).get("/rota/platform-weekly/"))
    assert "Nobody is on watch for Platform now; Ana takes over Monday 08:00" in page
    assert "Covers Monday to Friday 08:00–18:00" in page


def test_the_page_shows_a_tick_per_person_served(world, rotation):
    """ROT-05: progress through the cycle is visible."""
    world.forward(weeks=1)
    page = text_of(as_(world.olga).get("/rota/platform-weekly/"))
    assert "ServedAna" in page
    assert "Has it nowBen" in page
    assert "WaitingEva" in page


def test_four_weeks_are_linked_earlier_and_later_and_days_are_the_readers(world, rotation):
    world.ana.zone = "Asia/Tokyo"
    world.ana.save()
    page = as_(world.ana).get("/rota/?from=2026-03-16").content.decode()
    assert "?from=2026-02-16" in page
    assert "?from=2026-04-13" in page
    assert "Mon 16 Mar 18:00" in page, "09:00 in London is 18:00 in Tokyo"
    assert "Mon 16 Mar 09:00 – Mon 23 Mar 09:00 UTC" in page, "the team's zone is on hover"


def test_an_address_with_nonsense_shows_this_week(world, rotation):
    for asked in ("yesterday", "0001-01-01", "9999-12-31"):
        assert "2 Mar to 29 Mar 2026" in text_of(as_(world.ana).get(f"/rota/?from={asked}"))
        assert as_(world.ana).get(f"/rota/platform-weekly/year/?from={asked}").status_code == 200


def test_a_seat_has_the_name_that_the_team_gave_it(world, rotation):
    Policy.objects.filter(team=world.team).update(settings={"labels": {"primary": "Duty engineer"}})
    assert "Duty engineer" in text_of(as_(world.ana).get("/rota/"))


def test_a_gap_is_named_and_can_be_taken(world):
    rotation = weekly(world, seats=[{"name": "dba", "skill": "dba"}])
    page = as_(world.ana).get("/rota/platform-weekly/").content.decode()
    assert "shift gap" in page
    assert "no member has the skill dba" in page
    assert Shift.objects.filter(rotation=rotation, person=None).exists()


def test_a_year_counts_turns_and_days_and_names_holidays_and_absences(world, rotation):
    """ROT-06, ROT-18: whether everybody has turns, and how much of it, is there to be read."""
    world.team.holiday_country, world.team.holiday_subdivision = "GB", "ENG"
    world.team.save()
    rota.add_absence(world.ben, date(2026, 5, 4), date(2026, 5, 8), world.ben, world.now)
    page = text_of(as_(world.olga).get("/rota/platform-weekly/year/?from=2026-03"))
    assert "Fri 3 Good Friday" in page
    assert "Ben 4–8 away" in page
    response = as_(world.olga).get("/rota/platform-weekly/year/?from=2026-03")
    shares = {share.name: share for share in response.context["year"].shares}
    assert set(shares) == {"Ana", "Ben", "Eva"}
    hours = sum(share.hours for share in shares.values())
    rows = Shift.objects.filter(rotation=rotation, starts_at__lt=datetime(2027, 3, 1, tzinfo=UTC))
    true = sum((min(row.ends_at, datetime(2027, 3, 1, tzinfo=UTC)) - row.starts_at).total_seconds() for row in rows)
    assert abs(hours - true / 3600) <= 2
    assert max(share.turns for share in shares.values()) - min(share.turns for share in shares.values()) <= 1


def test_a_member_takes_a_watch_from_the_prefilled_form_and_takes_it_back(world, rotation):
    ben = as_(world.ben)
    shift = Shift.objects.get(rotation=rotation, person=world.eva, starts_at__lt=world.now + timedelta(weeks=3))
    asked = {"seat": "primary", "from": shift.starts_at.isoformat(), "to": shift.ends_at.isoformat()}
    page = ben.get("/rota/platform-weekly/take/", asked)
    assert "Eva stands the watch as primary from Mon 16 Mar 09:00." in text_of(page)
    assert "turn 3 of 3 in cycle 1" in text_of(page)
    form = form_of(page)
    assert (form["start"], form["end"]) == (["2026-03-16T09:00"], ["2026-03-23T09:00"])
    assert ben.post("/rota/platform-weekly/take/", form).status_code == 302
    assert holder(rotation, shift.starts_at) == world.ben
    assert "Ben takes primary" in text_of(ben.get("/rota/platform-weekly/"))
    override = Override.objects.get()
    ben.post(f"/rota/platform-weekly/overrides/{override.pk}/remove/")
    assert holder(rotation, shift.starts_at) == world.eva


def test_the_form_shows_whom_it_moves_before_it_writes_anything(world, rotation):
    form = {"person": world.ben.pk, "seat": "primary", "start": "2026-03-18T09:00", "end": "2026-03-18T21:00"}
    page = as_(world.ben).post("/rota/platform-weekly/take/", {**form, "show": "1"})
    assert "Ben instead of Eva" in text_of(page)
    assert not Override.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"end": "2026-03-17T09:00"}, "end"),
        ({"start": "2026-02-01T09:00", "end": "2026-02-02T09:00"}, "end"),
        ({"start": "soon"}, "start"),
        ({"end": "9999-12-31T23:59"}, "end"),
        ({"seat": "cook"}, "seat"),
    ],
)
def test_what_is_wrong_is_shown_at_its_field_and_what_was_typed_stays(world, rotation, change, field):
    form = {"person": world.ben.pk, "seat": "primary", "start": "2026-03-18T09:00", "end": "2026-03-18T21:00"}
    page = as_(world.ben).post("/rota/platform-weekly/take/", {**form, **change, "why": "to see the play"})
    assert page.status_code == 200
    assert page.context["form"].errors.get(field)
    assert "to see the play" in page.content.decode()
    assert not Override.objects.exists()


def test_a_member_cannot_give_somebody_elses_watch_away_but_an_owner_can(world, rotation):
    form = {"person": world.ana.pk, "seat": "primary", "start": "2026-03-18T09:00", "end": "2026-03-18T21:00"}
    refused = as_(world.ben).post("/rota/platform-weekly/take/", form)
    assert refused.context["form"].errors["person"]
    assert not Override.objects.exists()
    assert as_(world.eva).post("/rota/platform-weekly/take/", form).status_code == 302
    assert holder(rotation, datetime(2026, 3, 18, 12, tzinfo=UTC)) == world.ana


def test_an_observer_reads_why_but_has_no_form(world, rotation):
    asked = "?seat=primary&from=2026-03-16T09:00:00%2B00:00&to=2026-03-23T09:00:00%2B00:00"
    olga = as_(world.olga)
    page = olga.get(f"/rota/platform-weekly/take/{asked}")
    assert "turn 3 of 3" in text_of(page)
    assert "<form" not in page.content.decode()
    form = {"person": world.olga.pk, "seat": "primary", "start": "2026-03-18T09:00", "end": "2026-03-18T21:00"}
    olga.post("/rota/platform-weekly/take/", form)
    assert not Override.objects.exists()
    assert olga.get("/rota/platform-weekly/edit/").status_code == 403
    assert olga.post("/rota/platform-weekly/archive/").status_code == 403
    assert "Change the rotation" not in olga.get("/rota/platform-weekly/").content.decode()


def test_a_watch_taken_in_the_hour_that_happens_twice_is_read_by_the_one_rule(world, rotation):
    """A start takes the first occurrence of 01:30 on 25 October 2026 in London, an end the last."""
    world.ben.zone = "Europe/London"
    world.ben.save()
    form = {"person": world.ben.pk, "seat": "primary", "start": "2026-10-25T01:30", "end": "2026-10-25T01:30"}
    as_(world.ben).post("/rota/platform-weekly/take/", form)
    override = Override.objects.get()
    assert override.starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert override.ends_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_an_absence_shows_which_shifts_move_to_whom_and_is_saved_only_then(world, rotation):
    """ROT-19: the process works when people are missing."""
    ben = as_(world.ben)
    form = {
        "person": world.ben.pk,
        "first_day": "2026-03-09",
        "last_day": "2026-03-16",
        "kind": "vacation",
        "why": "fells",
    }
    page = ben.post("/me/absences/", form)
    assert "Eva instead of Ben" in text_of(page)
    assert not Absence.objects.exists()
    sent = form_of(page)
    assert ben.post("/me/absences/", sent).status_code == 302
    absence = Absence.objects.get()
    assert (absence.first_day, absence.last_day, absence.why) == (date(2026, 3, 9), date(2026, 3, 16), "fells")
    assert holder(rotation, datetime(2026, 3, 11, 12, tzinfo=UTC)) == world.eva
    ben.post(f"/me/absences/{absence.pk}/remove/")
    assert holder(rotation, datetime(2026, 3, 11, 12, tzinfo=UTC)) == world.ben


def test_days_changed_after_they_were_shown_are_shown_again(world, rotation):
    ben = as_(world.ben)
    form = {"person": world.ben.pk, "first_day": "2026-03-09", "last_day": "2026-03-16", "kind": "away"}
    sent = form_of(ben.post("/me/absences/", form))
    ben.post("/me/absences/", {**sent, "last_day": ["2026-03-30"]})
    assert not Absence.objects.exists()


def test_an_absence_that_ends_before_it_begins_is_refused_at_its_field(world, rotation):
    form = {"person": world.ben.pk, "first_day": "2026-03-16", "last_day": "2026-03-09", "kind": "away"}
    page = as_(world.ben).post("/me/absences/", form)
    assert page.context["form"].errors["last_day"]


def test_an_owner_says_it_for_a_member_and_a_member_only_for_themselves(world, rotation):
    form = {"person": world.ana.pk, "first_day": "2026-03-16", "last_day": "2026-03-16", "kind": "sick"}
    eva = as_(world.eva)
    assert eva.post("/me/absences/", form_of(eva.post("/me/absences/", form))).status_code == 302
    absence = Absence.objects.get()
    assert (absence.person, absence.created_by) == (world.ana, world.eva)
    assert as_(world.ben).post("/me/absences/", form).context["form"].errors["person"]
    assert as_(world.charlie).post(f"/me/absences/{absence.pk}/remove/").status_code == 403
    assert "Ana" not in text_of(as_(world.charlie).get("/me/absences/"))


def test_a_rotation_out_of_use_leaves_the_rota_and_keeps_its_history(world, rotation):
    world.forward(hours=1)
    assert as_(world.eva).post("/rota/platform-weekly/archive/").status_code == 302
    shown = [standing.rotation for standing, _ in as_(world.ana).get("/rota/").context["sections"]]
    assert shown == [world.rotation]
    assert as_(world.ana).get("/rota/platform-weekly/").status_code == 200
    assert Shift.objects.filter(rotation=rotation, ends_at__lte=world.now).exists()


def test_the_rota_of_many_rotations_costs_no_more_queries_than_that_of_one(world, rotation):
    def queries() -> int:
        ana = as_(world.ana)
        ana.get("/rota/")
        with CaptureQueriesContext(connection) as asked:
            ana.get("/rota/")
        return len(asked)

    before = queries()
    for _ in range(4):
        weekly(world)
    assert queries() == before
    assert before <= 16
