"""A team's desk in its own words: the page, the questions with answers, the ready messages."""

from __future__ import annotations

import pytest

from tests.actions.desk_cast import adopt, ask, mails
from tests.world import World
from watchbill.actions import desk_settings, support
from watchbill.db.models import Desk, Event, FaqEntry
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_page_says_what_is_supported_how_long_it_takes_and_how_to_escalate(world: World) -> None:
    """INT-10, INT-01: a public page with the published path; named contacts keep their order."""
    values = {
        "is_public": True,
        "what": "The platform.",
        "how_long": "Two hours.",
        "escalation": "Ask in the conversation first.",
        "contacts": [{"person": world.ben.pk}, {"name": "Front desk", "how": "ext. 7"}],
        "mail_address": "Help@Platform.example",
    }
    desk_settings.change_desk(world.team, values, world.eva, world.now)
    desk_settings.change_desk(world.team, {"how_long": "One hour."}, world.eva, world.now)
    desk = Desk.objects.get(team=world.team)
    assert (desk.is_public, desk.what, desk.how_long) == (True, "The platform.", "One hour.")
    assert [contact["name"] for contact in desk.contacts] == ["Ben", "Front desk"]
    assert desk.mail_address == "help@platform.example"
    assert Event.objects.filter(kind="desk.changed", team=world.team).count() == 2


def test_a_mail_address_is_of_one_desk_and_a_contact_has_a_name(world: World) -> None:
    """INT-04: mail finds its desk by its address."""
    other = world.charlie.memberships.get().team
    desk_settings.change_desk(other, {"mail_address": "help@example.org"}, world.charlie, world.now)
    for values, field in (
        ({"mail_address": "HELP@example.org"}, "mail_address"),
        ({"mail_address": "nonsense"}, "mail_address"),
        ({"contacts": [{"how": "ext. 7"}]}, "contacts"),
        ({"contacts": [{"person": 10**9}]}, "contacts"),
    ):
        with pytest.raises(Refused) as refused:
            desk_settings.change_desk(world.team, values, world.eva, world.now)
        assert refused.value.field == field
    with pytest.raises(NotAllowed):
        desk_settings.change_desk(world.team, {"is_public": True}, world.ana, world.now)
    desk_settings.change_desk(other, {"mail_address": ""}, world.charlie, world.now)
    desk_settings.change_desk(world.team, {"mail_address": ""}, world.eva, world.now)


def questions(world: World) -> list[str]:
    rows = FaqEntry.objects.filter(team=world.team, removed_at=None).order_by("position", "id")
    return list(rows.values_list("question", flat=True))


def test_questions_stand_in_the_teams_order(world: World) -> None:
    """INT-07: quick answers stay public, so that others find them."""
    entries = [
        desk_settings.add_faq(world.team, {"question": q, "answer": "So."}, world.ana, world.now)
        for q in ("a?", "b?", "c?")
    ]
    desk_settings.change_faq(entries[2], {"position": 0, "question": "c!"}, world.ana, world.now)
    assert questions(world) == ["c!", "a?", "b?"]
    desk_settings.remove_faq(entries[0], world.ana, world.now)
    assert questions(world) == ["c!", "b?"]
    desk_settings.remove_faq(entries[0], world.ana, world.now, removed=False)
    assert questions(world) == ["c!", "a?", "b?"]
    with pytest.raises(Refused):
        desk_settings.add_faq(world.team, {"question": "d?", "answer": " "}, world.ana, world.now)
    with pytest.raises(NotAllowed):
        desk_settings.add_faq(world.team, {"question": "d?", "answer": "So."}, world.olga, world.now)


def test_a_team_writes_its_messages_in_its_own_words(world: World) -> None:
    """TRI-16, COM-05: partnership rather than customers; from then on Watchbill sends these words, filled."""
    adopt(world)
    own = {"kind": "received", "name": "Welcome", "text": "Dear partner {requester}, {reference} is with {team}."}
    canned = desk_settings.add_canned(world.team, own, world.ana, world.now)
    request = ask(world)
    assert mails(request) == [f"Dear partner Ria, R-{request.pk} is with Platform."]
    desk_settings.remove_canned(canned, world.ana, world.now)
    assert mails(ask(world))[0].startswith("Hello Ria,")


def test_a_field_that_there_is_not_is_refused_with_those_that_there_are(world: World) -> None:
    """TRI-16: wording is editable, and cannot go out half filled."""
    bad = {"kind": "update", "name": "Update", "text": "Hi {customer}"}
    with pytest.raises(Refused) as refused:
        desk_settings.add_canned(world.team, bad, world.ana, world.now)
    assert refused.value.field == "text"
    assert "{requester}" in refused.value.message
    for values, field in (({"kind": "spell"}, "kind"), ({"name": ""}, "name"), ({"text": ""}, "text")):
        with pytest.raises(Refused) as refused:
            desk_settings.add_canned(world.team, {**bad, "text": "Hi", **values}, world.ana, world.now)
        assert refused.value.field == field


def test_the_words_before_a_change_stay_in_the_log(world: World) -> None:
    """COM-05: the template is the source of truth, so its history is kept."""
    canned = desk_settings.add_canned(world.team, {"name": "Hold", "text": "Wait."}, world.ana, world.now)
    with pytest.raises(Refused):
        desk_settings.add_canned(world.team, {"name": "Hold", "text": "Other."}, world.ana, world.now)
    desk_settings.change_canned(canned, {"text": "Please wait."}, world.ben, world.now)
    line = Event.objects.get(kind="desk.canned_changed")
    assert (line.data["before"]["text"], line.actor) == ("Wait.", world.ben)


def test_ready_messages_come_filled_for_the_request(world: World) -> None:
    """TRI-16: one click from the team's words to the answer."""
    desk_settings.add_canned(world.team, {"name": "Hold", "text": "{requester}, wait. {me}"}, world.ana, world.now)
    request = ask(world)
    support.take(request.pk, world.ben, world.now)
    ready = {message.name: message.text for message in desk_settings.ready_messages(request, world.ben, world.now)}
    assert ready["Hold"] == "Ria, wait. Ben"
    assert "Not now" in ready
    words = {one.kind: one for one in desk_settings.words_of(world.team)}
    assert words["other"].own is not None
    assert words["received"].own is None
