"""Who reaches the pages of me, teams, people and settings, and what every one of them keeps."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.urls import get_resolver

from tests.doors.people_pages import (
    admin_addresses,
    as_,
    mine_addresses,
    team_addresses,
    text,
)
from watchbill.actions import addresses, tokens
from watchbill.db.models import (
    ApiToken,
    ContactAddress,
    InstanceSetting,
    Membership,
    Person,
)
from watchbill.entry import clock
from watchbill.entry.web.pages import first_run, me, me_addresses, pwa, team_ladders, team_policy, teams
from watchbill.entry.web.pages import people as people_pages
from watchbill.entry.web.pages import settings as settings_pages


@pytest.fixture
def world(world, monkeypatch):
    """The pages read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


@pytest.fixture
def admin(world) -> Person:
    world.eva.is_superuser = True
    world.eva.save()
    return world.eva


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


def test_the_app_has_a_manifest_and_a_service_worker_at_its_root(world) -> None:
    client = as_(None)
    manifest = client.get("/manifest.webmanifest").json()
    assert manifest["display"] == "standalone"
    worker = client.get("/sw.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert b"showNotification" in b"".join(worker.streaming_content)
    assert len(pwa.URLS) == 2


def test_every_page_module_is_routed() -> None:
    known = {str(pattern.pattern) for pattern in get_resolver().url_patterns}
    for module in (me, me_addresses, teams, team_ladders, team_policy, people_pages, settings_pages, first_run, pwa):
        assert {str(url.pattern) for url in module.URLS} <= known
