"""The pages of me, teams, people, settings and the first run: who reaches them, and what they do."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal import auth
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from watchbill.actions import addresses, ladders, paging, tokens
from watchbill.channels import webpush
from watchbill.db.models import (
    ApiToken,
    ContactAddress,
    InstanceSetting,
    Ladder,
    Membership,
    NotificationRule,
    Outgoing,
    Page,
    Person,
    Policy,
    Team,
)
from watchbill.entry import clock
from watchbill.entry.web import accounts
from watchbill.entry.web.pages import first_run, me, me_addresses, pwa, team_ladders, team_policy, teams
from watchbill.entry.web.pages import people as people_pages
from watchbill.entry.web.pages import settings as settings_pages

PASSWORD = "correct horse 9"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def world(world, monkeypatch):
    """The pages read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


def as_(person: Person | None) -> Client:
    client = Client()
    if person is not None:
        client.force_login(person, backend=BACKEND)
    return client


@pytest.fixture
def admin(world) -> Person:
    world.eva.is_superuser = True
    world.eva.save()
    return world.eva


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def addresses_of(module, **arguments) -> list[str]:
    """Every address of a module's pages, filled in."""
    patterns = [str(url.pattern) for url in module.URLS]
    return ["/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(arguments[found[1]]), pattern) for pattern in patterns]


def team_addresses(world) -> list[str]:
    arguments = {"slug": "platform", "number": world.ana.pk, "part": "coverage"}
    ladder = arguments | {"number": world.ladder.pk}
    pages = [
        *addresses_of(teams, **arguments),
        *addresses_of(team_ladders, **ladder),
        *addresses_of(team_policy, **arguments),
    ]
    return [page for page in pages if "/platform/" in page]


def admin_addresses(world) -> list[str]:
    arguments = {"number": world.ana.pk, "name": "email"}
    return [*addresses_of(people_pages, **arguments), *addresses_of(settings_pages, **arguments), "/teams/new/"]


def mine_addresses(world) -> list[str]:
    number = ContactAddress.objects.get(person=world.ana).pk
    arguments = {"number": number, "channel": "email", "urgency": "important"}
    own = [*addresses_of(me, **arguments), *addresses_of(me_addresses, **arguments, token="x")]
    return [page for page in own if page.startswith("/me/")]


def test_charlie_reaches_no_page_of_anas_team_by_any_method(world) -> None:
    client = as_(world.charlie)
    before = list(Membership.objects.values_list("person", "team", "role").order_by("id"))
    assert len(team_addresses(world)) >= 12
    for page in team_addresses(world):
        for method in ("get", "post"):
            response = getattr(client, method)(page)
            assert response.status_code in {403, 405}, (method, page, response.status_code)
            if response.status_code == 403:
                assert "Ask Eva" in text(response)
    assert list(Membership.objects.values_list("person", "team", "role").order_by("id")) == before


def test_olga_reads_the_team_and_changes_nothing(world) -> None:
    client = as_(world.olga)
    readable = {"/teams/platform/", "/teams/platform/policy/"}
    for page in team_addresses(world):
        assert client.get(page).status_code in ({200} if page in readable else {403, 405}), page
        assert page in readable or client.post(page).status_code == 403, page
    assert "Change team" not in text(client.get("/teams/platform/"))
    assert Membership.objects.filter(team=world.team, person=world.ana).exists()


def test_a_member_may_not_change_the_team_but_may_leave_it(world) -> None:
    client = as_(world.ana)
    own = f"/teams/platform/members/{world.ana.pk}/remove/"
    for page in team_addresses(world):
        if page not in {"/teams/platform/", "/teams/platform/policy/", own}:
            assert client.post(page).status_code == 403, page


def test_what_is_for_administrators_is_refused_to_everybody_else(world) -> None:
    for person in (world.ana, world.olga, world.charlie, world.eva):
        client = as_(person)
        for page in admin_addresses(world):
            for method in ("get", "post"):
                assert getattr(client, method)(page).status_code in {403, 405}, (person, method, page)


def test_a_stranger_is_led_to_the_sign_in_from_every_page(world) -> None:
    client = as_(None)
    for page in [*team_addresses(world), *admin_addresses(world), *mine_addresses(world), "/teams/"]:
        response = client.get(page)
        assert response.status_code == 302, page
        assert response["Location"].startswith("/accounts/login/"), page


def test_nobody_reaches_the_addresses_tokens_and_messages_of_somebody_else(world) -> None:
    address = ContactAddress.objects.get(person=world.ana)
    message = addresses.send_test(address, world.ana, world.now)
    token, _ = tokens.create_token(world.ana, "laptop", ["read"], None, world.now)
    for person in (world.ben, world.eva, world.charlie):
        client = as_(person)
        assert client.get(f"/me/addresses/{address.pk}/").status_code == 404
        for deed in ("code", "test", "remove"):
            assert client.post(f"/me/addresses/{address.pk}/{deed}/").status_code == 404
        assert client.get(f"/me/messages/{message.pk}/").status_code == 404
        assert client.post(f"/me/tokens/{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.get(pk=token.pk).revoked_at is None


def test_every_page_of_the_owner_opens(world, admin) -> None:
    client = as_(admin)
    for page in [
        *team_addresses(world),
        *admin_addresses(world),
        "/teams/",
        "/me/",
        "/me/profile/",
        "/me/tokens/",
        "/me/sent/",
    ]:
        status = client.get(page).status_code
        assert status in {200, 405} or (status == 404 and "test-mail" in page), (page, status)


def test_every_field_is_labelled_and_every_complaint_is_tied_to_its_field(world, admin) -> None:
    client = as_(admin)
    pages = [
        *(page for page in team_addresses(world)),
        "/me/profile/", "/me/rules/important/", "/me/tokens/", "/me/addresses/add/ntfy/",
        "/settings/channels/email/", "/people/invite/", "/teams/new/", "/teams/platform/policy/severity_response/",
    ]  # fmt: skip
    for page in pages:
        response = client.get(page)
        if response.status_code != 200:
            continue
        html = response.content.decode()
        for tag in re.findall(r"<(?:input|select|textarea)\b[^>]*>", html):
            if 'type="hidden"' in tag or "aria-label" in tag:
                continue
            number = re.search(r'\bid="([^"]+)"', tag)
            inside = re.search(rf"<label[^>]*>(?:(?!</label>).)*{re.escape(tag)}", html, re.S)
            assert inside or (number and f'for="{number[1]}"' in html), (page, tag)
        assert len(re.findall(r"<h1\b", html)) == 1, page
    wrong = client.post("/me/profile/", {"name": "", "zone": "UTC"}).content.decode()
    described = re.search(r'<input[^>]*name="name"[^>]*aria-describedby="([^"]+)"', wrong)
    assert described
    assert all(f'id="{target}"' in wrong for target in described[1].split())


def test_pages_need_no_script_of_their_own_in_the_page(world, admin) -> None:
    """The policy of the pages allows scripts from our own files only."""
    client = as_(admin)
    for page in ["/me/", "/me/addresses/add/webpush/", "/teams/platform/ladders/new/", "/settings/", "/accounts/2fa/"]:
        html = client.get(page, follow=True).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", html), page
        assert not re.search(r"\son\w+=", html), page


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


def test_an_owner_invites_and_the_invited_joins_and_is_signed_in(world) -> None:
    """ROT-03."""
    page = as_(world.eva).post(
        "/teams/platform/invite/", {"email": "dora@example.org", "name": "Dora", "role": "member"}
    )
    link = re.search(r"http://watchbill\.test(/join/[^<\s]+)", page.content.decode())[1]
    stranger = as_(None)
    assert stranger.get(link).status_code == 200
    assert not Person.objects.get(email="dora@example.org").has_usable_password()
    joined = stranger.post(link, {"name": "Dora", "zone": "Europe/London", "password": "a long sentence nobody knows"})
    assert joined["Location"] == "/me/"
    assert "Dora" in text(stranger.get("/me/"))
    assert as_(None).get(link).status_code == 410


def test_a_ladder_is_built_step_by_step_and_nothing_typed_is_lost(world) -> None:
    client = as_(world.eva)
    page = "/teams/platform/ladders/new/"
    typed = {
        "name": "Nights",
        "repeat": "2",
        "count": "1",
        "s0-targets": ["seat:engineer"],
        "s0-wait_minutes": "7",
        "do": "add",
    }
    html = client.post(page, typed).content.decode()
    assert 'value="Nights"' in html
    assert 'name="s1-wait_minutes"' in html
    assert re.search(r'value="seat:engineer"[^>]*checked', html)
    second = {
        "s1-people": [f"person:{world.ben.pk}"],
        "s1-wait_minutes": "3",
        "s1-weekdays": ["5", "6"],
        "s1-in_coverage": "out",
    }
    moved = client.post(page, {**typed, **second, "count": "2", "do": "up-1"}).content.decode()
    assert re.search(r'name="s0-wait_minutes"[^>]*value="3"|value="3"[^>]*name="s0-wait_minutes"', moved)
    assert client.post(page, {**typed, **second, "count": "2", "do": "save"}).status_code == 302
    made = Ladder.objects.get(name="Nights")
    assert made.repeat == 2
    assert made.steps == [
        {"targets": ["seat:engineer"], "wait_minutes": 7},
        {"targets": [f"person:{world.ben.pk}"], "wait_minutes": 3, "when": {"weekdays": [5, 6], "in_coverage": False}},
    ]
    empty = client.post(page, {"name": "Empty", "repeat": "1", "count": "1", "s0-wait_minutes": "5", "do": "save"})
    assert "pages nobody" in text(empty)


def test_a_stored_ladder_is_shown_as_it_is_and_saving_it_changes_nothing(world) -> None:
    steps = [
        {
            "targets": [f"person:{world.ana.pk}", "team"],
            "wait_minutes": 9,
            "when": {"severities": ["odd"], "in_coverage": True},
        }
    ]
    ladder = ladders.add_ladder(world.team, "Odd", steps, 3, world.eva, world.now)
    client = as_(world.eva)
    page = f"/teams/platform/ladders/{ladder.pk}/"
    html = client.get(page).content.decode()
    fields = {"name": "Odd", "repeat": "3", "count": "1", "do": "save", "s0-wait_minutes": "9", "s0-in_coverage": "in"}
    fields |= {"s0-targets": ["team"], "s0-people": [f"person:{world.ana.pk}"], "s0-severities": ["odd"]}
    assert re.search(r'value="odd"[^>]*checked', html)
    client.post(page, fields)
    assert {target for step in Ladder.objects.get(pk=ladder.pk).steps for target in step["targets"]} == {
        f"person:{world.ana.pk}",
        "team",
    }


def test_a_rule_is_changed_in_the_browser_with_a_reason_and_the_difference_is_shown(world) -> None:
    """COM-10, PRI-10."""
    client = as_(world.eva)
    page = "/teams/platform/policy/acknowledgement_expires/"
    assert "This field is required" in text(client.post(page, {"rule-minutes": "45", "why": ""}))
    assert Policy.objects.filter(team=world.team).count() == 1
    client.post(page, {"rule-minutes": "45", "why": "half an hour was too short"})
    shown = text(client.get("/teams/platform/policy/"))
    assert "half an hour was too short" in shown
    assert "acknowledgement expires › minutes" in shown


def test_severities_are_a_table_that_comes_back_as_it_was(world) -> None:
    client = as_(world.eva)
    page = "/teams/platform/policy/severity_response/"
    html = client.get(page).content.decode()
    assert html.count('name="rule-severities-0-key" value="critical"') == 1
    table = {
        "rule-severities-0-key": "sev1", "rule-severities-0-respond": "page_now", "rule-severities-0-urgency": "important",
        "rule-severities-0-within_hours": "48", "rule-severities-1-key": "sev2", "rule-severities-1-respond": "list_due",
        "rule-severities-1-urgency": "default", "rule-severities-1-within_hours": "12", "rule-severities-2-key": "",
    }  # fmt: skip
    client.post(
        page, {**table, "rule-words": "critical = sev1\nwarning = sev2", "rule-unknown": "sev1", "why": "our words"}
    )
    settings_ = Policy.objects.get(team=world.team, version=2).settings["rules"]["severity_response"]
    assert list(settings_["severities"]) == ["sev1", "sev2"]
    assert settings_["severities"]["sev2"]["within_hours"] == 12
    assert settings_["words"] == {"critical": "sev1", "warning": "sev2"}
    wrong = client.post(page, {**table, "rule-words": "no equals sign", "rule-unknown": "sev1", "why": "x"})
    assert "word = meaning" in text(wrong)


def test_coverage_is_changed_by_windows(world) -> None:
    client = as_(world.eva)
    fields = {"w0-weekdays": ["0", "1"], "w0-start": "08:00", "w0-end": "18:00", "why": "office hours"}
    client.post("/teams/platform/policy/coverage/", fields)
    assert Policy.objects.get(team=world.team, version=2).settings["coverage"] == [
        {"weekdays": [0, 1], "start": "08:00", "end": "18:00"}
    ]
    assert "08:00" in client.get("/teams/platform/policy/coverage/").content.decode()


def test_an_administrator_makes_a_team_from_a_preset(world, admin) -> None:
    response = as_(admin).post("/teams/new/", {"name": "Ops", "zone": "Europe/London", "preset": "laa-ops"})
    assert response["Location"] == "/teams/ops/"
    assert as_(admin).get("/teams/ops/").status_code == 200


def test_an_administrator_switches_an_account_off_and_it_is_signed_out(world, admin) -> None:
    ana = as_(world.ana)
    assert ana.get("/me/").status_code == 200
    page = as_(admin).post(f"/people/{world.ana.pk}/deactivate/", follow=True)
    assert "engineer of Platform" in text(page)
    assert ana.get("/me/").status_code == 302


def test_a_mail_servers_password_is_never_shown_and_an_empty_one_keeps_it(world, admin) -> None:
    before = settings.CHANNEL_SETTINGS
    settings.CHANNEL_SETTINGS = {}
    try:
        client = as_(admin)
        values = {
            "host": "mail.example.org",
            "port": "587",
            "security": "starttls",
            "username": "watch",
            "timeout": "10",
        }
        values |= {"sender": "watch@example.org", "password": "a secret word"}
        assert client.post("/settings/channels/email/", values).status_code == 302
        assert "a secret word" not in client.get("/settings/channels/email/").content.decode()
        client.post("/settings/channels/email/", {**values, "host": "smtp.example.org", "password": ""})
        stored = InstanceSetting.objects.get(name="channel.email").value
        assert (stored["host"], stored["password"]) == ("smtp.example.org", "a secret word")
    finally:
        settings.CHANNEL_SETTINGS = before


def test_what_the_environment_says_is_not_changed_in_the_browser(world, admin) -> None:
    values = {"host": "evil.example", "port": "25", "security": "none", "sender": "x@example.org", "timeout": "10"}
    response = as_(admin).post("/settings/channels/email/", values)
    assert "set in the environment" in text(response)
    assert not InstanceSetting.objects.filter(name="channel.email").exists()


def test_a_test_mail_to_me_shows_its_answer(world, admin) -> None:
    client = as_(admin)
    page = client.post("/settings/test-mail/")["Location"]
    world.work()
    assert "250 taken" in text(client.get(page))


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


def test_calendar_addresses_are_ended_by_whom_they_belong_to(world) -> None:
    as_(world.ana).post("/me/calendar/end/")
    as_(world.eva).post("/teams/platform/calendar/end/")
    assert Person.objects.get(pk=world.ana.pk).feed_version == 2
    assert Team.objects.get(pk=world.team.pk).feed_version == 2


def test_the_app_has_a_manifest_and_a_service_worker_at_its_root(world) -> None:
    client = as_(None)
    manifest = client.get("/manifest.webmanifest").json()
    assert manifest["display"] == "standalone"
    worker = client.get("/sw.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert b"showNotification" in b"".join(worker.streaming_content)
    assert len(pwa.URLS) == 2


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


def test_every_page_module_is_routed() -> None:
    known = {str(pattern.pattern) for pattern in get_resolver().url_patterns}
    for module in (me, me_addresses, teams, team_ladders, team_policy, people_pages, settings_pages, first_run, pwa):
        assert {str(url.pattern) for url in module.URLS} <= known
