"""Handoffs and the on-call log in the browser: written, read, asked about, accepted, found again."""

from __future__ import annotations

import pytest

from tests.actions.handoff_cast import NOTES, accept, at, hands_on, line_of, monday, watch_ticket
from tests.doors.web_world import Cast
from watchbill.actions import handoff, shift_log
from watchbill.db.models import Handoff, LogEntry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_(world):
    return Cast(world)


def test_from_the_draft_to_the_standup_by_forms_alone(world, as_):
    """HND-02 to HND-07: without a script; what was refused says all that is missing, and nothing typed is lost."""
    hands_on(world)
    ticket = watch_ticket(world)
    given = monday(world)
    here = f"/handoffs/{given.pk}/"
    item = line_of(given, ticket)
    now = as_.ana.text("/")
    assert "Hand your watch on to Ben" in now
    assert "Hand your watch on" not in as_.ben.text("/")
    page = as_.ana.text(here)
    assert f'href="/tickets/{ticket.pk}/"' in page
    assert "No note of this shift stands on" in page
    refused = as_.ana.post(f"{here}hand-on/", {"summary": "", "version": 0})
    assert refused.status_code == 409
    assert "Say the most important in your words" in refused.content.decode()
    assert "Ana still writes it" in as_.ben.text(here)
    as_.ana.post(f"{here}lines/{item.pk}/note/", {"text": "The key is ordered."})
    as_.ana.post(f"{here}lines/{item.pk}/first/")
    as_.ana.post(f"{here}add/", {"title": "The vendor calls on Tuesday"})
    as_.ana.post(f"{here}hand-on/", {"summary": "Look at the certificate.", "version": 0})
    assert "Accept the watch of Ana" in as_.ben.text("/")
    page = as_.ben.text(here)
    assert "Look at the certificate." in page
    assert "The vendor calls on Tuesday" in page
    assert "No note of this shift" not in page
    as_.ben.post(f"{here}lines/{item.pk}/ask/", {"text": "Until when?"})
    question = given.questions.get()
    as_.ana.post(f"{here}questions/{question.pk}/answer/", {"text": "Friday."})
    talk = as_.ben.text(f"/tickets/{ticket.pk}/")
    assert "Until when?" in talk
    assert "Friday." in talk
    refused = as_.ben.post(f"{here}accept/", {"how": "chat", "witnesses": []})
    assert refused.status_code == 409
    assert "Confirm the order of the work; 1 more of the team witnesses it first" in refused.content.decode()
    said = {"how": "chat", "confirms": "on", "witnesses": [str(world.eva.pk)]}
    assert "It is yours now." in as_.ben.post(f"{here}accept/", said, follow=True).content.decode()
    page = as_.ana.text(here)
    assert "Ben accepted it" in page
    assert "in the chat; the order of the work is clear" in page
    assert "Eva" in page
    assert "Hand it on" not in page, "what was handed on does not change"
    assert "Handoffs</h2>" not in as_.ana.text("/")


def test_the_team_reads_asks_and_was_there_and_strangers_see_nothing(world, as_):
    hands_on(world, **NOTES)
    given = monday(world)
    here = f"/handoffs/{given.pk}/"
    assert "I was there" in as_.eva.text(here)
    as_.eva.post(f"{here}saw/")
    assert given.witnesses.get().person == world.eva
    assert "Answer" not in as_.olga.text(here)
    assert as_.olga.post(f"{here}ask/", {"text": "Hm?"}).status_code == 403
    assert as_.charlie.get(here).status_code == 404
    assert as_.charlie.post(f"{here}saw/").status_code == 404
    assert as_.charlie.text("/handoffs/").count("Ana to Ben") == 0
    assert as_.nobody.get(here).status_code == 302
    assert as_.ana.post(f"{here}nothing/").status_code == 404
    other = handoff.begin(world.rotation, "engineer", world.ana, world.now)
    assert other == given


def test_one_not_accepted_shows_to_the_owner_and_is_found_by_person_and_by_date(world, as_):
    hands_on(world, **NOTES)
    given = monday(world)
    at(world, "2026-03-09T10:05:00+00:00")
    assert "Ben has not accepted the watch of Ana" in as_.eva.text("/")
    accept(world, given)
    assert "Ana to Ben" in as_.eva.text(f"/handoffs/?person={world.ben.pk}&since=2026-03-09&until=2026-03-09")
    assert "No handoff is like that." in as_.eva.text(f"/handoffs/?person={world.eva.pk}")
    assert "No handoff is like that." in as_.eva.text("/handoffs/?since=2026-03-10")
    assert "Ana to Ben" in as_.eva.text("/handoffs/?person=nobody&since=tomorrow&before=x"), "nonsense narrows nothing"
    assert "No handoff is like that." in as_.eva.text("/handoffs/?rotation=another")


def test_from_the_rota_one_is_begun_by_hand(world, as_):
    page = as_.ana.text(f"/rota/{world.rotation.slug}/")
    assert "Hand on as" in page
    answer = as_.ana.post(f"/rota/{world.rotation.slug}/handoff/", {"seat": "engineer"}, follow=True)
    assert "Ana hands on to Ben" in answer.content.decode()
    assert Handoff.objects.count() == 1
    refused = as_.ana.post(f"/rota/{world.rotation.slug}/handoff/", {"seat": "cook"}, follow=True)
    assert "no shift of Engineers as “cook”" in refused.content.decode()
    given = Handoff.objects.get()
    assert as_.ana.post(f"/handoffs/{given.pk}/drop/", {"why": ""}).status_code == 409
    as_.ana.post(f"/handoffs/{given.pk}/drop/", {"why": "I stay"})
    assert "Not needed" in as_.ana.text("/handoffs/")


def test_the_log_takes_an_entry_without_a_ticket_and_its_title_is_edited(world, as_):
    """RUN-10, RUN-11."""
    answer = as_.ana.post("/shift-log/", {"team": "platform", "title": "Printer on fire"}, follow=True)
    assert "Printer on fire" in answer.content.decode()
    entry = LogEntry.objects.get()
    assert (entry.ticket, entry.seat) == (None, "engineer")
    assert "On-call log" in as_.ben.text("/shift-log/")
    refused = as_.ana.post("/shift-log/", {"team": "platform", "title": "More", "ticket": "T-999"})
    assert refused.status_code == 409
    assert "There is no T-999" in refused.content.decode()
    assert 'value="More"' in refused.content.decode()
    ticket = watch_ticket(world)
    changed = {"title": "Printer smells", "text": "Of toast.", "ticket": f"T-{ticket.pk}"}
    as_.ana.post(f"/shift-log/{entry.pk}/", changed)
    page = as_.ben.text("/shift-log/?q=toast")
    assert "Printer smells" in page
    assert "Printer on fire" not in page
    assert f"/tickets/{ticket.pk}/" in page
    assert "Change it" not in page
    assert as_.ben.post(f"/shift-log/{entry.pk}/", changed | {"title": "Mine"}).status_code == 403
    assert as_.charlie.get(f"/shift-log/{entry.pk}/").status_code == 404
    assert "Nothing in the log has these words" in as_.ben.text("/shift-log/?q=nowhere")
    shift_log.add_entry(world.team, {"title": "Of Ben"}, world.ben, world.now)
    assert "Printer smells" not in as_.ana.text(f"/shift-log/?person={world.ben.pk}")
