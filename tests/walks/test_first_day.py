"""The first day of a new user, in a real browser: set up, be paged for real, see an alert arrive live, answer it on a phone."""

from __future__ import annotations

import re

import httpx2
import pytest

from tests.walks.browser import DESK, PHONE, chromium, complaints_of, follow
from tests.walks.serving import serving, wait_for

PASSWORD = "a long way from home 7"


@pytest.fixture
def fresh(tmp_path, mail_server):
    """A fresh instance that nobody has claimed, with a mail server."""
    mail_server.clear()
    smtp = f"smtp://127.0.0.1:{mail_server.port}/?from=watch@example.org"
    with serving(tmp_path / "data", is_new=True, WATCHBILL_SMTP_URL=smtp) as served:
        yield served


def newest_mail(mail_server, words: str) -> str:
    """Wait for a mail whose subject has these words, and give its text."""
    mail = wait_for(lambda: [m for m in mail_server.messages if words.lower() in m["Subject"].lower()])[-1]
    return mail.get_body(("plain",)).get_content()


def test_a_new_user_sets_up_is_paged_and_answers_an_alert_on_a_phone(fresh, mail_server):
    with chromium() as browser:
        page = browser.new_page(viewport=DESK)
        said = complaints_of(page)
        claim_the_instance(page, fresh)
        make_a_team_and_a_service(page, mail_server)
        be_paged_and_answer(page, browser.new_page(viewport=PHONE), mail_server)
        key = connect_a_monitor(page, fresh)
        phone = browser.new_context(viewport=PHONE, storage_state=page.context.storage_state()).new_page()
        complaints = complaints_of(phone)
        answer_an_alert_that_arrives_live(phone, fresh, key)
        assert said == []
        assert complaints == []


def claim_the_instance(page, fresh):
    """The set-up code makes the first account; a wrong one loses nothing typed."""
    page.goto(fresh.url)
    page.get_by_label("Set-up code").fill("not the code")
    page.get_by_label("Your name").fill("Ana Lima")
    page.get_by_label("E-mail").fill("ana@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Make my account"))
    assert page.get_by_label("Your name").input_value() == "Ana Lima", "nothing typed is lost"
    page.get_by_label("Set-up code").fill(fresh.code)
    page.get_by_label("Password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Make my account"))


def make_a_team_and_a_service(page, mail_server):
    """A preset's team, a service, and an address verified by the code that was mailed."""
    page.get_by_label("Name", exact=True).fill("Platform")
    follow(page.get_by_role("button", name="Make the team"))

    page.get_by_label("What do you keep running?").fill("checkout")
    follow(page.get_by_role("button", name="Add the service"))
    follow(page.get_by_role("button", name=re.compile("Send a code to")))
    code = re.search(r"\b\d{6}\b", newest_mail(mail_server, "code")).group(0)
    page.get_by_label("Code").fill(code)
    follow(page.get_by_role("button", name="Verify this address"))


def be_paged_and_answer(page, phone, mail_server):
    """The set-up ends with a real page, answered by its link."""
    follow(page.get_by_role("button", name="Page me now"))
    mail = newest_mail(mail_server, "page")
    link = re.search(r"http://\S+/a/\S+", mail).group(0)
    phone.goto(link)
    follow(phone.get_by_role("button", name="Acknowledge"))
    page.get_by_text("It works: you were paged and you answered.").wait_for()
    follow(page.get_by_role("button", name="Finish"))


def connect_a_monitor(page, fresh) -> str:
    """A monitor's key, shown once it is connected."""
    page.goto(fresh.url + "/services/checkout/")
    page.get_by_label("Tool").select_option(label="PagerDuty-compatible (Events API v2)")
    follow(page.get_by_role("button", name="Connect", exact=True))
    return re.search(r"\b[0-9a-f]{32}\b", page.inner_text("main")).group(0)


def answer_an_alert_that_arrives_live(phone, fresh, key):
    """Now shows the alert without reload; one thumb answers it; its resolution shows by itself."""
    phone.goto(fresh.url)
    event = {
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": "checkout-5xx",
        "payload": {"summary": "Checkout answers 5xx", "source": "lb1", "severity": "critical"},
    }
    assert httpx2.post(fresh.url + "/v2/enqueue", json=event, timeout=30).status_code == 202
    arrived = phone.get_by_role("link", name=re.compile("Checkout answers 5xx")).first
    follow(arrived)
    thumb = phone.locator(".thumb").get_by_role("button", name="Acknowledge")
    box = thumb.bounding_box()
    assert box["height"] >= 44
    assert box["y"] > PHONE["height"] / 2, "the one thing to do is under the thumb"
    follow(thumb)
    phone.get_by_text("Acknowledged").first.wait_for()

    httpx2.post(fresh.url + "/v2/enqueue", json={**event, "event_action": "resolve"}, timeout=30)
    phone.get_by_text("Resolved").first.wait_for()
