"""Communities: who belongs to them, who speaks for them, and what their soft budget does to the order of work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.actions.desk_cast import RIA, adopt, adopt_preset, ask, fresh
from tests.world import World
from watchbill.actions import communities, request_timebox, support, ticket_pairs, tickets, work_clock
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.db.models import Community, Event, Requester, SupportRequest, Ticket
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def add(world: World, **values: object) -> Community:
    given = {"name": "Net", "mail_domains": ["Example.NET"], "budget_minutes": 60, **values}
    return communities.add_community(world.team, given, world.eva, world.now)


def test_whoever_writes_from_its_domain_belongs_to_a_community(world: World) -> None:
    """INT-04: also who wrote before the community was known."""
    early = ask(world)
    assert early.community is None
    community = add(world)
    assert Requester.objects.get(email="ria@example.net").community == community
    assert ask(world).community == community


def test_a_domain_a_name_and_a_budget_are_checked(world: World) -> None:
    for values, field in (
        ({"name": " "}, "name"),
        ({"mail_domains": "nonsense"}, "mail_domains"),
        ({"budget_minutes": "-3"}, "budget_minutes"),
        ({"notes": "x" * 10_001}, "notes"),
    ):
        with pytest.raises(Refused) as refused:
            add(world, **values)
        assert refused.value.field == field
    with pytest.raises(NotAllowed):
        communities.add_community(world.team, {"name": "Mine"}, world.ana, world.now)
    assert [add(world).slug, add(world).slug] == ["net", "net-2"]


def test_only_somebody_of_a_community_speaks_for_it(world: World) -> None:
    """INT-04: a named Community Representative."""
    ask(world)
    ria = Requester.objects.get()
    with pytest.raises(Refused) as refused:
        communities.change_requester(ria, {"is_representative": True}, world.ana, world.now)
    assert refused.value.field == "community"
    community = add(world)
    ria.refresh_from_db()
    communities.change_requester(ria, {"is_representative": True, "name": "Ria R."}, world.ana, world.now)
    assert Requester.objects.get(community=community).is_representative
    other = Requester.objects.create(team=world.team, name="Bo", email="bo@example.net", created_at=world.now)
    with pytest.raises(Refused) as refused:
        communities.change_requester(other, {"email": "RIA@example.net"}, world.ana, world.now)
    assert refused.value.field == "email"


def test_the_budget_of_a_month_counts_what_is_no_incident(world: World) -> None:
    """TRI-14: soft, per community and month; incidents do not count, whenever that is found out."""
    adopt_preset(world, "hub-support")
    community = add(world)
    question = ask(world, request_class="guidance_request")
    work_clock.log_time(question, 30, world.ana, world.now)
    work_clock.log_time(ask(world, request_class="incident_report"), 300, world.ana, world.now)
    stands = communities.budget_of(community, world.now)
    assert (stands.used_minutes, stands.allowed_minutes, stands.state) == (30, 60, "used")
    support.change(question.pk, {"request_class": "incident_report"}, world.ana, world.now)
    assert communities.budget_of(community, world.now).state == "unused"


def test_a_running_clock_and_a_ticket_count_as_well(world: World) -> None:
    """TRI-14, TRI-02."""
    adopt_preset(world, "hub-support")
    community = add(world)
    request = ask(world, request_class="change_request")
    ticket = request_timebox.make_ticket(request.pk, {}, world.ana, world.now)
    work_clock.log_time(ticket, 10, world.ben, world.now)
    work_clock.start(request, world.ana, world.now)
    world.forward(minutes=20)
    assert communities.budget_of(community, world.now).used_minutes == 30


def test_without_a_number_nothing_is_ever_spent(world: World) -> None:
    """TRI-14: «intentionally vague»."""
    adopt_preset(world, "hub-support")
    community = add(world, budget_minutes=None)
    work_clock.log_time(ask(world), 900, world.ana, world.now)
    stands = communities.budget_of(community, world.now)
    assert (stands.allowed_minutes, stands.state) == (None, "used")
    adopt(world, support_budget={"minutes_per_month": 240})
    assert communities.budget_of(community, world.now).state == "spent"


def test_when_the_budget_is_spent_the_open_requests_are_placed_again(world: World) -> None:
    """TRI-14: the eight steps of the hub's order: little used, one community, budget exhausted; a new month mends it."""
    adopt_preset(world, "hub-support")
    add(world)
    waiting = ask(world, request_class="change_request")
    broken = ask(world, request_class="incident_report")
    assert fresh(waiting).priority == "little_used"
    work_clock.log_time(ask(world, request_class="guidance_request"), 30, world.ana, world.now)
    world.work()
    assert fresh(waiting).priority == "other", "half of it is used"
    support.change(waiting.pk, {"impact": "team"}, world.ana, world.now)
    assert fresh(waiting).priority == "one_community"
    work_clock.log_time(waiting, 30, world.ana, world.now)
    world.work()
    spent = fresh(waiting)
    assert (spent.priority, spent.rank) == ("exhausted", 8)
    assert "budget is spent" in spent.priority_why
    assert fresh(broken).priority == "incident", "an incident comes first whatever was spent"
    assert Event.objects.filter(kind="community.budget").count() == 2
    support.answer(waiting.pk, "On it.", world.ana, world.now)
    world.now = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
    world.work()
    assert fresh(waiting).priority == "little_used"


def test_what_helps_many_communities_and_whose_goal_it_serves_are_known_from_links_and_labels(world: World) -> None:
    """TRI-14, SPN-02: steps three to five of the hub's order; a link that is taken away takes its place along."""
    adopt_preset(world, "hub-support")
    add(world), add(world, name="Org", mail_domains=["example.org"])
    first = ask(world, request_class="change_request")
    other = ask(world, Asker("Bo", "bo@example.org"), request_class="change_request")
    quick = [request_timebox.make_ticket(one.pk, {"kind": "quick_fix"}, world.ana, world.now) for one in (first, other)]
    fix = ticket_pairs.spin_off(quick[0].pk, Written("Mend it"), world.ana, world.now, kind="lasting_fix_of")
    world.work()
    assert Ticket.objects.get(pk=fix.pk).priority == "other", "it helps one community so far"
    tickets.link(fix.pk, quick[1].pk, "lasting_fix_of", world.ana, world.now)
    world.work()
    placed = Ticket.objects.get(pk=fix.pk)
    assert (placed.priority, "it helps many communities" in placed.priority_why) == ("many", True)
    assert fresh(first).priority == "many", "its lasting fix was written for this request"
    assert fresh(other).priority != "many"
    tickets.unlink(fix.pk, quick[1].pk, "lasting_fix_of", world.ana, world.now)
    world.work()
    assert Ticket.objects.get(pk=fix.pk).priority == "other"
    for label, level in (("Our-Goals", "our_goals"), ("upstream", "upstream"), ("else", "other")):
        assert tickets.change_ticket(fix.pk, {"labels": [label]}, world.ana, world.now).priority == level


def test_a_month_is_that_of_the_teams_calendar(world: World) -> None:
    """TRI-14: 23:30 UTC on the last of March is April in Berlin."""
    world.team.zone = "Europe/Berlin"
    world.team.save()
    community = add(world)
    world.now = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)
    work_clock.log_time(ask(world), 10, world.ana, world.now)
    assert communities.budget_of(community, world.now).used_minutes == 10
    assert communities.budget_of(community, world.now + timedelta(minutes=30)).used_minutes == 0


def test_a_changed_budget_places_the_requests_again(world: World) -> None:
    """TRI-14: also when somebody pays for it."""
    adopt_preset(world, "hub-support")
    community = add(world)
    request = ask(world, RIA, request_class="change_request")
    communities.change_community(community, {"is_funded": True}, world.eva, world.now)
    world.work()
    assert fresh(request).priority == "funded"
    communities.change_community(community, {"is_funded": False, "budget_minutes": 0}, world.eva, world.now)
    world.work()
    assert fresh(request).priority == "exhausted"


def test_the_promise_breaks_ties(world: World) -> None:
    """PRI-06: of two that stand at the same place, the one whose promise runs out first."""
    adopt(world, request_classes={"classes": {
        "slow": {"title": "Slow", "first_response": {"amount": 9, "unit": "hours"}},
        "quick": {"title": "Quick", "first_response": {"amount": 1, "unit": "hours"}},
    }})  # fmt: skip
    slow, quick = (ask(world, request_class=name) for name in ("slow", "quick"))
    assert fresh(slow).rank == fresh(quick).rank
    assert list(SupportRequest.objects.filter(state="open").order_by("rank", "due_at", "id")) == [quick, slow]
