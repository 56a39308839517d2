"""What wakes people waits for nothing that was due before it."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.actions.worker_world import alerts_only
from tests.world import World, make_person
from watchbill.actions import alerts, claiming, timers
from watchbill.actions.claiming import LOOKED_AT, Senders
from watchbill.actions.log import Subject
from watchbill.db.models import ContactAddress, Inbox, Outgoing, Page, Service, Team, Timer


def put_notices(world: World, count: int) -> None:
    address = ContactAddress.objects.get(person=make_person("Reader", world.now))
    Outgoing.objects.bulk_create(
        Outgoing(
            key=f"digest-{number}",
            team=world.team,
            person=address.person,
            address=address,
            channel="email",
            purpose="notice",
            urgency="default",
            subject_kind="team",
            subject_id=world.team.pk,
            message={"subject": "The week", "text": "All that happened"},
            why="a digest",
            state="waiting",
            created_at=world.now,
            due_at=world.now - timedelta(minutes=10),
        )
        for number in range(count)
    )


def test_a_page_does_not_wait_behind_more_notices_than_are_looked_at(world):
    put_notices(world, LOOKED_AT + 50)
    world.event()
    alerts_only(world)
    page = Outgoing.objects.get(purpose="page")
    (run,) = claiming.claim_due(lambda: world.now, Senders(total=1))
    assert run.claims[0].ids == (page.pk,)
    assert len(run.claims) > 1, "what is left of the run goes to the others"


def test_a_climb_does_not_wait_behind_more_timers_than_are_taken_at_once(world):
    world.event()
    world.work()
    Timer.objects.bulk_create(
        Timer(subject_kind="ticket", subject_id=number, kind="stale", due_at=world.now, attempt=0)
        for number in range(50)
    )
    world.now += timedelta(minutes=5)
    claims = timers.claim_due(lambda: world.now, 20)
    assert (claims[0].subject_kind, claims[0].kind) == ("page", "climb")
    assert [claim.subject_kind for claim in claims[1:]] == ["ticket"] * 19


def test_of_what_is_as_urgent_the_one_that_is_due_for_longest_comes_first(world):
    for number, minutes in ((1, 5), (2, 20), (3, 10)):
        timers.set_timer(Subject("page", number, None), "climb", world.now - timedelta(minutes=minutes))
    claims = timers.claim_due(lambda: world.now, 2)
    assert [claim.subject_id for claim in claims] == [2, 3]


def test_a_climb_does_not_wait_until_a_long_inbox_is_read(world, monkeypatch):
    world.event()
    world.work()
    for number in range(3):
        team = Team.objects.create(slug=f"team-{number}", name=f"Team {number}", zone="UTC", created_at=world.now)
        service = Service.objects.create(team=team, slug=f"s-{number}", name=f"S {number}", created_at=world.now)
        world.event(key=f"storm-{number}", severity="info")
        Inbox.objects.filter(pk=Inbox.objects.latest("id").pk).update(service_id=service.pk)
    steps: list[int] = []
    receive = alerts.receive_together

    def receive_slowly(together: alerts.Together, now: datetime) -> int:
        steps.append(Page.objects.get().step)
        world.now += timedelta(minutes=6)
        return receive(together, now)

    monkeypatch.setattr(alerts, "receive_together", receive_slowly)
    world.worker.run_once()
    assert steps[:3] == [0, 1, 2]
    world.work()
