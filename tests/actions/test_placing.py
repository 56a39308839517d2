"""Placing: which group a signal belongs to, what a severity asks, what silences it, what is kept when unreadable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from watchbill.actions import alerts, catalogue, teams
from watchbill.actions.placing import ASKED_AT_ONCE
from watchbill.db.models import Alert, AlertGroup, Inbox, Outgoing, Page, Policy, Silence, Team


def set_policy(world, **rules):
    Policy.objects.create(
        team=world.team,
        version=Policy.objects.filter(team=world.team).count() + 1,
        preset="test",
        settings={"rules": rules},
        adopted_at=world.now,
        why="for this test",
    )


def test_the_same_event_again_is_the_same_alert_and_pages_once(world):
    for _ in range(3):
        world.event()
    world.work()
    assert AlertGroup.objects.count() == 1
    assert Alert.objects.get().count == 3
    assert Page.objects.count() == 1


def test_a_thousand_signals_of_one_key_make_one_exact_row(world):
    for _ in range(1000):
        world.event()
    world.work()
    group = AlertGroup.objects.get()
    assert (group.signal_count, group.alert_count, group.firing_count) == (1000, 1, 1)


def test_a_warning_pages_nobody_and_is_due_within_two_days(world):
    """PRI-04: a warning is for a day or two."""
    world.event(severity="warning")
    world.work()
    assert Page.objects.count() == 0
    assert world.group().due_at == world.now + timedelta(hours=48)
    assert "alert.listed" in world.story(world.group())


def test_an_error_outside_coverage_waits_for_coverage_and_then_pages(world):
    """PRI-04: error is soon, in coverage hours."""
    Policy.objects.create(
        team=world.team,
        version=2,
        preset="test",
        settings={"coverage": [{"weekdays": [0, 1, 2, 3, 4], "start": "08:00", "end": "18:00"}]},
        adopted_at=world.now,
        why="coverage",
    )
    world.forward(hours=12)
    world.event(severity="error")
    world.work()
    assert Page.objects.count() == 0
    world.forward(hours=10, minutes=59)
    assert Page.objects.count() == 0
    world.forward(minutes=2)
    assert Page.objects.count() == 1


def test_what_waits_for_coverage_pages_when_the_team_adopts_coverage_that_holds_now(world):
    days = [{"weekdays": [0, 1, 2, 3, 4], "start": "09:00", "end": "18:00"}]
    teams.adopt_policy(world.team, {"coverage": days}, world.eva, "office hours", world.now)
    world.now += timedelta(hours=9)
    world.event(severity="error")
    world.work()
    assert world.mailbox.messages == []
    late = [{"weekdays": [0, 1, 2, 3, 4], "start": "09:00", "end": "20:00"}]
    teams.adopt_policy(world.team, {"coverage": late}, world.eva, "until eight", world.now)
    world.work()
    assert world.mailbox.readers() == ["ana@example.org"]


def test_an_error_on_a_friday_evening_pages_at_nine_on_the_other_side_of_a_change_of_clock(world):
    Team.objects.filter(pk=world.team.pk).update(zone="Europe/Berlin")
    world.team.refresh_from_db()
    days = [{"weekdays": [0, 1, 2, 3, 4], "start": "09:00", "end": "18:00"}]
    teams.adopt_policy(world.team, {"coverage": days}, world.eva, "office hours", world.now)
    world.now = datetime(2026, 3, 27, 17, 0, tzinfo=UTC)
    world.event(severity="error")
    world.work()
    assert world.mailbox.messages == []
    world.forward(days=2, hours=13, minutes=59)
    assert world.mailbox.messages == []
    world.forward(minutes=1)
    assert world.now == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    assert len(world.mailbox.messages) == 1


def test_an_unknown_severity_counts_as_the_worst_and_says_so(world):
    world.arrives(
        {
            "event_action": "trigger",
            "dedup_key": "x",
            "payload": {"summary": "odd", "source": "s", "severity": "critical"},
        }
    )
    world.work()
    assert world.group().severity == "critical"


def test_a_worse_alert_in_the_same_group_pages_although_the_first_did_not(world):
    set_policy(world, alert_grouping={"labels": ["service"]})
    world.event(key="a", severity="warning")
    world.work()
    assert Page.objects.count() == 0
    world.event(key="b", severity="critical")
    world.work()
    assert Page.objects.count() == 1
    assert "alert.worsened" in world.story(world.group())


BOTH_PAGE = {
    "severities": {"critical": {"respond": "page_now"}, "error": {"respond": "page_now", "urgency": "default"}}
}


def test_what_becomes_worse_while_its_page_climbs_asks_with_its_own_urgency(world):
    set_policy(world, severity_response=BOTH_PAGE)
    world.event(severity="error")
    world.work()
    world.mailbox.clear()
    world.event(severity="critical")
    world.work()
    assert world.mailbox.readers() == ["ana@example.org"]
    assert (world.page().severity, world.page().urgency) == ("critical", "important")
    assert Page.objects.filter(closed_at=None).count() == 1


def test_what_becomes_worse_after_nobody_answered_asks_anew(world):
    set_policy(world, severity_response=BOTH_PAGE, page_exhausted={"again_after_minutes": 0})
    world.event(severity="error")
    world.work()
    world.forward(hours=2)
    assert world.page().state == "exhausted"
    world.mailbox.clear()
    world.event(severity="critical")
    world.work()
    assert world.mailbox.readers() == ["ana@example.org"]


@pytest.mark.parametrize(
    ("order", "state"), [(("acknowledge", "trigger"), "climbing"), (("trigger", "acknowledge"), "acknowledged")]
)
def test_worse_and_acknowledged_in_one_batch_count_in_their_order(world, order, state):
    set_policy(world, severity_response=BOTH_PAGE)
    world.event(severity="error")
    world.work()
    for action in order:
        world.event(action, severity="critical")
    world.work()
    assert (world.group().state, world.page().state) == ("firing" if state == "climbing" else state, state)


def test_a_group_is_over_when_the_last_of_its_alerts_clears(world):
    set_policy(world, alert_grouping={"labels": ["cluster"]})
    world.event(key="a")
    world.event(key="b")
    world.work()
    world.event("resolve", key="a")
    world.work()
    assert world.group().state == "firing"
    world.event("resolve", key="b")
    world.work()
    assert world.group().state == "resolved"
    assert AlertGroup.objects.count() == 1


def test_an_alert_that_comes_back_at_once_is_flapping_and_reopens_its_group(world):
    world.event()
    world.work()
    world.event("resolve")
    world.work()
    world.forward(minutes=2)
    world.event()
    world.work()
    group = AlertGroup.objects.get()
    assert (group.state, group.restarts) == ("firing", 1)
    assert Page.objects.filter(closed_at=None).count() == 1


def test_an_alert_that_comes_back_later_is_a_new_group(world):
    world.event()
    world.work()
    world.event("resolve")
    world.work()
    world.forward(minutes=10)
    world.event()
    world.work()
    assert AlertGroup.objects.count() == 2


def test_a_silenced_alert_pages_nobody_and_pages_when_the_silence_ends_and_it_still_fires(world):
    Silence.objects.create(
        team=world.team,
        service=world.service,
        matchers=[],
        why="disk swap",
        starts_at=world.now,
        ends_at=world.now + timedelta(hours=1),
        created_at=world.now,
        created_by=world.ana,
    )
    world.event()
    world.work()
    assert Page.objects.count() == 0
    assert "silenced by Ana: disk swap" in world.reasons(world.group())
    world.forward(minutes=61)
    assert world.mailbox.readers() == ["ana@example.org"]


def test_what_no_monitor_understands_is_kept_with_its_reason_and_can_be_read_again(world):
    world.arrives({"something": "else"})
    world.event()
    world.work()
    kept = Inbox.objects.get(state=Inbox.NOT_UNDERSTOOD)
    assert kept.error
    assert Page.objects.count() == 1, "a payload that cannot be read never stops its neighbours"
    assert alerts.replay(world.service, world.eva, world.now) == 1
    world.work()
    assert Inbox.objects.get(pk=kept.pk).state == Inbox.NOT_UNDERSTOOD


def test_an_acknowledgement_at_the_monitor_stops_the_climb(world):
    world.event()
    world.work()
    world.event("acknowledge")
    world.forward(minutes=30)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert world.group().state == "acknowledged"


def test_an_acknowledgement_at_the_monitor_runs_out_like_any_other(world):
    """Whoever took it there may have fallen asleep too: the ladder begins again."""
    world.event()
    world.work()
    world.event("acknowledge")
    world.work()
    world.mailbox.clear()
    world.forward(minutes=29)
    assert world.mailbox.messages == []
    world.forward(minutes=1, seconds=1)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert (world.group().state, world.page().state) == ("firing", "climbing")


def test_one_that_returns_keeps_the_end_of_what_was_acknowledged_at_the_monitor(world):
    world.event()
    world.work()
    for action in ("acknowledge", "resolve", "trigger"):
        world.event(action)
        world.work()
        world.forward(minutes=1)
    assert world.page().state == "acknowledged"
    world.mailbox.clear()
    world.forward(minutes=28)
    assert world.mailbox.readers() == ["ana@example.org"]


@pytest.mark.parametrize("action", ["resolve", "acknowledge"])
def test_an_answer_to_nothing_changes_nothing(world, action):
    world.event(action, key="never seen")
    world.work()
    assert AlertGroup.objects.count() == 0


def test_the_detection_source_is_on_every_alert(world):
    """PAG-04: how did it reach us?"""
    world.event()
    world.work()
    assert world.group().detected_by == "alert"


def test_a_storm_of_different_alerts_pages_for_each_of_them(world):
    """The first groups of a batch are asked about at once, the others in transactions of their own."""
    many = ASKED_AT_ONCE + 20
    for number in range(many):
        world.event(key=f"disk-{number}", summary=f"Disk {number} full")
    world.work()
    world.forward(seconds=1)
    assert Page.objects.filter(state="climbing").count() == many
    assert Outgoing.objects.filter(person=world.ana, state="sent").count() == many


def statements_of(act: Callable[[], object]) -> int:
    count = 0

    def counted(run: Any, *statement: Any) -> Any:
        nonlocal count
        count += 1
        return run(*statement)

    with connection.execute_wrapper(counted):
        act()
    return count


def test_forty_pages_of_a_batch_cost_the_statements_of_one(world):
    """Only a batch that stores more than a statement holds takes one more of that kind."""
    counts = []
    for number, many in enumerate((1, 2, 40)):
        for key in range(many):
            world.event(key=f"disk-{number}-{key}", summary="Disk full")
        counts.append(statements_of(lambda: alerts.receive(world.service.pk, world.now)))
    assert Page.objects.count() == 43
    assert counts[0] <= 40
    assert counts[2] <= counts[1] <= counts[0] + 4


def test_an_alert_of_a_storm_that_is_over_before_its_turn_pages_nobody(world):
    for number in range(ASKED_AT_ONCE + 5):
        world.event(key=f"disk-{number}", summary=f"Disk {number} full")
    alerts.receive(world.service.pk, world.now)
    for number in range(ASKED_AT_ONCE + 5):
        world.event("resolve", key=f"disk-{number}")
    world.work()
    assert not Page.objects.filter(closed_at=None).exists()
    assert Page.objects.count() == ASKED_AT_ONCE
    assert world.mailbox.messages == []


def test_a_storm_of_one_service_does_not_hide_what_another_one_reports(world):
    other = catalogue.add_service(world.team, {"name": "login", "ladder": world.ladder.pk}, world.eva, world.now)
    rows = [
        Inbox(received_at=world.now, service_id=service, connection_id=0, monitor="events_v2", body=b"{}")
        for service in [world.service.pk] * (alerts.LOOKED_AT + 1) + [other.pk]
    ]
    Inbox.objects.bulk_create(rows)
    assert alerts.services_waiting(limit=50) == [world.service.pk, other.pk]
