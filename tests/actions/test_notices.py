"""Planned work through its actions: who is told at each step, and how its services are meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.world import World
from watchbill.actions import catalogue, communities, declaring, notices
from watchbill.actions.declaring import Declared
from watchbill.core.statuspage import NOTICE_SAID
from watchbill.db.models import Event, Export, Notice, Outgoing, Requester, Service, ServiceCondition, Timer
from watchbill.db.notice_facts import conflicts_of
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def plan(world: World, hours: float = 72, length: float = 2, **values: object) -> Notice:
    starts = world.now + timedelta(hours=hours)
    given = {
        "title": "Move the database",
        "text": "You are signed out once.",
        "starts_at": starts,
        "ends_at": starts + timedelta(hours=length),
        "services": [world.service],
        "audiences": ["team", "communities"],
        **values,
    }
    return notices.draft(world.team, given, world.ana, world.now)


def a_representative(world: World, name: str = "Geology") -> Requester:
    community = communities.add_community(world.team, {"name": name}, world.eva, world.now)
    email = f"{name.lower()}@example.net"
    return Requester.objects.create(
        team=world.team, community=community, name=name, email=email, is_representative=True, created_at=world.now
    )


def mails(notice: Notice) -> list[str]:
    rows = Export.objects.filter(subject_kind="notice", subject_id=notice.pk, what="mail").order_by("id")
    return [row.payload["subject"] for row in rows]


def test_from_announced_to_done_everybody_hears_each_step_in_its_own_words(world: World) -> None:
    """Announced, reminded a day before, begun, longer, done; the services are under maintenance meanwhile."""
    a_representative(world)
    notice = plan(world)
    assert mails(notice) == []
    assert not Timer.objects.filter(subject_kind="notice").exists()
    notices.announce(notice.pk, world.ana, world.now)
    assert {str(row.person) for row in Outgoing.objects.filter(subject_kind="notice")} == {"Ben", "Eva"}
    world.forward(hours=48)
    assert mails(notice)[-1] == "A reminder of planned work: Move the database"
    world.forward(hours=24)
    asked = Event.objects.get(subject_kind="notice", subject_id=notice.pk, kind="notice.asked")
    assert asked.why.startswith("it was to begin now")
    assert not ServiceCondition.objects.exists(), "nobody has begun"
    notices.begin(notice.pk, world.ana, world.now)
    assert (ServiceCondition.objects.get().condition, ServiceCondition.objects.get().ends_at) == ("maintenance", None)
    world.forward(hours=1)
    ends = world.now + timedelta(hours=3)
    notices.extend(notice.pk, ends, world.ana, world.now, "The copy is slow.")
    world.forward(hours=2)
    notices.done(notice.pk, world.ana, world.now)
    assert ServiceCondition.objects.get().ends_at == world.now
    assert mails(notice) == [
        "Planned work: Move the database",
        "A reminder of planned work: Move the database",
        "Planned work has begun: Move the database",
        "Planned work takes longer: Move the database",
        "Planned work is done: Move the database",
    ]
    assert "The copy is slow." in notice.updates.get(state="extended").text
    assert not Timer.objects.filter(subject_kind="notice").exists()


def test_what_was_told_is_told_again_when_it_moves_or_is_called_off_and_a_draft_says_nothing(world: World) -> None:
    a_representative(world)
    known, draft = plan(world), plan(world)
    notices.announce(known.pk, world.ana, world.now)
    later = known.starts_at + timedelta(days=1)
    for one in (known, draft):
        notices.reschedule(one.pk, later, later + timedelta(hours=2), world.ana, world.now)
        with pytest.raises(Refused) as refused:
            notices.cancel(one.pk, " ", world.ana, world.now)
        assert refused.value.field == "why"
        notices.cancel(one.pk, "the vendor cannot come", world.ana, world.now)
    assert [one.partition(":")[0] for one in mails(known)] == [
        "Planned work",
        "Planned work has moved",
        "Planned work is called off",
    ]
    assert "the vendor cannot come" in known.updates.get(state="cancelled").text
    assert mails(draft) == []
    world.forward(days=6)
    assert Event.objects.filter(subject_kind="notice", kind="notice.asked").count() == 0


def test_one_community_hears_of_what_touches_it_alone(world: World) -> None:
    a_representative(world)
    a_representative(world, "Botany")
    notice = plan(world, audiences=["community:botany"])
    notices.announce(notice.pk, world.ana, world.now)
    told = Export.objects.filter(subject_kind="notice", what="mail")
    assert [row.recipient["email"] for row in told] == ["botany@example.net"]
    assert not Outgoing.objects.filter(subject_kind="notice").exists()


def test_what_stands_in_its_way_is_shown_to_those_who_may_see_it(world: World) -> None:
    notice = plan(world)
    other = plan(world, hours=73, title="Patch the host")
    plan(world, hours=90, title="Another day")
    said = Declared("Sign-in is slow", "Slow", services=[world.service], is_private=True)
    incident = declaring.declare(world.team, said, world.ana, world.now)
    assert [(one.kind, one.id) for one in conflicts_of(notice, world.ana)] == [
        ("incident", incident.pk),
        ("notice", other.pk),
    ]
    assert [one.kind for one in conflicts_of(notice, world.ben)] == ["notice"], "the incident is private"


@pytest.mark.parametrize(
    ("values", "field"),
    [({"title": ""}, "title"), ({"text": ""}, "text"), ({"audiences": []}, "audiences"), ({"audiences": ["mars"]}, "audiences"),
     ({"starts_at": None}, "starts_at"), ({"length": -1}, "ends_at")],
)  # fmt: skip
def test_what_cannot_be_planned_is_refused_by_its_field(world: World, values: dict, field: str) -> None:
    with pytest.raises(Refused) as refused:
        plan(world, **values)
    assert refused.value.field == field
    assert not Notice.objects.exists()


def test_strangers_and_observers_plan_nothing(world: World) -> None:
    notice = plan(world)
    with pytest.raises(NotAllowed):
        notices.announce(notice.pk, world.olga, world.now)
    with pytest.raises(Refused, match="no such notice"):
        notices.announce(notice.pk, world.charlie, world.now)
    foreign = Service.objects.create(
        team=world.charlie.memberships.get().team, slug="x", name="x", created_at=world.now
    )
    with pytest.raises(Refused) as refused:
        notices.change(notice.pk, {"services": [foreign]}, world.ana, world.now)
    assert refused.value.field == "services"


def test_services_that_join_work_under_way_are_under_maintenance_too(world: World) -> None:
    notice = plan(world, hours=1)
    notices.begin(notice.pk, world.ana, world.now)
    other = catalogue.add_service(world.team, {"name": "Search"}, world.eva, world.now)
    world.forward(minutes=10)
    notices.change(notice.pk, {"services": [other]}, world.ana, world.now)
    standing = ServiceCondition.objects.filter(ends_at=None)
    assert [row.service for row in standing] == [other]


def test_whatever_is_told_of_planned_work_has_words_for_the_public_page() -> None:
    """A state without words would leave the whole page undrawn."""
    assert {*notices.TOLD} - {*NOTICE_SAID} == set()
