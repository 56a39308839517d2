"""Time really spent: clocks that run, one tap, and who hears when the box is full."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import adopt, ask, fresh, reason, story, subjects
from tests.world import World
from watchbill.actions import support, tickets, work_clock
from watchbill.actions.tickets import Written
from watchbill.db.models import Event, Ticket, WorkLog
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_clock_counts_the_time_really_spent(world: World) -> None:
    """TRI-02: from its start to its stop, however long the request lay there before."""
    request = ask(world)
    world.forward(hours=2)
    work_clock.start(request, world.ana, world.now)
    world.forward(minutes=7)
    log = work_clock.stop(world.ana, world.now, "read the log")
    assert (log.seconds, fresh(request).spent_seconds) == (420, 420)
    assert reason(request, "request.worked") == "Ana spent 7 minutes: read the log"
    with pytest.raises(Refused):
        work_clock.stop(world.ana, world.now)


def test_starting_another_clock_stops_the_first(world: World) -> None:
    """TRI-02: one clock runs per person; a request and a ticket alike."""
    request = ask(world)
    ticket = tickets.add_ticket(world.team, Written("Rotate keys"), world.ana, world.now)
    work_clock.start(request, world.ana, world.now)
    world.forward(minutes=5)
    work_clock.start(ticket, world.ana, world.now)
    work_clock.start(ticket, world.ana, world.now)
    world.forward(minutes=3)
    work_clock.start(request, world.ana, world.now)
    assert fresh(request).spent_seconds == 300
    assert Ticket.objects.get(pk=ticket.pk).spent_seconds == 180
    assert "ticket.worked" in story(ticket)
    assert WorkLog.objects.filter(person=world.ana, ended_at=None).count() == 1


def test_whoever_works_hears_of_the_box_and_of_the_limit_once_each(world: World) -> None:
    """TRI-02, TRI-09: 15 minutes propose a ticket, 30 ask for help; both stand on the request."""
    adopt(world, timebox={"ticket_after_minutes": 15, "escalate_after_minutes": 30})
    request = ask(world)
    work_clock.start(request, world.ben, world.now)
    world.forward(minutes=14)
    assert "request.timebox" not in story(request)
    world.forward(minutes=1)
    assert reason(request, "request.timebox").startswith("15 minutes spent")
    world.forward(minutes=15)
    assert reason(request, "request.timebox").startswith("30 minutes spent")
    world.forward(hours=2)
    assert subjects(world, "ben") == [
        "Time for a ticket: I cannot log in",
        "Time to ask for help: I cannot log in",
    ]


def test_the_box_goes_on_where_the_last_clock_stopped(world: World) -> None:
    """TRI-02: it counts what was spent, not what passed."""
    adopt(world)
    request = ask(world)
    work_clock.log_time(request, 10, world.ben, world.now)
    world.forward(hours=5)
    work_clock.start(request, world.ben, world.now)
    world.forward(minutes=4)
    assert "request.timebox" not in story(request)
    world.forward(minutes=1)
    assert "request.timebox" in story(request)


def test_two_who_work_at_once_fill_the_box_twice_as_fast(world: World) -> None:
    """TRI-02."""
    adopt(world)
    request = ask(world)
    work_clock.start(request, world.ana, world.now)
    work_clock.start(request, world.ben, world.now)
    world.forward(minutes=7)
    assert "request.timebox" not in story(request)
    world.forward(minutes=1)
    assert story(request).count("request.timebox") == 2, "one line for each who works"


def test_a_tap_over_the_box_is_noted_at_once_and_a_ticket_quiets_it(world: World) -> None:
    """TRI-02: logged afterwards it proposes the ticket as well."""
    adopt(world, timebox={"ticket_after_minutes": 15, "escalate_after_minutes": 60})
    request = ask(world)
    work_clock.log_time(request, 30, world.ana, world.now, "call with Ria")
    line = Event.objects.get(subject_kind="request", subject_id=request.pk, kind="request.timebox")
    assert line.data["do"] == "propose_ticket"
    other = ask(world, title="Another")
    tickets.add_ticket(world.team, Written("It", request=other), world.ana, world.now)
    work_clock.log_time(other, 30, world.ana, world.now)
    assert "request.timebox" not in story(other)


def test_a_forgotten_clock_is_asked_about_and_corrected(world: World) -> None:
    """TRI-02: time really spent."""
    adopt(world, timebox={"forgotten_after_minutes": 60})
    request = ask(world)
    work_clock.start(request, world.ben, world.now)
    world.forward(hours=5)
    assert subjects(world, "ben")[-1] == "Is your clock still right?: I cannot log in"
    with pytest.raises(Refused):
        work_clock.stop(world.ben, world.now, minutes=301)
    work_clock.stop(world.ben, world.now, minutes=12)
    assert fresh(request).spent_seconds == 720


def test_what_is_over_and_what_is_not_ones_own_takes_no_time(world: World) -> None:
    request = ask(world)
    with pytest.raises(NotAllowed):
        work_clock.start(request, world.olga, world.now)
    with pytest.raises(NotAllowed):
        work_clock.log_time(request, 5, world.charlie, world.now)
    for minutes in (0, -5, 24 * 60 + 1):
        with pytest.raises(Refused):
            work_clock.log_time(request, minutes, world.ana, world.now)
    support.resolve(request.pk, "done", "", world.ana, world.now)
    with pytest.raises(Refused):
        work_clock.start(request, world.ana, world.now)
    work_clock.log_time(request, 5, world.ana, world.now + timedelta(minutes=1))
    assert fresh(request).spent_seconds == 300, "what was forgotten may be logged afterwards"
