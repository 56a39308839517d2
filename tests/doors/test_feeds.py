"""Calendar feeds read back with a calendar library: the same who(t) as the rows, no sign-in, revocable."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
import recurring_ical_events
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar

from tests.doors.rota_pages import as_, text_of, weekly
from watchbill.actions import rota, tokens
from watchbill.db.models import Membership, Rotation, Shift
from watchbill.entry import clock
from watchbill.entry.web.feed_urls import feed_url


@pytest.fixture
def world(world, monkeypatch):
    """The feeds read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


@pytest.fixture
def rotation(world):
    return weekly(world)


def address(kind, owner):
    version = owner.team.feed_version if isinstance(owner, Rotation) else owner.feed_version
    return feed_url(kind, owner.pk, version).removeprefix(settings.WATCHBILL_URL)


def read(kind, owner):
    response = Client().get(address(kind, owner))
    assert response.status_code == 200
    return Calendar.from_ical(response.content)


def events_of(calendar):
    return list(calendar.walk("VEVENT"))


def occurrences(calendar, world):
    """What a calendar program would show over the year to come."""
    return [
        (event["DTSTART"].dt, event["DTEND"].dt, str(event["SUMMARY"]))
        for event in recurring_ical_events.of(calendar).between(world.now, world.now + timedelta(days=366))
    ]


def instants(world):
    """Random ones over a year, and every hour around both changes of clock in London."""
    dice = random.Random(7)
    hours = 365 * 24
    some = [world.now + timedelta(minutes=dice.randrange(hours * 60)) for _ in range(60)]
    changes = (datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC))
    return some + [start + timedelta(hours=hour) for start in changes for hour in range(40)]


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Santiago"])
def test_who_is_on_watch_is_the_same_in_the_calendar_and_in_the_rows(world, zone):
    """One question, one calculator: at any instant, across both changes of clock (ROT-09, ROT-12)."""
    Membership.objects.filter(person__in=[world.ben, world.eva]).update(skills=["dba"])
    rotation = weekly(
        world,
        zone=zone,
        unit="day",
        handoff_at="01:30",
        order="reshuffle_each_cycle",
        seats=[
            {"name": "engineer"},
            {"name": "dba", "skill": "dba"},
            {"name": "late", "coverage": [{"weekdays": [0, 5, 6], "start": "22:00", "end": "02:30"}]},
        ],
    )
    start = world.now + timedelta(days=25, hours=6)
    rota.add_override(rotation, world.ben, start, start + timedelta(hours=9), world.eva, world.now, seat="engineer")
    shown = occurrences(read("rotation", rotation), world)
    rows = list(Shift.objects.filter(rotation=rotation).select_related("person"))
    for instant in instants(world):
        standing = [row for row in rows if row.starts_at <= instant < row.ends_at]
        expected = sorted(f"{row.person or 'Nobody'}: {row.seat} (Platform)" for row in standing)
        assert sorted(said for start, end, said in shown if start <= instant < end) == expected, instant


def test_a_personal_feed_has_my_shifts_alone_and_says_why(world, rotation):
    world.rotation.shifts.all().delete()
    calendar = read("person", world.ben)
    mine = list(Shift.objects.filter(person=world.ben).order_by("starts_at"))
    events = sorted(events_of(calendar), key=lambda event: event["DTSTART"].dt)
    assert 0 < len(events) <= len(mine)
    assert [event["DTSTART"].dt for event in events] == [shift.starts_at for shift in mine[: len(events)]]
    assert {str(event["SUMMARY"]) for event in events} == {"On watch: primary (Platform)"}
    assert "turn 2 of 3 in cycle 1" in str(events[0]["DESCRIPTION"])
    assert events[-1]["DTSTART"].dt > world.now + timedelta(days=330), "a year ahead"


def test_a_feed_goes_back_thirty_days_and_no_further(world, rotation):
    world.forward(days=45)
    starts = [event["DTEND"].dt for event in events_of(read("rotation", rotation))]
    assert min(starts) > world.now - timedelta(days=30)
    assert min(starts) < world.now - timedelta(days=14)


def test_a_teams_feed_names_its_gaps(world):
    weekly(world, seats=[{"name": "dba", "skill": "dba"}])
    said = {str(event["SUMMARY"]) for event in events_of(read("team", world.team))}
    assert "Nobody: dba (Platform)" in said
    assert "Ana: engineer (Platform)" in said


def test_a_shift_that_changes_hands_keeps_its_name_and_counts_up(world, rotation):
    """What starts when it started is the same event; its SEQUENCE rises, so that calendars take the change."""
    before = {str(event["UID"]): event for event in events_of(read("rotation", rotation))}
    world.forward(hours=2)
    start, end = datetime(2026, 3, 9, 9, tzinfo=UTC), datetime(2026, 3, 16, 9, tzinfo=UTC)
    rota.add_override(rotation, world.ana, start, end, world.ana, world.now, why="swap")
    after = {str(event["UID"]): event for event in events_of(read("rotation", rotation))}
    assert set(after) == set(before)
    changed = next(uid for uid, event in after.items() if event["DTSTART"].dt == start)
    assert str(after[changed]["SUMMARY"]) == "Ana: primary (Platform)"
    assert "override" in str(after[changed]["DESCRIPTION"])
    assert after[changed]["SEQUENCE"] > before[changed]["SEQUENCE"]
    assert after[changed]["LAST-MODIFIED"].dt > before[changed]["LAST-MODIFIED"].dt


def test_a_running_shift_that_is_cut_counts_up_too(world, rotation):
    world.forward(hours=2)
    first = min(events_of(read("rotation", rotation)), key=lambda event: event["DTSTART"].dt)
    rota.add_override(rotation, world.ben, world.now, world.now + timedelta(hours=2), world.ben, world.now)
    cut = next(event for event in events_of(read("rotation", rotation)) if event["UID"] == first["UID"])
    assert cut["DTEND"].dt == world.now
    assert cut["SEQUENCE"] > first["SEQUENCE"]


def test_every_event_has_a_name_of_its_own(world, rotation):
    weekly(world, seats=[{"name": "engineer"}, {"name": "zweite/Person ä"}])
    names = [str(event["UID"]) for event in events_of(read("team", world.team))]
    assert len(names) == len(set(names)) > 50


def test_a_calendar_that_has_not_changed_is_not_sent_again(world, rotation):
    first = Client().get(address("team", world.team))
    assert "max-age" in first["Cache-Control"]
    assert "private" in first["Cache-Control"]
    again = Client().get(address("team", world.team), HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    rota.add_absence(world.ben, date(2026, 3, 9), date(2026, 3, 10), world.ben, world.now)
    changed = Client().get(address("team", world.team), HTTP_IF_NONE_MATCH=first["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_addresses_handed_out_end_when_their_owner_says_so(world, rotation):
    mine, teams, rotations = (
        address(*of) for of in (("person", world.ben), ("team", world.team), ("rotation", rotation))
    )
    tokens.revoke_feed(world.ben, world.ben, world.now)
    assert Client().get(mine).status_code == 404
    assert Client().get(teams).status_code == 200
    tokens.revoke_feed(world.team, world.eva, world.now)
    assert Client().get(teams).status_code == Client().get(rotations).status_code == 404
    world.ben.refresh_from_db()
    assert Client().get(address("person", world.ben)).status_code == 200


def test_an_account_that_is_switched_off_has_no_feed(world, rotation):
    link = address("person", world.ben)
    world.ben.is_active = False
    world.ben.save()
    assert Client().get(link).status_code == 404


def test_a_key_opens_only_what_it_was_made_for(world, rotation):
    good = address("person", world.ben)
    key = good.removeprefix("/feeds/person/").removesuffix(".ics")
    for bad in (
        f"/feeds/team/{key}.ics",
        f"/feeds/rotation/{key}.ics",
        f"/feeds/person/{key[:-1]}x.ics",
        f"/feeds/person/person-{world.ana.pk}-1.{key.partition('.')[2]}.ics",
        f"/feeds/person/person-{world.ana.pk}-1.ics",
        "/feeds/person/x.ics",
        "/feeds/everything/x.ics",
    ):
        assert Client().get(bad).status_code == 404, bad
    assert Client().post(good).status_code == 405


def test_a_feed_tells_no_secret_and_no_address_of_anybody(world, rotation):
    body = Client().get(address("team", world.team)).content.decode()
    assert settings.SECRET_KEY not in body
    assert "example.org" not in body
    assert "Set-Cookie" not in Client().get(address("team", world.team)).headers


def test_a_feed_says_that_somebody_is_away_and_not_why(world, rotation):
    """An address of a feed needs no signing in: why somebody is away stays with the team, who can read it inside."""
    monday = (world.now + timedelta(days=6)).date()
    tuesday = monday + timedelta(days=1)
    rota.add_absence(world.ben, monday, tuesday, world.ben, world.now, why="knee: surgery; again")
    world.forward(minutes=1)
    start = world.now + timedelta(days=20)
    end = start + timedelta(hours=4)
    rota.add_override(rotation, world.ana, start, end, world.eva, world.now, why="Ana: in court")
    inside = "\n".join(Shift.objects.filter(rotation=rotation).values_list("reason", flat=True))
    assert "knee" in inside
    assert "court" in inside
    said = "\n".join(str(event["DESCRIPTION"]) for event in events_of(read("rotation", rotation)))
    assert "covers for Ben: absent" in said
    assert "Taken by an override" in said
    for typed in ("knee", "surgery", "again", "court"):
        assert typed not in said


def test_a_feed_is_read_in_one_stroke(world, rotation):
    link = address("team", world.team)
    with CaptureQueriesContext(connection) as asked:
        Client().get(link)
    assert len(asked) <= 3


def test_the_pages_show_the_addresses(world, rotation):
    page = as_(world.ben).get("/rota/platform-weekly/").content.decode()
    assert address("rotation", rotation) in page
    assert address("team", world.team) in page
    assert address("person", world.ben) in as_(world.ben).get("/rota/").content.decode()
    assert address("person", world.ben) in as_(world.ben).get("/me/").content.decode()
    assert "Your shifts, as a calendar" in text_of(as_(world.ben).get("/rota/"))
