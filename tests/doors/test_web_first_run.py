"""The first run: who may claim a fresh instance, and how it ends with a page that is answered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from tests.doors.people_pages import (
    as_,
    text,
)
from watchbill.actions import paging
from watchbill.db.models import (
    Outgoing,
    Page,
    Person,
    Team,
)
from watchbill.entry import clock
from watchbill.entry.web.pages import first_run


@pytest.fixture
def world(world, monkeypatch):
    """The pages read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


@pytest.fixture
def fresh(transactional_db, mailbox, monkeypatch):
    """An instance on which nobody has an account."""
    monkeypatch.setenv("WATCHBILL_SETUP_CODE", "4711 0815".replace(" ", ""))
    first_run.cache.clear()
    return mailbox


ACCOUNT = {
    "code": "4711 0815",
    "name": "Ana",
    "email": "ana@example.org",
    "password": "a long sentence nobody knows",
    "zone": "Europe/London",
}


def test_while_nobody_has_an_account_every_page_leads_to_the_first_run(fresh) -> None:
    for page in ("/", "/me/", "/teams/", "/accounts/login/", "/settings/"):
        assert Client().get(page)["Location"] == "/welcome/"


def test_a_stranger_cannot_claim_a_fresh_instance_without_the_code_nor_by_guessing(fresh) -> None:
    client = Client()
    for number in range(first_run.GUESSES):
        assert "not the code" in text(client.post("/welcome/", {**ACCOUNT, "code": f"{number:08d}"}))
    assert "Too many guesses" in text(client.post("/welcome/", ACCOUNT))
    assert not Person.objects.exists()


def test_the_first_run_goes_from_account_to_a_page_that_is_answered(fresh) -> None:
    client = Client()
    assert client.post("/welcome/", ACCOUNT, follow=True).redirect_chain[-1][0] == "/welcome/team/"
    assert client.get("/welcome/test/", follow=True).redirect_chain[-1][0] == "/welcome/team/"
    client.post("/welcome/team/", {"name": "Ops", "zone": "UTC", "preset": "oncall-remodel"})
    assert client.get("/welcome/", follow=True).redirect_chain[-1][0] == "/welcome/service/"
    client.post("/welcome/service/", {"name": "checkout"})
    client.post("/welcome/service/", {"do": "account"})
    ana, now = Person.objects.get(), clock.now()
    code = Outgoing.objects.get(purpose="code").message["text"].split()[1]
    client.post("/welcome/service/", {"do": "code", "code": code})
    assert client.get("/welcome/", follow=True).redirect_chain[-1][0] == "/welcome/test/"
    client.post("/welcome/test/", {"do": "page"})
    page = Page.objects.get()
    assert Outgoing.objects.get(purpose="page").person == ana
    paging.acknowledge(page.pk, ana, now + timedelta(seconds=5))
    assert "It works" in text(client.get("/welcome/test/state/"))
    assert client.post("/welcome/test/", {"do": "finish"})["Location"] == "/"
    assert client.get("/welcome/")["Location"] == "/"


def test_the_first_run_is_left_and_resumed_and_a_second_visitor_cannot_take_it_over(fresh) -> None:
    Client().post("/welcome/", ACCOUNT)
    again = Client()
    assert again.get("/welcome/")["Location"].startswith("/accounts/login/")
    again.post("/welcome/", {**ACCOUNT, "email": "mallory@example.org"})
    assert Person.objects.count() == 1
    signed_in = again.post("/accounts/login/", {"login": "ana@example.org", "password": ACCOUNT["password"]})
    assert signed_in["Location"] == "/welcome/"
    assert again.get("/welcome/", follow=True).redirect_chain[-1][0] == "/welcome/team/"
    assert Team.objects.count() == 0


def test_the_first_run_is_closed_to_everybody_else(world) -> None:
    for person in (world.ana, world.eva):
        for page in ("/welcome/", "/welcome/team/", "/welcome/test/", "/welcome/test/state/"):
            assert as_(person).get(page).status_code == 302
    assert as_(None).get("/welcome/team/").status_code == 302
