"""Ask somebody to take it on: suggestions from what happened, consent, the answer that does not come, the spread."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import adopt, ask, fresh, story, subjects
from tests.world import World
from watchbill.actions import experts, paging, routing, support, tickets
from watchbill.actions.paging import Opening
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.db.models import Absence, ExpertAsk, Membership, Ticket
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def skills(world: World, **given: list[str]) -> None:
    for name, words in given.items():
        Membership.objects.filter(team=world.team, person=world.people[name]).update(skills=words)


def names(suggestions: list[experts.Suggestion]) -> list[str]:
    return [str(one.person) for one in suggestions]


def test_suggestions_follow_skill_and_the_last_touch_of_the_service(world: World) -> None:
    """TRI-11, INT-02: the component or the service routes to whoever knows it."""
    skills(world, ana=["dns"], ben=["learning:checkout"])
    request = ask(world, service=world.service, component="dns")
    found = experts.suggest(world.team, request, None, world.now)
    assert (names(found), found[0].fit) == (["Ana", "Ben", "Eva"], "knows this")
    assert "wants to learn checkout" in found[1].reasons
    earlier = ask(world, title="Earlier", service=world.service)
    support.take(earlier.pk, world.eva, world.now)
    support.resolve(earlier.pk, "done", "", world.eva, world.now)
    page = paging.open_page(world.team, Opening("Down", service=world.service), "test", world.now)
    paging.acknowledge(page.pk, world.ben, world.now + timedelta(hours=1))
    found = experts.suggest(world.team, request, None, world.now + timedelta(hours=2))
    assert names(found) == ["Ben", "Ana", "Eva"]
    assert found[0].reasons[1] == "touched it last: answered a page of checkout, 1 h ago"
    assert "resolved a request of checkout, 2 h ago" in found[2].reasons


def test_who_has_it_who_asks_and_who_only_observes_is_not_suggested(world: World) -> None:
    """TRI-11."""
    request = ask(world, Asker(person=world.eva))
    support.take(request.pk, world.ana, world.now)
    assert names(experts.suggest(world.team, fresh(request), None, world.now)) == ["Ben"]


def test_who_is_away_is_shown_last(world: World) -> None:
    """TRI-11: why they are away is theirs."""
    skills(world, ben=["checkout"])
    today = world.now.date()
    Absence.objects.create(
        person=world.ben, first_day=today, last_day=today + timedelta(days=3), why="surgery", created_at=world.now
    )
    found = experts.suggest(world.team, ask(world, service=world.service), None, world.now)
    assert (str(found[-1].person), found[-1].is_there, found[-1].fit) == ("Ben", False, "not at work")
    assert found[-1].reasons[-1] == "is away until Fri 06 Mar"
    assert "surgery" not in " ".join(found[-1].reasons)


def test_somebody_is_asked_and_their_yes_gives_it_to_them(world: World) -> None:
    """TRI-11: ask them if they are willing to take on resolving this issue."""
    request = ask(world)
    asked = experts.ask(request, world.ben, "you know DNS", world.ana, world.now)
    assert subjects(world, "ben") == ["Ana asks you: I cannot log in"]
    assert fresh(request).assignee is None, "nothing is theirs before they say yes"
    with pytest.raises(NotAllowed):
        experts.respond(asked.pk, True, world.ana, world.now)
    experts.respond(asked.pk, True, world.ben, world.now)
    assert fresh(request).assignee == world.ben
    assert "Ben takes it on: I cannot log in" in subjects(world, "ana")
    with pytest.raises(Refused):
        experts.respond(asked.pk, False, world.ben, world.now)


def test_declining_needs_no_reason_and_is_not_counted_against_anybody(world: World) -> None:
    """TRI-11, TRI-12: the spread shows who was asked and who took it, never who said no."""
    first, second = ask(world), ask(world, title="Two")
    experts.respond(experts.ask(first, world.ben, "", world.ana, world.now).pk, False, world.ben, world.now)
    experts.respond(experts.ask(second, world.ben, "", world.ana, world.now).pk, True, world.ben, world.now)
    assert fresh(first).assignee is None
    ben, *others = experts.spread(world.team, world.now - timedelta(days=1), world.now + timedelta(days=1))
    assert (ben.person, ben.asked, ben.took, ben.in_a_row, ben.percent) == (world.ben, 2, 1, 2, 100)
    assert {share.person for share in others} == {world.ana, world.eva}
    assert not hasattr(ben, "declined")
    found = experts.suggest(world.team, ask(world), None, world.now)
    assert names(found)[-1] == "Ben", "asked twice and has one open: others are asked first"


def test_the_first_yes_lets_the_others_off(world: World) -> None:
    """TRI-12: several may be asked; one takes it."""
    ticket = tickets.add_ticket(world.team, Written("Rotate keys", seat="engineer"), world.ana, world.now)
    one = experts.ask(ticket, world.ben, "", world.ana, world.now)
    other = experts.ask(ticket, world.eva, "", world.ana, world.now)
    with pytest.raises(Refused):
        experts.ask(ticket, world.eva, "", world.ana, world.now)
    experts.respond(one.pk, True, world.ben, world.now)
    taken = Ticket.objects.get()
    assert (taken.assignee, taken.seat) == (world.ben, "")
    assert ExpertAsk.objects.get(pk=other.pk).answer == "let_off"
    assert "Ben takes it on: Rotate keys" in subjects(world, "eva")
    world.forward(days=2)
    assert "ticket.expert_silent" not in story(ticket)


def test_no_answer_is_told_to_whoever_asked(world: World) -> None:
    """TRI-11: in working time; a late yes still counts."""
    adopt(world, ask_expert={"answer_within_minutes": 60})
    request = ask(world)
    support.take(request.pk, world.ana, world.now)
    asked = experts.ask(request, world.ben, "", world.ana, world.now)
    world.forward(minutes=59)
    assert "request.expert_silent" not in story(request)
    world.forward(hours=30)
    assert subjects(world, "ana").count("No answer from Ben: I cannot log in") == 1
    experts.respond(asked.pk, True, world.ben, world.now)
    assert fresh(request).assignee == world.ben


def test_only_who_serves_in_the_team_can_be_asked(world: World) -> None:
    request = ask(world)
    for somebody in (world.charlie, world.olga):
        with pytest.raises(Refused):
            experts.ask(request, somebody, "", world.ana, world.now)
    with pytest.raises(NotAllowed):
        experts.ask(request, world.ben, "", world.olga, world.now)
    support.resolve(request.pk, "done", "", world.ana, world.now)
    with pytest.raises(Refused):
        experts.ask(request, world.ben, "", world.ana, world.now)


def test_in_a_team_whose_manager_routes_others_hand_it_to_the_manager(world: World) -> None:
    """TRI-15: the manager routes that work item to somebody else."""
    adopt(world, ask_expert={"who_asks": "manager"})
    world.team.manager = world.ben
    world.team.save()
    request = ask(world)
    with pytest.raises(NotAllowed):
        experts.ask(request, world.eva, "", world.ana, world.now)
    assert routing.route(request.pk, "needs DNS", world.ana, world.now) == "Ben says who takes it on."
    assert "Who takes this on?: I cannot log in" in subjects(world, "ben")
    experts.ask(request, world.eva, "", world.ben, world.now)


def test_a_team_may_leave_it_to_volunteers_or_to_the_watch(world: World) -> None:
    """TRI-15, DUT-10."""
    adopt(world, ask_expert={"who_asks": "volunteers"})
    request = ask(world)
    routing.route(request.pk, "", world.ana, world.now)
    assert "Will you take this on?: I cannot log in" in subjects(world, "ben")
    adopt(world)
    before = len(story(request))
    assert routing.route(request.pk, "", world.ana, world.now).startswith("Ask somebody")
    assert len(story(request)) == before


def test_what_is_complex_waits_for_the_next_standup_until_somebody_has_it(world: World) -> None:
    """TRI-15, INT-06: raised in the daily standup to assign the right person."""
    one, two, three = (ask(world, title=title) for title in ("One", "Two", "Three"))
    for request in (one, two, three):
        routing.mark_for_standup(request.pk, f"who knows {request.title}?", world.ana, world.now)
    routing.take_off_standup(two.pk, world.ana, world.now)
    support.assign(three.pk, world.ben, world.ana, world.now)
    assert routing.standup_list(world.team) == [(one, "Ana: who knows One?")]
    routing.mark_for_standup(two.pk, "still", world.ana, world.now)
    assert [request for request, _ in routing.standup_list(world.team)] == [one, two]
    with pytest.raises(Refused):
        routing.mark_for_standup(one.pk, " ", world.ana, world.now)
