"""The panels of an incident's page on who does what: asked, roles, tasks, links, cases at vendors."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.actions.desk_cast import adopt, ask
from tests.actions.tracker_world import Tracked
from tests.connectors.calls import Zoom
from tests.connectors.vendors import running
from tests.doors.web_world import Cast
from tests.egress.outside import Say
from watchbill.actions import declaring, incident_links, incident_story, incident_tasks, incident_updates, incidents
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_story import Entry
from watchbill.db.models import Incident, IncidentTask, Membership, RoleAssignment, Ticket, VendorCase

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_(world):
    adopt(world, None, incident_roles={"designation": "declarer"})
    return Cast(world)


def declare(world, **said) -> Incident:
    values = {"title": "Nobody can sign in", "impact": "Users see an error", **said}
    return declaring.declare(world.team, Declared(**values), world.ana, world.now)


def test_somebody_is_asked_says_yes_and_both_stand_on_the_page(world, as_):
    """ROL-08, ROL-12: asked with a word, answered with one tap."""
    incident = declare(world)
    at = f"/incidents/{incident.pk}"
    asked = {"role": "commander", "person": world.ben.pk, "why": "You know the database"}
    assert "They are asked" in as_.ana.post(f"{at}/ask_role/", asked, follow=True).content.decode()
    assert "Ben is asked" in as_.ana.text(f"{at}/")
    mine = as_.ben.text(f"{at}/")
    assert "Will you be Incident commander?" in mine
    assert "You know the database" in mine
    offer = RoleAssignment.objects.get(person=world.ben)
    assert as_.ana.post(f"{at}/accept/", {"offer": offer.pk}).status_code in {403, 409}
    as_.ben.post(f"{at}/accept/", {"offer": offer.pk})
    assert "Will you be" not in as_.ben.text(f"{at}/")
    assert "Who had it before" in as_.ana.text(f"{at}/")


def test_only_what_is_ones_own_to_give_is_offered(world, as_):
    """ROL-12: the form offers no role that would be refused, and the action still says who has it."""
    incident = declare(world)
    at = f"/incidents/{incident.pk}"
    Membership.objects.filter(person=world.olga).update(role="member")

    def offered(who) -> list[str]:
        form = who.get(f"{at}/").content.decode().partition('id="do-ask_role"')[2].partition("</select>")[0]
        return [role for role in ("commander", "scribe") if f'value="{role}"' in form]

    as_.ana.post(f"{at}/ask_role/", {"role": "scribe", "person": world.ben.pk})
    assert (offered(as_.ana), offered(as_.olga)) == (["commander", "scribe"], ["scribe"]), "Ana commands"
    late = as_.olga.post(f"{at}/ask_role/", {"role": "commander", "person": world.ben.pk})
    assert "Ana has it: ask them to hand it on" in late.content.decode()
    as_.ben.post(f"{at}/accept/", {"offer": RoleAssignment.objects.get(person=world.ben).pk})
    assert (offered(as_.ben), offered(as_.olga)) == (["scribe"], []), "what Ben has is his to hand on"
    assert (offered(as_.ana), offered(as_.eva)) == (["commander", "scribe"], ["commander", "scribe"])
    as_.ana.post(f"{at}/ask_role/", {"role": "commander", "person": world.eva.pk})
    takes_back = f"Take back the offer to {world.eva}"
    assert (takes_back in as_.ana.text(f"{at}/"), takes_back in as_.olga.text(f"{at}/")) == (True, False)


def test_no_needs_no_reason_and_one_may_let_somebody_else_say_who(world, as_):
    """ROL-09, ROL-11."""
    world.team.product_manager = world.eva
    world.team.save()
    incident = declare(world)
    at = f"/incidents/{incident.pk}"
    as_.ana.post(f"{at}/ask_role/", {"role": "scribe", "person": world.ben.pk})
    as_.ben.post(f"{at}/decline/", {"offer": RoleAssignment.objects.get(person=world.ben).pk})
    assert RoleAssignment.objects.get(person=world.ben).state == "declined"
    done = as_.ana.post(f"{at}/ask_who/", {"role": "commander"}, follow=True).content.decode()
    assert "They are told to say who" in done


def test_one_steps_in_with_a_reason(world, as_):
    incident = declare(world)
    at = f"/incidents/{incident.pk}"
    assert as_.ben.post(f"{at}/step_in/", {"role": "commander", "because": ""}).status_code == 409
    as_.ben.post(f"{at}/step_in/", {"role": "commander", "because": "Ana is offline"})
    assert RoleAssignment.objects.get(state="accepted").person == world.ben


def test_a_task_is_written_done_and_made_a_ticket(world, as_):
    """INC-15."""
    incident = declare(world)
    at = f"/incidents/{incident.pk}"
    for title in ("Restart it", "Write the alert", "Ask around"):
        as_.ana.post(f"{at}/task/", {"title": title, "owner": world.ben.pk})
    done, kept, dropped = IncidentTask.objects.order_by("id")
    as_.ben.post(f"{at}/task_done/", {"task": done.pk})
    as_.ben.post(f"{at}/task_ticket/", {"task": kept.pk})
    as_.ben.post(f"{at}/task_drop/", {"task": dropped.pk, "why": "not needed"})
    text = as_.ana.text(f"{at}/")
    assert "Nothing is open." in text
    assert f"T-{Ticket.objects.get().pk}" in text


def test_a_task_is_given_to_somebody_else_and_to_nobody(world, as_):
    """INC-15, INC-16."""
    incident = declare(world)
    at = f"/incidents/{incident.pk}"
    as_.ana.post(f"{at}/task/", {"title": "Restart it", "owner": world.ana.pk})
    task = IncidentTask.objects.get()
    assert "Give a task to somebody" in as_.ana.text(f"{at}/")
    given = as_.ana.post(f"{at}/task_give/", {"given": task.pk, "owner": world.ben.pk}, follow=True)
    assert "It is Ben’s." in given.content.decode()
    as_.ben.post(f"{at}/task_give/", {"given": task.pk, "owner": ""})
    task.refresh_from_db()
    assert task.owner is None
    assert as_.ben.post(f"{at}/task_give/", {"given": "999", "owner": ""}).status_code == 409


def test_what_belongs_together_is_linked_and_a_duplicate_points_on(world, as_):
    incident, other = declare(world), declare(world, title="Sign-in fails")
    at = f"/incidents/{incident.pk}"
    request = ask(world)
    as_.ana.post(f"{at}/link/", {"kind": "request", "number": f"R-{request.pk}"})
    assert f"R-{request.pk} I cannot log in" in as_.ben.text(f"{at}/")
    assert as_.ana.post(f"{at}/link/", {"kind": "ticket", "number": "999"}).status_code == 409
    as_.ana.post(f"{at}/merge/", {"into": other.pk, "why": "the same outage"})
    assert f'href="/incidents/{other.pk}/"' in as_.ben.text(f"{at}/")
    assert "Part of it:" in as_.ben.text(f"/incidents/{other.pk}/")
    as_.ana.post(f"/incidents/{other.pk}/call_off/", {"why": "planned work"})
    assert Incident.objects.get(pk=other.pk).outcome == "not_an_incident"


def test_a_case_at_a_vendor_is_opened_heard_of_and_closed(world, as_):
    """INT-12."""
    incident = declare(world)
    at = f"/incidents/{incident.pk}"
    as_.ana.post(f"{at}/open_case/", {"vendor": "6dg", "reference": "C-9", "remind_after_hours": "2"})
    case = VendorCase.objects.get()
    assert case.remind_at is not None
    as_.ana.post(f"{at}/heard_case/", {"case": case.pk, "said": "They look at it"})
    assert "They look at it" in as_.ben.text(f"{at}/")
    as_.ana.post(f"{at}/heard_case/", {"case": case.pk, "said": "", "over": "on"})
    case.refresh_from_db()
    assert case.closed_at == world.now


def test_a_case_at_a_vendor_is_put_right_and_another_team_does_not_find_it(world, as_):
    """INT-12: what is wrong stays on the page, as typed."""
    incident = declare(world)
    as_.ana.post(f"/incidents/{incident.pk}/open_case/", {"vendor": "6dg", "reference": "C-9"})
    case = VendorCase.objects.get()
    at = f"/vendor-cases/{case.pk}/change/"
    assert at in as_.ben.text(f"/incidents/{incident.pk}/")
    wrong = as_.ben.post(at, {"vendor": "6dg", "reference": "C-10", "url": "ftp://6dg.example"})
    assert (wrong.status_code, "C-10" in wrong.content.decode()) == (409, True)
    as_.ben.post(at, {"vendor": "6dg", "reference": "C-10", "url": "https://6dg.example/10"})
    case.refresh_from_db()
    assert (case.reference, case.url) == ("C-10", "https://6dg.example/10")
    assert as_.charlie.get(at).status_code == 404
    hidden = declare(world, is_private=True)
    as_.ana.post(f"/incidents/{hidden.pk}/open_case/", {"vendor": "6dg"})
    assert as_.ben.get(f"/vendor-cases/{VendorCase.objects.latest('pk').pk}/change/").status_code == 404


def test_who_only_reads_sees_who_does_what_and_no_button(world, as_):
    incident = declare(world)
    text = as_.olga.text(f"/incidents/{incident.pk}/")
    assert "Who does what" in text
    assert "I take it" not in text
    assert "Add a task" not in text


def go_on(world, incident: Incident, number: int) -> None:
    """An incident goes on: a request is linked, there is a task, an update, an entry."""
    request = ask(world, title=f"I cannot log in {number}")
    incident_links.link(incident.pk, "request", request.pk, world.ana, world.now)
    incident_tasks.add(incident.pk, f"Call {number}", world.ana, world.now, world.ben)
    incident_updates.write_update(
        incident.pk,
        "responders",
        {"why": "Slow.", "doing": f"We look {number}.", "next": "More."},
        world.ana,
        world.now,
    )
    incident_story.write(incident.pk, Entry(f"Seen {number}", "observation"), world.ana, world.now)


def test_a_long_incident_asks_the_database_no_more_than_a_short_one(world, as_):
    """INC-08: the page is opened while it lasts, by everybody; what panels share is read once."""

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            as_.ana.text(f"/incidents/{incident.pk}/")
        return len(asked)

    incident = declare(world, services=[world.service], impact_kind="outage")
    incidents.add_responder(incident.pk, world.ben, world.ana, world.now)
    go_on(world, incident, 0)
    questions()
    short = questions()
    for number in range(1, 7):
        go_on(world, incident, number)
    assert questions() == short <= 36


def test_the_page_says_how_far_the_call_is(world, as_):
    """INC-10: nobody wonders where to meet; before it is connected the form says what to set up there first."""
    assert "Server-to-Server OAuth app" in as_.eva.text(f"/teams/{world.team.slug}/connectors/connect/zoom/")
    with running(Zoom()) as zoom:
        there = Tracked(world, "zoom", zoom)
        zoom.trouble += [("POST meetings", Say(503, b"")), ("POST meetings", Say(400, b"No such licence"))]
        at = f"/incidents/{declare(world).pk}/"
        assert "Tracker is opening a room." in as_.ana.text(at)
        there.leave()
        assert "Tracker has opened no room yet" in as_.ana.text(at)
        world.forward(minutes=1)
        refused = as_.ana.text(at)
    assert "Tracker opened no room. Agree on a place" in refused
    assert "No such licence" in refused
