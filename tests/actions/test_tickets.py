"""Tickets: who writes one, where it stands, what it lacks, whose it is."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.world import World
from watchbill.actions import desk, rota, support, ticket_pairs, tickets
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.db import ticket_facts
from watchbill.db.models import AlertGroup, Event, Policy, Sprint, SupportRequest, Team, Ticket, TicketLink
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def write(world: World, title: str = "Rotate the keys", **more: object) -> Ticket:
    return tickets.add_ticket(world.team, Written(title, **more), world.ana, world.now)  # type: ignore[arg-type]


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def kinds(ticket: Ticket) -> list[str]:
    lines = Event.objects.filter(subject_kind="ticket", subject_id=ticket.pk).order_by("id")
    return list(lines.values_list("kind", flat=True))


def rules(world: World, **settings: object) -> None:
    version = Policy.objects.filter(team=world.team).count() + 1
    Policy.objects.create(
        team=world.team,
        version=version,
        preset="oncall-remodel",
        settings={"rules": settings},
        adopted_at=world.now,
        why="test",
    )


def ask(world: World, **asked: object) -> SupportRequest:
    values: dict[str, object] = {"title": "It is slow", "text": "Every day.", **asked}
    return support.open_request(world.team, Asker("Ria", "ria@example.net"), Asked(**values), world.now)  # type: ignore[arg-type]


def test_a_ticket_is_labelled_and_placed_as_it_is_written(world: World) -> None:
    """BKL-01, BKL-09: the label tells the two kinds apart, whatever its case; the team chooses which labels those are."""
    assert write(world, labels=("Operational",)).work_kind == "operations"
    assert write(world, labels=("feature",)).work_kind == "feature"
    rules(world, work_kinds={"operations_labels": ["toil"], "default": "feature"})
    assert write(world, labels=("operations",)).work_kind == "feature"
    assert write(world, labels=("toil",)).work_kind == "operations"


def test_the_order_is_the_teams_own_list(world: World) -> None:
    """PRI-01, PRI-10: service interruption, security, customers, backlog; a new version of the list places anew."""
    first = write(world, labels=("security",))
    assert (first.priority, first.rank) == ("security", 1)
    assert write(world).priority == "backlog"
    rules(
        world,
        priority_order={
            "levels": {"high": {"title": "High"}, "other": {"title": "Other"}},
            "table": [{"when": {"kind": ["action"]}, "level": "high"}],
            "otherwise": "other",
        },
    )
    assert write(world, kind="action").priority == "high"
    assert tickets.change_ticket(first.pk, {"points": 2}, world.ana, world.now).priority == "other"


def test_production_comes_first_for_a_team_that_says_so(world: World) -> None:
    """PRI-02, PRI-04: the environment decides for one team, three levels with a response for another."""
    world.service.environment = "PROD"
    world.service.save()
    levels = {
        "critical": {"title": "Critical", "interrupts": True},
        "error": {"title": "Error"},
        "warning": {"title": "W"},
    }
    table = [{"when": {"environment": ["prod"]}, "level": "critical"}]
    rules(world, priority_order={"levels": levels, "table": table, "otherwise": "warning"})
    assert write(world, service=world.service).priority == "critical"
    assert write(world).priority == "warning"


def test_the_impact_of_a_request_decides(world: World) -> None:
    """PRI-03, PRI-07, PRI-08: an outage for many comes before all else; a vulnerability is security's."""
    outage = ask(world, request_class="incident_report", impact="everyone")
    assert (outage.priority, outage.rank) == ("interruption", 0)
    assert ask(world, impact="security").priority == "security"
    assert ask(world, impact="one").priority == "customer"


def test_a_missed_promise_promotes_the_tickets_that_were_written_for_it(world: World) -> None:
    """PRI-05: what misses its promise is critical, the request and the work for it."""
    request = ask(world, request_class="incident_report")
    ticket = write(world, request=request)
    done = write(world, "Done already", request=request)
    tickets.move(done.pk, "done", world.ana, world.now)
    assert ticket.priority == "backlog"
    world.forward(days=4)
    assert fresh(ticket).priority == "interruption"
    assert "a promise was missed" in fresh(ticket).priority_why
    assert kinds(ticket)[-1] == "ticket.priority"
    assert fresh(done).priority == "backlog"


def test_the_next_deadline_breaks_ties_within_a_level(world: World) -> None:
    """PRI-06: which one first? The promise says it; what has none follows in order of age."""
    undated = write(world, "undated")
    later = write(world, "later", more={"due_on": date(2026, 3, 20)})
    sooner = write(world, "sooner", more={"due_on": date(2026, 3, 10)})
    promised = write(world, "promised", request=ask(world, request_class="incident_report"))
    lane = list(Ticket.objects.filter(team=world.team).order_by(*ticket_facts.ORDER))
    assert lane == [promised, sooner, later, undated]
    tickets.change_ticket(undated.pk, {"due_on": date(2026, 3, 4)}, world.ana, world.now)
    support.answer(promised.request.pk, "Which page?", world.ana, world.now)  # type: ignore[union-attr]
    lane = list(Ticket.objects.filter(team=world.team).order_by(*ticket_facts.ORDER))
    assert lane == [undated, sooner, later, promised], "an answered request has no deadline: its ticket has none"


def test_a_service_that_warns_often_promotes_its_work(world: World) -> None:
    """PRI-09: chronic slowness, by a rule that counts warnings; only for a team whose table asks for it."""
    for number in range(4):
        group(world, f"slow-{number}")
    rules(
        world,
        chronic_slowness={"warnings": 5},
        priority_order={"table": [{"when": {"chronic": ["yes"]}, "level": "customer"}]},
    )
    slow = write(world, "Make it fast", service=world.service)
    assert slow.priority == "backlog"
    group(world, "slow-5")
    assert write(world, "Again", service=world.service).priority == "customer"
    assert "warned 5 times" in desk.why_chronic(world.service, desk.desk_of(world.team, world.now))
    world.now += timedelta(days=8)
    assert write(world, "Later", service=world.service).priority == "backlog"


def group(world: World, key: str, severity: str = "warning") -> AlertGroup:
    return AlertGroup.objects.create(
        team=world.team,
        service=world.service,
        key=key,
        title="Slow answers",
        severity=severity,
        response="list_due",
        urgency="default",
        state="resolved",
        opened_at=world.now,
        last_at=world.now,
    )


def test_a_priority_by_hand_needs_its_reason_and_stays_until_it_is_given_back(world: World) -> None:
    """PRI-09: a person promotes, with a reason that stands beside it."""
    ticket = write(world)
    with pytest.raises(Refused) as refused:
        tickets.set_priority(ticket.pk, "interruption", " ", world.ana, world.now)
    assert refused.value.field == "why"
    with pytest.raises(Refused) as refused:
        tickets.set_priority(ticket.pk, "urgent", "now", world.ana, world.now)
    assert "interruption" in refused.value.message
    tickets.set_priority(ticket.pk, "interruption", "slow every day", world.ana, world.now)
    changed = tickets.change_ticket(ticket.pk, {"labels": ["security"]}, world.ben, world.now)
    assert (changed.priority, changed.priority_why, changed.rank) == ("interruption", "Ana: slow every day", 0)
    assert tickets.set_priority(ticket.pk, "", "", world.ana, world.now).priority == "security"


def test_done_says_everything_that_is_missing(world: World) -> None:
    """SPN-04: a quick fix is done with its lasting fix, or with a reason."""
    quick = write(world, kind="quick_fix")
    with pytest.raises(Refused) as refused:
        tickets.move(quick.pk, "done", world.ana, world.now)
    assert "its lasting fix as a ticket, or the reason why there is none" in refused.value.message
    assert fresh(quick).stage == "to_do"
    lasting = write(world, "Do it well", kind="lasting_fix")
    tickets.link(lasting.pk, quick.pk, "lasting_fix_of", world.ana, world.now)
    assert tickets.move(quick.pk, "done", world.ana, world.now).done_at == world.now


def test_an_epic_is_done_after_its_parts(world: World) -> None:
    epic = write(world, "Move to the new cluster", kind="epic")
    part = write(world, "Move the first host", epic=epic)
    with pytest.raises(Refused) as refused:
        tickets.move(epic.pk, "done", world.ana, world.now)
    assert "1 of its tickets" in refused.value.message
    tickets.move(part.pk, "done", world.ana, world.now)
    tickets.move(epic.pk, "done", world.ana, world.now)
    assert fresh(epic).outcome == "done"


def test_an_epic_is_no_part_of_its_own_part_and_stays_an_epic_while_it_has_parts(world: World) -> None:
    outer, inner = write(world, "Outer", kind="epic"), write(world, "Inner", kind="epic")
    tickets.change_ticket(inner.pk, {"epic": outer}, world.ana, world.now)
    for ticket, values in ((outer, {"epic": fresh(inner)}), (outer, {"epic": outer}), (outer, {"kind": "task"})):
        with pytest.raises(Refused):
            tickets.change_ticket(ticket.pk, values, world.ana, world.now)


def test_a_ticket_is_a_persons_or_the_watchs(world: World) -> None:
    """HND-09, C20: the seat has it, or a person; giving it to one takes it from the other."""
    ticket = write(world, seat="engineer")
    taken = tickets.change_ticket(ticket.pk, {"assignee": world.ben}, world.ben, world.now)
    assert (taken.assignee, taken.seat) == (world.ben, "")
    back = tickets.change_ticket(ticket.pk, {"seat": "engineer"}, world.ben, world.now)
    assert (back.assignee, back.seat) == (None, "engineer")
    for wrong in ({"seat": "engineer", "assignee": world.ben}, {"seat": "captain"}, {"assignee": world.charlie}):
        with pytest.raises(Refused):
            tickets.change_ticket(ticket.pk, wrong, world.ben, world.now)


def test_at_handoff_the_tickets_of_the_seat_are_anothers_and_nothing_was_written(world: World) -> None:
    """HND-08, HND-09: Ana hands over on Monday at 09:00; what was the watch's is Ben's from that instant."""
    seats = write(world, "The watch's", seat="engineer")
    exact = write(world, "Also", seat=f"{world.rotation.slug}/engineer")
    hers = write(world, "Ana's own", assignee=world.ana)
    handoff = world.now + timedelta(days=6)
    written = fresh(seats).changed_at
    assert set(ticket_facts.mine(world.ana, world.team, handoff - timedelta(seconds=1))) == {seats, exact, hers}
    assert not ticket_facts.mine(world.ben, world.team, handoff - timedelta(seconds=1)).exists()
    assert set(ticket_facts.mine(world.ben, world.team, handoff)) == {seats, exact}
    assert list(ticket_facts.mine(world.ana, world.team, handoff)) == [hers]
    assert fresh(seats).changed_at == written
    rota.add_override(world.rotation, world.eva, handoff, handoff + timedelta(hours=4), world.eva, world.now)
    assert set(ticket_facts.mine(world.eva, world.team, handoff)) == {seats, exact}


def test_what_is_wrong_is_refused_with_its_field(world: World) -> None:
    sprint = Sprint.objects.create(
        team=world.team,
        name="Old",
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 1, 14),
        created_at=world.now,
        closed_at=world.now,
    )
    elsewhere = Team.objects.get(slug="payments")
    wrong: list[tuple[dict[str, object], str]] = [
        ({"title": "  "}, "title"),
        ({"title": "x" * 301}, "title"),
        ({"kind": "story"}, "kind"),
        ({"points": "many"}, "points"),
        ({"points": -1}, "points"),
        ({"labels": [str(number) for number in range(21)]}, "labels"),
        ({"starts_on": date(2026, 3, 4), "due_on": date(2026, 3, 3)}, "due_on"),
        ({"sprint": sprint}, "sprint"),
        ({"stage": "done"}, "stage"),
        ({"epic": write(world)}, "epic"),
        ({"sprint": Sprint(team=elsewhere, name="Theirs")}, "sprint"),
    ]
    ticket = write(world)
    for values, field in wrong:
        with pytest.raises(Refused) as refused:
            tickets.change_ticket(ticket.pk, values, world.ana, world.now)
        assert refused.value.field == field, values
    tickets.change_ticket(ticket.pk, {"starts_on": date(2026, 3, 9)}, world.ana, world.now)
    with pytest.raises(Refused) as refused:
        tickets.change_ticket(ticket.pk, {"due_on": date(2026, 3, 4)}, world.ana, world.now)
    assert refused.value.field == "due_on"


def test_a_ticket_is_written_for_a_request_of_its_own_team(world: World) -> None:
    request = ask(world)
    with pytest.raises(Refused) as refused:
        tickets.add_ticket(Team.objects.get(slug="payments"), Written("No", request=request), world.charlie, world.now)
    assert refused.value.field == "request"


def test_only_members_write_and_move(world: World) -> None:
    ticket = write(world)
    for person in (world.olga, world.charlie):
        with pytest.raises(NotAllowed):
            tickets.add_ticket(world.team, Written("No"), person, world.now)
        with pytest.raises(NotAllowed):
            tickets.move(ticket.pk, "in_progress", person, world.now)
        with pytest.raises(NotAllowed):
            tickets.comment(ticket.pk, "Hello", person, world.now)


def test_two_tickets_are_linked_once_and_both_say_so(world: World) -> None:
    """SPN-02: linked, to retain context."""
    one, two = write(world, "One"), write(world, "Two")
    first = tickets.link(two.pk, one.pk, "blocks", world.ana, world.now)
    assert tickets.link(two.pk, one.pk, "blocks", world.ben, world.now) == first
    assert TicketLink.objects.count() == 1
    assert kinds(one)[-1] == kinds(two)[-1] == "ticket.linked"
    with pytest.raises(Refused):
        tickets.link(one.pk, one.pk, "blocks", world.ana, world.now)
    with pytest.raises(Refused):
        tickets.link(one.pk, two.pk, "blocks", world.ana, world.now)
    with pytest.raises(Refused):
        tickets.link(one.pk, two.pk, "knows", world.ana, world.now)


def test_a_link_is_taken_away_and_both_say_so(world: World) -> None:
    """SPN-02, SPN-04: a quick fix that lost its other half ages in the open again."""
    quick, lasting = write(world, "Restart it", kind="quick_fix"), write(world, "Mend it", kind="lasting_fix")
    tickets.link(lasting.pk, quick.pk, "lasting_fix_of", world.ana, world.now)
    tickets.move(quick.pk, "done", world.ana, world.now)
    assert not ticket_pairs.unpaired(world.team, world.now).rows
    with pytest.raises(NotAllowed):
        tickets.unlink(lasting.pk, quick.pk, "lasting_fix_of", world.charlie, world.now)
    with pytest.raises(Refused):
        tickets.unlink(quick.pk, lasting.pk, "lasting_fix_of", world.ana, world.now)
    tickets.unlink(lasting.pk, quick.pk, "lasting_fix_of", world.ana, world.now)
    assert not TicketLink.objects.exists()
    assert kinds(quick)[-1] == kinds(lasting)[-1] == "ticket.unlinked"
    assert [row.ticket for row in ticket_pairs.unpaired(world.team, world.now).rows] == [quick]


def test_the_time_at_each_stage_is_known(world: World) -> None:
    """MET-01: to do, in progress, done; waiting is its own."""
    ticket = write(world)
    for hours, stage in ((2, "in_progress"), (1, "waiting"), (5, "in_progress"), (3, "done")):
        world.now += timedelta(hours=hours)
        tickets.move(ticket.pk, stage, world.ana, world.now)
    stayed = {stay.stage: stay.length for stay in ticket_facts.times(fresh(ticket), world.now + timedelta(days=9))}
    assert stayed == {"to_do": timedelta(hours=2), "in_progress": timedelta(hours=4), "waiting": timedelta(hours=5)}
    slow = write(world)
    tickets.move(slow.pk, "done", world.ana, world.now + timedelta(hours=10))
    found = ticket_facts.medians(world.team, world.now, world.now + timedelta(days=1))
    assert (found.count, found.capped) == (2, False)
    assert found.stages == {
        "to_do": timedelta(hours=6),
        "in_progress": timedelta(hours=2),
        "waiting": timedelta(hours=2.5),
    }


def test_a_small_urgent_surprise_is_for_the_watch(world: World) -> None:
    """DUT-16, BKL-06: over the sprint, unexpected, at most three points; too big is an epic, not urgent is the queue's."""
    urgent = {"labels": ("security",), "is_unplanned": True}
    belongs = [
        write(world, **urgent, points=3),
        write(world, **urgent, points=5),
        write(world, is_unplanned=True, points=1),
        write(world, labels=("security",), points=1),
        write(world, **urgent),
    ]
    where = [tickets.where_it_belongs(ticket, world.now).where for ticket in belongs]
    assert where == ["watch", "epic", "queue", "queue", "watch"]
