"""Quick fix and lasting fix, tickets for alerts, and the one that gathers what nobody can explain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.world import World
from watchbill.actions import idle, ticket_pairs, tickets, tracking
from watchbill.actions.teams import adopt_policy
from watchbill.actions.ticket_pairs import Solved
from watchbill.actions.tickets import Written
from watchbill.db.models import AlertGroup, Event, Policy, Ticket, TicketLink, Timer
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def write(world: World, title: str = "Restart it", kind: str = "quick_fix", **more: object) -> Ticket:
    written = Written(title, kind=kind, **more)  # type: ignore[arg-type]
    return tickets.add_ticket(world.team, written, world.ana, world.now)


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def fired(world: World, key: str = "oom", title: str = "Container killed") -> AlertGroup:
    return AlertGroup.objects.create(
        team=world.team,
        service=world.service,
        key=key,
        title=title,
        severity="warning",
        response="list_due",
        urgency="default",
        state="resolved",
        opened_at=world.now,
        last_at=world.now,
    )


def test_closing_a_quick_fix_asks_for_its_other_half(world: World) -> None:
    """SPN-01, SPN-02: both exist as tickets, and are linked."""
    quick = write(world, service=world.service, labels=("operations", "memory"))
    with pytest.raises(Refused) as refused:
        ticket_pairs.close_quick_fix(quick.pk, world.ana, world.now)
    assert "its lasting fix as a ticket" in refused.value.message
    done = ticket_pairs.close_quick_fix(quick.pk, world.ana, world.now, lasting=Written("Find the leak", points=5))
    assert done.stage == "done"
    other = TicketLink.objects.get(target=quick, kind="lasting_fix_of").source
    assert (other.title, other.kind, other.service, other.labels, other.points) == (
        "Find the leak",
        "lasting_fix",
        world.service,
        ["operations", "memory"],
        5,
    )


def test_a_quick_fix_is_closed_with_a_ticket_that_stands_or_with_a_reason(world: World) -> None:
    """SPN-01, SPN-04."""
    standing = write(world, "Replace the host", "lasting_fix")
    one, two = write(world), write(world)
    ticket_pairs.close_quick_fix(one.pk, world.ana, world.now, lasting=standing.pk)
    assert TicketLink.objects.get(target=one).source == standing
    ticket_pairs.close_quick_fix(two.pk, world.ana, world.now, reason="The host is gone for good.")
    assert fresh(two).no_pair_why == "The host is gone for good."
    third = write(world)
    for wrong in (third.pk, 999_999):
        with pytest.raises(Refused):
            ticket_pairs.close_quick_fix(third.pk, world.ana, world.now, lasting=wrong)
    with pytest.raises(Refused):
        ticket_pairs.close_quick_fix(standing.pk, world.ana, world.now, reason="no")
    with pytest.raises(NotAllowed):
        ticket_pairs.close_quick_fix(third.pk, world.olga, world.now, reason="no")
    assert fresh(third).stage == "to_do"


def test_unpaired_quick_fixes_age_in_the_open(world: World) -> None:
    """SPN-04: age and count of those that nobody follows up, also where the team asks for nothing."""
    rules = {"quick_fixes": {"demand": "nothing", "told_after_days": 14}}
    Policy.objects.create(
        team=world.team, version=2, preset="oncall-remodel", settings={"rules": rules}, adopted_at=world.now, why="t"
    )
    old, young, paired, dropped = write(world, "old"), write(world, "young"), write(world), write(world)
    tickets.move(old.pk, "done", world.ana, world.now)
    ticket_pairs.spin_off(paired.pk, Written("Better"), world.ana, world.now, kind="lasting_fix_of")
    tickets.move(dropped.pk, "done", world.ana, world.now, outcome="wont_do")
    world.now += timedelta(days=13)
    assert ticket_pairs.unpaired(world.team, world.now).old == 0
    tickets.move(young.pk, "done", world.ana, world.now)
    world.now += timedelta(days=1)
    found = ticket_pairs.unpaired(world.team, world.now)
    assert [(row.ticket, row.done, row.age.days, row.is_old) for row in found.rows] == [
        (old, True, 14, True),
        (young, True, 1, False),
    ]
    assert (found.count, found.old, found.more) == (2, 1, False)


def test_the_context_of_a_lasting_fix_is_read_from_its_other_half(world: World) -> None:
    """SPN-03: the alert, the request, the comments of the quick fix."""
    group = fired(world)
    quick = ticket_pairs.from_alert(group.pk, Solved(kind="quick_fix", solved=False), world.ana, world.now)
    tickets.comment(quick.pk, "Memory grows until it dies.", world.ana, world.now)
    lasting = ticket_pairs.spin_off(quick.pk, Written("Find the leak"), world.ben, world.now, kind="lasting_fix_of")
    found = ticket_pairs.pair_context(lasting)
    assert (found.quick_fixes, found.lasting_fixes, found.groups) == ([quick], [], [group])
    assert [message.text for message in found.comments] == ["Memory grows until it dies."]
    back = ticket_pairs.pair_context(quick)
    assert (back.quick_fixes, back.lasting_fixes) == ([], [lasting])


def test_solved_alert_work_gets_its_ticket_too(world: World) -> None:
    """SPN-06, RUN-07, PAG-04: high-level words, the runbook that resolved it, and how it reached us."""
    world.service.links = [{"kind": "runbook", "url": "https://wiki.example.org/oom", "title": "OOM"}]
    world.service.save()
    group = fired(world)
    ticket = ticket_pairs.from_alert(group.pk, Solved(text="Restarted the container."), world.ana, world.now)
    assert (ticket.stage, ticket.title, ticket.service, ticket.is_unplanned) == (
        "done",
        group.title,
        world.service,
        True,
    )
    assert ticket.text.splitlines()[0] == "Restarted the container."
    assert "Runbook: https://wiki.example.org/oom" in ticket.text
    assert "It reached us by: alert." in ticket.text
    assert ticket.work_kind == "operations"
    line = Event.objects.get(subject_kind="alert", subject_id=group.pk, kind="alert.ticket")
    assert line.data["ticket"] == ticket.pk
    other = Solved(title="Disk", runbook="https://wiki.example.org/oom#heap", solved=False)
    open_one = ticket_pairs.from_alert(group.pk, other, world.ana, world.now)
    assert (open_one.stage, open_one.title) == ("to_do", "Disk")
    assert "Runbook: https://wiki.example.org/oom#heap" in open_one.text
    with pytest.raises(Refused):
        ticket_pairs.from_alert(999_999, Solved(), world.ana, world.now)
    with pytest.raises(NotAllowed):
        ticket_pairs.from_alert(group.pk, Solved(), world.charlie, world.now)


def test_a_listed_alert_with_a_ticket_is_no_finding_any_more(world: World) -> None:
    """DUT-13: tickets out of listed alerts."""
    group = fired(world)
    AlertGroup.objects.filter(pk=group.pk).update(state="firing")
    assert "finding" in [idea.kind for idea in idle.suggest(world.ana, world.team, world.now)]
    ticket_pairs.from_alert(group.pk, Solved(solved=False), world.ana, world.now)
    assert "finding" not in [idea.kind for idea in idle.suggest(world.ana, world.team, world.now)]


def test_the_alerts_of_a_compliance_feed_become_tickets_by_themselves(world: World) -> None:
    """PAG-07, DUT-13: one ticket a finding; what comes back belongs to the ticket that is open still."""
    policy = {"rules": {"findings": {"services": ["checkout"], "severities": ["warning"]}}}
    adopt_policy(world.team, policy, world.eva, "Prisma", world.now)
    world.work()
    first = fired(world, "cve-1", "CVE-2026-1")
    loud = fired(world, "down", "Down")
    fired(world, "gone", "Resolved before anybody looked")
    AlertGroup.objects.filter(pk__in=[first.pk, loud.pk]).update(state="firing")
    AlertGroup.objects.filter(pk=loud.pk).update(severity="critical")
    world.forward(hours=3)
    ticket = Ticket.objects.get()
    assert (ticket.title, ticket.labels, ticket.work_kind, ticket.priority) == (
        "CVE-2026-1",
        ["operations", "compliance"],
        "operations",
        "security",
    )
    AlertGroup.objects.filter(pk=first.pk).update(state="resolved")
    again = fired(world, "cve-1", "CVE-2026-1")
    AlertGroup.objects.filter(pk=again.pk).update(state="firing")
    world.forward(hours=1)
    assert Ticket.objects.count() == 1
    assert ticket_pairs.pair_context(ticket).groups == [first, again]
    tickets.move(ticket.pk, "done", world.ana, world.now)
    AlertGroup.objects.filter(pk=again.pk).update(state="resolved")
    third = fired(world, "cve-1", "CVE-2026-1")
    AlertGroup.objects.filter(pk=third.pk).update(state="firing")
    world.forward(hours=1)
    assert Ticket.objects.count() == 2
    adopt_policy(world.team, {"rules": {}}, world.eva, "no more", world.now)
    world.work()
    assert not Timer.objects.filter(kind="findings").exists()


def test_a_tracking_ticket_gathers_what_happened_each_time(world: World) -> None:
    """SPN-05: note down everything we can from the event, until a picture forms."""
    ticket = write(world, "Containers die without a reason", "tracking")
    group = fired(world)
    earlier = world.now - timedelta(days=2)
    tracking.happened(ticket.pk, "Node 4, right after a deploy.", earlier, world.ana, world.now)
    tracking.happened(ticket.pk, "", group.opened_at, world.ben, world.now, group=group)
    found = tracking.occurrences(ticket)
    assert [(one.at, one.text, one.who, one.group) for one in found] == [
        (world.now, "Container killed", "Ben", group),
        (earlier, "Node 4, right after a deploy.", "Ana", None),
    ]
    for text, at, alert in (
        (" ", world.now, None),
        ("x", world.now + timedelta(hours=1), None),
        ("x", world.now, group),
    ):
        with pytest.raises(Refused):
            tracking.happened(ticket.pk, text, at, world.ana, world.now, group=alert)
    with pytest.raises(NotAllowed):
        tracking.happened(ticket.pk, "x", world.now, world.olga, world.now)


def test_a_tracking_ticket_adds_the_alerts_that_it_watches_for_by_itself(world: World) -> None:
    """SPN-05: by the alarm's key or words of its title; once each, and never the past."""
    fired(world)
    ticket = write(world, "Containers die", "tracking")
    tracking.watch_for(ticket.pk, world.service, "container KILLED", world.ana, world.now)
    one, _, by_hand = fired(world, "a"), fired(world, "b", "Disk full"), fired(world, "c")
    tracking.happened(ticket.pk, "I saw this one.", world.now, world.ana, world.now, group=by_hand)
    world.forward(hours=1)
    assert {one_of.group for one_of in tracking.occurrences(ticket)} == {one, by_hand}
    assert tracking.tracking_for(one)[0] == ticket
    later = fired(world, "d")
    world.forward(hours=2)
    assert [occurrence.group for occurrence in tracking.occurrences(ticket)].count(later) == 1
    tickets.move(ticket.pk, "done", world.ana, world.now)
    unseen = fired(world, "e")
    world.forward(hours=2)
    assert unseen not in {occurrence.group for occurrence in tracking.occurrences(ticket)}
    tickets.move(ticket.pk, "in_progress", world.ana, world.now)
    world.work()
    assert unseen in {occurrence.group for occurrence in tracking.occurrences(ticket)}
    tracking.watch_for(ticket.pk, None, "", world.ana, world.now)
    assert tracking.watched(ticket) is None
    fired(world, "f")
    world.forward(hours=2)
    assert len(tracking.occurrences(ticket)) == 4


def test_only_an_open_tracking_ticket_watches(world: World) -> None:
    ticket = write(world, "Containers die", "tracking")
    wrong = [
        (write(world), world.service, "oom", "kind"),
        (ticket, None, "oom", "service"),
        (ticket, world.service, "x", "key"),
    ]
    for which, service, key, field in wrong:
        with pytest.raises(Refused) as refused:
            tracking.watch_for(which.pk, service, key, world.ana, world.now)
        assert refused.value.field == field
