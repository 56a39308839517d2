"""A merge that is undone: everything is as it was before, but for what people said meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.desk_cast import adopt, ask
from tests.actions.status_cast import declare, make_page
from tests.world import World
from watchbill.actions import (
    communities,
    incident_links,
    incident_merging,
    incident_roles,
    incident_tasks,
    incidents,
    status_incidents,
    vendor_cases,
)
from watchbill.core.statuspage import public_view
from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import (
    Incident,
    IncidentCommunity,
    IncidentTask,
    PublicIncident,
    Service,
    ServiceCondition,
    StatusPage,
    Timer,
    VendorCase,
)
from watchbill.db.status_facts import facts_of

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = ("state", "outcome", "mitigated_at", "resolved_at", "closed_at", "merged_into")


@pytest.fixture
def page(world: World) -> StatusPage:
    adopt(world, None, incident_roles={"designation": "declarer"})
    return make_page(world)


def state_of(incident: Incident) -> dict[str, Any]:
    """Everything that a merge could take, or leave behind."""
    rows = {
        "incident": Incident.objects.filter(pk=incident.pk).values(*FIELDS),
        "services": incident.touched.order_by("id").values_list("service", "condition"),
        "conditions": incident.conditions.order_by("id").values_list("pk", "condition", "starts_at", "ends_at"),
        "links": incident.links.order_by("id").values_list("pk", "kind", "subject_id", "note"),
        "people": incident.members.order_by("person").values_list("person", "left_at"),
        "communities": incident.communities.order_by("id").values_list("community", flat=True),
        "tasks": IncidentTask.objects.filter(incident=incident).order_by("id").values_list("pk", flat=True),
        "cases": VendorCase.objects.filter(incident=incident).order_by("id").values_list("pk", flat=True),
        "public": PublicIncident.objects.filter(incident=incident).values_list("pk", "ended_at"),
    }
    return {name: list(found) for name, found in rows.items()}


def merge(world: World, one: Incident, into: Incident) -> None:
    world.forward(minutes=5)
    incident_merging.merge(one.pk, into.pk, "the same outage", world.ana, world.now)


def undo(world: World, one: Incident) -> None:
    world.forward(minutes=5)
    incidents.reopen(one.pk, "it was another", world.ana, world.now)


def condition_of(incident: Incident, service: str = "idp-prod") -> str:
    row = incident.touched.filter(service__name=service).first()
    return row.condition if row else ""


def test_an_undone_merge_leaves_both_as_they_were(world: World, page: StatusPage) -> None:
    into, one = declare(world, service="smtp-prod"), declare(world)
    incidents.touch(one.pk, Service.objects.get(name="smtp-prod"), "degraded", world.ana, world.now)
    incidents.join(one, world.ben, world.ben, world.now)
    incident_links.link(one.pk, "request", ask(world).pk, world.ben, world.now, "they called")
    incident_tasks.add(one.pk, "Restart it", world.ana, world.now, world.ben)
    vendor_cases.open_case(one, {"vendor": "6dg"}, world.ana, world.now)
    geology = communities.add_community(world.team, {"name": "Geology"}, world.eva, world.now)
    IncidentCommunity.objects.create(incident=one, community=geology)
    for incident in (into, one):
        status_incidents.publish(incident.pk, page, f"Trouble {incident.pk}", world.ana, world.now)
    before, shown = [state_of(into), state_of(one)], public_view(facts_of(page, world.now), world.now)
    merge(world, one, into)
    assert before != [state_of(into), state_of(one)]
    assert geology.pk in state_of(into)["communities"], "those who hear of it go on hearing"
    undo(world, one)
    assert [state_of(into), state_of(one)] == before
    again = public_view(facts_of(page, world.now), world.now)
    assert again.words == shown.words
    assert [component.condition for component in again.components] == ["major_outage", "major_outage"]
    assert [dict(component.days[-1].minutes) for component in again.components] == [{"major_outage": 10}] * 2


@pytest.mark.parametrize("state", ["mitigated", "resolved"])
def test_what_was_over_before_the_merge_is_over_again_with_its_times(
    world: World, page: StatusPage, state: str
) -> None:
    into, one = declare(world), declare(world, service="smtp-prod")
    row = status_incidents.publish(one.pk, page, "Trouble", world.ana, world.now)
    world.forward(minutes=5)
    incidents.mitigate(one.pk, world.ana, world.now)
    if state == "resolved":
        incidents.resolve(one.pk, world.ana, world.now)
    before = state_of(one)
    merge(world, one, into)
    undo(world, one)
    assert state_of(one) == before
    assert (PublicIncident.objects.get(pk=row.pk).ended_at is None) == (state == "mitigated")
    waits = set(Timer.objects.filter(subject_kind="incident", subject_id=one.pk).values_list("kind", flat=True))
    assert ("close" in waits, "seek_again" in waits) == (state == "resolved", state == "mitigated")


def test_what_had_ended_in_public_before_stays_ended(world: World, page: StatusPage) -> None:
    into, one = declare(world), declare(world, service="smtp-prod")
    row = status_incidents.publish(one.pk, page, "Trouble", world.ana, world.now)
    status_incidents.end(row.pk, world.ana, world.now)
    ended = world.now
    merge(world, one, into)
    undo(world, one)
    assert PublicIncident.objects.get(pk=row.pk).ended_at == ended


def test_the_worse_condition_holds_and_each_has_its_own_again(world: World, page: StatusPage) -> None:
    into, one = declare(world, condition="degraded"), declare(world)
    before = [state_of(into), state_of(one)]
    merge(world, one, into)
    assert condition_of(into) == "major_outage"
    assert ServiceCondition.objects.filter(ends_at=None).count() == 1
    undo(world, one)
    assert [state_of(into), state_of(one)] == before
    milder = declare(world, condition="degraded")
    merge(world, milder, one)
    assert condition_of(one) == "major_outage"


def test_what_was_said_of_a_service_meanwhile_stands(world: World, page: StatusPage) -> None:
    """The history of the time between is what people said then; what came back begins anew."""
    into, one = declare(world, service="smtp-prod"), declare(world)
    merge(world, one, into)
    world.forward(minutes=5)
    incidents.touch(into.pk, Service.objects.get(name="idp-prod"), "operational", world.ana, world.now)
    was = list(into.conditions.order_by("id").values_list("starts_at", "ends_at"))
    undo(world, one)
    assert (condition_of(into), condition_of(one)) == ("operational", "major_outage")
    assert list(into.conditions.order_by("id").values_list("starts_at", "ends_at")) == was
    assert one.conditions.get(ends_at=None).starts_at == world.now


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_that_were_merged_each_comes_back_by_itself(
    world: World, page: StatusPage, order: tuple[int, int]
) -> None:
    """The third has the condition of whichever is still a part of it, and at the end none that is not its own."""
    into = declare(world, service="smtp-prod")
    both = [declare(world, condition="degraded"), declare(world)]
    for one in both:
        merge(world, one, into)
    assert condition_of(into) == "major_outage"
    undo(world, both[order[0]])
    left = both[order[1]]
    assert condition_of(into) == ("major_outage" if left == both[1] else "degraded")
    undo(world, left)
    assert condition_of(into) == ""
    assert not into.conditions.filter(service__name="idp-prod", ends_at=None).exists()
    assert [condition_of(one) for one in both] == ["degraded", "major_outage"]
    assert [one.conditions.filter(ends_at=None).count() for one in both] == [1, 1]


def test_whoever_came_with_the_merge_sees_a_private_incident_no_more(world: World, page: StatusPage) -> None:
    """But for whoever did something there, or was asked to."""
    into, one = (declare(world, is_private=True) for _ in range(2))
    for name in ("ben", "olga", "charlie"):
        incidents.add_responder(one.pk, world.people[name], world.ana, world.now)
    merge(world, one, into)
    assert sees_incident(world.ben, into)
    incident_roles.take(into.pk, "scribe", world.ben, world.now)
    task = incident_tasks.add(into.pk, "Ask them", world.ana, world.now, world.olga)
    undo(world, one)
    assert [sees_incident(world.people[name], into) for name in ("ben", "olga", "charlie")] == [True, True, False]
    assert all(sees_incident(world.people[name], one) for name in ("ben", "olga", "charlie"))
    assert IncidentTask.objects.get(pk=task.pk).incident == into


def test_a_merge_again_is_undone_again(world: World, page: StatusPage) -> None:
    into, one = declare(world, service="smtp-prod"), declare(world)
    before = [state_of(into), state_of(one)]
    for _ in range(2):
        merge(world, one, into)
        undo(world, one)
    assert [state_of(into), state_of(one)] == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_went_on_into_a_third_comes_back_from_there(
    world: World, page: StatusPage, order: tuple[int, int]
) -> None:
    """A into B, B into C: whichever merge is undone first gives back what it brought, and the other keeps its own."""
    last, middle, first = declare(world, service="smtp-prod"), declare(world, condition="degraded"), declare(world)
    for one, helper in ((middle, world.ben), (first, world.olga)):
        incidents.join(one, helper, helper, world.now)
        incident_links.link(one.pk, "request", ask(world).pk, world.ben, world.now, "they called")
        incident_tasks.add(one.pk, "Restart it", world.ana, world.now)
        vendor_cases.open_case(one, {"vendor": "6dg"}, world.ana, world.now)
        named = communities.add_community(world.team, {"name": f"Group {one.pk}"}, world.eva, world.now)
        IncidentCommunity.objects.create(incident=one, community=named)
    alone = {one.pk: state_of(one) for one in (last, middle, first)}
    merge(world, first, middle)
    merge(world, middle, last)
    both = state_of(last)
    assert (len(both["tasks"]), len(both["cases"]), condition_of(last)) == (2, 2, "major_outage")
    for place in order:
        undo(world, (first, middle)[place])
        if place == 0 and order[0] == 0:
            held = state_of(last)
            assert state_of(first) == alone[first.pk]
            assert [held[name] for name in ("tasks", "cases")] == [
                alone[middle.pk][name] for name in ("tasks", "cases")
            ]
            assert (len(held["links"]), len(held["communities"]), condition_of(last)) == (1, 1, "degraded")
            assert [world.ben.pk in dict(held["people"]), world.olga.pk in dict(held["people"])] == [True, False]
    assert [state_of(one) for one in (last, middle, first)] == [alone[one.pk] for one in (last, middle, first)]


def test_what_was_said_of_a_service_in_the_third_meanwhile_stands(world: World, page: StatusPage) -> None:
    last, middle, first = declare(world, service="smtp-prod"), declare(world, condition="degraded"), declare(world)
    task = incident_tasks.add(first.pk, "Restart it", world.ana, world.now)
    merge(world, first, middle)
    merge(world, middle, last)
    incident_tasks.finish(task.pk, world.ana, world.now)
    incidents.touch(last.pk, Service.objects.get(name="idp-prod"), "operational", world.ana, world.now)
    undo(world, first)
    assert (condition_of(last), condition_of(first)) == ("operational", "major_outage")
    assert IncidentTask.objects.get(pk=task.pk).incident == first, "also what was done there"
    undo(world, middle)
    assert condition_of(last) == "operational"
