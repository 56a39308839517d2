"""Two people, or a person and a requester, at the same thing at the same moment: one order, one story, nothing half.

Both begin at once, in threads with connections of their own: PostgreSQL lets them meet at the row, SQLite lets one
after the other write.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier, Thread

import pytest
from django.db import connections

from tests.actions.desk_cast import RIA, adopt_preset, ask, fresh, mails, story
from tests.world import World
from watchbill.actions import support, tickets, work_clock
from watchbill.actions.asked import Asked
from watchbill.actions.tickets import Written
from watchbill.db.models import Event, SupportRequest, Ticket, Timer, WorkLog
from watchbill.kit.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 8


@pytest.fixture
def desk(world: World) -> World:
    adopt_preset(world, "laa-ops")
    return world


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do these at the same moment; gives what each returned, or the refusal that it met."""
    results: list[object] = [None] * len(acts)
    gate = Barrier(len(acts))

    def run(place: int, act: Callable[[], object]) -> None:
        gate.wait(10)
        try:
            results[place] = act()
        except Refused as refusal:
            results[place] = refusal
        except Exception as error:  # noqa: BLE001 - told to the test, which fails of it
            results[place] = error
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    broken = [one for one in results if isinstance(one, Exception) and not isinstance(one, Refused)]
    assert broken == []
    return results


def test_two_who_take_a_request_at_once_are_both_told_who_has_it(desk: World) -> None:
    """INT-08: it has one of them, and the log tells both takings in their order."""
    for _ in range(TIMES):
        request = ask(desk)
        at_once(
            partial(support.take, request.pk, desk.ana, desk.now), partial(support.take, request.pk, desk.ben, desk.now)
        )
        lines = Event.objects.filter(subject_kind="request", subject_id=request.pk, kind="request.assigned")
        last = lines.latest("id")
        assert fresh(request).assignee_id == last.data["to"] in {desk.ana.pk, desk.ben.pk}
        assert lines.count() == 2
        assert not Timer.objects.filter(subject_kind="request", subject_id=request.pk, kind="unassigned").exists()


def test_a_reply_that_meets_its_resolution_is_never_lost(desk: World) -> None:
    """MET-02: whichever is first, it is open with the reply on it, or resolved after the reply; its timers agree."""
    for number in range(TIMES):
        request = ask(desk, title=f"Disk {number}")
        at_once(
            partial(support.resolve, request.pk, "done", "Try again.", desk.ana, desk.now),
            partial(support.hear, request.pk, RIA, Asked("", "Not yet!"), desk.now),
        )
        one, told = fresh(request), story(request)
        assert request.messages.filter(direction="in", text="Not yet!").count() == 1
        due = set(Timer.objects.filter(subject_kind="request", subject_id=one.pk).values_list("kind", flat=True))
        if one.state == "open":
            assert told.index("request.resolved") < told.index("request.reopened")
            assert one.waiting_on == "us"
            assert "close" not in due
        else:
            assert "request.reopened" not in told
            assert (one.due_at, "close" in due, "promise" in due) == (None, True, False)
        assert len([text for text in mails(one) if "Try again." in text]) == 1


def test_two_answers_at_once_keep_the_promise_once(desk: World) -> None:
    """TRI-07: there is one first answer; both reach the requester, and whoever was first has it."""
    for number in range(TIMES):
        request = ask(desk, title=f"Disk {number}")
        at_once(
            partial(support.answer, request.pk, "From Ana.", desk.ana, desk.now),
            partial(support.answer, request.pk, "From Ben.", desk.ben, desk.now),
        )
        assert story(request).count("request.answered") == 1
        assert {text.split(".")[0] for text in mails(request)} >= {"From Ana", "From Ben"}
        first = Event.objects.get(subject_kind="request", subject_id=request.pk, kind="request.answered")
        assert fresh(request).assignee_id == first.actor_id


def test_two_clocks_of_one_person_never_run_at_once(desk: World) -> None:
    """TRI-01: a second clock stops the first; the time of neither is counted twice."""
    for number in range(TIMES):
        one, other = ask(desk, title=f"Disk {number}"), ask(desk, title=f"Fan {number}")
        at_once(
            partial(work_clock.start, one, desk.ana, desk.now), partial(work_clock.start, other, desk.ana, desk.now)
        )
        assert WorkLog.objects.filter(person=desk.ana, ended_at=None).count() == 1
        desk.now += timedelta(minutes=6)
        stopped = at_once(partial(work_clock.stop, desk.ana, desk.now), partial(work_clock.stop, desk.ana, desk.now))
        assert len([result for result in stopped if isinstance(result, Refused)]) == 1
        spent = sum(SupportRequest.objects.filter(pk__in=[one.pk, other.pk]).values_list("spent_seconds", flat=True))
        assert spent == 360


def test_two_moves_of_a_ticket_stand_one_after_the_other(desk: World) -> None:
    """MET-01: the ticket is where the last line of its log says, and was in each stage that the log names."""
    for number in range(TIMES):
        ticket = tickets.add_ticket(desk.team, Written(f"Disk {number}"), desk.ana, desk.now)
        at_once(
            partial(tickets.move, ticket.pk, "in_progress", desk.ana, desk.now),
            partial(tickets.move, ticket.pk, "done", desk.ben, desk.now),
        )
        moves = Event.objects.filter(subject_kind="ticket", subject_id=ticket.pk, kind="ticket.moved").order_by("id")
        assert Ticket.objects.get(pk=ticket.pk).stage == moves[len(moves) - 1].data["to"]
        assert [line.data["from"] for line in moves] == ["to_do", *[line.data["to"] for line in moves][:-1]]


def test_two_tickets_of_one_request_and_its_resolution_never_lock_each_other_out(desk: World) -> None:
    """TRI-04: request before ticket is the order of locks; whoever comes last acts on what is there."""
    for number in range(TIMES):
        request = ask(desk, title=f"Disk {number}")
        ticket = tickets.add_ticket(desk.team, Written("Disk", request=request), desk.ana, desk.now)
        at_once(
            partial(tickets.move, ticket.pk, "done", desk.ana, desk.now),
            partial(support.resolve, request.pk, "done", "", desk.ben, desk.now),
            partial(support.pass_ball, request.pk, "vendor", "", desk.eva, desk.now),
        )
        assert fresh(request).state == "resolved"
        assert Ticket.objects.get(pk=ticket.pk).stage == "done"
