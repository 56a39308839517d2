"""Requests in the browser: the inbox with its tabs, one request with every act, logging for others."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.doors.web_world import Cast
from watchbill.actions import request_timebox, support
from watchbill.actions.asked import Asked, File
from watchbill.actions.requesters import Asker
from watchbill.db.models import (
    Attachment,
    Event,
    Message,
    Policy,
    Requester,
    SupportRequest,
    WorkLog,
)
from watchbill.db.screens import requests as screen

DAY = [{"weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"], "start": "08:00", "end": "18:00"}]
RIA = Asker("Ria", "ria@example.net")


@pytest.fixture
def as_(world):
    return Cast(world)


@pytest.fixture
def desk(world):
    """The world with office hours."""
    settings = {"coverage": DAY, "rules": {}}
    Policy.objects.create(
        team=world.team, version=9, preset="laa-ops", settings=settings, adopted_at=world.now, why="test"
    )
    return world


def ask(world, title="I cannot log in", asker=RIA, **asked) -> SupportRequest:
    return support.open_request(world.team, asker, Asked(title, asked.pop("text", "Since today."), **asked), world.now)


def test_what_nobody_has_stands_first_and_is_counted_on_every_page(desk, as_):
    """INT-08: no unassigned request may be missed."""
    mine = ask(desk, "Mine already")
    support.take(mine.pk, desk.ana, desk.now)
    ask(desk, "Nobody’s yet")
    text = as_.ana.text("/requests/")
    assert "1 request has nobody yet." in text
    assert "Nobody’s yet" in text
    assert "Mine already" not in text
    assert '<small id="request-count">1</small>' in as_.ana.text("/services/")
    assert '<small id="request-count"></small>' in as_.charlie.text("/services/")


@pytest.mark.parametrize(
    ("tab", "seen"),
    [
        ("unassigned", {"new"}),
        ("mine", {"taken", "asked back"}),
        ("open", {"new", "taken", "asked back"}),
        ("waiting", {"asked back"}),
        ("resolved", {"over"}),
        ("all", {"new", "taken", "asked back", "over"}),
        ("odd", {"new", "taken", "asked back"}),
    ],
)
def test_tabs_show_who_has_the_ball(desk, as_, tab, seen):
    """INT-13: the waiting side is visible."""
    for title in ("new", "taken", "asked back", "over"):
        ask(desk, title)
    named = {one.title: one.pk for one in SupportRequest.objects.all()}
    support.take(named["taken"], desk.ana, desk.now)
    support.answer(named["asked back"], "Which one?", desk.ana, desk.now)
    support.resolve(named["over"], "done", "", desk.ben, desk.now)
    text = as_.ana.text(f"/requests/?tab={tab}")
    assert {title for title in named if f'">{title}</a>' in text} == seen
    if tab == "waiting":
        assert "With requester" in text


def test_one_inbox_whatever_the_door(desk, as_):
    """INT-01, INT-03, INT-04: page, mail, chat, helpdesk, tracker, API."""
    for door in ("page", "email", "chat", "helpdesk", "tracker", "api"):
        ask(desk, f"By {door}", door=door)
    text = as_.ana.text("/requests/")
    for words in ("by public page", "by mail", "by chat", "by helpdesk", "by tracker", "by API"):
        assert words in text


def test_every_row_says_its_next_deadline_in_a_word_and_late_in_another(desk, as_):
    """INT-05, INT-09: two working hours; late is a word and a shape, not only a colour."""
    ask(desk, request_class="incident_report")
    assert "first answer in 2 h" in as_.ana.text("/requests/")
    desk.forward(hours=3)
    text = as_.ana.text("/requests/")
    assert 'class="due late"' in text
    assert "first answer late by 60 min" in text


def test_the_teams_order_comes_before_the_deadline(desk, as_):
    """PRI-02, PRI-06: the order of the team, then the promise that runs out first."""
    ask(desk, "A question", request_class="guidance_request")
    ask(desk, "Broken for all", request_class="incident_report", impact="everyone")
    ask(desk, "Broken for one", request_class="incident_report", impact="one")
    text = as_.ana.text("/requests/?tab=open")
    places = [text.index(f">{title}</a>") for title in ("Broken for all", "Broken for one", "A question")]
    assert places == sorted(places)


def test_filters_stand_in_the_address(desk, as_):
    ask(desk, "The printer", request_class="guidance_request", service=desk.service)
    ask(desk, "The door", Asker("Otto", "otto@example.net"))
    for query, seen in {
        "q=printer": "The printer",
        "q=otto": "The door",
        "q=R-" + str(SupportRequest.objects.get(title="The door").pk): "The door",
        "request_class=guidance_request": "The printer",
        "service=checkout": "The printer",
        "team=platform&q=door": "The door",
    }.items():
        text = as_.ana.text(f"/requests/?tab=open&{query}")
        other = "The door" if seen == "The printer" else "The printer"
        assert f">{seen}</a>" in text, query
        assert f">{other}</a>" not in text, query


@pytest.mark.parametrize("query", ["after=x", "after=1-2-3", "tab=all&after=x", "q=%22%27*%00", "service=none", "q=R-"])
def test_an_odd_address_is_no_error(desk, as_, query):
    ask(desk)
    assert as_.ana.get(f"/requests/?{query}").status_code == 200


@pytest.mark.parametrize("tab", ["open", "all"])
def test_the_list_is_paged_by_key_and_shows_each_once(desk, as_, tab):
    for number in range(screen.ROWS + 5):
        ask(desk, f"Thing {number:03}")
    first = as_.ana.text(f"/requests/?tab={tab}")
    found = screen.list_requests(desk.ana, None, screen.Filters(tab=tab), "")
    after = screen.key_of(found[screen.ROWS - 1], tab)
    second = as_.ana.text(f"/requests/?tab={tab}&after={after}")
    titles = [f"Thing {number:03}" for number in range(screen.ROWS + 5)]
    assert f"after={after}" in first
    assert sorted([t for t in titles if t in first] + [t for t in titles if t in second]) == titles


def test_many_requests_cost_no_more_queries(desk, as_):
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            as_.ana.text(url)
        return len(seen)

    first = ask(desk)
    few = {}
    for url in ("/requests/", "/requests/?tab=all", "/", f"/requests/{first.pk}/"):
        queries(url)
        few[url] = queries(url)
    for number in range(12):
        ask(desk, f"Thing {number}", Asker(f"Person {number}", f"p{number}@example.net"), service=desk.service)
        support.note(first.pk, f"Note {number}", desk.ana, desk.now)
    for url, count in few.items():
        assert queries(url) == count, url


def test_the_csv_holds_the_filtered_list_and_no_formula(desk, as_):
    ask(desk, "=HYPERLINK(1)")
    ask(desk, "The door")
    response = as_.ana.get("/requests/?tab=open&format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert {row["title"] for row in rows} == {"'=HYPERLINK(1)", "The door"}
    assert rows[0]["waits for"] == "us"
    narrowed = as_.ana.get("/requests/?tab=open&format=csv&q=door")
    assert b"".join(narrowed.streaming_content).decode().count("\r\n") == 2


def test_many_are_taken_or_given_at_once_and_what_cannot_be_is_told(desk, as_):
    numbers = [ask(desk, f"Thing {n}").pk for n in range(3)]
    as_.ana.post("/requests/give/", {"do": "take", "request": [numbers[0], 999999, "x"]})
    as_.ana.post("/requests/give/", {"do": "give", "to": desk.ben.pk, "request": numbers[1:]})
    owners = list(SupportRequest.objects.order_by("pk").values_list("assignee__name", flat=True))
    assert owners == ["Ana", "Ben", "Ben"]
    assert as_.ana.post("/requests/give/", {"do": "give", "to": desk.charlie.pk, "request": numbers}).status_code == 409
    assert (
        "To say who has a request"
        in as_.olga.post("/requests/give/", {"do": "take", "request": numbers}, follow=True).content.decode()
    )


def test_a_request_is_logged_for_whoever_asked_and_whoever_logs_it_has_it(desk, as_):
    """TRI-04: the engineer writes it down."""
    response = as_.ben.post("/requests/new/", {"team": "platform", "name": "Otto", "title": "A new key"})
    one = SupportRequest.objects.get()
    assert response.url == f"/requests/{one.pk}/"
    assert (one.assignee, one.door, one.requester.name) == (desk.ben, "logged", "Otto")


def test_a_refused_log_keeps_what_was_typed(desk, as_):
    response = as_.ben.post(
        "/requests/new/", {"team": "platform", "name": "Otto", "email": "nonsense", "title": "A new key"}
    )
    text = response.content.decode()
    assert "is no mail address" in text
    assert 'value="A new key"' in text
    assert not SupportRequest.objects.exists()
    assert as_.olga.get("/requests/new/").status_code == 403


def test_the_page_says_who_has_the_ball_and_why_the_deadline_is_so(desk, as_):
    """INT-13, MET-07: ten minutes ran on Friday, the rest on Monday."""
    desk.now += timedelta(days=3, hours=8, minutes=50)
    one = ask(desk, request_class="incident_report")
    desk.forward(days=2, hours=14, minutes=40)
    text = as_.ana.text(f"/requests/{one.pk}/")
    assert "2 working hours from Friday 06 Mar 17:50" in text
    assert "10 minutes used on Friday 06 Mar" in text
    assert "30 minutes used on Monday 09 Mar" in text
    support.answer(one.pk, "Which page?", desk.ana, desk.now)
    assert "it waits for Ria" in as_.ana.text(f"/requests/{one.pk}/")


def test_a_conversation_tells_its_sides_apart_by_words(desk, as_):
    one = ask(desk, folded="On Monday you wrote")
    support.answer(one.pk, "See https://example.org/help.", desk.ana, desk.now)
    support.note(one.pk, "A <b>secret</b> of ours", desk.ana, desk.now)
    text = as_.ben.text(f"/requests/{one.pk}/")
    for words in ("Asked", "Answered", "Note, team only", "Quoted text and signature", "A &lt;b&gt;secret"):
        assert words in text, words
    assert '<a href="https://example.org/help" rel="noopener noreferrer nofollow">' in text


@pytest.mark.parametrize(
    ("act", "given", "field", "after"),
    [
        ("take", {}, "assignee__name", "Ana"),
        ("assign", {"to": "ben"}, "assignee__name", "Ben"),
        ("answer", {"text": "Which?"}, "waiting_on", "requester"),
        ("answer", {"text": "We look.", "then": "us"}, "waiting_on", "us"),
        ("answer", {"text": "So it is.", "then": "resolved"}, "outcome", "answered"),
        ("ball", {"waits_on": "vendor", "why": "their case"}, "waiting_on", "vendor"),
        ("priority", {"level": "security", "why": "it leaks"}, "priority", "security"),
        ("change", {"title": "Better", "impact": "one"}, "title", "Better"),
        ("change", {"title": "Better", "service": "service"}, "service__slug", "checkout"),
        ("resolve", {"outcome": "duplicate", "text": "See R-1"}, "state", "resolved"),
        ("turn_away", {"text": "Not now, please."}, "outcome", "turned_away"),
        ("log", {"minutes": "15"}, "spent_seconds", 900),
    ],
)
def test_every_act_works_without_javascript(desk, as_, act, given, field, after):
    one = ask(desk)
    given = {name: {"ben": desk.ben.pk, "service": desk.service.pk}.get(value, value) for name, value in given.items()}
    response = as_.ana.post(f"/requests/{one.pk}/{act}/", given)
    assert (response.status_code, response.headers.get("Location")) == (302, f"/requests/{one.pk}/")
    assert SupportRequest.objects.values_list(field, flat=True).get(pk=one.pk) == after
    assert as_.ana.text(f"/requests/{one.pk}/")


@pytest.mark.parametrize(
    ("act", "given", "kept", "said"),
    [
        ("answer", {"text": "   "}, "", "This field is required"),
        ("priority", {"level": "security", "why": ""}, 'value="security" selected', "Say why"),
        ("log", {"minutes": "0"}, "", "greater than or equal to 1"),
        ("ball", {"waits_on": "nobody", "why": "because so"}, 'value="because so"', "Select a valid choice"),
        ("ticket", {"title": "", "points": "5", "kind": "task"}, 'value="5"', "This field is required"),
        ("help", {"why": ""}, "", "This field is required"),
    ],
)
def test_a_refusal_stands_at_its_field_and_keeps_what_was_typed(desk, as_, act, given, kept, said):
    one = ask(desk)
    response = as_.ana.post(f"/requests/{one.pk}/{act}/", given)
    text = response.content.decode()
    assert response.status_code == 409
    assert said in text
    assert kept in text


def test_a_resolved_request_is_opened_again(desk, as_):
    one = ask(desk)
    as_.ana.post(f"/requests/{one.pk}/resolve/", {"outcome": "done"})
    text = as_.ana.text(f"/requests/{one.pk}/")
    assert f'action="/requests/{one.pk}/resolve/"' not in text
    as_.ana.post(f"/requests/{one.pk}/reopen/", {"why": "It is back"})
    assert SupportRequest.objects.get(pk=one.pk).state == "open"


def test_a_ready_message_fills_the_box_and_sends_nothing(desk, as_):
    """TRI-16, COM-05: the team's words, with their fields filled, below what was typed."""
    one = ask(desk)
    before = Message.objects.count()
    given = {"ready": "First response", "text": "Hi,"}
    part = as_.ana.post(f"/requests/{one.pk}/ready/", given, headers={"HX-Request": "true"}).content.decode()
    assert part.startswith("<textarea")
    assert 'id="answer-text"' in part
    assert "Hi,\n\nHello Ria" in part
    whole = as_.ana.post(f"/requests/{one.pk}/ready/", given).content.decode()
    assert "Hi,\n\nHello Ria" in whole
    assert "What was said" in whole
    assert Message.objects.count() == before


def test_the_clock_starts_stops_and_advises(desk, as_):
    """TRI-01, TRI-02, TRI-09: the time really spent, a ticket over the box, help after the limit."""
    one = ask(desk)
    as_.ana.post(f"/requests/{one.pk}/start/")
    desk.forward(minutes=16)
    text = as_.ana.text(f"/requests/{one.pk}/")
    assert "16 minutes spent; longer than 15 becomes a ticket" in text
    assert "Ana’s clock runs since" in text
    as_.ana.post(f"/requests/{one.pk}/stop/")
    assert WorkLog.objects.get().seconds == 16 * 60
    assert as_.ana.post(f"/requests/{one.pk}/stop/").status_code == 409


def test_a_ticket_is_written_from_the_conversation(desk, as_):
    """TRI-04, TRI-06: the engineer writes it, it begins in To do."""
    one = ask(desk)
    as_.ana.post(f"/requests/{one.pk}/ticket/", {"title": "Mend the log-in", "kind": "task", "points": "2"})
    ticket = one.tickets.get()
    assert (ticket.title, ticket.stage, ticket.points) == ("Mend the log-in", "to_do", 2)
    assert f"T-{ticket.pk} Mend the log-in" in as_.ana.text(f"/requests/{one.pk}/")


def test_advice_is_answered_and_only_logged(desk, as_):
    """TRI-01, INT-07: answered where it was asked; the answer may stand on the public page."""
    one = ask(desk)
    as_.ana.post(f"/requests/{one.pk}/answer_here/", {"text": "Press F5.", "question": "Why is it white?"})
    assert SupportRequest.objects.get(pk=one.pk).outcome == "answered"
    assert not one.tickets.exists()
    assert desk.team.faq.get().question == "Why is it white?"


def test_the_team_is_asked_for_help(desk, as_):
    """TRI-09: at once when it is hopeless."""
    one = ask(desk)
    as_.ana.post(f"/requests/{one.pk}/help/", {"why": "I do not know this part", "hopeless": "on"})
    assert Event.objects.filter(kind="request.help_asked", subject_id=one.pk).exists()


def test_an_expert_is_asked_and_may_decline_without_a_reason(desk, as_):
    """TRI-11, TRI-12: willing or not, the one who was asked says so; nobody else can."""
    one = ask(desk, service=desk.service)
    as_.ana.post(f"/requests/{one.pk}/ask/", {"person": desk.ben.pk, "why": "you know it"})
    asked = one.asks.get()
    assert "Ben was asked" in as_.ana.text(f"/requests/{one.pk}/")
    text = as_.ben.text(f"/requests/{one.pk}/")
    assert "you know it" in text
    assert f'action="/requests/{one.pk}/asks/{asked.pk}/"' in text
    assert as_.ana.post(f"/requests/{one.pk}/asks/{asked.pk}/", {"willing": "yes"}).status_code in {403, 404, 409}
    as_.ben.post(f"/requests/{one.pk}/asks/{asked.pk}/", {"willing": "no"})
    asked.refresh_from_db()
    assert asked.answered_at is not None
    assert SupportRequest.objects.get(pk=one.pk).assignee is None


def test_a_representatives_word_is_written_down(desk, as_):
    """INT-04: they may say it by telephone."""
    one = ask(desk)
    SupportRequest.objects.filter(pk=one.pk).update(approval="asked", waiting_on="requester")
    assert "Write down a representative" in as_.ana.text(f"/requests/{one.pk}/")
    as_.ana.post(f"/requests/{one.pk}/approve/", {"willing": "yes", "by_name": "Sam"})
    assert SupportRequest.objects.values_list("approval", "waiting_on").get() == ("given", "us")


def test_whoever_helps_says_so(desk, as_):
    """DUT-06, TRI-09: help is asked for and offered on the page."""
    one = ask(desk)
    assert as_.ben.post(f"/requests/{one.pk}/offer/").status_code == 409
    as_.ana.post(f"/requests/{one.pk}/help/", {"why": "I do not know this part"})
    assert "I help with it" in as_.ben.text(f"/requests/{one.pk}/")
    as_.ben.post(f"/requests/{one.pk}/offer/")
    assert Event.objects.filter(kind="request.help_offered", actor=desk.ben).exists()


def test_the_palette_finds_a_request_by_words_and_by_number(desk, as_):
    one = ask(desk, "The printer on floor 3")
    support.resolve(one.pk, "done", "", desk.ana, desk.now)
    assert "The printer on floor 3" in as_.ana.text(f"/find/?q=R-{one.pk}")
    support.reopen(one.pk, "", desk.ana, desk.now)
    assert f"/requests/{one.pk}/" in as_.ana.text("/find/?q=printer")
    assert f"/requests/{one.pk}/" not in as_.charlie.text("/find/?q=printer")


def test_a_vendor_case_passes_the_ball_and_gives_it_back(desk, as_):
    """INT-12: reference, contact, what they said, how long it took."""
    one = ask(desk)
    given = {"vendor": "Larchwood", "reference": "L-77", "contact": "desk@larchwood.example", "note": "sent the log"}
    as_.ana.post(f"/requests/{one.pk}/vendor/", given)
    case = one.vendor_cases.get()
    assert SupportRequest.objects.get(pk=one.pk).waiting_on == "vendor"
    text = as_.ana.text(f"/requests/{one.pk}/")
    assert "L-77" in text
    as_.ana.post(f"/vendor-cases/{case.pk}/heard/", {"note": "They look at it", "do": "heard"})
    as_.ana.post(f"/vendor-cases/{case.pk}/heard/", {"note": "Mended", "do": "close"})
    assert SupportRequest.objects.get(pk=one.pk).waiting_on == "us"


def test_files_are_only_ever_saved(desk, as_):
    """A stranger's file never runs within our pages."""
    one = ask(desk, files=(File('a"b.html', "text/html", b"<script>1</script>"),))
    url = f"/requests/{one.pk}/files/{Attachment.objects.get().pk}/"
    response = as_.ana.get(url)
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.content == b"<script>1</script>"
    assert as_.charlie.get(url).status_code == 404


def test_what_belongs_to_others_does_not_exist_for_them(desk, as_):
    one = ask(desk)
    assert as_.charlie.get(f"/requests/{one.pk}/").status_code == 404
    for act in ("take", "answer", "note", "resolve", "ready"):
        assert as_.charlie.post(f"/requests/{one.pk}/{act}/", {"text": "x"}).status_code == 404
    assert one.title not in as_.charlie.text("/requests/?tab=all")
    assert as_.nobody.get(f"/requests/{one.pk}/").status_code == 302


def test_an_observer_reads_and_gets_no_button_that_would_refuse(desk, as_):
    one = ask(desk)
    text = as_.olga.text(f"/requests/{one.pk}/")
    assert f'action="/requests/{one.pk}/' not in text
    assert "/take/" not in as_.olga.text("/requests/?tab=open")
    assert as_.olga.post(f"/requests/{one.pk}/take/").status_code == 403


def test_a_get_never_writes(desk, as_):
    one = ask(desk)
    before = (Event.objects.count(), Message.objects.count(), SupportRequest.objects.values_list("state").get())
    for act in ("take", "answer", "resolve", "ready", "start"):
        assert as_.ana.get(f"/requests/{one.pk}/{act}/").status_code == 405
    assert as_.ana.get("/requests/give/").status_code == 405
    after = (Event.objects.count(), Message.objects.count(), SupportRequest.objects.values_list("state").get())
    assert before == after


def test_what_a_requester_says_is_never_html(desk, as_):
    one = ask(desk, "<script>alert(1)</script>", Asker("<b>Ria</b>", "r@example.net"), text='<img src=x onerror="1">')
    for url in ("/", "/requests/", f"/requests/{one.pk}/"):
        text = as_.ana.text(url)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<b>Ria" not in text


def test_now_shows_the_watch_what_nobody_has_and_what_is_late_first(desk, as_):
    """INT-08: on Now for the person on watch."""
    late = ask(desk, "Late one", request_class="incident_report")
    support.take(late.pk, desk.ben, desk.now)
    desk.forward(hours=3)
    ask(desk, "New one")
    text = as_.ana.text("/").partition('id="requests"')[2]
    assert text.index("New one") < text.index("Late one")
    assert f"/requests/{late.pk}/" in as_.ben.text("/")
    assert "New one" not in as_.ben.text("/")


def test_earlier_requests_of_the_same_requester_are_shown(desk, as_):
    ask(desk, "The first")
    second = ask(desk, "The second")
    assert Requester.objects.count() == 1
    assert "The first" in as_.ana.text(f"/requests/{second.pk}/")


def test_the_advice_of_the_page_is_that_of_the_action(desk, as_):
    """TRI-02: one question, one calculator."""
    one = ask(desk)
    assert request_timebox.advise(one, desk.now).why.capitalize() in as_.ana.text(f"/requests/{one.pk}/")
