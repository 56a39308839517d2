"""Around the sign-in: passwords, second factors, a forgotten one."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.totp.internal import auth

from tests.doors.people_pages import (
    PASSWORD,
    as_,
    text,
)
from watchbill.db.models import (
    Outgoing,
    Person,
)
from watchbill.entry import clock
from watchbill.entry.web import accounts


@pytest.fixture
def world(world, monkeypatch):
    """The pages read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


def test_sign_in_by_password_and_a_wrong_one_says_so(world) -> None:
    client = as_(None)
    wrong = client.post("/accounts/login/", {"login": "ana@example.org", "password": "wrong"})
    assert "not correct" in text(wrong)
    good = client.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD})
    assert good.status_code == 302
    assert client.get("/me/").status_code == 200


def test_nobody_signs_up_by_themselves(world) -> None:
    before = Person.objects.count()
    form = {
        "email": "m@example.org",
        "password1": "a long sentence nobody knows",
        "password2": "a long sentence nobody knows",
    }
    as_(None).post("/accounts/signup/", form)
    assert Person.objects.count() == before


def test_the_e_mail_of_an_account_is_not_changed_behind_our_back(world) -> None:
    client = as_(world.ana)
    assert client.post("/accounts/email/", {"email": "mallory@example.org", "action_add": ""})["Location"] == "/me/"


def test_a_forgotten_password_is_reset_by_a_link_made_from_our_own_address(world) -> None:
    client = as_(None)
    client.post("/accounts/password/reset/", {"email": "ana@example.org"}, headers={"host": "evil.example"})
    accounts.MAILER.submit(lambda: None).result()
    accounts.MAILER.submit(lambda: None).result()
    [mail] = wait_for_mail(world)
    link = re.search(
        r"http://watchbill\.test(/accounts/password/reset/key/\S+)", mail.get_body(("plain",)).get_content()
    )[1]
    form_page = client.get(link)["Location"]
    done = client.post(form_page, {"password1": "another long sentence", "password2": "another long sentence"})
    assert done.status_code == 302
    assert Person.objects.get(pk=world.ana.pk).check_password("another long sentence")
    assert not Outgoing.objects.exists()


def wait_for_mail(world) -> list:
    accounts.MAILER.shutdown(wait=True)
    accounts.MAILER = type(accounts.MAILER)(2)
    return world.mailbox.messages


def test_a_stranger_learns_nothing_from_the_reset_page_and_gets_no_mail(world) -> None:
    known = as_(None).post("/accounts/password/reset/", {"email": "ana@example.org"})
    unknown = as_(None).post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [mail["X-To"] for mail in wait_for_mail(world)] == ["ana@example.org"]


def test_a_second_factor_is_set_up_asked_for_and_a_recovery_code_helps(world) -> None:
    client = as_(None)
    client.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD})
    assert "Is it you?" in text(client.get("/accounts/2fa/totp/activate/", follow=True))
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    html = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]*value="([A-Z2-7]+)"', html)[1]
    now = auth.hotp_value(secret, next(auth.yield_hotp_counters_from_time()))
    assert client.post("/accounts/2fa/totp/activate/", {"code": auth.format_hotp_value(now)}).status_code == 302
    codes = re.findall(r"\b[0-9a-f]{8}\b|\b\d{8}\b", client.get("/accounts/2fa/recovery-codes/").content.decode())
    assert codes
    fresh = as_(None)
    asked = fresh.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD})
    assert asked["Location"] == "/accounts/2fa/authenticate/"
    assert fresh.get("/me/").status_code == 302
    fresh.post("/accounts/2fa/authenticate/", {"code": codes[0]})
    assert fresh.get("/me/").status_code == 200


def test_every_page_around_the_sign_in_opens_in_our_frame(world) -> None:
    client = as_(None)
    client.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD})
    for page in (
        "password/change/",
        "2fa/",
        "2fa/webauthn/",
        "2fa/webauthn/add/",
        "2fa/totp/activate/",
        "sessions/",
        "logout/",
        "reauthenticate/",
    ):
        response = client.get(f"/accounts/{page}", follow=True)
        assert response.status_code == 200, page
        assert "look.css" in response.content.decode(), page
    for page in ("login/", "password/reset/", "password/reset/done/", "signup/", "inactive/"):
        response = as_(None).get(f"/accounts/{page}")
        assert response.status_code == 200, page
        assert "look.css" in response.content.decode(), page
