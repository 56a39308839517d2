"""A request from the public page to resolved and rated, by two people side by side, each in a browser of their own.

Ria asks and has no account; Ana stands the watch. What each does the other sees, and nobody loads a page again to see
what arrived at the desk. At the end both change their screens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import monotonic

import pytest
from playwright.sync_api import Browser, expect

from tests.walks.browser import DESK, PHONE, Side, chromium, follow, side_of, sign_in
from tests.walks.serving import Served, newest_mail, serving, wait_for
from tests.world import Mailbox
from watchbill.entry.web.pages.support_page import QUICKEST

PASSWORD = "correct horse 9"
BUILD = """
from datetime import timedelta
from watchbill.actions import catalogue, desk_settings, first_run, people, rota, teams
from watchbill.db.models import ContactAddress, NotificationRule
from watchbill.entry.clock import now as read_clock
now = read_clock()
ana = people.create_first_person("ana@example.org", "Ana Lima", values["password"], "Europe/London", now)
first_run.remember(ana, now, done=True)
address = ContactAddress.objects.get(person=ana)
address.verified_at = now
address.save()
team = teams.create_team("Platform", "Europe/London", "laa-ops", ana, now)
catalogue.add_service(team, {"name": "Sign-in", "environment": "production", "ladder": team.ladders.get().pk}, ana, now)
monday = (now - timedelta(days=now.weekday() + 7)).date().isoformat()
settings = {"zone": "UTC", "unit": "week", "handoff_at": "00:00", "starts_on": monday,
            "seats": [{"name": "day and night"}], "members": [{"person": ana.pk}]}
rota.create_rotation(team, "Day and night", settings, ana, now)
page = {"is_public": True, "what": "Sign-in and whatever is behind it.", "escalation": "Ask for more urgency on your request.",
        "contacts": [{"name": "Ana Lima", "how": "by day", "person": ana.pk}]}
desk_settings.change_desk(team, page, ana, now)
question = {"question": "I forgot my password", "answer": "Follow **Forgotten?** below the form."}
desk_settings.add_faq(team, question, ana, now)
words = {"kind": "update", "name": "We have found it", "text": "Hello {requester},\\n\\nwe have found what is wrong with “{title}”."}
desk_settings.add_canned(team, words, ana, now)
"""
ASKED = "Nobody can sign in to the wiki"
SECRET = "The certificate of the old proxy again. Do not say so before the review."


@pytest.fixture
def desk(tmp_path, mail_server: Mailbox) -> Iterator[Served]:
    """An instance with one team, whose desk is open and whose watch Ana stands."""
    mail_server.clear()
    smtp = f"smtp://127.0.0.1:{mail_server.port}/?from=watch@example.org"
    with serving(tmp_path / "data", WATCHBILL_SMTP_URL=smtp) as served:
        served.run(BUILD, password=PASSWORD)
        yield served


def test_a_request_goes_from_the_public_page_to_resolved_and_rated_by_two_people_side_by_side(desk, mail_server):
    """INT-08, INT-09, INT-10, INT-13, TRI-01, TRI-04, TRI-16, MET-02: what one does the other sees, at both widths."""
    with chromium() as browser:
        asking = side_of(browser, PHONE, java_script_enabled=False)
        engineer = side_of(browser, DESK)
        sign_in(engineer.page, desk.url, "ana@example.org", PASSWORD)
        engineer.page.goto(f"{desk.url}/requests/")
        engineer.look("the inbox, empty")
        read_the_answers_and_ask(asking, desk)
        ria = side_of(browser, PHONE)
        open_the_link_of_the_confirmation(ria, desk, mail_server)
        take_what_arrives(engineer)
        answer_with_ready_words(engineer)
        read_and_reply(ria)
        make_a_ticket_over_the_box(engineer)
        move_it_by_keyboard(engineer, desk)
        resolve_it(engineer)
        rate_with_one_click(ria, engineer)
        reopen_by_reply(ria, engineer)
        for side in (asking, ria, engineer):
            side.check()
        swap_screens(browser, engineer, desk, mail_server)


def read_the_answers_and_ask(asking: Side, desk: Served) -> None:
    """Without an account and without JavaScript: answers first, then the form; too quick a send loses nothing typed."""
    page = asking.page
    page.goto(f"{desk.url}/support/platform/")
    opened = monotonic()
    page.get_by_text("I forgot my password").click()
    expect(page.get_by_text("below the form")).to_be_visible()
    asking.look("the public page")
    page.get_by_label("What is it?").select_option(label="A request to the team")
    page.get_by_label("In one line").fill(ASKED)
    page.get_by_label("What happened").fill("Since nine o'clock.\nIt says 502.")
    page.get_by_label("Your name").fill("Ria Moss")
    page.get_by_label("Your mail address").fill("ria@example.net")
    wait_for(lambda: monotonic() - opened > QUICKEST + 1)
    asking.press("Send it to Platform")
    expect(page.get_by_role("heading", name=re.compile(r"We have it as R-1\."))).to_be_visible()
    expect(page.get_by_text("You hear from us by")).to_be_visible()
    asking.look("thank you")


def open_the_link_of_the_confirmation(ria: Side, desk: Served, mail_server: Mailbox) -> None:
    """The mail says what is next and by when; its link is the requester's own page (INT-09)."""
    mail = newest_mail(mail_server, "ria@example.net", "we have your request")
    assert "What is quick or mainly advice is answered at once" in mail
    assert re.search(r"You hear from us by \w+day \d+ \w+, \d\d:\d\d \(Europe/London\)\.", mail)
    ria.page.goto(f"{desk.url}/support/platform/")
    ria.look("the public page")
    ria.page.goto(re.search(r"http://\S+/r/\S+", mail).group())
    expect(ria.page.get_by_text("With us", exact=True)).to_be_visible()
    ria.look("the requester's page, open")


def take_what_arrives(engineer: Side) -> None:
    """It stands in the inbox by itself; one press takes it, one starts the clock (INT-08)."""
    page = engineer.page
    expect(page.get_by_role("link", name=ASKED)).to_be_visible()
    engineer.look("the inbox")
    follow(page.get_by_role("link", name=ASKED))
    engineer.look("a request that nobody has")
    engineer.press("Take it")
    expect(page.get_by_text("· you have it")).to_be_visible()
    engineer.press("Start the clock")
    expect(page.get_by_role("button", name="Stop the clock").first).to_be_visible()
    page.get_by_role("textbox", name="Note for the team").fill(SECRET)
    engineer.press("Add the note")
    expect(page.get_by_text(SECRET)).to_be_visible()
    engineer.look("a request with its clock")


def answer_with_ready_words(engineer: Side) -> None:
    """A ready message fills the box; sent, the requester has the ball (TRI-16, INT-13)."""
    page = engineer.page
    page.get_by_label("or begin with").select_option("We have found it")
    expect(page.get_by_role("textbox", name="Write to them")).to_have_value(re.compile("Hello Ria Moss,"))
    page.get_by_role("textbox", name="Write to them").press("End")
    page.get_by_label("Then it waits for").select_option("requester")
    engineer.press("Send", page.locator("#answer-form"))
    expect(page.get_by_text("it waits for Ria Moss").first).to_be_visible()


def read_and_reply(ria: Side) -> None:
    """Her page shows the answer and that it is her turn; her reply gives the ball back."""
    page = ria.page
    page.reload()
    expect(page.get_by_text("we have found what is wrong with")).to_be_visible()
    expect(page.get_by_text("With you", exact=True)).to_be_visible()
    ria.look("the requester's page, her turn")
    page.get_by_role("textbox", name="Write to us").fill("It is the same on my phone.")
    ria.press("Send")
    expect(page.get_by_text("With us", exact=True)).to_be_visible()
    assert SECRET not in page.content()
    assert "Note" not in page.inner_text("main")


def make_a_ticket_over_the_box(engineer: Side) -> None:
    """Her reply is there by itself; over the box the clock proposes a ticket, written from the conversation (TRI-04)."""
    page = engineer.page
    expect(page.get_by_text("It is the same on my phone.")).to_be_visible()
    engineer.press("Log 30 minutes")
    page.get_by_role("link", name="Make a ticket").first.click()
    form = page.locator("#do-ticket")
    expect(form.get_by_label("Title")).to_be_visible()
    expect(form.get_by_label("Title")).to_have_value(ASKED)
    form.get_by_label("Points").fill("2")
    engineer.press("Write the ticket", form)
    expect(page.get_by_role("link", name=f"T-1 {ASKED}")).to_be_visible()
    engineer.look("a request with its ticket")


def move_it_by_keyboard(engineer: Side, desk: Served) -> None:
    """On the board the arrows move the card that has the focus; each move is kept."""
    page = engineer.page
    follow(page.get_by_role("link", name=f"T-1 {ASKED}"))
    expect(page.locator(".prose").get_by_text("It is the same on my phone.")).to_be_visible()
    assert SECRET not in page.content()
    engineer.look("a ticket")
    page.goto(f"{desk.url}/board/")
    engineer.look("the board")
    card = page.locator("#open-1")
    for stage in ("in_progress", "waiting", "done"):
        card.focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator(f"[data-stage={stage}] #card-1")).to_be_visible()
        expect(card).to_be_focused()
    engineer.look("the board, done")
    # What somebody else moves is there by itself, after one's own moves as well.
    page.evaluate(
        """() => { const form = new FormData(document.getElementById("cards")); form.set("move", "1:in_progress");
                   return fetch("/board/move/", {method: "POST", body: form}).then((answer) => answer.status); }"""
    )
    expect(page.locator("[data-stage=in_progress] #card-1")).to_be_visible()


def resolve_it(engineer: Side) -> None:
    page = engineer.page
    page.goto(page.url.partition("/board/")[0] + "/requests/1/")
    form = page.locator("#do-resolve")
    form.locator("summary").click()
    form.get_by_label("Tell them").fill("The old proxy is gone; please try again.")
    engineer.press("Resolve", form)
    expect(page.locator(".story-head .state.done")).to_be_visible()
    engineer.look("a resolved request")


def rate_with_one_click(ria: Side, engineer: Side) -> None:
    """She says how it was with one click, and whoever helped sees it (MET-02)."""
    page = ria.page
    page.reload()
    expect(page.get_by_text("The old proxy is gone; please try again.").first).to_be_visible()
    ria.look("the requester's page, resolved")
    follow(page.get_by_role("button", name=re.compile("Very good")))
    expect(page.get_by_text("Thank you. That helps us.")).to_be_visible()
    expect(engineer.page.get_by_text("5 of 5").first).to_be_visible()


def reopen_by_reply(ria: Side, engineer: Side) -> None:
    page = ria.page
    page.get_by_role("textbox", name="Write to us").fill("Now it says 503.")
    ria.press("Send")
    expect(page.get_by_text("With us", exact=True)).to_be_visible()
    assert SECRET not in page.content()
    expect(engineer.page.get_by_text("Now it says 503.")).to_be_visible()
    expect(engineer.page.locator(".story-head").get_by_text("With us", exact=True)).to_be_visible()


def swap_screens(browser: Browser, before: Side, desk: Served, mail_server: Mailbox) -> None:
    """The engineer has the phone and the requester the desk."""
    asking = side_of(browser, DESK)
    engineer = side_of(browser, PHONE, storage_state=before.page.context.storage_state())
    page = asking.page
    page.goto(f"{desk.url}/support/platform/")
    opened = monotonic()
    asking.look("the public page")
    engineer.page.goto(f"{desk.url}/requests/")
    engineer.look("the inbox")
    page.get_by_label("In one line").fill("How long are logs kept?")
    page.get_by_label("Your name").fill("Tom")
    page.get_by_label("Your mail address").fill("tom@example.net")
    wait_for(lambda: monotonic() - opened > QUICKEST + 1)
    asking.press("Send it to Platform")
    expect(page.get_by_text("You hear from us by")).to_be_visible()
    asking.look("thank you")
    follow(page.get_by_role("link", name="Open it"))
    asking.look("the requester's page, open")
    answer_by_thumb(engineer)
    newest_mail(mail_server, "tom@example.net", "Ninety days.")
    page.reload()
    expect(page.get_by_text("Ninety days.").first).to_be_visible()
    follow(page.get_by_role("button", name=re.compile("Very good")))
    expect(page.get_by_text("Thank you. That helps us.")).to_be_visible()
    asking.look("the requester's page, rated")
    for side in (asking, engineer):
        side.check()


def answer_by_thumb(engineer: Side) -> None:
    """What is done first lies under the thumb."""
    page = engineer.page
    follow(page.get_by_role("link", name="How long are logs kept?"))
    engineer.look("a request that nobody has")
    thumb = page.locator(".thumb").get_by_role("button", name="Take it", exact=True)
    box = thumb.bounding_box()
    assert box["height"] >= 44
    assert box["y"] > PHONE["height"] / 2
    follow(thumb)
    expect(page.get_by_text("· you have it")).to_be_visible()
    page.get_by_role("textbox", name="Write to them").fill("Ninety days.")
    page.get_by_label("Then it waits for").select_option("resolved")
    engineer.press("Send", page.locator("#answer-form"))
    expect(page.locator(".story-head .state.done")).to_be_visible()
    engineer.look("a resolved request")
