"""The work of an incident through its actions: tasks, links, merging, cases at vendors, and the question whether it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import adopt, ask
from tests.world import World
from watchbill.actions import (
    declaring,
    incident_links,
    incident_merging,
    incident_roles,
    incident_tasks,
    incidents,
    silences,
    vendor_cases,
)
from watchbill.actions.declaring import Declared
from watchbill.db.incident_links import incidents_with, links_of
from watchbill.db.models import Event, Incident, IncidentTask, Outgoing, ServiceCondition, Team, Ticket, VendorCase
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _commanded(world: World) -> None:
    adopt(world, None, incident_roles={"designation": "declarer"})


def declare(world: World, by: str = "ana", **said: object) -> Incident:
    values = {"title": "Nobody can sign in", "impact": "Users see an error", **said}
    return declaring.declare(world.team, Declared(**values), world.people[by], world.now)


def subjects(world: World, name: str) -> list[str]:
    return [row.message["subject"] for row in Outgoing.objects.filter(person=world.people[name]).order_by("id")]


def kinds(incident: Incident) -> list[str]:
    rows = Event.objects.filter(subject_kind="incident", subject_id=incident.pk).order_by("id")
    return [kind.removeprefix("incident.") for kind in rows.values_list("kind", flat=True)]


def test_a_task_has_an_owner_who_hears_of_it_and_is_done(world: World) -> None:
    """INC-15, INC-16: whoever is called to help responds from then on."""
    incident = declare(world)
    task = incident_tasks.add(incident.pk, "Look at the  database", world.ana, world.now, world.ben)
    assert (task.title, task.owner) == ("Look at the database", world.ben)
    assert subjects(world, "ben")[0].startswith("For you: Look at the database")
    assert incident.members.filter(person=world.ben, left_at=None).exists()
    incident_tasks.finish(task.pk, world.ben, world.now)
    with pytest.raises(Refused, match="done"):
        incident_tasks.drop(task.pk, "no need", world.ben, world.now)
    incident_tasks.take_up(task.pk, world.ben, world.now)
    incident_tasks.give(task.pk, None, world.ben, world.now)
    incident_tasks.drop(task.pk, "it was the network", world.ben, world.now)
    assert kinds(incident)[-4:] == ["task_done", "task_reopened", "task_given", "task_dropped"]


def test_a_task_without_words_or_a_reason_is_refused(world: World) -> None:
    incident = declare(world)
    task = incident_tasks.add(incident.pk, "Restart it", world.ana, world.now)
    for act, field in (
        (lambda: incident_tasks.add(incident.pk, " ", world.ana, world.now), "title"),
        (lambda: incident_tasks.drop(task.pk, "", world.ana, world.now), "why"),
        (lambda: incident_tasks.add(incident.pk, "Help", world.ana, world.now, world.charlie), "owner"),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.field == field
    with pytest.raises(NotAllowed):
        incident_tasks.finish(task.pk, world.charlie, world.now)


def test_what_outlives_an_incident_becomes_a_ticket_and_no_longer_keeps_it_open(world: World) -> None:
    """Closing asks for open tasks; one that is a ticket is planned elsewhere."""
    incident = declare(world)
    task = incident_tasks.add(incident.pk, "Alert on the certificate", world.ana, world.now, world.ben)
    incidents.resolve(incident.pk, world.ana, world.now)
    assert any("open tasks: Alert on" in reason for reason in incidents.missing_of(incident, world.now))
    ticket = incident_tasks.make_ticket(task.pk, world.ana, world.now)
    assert (ticket.title, ticket.assignee, ticket.kind) == ("Alert on the certificate", world.ben, "action")
    assert f"/incidents/{incident.pk}/" in ticket.text
    assert [link.title for link in links_of(incident, world.ana)] == [f"T-{ticket.pk} Alert on the certificate"]
    assert not any("open tasks" in reason for reason in incidents.missing_of(incident, world.now))


def test_a_private_task_makes_no_ticket_that_the_team_reads(world: World) -> None:
    incident = declare(world, is_private=True)
    task = incident_tasks.add(incident.pk, "Talk to Ben", world.ana, world.now)
    with pytest.raises(Refused, match="the whole team reads a ticket"):
        incident_tasks.make_ticket(task.pk, world.ana, world.now)
    assert not Ticket.objects.exists()


def test_what_belongs_together_is_linked_once_and_found_from_both_sides(world: World) -> None:
    """Alerts, requests, silences and other incidents; somebody else's team is not for us."""
    incident, other = declare(world), declare(world, title="Slow")
    request = ask(world)
    incident_links.link(incident.pk, "request", request.pk, world.ana, world.now, "the first to say so")
    incident_links.link(incident.pk, "request", request.pk, world.ana, world.now)
    row = incident_links.link(incident.pk, "related", other.pk, world.ana, world.now)
    assert [(one.kind, one.note) for one in links_of(incident, world.ana)] == [
        ("related", ""),
        ("request", "the first to say so"),
    ]
    assert incidents_with("request", request.pk, world.ben) == [incident]
    incident_links.unlink(row.pk, world.ana, world.now)
    assert kinds(incident)[-3:] == ["linked", "linked", "unlinked"]
    for kind, number, field in (
        ("cake", 1, "kind"),
        ("ticket", 999, "number"),
        ("related", incident.pk, "number"),
    ):
        with pytest.raises(Refused) as refused:
            incident_links.link(incident.pk, kind, number, world.ana, world.now)
        assert refused.value.field == field


def test_a_private_incident_shows_in_no_list_of_links(world: World) -> None:
    """What one may not see is neither linked to nor named."""
    secret = declare(world, title="Somebody's account", is_private=True)
    plain = declare(world)
    request = ask(world)
    incident_links.link(secret.pk, "request", request.pk, world.ana, world.now)
    incident_links.link(plain.pk, "related", secret.pk, world.ana, world.now)
    assert links_of(plain, world.ben) == []
    assert incidents_with("request", request.pk, world.ben) == []
    with pytest.raises(Refused, match="no such incident"):
        incident_links.link(plain.pk, "related", secret.pk, world.ben, world.now)
    assert "account" not in " ".join(Event.objects.filter(subject_id=plain.pk).values_list("why", flat=True))


def test_a_merged_incident_points_on_and_what_is_open_goes_along(world: World) -> None:
    """Timeline entries stay with theirs; links, people, tasks, cases and conditions carry over."""
    into, dup = declare(world), declare(world, "ben", services=[world.service], condition="major_outage")
    request = ask(world)
    incident_links.link(dup.pk, "request", request.pk, world.ben, world.now)
    task = incident_tasks.add(dup.pk, "Restart it", world.ben, world.now)
    case = vendor_cases.open_case(dup, {"vendor": "6dg"}, world.ben, world.now)
    before = kinds(dup)
    world.forward(minutes=5)
    incident_merging.merge(dup.pk, into.pk, "the same outage", world.ana, world.now)
    dup.refresh_from_db()
    assert (dup.state, dup.outcome, dup.merged_into) == ("closed", "merged", into)
    assert kinds(dup)[: len(before)] == before
    assert [one.kind for one in links_of(into, world.ana)] == ["request"]
    assert into.members.filter(person=world.ben, left_at=None).exists()
    assert IncidentTask.objects.get(pk=task.pk).incident == into
    assert VendorCase.objects.get(pk=case.pk).incident == into
    spans = ServiceCondition.objects.order_by("id").values_list("incident", "ends_at")
    assert list(spans) == [(dup.pk, world.now), (into.pk, None)]


def test_opening_a_merged_incident_again_undoes_the_merge(world: World) -> None:
    into, dup = declare(world), declare(world, "ben")
    incident_links.link(dup.pk, "request", ask(world).pk, world.ben, world.now)
    done = incident_tasks.add(dup.pk, "Restart it", world.ben, world.now)
    left = incident_tasks.add(dup.pk, "Write it down", world.ben, world.now)
    incident_merging.merge(dup.pk, into.pk, "the same", world.ana, world.now)
    incident_tasks.finish(done.pk, world.ana, world.now)
    incidents.reopen(dup.pk, "it was another", world.ana, world.now)
    dup.refresh_from_db()
    assert (dup.state, dup.outcome, dup.merged_into) == ("active", "", None)
    assert [IncidentTask.objects.get(pk=one.pk).incident for one in (done, left)] == [dup, dup]
    assert (len(links_of(into, world.ana)), len(links_of(dup, world.ana))) == (0, 1)
    assert kinds(into)[-1] == "merge_undone"


def test_what_may_not_be_merged_says_why(world: World) -> None:
    """A private one would show, an exercise would count, a closed one would hide."""
    plain, secret = declare(world), declare(world, is_private=True)
    drill, over = declare(world, is_exercise=True), declare(world)
    incident_merging.call_off(over.pk, "a test page", world.ana, world.now)
    for source, target, words in (
        (secret, plain, "private"),
        (drill, plain, "exercise"),
        (plain, over, "closed"),
        (plain, plain, "part of itself"),
    ):
        with pytest.raises(Refused, match=words):
            incident_merging.merge(source.pk, target.pk, "the same", world.ana, world.now)


def test_what_was_no_incident_ends_without_paperwork(world: World) -> None:
    incident = declare(world, services=[world.service])
    incident_merging.call_off(incident.pk, "planned work", world.ana, world.now)
    incident.refresh_from_db()
    assert (incident.state, incident.outcome) == ("closed", "not_an_incident")
    assert incident.touched.get().condition == "operational"


def test_a_case_at_a_vendor_keeps_an_incident_open_and_whoever_leads_is_reminded(world: World) -> None:
    """INT-12: the incident goes on meanwhile; the commander asks again."""
    incident = declare(world, services=[world.service])
    case = vendor_cases.open_case(incident, {"vendor": "6dg", "reference": "C-1"}, world.ana, world.now)
    incident_roles.take(incident.pk, "commander", world.ben, world.now, "Ana sleeps")
    world.forward(hours=24)
    world.work()
    assert sum("Ask 6dg again" in subject for subject in subjects(world, "ben")) >= 1
    incidents.resolve(incident.pk, world.ana, world.now)
    assert "open cases at vendors: 6dg C-1" in incidents.missing_of(incident, world.now)
    vendor_cases.close_case(case, world.ana, world.now)
    assert not any("vendor" in reason for reason in incidents.missing_of(incident, world.now))
    assert "vendor_opened" in kinds(incident)


def test_a_case_of_a_private_incident_is_not_there_for_others(world: World) -> None:
    incident = declare(world, is_private=True)
    case = vendor_cases.open_case(incident, {"vendor": "6dg"}, world.ana, world.now)
    with pytest.raises(Refused, match="no such incident"):
        vendor_cases.heard(case, "tomorrow", world.ben, world.now)


def test_the_owner_is_asked_to_close_with_the_silences_to_remove(world: World) -> None:
    """Return to baseline; asked again after as long, and not when it is closed."""
    adopt(world, None, incident_roles={"designation": "declarer"}, incident_closing={"ask_after_hours": 24})
    incident = declare(world, services=[world.service])
    silences.add_silence(
        world.team, world.ana, world.now, service=world.service, matchers=[], why="flaps while we fix it",
        starts_at=None, ends_at=world.now + timedelta(days=9),
    )  # fmt: skip
    incidents.resolve(incident.pk, world.ana, world.now)
    for asked in (1, 2):
        world.forward(hours=24)
        world.work()
        assert sum("Close the incident?" in subject for subject in subjects(world, "ana")) == asked
    text = Outgoing.objects.filter(person=world.ana).order_by("id").last().message["text"]
    assert "end these silences:\n- flaps while we fix it" in text
    incidents.close(incident.pk, world.ana, world.now, "the rest is a ticket")
    world.forward(hours=24)
    world.work()
    assert kinds(incident).count("close_asked") == 2


def test_a_member_of_another_team_changes_nothing(world: World) -> None:
    incident, other = declare(world), declare(world)
    assert Team.objects.count() > 1
    for act in (
        lambda: incident_tasks.add(incident.pk, "Help", world.charlie, world.now),
        lambda: incident_links.link(incident.pk, "related", other.pk, world.charlie, world.now),
        lambda: incident_merging.merge(incident.pk, other.pk, "the same", world.charlie, world.now),
        lambda: vendor_cases.open_case(incident, {"vendor": "6dg"}, world.charlie, world.now),
    ):
        with pytest.raises(NotAllowed):
            act()
