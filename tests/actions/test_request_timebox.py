"""Quick help: the answer in the conversation, the ticket over the box, help when it is hopeless."""

from __future__ import annotations

import pytest

from tests.actions.desk_cast import adopt, adopt_preset, ask, fresh, mails, reason, story, subjects
from tests.world import World
from watchbill.actions import request_timebox, support, tickets, work_clock
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.db.models import FaqEntry, Message, Page, Ticket, WorkLog
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_quick_help_is_answered_where_it_was_asked_and_only_logged(world: World) -> None:
    """TRI-01, TRI-08, INT-07: under the box there is no ticket, and others find the answer."""
    adopt_preset(world, "laa-ops")
    request = ask(world, request_class="advice", title="How do I reset it?")
    work_clock.start(request, world.ana, world.now)
    world.forward(minutes=5)
    assert request_timebox.advise(request, world.now).do == "answer_here"
    request_timebox.answer_and_log(request.pk, "Use the link.", world.ana, world.now, question="How is it reset?")
    done = fresh(request)
    assert (done.state, done.outcome, done.assignee, done.spent_seconds) == ("resolved", "answered", world.ana, 300)
    assert not Ticket.objects.exists()
    assert not WorkLog.objects.filter(ended_at=None).exists()
    assert Message.objects.filter(request=request, direction="out", text__startswith="Use the link.").count() == 1
    assert (FaqEntry.objects.get().question, FaqEntry.objects.get().answer) == ("How is it reset?", "Use the link.")
    assert len(mails(request)) == 2, "the receipt, and one mail with the answer"


def test_a_team_that_wants_a_ticket_for_everything_is_told_to_write_it(world: World) -> None:
    """TRI-01: what the documents disagree about is a setting."""
    adopt(world, timebox={"advice_needs_no_ticket": False})
    request = ask(world)
    with pytest.raises(Refused):
        request_timebox.answer_and_log(request.pk, "So.", world.ana, world.now)
    request_timebox.make_ticket(request.pk, {}, world.ana, world.now)
    assert request_timebox.answer_and_log(request.pk, "So.", world.ana, world.now).state == "resolved"


def test_over_the_box_the_engineer_writes_the_ticket_from_the_conversation(world: World) -> None:
    """TRI-02, TRI-04, TRI-05, TRI-06, HND-09: the ticket quotes it, begins in to do and is the watch's."""
    adopt_preset(world, "laa-ops")
    world.team.product_manager = world.ben
    world.team.save()
    request = ask(world, service=world.service, text="Since this morning.\nAll of us.")
    support.answer(request.pk, "Which page?", world.ana, world.now)
    support.note(request.pk, "their password is hunter2", world.ana, world.now)
    work_clock.log_time(request, 20, world.ana, world.now)
    assert request_timebox.advise(request, world.now).do == "propose_ticket"
    ticket = request_timebox.make_ticket(request.pk, {"text": "The proxy again."}, world.ana, world.now)
    assert (ticket.stage, ticket.seat, ticket.assignee, ticket.is_unplanned) == ("to_do", "engineer", None, True)
    assert (ticket.service, ticket.request, ticket.title) == (world.service, request, "I cannot log in")
    assert ticket.text.startswith(f"The proxy again.\n\nR-{request.pk}, from Ria: http://watchbill.test/requests/")
    assert "Ria, 2026-03-03 09:00 UTC:\n> Since this morning.\n> All of us." in ticket.text
    assert "Ana (to the requester), 2026-03-03 09:00 UTC:\n> Which page?" in ticket.text
    assert "hunter2" not in ticket.text, "what is for the team alone does not reach a tracker"
    assert request_timebox.advise(request, world.now).do == "answer_here", "it is not proposed twice"


def test_the_product_manager_hears_that_work_comes_in_between(world: World) -> None:
    """TRI-03: inform the product manager; a team that does not want it is left in peace."""
    adopt(world, timebox={"tell_product_manager": True})
    world.team.product_manager = world.ben
    world.team.save()
    ticket = request_timebox.make_ticket(ask(world).pk, {}, world.ana, world.now)
    assert subjects(world, "ben") == [f"T-{ticket.pk} comes in between: I cannot log in"]
    adopt(world, timebox={"tell_product_manager": False})
    request_timebox.make_ticket(ask(world).pk, {}, world.ana, world.now)
    assert len(subjects(world, "ben")) == 1


def test_the_conversation_goes_on_in_its_channel_after_the_ticket(world: World) -> None:
    """TRI-05: the ticket is not the primary communication channel; TRI-06: the engineer updates it."""
    request = ask(world, door="chat")
    ticket = request_timebox.make_ticket(request.pk, {}, world.ana, world.now)
    support.hear(request.pk, Asker("Ria", "ria@example.net"), Asked("Re", "Any news?", door="chat"), world.now)
    support.answer(request.pk, "Nearly.", world.ana, world.now, door="chat")
    assert list(Message.objects.filter(request=request, door="chat").values_list("text", flat=True)) == [
        "Help.",
        "Any news?",
        "Nearly.",
    ]
    assert not Message.objects.filter(ticket=ticket).exists()
    tickets.comment(ticket.pk, "Found it.", world.ana, world.now)
    tickets.move(ticket.pk, "in_progress", world.ana, world.now)
    assert fresh(request).state == "open"


def test_a_ticket_can_be_given_to_a_person_and_a_sprint(world: World) -> None:
    """TRI-10: what is no quick help goes to the sprint board."""
    ticket = request_timebox.make_ticket(
        ask(world).pk,
        {"assignee": world.ben, "title": "Fix login", "points": 2, "is_unplanned": False},
        world.ana,
        world.now,
    )
    assert (ticket.assignee, ticket.seat, ticket.title, ticket.points) == (world.ben, "", "Fix login", 2)
    with pytest.raises(NotAllowed):
        request_timebox.make_ticket(ask(world).pk, {}, world.olga, world.now)


def test_help_is_asked_for_after_the_limit_and_at_once_when_hopeless(world: World) -> None:
    """TRI-09, DUT-05: the one on watch reaches out; the reason stands on the request."""
    adopt(world)
    request = ask(world)
    assert request_timebox.ask_for_help(request.pk, "what is this?", world.ana, world.now).do == "answer_here"
    decision = request_timebox.ask_for_help(request.pk, "not ours", world.ana, world.now, hopeless=True)
    assert decision.do == "escalate"
    assert reason(request, "request.help_asked") == "Ana asks the team for help: not ours"
    work_clock.log_time(request, 30, world.ana, world.now)
    assert request_timebox.advise(request, world.now).do == "escalate"
    assert subjects(world, "ben").count("Ana asks for your help: I cannot log in") == 2
    assert "Ana asks for your help: I cannot log in" not in subjects(world, "ana")
    with pytest.raises(Refused):
        request_timebox.ask_for_help(request.pk, " ", world.ana, world.now)


def test_what_interrupts_pages_the_others_of_the_team(world: World) -> None:
    """TRI-09: an incident is prioritised over everything else; whoever asks is not paged themselves."""
    adopt(world)
    request = ask(world, request_class="incident_report", impact="everyone")
    before = Page.objects.count()
    request_timebox.ask_for_help(request.pk, "I know nothing of it", world.ana, world.now, hopeless=True)
    assert Page.objects.count() == before + 1
    asked = set(world.page().ladder["steps"][0]["targets"])
    assert asked == {f"person:{world.eva.pk}", f"person:{world.ben.pk}"}


def test_in_doubt_the_manager_is_asked(world: World) -> None:
    """DUT-10: ask team members or the manager; without one the fallback person is asked."""
    request = ask(world)
    request_timebox.ask_for_help(request.pk, "may I?", world.ana, world.now, whom="manager")
    assert "Ana asks for your help: I cannot log in" in subjects(world, "eva")
    world.team.manager = world.charlie
    world.team.save()
    request_timebox.ask_for_help(request.pk, "may I?", world.ana, world.now, whom="manager")
    assert subjects(world, "charlie") == ["Ana asks for your help: I cannot log in"]
    assert "Ana asks for your help: I cannot log in" not in subjects(world, "ben")


def test_whoever_helps_says_so_with_one_word(world: World) -> None:
    """DUT-06: those off watch have one duty, to support the one on watch."""
    request = ask(world)
    with pytest.raises(Refused):
        request_timebox.offer_help(request.pk, world.ben, world.now)
    request_timebox.ask_for_help(request.pk, "no document", world.ana, world.now, hopeless=True)
    request_timebox.offer_help(request.pk, world.ben, world.now)
    assert "Ben helps you: I cannot log in" in subjects(world, "ana")
    assert "request.help_offered" in story(request)
