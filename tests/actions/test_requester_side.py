"""What the requester's side does by itself: escalate, rate, confirm; and a representative's word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import RIA, adopt, ask, fresh, mails, story, subjects
from tests.world import World
from watchbill.actions import communities, desk_settings, requester_side, support
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.db.models import Message, Requester
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_escalation_follows_the_published_path_and_tells_each_once(world: World) -> None:
    """INT-10: first in the conversation, then the named contacts; each is told once."""
    adopt(world)
    world.team.manager = world.ben
    world.team.save()
    contacts = [{"name": "Charlie Lead", "how": "ext. 7", "person": world.charlie.pk}, {"name": "Front desk"}]
    desk_settings.change_desk(world.team, {"contacts": contacts}, world.eva, world.now)
    request = ask(world)
    first = requester_side.escalate(request, "Ria", "The deadline is today.", world.now)
    assert first.step == 1
    assert "Asked for more urgency: I cannot log in" in subjects(world, "ana")
    assert not subjects(world, "ben")
    assert Message.objects.filter(request=request).latest("id").text == "The deadline is today."
    world.forward(minutes=30)
    second = requester_side.escalate(request, "Ria", "Nobody moves.", world.now)
    assert (second.step, "Charlie Lead, Front desk" in second.words) == (2, True)
    third = requester_side.escalate(request, "Ria", "Hello?", world.now)
    assert "told already" in third.words
    for name in ("ben", "charlie"):
        assert subjects(world, name) == ["Asked for more urgency again: I cannot log in"]
    assert story(request).count("request.escalation_told") == 2


def test_a_new_promise_begins_the_path_anew(world: World) -> None:
    """INT-10: the path is that of one promise."""
    adopt(world)
    request = ask(world)
    requester_side.escalate(request, "Ria", "Please.", world.now)
    support.answer(request.pk, "I look at it.", world.ana, world.now, waits_on="us")
    again = requester_side.escalate(request, "Ria", "It is worse.", world.now + timedelta(minutes=5))
    assert again.step == 1


def test_an_escalation_reaches_somebody_when_nobody_is_on_watch(world: World) -> None:
    """INT-10, INT-08: somebody is always told."""
    world.rotation.shifts.all().delete()
    request = ask(world)
    requester_side.escalate(request, "Ria", "Please.", world.now)
    assert "Asked for more urgency: I cannot log in" in subjects(world, "eva")


def test_an_escalation_gives_us_the_ball_and_must_say_why(world: World) -> None:
    """INT-10, INT-13."""
    request = ask(world)
    support.answer(request.pk, "Which page?", world.ana, world.now)
    with pytest.raises(Refused) as refused:
        requester_side.escalate(request, "Ria", " ", world.now)
    assert refused.value.field == "why"
    requester_side.escalate(request, "Ria", "All of them!", world.now)
    assert fresh(request).waiting_on == "us"
    support.resolve(request.pk, "done", "", world.ana, world.now)
    with pytest.raises(Refused):
        requester_side.escalate(request, "Ria", "Again", world.now)


def test_a_rating_can_be_changed_once_within_a_week(world: World) -> None:
    """MET-02: user happiness with support."""
    request = ask(world)
    with pytest.raises(Refused):
        requester_side.rate(request, 5, "", world.now)
    support.resolve(request.pk, "done", "", world.ana, world.now)
    for nonsense in (0, 6):
        with pytest.raises(Refused):
            requester_side.rate(request, nonsense, "", world.now)
    requester_side.rate(request, 2, "slow", world.now)
    requester_side.rate(request, 4, "but kind", world.now + timedelta(days=6))
    assert (fresh(request).rating, fresh(request).rating_comment) == (4, "but kind")
    with pytest.raises(Refused):
        requester_side.rate(request, 5, "", world.now + timedelta(days=6))


def test_a_rating_stands_after_a_week_until_it_was_opened_again(world: World) -> None:
    """MET-02: what is resolved a second time is asked about a second time."""
    request = ask(world)
    support.resolve(request.pk, "done", "", world.ana, world.now)
    requester_side.rate(request, 2, "", world.now)
    later = world.now + timedelta(days=8)
    with pytest.raises(Refused):
        requester_side.rate(request, 5, "", later)
    support.reopen(request.pk, "not yet", world.ana, later)
    support.resolve(request.pk, "done", "", world.ana, later)
    requester_side.rate(request, 5, "", later)
    assert fresh(request).rating == 5


def test_the_requesters_word_closes_what_is_resolved(world: World) -> None:
    """MET-02: confirmation."""
    request = ask(world)
    with pytest.raises(Refused):
        requester_side.confirm(request, world.now)
    support.resolve(request.pk, "done", "", world.ana, world.now)
    assert requester_side.confirm(request, world.now).state == "closed"


def with_community(world: World) -> None:
    adopt(world, representatives={"who": "representatives"})
    community = communities.add_community(
        world.team, {"name": "Net", "mail_domains": "example.net"}, world.eva, world.now
    )
    rob = Requester.objects.create(
        team=world.team, name="Rob", email="rob@example.net", community=community, created_at=world.now
    )
    communities.change_requester(rob, {"is_representative": True}, world.ana, world.now)


def test_the_promise_begins_when_a_representative_approves(world: World) -> None:
    """INT-04: a request of somebody else waits for a representative; the promise runs from their word."""
    with_community(world)
    request = ask(world, request_class="guidance_request")
    assert (request.approval, request.waiting_on, request.due_at) == ("asked", "requester", None)
    assert any("You speak for Net" in text for text in mails(request))
    world.forward(hours=5)
    requester_side.approve(request, True, "Rob", world.now)
    approved = fresh(request)
    assert (approved.approval, approved.waiting_on) == ("given", "us")
    assert approved.due_at == world.now + timedelta(hours=24), "a working day of ten hours ends where it began"
    assert approved.first_response_due_at == approved.due_at
    assert "Approved: I cannot log in" in subjects(world, "ana")


def test_a_refused_request_ends_and_its_requester_hears_why(world: World) -> None:
    """INT-04: the partnership is with the community; its representatives say what we work on."""
    with_community(world)
    request = ask(world, request_class="guidance_request")
    requester_side.approve(request, False, "Rob", world.now)
    assert (fresh(request).outcome, fresh(request).approval) == ("refused", "refused")
    assert "nobody who speaks for Net approved" in mails(request)[-1]
    with pytest.raises(Refused):
        requester_side.approve(request, True, "Rob", world.now)


def test_a_representative_and_an_incident_need_no_approval(world: World) -> None:
    """INT-04."""
    with_community(world)
    assert ask(world, Asker("Rob", "rob@example.net")).approval == ""
    assert ask(world, request_class="incident_report").approval == ""


def test_only_the_team_writes_down_what_somebody_said(world: World) -> None:
    with_community(world)
    request = ask(world, request_class="guidance_request")
    with pytest.raises(NotAllowed):
        requester_side.approve(request, True, "Rob", world.now, world.charlie)
    requester_side.approve(request, True, "Rob, by phone", world.now, world.ana)
    support.hear(request.pk, RIA, Asked("Re", "Thank you"), world.now)
    assert fresh(request).approval == "given"
