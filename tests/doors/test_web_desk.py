"""The desk's settings in the browser: page words, contacts, answers, ready messages, communities and budgets."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.doors.web_world import Cast
from watchbill.actions import communities, desk_settings, support, work_clock
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.db.models import CannedResponse, Community, Desk, FaqEntry, Requester

DESK = "/teams/platform/desk/"
COMMUNITIES = "/teams/platform/communities/"


@pytest.fixture
def as_(world):
    return Cast(world)


def test_an_owner_writes_what_people_read_before_they_write(world, as_):
    """INT-10, INT-11: what, how long, the path when it cannot wait, with its contacts in order."""
    response = as_.eva.post(
        f"{DESK}change/",
        {
            "is_public": "on",
            "what": "The shop.",
            "escalation": "First ask again.",
            "mail_address": "help@example.org",
            "contact-name": ["Eva", "", ""],
            "contact-how": ["+44 1", "", ""],
            "contact-person": [str(world.eva.pk), "", ""],
        },
    )
    assert response.status_code == 302
    page = Desk.objects.get(team=world.team)
    assert (page.is_public, page.what, page.mail_address) == (True, "The shop.", "help@example.org")
    assert page.contacts == [{"name": "Eva", "how": "+44 1", "person": world.eva.pk}]
    assert "Anybody can write to Platform." in as_.ana.text(DESK)


def test_a_refused_desk_keeps_what_was_typed(world, as_):
    given = {"what": "The shop.", "contact-name": [""], "contact-how": ["somewhere"], "contact-person": ["999999"]}
    response = as_.eva.post(f"{DESK}change/", given)
    text = response.content.decode()
    assert response.status_code == 409
    assert "this person has no active account" in text
    assert "The shop." in text
    assert 'value="somewhere"' in text


def test_only_owners_change_the_words_and_members_the_answers(world, as_):
    assert as_.ana.get(f"{DESK}change/").status_code == 403
    assert as_.ana.get(f"{DESK}faq/new/").status_code == 200
    assert as_.olga.post(f"{DESK}faq/new/", {"question": "Where?", "answer": "There."}).status_code == 403
    assert as_.charlie.get(DESK).status_code == 403
    assert "/desk/change/" not in as_.ana.text(DESK)
    assert "/faq/new/" not in as_.olga.text(DESK)


def test_answers_are_written_changed_ordered_and_taken_off(world, as_):
    """RUN-08: an answer before anybody has to write."""
    for number in (1, 2, 3):
        as_.ana.post(f"{DESK}faq/new/", {"question": f"Question {number}?", "answer": "So."})
    third = FaqEntry.objects.get(question="Question 3?")
    as_.ana.post(f"{DESK}faq/{third.pk}/do/", {"do": "up"})
    as_.ana.post(f"{DESK}faq/{third.pk}/do/", {"do": "up"})
    as_.ana.post(f"{DESK}faq/{third.pk}/do/", {"do": "up"})
    order = FaqEntry.objects.filter(removed_at=None).order_by("position").values_list("question", flat=True)
    assert list(order) == ["Question 3?", "Question 1?", "Question 2?"]
    as_.ana.post(f"{DESK}faq/{third.pk}/do/", {"do": "down"})
    assert order.all()[0] == "Question 1?"
    as_.ana.post(f"{DESK}faq/{third.pk}/", {"question": "Question 3?", "answer": "Now **so**."})
    assert "Now **so**." in as_.ana.text(f"{DESK}faq/{third.pk}/")
    as_.ana.post(f"{DESK}faq/{third.pk}/do/", {"do": "remove"})
    as_.ana.text(DESK)  # says what was done
    assert "Question 3?" not in as_.ana.text(DESK)
    assert as_.ana.get(f"{DESK}faq/{third.pk}/").status_code == 404


def test_a_look_at_an_answer_saves_nothing(world, as_):
    text = as_.ana.post(
        f"{DESK}faq/new/", {"question": "Q?", "answer": "See **here** <script>1</script>", "do": "preview"}
    ).content.decode()
    assert "See <strong>here</strong>" in text
    assert "<script>1" not in text
    assert not FaqEntry.objects.exists()


def test_a_message_in_the_teams_words_is_what_requesters_then_get(world, as_):
    """TRI-16, COM-05: the wording is the team's own."""
    as_.ana.post(f"{DESK}messages/new/", {"kind": "received", "name": "Hello", "text": "Dear {requester}, got it."})
    support.open_request(world.team, Asker("Ria", "ria@example.net"), Asked("Help"), world.now)
    assert "Dear Ria, got it." in as_.ana.text(f"/requests/{world.team.requests.get().pk}/")
    assert "in your words" in as_.ana.text(DESK)


def test_an_unknown_field_is_named_and_the_text_kept(world, as_):
    response = as_.ana.post(f"{DESK}messages/new/", {"kind": "update", "name": "U", "text": "Dear {customer},"})
    text = response.content.decode()
    assert response.status_code == 409
    assert "There is no field {customer}" in text
    assert "Dear {customer}," in text


def test_a_message_is_seen_with_its_fields_filled_while_it_is_typed(world, as_):
    text = as_.ana.post(f"{DESK}messages/preview/", {"text": "Dear {requester} of {team}, {me}"}).content.decode()
    assert "Dear Ria of Platform, Ana" in text
    whole = as_.ana.post(
        f"{DESK}messages/new/", {"kind": "other", "name": "x", "text": "Dear {requester}", "do": "preview"}
    )
    assert "Dear Ria" in whole.content.decode()
    assert not CannedResponse.objects.exists()


def test_a_message_is_changed_and_taken_away(world, as_):
    one = desk_settings.add_canned(world.team, {"kind": "other", "name": "Note", "text": "x"}, world.ana, world.now)
    as_.ben.post(f"{DESK}messages/{one.pk}/", {"kind": "other", "name": "Note", "text": "y"})
    assert CannedResponse.objects.get().text == "y"
    as_.ben.post(f"{DESK}messages/{one.pk}/remove/")
    assert as_.ben.get(f"{DESK}messages/{one.pk}/").status_code == 404


def test_a_community_says_where_its_budget_stands_in_a_number_and_a_word(world, as_):
    """TRI-14: soft budget per community and month."""
    as_.eva.post(
        f"{COMMUNITIES}new/", {"name": "Casework", "mail_domains": "example.net\nexample.com", "budget_minutes": "60"}
    )
    assert Community.objects.get().mail_domains == ["example.net", "example.com"]
    text = as_.ana.text(COMMUNITIES)
    assert "0 min of 1 h · Unused" in text
    one = support.open_request(world.team, Asker("Ria", "ria@example.net"), Asked("Help"), world.now)
    work_clock.log_time(one, 45, world.ana, world.now)
    assert "45 min of 1 h · In use" in as_.ana.text(COMMUNITIES)
    work_clock.log_time(one, 30, world.ana, world.now)
    text = as_.ana.text(f"{COMMUNITIES}casework/")
    assert "1 h 15 of 1 h · Spent" in text
    assert "Help" in text


def test_a_refused_community_keeps_what_was_typed(world, as_):
    response = as_.eva.post(f"{COMMUNITIES}new/", {"name": "Casework", "mail_domains": "not a domain!"})
    assert response.status_code == 409
    assert "is no mail domain" in response.content.decode()
    assert 'value="Casework"' in response.content.decode()
    assert as_.ana.get(f"{COMMUNITIES}new/").status_code == 403


def test_a_community_is_changed_and_taken_out_of_the_lists(world, as_):
    one = communities.add_community(world.team, {"name": "Casework"}, world.eva, world.now)
    as_.eva.post(f"{COMMUNITIES}{one.slug}/edit/", {"name": "Casework North", "mail_domains": ""})
    assert "Casework North" in as_.ana.text(COMMUNITIES)
    as_.eva.post(f"{COMMUNITIES}{one.slug}/archive/")
    assert "Casework North" not in as_.ana.text(COMMUNITIES)
    assert "Casework North" in as_.ana.text(f"{COMMUNITIES}?archived=1")


def test_a_requester_is_made_a_representative(world, as_):
    """INT-04: a named community representative."""
    one = communities.add_community(world.team, {"name": "Casework"}, world.eva, world.now)
    support.open_request(world.team, Asker("Ria", "ria@example.net"), Asked("Help"), world.now)
    ria = Requester.objects.get()
    url = f"/teams/platform/requesters/{ria.pk}/"
    assert "Help" in as_.ana.text(url)
    refused = as_.ana.post(url, {"name": "Ria", "email": "ria@example.net", "is_representative": "on"})
    assert "Say for which community they speak" in refused.content.decode()
    as_.ana.post(url, {"name": "Ria", "email": "ria@example.net", "is_representative": "on", "community": str(one.pk)})
    ria.refresh_from_db()
    assert (ria.community, ria.is_representative) == (one, True)
    assert "speaks for it" in as_.ana.text(f"{COMMUNITIES}{one.slug}/")
    assert as_.charlie.get(url).status_code == 403


def test_more_answers_and_communities_cost_no_more_queries(world, as_):
    def queries() -> list[int]:
        counts = []
        for url in (DESK, COMMUNITIES):
            with CaptureQueriesContext(connection) as seen:
                as_.ana.text(url)
            counts.append(len(seen))
        return counts

    communities.add_community(world.team, {"name": "First"}, world.eva, world.now)

    values = {"question": "Where?", "answer": "There.", "service": world.service}
    desk_settings.add_faq(world.team, values, world.ana, world.now)
    queries()
    few = queries()
    for number in range(5):
        communities.add_community(world.team, {"name": f"More {number}"}, world.eva, world.now)
        desk_settings.add_faq(world.team, values, world.ana, world.now)
    assert queries() == few
