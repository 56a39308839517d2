"""The operations backlog: what to do now, epics, sprints and capacity, grooming, what lies too long."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps

from tests.world import World
from watchbill.actions import (
    epics,
    grooming,
    idle,
    reachability,
    sprints,
    stale,
    support,
    ticket_bulk,
    ticket_pairs,
    tickets,
    timers,
)
from watchbill.actions.asked import Asked
from watchbill.actions.epics import Part
from watchbill.actions.grooming import Groomed
from watchbill.actions.log import Subject
from watchbill.actions.requesters import Asker
from watchbill.actions.teams import adopt_policy
from watchbill.actions.tickets import Written
from watchbill.core.workload import Split
from watchbill.db import ticket_facts
from watchbill.db.models import AlertGroup, Event, Person, Policy, Sprint, SupportRequest, Team, Ticket, Timer, WorkLog
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)
MARCH = date(2026, 3, 2)


def write(world: World, title: str = "Rotate the keys", **more: object) -> Ticket:
    return tickets.add_ticket(world.team, Written(title, **more), world.eva, world.now)  # type: ignore[arg-type]


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def rules(world: World, **settings: object) -> None:
    Policy.objects.create(
        team=world.team,
        version=Policy.objects.filter(team=world.team).count() + 1,
        preset="oncall-remodel",
        settings={"rules": settings},
        adopted_at=world.now,
        why="test",
    )


def sprint_of(world: World, name: str = "Ops March", kind: str = "ops", **values: object) -> Sprint:
    whole = {"name": name, "kind": kind, "starts_on": MARCH, "ends_on": date(2026, 3, 29), **values}
    return sprints.add_sprint(world.team, whole, world.eva, world.now)


def fired(world: World, key: str = "slow", **values: object) -> AlertGroup:
    whole: dict[str, object] = {"severity": "warning", "response": "list_due", "state": "resolved", **values}
    return AlertGroup.objects.create(
        team=world.team,
        service=world.service,
        key=key,
        title=f"{key} answers",
        urgency="default",
        opened_at=world.now,
        last_at=world.now,
        **whole,
    )


def offered(world: World, person: Person | None = None) -> list[tuple[str, str]]:
    ideas = idle.suggest(person or world.ana, world.team, world.now)
    return [(idea.kind, idea.title) for idea in ideas]


def test_with_nothing_burning_the_idle_order_of_the_team_says_what_is_next(world: World) -> None:
    """DUT-11, DUT-12, DUT-13, DUT-18, PAG-07: operations work, an epic to split, a frequent alarm, a finding, one's own."""
    rules(world, idle_order={"alarm_times": 3, "most_each": 2}, priority_order={"table": []})
    sprint = sprint_of(world)
    write(world, "The seat's", seat="engineer")
    write(world, "Ben's own", assignee=world.ben)
    write(world, "Planned", sprint=sprint)
    write(world, "From the queue")
    write(world, "A feature", labels=("feature",))
    write(world, "Move everything", kind="epic")
    write(world, "Patch the library", labels=("compliance",))
    waiting = write(world, "Waits for the vendor", seat="engineer")
    tickets.move(waiting.pk, "waiting", world.ana, world.now)
    fired(world)
    fired(world, restarts=1)
    fired(world, "twice", restarts=1)
    fired(world, "listed", state="firing")
    assert offered(world) == [
        ("mine", "The seat's"),
        ("sprint", "Planned"),
        ("backlog", "From the queue"),
        ("backlog", "Patch the library"),
        ("epic", "Move everything"),
        ("alarm", "slow answers"),
        ("finding", "listed answers"),
        ("own", "Investigate something of your own"),
    ]
    assert offered(world, world.ben)[0] == ("mine", "Ben's own"), "the seat is Ana's"
    assert "it fired 3 times in 30 days" in next(
        idea.why for idea in idle.suggest(world.ana, world.team, world.now) if idea.kind == "alarm"
    )


def test_a_team_orders_its_idle_sources_itself(world: World) -> None:
    """DUT-11, C17: features too, for a team that says so; a source that is not named is not offered."""
    sprint = sprint_of(world, "Sprint 9", "team", ends_on=date(2026, 3, 15))
    write(world, "A feature", labels=("feature",), sprint=sprint)
    write(world, "From the queue")
    rules(world, idle_order={"sources": ["feature", "backlog"]})
    assert offered(world) == [("feature", "A feature"), ("backlog", "From the queue")]


def test_what_burns_comes_before_any_idle_work(world: World) -> None:
    """PAG-03, PRI-03: a page, an interrupting request and ticket are not for later."""
    write(world, "From the queue")
    asker = Asker("Ria", "ria@example.net")
    down = Asked("Nothing works", request_class="incident_report", impact="everyone", quiet=True)
    support.open_request(world.team, asker, down, world.now)
    write(world, "Close the hole", labels=("security",), seat="engineer")
    kinds = [kind for kind, _ in offered(world)]
    assert kinds[:3] == ["burning", "burning", "burning"]
    assert "burning" not in kinds[3:]
    assert [kind for kind, _ in offered(world, world.ben)].count("burning") == 0
    request = SupportRequest.objects.get()
    support.take(request.pk, world.ben, world.now)
    assert ("burning", "Nothing works") in offered(world, world.ben)


def test_idle_work_is_for_members(world: World) -> None:
    with pytest.raises(NotAllowed):
        idle.suggest(world.olga, world.team, world.now)
    with pytest.raises(NotAllowed):
        idle.start_investigation(world.charlie, world.team, "Look", "", world.now)


def test_an_investigation_gets_its_ticket_label_and_sprint_at_once(world: World) -> None:
    """DUT-14: a new ticket, tagged with the operational label, in the operational sprint; without one it says how to mend it."""
    rules(world, work_kinds={"operations_labels": ["toil", "operations"]})
    with pytest.raises(Refused) as refused:
        idle.start_investigation(world.ana, world.team, " ", "", world.now)
    assert refused.value.field == "title"
    with pytest.raises(Refused) as refused:
        idle.start_investigation(world.ana, world.team, "Why does it leak?", "Prisma says so", world.now)
    assert refused.value.field == "sprint"
    assert not Ticket.objects.exists()
    sprint = sprints.ops_sprint_for(world.team, world.ana, world.now)
    assert sprints.ops_sprint_for(world.team, world.ben, world.now) == sprint
    begun = idle.start_investigation(world.ana, world.team, "Why does it leak?", "Prisma says so", world.now)
    assert (begun.kind, begun.stage, begun.labels, begun.sprint) == ("investigation", "in_progress", ["toil"], sprint)
    assert (begun.seat, begun.assignee, begun.work_kind) == ("engineer", None, "operations")
    bens = idle.start_investigation(world.ben, world.team, "Something else", "", world.now)
    assert (bens.seat, bens.assignee) == ("", world.ben)
    rules(world, oncall_task={"assign_to": "person"})
    assert idle.start_investigation(world.ana, world.team, "Mine", "", world.now).assignee == world.ana
    sprints.close_sprint(sprint.pk, None, world.ana, world.now)
    rules(world, ops_capacity={"keep_ops_sprint": False})
    assert idle.start_investigation(world.ana, world.team, "No sprint", "", world.now).sprint is None


def test_an_epic_is_split_into_parts_that_keep_its_labels_and_say_how_far_it_is(world: World) -> None:
    """DUT-12, BKL-03."""
    epic = write(world, "Renew all certificates", kind="epic", labels=("operations", "tls"), service=world.service)
    made = epics.split(epic.pk, [Part("Mail", 3), Part("Web", 5), Part("  ")], world.ana, world.now)
    assert [(part.epic, part.labels, part.service) for part in made] == [
        (epic, ["operations", "tls"], world.service)
    ] * 2
    tickets.move(made[0].pk, "done", world.ana, world.now)
    far = epics.progress(epic)
    assert (far.parts, far.done_parts, far.points, far.done_points, far.percent) == (2, 1, 8, 3, 37)
    tickets.move(made[1].pk, "done", world.ana, world.now, outcome="wont_do")
    assert (epics.progress(epic).parts, epics.progress(epic).points) == (1, 3), "what was dropped is no part any more"
    for wrong in ([], [Part("Inner", kind="epic")], [Part("x", 1000)]):
        with pytest.raises(Refused):
            epics.split(epic.pk, wrong, world.ana, world.now)
    with pytest.raises(Refused):
        epics.split(made[0].pk, [Part("a")], world.ana, world.now)
    tickets.move(epic.pk, "done", world.ana, world.now)
    with pytest.raises(Refused):
        epics.split(epic.pk, [Part("too late")], world.ana, world.now)
    assert Ticket.objects.filter(epic=epic).count() == 2


def test_what_is_too_big_for_a_shift_is_proposed_as_an_epic(world: World) -> None:
    """DUT-16: at most three points."""
    big = write(world, points=8)
    assert "more than 3" in epics.too_big(big, world.now)
    epic = epics.make_epic(big.pk, world.ana, world.now)
    assert (epic.kind, epics.too_big(epic, world.now)) == ("epic", "")
    assert epics.too_big(write(world, points=3), world.now) == ""


def test_epics_show_whether_they_come_before_their_date(world: World) -> None:
    """BKL-05: planned before they become urgent, not a race against the deadline."""
    for _ in range(6):
        ticket = write(world, points=2)
        tickets.move(ticket.pk, "done", world.ana, world.now)
    world.now += timedelta(hours=1)
    assert epics.points_per_week(world.team, world.now) == 2
    calm = write(world, "calm", kind="epic", points=2, more={"due_on": date(2026, 4, 1)})
    late = write(world, "late", kind="epic", more={"due_on": date(2026, 3, 20)})
    epics.split(late.pk, [Part("a", 5), Part("b", 5)], world.ana, world.now)
    unsized = write(world, "unsized", kind="epic", more={"due_on": date(2026, 5, 20)})
    undated = write(world, "undated", kind="epic", points=1)
    found = epics.outlook(world.team, world.now)
    assert [(one.epic, one.state) for one in found] == [
        (late, "late"),
        (unsized, "unknown"),
        (undated, "undated"),
        (calm, "calm"),
    ]
    assert found[0].slack.days == 17 - 35
    assert found[3].slack.days_needed == 7, "what nobody split is measured by its own points"


def test_a_sprint_is_planned_and_may_not_overlap_another_of_its_kind(world: World) -> None:
    """BKL-07: a separate operations sprint, longer than the team's."""
    ops = sprint_of(world)
    team = sprint_of(world, "Sprint 9", "team", ends_on=date(2026, 3, 15))
    assert (sprints.current(world.team, "ops", world.now), sprints.current(world.team, "team", world.now)) == (
        ops,
        team,
    )
    wrong: list[tuple[dict[str, object], str]] = [
        ({"name": ""}, "name"),
        ({"name": "Ops March"}, "name"),
        ({"starts_on": date(2026, 3, 20)}, "starts_on"),
        ({"starts_on": None}, "starts_on"),
        ({"starts_on": date(2026, 4, 9), "ends_on": date(2026, 4, 8)}, "ends_on"),
        ({"starts_on": date(2026, 4, 9), "ends_on": date(2027, 4, 10)}, "ends_on"),
        ({"kind": "secret"}, "kind"),
        ({"starts_on": date(2026, 4, 1), "ends_on": date(2026, 4, 9), "ops_share": 101}, "ops_share"),
        ({"colour": "red"}, "colour"),
    ]
    for values, field in wrong:
        with pytest.raises(Refused) as refused:
            sprint_of(world, **{"name": "Another", "ends_on": date(2026, 4, 30), **values})  # type: ignore[arg-type]
        assert refused.value.field == field, values
    changed = sprints.change_sprint(ops.pk, {"goal": "No more manual renewals"}, world.ana, world.now)
    assert changed.goal == "No more manual renewals"
    with pytest.raises(NotAllowed):
        sprints.change_sprint(ops.pk, {"goal": ""}, world.olga, world.now)


def test_what_is_open_when_a_sprint_closes_goes_on_and_says_so(world: World) -> None:
    sprint = sprint_of(world)
    following = sprint_of(world, "Ops April", starts_on=date(2026, 3, 30), ends_on=date(2026, 4, 26))
    done, one = write(world, sprint=sprint), write(world, sprint=sprint)
    tickets.move(done.pk, "done", world.ana, world.now)
    with pytest.raises(Refused):
        sprints.close_sprint(sprint.pk, sprint.pk, world.ana, world.now)
    closed = sprints.close_sprint(sprint.pk, following.pk, world.ana, world.now)
    assert (closed.done, closed.moved, fresh(one).sprint, fresh(done).sprint) == (1, [one.pk], following, sprint)
    line = Event.objects.filter(subject_kind="ticket", subject_id=one.pk).latest("id")
    assert line.data["sprint"] == ["Ops March", "Ops April"]
    assert sprints.state_of(Sprint.objects.get(pk=sprint.pk), world.now) == "closed"
    with pytest.raises(Refused):
        sprints.close_sprint(sprint.pk, None, world.ana, world.now)
    with pytest.raises(Refused):
        sprints.plan(done.pk, sprint.pk, world.ana, world.now)
    assert sprints.state_of(following, world.now) == "planned"
    assert sprints.start_now(following.pk, world.ana, world.now).starts_on == date(2026, 3, 3)
    sprints.close_sprint(following.pk, None, world.ana, world.now)
    assert fresh(one).sprint is None


def test_an_operations_sprint_that_nobody_keeps_surfaces(world: World) -> None:
    """BKL-07: it runs longer than the formal sprint and is not maintained; now it says so."""
    assert [one.what for one in sprints.upkeep(world.team, world.now)] == ["missing"]
    sprint = sprint_of(world)
    write(world, sprint=sprint)
    sprint_of(world, "Sprint 9", "team", ends_on=date(2026, 4, 30))
    assert sprints.upkeep(world.team, world.now) == []
    world.now = datetime(2026, 3, 10, 9, tzinfo=UTC)
    found = sprints.upkeep(world.team, world.now)
    assert [(one.what, one.sprint) for one in found] == [("unmaintained", sprint)]
    assert ("sprint", "Look after the sprints") in offered(world)
    world.now = datetime(2026, 4, 2, 9, tzinfo=UTC)
    overdue = sprints.upkeep(world.team, world.now)[0]
    assert overdue.what == "overdue"
    assert "4 days ago" in overdue.why
    rules(world, ops_capacity={"keep_ops_sprint": False})
    sprints.close_sprint(sprint.pk, None, world.ana, world.now)
    assert sprints.upkeep(world.team, world.now) == []


def test_operations_get_what_they_were_promised_or_it_shows(world: World) -> None:
    """BKL-04, C17: a share of the sprint by points done and by time really spent."""
    rules(world, ops_capacity={"share_percent": 40})
    sprint = sprint_of(world, "Sprint 9", "team", ends_on=date(2026, 3, 15))
    feature = write(world, labels=("feature",), points=8, sprint=sprint)
    ops = write(world, points=2, sprint=sprint)
    write(world, points=3, sprint=sprint)
    for ticket, seconds in ((feature, 3 * 3600), (ops, 3600)):
        tickets.move(ticket.pk, "done", world.ana, world.now)
        WorkLog.objects.create(
            team=world.team,
            ticket=ticket,
            person=world.ana,
            started_at=world.now,
            ended_at=world.now + timedelta(seconds=seconds),
            seconds=seconds,
        )
    found = sprints.capacity(sprint, world.now)
    assert (found.promised, found.planned) == (40, Split(8, 5))
    assert (found.points, found.points.share) == (Split(8, 2), 20)
    assert found.tickets == Split(1, 1)
    assert found.time.share == 25
    late = write(world, points=4)
    tickets.move(late.pk, "done", world.ana, datetime(2026, 3, 18, 9, tzinfo=UTC))
    assert sprints.capacity(sprint, datetime(2026, 3, 20, 9, tzinfo=UTC)).points == Split(8, 6), (
        "it is overdue: it goes on"
    )
    sprints.close_sprint(sprint.pk, None, world.ana, datetime(2026, 3, 17, 9, tzinfo=UTC))
    assert sprints.capacity(Sprint.objects.get(), datetime(2026, 3, 20, 9, tzinfo=UTC)).points == Split(8, 2)


def test_feature_against_operations_over_any_window(world: World) -> None:
    """BKL-09, BKL-10, MET-03: by week, month or sprint, in the team's own days; what was dropped is no output."""
    world.team.zone = "America/New_York"
    world.team.save()
    for day, labels, points in ((1, ("feature",), 5), (2, (), 1), (8, (), 2), (9, ("feature",), None), (31, (), 3)):
        ticket = write(world, labels=labels, points=points)
        # 03:30 in London is still the evening before in New York.
        tickets.move(ticket.pk, "done", world.ana, datetime(2026, 3, day, 3, 30, tzinfo=UTC))
    tickets.move(write(world).pk, "done", world.ana, world.now, outcome="wont_do")
    weeks = sprints.kinds_over(world.team, date(2026, 3, 1), date(2026, 3, 31), "week")
    assert [(bucket.start.day, bucket.tickets) for bucket in weeks] == [
        (1, Split(0, 1)),
        (2, Split(1, 1)),
        (9, Split()),
        (16, Split()),
        (23, Split()),
        (30, Split(0, 1)),
    ]
    months = sprints.kinds_over(world.team, date(2026, 2, 1), date(2026, 4, 1), "month")
    assert [(bucket.name, bucket.points) for bucket in months] == [
        ("February 2026", Split(5, 0)),
        ("March 2026", Split(0, 6)),
    ]
    for measure in ("tickets", "points"):
        alone = sprints.kinds_over(world.team, date(2026, 2, 1), date(2026, 4, 1), "month", [measure])
        assert [getattr(bucket, measure) for bucket in alone] == [getattr(bucket, measure) for bucket in months]
    sprint_of(world, "Sprint 9", "team", starts_on=date(2026, 3, 5), ends_on=date(2026, 3, 8))
    assert [bucket.tickets for bucket in sprints.kinds_over(world.team, MARCH, date(2026, 4, 1), "sprint")] == [
        Split(1, 1)
    ]
    with pytest.raises(Refused):
        sprints.kinds_over(world.team, MARCH, MARCH, "week")


def test_grooming_has_two_sections_and_each_lasting_fix_its_context(world: World) -> None:
    """BKL-02, SPN-03, HND-07: what the quick fix was and what was said about it stand beside the lasting one."""
    write(world, "Search by name", labels=("feature",))
    task = write(world, "Clean up")
    quick = write(world, "Restart it every night", kind="quick_fix")
    tickets.comment(quick.pk, "It leaks 40 MB an hour.", world.ben, world.now)
    lasting = Written("Find the leak")
    ticket_pairs.close_quick_fix(quick.pk, world.ana, world.now, lasting=lasting)
    sprint = sprint_of(world)
    write(world, "Planned already", sprint=sprint)
    found = grooming.agenda(world.team, world.now + timedelta(days=9))
    assert [topic.ticket.title for topic in found.feature] == ["Search by name"]
    assert [topic.ticket.title for topic in found.operations] == ["Find the leak", "Clean up"]
    first = found.operations[0]
    assert first.why == "the other half of a quick fix, waiting for 9 days"
    assert first.context is not None
    assert first.context.quick_fixes == [quick]
    assert [message.text for message in first.context.comments] == ["It leaks 40 MB an hour."]
    assert found.operations[1].context is None
    assert not found.more
    assert fresh(task).sprint is None


def test_what_grooming_decides_is_done_and_kept(world: World) -> None:
    """BKL-03: plan, later, drop with a reason, split; the next grooming knows it."""
    sprint = sprint_of(world)
    planned, later, dropped, big = (write(world, title) for title in ("Plan", "Later", "Drop", "Big"))
    grooming.groom(planned.pk, Groomed("plan", sprint, points=3), world.ana, world.now)
    grooming.groom(later.pk, Groomed("later", note="after the move", until=date(2026, 3, 20)), world.ana, world.now)
    grooming.groom(dropped.pk, Groomed("drop", note="the host is gone"), world.ana, world.now)
    grooming.groom(big.pk, Groomed("split", parts=(Part("a", 1), Part("b", 2))), world.ana, world.now)
    assert (fresh(planned).sprint, fresh(planned).points) == (sprint, 3)
    assert (fresh(dropped).stage, fresh(dropped).outcome) == ("done", "wont_do")
    assert (fresh(big).kind, fresh(big).parts.count()) == ("epic", 2)
    soon = [topic.ticket.title for topic in grooming.agenda(world.team, world.now).operations]
    assert soon == ["Big", "a", "b"]
    after = grooming.agenda(world.team, datetime(2026, 3, 20, 9, tzinfo=UTC)).operations
    assert (
        next(topic.last for topic in after if topic.ticket == later) == "Ana: later, from 20 March 2026: after the move"
    )
    due = write(world, "Due", more={"due_on": date(2026, 3, 10)})
    with pytest.raises(Refused) as refused:
        grooming.groom(due.pk, Groomed("later", until=date(2026, 3, 20)), world.ana, world.now)
    assert refused.value.field == "until"
    with pytest.raises(Refused):
        grooming.groom(dropped.pk, Groomed("drop", note="again"), world.ana, world.now)


def test_work_that_lies_in_a_lane_surfaces(world: World) -> None:
    """BKL-08: left in any given user's lane for some time."""
    begun = write(world, "Begun", assignee=world.ben)
    tickets.move(begun.pk, "in_progress", world.ben, world.now)
    write(world, "Nobody's, not begun")
    epic = write(world, "An epic", kind="epic", assignee=world.ben)
    put_off = write(world, "From April on", assignee=world.ben, more={"starts_on": date(2026, 4, 1)})
    for ticket in (epic, put_off):
        tickets.move(ticket.pk, "in_progress", world.ben, world.now)
    assert stale.stale(world.team, None, world.now + timedelta(days=4)) == []
    later = world.now + timedelta(days=6)
    found = stale.stale(world.team, world.ben, later)
    assert [(one.ticket, one.days, one.why) for one in found] == [(begun, 6, "in progress, untouched for 6 days")]
    assert stale.stale(world.team, world.ana, later) == []
    tickets.comment(begun.pk, "I wait for the vendor.", world.ben, later)
    assert stale.stale(world.team, None, later) == []
    rules(world, stale_work={"in_progress_days": 1})
    assert len(stale.stale(world.team, None, later + timedelta(days=2))) == 1


def test_a_team_that_was_made_before_the_daily_look_gets_it(world: World) -> None:
    """BKL-08: at the hour of its other daily look, once, and not while it is archived."""
    reachability.set_daily(world.team, world.now)
    theirs = Timer.objects.filter(subject_kind="team", kind="stale")
    theirs.all().delete()
    Team.objects.exclude(pk=world.team.pk).update(archived_at=world.now)
    look_daily = import_module("watchbill.db.migrations.0010_desk_gaps").look_daily
    look_daily(apps, None)
    look_daily(apps, None)
    made = theirs.get()
    assert made.subject_id == world.team.pk
    assert made.due_at == datetime(2026, 3, 4, 9, tzinfo=ZoneInfo(world.team.zone))


def test_each_is_told_once_of_what_lies_in_their_lane(world: World) -> None:
    """BKL-08: it surfaces by itself; told once a ticket, again only after somebody touched it and it lies again."""
    begun = write(world, "Begun", assignee=world.ben)
    tickets.move(begun.pk, "in_progress", world.ben, world.now)
    seats = write(world, "The seat's", seat="engineer")
    tickets.move(seats.pk, "waiting", world.ana, world.now)
    stale.set_daily(world.team, world.now)
    world.forward(days=16)
    assert lying_mails(world, world.ben) == 1
    assert lying_mails(world, world.ana) == 1, "she stands in the seat again when its ticket has waited for two weeks"
    tickets.comment(begun.pk, "Still waiting.", world.ben, world.now)
    world.forward(days=7)
    assert (lying_mails(world, world.ben), lying_mails(world, world.ana)) == (2, 1)


def lying_mails(world: World, person: Person) -> int:
    return [mail["Subject"] for mail in world.mailbox.to(person)].count("1 ticket has been lying for a while")


def test_a_new_policy_orders_what_is_open_anew(world: World) -> None:
    """PRI-10, PRI-09: the list is for discussion; an adopted change reaches every open ticket by itself."""
    ticket, done, pinned = write(world, kind="action"), write(world, kind="action"), write(world, kind="action")
    tickets.move(done.pk, "done", world.ana, world.now)
    tickets.set_priority(pinned.pk, "customer", "promised", world.ana, world.now)
    table = [{"when": {"kind": ["action"]}, "level": "security"}]
    adopt_policy(world.team, {"rules": {"priority_order": {"table": table}}}, world.eva, "agreed", world.now)
    world.work()
    assert [fresh(one).priority for one in (ticket, done, pinned)] == ["security", "backlog", "customer"]
    assert not [due for due in timers.claim_due(lambda: world.now, 50) if due.kind == "places"]


def test_many_are_changed_each_for_itself(world: World) -> None:
    """BKL-09: bulk edit; one that is refused leaves the others changed, and says why."""
    one, two = write(world), write(world)
    quick = write(world, kind="quick_fix")
    ids = [one.pk, quick.pk, 999_999, two.pk, one.pk]
    result = ticket_bulk.change_many(ids, world.ana, world.now, values={"points": 2}, stage="done")
    assert result.done == [one.pk, two.pk]
    assert set(result.refused) == {quick.pk, 999_999}
    assert "lasting fix" in result.refused[quick.pk]
    assert fresh(quick).points is None, "half a change is none"
    theirs = ticket_bulk.change_many([one.pk], world.olga, world.now, values={"points": 5})
    assert (theirs.done, list(theirs.refused)) == ([], [one.pk])


def lane(world: World) -> list[str]:
    rows = Ticket.objects.filter(team=world.team).exclude(stage="done").order_by(*ticket_facts.ORDER)
    return list(rows.values_list("title", flat=True))


def test_a_hand_puts_one_between_two_others_and_it_stays_there(world: World) -> None:
    """BKL-03: ordered by hand within a level; another level takes a reason (PRI-09)."""
    a, b, c, d = (write(world, title) for title in "abcd")
    ticket_bulk.place_between(d.pk, a.pk, b.pk, world.ana, world.now)
    assert lane(world) == ["a", "d", "b", "c"]
    ticket_bulk.place_between(a.pk, None, c.pk, world.ana, world.now)
    assert lane(world) == ["d", "b", "a", "c"]
    ticket_bulk.place_between(c.pk, None, d.pk, world.ana, world.now)
    assert lane(world) == ["c", "d", "b", "a"]
    ticket_bulk.place_between(c.pk, a.pk, None, world.ana, world.now)
    assert lane(world) == ["d", "b", "a", "c"]
    tickets.change_ticket(d.pk, {"title": "D"}, world.ana, world.now)
    assert lane(world) == ["D", "b", "a", "c"]
    ticket_bulk.place_between(d.pk, c.pk, None, world.ana, world.now)
    assert lane(world) == ["b", "a", "c", "D"]
    tickets.set_priority(d.pk, "customer", "they wait", world.ana, world.now)
    tickets.set_priority(d.pk, "", "", world.ana, world.now)
    assert lane(world) == ["D", "b", "a", "c"], "a place by hand is one of that level only"
    urgent = write(world, "urgent", labels=("security",))
    with pytest.raises(Refused) as refused:
        ticket_bulk.place_between(a.pk, None, urgent.pk, world.ana, world.now)
    assert refused.value.field == "level"
    theirs = tickets.add_ticket(Team.objects.get(slug="payments"), Written("Theirs"), world.charlie, world.now)
    with pytest.raises(Refused):
        ticket_bulk.place_between(a.pk, theirs.pk, None, world.ana, world.now)
    with pytest.raises(Refused):
        ticket_bulk.place_between(a.pk, 999_999, None, world.ana, world.now)
    with pytest.raises(NotAllowed):
        ticket_bulk.place_between(a.pk, b.pk, None, world.olga, world.now)
    tickets.change_ticket(c.pk, {"due_on": date(2026, 3, 4)}, world.ana, world.now)
    assert lane(world) == ["urgent", "c", "D", "b", "a"], "its own new deadline places it anew"


def test_placing_by_hand_again_and_again_never_runs_out_of_room(world: World) -> None:
    titles = [f"{number:02}" for number in range(8)]
    made = {title: write(world, title) for title in titles}
    order = list(titles)
    for step in range(60):
        mover = order[(step * 5) % 8]
        rest = [title for title in order if title != mover]
        place = (step * 3) % 8
        before, after = (rest[place - 1] if place else None), (rest[place] if place < 7 else None)
        ticket_bulk.place_between(
            made[mover].pk,
            made[before].pk if before else None,
            made[after].pk if after else None,
            world.ana,
            world.now,
        )
        order = [*rest[:place], mover, *rest[place:]]
        assert lane(world) == order


def test_the_timer_of_a_team_is_its_own(world: World) -> None:
    stale.set_daily(world.team, world.now)
    claims = timers.claim_due(lambda: world.now + timedelta(days=1), 50)
    claim = next(one for one in claims if one.kind == "stale")
    assert claim.subject_id == Subject("team", world.team.pk, world.team.pk).id
