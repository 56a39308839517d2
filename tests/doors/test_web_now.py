"""Now: the first sentence, what needs the reader, what is due, what is about to go wrong; the palette."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.doors.web_world import Cast
from tests.world import make_person
from watchbill.actions import notices, paging
from watchbill.db.models import ContactAddress, Membership, Notice, Outgoing, Shift, Team


@pytest.fixture
def as_(world):
    return Cast(world)


def test_whoever_is_on_watch_reads_it_in_the_first_sentence(world, as_):
    text = as_.ana.text("/")
    assert "You are on watch until" in text
    assert "Monday 09:00" in text
    assert "Ben takes over" in text


def test_others_read_who_is_and_when_their_own_turn_begins(world, as_):
    text = as_.ben.text("/")
    assert "Ana is on watch for Platform until" in text
    assert "Your turn begins" in text


def test_when_nobody_is_on_watch_it_says_so(world, as_):
    Shift.objects.filter(starts_at__lte=world.now).delete()
    assert "Nobody is on watch for Platform now" in as_.ana.text("/")


def test_what_asks_me_stands_first_with_one_button(world, as_):
    world.event(severity="critical")
    world.work()
    text = as_.ana.text("/")
    assert "Disk full on db1" in text
    assert "asked you by email" in text
    assert f'action="/alerts/{world.group().pk}/answer/"' in text
    as_.ana.post(f"/alerts/{world.group().pk}/answer/", {"answer": "acknowledge", "next": "/"})
    assert "you have it" in as_.ana.text("/")
    assert "Ana has it" in as_.ben.text("/")


def test_the_teams_own_order_of_severities_holds(world, as_):
    """PRI-04: most severe first, whatever came first."""
    world.event(key="a", severity="error", summary="An error came first")
    world.work()
    world.forward(minutes=1)
    world.event(key="b", severity="critical", summary="A critical one came later")
    world.work()
    text = as_.ana.text("/")
    assert text.index("A critical one came later") < text.index("An error came first")


def test_an_observer_sees_it_and_gets_no_button_that_would_refuse(world, as_):
    world.event()
    world.work()
    text = as_.olga.text("/")
    assert "Disk full on db1" in text
    assert "/answer/" not in text


def test_others_see_nothing_of_it(world, as_):
    world.event()
    world.work()
    assert "Disk full" not in as_.charlie.text("/")


def test_warnings_stand_under_due_with_their_time(world, as_):
    """PRI-04: a warning wants a day or two."""
    world.event(severity="warning", summary="The certificate ends soon")
    world.work()
    text = as_.ana.text("/")
    assert "The certificate ends soon" in text.partition('id="due"')[2]
    assert "due" in text


def test_somebody_on_watch_soon_without_an_address_is_named(world, as_):
    ContactAddress.objects.filter(person=world.ben).delete()
    assert "Ben has no verified address" in as_.ana.text("/")
    assert "You have no verified address" in as_.ben.text("/")


def test_payloads_that_nobody_understood_are_named(world, as_):
    world.arrives({"routing_key": world.key, "nonsense": True})
    world.work()
    assert "1 payload for checkout could not be read" in as_.ana.text("/")


def test_a_message_that_could_not_be_delivered_to_me_is_named(world, as_):
    world.mailbox.refuse("ana@example.org", "550 no such mailbox")
    world.event()
    world.work()
    assert "550 no such mailbox" in as_.ana.text("/")


def test_a_page_of_another_team_that_asks_me_is_mine_to_answer(world, as_):
    other = Team.objects.get(slug="payments")
    Membership.objects.create(team=other, person=world.ana, role="member", created_at=world.now)
    page = paging.page_people(other, "Look at the ledger", world.charlie, world.now, to=world.ana)
    world.work()
    Membership.objects.filter(team=other, person=world.ana).delete()
    assert "Look at the ledger" in as_.ana.text("/")
    as_.ana.post(f"/pages/{page.pk}/answer/", {"answer": "acknowledge"})
    page.refresh_from_db()
    assert page.answered_by == world.ana


def plan(world, title: str, hours: float) -> Notice:
    starts = world.now + timedelta(hours=hours)
    times = {"starts_at": starts, "ends_at": starts + timedelta(hours=2)}
    given = {
        "title": title,
        "text": "A moment of silence.",
        "services": [world.service],
        "audiences": ["team"],
        **times,
    }
    return notices.draft(world.team, given, world.ana, world.now)


def test_planned_work_of_the_day_is_shown_and_nothing_later_or_not_yet_told(world, as_):
    soon, later = plan(world, "Move the database", 20), plan(world, "Patch the host", 30)
    plan(world, "A thought", 3)
    assert 'id="planned"' not in as_.ana.text("/")
    for one in (soon, later):
        notices.announce(one.pk, world.ana, world.now)
    planned = as_.olga.text("/").partition('id="planned"')[2]
    assert "Move the database" in planned
    assert "begins <time" in planned
    assert "Platform · touches checkout" in planned
    assert "Patch the host" not in planned, "it begins in more than a day"
    assert "A thought" not in planned, "nobody was told of it"
    assert 'id="planned"' not in as_.charlie.text("/")


def test_planned_work_says_whether_it_goes_on_and_when_it_is_late(world, as_):
    notice = plan(world, "Move the database", 1)
    notices.announce(notice.pk, world.ana, world.now)
    world.forward(hours=1.5)
    assert "was to begin" in as_.ana.text("/")
    notices.begin(notice.pk, world.ana, world.now)
    planned = as_.ana.text("/").partition('id="planned"')[2]
    assert "Under way" in planned
    assert "until <time" in planned
    world.forward(hours=2)
    assert "was to end" in as_.ana.text("/")
    notices.done(notice.pk, world.ana, world.now)
    assert 'id="planned"' not in as_.ana.text("/")


def test_empty_screens_say_what_to_do_next(world, as_):
    assert "Nothing needs you" in as_.ana.text("/")
    stranger = make_person("Nora", world.now)
    world.people["nora"] = stranger
    assert "You are in no team yet" in as_.nora.text("/")
    assert "has no service" in as_.charlie.text("/")


def test_signed_out_leads_to_sign_in(world, as_):
    response = as_.nobody.get("/")
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


def test_many_open_alerts_cost_no_more_queries(world, as_):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            as_.ana.text("/")
        return len(seen)

    world.event(key="first")
    world.work()
    queries()
    few = queries()
    for number in range(12):
        world.event(key=f"k{number}", severity=["critical", "error", "warning"][number % 3])
    world.work()
    assert queries() == few


def test_what_a_monitor_says_is_never_html(world, as_):
    world.event(summary='<script>alert("x")</script>')
    world.work()
    for url in ("/", "/alerts/", f"/alerts/{world.group().pk}/", "/find/?q=script", "/services/checkout/"):
        text = as_.eva.text(url)
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


def test_the_palette_finds_what_the_reader_may_see_and_nothing_else(world, as_):
    world.event()
    world.work()
    found = as_.ana.text("/find/?q=disk", headers={"HX-Request": "true"})
    assert "Disk full on db1" in found
    assert "<html" not in found
    assert "checkout" in as_.ana.text("/find/?q=check")
    assert "Engineers" in as_.ana.text("/find/?q=engin")
    assert "Page Ben" in as_.ana.text("/find/?q=ben")
    assert "Page somebody" in as_.ana.text("/find/?q=page")
    nothing = as_.charlie.text("/find/?q=disk") + as_.charlie.text("/find/?q=check")
    assert "Disk full" not in nothing
    assert "/services/checkout/" not in nothing


def test_a_page_by_hand_asks_and_shows_who_was_asked(world, as_):
    response = as_.ana.post(
        "/pages/new/", {"title": "The shop is slow", "whom": f"service:{world.service.pk}", "urgency": "important"}
    )
    assert response.status_code == 302
    world.work()
    assert world.mailbox.readers() == ["ana@example.org"]
    text = as_.ana.text(response.url)
    assert "The shop is slow" in text
    assert "Ana is engineer on watch" in text
    for who in ("olga", "charlie"):
        assert as_.__getattr__(who).get("/pages/new/").status_code == 200


def test_anybody_may_page_a_team_and_then_see_what_became_of_it(world, as_):
    whom = f"team:{world.team.pk}"
    response = as_.charlie.post("/pages/new/", {"title": "We need you", "whom": whom, "urgency": "important"})
    assert "We need you" in as_.charlie.text(response.url)
    assert as_.charlie.post(f"{response.url}answer/", {"answer": "acknowledge"}).status_code == 403


def test_a_page_that_is_not_complete_keeps_what_was_typed(world, as_):
    text = as_.ana.post("/pages/new/", {"title": "Half a thought", "whom": "", "urgency": "important"}).content.decode()
    assert "Half a thought" in text
    assert Outgoing.objects.count() == 0


def test_the_stylesheet_and_scripts_come_from_here_alone(world, as_):
    response = as_.ana.get("/")
    assert "script-src 'self'" in response["Content-Security-Policy"]
    text = response.content.decode()
    assert "http://" not in text.replace("http://watchbill.test", "").replace("http://www.w3.org", "")
    assert json.loads(text.partition('name="htmx-config" content=\'')[2].partition("'")[0])["historyCacheSize"] == 0
