"""A ticket and its twin in a tracker: ours becomes theirs, theirs becomes ours, echoes do nothing, nothing is silent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.actions.tracker_world import HTTP, Tracked, fresh
from tests.connectors.vendors import CUT, GitHub, GitLab, Jira, running
from tests.connectors.world import settings_for
from tests.egress.outside import Say
from tests.world import World
from watchbill.actions import connector_out, connectors, support, tickets
from watchbill.connectors._adf import read_document
from watchbill.db.models import Connection, Event, Export, ExternalRef, Inbox, Message, SupportRequest, Ticket
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jira(world: World) -> Iterator[Tracked]:
    with running(Jira()) as vendor:
        yield Tracked(world, "jira", vendor)


def test_an_issue_is_opened_for_a_ticket_with_its_label_and_the_way_back(jira: Tracked) -> None:
    """TRI-04, TRI-10, BKL-01: the engineer has the issue written; the label of operations goes along."""
    ticket = jira.ticket(text="Full in May.", labels=("operations",))
    ref = jira.twin(ticket)
    assert (ref.ref, ref.sync, ref.their_state) == ("OPS-1", "in_step", "To Do")
    assert ref.url.endswith("/browse/OPS-1")
    issue = jira.vendor.issues[1]
    assert issue["summary"] == "Disk of db1 grows"
    assert "operations" in issue["labels"]
    assert f"/tickets/{ticket.pk}/" in read_document(issue["description"])
    assert Event.objects.filter(subject_kind="ticket", subject_id=ticket.pk, kind="connector.opened").exists()


def test_our_move_becomes_their_transition(jira: Tracked) -> None:
    """TRI-06: the engineer keeps the ticket up to date; the tracker follows."""
    ticket = jira.ticket()
    jira.twin(ticket)
    tickets.move(ticket.pk, "in_progress", jira.world.ana, jira.world.now)
    tickets.change_ticket(ticket.pk, {"title": "Disk of db1 is full"}, jira.world.ana, jira.world.now)
    jira.leave()
    assert jira.vendor.issues[1]["status"]["name"] == "In Progress"
    assert jira.vendor.issues[1]["summary"] == "Disk of db1 is full"
    assert "superseded by a newer one" in [answer for _, answer in jira.answers("ticket.state")]


def test_their_move_becomes_our_stage_and_comes_back_as_nothing(jira: Tracked) -> None:
    ticket = jira.ticket()
    jira.twin(ticket)
    jira.vendor.set_status(1, "Done")
    jira.hears(jira.vendor.webhook(1))
    assert (fresh(ticket).stage, jira.ref(ticket).sync) == ("done", "in_step")
    writes = len(jira.vendor.calls("POST"))
    jira.leave()
    assert len(jira.vendor.calls("POST")) == writes
    who = Event.objects.filter(subject_id=ticket.pk, kind="ticket.moved").latest("id")
    assert who.actor_name == "Jo There in Tracker"


def test_our_own_echo_makes_no_loop(jira: Tracked) -> None:
    ticket = jira.ticket()
    jira.twin(ticket)
    tickets.move(ticket.pk, "in_progress", jira.world.ana, jira.world.now)
    jira.leave()
    echo = jira.vendor.webhook(1)
    tickets.move(ticket.pk, "waiting", jira.world.ana, jira.world.now)
    before = Event.objects.count()
    jira.hears(echo)
    jira.hears(echo)
    assert fresh(ticket).stage == "waiting"
    assert Event.objects.count() == before
    jira.leave()
    assert jira.leave() == []
    assert jira.vendor.issues[1]["status"]["name"] == "In Progress"


def test_a_late_webhook_does_not_turn_the_clock_back(jira: Tracked) -> None:
    ticket = jira.ticket()
    jira.twin(ticket)
    jira.vendor.set_status(1, "In Progress")
    late = jira.vendor.webhook(1)
    late["issue"]["fields"] = dict(late["issue"]["fields"])
    jira.vendor.set_status(1, "Done")
    jira.hears(jira.vendor.webhook(1))
    jira.hears(late)
    assert fresh(ticket).stage == "done"


def test_what_changed_there_while_we_wrote_is_taken_in_and_not_overwritten(jira: Tracked) -> None:
    ticket = jira.ticket()
    jira.twin(ticket)
    jira.vendor.issues[1] |= {"labels": [*jira.vendor.issues[1]["labels"], "urgent"], "updated": jira.vendor.tick()}
    tickets.move(ticket.pk, "in_progress", jira.world.ana, jira.world.now)
    jira.leave()
    assert fresh(ticket).labels == ["urgent"]
    assert jira.vendor.issues[1]["status"]["name"] == "In Progress"
    assert "urgent" in jira.vendor.issues[1]["labels"]


def test_a_status_that_no_mapping_knows_is_shown_and_one_click_mends_it(jira: Tracked) -> None:
    """Unmapped states fail silently elsewhere."""
    ticket = jira.ticket()
    jira.twin(ticket)
    jira.vendor.set_status(1, "Ready for CAB")
    jira.hears(jira.vendor.webhook(1))
    ref = jira.ref(ticket)
    assert (ref.sync, ref.their_state, fresh(ticket).stage) == ("unknown_state", "Ready for CAB", "to_do")
    assert Event.objects.filter(subject_id=ticket.pk, kind="connector.unknown_state").count() == 1
    tickets.change_ticket(ticket.pk, {"labels": ["x"]}, jira.world.ana, jira.world.now)
    jira.leave()
    assert jira.vendor.issues[1]["status"]["name"] == "Ready for CAB"
    assert jira.ref(ticket).sync == "unknown_state"
    assert connectors.map_state(jira.connection, "Ready for CAB", "waiting", jira.world.ben, jira.world.now) == 1
    assert (fresh(ticket).stage, jira.ref(ticket).sync) == ("waiting", "in_step")
    with pytest.raises(NotAllowed):
        connectors.map_state(jira.connection, "X", "waiting", jira.world.olga, jira.world.now)


def test_what_may_not_be_done_here_stands_beside_what_was_done_there(jira: Tracked) -> None:
    """SPN-03: a quick fix lacks its lasting fix; that it was closed there is not lost."""
    ticket = jira.ticket(kind="quick_fix")
    jira.twin(ticket)
    jira.vendor.set_status(1, "Done")
    row = jira.hears(jira.vendor.webhook(1))
    ref = jira.ref(ticket)
    assert row.state == Inbox.PARSED
    assert (fresh(ticket).stage, ref.sync) == ("to_do", "refused")
    assert "lasting fix" in ref.error


def test_a_transition_that_their_workflow_forbids_is_said_and_can_be_tried_again(jira: Tracked) -> None:
    ticket = jira.ticket()
    jira.twin(ticket)
    jira.vendor.statuses = ("To Do", "In Progress")
    tickets.move(ticket.pk, "done", jira.world.ana, jira.world.now)
    assert jira.leave() == ["failed"]
    assert jira.ref(ticket).sync == "failed"
    assert "its workflow leads to To Do, In Progress" in jira.ref(ticket).error
    assert "its workflow leads to" in Connection.objects.get(pk=jira.connection.pk).failure
    jira.vendor.statuses = ("To Do", "In Progress", "Done")
    connector_out.retry(jira.ref(ticket).pk, jira.world.ben, jira.world.now)
    jira.leave()
    assert (jira.ref(ticket).sync, jira.vendor.issues[1]["status"]["name"]) == ("in_step", "Done")


@pytest.mark.parametrize("name", ["jira", "github", "gitlab"])
def test_a_death_between_their_answer_and_our_commit_makes_no_second_issue(world: World, name: str) -> None:
    makers = {"jira": Jira, "github": GitHub, "gitlab": GitLab}
    with running(makers[name]()) as vendor:
        tracked = Tracked(world, name, vendor)
        ticket = tracked.ticket()
        vendor.trouble.append((f"POST issue{'' if name == 'jira' else 's'}", CUT))
        tracked.twin(ticket)
        assert len(vendor.issues) == 1
        assert not tracked.ref(ticket).url
        world.now += timedelta(minutes=1)
        tracked.leave()
        assert len(vendor.issues) == 1
        assert tracked.ref(ticket).url
        assert tracked.ref(ticket).sync == "in_step"


@pytest.mark.parametrize("unhappy", [Say(500, b"oops"), Say(429, b"slow down", {"Retry-After": "90"}), CUT])
def test_a_tracker_that_is_away_for_a_while_costs_nothing(jira: Tracked, unhappy: object) -> None:
    ticket = jira.ticket()
    jira.twin(ticket)
    jira.vendor.trouble.append(("GET OPS-1", unhappy))
    tickets.move(ticket.pk, "in_progress", jira.world.ana, jira.world.now)
    assert jira.leave() == ["waiting"]
    assert jira.ref(ticket).error
    calls = len(jira.vendor.host.heard)
    jira.world.now += timedelta(seconds=30)
    jira.leave()
    if isinstance(unhappy, Say) and unhappy.status == 429:
        assert len(jira.vendor.host.heard) == calls
        jira.world.now += timedelta(minutes=3)
        jira.leave()
    assert jira.vendor.issues[1]["status"]["name"] == "In Progress"
    assert jira.ref(ticket).sync == "in_step"
    assert Connection.objects.get(pk=jira.connection.pk).failure == ""


def test_a_wrong_token_is_said_at_once(jira: Tracked) -> None:
    ticket = jira.ticket()
    jira.vendor.trouble.append(("POST", Say(401, b"Client must be authenticated")))
    jira.twin(ticket)
    assert jira.answers("ticket.create")[0][0] == "failed"
    assert "401" in jira.ref(ticket).error
    assert connectors.retry_failed(jira.connection, jira.world.ben, jira.world.now) == 1
    jira.leave()
    assert jira.ref(ticket).ref == "OPS-1"


def test_comments_go_both_ways_once(jira: Tracked) -> None:
    """TRI-05: the ticket is the record, on both sides."""
    ticket = jira.ticket()
    jira.twin(ticket)
    tickets.comment(ticket.pk, "The new disk is ordered.", jira.world.ana, jira.world.now)
    jira.leave()
    assert "Ana (in Watchbill):" in read_document(jira.vendor.comments[1][0]["body"])
    ours = jira.vendor.comments[1][0]
    jira.hears(jira.vendor.webhook(1, "comment_created", comment=ours))
    theirs = {"id": "777", "author": {"displayName": "Jo There"}, "body": "Thanks!", "created": "2026-03-03T09:00:00Z"}
    jira.hears(jira.vendor.webhook(1, "comment_created", comment=theirs))
    jira.hears(jira.vendor.webhook(1, "comment_created", comment=theirs))
    said = [(message.author_name, message.text) for message in Message.objects.filter(ticket=ticket).order_by("id")]
    assert said == [("Ana", "The new disk is ordered."), ("Jo There in Tracker", "Thanks!")]
    jira.leave()
    assert len(jira.vendor.comments[1]) == 1


def test_labels_and_people_have_their_own_names_there(world: World) -> None:
    """BKL-09: the label of operations is called as each side calls it."""
    with running(Jira()) as vendor:
        words = {"labels": {"ops": "operations"}, "people": {"acc-ana": "ana@example.org"}, "types": {"epic": "Epic"}}
        tracked = Tracked(world, "jira", vendor, **words)
        ticket = tracked.ticket(kind="epic", labels=("operations",), assignee=world.ana)
        tracked.twin(ticket)
        issue = vendor.issues[1]
        assert issue["labels"][0] == "ops"
        assert issue["assignee"] == {"accountId": "acc-ana"}
        assert issue["issuetype"] == {"name": "Epic"}
        vendor.issues[1] |= {"assignee": None, "labels": ["feature"], "updated": vendor.tick()}
        tracked.hears(vendor.webhook(1))
        assert fresh(ticket).assignee is None
        assert fresh(ticket).labels == ["feature"]
        assert fresh(ticket).work_kind == "feature"


def test_every_new_ticket_of_a_kind_is_opened_there(world: World) -> None:
    with running(GitHub()) as vendor:
        tracked = Tracked(world, "github", vendor, opens_for=["task"])
        ticket = tracked.ticket()
        tracked.ticket(kind="investigation")
        tracked.leave()
        assert [issue["title"] for issue in vendor.issues.values()] == ["Disk of db1 grows"]
        tickets.move(ticket.pk, "done", world.ana, world.now, outcome="wont_do")
        tracked.leave()
        assert (vendor.issues[1]["state"], vendor.issues[1]["state_reason"]) == ("closed", "not_planned")


def github_event(vendor: GitHub, number: int, action: str = "opened", **more: object) -> dict[str, object]:
    whole = {"full_name": "example/infrastructure"}
    return {"action": action, "issue": vendor.issues[number], "repository": whole, "sender": {"login": "jo"}, **more}


def test_an_issue_opened_there_becomes_a_ticket_and_makes_no_twin_of_itself(world: World) -> None:
    """INT-03, DUT-01: GitHub issues are one of the doors."""
    with running(GitHub()) as vendor:
        tracked = Tracked(world, "github", vendor, door="ticket", opens_for=["task"])
        vendor.create({"title": "The mail relay is old", "labels": ["operations"]}, {})
        tracked.hears(github_event(vendor, 1), **{"x-github-event": "issues"})
        tracked.hears(github_event(vendor, 1), **{"x-github-event": "issues"})
        ticket = Ticket.objects.get()
        assert (ticket.title, ticket.labels, ticket.work_kind) == (
            "The mail relay is old",
            ["operations"],
            "operations",
        )
        tracked.leave()
        assert len(vendor.issues) == 1
        tickets.move(ticket.pk, "done", world.ana, world.now)
        tracked.leave()
        assert vendor.issues[1]["state"] == "closed"


def test_an_issue_opened_there_becomes_a_request_that_is_answered_there(world: World) -> None:
    """INT-01, SYS-01: a ticket on the board is a way to ask; the answer stands where it was asked."""
    with running(GitHub()) as vendor:
        tracked = Tracked(world, "github", vendor, door="request")
        vendor.create({"title": "I cannot log in", "body": "Since this morning."}, {})
        tracked.hears(github_event(vendor, 1), **{"x-github-event": "issues"})
        request = SupportRequest.objects.get()
        assert (request.title, request.door, str(request.requester)) == ("I cannot log in", "tracker", "robot")
        support.answer(request.pk, "Try it now.", world.ana, world.now)
        tracked.leave()
        assert "Try it now." in vendor.comments[1][0]["body"]
        said = {"id": 5, "user": {"login": "robot"}, "body": "It works.", "created_at": "2026-03-03T09:00:00Z"}
        tracked.hears(github_event(vendor, 1, "created", comment=said), **{"x-github-event": "issue_comment"})
        request.refresh_from_db()
        assert request.waiting_on == "us"
        support.resolve(request.pk, "done", "Good.", world.ana, world.now)
        tracked.leave()
        assert vendor.issues[1]["state"] == "closed"
        assert not Export.objects.filter(what="mail").exists()


def test_the_echo_of_our_own_new_issue_is_no_new_ticket(world: World) -> None:
    with running(GitHub()) as vendor:
        tracked = Tracked(world, "github", vendor, door="ticket")
        ticket = tracked.ticket()
        tracked.twin(ticket)
        opened = github_event(vendor, 1)
        tracked.hears(opened, **{"x-github-event": "issues"})
        ExternalRef.objects.update(ref="new T-1")
        tracked.hears(opened, **{"x-github-event": "issues"})
        assert Ticket.objects.count() == 1


def test_an_issue_that_is_there_already_is_linked_and_let_go(jira: Tracked) -> None:
    number = jira.vendor.add(labels=["x"])
    ticket = jira.ticket()
    connector_out.link_twin(ticket.pk, jira.connection.pk, f"OPS-{number}", jira.world.ana, jira.world.now)
    jira.leave()
    assert jira.ref(ticket).sync == "in_step"
    assert jira.vendor.issues[number]["summary"] == "Theirs"
    tickets.move(ticket.pk, "in_progress", jira.world.ana, jira.world.now)
    jira.leave()
    assert jira.vendor.issues[number]["status"]["name"] == "In Progress"
    with pytest.raises(Refused) as refused:
        connector_out.link_twin(
            jira.ticket("Other").pk, jira.connection.pk, f"OPS-{number}", jira.world.ana, jira.world.now
        )
    assert refused.value.field == "ref"
    connector_out.let_go(jira.ref(ticket).pk, jira.world.ana, jira.world.now)
    tickets.move(ticket.pk, "done", jira.world.ana, jira.world.now)
    jira.leave()
    assert jira.vendor.issues[number]["status"]["name"] == "In Progress"


def test_an_issue_that_was_deleted_there_is_said_and_left_alone(jira: Tracked) -> None:
    ticket = jira.ticket()
    jira.twin(ticket)
    jira.hears(jira.vendor.webhook(1, "jira:issue_deleted"))
    assert (jira.ref(ticket).sync, jira.ref(ticket).error) == ("gone", "Jo There deleted it there")
    tickets.move(ticket.pk, "done", jira.world.ana, jira.world.now)
    assert jira.leave() in ([], ["sent"])


def test_a_webhook_that_is_no_webhook_is_kept_with_its_reason(jira: Tracked) -> None:
    row = jira.hears({"hello": "there"})
    assert row.state == Inbox.NOT_UNDERSTOOD
    assert "webhookEvent" in row.error


def test_only_an_owner_connects_and_what_is_wrong_is_named(world: World) -> None:
    values = settings_for("jira", "http://127.0.0.1:9")
    with pytest.raises(NotAllowed):
        connectors.connect(world.team, "jira", "J", values, world.ana, HTTP, world.now)
    with pytest.raises(Refused) as refused:
        connectors.connect(world.team, "jira", "J", {**values, "project": "ops"}, world.eva, HTTP, world.now)
    assert refused.value.field == "project"
    with pytest.raises(Refused) as refused:
        connectors.connect(world.team, "jira", "J", {**values, "url": "http://10.1.2.3"}, world.eva, HTTP, world.now)
    assert refused.value.field == "url"
    connection = connectors.connect(world.team, "jira", "", values, world.eva, HTTP, world.now)
    assert connection.name == "Jira"
    with pytest.raises(Refused, match="connection to 127"):
        connectors.try_it(connection, world.eva, HTTP, world.now)
    assert Connection.objects.get(pk=connection.pk).failure
    with pytest.raises(Refused) as refused:
        connectors.change_agreement(connection, {"stages": {"Done": "finished"}}, world.eva, world.now)
    assert refused.value.field == "stages"
    connectors.disconnect(connection, world.eva, world.now)
    with pytest.raises(Refused, match="no such connection"):
        connector_out.open_twin(
            tickets.add_ticket(world.team, tickets.Written("x"), world.ana, world.now).pk,
            connection.pk, world.ana, world.now,
        )  # fmt: skip
