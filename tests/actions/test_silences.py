"""Silences: what they hold back, what they leave alone, and what happens when they end."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from watchbill.actions import alerts, catalogue, paging, silences
from watchbill.db.models import Inbox, Outgoing, Page
from watchbill.kit.errors import NotAllowed, Refused

HOST = [{"label": "severity", "operator": "=", "value": "critical"}]


def silence(world, by=None, **changes):
    values = {
        "service": world.service,
        "matchers": HOST,
        "why": "we move the disks",
        "starts_at": None,
        "ends_at": world.now + timedelta(hours=1),
    }
    made = silences.add_silence(world.team, by or world.ana, world.now, **{**values, **changes})
    world.work()
    return made


def test_a_new_alert_under_a_silence_pages_nobody_and_says_why(world):
    silence(world)
    world.event()
    world.work()
    assert world.mailbox.messages == []
    assert "silenced by Ana: we move the disks" in world.reasons(world.group())


def test_what_fires_already_stops_climbing_and_the_page_says_why(world):
    world.event()
    world.work()
    silence(world)
    world.forward(minutes=30)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert world.page().state == "resolved"
    assert "silenced by Ana: we move the disks" in world.reasons(world.page())
    assert world.group().state == "firing"


def test_when_the_silence_ends_what_still_fires_pages_anew(world):
    world.event()
    world.work()
    silence(world)
    world.mailbox.clear()
    world.forward(minutes=59)
    assert world.mailbox.messages == []
    world.forward(minutes=2)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert Page.objects.count() == 2


def test_what_resolved_meanwhile_stays_quiet_when_the_silence_ends(world):
    world.event()
    world.work()
    silence(world)
    world.mailbox.clear()
    world.event("resolve")
    world.forward(hours=2)
    assert world.mailbox.messages == []


def test_ended_early_it_looks_again_at_once(world):
    made = silence(world)
    world.event()
    world.work()
    silences.end_silence(made, world.ben, world.now + timedelta(minutes=1))
    world.forward(minutes=1)
    assert world.mailbox.readers() == ["ana@example.org"]
    assert "the silence is over" in world.reasons(world.group())


def test_a_silence_of_the_future_leaves_the_present_alone_and_begins_on_time(world):
    world.event()
    world.work()
    silence(world, starts_at=world.now + timedelta(minutes=3), ends_at=world.now + timedelta(hours=1))
    assert world.page().state == "climbing"
    world.forward(minutes=20)
    assert world.mailbox.readers() == ["ana@example.org"]


def test_an_alert_that_somebody_took_is_held_too_and_asks_anew_afterwards(world):
    world.event()
    world.work()
    paging.acknowledge(world.page().pk, world.ana, world.now)
    silence(world)
    world.mailbox.clear()
    world.forward(minutes=50)
    assert world.mailbox.messages == []
    world.forward(minutes=11)
    assert world.mailbox.readers() == ["ana@example.org"]


def test_what_is_not_covered_goes_on(world):
    world.event()
    world.work()
    silence(world, matchers=[{"label": "severity", "operator": "=", "value": "warning"}])
    assert world.page().state == "climbing"


def test_the_longer_of_two_silences_holds(world):
    world.event()
    world.work()
    silence(world, ends_at=world.now + timedelta(hours=3))
    silence(world, ends_at=world.now + timedelta(hours=1))
    world.mailbox.clear()
    world.forward(minutes=170)
    assert world.mailbox.messages == []


def two_hosts(world, *hosts):
    """Alertmanager says that each of these hosts of one group has the same trouble."""
    connection = world.service.connections.filter(monitor="alertmanager").first() or catalogue.connect_monitor(
        world.service, "alertmanager", "Alertmanager", world.eva, world.now
    )
    firing = [
        {
            "status": "firing",
            "fingerprint": host,
            "labels": {"alertname": "Disk", "instance": host, "severity": "critical"},
        }
        for host in hosts
    ]
    body = json.dumps({"version": "4", "groupKey": "disks", "status": "firing", "alerts": firing}).encode()
    Inbox.objects.create(
        received_at=world.now,
        service_id=world.service.pk,
        connection_id=connection.pk,
        monitor="alertmanager",
        body=body,
        note="",
        sender="127.0.0.1",
    )
    world.work()


def only(host):
    return [{"label": "instance", "operator": "=", "value": host}]


def test_one_that_is_not_covered_pages_although_it_joins_a_group_that_is_held_back(world):
    silence(world, matchers=only("db1"))
    two_hosts(world, "db1")
    assert world.mailbox.messages == []
    two_hosts(world, "db1", "db2")
    assert world.mailbox.readers() == ["ana@example.org"]


def test_a_silence_over_one_alert_leaves_the_page_of_the_others_alone(world):
    two_hosts(world, "db1", "db2")
    silence(world, matchers=only("db1"))
    assert world.page().state == "climbing"
    assert world.group().silence_id is None


def test_two_silences_hold_a_group_together_until_the_first_of_them_ends(world):
    two_hosts(world, "db1", "db2")
    silence(world, matchers=only("db1"), ends_at=world.now + timedelta(hours=3))
    silence(world, matchers=only("db2"), ends_at=world.now + timedelta(hours=1))
    assert world.page().state == "resolved"
    world.mailbox.clear()
    world.forward(minutes=59)
    assert world.mailbox.messages == []
    world.forward(minutes=2)
    assert world.mailbox.readers() == ["ana@example.org"]


def test_when_one_of_two_is_ended_early_what_it_covered_pages_at_once(world):
    first = silence(world, matchers=only("db1"), ends_at=world.now + timedelta(hours=3))
    silence(world, matchers=only("db2"), ends_at=world.now + timedelta(hours=1))
    two_hosts(world, "db1", "db2")
    assert world.mailbox.messages == []
    silences.end_silence(first, world.ana, world.now)
    world.work()
    assert world.mailbox.readers() == ["ana@example.org"]


def test_the_preview_shows_what_it_would_cover(world):
    world.event(key="a")
    world.event(key="b", severity="warning")
    world.work()
    assert [g.severity for g in silences.covered_groups(world.team, world.service, HOST)] == ["critical"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"why": "  "}, "why"),
        ({"ends_at": timedelta(0)}, "ends_at"),
        ({"ends_at": timedelta(days=91)}, "ends_at"),
        ({"matchers": [{"label": "x", "operator": "=~", "value": "(a"}]}, "matchers"),
        ({"service": None, "matchers": []}, "matchers"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(world, changes, field):
    if isinstance(changes.get("ends_at"), timedelta):
        changes = {"ends_at": world.now + changes["ends_at"]}
    with pytest.raises(Refused) as refusal:
        silence(world, **changes)
    assert refusal.value.field == field


def test_observers_and_strangers_silence_nothing(world):
    for person in (world.olga, world.charlie):
        with pytest.raises(NotAllowed):
            silence(world, by=person)
    made = silence(world)
    with pytest.raises(NotAllowed):
        silences.end_silence(made, world.olga, world.now)


def test_an_alert_without_a_page_is_acknowledged_and_resolved(world):
    """PRI-04: a warning pages nobody, and somebody takes it all the same."""
    world.event(severity="warning")
    world.work()
    group = alerts.acknowledge_group(world.group().pk, world.ben, world.now)
    assert (group.state, group.acknowledged_by) == ("acknowledged", world.ben)
    assert alerts.resolve_group(group.pk, world.ben, world.now).state == "resolved"
    with pytest.raises(Refused):
        alerts.acknowledge_group(group.pk, world.ben, world.now)
    with pytest.raises(NotAllowed):
        alerts.resolve_group(group.pk, world.olga, world.now)


def test_an_alert_with_a_page_is_answered_through_it(world):
    world.event()
    world.work()
    group = alerts.acknowledge_group(world.group().pk, world.ana, world.now)
    assert world.page().state == "acknowledged"
    alerts.resolve_group(group.pk, world.ana, world.now)
    assert world.page().state == "resolved"
    assert not Outgoing.objects.filter(state="waiting").exists()


def test_anybody_with_an_account_pages_a_team_through_its_ladder(world):
    paging.page_people(world.team, "The shop is down for us", world.charlie, world.now)
    world.work()
    assert world.mailbox.readers() == ["ana@example.org"]


def test_one_person_by_name_is_paged_only_from_their_own_teams(world):
    paging.page_people(world.team, "Please look", world.ana, world.now, to=world.ben)
    world.work()
    assert world.mailbox.readers() == ["ben@example.org"]
    with pytest.raises(NotAllowed):
        paging.page_people(world.team, "Please look", world.charlie, world.now, to=world.ben)
    with pytest.raises(Refused):
        paging.page_people(world.team, "  ", world.ana, world.now)
