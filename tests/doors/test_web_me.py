"""The pages of me: addresses and their codes, rules, tokens, calendars."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from tests.doors.people_pages import (
    as_,
    text,
)
from watchbill.actions import addresses, tokens
from watchbill.channels import webpush
from watchbill.db.models import (
    ApiToken,
    ContactAddress,
    NotificationRule,
    Outgoing,
    Person,
    Team,
)
from watchbill.entry import clock


@pytest.fixture
def world(world, monkeypatch):
    """The pages read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


def test_i_add_an_address_enter_its_code_and_it_counts(world) -> None:
    client = as_(world.ana)
    wrong = client.post("/me/addresses/add/email/", {"email": "nonsense"})
    assert "write an address such as" in text(wrong).lower()
    response = client.post("/me/addresses/add/email/", {"email": "ana@home.example", "label": "home"})
    page = response["Location"]
    world.work()
    body = world.mailbox.messages[-1].get_body(("plain",)).get_content()
    code = re.search(r"Enter (\d{6})", body)[1]
    assert "4 tries left" in text(client.post(page, {"code": f"{(int(code) + 1) % 10**6:06d}"}))
    assert client.post(page, {"code": code})["Location"] == "/me/"
    assert ContactAddress.objects.get(label="home").verified_at == world.now


def test_an_address_that_may_not_be_called_is_refused_where_it_is_typed(world) -> None:
    response = as_(world.ana).post("/me/addresses/add/ntfy/", {"server": "http://10.9.9.9", "topic": "secret-topic"})
    assert response.status_code == 200
    assert not ContactAddress.objects.filter(channel="ntfy").exists()
    assert 'class="field bad"' in response.content.decode()


def test_a_browser_that_subscribes_gets_an_address_and_a_code(world) -> None:
    keys = webpush.make_keys()
    subscription = {
        "endpoint": "http://127.0.0.1:9/push/1",
        "keys": {"p256dh": keys.public_key, "auth": "AAAAAAAAAAAAAAAAAAAAAA"},
    }
    client = as_(world.ana)
    sent = {"subscription": subscription, "device": "phone"}
    answer = client.post("/me/addresses/push/", json.dumps(sent), content_type="application/json")
    address = ContactAddress.objects.get(channel="webpush")
    assert answer.json() == {"go": f"/me/addresses/{address.pk}/"}
    assert Outgoing.objects.get(address=address).purpose == "code"
    for broken in (
        b"{",
        b"[]",
        json.dumps({"subscription": {}}).encode(),
        json.dumps({"subscription": {"keys": {}}}).encode(),
    ):
        answer = client.post("/me/addresses/push/", broken, content_type="application/json")
        assert answer.status_code in {400, 409}
        assert answer.json()["message"]


def test_send_me_a_test_shows_the_state_and_the_vendors_answer(world) -> None:
    client = as_(world.ana)
    number = ContactAddress.objects.get(person=world.ana).pk
    page = client.post(f"/me/addresses/{number}/test/")["Location"]
    assert "Waiting" in text(client.get(page))
    world.work()
    assert "Answer: 250 taken" in text(client.get(page))


def test_what_was_sent_is_listed_with_the_time_at_which_it_left(world) -> None:
    addresses.send_test(ContactAddress.objects.get(person=world.ana), world.ana, world.now)
    asked = world.now
    world.now += timedelta(minutes=3)
    world.work()
    page = text(as_(world.ana).get("/me/"))
    assert f"{world.now:%H:%M} ·" in page
    assert f"{asked:%H:%M} ·" not in page


def test_the_last_address_is_asked_about_twice(world) -> None:
    client = as_(world.ana)
    number = ContactAddress.objects.get(person=world.ana).pk
    page = client.post(f"/me/addresses/{number}/remove/")["Location"]
    assert "Remove it all the same" in text(client.get(page))
    assert ContactAddress.objects.get(pk=number).removed_at is None
    client.post(f"/me/addresses/{number}/remove/", {"confirmed": "yes"})
    assert ContactAddress.objects.get(pk=number).removed_at == world.now


def test_rules_are_saved_as_rows(world) -> None:
    number = ContactAddress.objects.get(person=world.ana).pk
    rows = {"0-address": number, "0-after": 0, "1-address": number, "1-after": 300, "2-address": "", "2-after": 0}
    assert as_(world.ana).post("/me/rules/important/", rows).status_code == 302
    found = NotificationRule.objects.filter(person=world.ana, urgency="important").values_list(
        "after_seconds", flat=True
    )
    assert sorted(found) == [0, 300]
    assert as_(world.ana).get("/me/rules/nonsense/").status_code == 404


def test_a_token_is_shown_once(world) -> None:
    client = as_(world.ana)
    made = client.post("/me/tokens/", {"name": "laptop", "scopes": "answer", "days": "30"}).content.decode()
    shown = re.search(r"wb_[\w-]{43}", made)[0]
    assert tokens.person_of_token(shown, "answer", world.now) == world.ana
    assert shown not in client.get("/me/tokens/").content.decode()
    assert client.post("/me/tokens/", {"name": "x", "scopes": "admin", "days": "30"}).status_code == 200
    assert ApiToken.objects.count() == 1


def test_the_code_of_an_address_is_not_listed_among_what_was_sent(world) -> None:
    addresses.add_address(world.ana, "email", {"email": "ana@home.example"}, world.now)
    page = text(as_(world.ana).get("/me/sent/"))
    assert "A code or link for your account" in page
    assert "Your code is" not in page


def test_calendar_addresses_are_ended_by_whom_they_belong_to(world) -> None:
    as_(world.ana).post("/me/calendar/end/")
    as_(world.eva).post("/teams/platform/calendar/end/")
    assert Person.objects.get(pk=world.ana.pk).feed_version == 2
    assert Team.objects.get(pk=world.team.pk).feed_version == 2


def test_what_somebody_reads_is_kept_by_no_shared_cache(world) -> None:
    client = as_(world.ana)
    for page in ("/", "/me/", "/tickets/", "/api/me"):
        assert client.get(page)["Cache-Control"] == "private, no-cache"
