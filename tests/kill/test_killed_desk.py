"""Kill -9 between any two statements while a request is opened, a promise runs out, a ticket is written, a twin is made.

As in test_killed_anywhere: each process is killed in turn at each of its boundaries, then a fresh one, and the people,
finish: the requester hears at most twice and then with one Message-ID, never not at all; the watch hears of it; a
promise is missed once; a tracker has one issue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.actions.desk_cast import RIA, adopt_preset, ask, fresh, story
from tests.actions.tracker_world import Tracked
from tests.connectors.vendors import Jira, running
from tests.kill.killing import MOVED, Death, Moments, Step, Zygote, fewest_deaths
from tests.world import World, make_person
from watchbill.actions import connector_out, public_asking, request_timebox, support
from watchbill.actions.asked import Asked
from watchbill.db.models import Event, Export, ExternalRef, Message, SupportRequest, Ticket

LEASE = timedelta(seconds=31)
TABLES = (*MOVED, "requester", "supportrequest", "ticket", "message", "export", "connection", "externalref")
TITLE = "I cannot log in"
# A claim is one transaction of its own; so is what a sender writes down. Where a tracker is spoken to, these matter.
AROUND_THE_TRACKER = ["COMMIT", "tracker"]


@pytest.fixture
def moments(world: World) -> Iterator[Moments]:
    kept = Moments(TABLES)
    yield kept
    kept.forget()


@pytest.fixture
def desk(world: World) -> World:
    """The team promises an answer within two hours; its product manager is Pia."""
    adopt_preset(world, "laa-ops")
    world.people["pia"] = make_person("Pia", world.now)
    world.team.product_manager = world.people["pia"]
    world.team.save()
    return world


def deaths_of(
    step: Step, moments: Moments, zygote: Zygote, world: World, forget: Callable[[], None] = lambda: None
) -> Iterator[Death]:
    """Give every death of a step in turn, the database as the killed process left it; the last one survived.

    `forget` puts what is outside of the database back to the moment before the step.
    """
    moments.keep(step.name)
    assert zygote.run(step.as_job()).how == "survived"
    kill_at = 0
    while True:
        kill_at += 1
        moments.go_back(step.name)
        world.mailbox.clear()
        forget()
        death = zygote.run(step.as_job(), kill_at)
        world.now = step.at + LEASE
        yield death
        if death.how == "survived":
            break
    assert kill_at >= fewest_deaths()


def check_told_once(world: World, email: str, subject: str, death: Death) -> None:
    """They heard once; twice with one Message-ID only if the mail server had it before we could write that down."""
    mails = [m for m in world.mailbox.messages if m["X-To"] == email and subject in str(m["Subject"])]
    left = Counter(str(mail["Message-ID"]) for mail in mails)
    assert len(left) == 1, f"{email} heard {left} after {death}"
    assert sum(left.values()) <= (2 if death.taken else 1), f"{death} but {left}"


def test_killed_while_somebody_asks_the_request_is_whole_or_not_there(
    desk: World, moments: Moments, zygote: Zygote
) -> None:
    """INT-08, INT-09: what was not taken in was refused to a face, who sends it again; what was taken in is told."""
    job = {"do": "ask", "team": desk.team.pk, "title": TITLE, "name": RIA.name, "email": RIA.email}
    for death in deaths_of(Step("asks", desk.now, job), moments, zygote, desk):
        check_whole_or_not_there()
        if not SupportRequest.objects.exists():
            public_asking.ask(desk.team, RIA, Asked(TITLE, "Since this morning."), "192.0.2.7", desk.now)
        desk.work()
        check_the_request(desk, death)


def check_whole_or_not_there() -> None:
    taken_in = SupportRequest.objects.count()
    assert taken_in in {0, 1}
    assert Message.objects.filter(direction="in").count() == taken_in
    assert Export.objects.count() == taken_in
    assert Event.objects.filter(kind="request.opened").count() == taken_in


def check_the_request(world: World, death: Death) -> None:
    request = SupportRequest.objects.get()
    assert [(export.what, export.state) for export in Export.objects.all()] == [("mail", "sent")]
    assert story(request).count("request.told") == 1
    check_told_once(world, RIA.email, TITLE, death)
    check_told_once(world, "ana@example.org", "New request", death)


def test_killed_while_the_news_of_a_request_leaves_everybody_hears_it(
    desk: World, moments: Moments, zygote: Zygote
) -> None:
    """INT-08, INT-09: requester and watch, each at least once, and the second time is known as the first."""
    ask(desk)
    deaths = []
    for death in deaths_of(Step("news", desk.now, {"do": "work"}), moments, zygote, desk):
        desk.work()
        check_the_request(desk, death)
        deaths.append(death)
    assert sum(death.taken for death in deaths) >= 2, "once for each of the two mails at least"


def test_killed_while_a_promise_runs_out_it_is_missed_once_and_told(
    desk: World, moments: Moments, zygote: Zygote
) -> None:
    """PRI-05: the row says that it is late, it comes first, and whoever has it hears of it once."""
    request = ask(desk)
    support.take(request.pk, desk.ana, desk.now)
    desk.work()
    due = fresh(request).due_at
    assert due is not None
    desk.now = due
    for death in deaths_of(Step("missed", due, {"do": "work"}), moments, zygote, desk):
        late = fresh(request)
        assert late.is_late == ("request.promise_missed" in story(request)) == (late.priority == "high")
        desk.work()
        late = fresh(request)
        assert (late.is_late, late.priority) == (True, "high")
        assert story(request).count("request.promise_missed") == 1
        assert story(request).count("request.miss_told") == 1
        check_told_once(desk, "ana@example.org", "A promise has run out", death)


def test_killed_while_a_ticket_is_written_from_a_request_there_is_one_ticket(
    desk: World, moments: Moments, zygote: Zygote
) -> None:
    """TRI-03, TRI-04: ticket, log and the word to the product manager are there together, or none of them."""
    request = ask(desk)
    support.take(request.pk, desk.ana, desk.now)
    desk.work()
    job = {"do": "write_ticket", "request": request.pk, "person": desk.ana.pk}
    for death in deaths_of(Step("ticket", desk.now, job), moments, zygote, desk):
        written = Ticket.objects.count()
        assert written in {0, 1}
        assert story(request).count("request.ticket") == written
        assert story(request).count("request.product_manager_told") == written
        if not written:
            request_timebox.make_ticket(request.pk, {"points": 2}, desk.ana, desk.now)
        desk.work()
        ticket = Ticket.objects.get()
        assert (ticket.request_id, ticket.title, ticket.points) == (request.pk, TITLE, 2)
        check_told_once(desk, "pia@example.org", f"T-{ticket.pk}", death)


def test_killed_while_a_ticket_leaves_to_a_tracker_it_has_one_issue_there(
    world: World, moments: Moments, zygote: Zygote
) -> None:
    """TRI-10: what the tracker took before we could write it down is found again, not made again."""
    with running(Jira()) as vendor:
        tracked = Tracked(world, "jira", vendor)
        ticket = tracked.ticket(labels=("operations",))
        connector_out.open_twin(ticket.pk, tracked.connection.pk, world.ana, world.now)
        step = Step("twin", world.now, {"do": "work", "only": AROUND_THE_TRACKER})
        where = Counter[str]()
        for death in deaths_of(step, moments, zygote, world, lambda: vendor_forgets(vendor)):
            where[death.where] += 1
            world.forward(minutes=2)
            assert len(vendor.issues) == 1, f"{death} left {vendor.issues}"
            ref = ExternalRef.objects.get(subject_kind="ticket", subject_id=ticket.pk)
            assert (ref.ref, ref.sync) == ("OPS-1", "in_step"), death
            assert not Export.objects.filter(state="waiting").exists()
        assert where["after the tracker: POST"] >= 1


def vendor_forgets(vendor: Jira) -> None:
    vendor.issues.clear()
    vendor.comments.clear()
