"""The link in a message that offers a role: a GET answers nothing, one POST says yes or no, and then it is dead."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from tests.actions.desk_cast import adopt
from tests.doors.web_world import Cast
from watchbill.actions import declaring, incident_roles
from watchbill.actions.declaring import Declared
from watchbill.actions.messages import LINK_SALT, OFFER_SALT
from watchbill.db.models import Event, Incident, Outgoing, RoleAssignment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_(world):
    return Cast(world)


def declare(world, **values) -> Incident:
    said = Declared(**{"title": "Nobody can sign in", "impact": "Users see an error", **values})
    return declaring.declare(world.team, said, world.ana, world.now)


@pytest.fixture
def incident(world) -> Incident:
    """Ana commands, and asks Ben to take it."""
    adopt(world, incident_roles={"designation": "declarer", "offer_minutes": 5})
    made = declare(world)
    incident_roles.offer(made.pk, "commander", world.ben, world.ana, world.now, "you know the database")
    world.work()
    return made


def link(world, person) -> str:
    """Take the link out of the mail that asks, as its reader would."""
    mails = [mail for mail in world.mailbox.to(person) if "Will you be" in mail["subject"]]
    return re.search(r"http://watchbill\.test(/o/\S+)", mails[-1].get_body(("plain",)).get_content()).group(1)


def offered(world) -> RoleAssignment:
    return RoleAssignment.objects.filter(person=world.ben).latest("id")


def test_it_needs_no_sign_in_and_asks_with_two_buttons_and_for_no_reason(world, as_, incident):
    """ROL-07, ROL-08: who asks, what for, and yes and no."""
    text = as_.nobody.text(link(world, world.ben))
    for said in ("Will you be Incident commander?", "Nobody can sign in", "Users see an error", "Ana asks you"):
        assert said in text
    assert "you know the database" in text
    assert re.findall(r'<button[^>]*value="(\w+)"', text) == ["accept", "decline"]
    assert "<textarea" not in text
    assert "Sign out" not in text


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_that_follows_it_answers_nothing(world, as_, incident, method):
    before = Event.objects.count()
    for _ in range(3):
        assert getattr(as_.nobody, method)(link(world, world.ben)).status_code == 200
    assert offered(world).state == "offered"
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [("accept", "accepted", "You are Incident commander"), ("decline", "declined", "That is fine")],
)
def test_one_tap_answers_as_the_person_who_was_asked_and_once(world, as_, incident, answer, state, said):
    """ROL-08: also where forgery is guarded, and no cookie is left behind."""
    address = link(world, world.ben)
    as_.nobody.client = strict = Client(enforce_csrf_checks=True)
    assert said in as_.nobody.post(address, {"answer": answer}).content.decode()
    assert offered(world).state == state
    assert not strict.cookies
    assert Outgoing.objects.filter(person=world.ben, link_used_at=world.now).exists()
    before = Event.objects.count()
    for other in ("accept", "decline"):
        text = as_.nobody.post(address, {"answer": other}).content.decode()
        assert "This link answers only once" in text
        assert "<button" not in text
    assert (offered(world).state, Event.objects.count()) == (state, before)


def test_what_is_no_answer_changes_nothing(world, as_, incident):
    address = link(world, world.ben)
    assert as_.nobody.post(address, {"answer": "end"}).status_code == 200
    assert as_.nobody.post(address).status_code == 200
    assert offered(world).state == "offered"


def test_an_offer_that_cannot_be_taken_says_why_and_still_waits(world, as_):
    roles = {"commander": {"title": "Incident commander", "is_needed": True}, "scribe": {"title": "Scribe"}}
    adopt(world, incident_roles={"designation": "declarer", "roles": roles})
    made = declare(world)
    incident_roles.offer(made.pk, "commander", world.ben, world.ana, world.now)
    incident_roles.take(made.pk, "scribe", world.ben, world.now)
    world.work()
    text = as_.nobody.post(link(world, world.ben), {"answer": "accept"}).content.decode()
    assert "Ben is scribe: hand that on first" in text
    assert text.count('name="answer"') == 2
    assert RoleAssignment.objects.get(role="commander", person=world.ben).state == "offered"


def test_it_is_dead_after_the_time_to_answer(world, as_, incident):
    address = link(world, world.ben)
    world.forward(minutes=5)
    world.work()
    assert "The time to answer is over" in as_.nobody.text(address)
    text = as_.nobody.post(address, {"answer": "accept"}).content.decode()
    assert "<button" not in text
    assert offered(world).state == "lapsed"


def test_it_is_dead_when_the_offer_was_taken_back_or_answered_elsewhere(world, as_, incident):
    address = link(world, world.ben)
    incident_roles.withdraw(offered(world).pk, world.ana, world.now)
    assert "You need not answer any more" in as_.nobody.post(address, {"answer": "accept"}).content.decode()
    assert offered(world).state == "withdrawn"
    incident_roles.offer(incident.pk, "commander", world.ben, world.ana, world.now)
    world.work()
    incident_roles.decline(offered(world).pk, world.ben, world.now)
    as_.nobody.post(link(world, world.ben), {"answer": "accept"})
    assert offered(world).state == "declined"


def test_the_link_of_an_old_offer_never_answers_a_new_one(world, as_, incident):
    address = link(world, world.ben)
    incident_roles.decline(offered(world).pk, world.ben, world.now)
    incident_roles.offer(incident.pk, "commander", world.ben, world.ana, world.now)
    as_.nobody.post(address, {"answer": "accept"})
    assert offered(world).state == "offered"


@pytest.mark.parametrize("answer", ["decline", "lapse"])
def test_of_a_private_incident_nothing_is_shown_when_the_offer_is_over(world, as_, answer):
    """An offer names somebody in a private incident for as long as it stands; its link shows no more than they see."""
    adopt(world, incident_roles={"designation": "declarer", "offer_minutes": 5})
    made = declare(world, title="Quartzite leak", impact="Quartzite is public", is_private=True)
    incident_roles.offer(made.pk, "commander", world.ben, world.ana, world.now, "Quartzite is yours")
    world.work()
    address = link(world, world.ben)
    assert "Quartzite leak" in as_.nobody.text(address)
    if answer == "decline":
        text = as_.nobody.post(address, {"answer": "decline"}).content.decode()
    else:
        world.forward(minutes=5)
        world.work()
        text = as_.nobody.post(address, {"answer": "accept"}).content.decode()
    for word in ("Quartzite", "Ana", "commander", f"/incidents/{made.pk}/"):
        assert word not in text
    assert "This link answers only once" in text


def test_whoever_accepts_in_a_private_incident_goes_on_seeing_it(world, as_):
    adopt(world, incident_roles={"designation": "declarer"})
    made = declare(world, title="Quartzite leak", is_private=True)
    incident_roles.offer(made.pk, "commander", world.ben, world.ana, world.now)
    world.work()
    assert "Quartzite leak" in as_.nobody.post(link(world, world.ben), {"answer": "accept"}).content.decode()


def test_an_exercise_says_so(world, as_):
    adopt(world, incident_roles={"designation": "declarer"})
    made = declare(world, is_exercise=True)
    incident_roles.offer(made.pk, "commander", world.ben, world.ana, world.now)
    world.work()
    assert "Exercise: Nobody can sign in" in as_.nobody.text(link(world, world.ben))


def test_an_old_link_and_one_of_an_account_that_is_off_answer_nothing(world, as_, incident):
    address = link(world, world.ben)
    world.ben.is_active = False
    world.ben.save()
    text = as_.nobody.post(address, {"answer": "accept"}).content.decode()
    assert "Nobody can sign in" not in text
    assert "<button" not in text
    world.now += timedelta(days=15)
    assert as_.nobody.get(address).status_code == 410
    assert as_.nobody.post(address, {"answer": "accept"}).status_code == 410
    assert offered(world).state == "offered"


@pytest.mark.parametrize("token", ["x", "1", "a:b:c", "é", "x" * 3000])
def test_a_link_that_was_cut_or_changed_says_kindly_what_to_do(world, as_, incident, token):
    address = link(world, world.ben)
    for broken in (f"/o/{token}", address[:-1], address + "x"):
        response = as_.nobody.get(broken)
        assert response.status_code == 404
        assert "This link is not complete" in response.content.decode()
        assert as_.nobody.post(broken, {"answer": "accept"}).status_code == 404
    assert offered(world).state == "offered"


def test_a_token_of_another_door_or_another_message_opens_nothing(world, as_, incident):
    asked = Outgoing.objects.get(person=world.ben, message__about__startswith="role-")
    other = Outgoing.objects.filter(subject_kind="incident").exclude(message__has_key="about").first()
    tokens = [signing.dumps(asked.pk, salt=LINK_SALT), signing.dumps("role-1", salt=OFFER_SALT)]
    tokens += [signing.dumps(other.pk, salt=OFFER_SALT)] if other else []
    for token in tokens:
        assert as_.nobody.get(f"/o/{token}").status_code == 404
    assert as_.nobody.get(link(world, world.ben).replace("/o/", "/a/")).status_code == 404


def test_whoever_is_told_because_nobody_else_could_be_gets_no_link_that_answers_for_them(world, as_):
    adopt(world, incident_roles={"designation": "declarer"})
    made = declare(world)
    world.ben.addresses.all().delete()
    incident_roles.offer(made.pk, "commander", world.ben, world.ana, world.now)
    world.work()
    told = world.mailbox.to(world.eva)[-1]
    assert "Ben has no verified address" in told["subject"]
    assert "/o/" not in told.get_body(("plain",)).get_content()


def test_it_is_kept_nowhere_and_tells_nobody_where_it_leads(world, as_, incident):
    for response in (as_.nobody.get(link(world, world.ben)), as_.nobody.get("/o/x")):
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "no-referrer"
        assert "noindex" in response["X-Robots-Tag"]
