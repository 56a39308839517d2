"""An incident from one step to its post-mortem, by three people at once, each in a browser of their own.

Ana is on watch and commands, Ben tells people, from his phone; Cleo reads along and never loads the page again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.walks.browser import DESK, PHONE, Side, chromium, follow, side_of, sign_in
from tests.walks.serving import Served, newest_mail, serving, wait_for
from tests.world import Mailbox

PASSWORD = "correct horse 9"
BUILD = """
from datetime import timedelta
from watchbill.actions import catalogue, first_run, people, rota, statuspage, teams
from watchbill.db.models import ContactAddress, Membership
from watchbill.entry.clock import now as read_clock
now = read_clock()
ana = people.create_first_person("ana@example.org", "Ana Lima", values["password"], "Europe/London", now)
first_run.remember(ana, now, done=True)
others = []
for email, name in (("ben@example.org", "Ben Okafor"), ("cleo@example.org", "Cleo Marsh")):
    invited = people.create_person(email, name, ana, now)
    others.append(people.accept_invitation(invited.token, name, values["password"], now, zone="Europe/London"))
ContactAddress.objects.update(verified_at=now)
team = teams.create_team("Cluster", "Europe/London", "operate-first", ana, now, members=others, fallback=ana)
reads = Membership.objects.get(team=team, person=others[1])
teams.change_member(reads, {"role": "observer", "skills": []}, ana, now)
monday = (now - timedelta(days=now.weekday() + 7)).date().isoformat()
settings = {"zone": "UTC", "unit": "week", "handoff_at": "00:00", "starts_on": monday,
            "seats": [{"name": "day and night"}], "members": [{"person": ana.pk}]}
rota.create_rotation(team, "Day and night", settings, ana, now)
service = {"name": "Notebooks", "environment": "production", "ladder": team.ladders.get().pk}
service = catalogue.add_service(team, service, ana, now)
page = statuspage.create(team, {"title": "Cluster status", "slug": "cluster", "is_public": True}, ana, now)
statuspage.add_component(page, service, {"name": "Notebooks"}, ana, now)
"""
TITLE = "Notebooks end after a minute"
DECISION = "Drain node 7, and do not wait for the vendor."
PUBLIC = "Notebooks end by themselves since nine."


@pytest.fixture
def cluster(tmp_path, mail_server: Mailbox) -> Iterator[Served]:
    """An instance with one team of two and an observer, and its public status page."""
    mail_server.clear()
    smtp = f"smtp://127.0.0.1:{mail_server.port}/?from=watch@example.org"
    with serving(tmp_path / "data", WATCHBILL_SMTP_URL=smtp) as served:
        served.run(BUILD, password=PASSWORD)
        yield served


def somebody(browser: Browser, served: Served, name: str, viewport: dict[str, int]) -> Side:
    side = side_of(browser, viewport)
    sign_in(side.page, served.url, f"{name}@example.org", PASSWORD)
    return side


def test_an_incident_goes_from_one_step_to_its_post_mortem_by_three_people_at_once(cluster, mail_server):
    """INC-01, INC-08, ROL-08, ROL-09, COM-07, PM-05, PM-08: what one does the others see, at both widths."""
    with chromium() as browser:
        ana = somebody(browser, cluster, "ana", DESK)
        ben = somebody(browser, cluster, "ben", PHONE)
        cleo = somebody(browser, cluster, "cleo", DESK)
        declare(ana, cluster)
        read_along(cleo, cluster)
        take_command(ana, cleo)
        speak_for_it(ben, cleo, cluster, mail_server)
        decide(ana, cleo)
        the_public_reads_it(cleo, cluster)
        bring_it_to_an_end(ana, cleo)
        write_at_the_same_time(ana, ben, cluster)
        make_a_ticket_of_an_action(ana, cluster)
        for side in (ana, ben, cleo):
            side.check()
        ask_to_close(ana, cluster)


def declare(ana: Side, cluster: Served) -> None:
    """A title and what people feel, on one page (INC-01)."""
    page = ana.page
    page.goto(f"{cluster.url}/incidents/new/")
    page.get_by_label("What is wrong?").fill(TITLE)
    page.get_by_label("What do people feel?").fill("Whoever computes loses the work of an hour.")
    page.get_by_label("A service or a cluster is down for all").check()
    page.locator("#more summary").click()
    page.get_by_label("Notebooks").check()
    ana.look("declaring")
    ana.press("Declare it")
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()


def read_along(cleo: Side, cluster: Served) -> None:
    page = cleo.page
    page.goto(f"{cluster.url}/incidents/")
    cleo.look("the list")
    follow(page.get_by_role("link", name=re.compile(TITLE)).first)
    expect(timeline(page).get_by_text("Ana Lima declared it")).to_be_visible()
    expect(page.get_by_role("button", name="Write it down")).to_have_count(0)


def timeline(page: Page):
    return page.locator("ol.timeline.story")


def take_command(ana: Side, cleo: Side) -> None:
    """The team's order asks her for both; she commands, and says no to the other without a reason (ROL-08, ROL-09)."""
    page = ana.page
    ana.look("an incident, asked for two roles")
    ana.press("I have it")
    ana.press("Yes, I take it", page.get_by_role("region", name="Will you be Incident commander?"))
    ana.press("Not this time", page.get_by_role("region", name="Will you be Communications coordinator?"))
    expect(page.locator(".story-head").get_by_text("you command")).to_be_visible()
    expect(cleo.page.locator(".story-head").get_by_text("Ana Lima commands")).to_be_visible()
    cleo.look("an incident, as an observer")


def speak_for_it(ben: Side, cleo: Side, cluster: Served, mail_server: Mailbox) -> None:
    """He is asked next, by mail, and says yes in one tap; what he writes shows as its readers will read it, then leaves."""
    asked = newest_mail(mail_server, "ben@example.org", "Communications coordinator")
    page = ben.page
    page.goto(re.search(r"http://\S+/o/\S+", asked).group())
    ben.look("an offer, behind its link")
    ben.press("Accept")
    expect(page.get_by_text("You are Communications coordinator")).to_be_visible()
    follow(page.get_by_role("link", name="Open in Watchbill"))
    expect(cleo.page.locator("#role-liaison").get_by_text("Ben Okafor")).to_be_visible()
    page.locator("#do-update > summary").click()
    group = page.get_by_role("group", name="The public page")
    group.get_by_label("What is happening, and why").fill(PUBLIC)
    group.get_by_label("What we are doing").fill("We move people to other machines.")
    group.get_by_label("What we are going to do").fill("New notebooks start elsewhere from ten.")
    expect(page.locator("#update-reads").get_by_text(PUBLIC)).to_be_visible()
    ben.look("an update, as it will read")
    ben.press("Tell them")
    expect(page.get_by_text("The update is on its way.")).to_be_visible()


def decide(ana: Side, cleo: Side) -> None:
    """What she writes down stands before the reader's eyes at once (INC-08)."""
    page = ana.page
    page.get_by_label("Write what happened").fill(DECISION)
    page.get_by_label("As", exact=True).select_option("decision")
    ana.press("Write it down")
    expect(timeline(cleo.page).get_by_text(DECISION)).to_be_visible()


def the_public_reads_it(cleo: Side, cluster: Served) -> None:
    """Under a title that names what the public knows; neither the incident's own title nor a note stands there."""
    address = f"{cluster.url}/status/cluster/"
    wait_for(lambda: PUBLIC in httpx2.get(address).text)
    public = side_of(cleo.page.context.browser, PHONE)
    public.page.goto(address)
    expect(public.page.get_by_text("Trouble with Notebooks").first).to_be_visible()
    public.look("the public page, in trouble")
    assert TITLE not in public.page.content()
    assert DECISION not in public.page.content()
    public.page.context.close()
    public.check()


def bring_it_to_an_end(ana: Side, cleo: Side) -> None:
    ana.press("People no longer feel it")
    expect(cleo.page.locator(".story-head").get_by_text("Mitigated", exact=True)).to_be_visible()
    ana.press("All is normal")
    expect(cleo.page.locator(".story-head").get_by_text("Resolved", exact=True)).to_be_visible()
    expect(ana.page.get_by_text("Before it can be closed")).to_be_visible()


def write_at_the_same_time(ana: Side, ben: Side, cluster: Served) -> None:
    """The draft stands there with what was decided; words that meet in one place are both kept, then settled (PM-05)."""
    address = f"{cluster.url}/postmortems/1/"
    for side in (ana, ben):
        side.page.goto(address)
        summary_of(side.page).locator("summary").first.click()
    expect(ana.page.locator(".prose").get_by_text(DECISION).first).to_be_visible()
    ana.look("a post-mortem's draft")
    for side, words in ((ana, "One node lost its memory."), (ben, "Nobody could compute for an hour.")):
        summary_of(side.page).get_by_label("Words").fill(words)
    ana.press("Save", summary_of(ana.page))
    ben.press("Save", summary_of(ben.page))
    kept = summary_of(ben.page)
    expect(kept.get_by_text("These words are set aside")).to_be_visible()
    expect(kept.locator("pre").get_by_text("Nobody could compute for an hour.")).to_be_visible()
    expect(kept.locator("div.prose").get_by_text("One node lost its memory.")).to_be_visible()
    ben.look("words set aside")
    both = "Nobody could compute for an hour. One node lost its memory."
    kept.get_by_label("Make one text of both").fill(both)
    ben.press("Settled", kept)
    expect(summary_of(ben.page).locator("div.prose").get_by_text(both)).to_be_visible()
    expect(ben.page.get_by_text("These words are set aside")).to_have_count(0)


def summary_of(page: Page):
    return page.get_by_role("region", name="Summary", exact=True)


def make_a_ticket_of_an_action(ana: Side, cluster: Served) -> None:
    """One line in the meeting is a ticket with an owner (PM-08)."""
    page = ana.page
    page.get_by_label("What is to be done").fill("Alert before a node is full @ben #technical #detect")
    ana.press("Make the ticket")
    follow(page.get_by_role("link", name="Alert before a node is full"))
    expect(page.get_by_role("heading", name="Alert before a node is full")).to_be_visible()
    expect(page.get_by_text("Ben Okafor").first).to_be_visible()


def ask_to_close(ana: Side, cluster: Served) -> None:
    """It is refused with all that is missing; the browser notes the refusal itself, so nobody is checked after it."""
    page = ana.page
    page.goto(f"{cluster.url}/incidents/1/")
    ana.press("Close it")
    expect(page.get_by_text("it cannot be closed yet").first).to_be_visible()
    expect(page.locator(".story-head").get_by_text("Resolved", exact=True)).to_be_visible()
