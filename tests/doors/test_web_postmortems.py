"""The pages of post-mortems: written in place, never lost, never seen by strangers, published without names."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile as File
from django.test import Client

from tests.actions.postmortem_cast import adopt_rules, an_outage, the_postmortem, write
from tests.actions.test_report_import import REPORT
from tests.doors.web_world import Cast
from tests.world import World
from watchbill.actions import action_items, postmortem_meeting, postmortems
from watchbill.actions.action_items import Wanted
from watchbill.db.models import ActionItem, PostMortem, Publication

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_(world: World) -> Cast:
    return Cast(world)


EVERYWHERE = {"sections": {"avoid": {"heading": "How"}}, "reviewer": "nobody", "publish_to": ["page"]}


def test_a_section_is_written_in_place_and_words_that_blame_get_a_kinder_hint(as_: Cast, world: World) -> None:
    """PM-06."""
    adopt_rules(world)
    an_outage(world)
    client = as_.ana
    one = the_postmortem()
    section = one.sections.get(key="factors")
    said = {"section": section.pk, "version": 0, "text": "Ben should have known about the date."}
    page = client.post(f"/postmortems/{one.pk}/section/", said, follow=True).content.decode()
    assert "Ben should have known" in page
    assert "may sound like blame" in page
    theirs = {**said, "text": "Somebody else wrote here."}
    page = client.post(f"/postmortems/{one.pk}/section/", theirs, follow=True).content.decode()
    assert "set aside" in page
    assert "Somebody else wrote here." in page


def test_which_message_left_by_which_way_is_folded_away(as_: Cast, world: World) -> None:
    adopt_rules(world)
    an_outage(world)
    postmortem_meeting.plan(the_postmortem().pk, world.now + timedelta(days=2), world.ana, world.now)
    world.work()
    story = as_.ana.text(f"/postmortems/{the_postmortem().pk}/").partition('id="story"')[2].partition("</section>")[0]
    told, _, messages = story.partition('<details id="messages">')
    assert "told Ana" in told
    assert "planned" in told
    assert ("left: 250" in told, "a mail left" in told) == (False, False)
    assert "email to Ana left: 250" in messages
    assert "a mail left, the meeting of post-mortem" in messages, "an invitation is a message too"


def test_a_line_makes_a_ticket_and_what_is_refused_is_said(as_: Cast, world: World) -> None:
    """PM-08: the tickets are made in the room."""
    adopt_rules(world)
    an_outage(world)
    client = as_.ana
    one = the_postmortem()
    client.post(f"/postmortems/{one.pk}/line/", {"line": "Alert earlier @ben in 7 days #detect smallest"})
    item = ActionItem.objects.get()
    assert (item.ticket.title, item.ticket.assignee, item.purpose, item.is_smallest) == (
        "Alert earlier", world.ben, "detect", True,
    )  # fmt: skip
    answer = client.post(f"/postmortems/{one.pk}/line/", {"line": "Do it @nobody"})
    assert answer.status_code == 409
    assert "nobody is called" in answer.content.decode()


def test_what_is_owed_and_how_long_it_took_is_one_page(as_: Cast, world: World) -> None:
    """MET-02, PM-09: counts with the high ones, each length with its pair, exercises nowhere."""
    adopt_rules(world)
    an_outage(world)
    one = the_postmortem()
    action_items.add(one.pk, Wanted("Alert earlier"), world.ana, world.now)
    an_outage(world, is_exercise=True, title="A drill")
    client = as_.ana
    page = client.get("/learned/").content.decode()
    assert "1 open action, 1 report not yet published" in page
    assert "1 incident, 1 of them high" in page
    assert "Started to mitigated" in page
    assert "MTTR" not in page
    assert "A drill" not in page


def test_the_public_page_has_roles_in_the_place_of_names(as_: Cast, world: World) -> None:
    """PM-06, PM-10: blameless, and only while it is published."""
    adopt_rules(world, postmortem_due=EVERYWHERE)
    an_outage(world)
    one = the_postmortem()
    write(world, one, avoid="Ana and Ben watch the date.")
    client = as_.ana
    postmortems.move(one.pk, "in_review", world.ana, world.now)
    postmortems.move(one.pk, "reviewed", world.ana, world.now)
    client.post(f"/postmortems/{one.pk}/publish/", {"targets": ["page"]})
    url = Publication.objects.get().url.partition("//")[2].partition("/")[2]
    anyone = Client()
    page = anyone.get(f"/{url}").content.decode()
    assert "a colleague watch the date" in page
    assert "Ana" not in page
    assert "Ben" not in page
    assert "Nobody can sign in" in page
    at = f"/postmortems/{one.pk}/"
    assert "Changed since published" not in client.text(at)
    write(world, one, avoid="We watch the date by a machine.")
    assert "Changed since published" in client.text(at)
    assert 'id="publish-again"' in client.text(at)
    assert 'id="publish-again"' not in as_.olga.text(at)
    assert "by a machine" not in anyone.get(f"/{url}").content.decode()
    client.post(f"{at}publish/", {"targets": ["page"]})
    assert "by a machine" in anyone.get(f"/{url}").content.decode()
    client.post(f"/postmortems/{one.pk}/retract/", {"why": "a customer is named"})
    assert anyone.get(f"/{url}").status_code == 404
    assert anyone.get("/postmortems/public/1.forged/").status_code == 404


@pytest.mark.parametrize("path", ["", "print/", "file.md", "file.myst.md", "file.pdf"])
def test_a_private_one_is_nowhere_for_those_who_may_not_see_it(as_: Cast, world: World, path: str) -> None:
    """A private incident stays private in every list, feed, export and count."""
    adopt_rules(world, postmortem_due=EVERYWHERE)
    an_outage(world, is_private=True, title="A leak of secrets")
    one = the_postmortem()
    action_items.add(one.pk, Wanted("Change the locks"), world.ana, world.now)
    client = as_.olga
    assert client.get(f"/postmortems/{one.pk}/{path}").status_code == 404
    assert client.post(f"/postmortems/{one.pk}/publish/", {"targets": ["page"]}).status_code == 404
    for page in ("/postmortems/", "/learned/", f"/tickets/{ActionItem.objects.get().ticket_id}/"):
        assert "A leak of secrets" not in client.get(page).content.decode()
    assert "Nothing is owed" in client.get("/learned/").content.decode()
    client = as_.ana
    assert "A leak of secrets" in client.get(f"/postmortems/{one.pk}/").content.decode()
    refused = client.post(f"/postmortems/{one.pk}/publish/", {"targets": ["page"]})
    assert "stays with those who may see it" in refused.content.decode()


def test_reports_are_uploaded_and_one_that_cannot_be_read_stops_none(as_: Cast, world: World) -> None:
    client = as_.ana
    files = [File("a.docx", b"x"), File("2025-05-12-memory.md", REPORT)]
    page = client.post("/postmortems/import/", {"team": "platform", "reports": files}, follow=True).content.decode()
    assert "a.docx: a report is a file that ends in" in page
    one = PostMortem.objects.get()
    assert "Words that no template knows." in client.get(f"/postmortems/{one.pk}/").content.decode()


def test_it_is_taken_along_as_a_pdf_with_names_or_without(as_: Cast, world: World) -> None:
    """PM-06, PM-10."""
    adopt_rules(world)
    an_outage(world)
    one = the_postmortem()
    for path in ("file.pdf", "file.pdf?blameless"):
        answer = as_.ana.get(f"/postmortems/{one.pk}/{path}")
        assert answer.content.startswith(b"%PDF-")
    assert "Ana" not in as_.ana.text(f"/postmortems/{one.pk}/file.md?blameless")
    assert "Ana" in as_.ana.text(f"/postmortems/{one.pk}/file.md")
