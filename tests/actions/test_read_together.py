"""Many services of a team are read at once: as exact as one by one, for the statements of one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.actions.test_placing import statements_of
from tests.actions.test_worker_delivery import put_message
from tests.world import World, make_person
from watchbill import channels
from watchbill.actions import alerts, catalogue, claiming, sending
from watchbill.db.models import (
    AlertGroup,
    ContactAddress,
    Inbox,
    MonitorConnection,
    Outgoing,
    Page,
    Person,
    Service,
    Team,
)
from watchbill.egress import Allow, Client


@pytest.fixture
def others(world: World) -> list[MonitorConnection]:
    """The ways in to seven services of the team, the world's own first."""
    return [world.connection, *(connect(world, world.team, f"service {number}", world.eva) for number in range(6))]


def connect(world: World, team: Team, name: str, owner: Person) -> MonitorConnection:
    service = Service.objects.create(
        team=team, slug=name.replace(" ", "-"), name=name, ladder=world.ladder, created_at=world.now
    )
    return catalogue.connect_monitor(service, "events_v2", "", owner, world.now)


def say(world: World, way: MonitorConnection, action: str = "trigger", **what: str) -> None:
    world.service, world.connection, world.key = way.service, way, way.key
    world.event(action, **what)


def test_services_that_use_the_same_key_keep_their_alerts_apart(world, others):
    for way in others:
        say(world, way, key="disk")
        say(world, way, key="disk")
    say(world, others[2], "resolve", key="disk")
    world.work()
    groups = AlertGroup.objects.order_by("service_id")
    assert [group.service_id for group in groups] == [way.service_id for way in others]
    assert [group.state for group in groups] == ["firing", "firing", "resolved", *["firing"] * 4]
    assert {page.service_id for page in Page.objects.filter(closed_at=None)} == {
        way.service_id for way in others if way != others[2]
    }
    for way in others:
        say(world, way, "resolve", key="disk")
    world.work()
    assert not Page.objects.filter(closed_at=None).exists()
    assert set(AlertGroup.objects.values_list("state", flat=True)) == {"resolved"}


def test_seven_services_cost_the_statements_of_one(world, others):
    say(world, others[0], key="warm")
    world.work()
    say(world, others[0], key="disk")
    alone = statements_of(lambda: alerts.receive_together(alerts.Together([others[0].service_id], 0), world.now))
    for way in others:
        say(world, way, key="net")
    (together,) = alerts.read_together(limit=50)
    assert together.services == [way.service_id for way in others]
    all_of_them = statements_of(lambda: alerts.receive_together(together, world.now))
    assert Page.objects.count() == 9
    assert all_of_them <= alone + 8


def test_each_way_in_is_heard_when_its_own_last_payload_came(world, others):
    for way in others[:3]:
        say(world, way)
        world.now += timedelta(seconds=1)
    world.work()
    heard = [MonitorConnection.objects.get(pk=way.pk).last_heard_at for way in others[:4]]
    assert heard == [world.now - timedelta(seconds=3 - number) for number in range(3)] + [None]


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_service_whose_row_is_poisoned_stops_none_of_those_it_is_read_with(world, others, place):
    for number, way in enumerate(others):
        say(world, way, key="disk")
        if number == place:
            Inbox.objects.filter(pk=Inbox.objects.latest("id").pk).update(note="{broken")
    with capture_logs() as logs:
        world.work()
    assert [line["event"] for line in logs].count("services are read one by one") == 1
    assert Inbox.objects.get(state=Inbox.FAILED).service_id == others[place].service_id
    assert AlertGroup.objects.count() == len(others) - 1


def test_a_service_with_a_bug_of_its_own_stops_none_of_those_it_is_read_with(world, others, monkeypatch):
    real = alerts._lock

    def broken(ids: list[int]) -> dict[int, Service]:
        if others[3].service_id in ids:
            raise RuntimeError("a bug")
        return real(ids)

    monkeypatch.setattr(alerts, "_lock", broken)
    for way in others:
        say(world, way)
    with capture_logs() as logs:
        world.work()
    assert [row.service_id for row in Inbox.objects.filter(state=Inbox.WAITING)] == [others[3].service_id]
    assert "the inbox of a service could not be read" in [line["event"] for line in logs]


def test_a_storm_is_read_alone_and_another_team_by_itself(world, others):
    stranger = connect(world, Team.objects.get(slug="payments"), "stranger", world.charlie)
    for way in (others[0], stranger, others[1]):
        say(world, way)
    Inbox.objects.bulk_create(
        Inbox(received_at=world.now, service_id=others[2].service_id, connection_id=0, monitor="events_v2", body=b"{}")
        for _ in range(alerts.BATCH)
    )
    say(world, others[3])
    first, second, storm, third = (way.service_id for way in others[:4])
    shared = [together.services for together in alerts.read_together(limit=50)]
    assert shared == [[first, second, third], [stranger.service_id], [storm]]


def test_what_was_answered_while_the_message_before_it_left_does_not_leave(world, monkeypatch):
    """Promise 2: "still wanted?" holds for a tenth of a second, and is asked again after it."""
    ben = ContactAddress.objects.get(person=world.ben, channel="email")
    eva = ContactAddress.objects.get(person=world.eva, channel="email")
    world.event()
    alerts.receive(world.service.pk, world.now)
    first = Outgoing.objects.get()
    for address in (ben, eva):
        row = put_message(world, address, f"page-{address.pk}")
        row.purpose, row.subject_kind, row.subject_id = "page", "page", first.subject_id
        row.save()
    (run,) = claiming.claim_due(lambda: world.now, claiming.Senders(total=1))
    assert len(run.claims) == 3
    real = channels.all_channels()["email"].send

    def slow(*given: object) -> object:
        receipt = real(*given)
        world.now += sending.FRESH
        Page.objects.update(state="acknowledged")
        return receipt

    monkeypatch.setattr(channels.all_channels()["email"], "send", slow)
    states = sending.send_run(
        run, Client(Allow.read("")), lambda _: world.mailbox.channel_settings(), lambda: world.now
    )
    assert states == ["sent", "dropped", "dropped"]
    assert world.mailbox.readers() == ["ana@example.org"]


def test_what_a_vendor_took_is_written_down_whatever_breaks_behind_it(world):
    """At least once, and not twice for a neighbour's sake."""
    addresses = [ContactAddress.objects.get(person=make_person(f"Mail{n}", world.now)) for n in range(3)]
    rows = [put_message(world, address, f"notice-{address.pk}") for address in addresses]
    Outgoing.objects.filter(pk=rows[2].pk).update(message={})
    (run,) = claiming.claim_due(lambda: world.now, claiming.Senders(total=1))
    with capture_logs() as logs:
        sending.send_run(run, Client(Allow.read("")), lambda _: world.mailbox.channel_settings(), lambda: world.now)
    assert [line["log_level"] for line in logs] == ["error"]
    assert list(Outgoing.objects.order_by("id").values_list("state", flat=True)) == ["sent", "sent", "waiting"]


def test_one_address_that_is_refused_stops_none_of_those_that_follow(world):
    people = [make_person(f"Mail{n}", world.now) for n in range(4)]
    for person in people:
        put_message(world, ContactAddress.objects.get(person=person), f"notice-{person.pk}")
    world.mailbox.refuse(people[1].email, "550 no such mailbox")
    (run,) = claiming.claim_due(lambda: world.now, claiming.Senders(total=1))
    states = sending.send_run(
        run, Client(Allow.read("")), lambda _: world.mailbox.channel_settings(), lambda: world.now
    )
    assert states == ["sent", "failed", "sent", "sent"]
    assert sorted(world.mailbox.readers()) == sorted(p.email for p in people if p != people[1])
