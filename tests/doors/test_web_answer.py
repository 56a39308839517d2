"""The link in a message: a GET answers nothing, one POST answers once, and nobody is ever left with an error page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from tests.doors.web_world import Cast
from watchbill.actions import paging
from watchbill.actions.messages import LINK_SALT
from watchbill.db.models import Event, Outgoing, Page


@pytest.fixture
def as_(world):
    return Cast(world)


@pytest.fixture
def fired(world):
    world.event(severity="critical")
    world.work()
    return world


def link(world, person=None) -> str:
    """Take the link out of the newest mail, as its reader would."""
    mail = [m for m in world.mailbox.messages if person is None or m["X-To"] == person.email][-1]
    text = mail.get_body(("plain",)).get_content()
    return re.search(r"http://watchbill\.test(/a/\S+)", text).group(1)


def test_the_link_needs_no_sign_in_and_shows_why_and_one_big_button(fired, as_):
    text = as_.nobody.text(link(fired))
    assert "Disk full on db1" in text
    assert "Why you were called" in text
    assert "Ana is engineer on watch" in text
    assert text.count('class="button main big"') == 1


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_that_follows_it_answers_nothing(fired, as_, method):
    before = Event.objects.count()
    for _ in range(3):
        getattr(as_.nobody, method)(link(fired))
    assert fired.page().state == "climbing"
    assert Event.objects.count() == before
    assert Outgoing.objects.get().link_used_at is None


def test_one_tap_acknowledges_as_the_person_it_was_sent_to(fired, as_):
    text = as_.nobody.post(link(fired), {"answer": "acknowledge"}).content.decode()
    assert "You have it." in text
    assert fired.page().answered_by == fired.ana
    assert fired.group().state == "acknowledged"
    assert Outgoing.objects.get().link_used_at == fired.now


def test_it_works_without_any_cookie_where_forgery_is_guarded(fired, as_):
    strict = Client(enforce_csrf_checks=True)
    as_.nobody.client = strict
    assert as_.nobody.post(link(fired), {"answer": "acknowledge"}).status_code == 200
    assert fired.page().state == "acknowledged"
    assert not strict.cookies


def test_a_second_use_shows_who_answered_and_when_and_answers_nothing(fired, as_):
    address = link(fired)
    as_.nobody.post(address, {"answer": "acknowledge"})
    paging.ask_for_help(fired.page().pk, fired.ana, fired.now)
    paging.acknowledge(fired.page().pk, fired.ben, fired.now)
    fired.forward(minutes=1)
    response = as_.nobody.post(address, {"answer": "snooze"})
    text = response.content.decode()
    assert response.status_code == 200
    assert "This link answered at" in text
    assert ">09:00</time> and answers only once" in text
    assert "Ben has it" in text
    assert fired.page().state == "acknowledged"


@pytest.mark.parametrize(("answer", "state"), [("snooze", "snoozed"), ("help", "climbing")])
def test_the_smaller_answers_work_too(fired, as_, answer, state):
    fired.mailbox.clear()
    as_.nobody.post(link_before(fired), {"answer": answer})
    fired.work()
    assert fired.page().state == state
    assert fired.mailbox.readers() == (["ben@example.org"] if answer == "help" else [])


def link_before(world) -> str:
    return f"/a/{signing.dumps(Outgoing.objects.earliest('id').pk, salt=LINK_SALT)}"


def test_an_answer_that_is_none_changes_nothing_and_uses_nothing_up(fired, as_):
    assert as_.nobody.post(link(fired), {"answer": "delete"}).status_code == 200
    assert as_.nobody.post(link(fired)).status_code == 200
    assert Outgoing.objects.get().link_used_at is None
    assert fired.page().state == "climbing"


def test_when_it_is_over_the_link_says_so_and_asks_nothing(fired, as_):
    fired.event("resolve")
    fired.work()
    text = as_.nobody.text(link(fired))
    assert "This is over" in text
    assert "<button" not in text
    response = as_.nobody.post(link(fired), {"answer": "acknowledge"})
    assert response.status_code == 200
    assert Outgoing.objects.get().link_used_at is None


def test_who_comes_second_sees_who_has_it_and_may_take_it_over(fired, as_):
    fired.forward(minutes=5)
    paging.acknowledge(fired.page().pk, fired.ben, fired.now)
    text = as_.nobody.text(link(fired, fired.ana))
    assert "Ben has it" in text
    assert "Take it over" in text


def test_an_old_link_says_kindly_what_to_do(fired, as_):
    address = link(fired)
    fired.now += timedelta(days=15)
    response = as_.nobody.get(address)
    assert response.status_code == 410
    assert "older than two weeks" in response.content.decode()
    assert as_.nobody.post(address, {"answer": "resolve"}).status_code == 410
    assert Page.objects.get().state == "climbing"


@pytest.mark.parametrize("token", ["x", "1", "a:b:c", "é", "x" * 3000])
def test_a_link_that_was_cut_or_changed_says_kindly_what_to_do(fired, as_, token):
    address = link(fired)
    for broken in (f"/a/{token}", address[:-1], address + "x"):
        response = as_.nobody.get(broken)
        assert response.status_code == 404
        assert "This link is not complete" in response.content.decode()
        assert as_.nobody.post(broken, {"answer": "acknowledge"}).status_code == 404


def test_a_link_of_another_kind_of_message_answers_nothing(fired, as_):
    row = Outgoing.objects.get()
    row.purpose = "notice"
    row.save()
    assert as_.nobody.get(link(fired)).status_code == 404


def test_a_link_of_somebody_whose_account_is_off_shows_and_answers_nothing(fired, as_):
    """Who left the firm keeps the mail of the last two weeks."""
    fired.ana.is_active = False
    fired.ana.save()
    for response in (as_.nobody.get(link(fired)), as_.nobody.post(link(fired), {"answer": "acknowledge"})):
        assert response.status_code == 404
        assert fired.group().title not in response.content.decode()
    assert fired.page().state == "climbing"
    assert Outgoing.objects.get().link_used_at is None


def test_it_is_kept_nowhere_and_tells_nobody_where_it_leads(fired, as_):
    for response in (as_.nobody.get(link(fired)), as_.nobody.get("/a/x")):
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "no-referrer"
        assert "noindex" in response["X-Robots-Tag"]


def test_a_page_by_hand_is_answered_by_its_link(world, as_):
    paging.page_people(world.team, "Help me", world.charlie, world.now)
    world.work()
    assert "Help me" in as_.nobody.text(link(world))
    as_.nobody.post(link(world), {"answer": "acknowledge"})
    assert world.page().state == "acknowledged"


def test_what_a_monitor_says_is_never_html(world, as_):
    world.event(severity="critical", summary="<script>alert(1)</script>")
    world.work()
    assert "<script>alert" not in as_.nobody.text(link_before(world))
