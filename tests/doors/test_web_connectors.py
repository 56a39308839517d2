"""The pages of connections and the door of their webhooks, as each of the cast meets them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.actions.tracker_world import Tracked
from tests.connectors.vendors import GitHub, Jira, running
from tests.connectors.world import SECRET, settings_for
from tests.doors.web_world import Cast
from tests.egress.outside import Say
from tests.world import World
from watchbill.actions import desk_inbox, tickets
from watchbill.db.models import Connection, ExternalRef, Inbox, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jira(world: World) -> Iterator[Tracked]:
    with running(Jira()) as vendor:
        yield Tracked(world, "jira", vendor)


@pytest.fixture
def as_(world: World) -> Cast:
    return Cast(world)


def home(tracked: Tracked) -> str:
    return f"/teams/platform/connectors/{tracked.connection.pk}/"


def call(as_: Cast, tracked: Tracked, payload: Any, secret: str = SECRET, **more: Any) -> Any:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature": signed, "X-Hub-Signature-256": signed, "X-GitHub-Event": "issues"}
    key = more.pop("key", tracked.connection.key)
    kind = more.pop("content_type", "application/json")
    return as_.nobody.post(f"/connect/{key}/", body, content_type=kind, headers=headers, **more)


def test_a_signed_webhook_is_on_disk_before_it_is_answered(jira: Tracked, as_: Cast) -> None:
    ticket = jira.ticket()
    jira.twin(ticket)
    jira.vendor.set_status(1, "Done")
    answer = call(as_, jira, jira.vendor.webhook(1))
    assert answer.status_code == 202
    row = Inbox.objects.get(pk=answer.json()["id"])
    assert (row.monitor, row.connection_id) == ("jira", jira.connection.pk)
    assert "sha256" not in row.note
    desk_inbox.receive(jira.world.now)
    assert Ticket.objects.get(pk=ticket.pk).stage == "done"


def test_a_stranger_is_refused_and_nothing_is_kept(jira: Tracked, as_: Cast) -> None:
    payload = {"webhookEvent": "jira:issue_updated"}
    assert call(as_, jira, payload, secret="another").status_code == 401
    assert call(as_, jira, payload, key="0" * 32).status_code == 401
    assert call(as_, jira, b"x" * (2 * 1024 * 1024 + 1)).status_code == 413
    assert call(as_, jira, b"payload=x", content_type="application/x-www-form-urlencoded").status_code == 415
    assert as_.nobody.get(f"/connect/{jira.connection.key}/").status_code == 405
    assert not Inbox.objects.filter(service_id=0).exists()


def test_a_headers_event_reaches_its_reader(world: World, as_: Cast) -> None:
    with running(GitHub()) as vendor:
        tracked = Tracked(world, "github", vendor, door="ticket")
        vendor.create({"title": "From there"}, {})
        payload = {"action": "opened", "issue": vendor.issues[1], "repository": {"full_name": "example/infrastructure"}}
        assert call(as_, tracked, payload).status_code == 202
        desk_inbox.receive(world.now)
        assert Ticket.objects.get().title == "From there"


def test_an_owner_connects_tries_and_disconnects(world: World, as_: Cast) -> None:
    """SYS-01: a team's tickets are in Jira."""
    with running(Jira()) as vendor:
        form = {**settings_for("jira", vendor.url), "called-name": "Our Jira", "issue_type": "Task"}
        assert "Connect Platform with Jira" in as_.eva.text("/teams/platform/connectors/connect/jira/")
        bad = as_.eva.post("/teams/platform/connectors/connect/jira/", {**form, "project": "ops"})
        assert "should match pattern" in bad.content.decode()
        done = as_.eva.post("/teams/platform/connectors/connect/jira/", form, follow=True)
        assert "Our Jira is connected" in done.content.decode()
        connection = Connection.objects.get()
        page = f"/teams/platform/connectors/{connection.pk}/"
        assert f"/connect/{connection.key}/" in as_.eva.text(page)
        assert connection.key not in as_.ana.text(page)
        tried = as_.eva.post(f"{page}try/", follow=True).content.decode()
        assert "Reached as Robot; the project is Operations." in tried
        assert "Our Jira works." in as_.eva.text(page)
        vendor.trouble.append(("GET", Say(401, b"no")))
        assert "It answered 401" in as_.eva.post(f"{page}try/", follow=True).content.decode()
        assert "The last call to Our Jira failed." in as_.ana.text(page)
        shown = as_.eva.text(f"{page}change/")
        assert "tk_secret_token" not in shown
        kept = {**form, "token": "", "webhook_secret": "", "called-name": "Jira of ours"}
        assert as_.eva.post(f"{page}change/", kept).status_code == 302
        connection.refresh_from_db()
        assert (connection.name, connection.settings["token"]) == ("Jira of ours", "tk_secret_token")
        assert as_.ana.post(f"{page}disconnect/").status_code == 403
        assert as_.eva.post(f"{page}disconnect/").status_code == 302
        assert "connected with no other system" in as_.eva.text("/teams/platform/connectors/")


@pytest.mark.parametrize("name", ["charlie", "nobody"])
def test_others_see_nothing(jira: Tracked, as_: Cast, name: str) -> None:
    assert getattr(as_, name).get(home(jira)).status_code in {302, 403}
    assert getattr(as_, name).post(f"{home(jira)}retry/").status_code in {302, 403}


def test_an_unknown_state_is_on_both_pages_and_one_click_explains_it(jira: Tracked, as_: Cast) -> None:
    ticket = jira.ticket()
    jira.twin(ticket)
    jira.vendor.set_status(1, "Ready for CAB")
    jira.hears(jira.vendor.webhook(1))
    assert "“Ready for CAB”: 1 issue" in as_.ana.text(home(jira))
    assert "It is “Ready for CAB” there, which no mapping knows" in as_.ana.text(f"/tickets/{ticket.pk}/")
    assert "1 in a state that no mapping knows" in as_.ana.text("/teams/platform/connectors/")
    clicked = as_.ben.post(f"{home(jira)}map-state/", {"state": "Ready for CAB", "target": "waiting"}, follow=True)
    assert "1 followed" in clicked.content.decode()
    assert Ticket.objects.get(pk=ticket.pk).stage == "waiting"
    assert as_.ben.post(f"{home(jira)}map-state/", {"state": "X", "target": "finished"}).status_code == 409


def test_what_failed_is_shown_with_its_reason_and_tried_again(jira: Tracked, as_: Cast) -> None:
    ticket = jira.ticket()
    jira.vendor.trouble.append(("POST", Say(400, b'{"errors":{"components":"Component is required."}}')))
    jira.twin(ticket)
    assert "Component is required." in as_.ana.text(home(jira))
    assert "Component is required." in as_.ana.text(f"/tickets/{ticket.pk}/")
    said = as_.ana.post(f"{home(jira)}retry/", follow=True).content.decode()
    assert "1 is tried again" in said
    jira.leave()
    assert jira.ref(ticket).ref == "OPS-1"


def test_a_ticket_is_opened_there_linked_and_let_go_from_its_page(jira: Tracked, as_: Cast) -> None:
    """TRI-04, TRI-10: whoever has the ticket opens it on the sprint board's tracker."""
    ticket = jira.ticket()
    page, there = f"/tickets/{ticket.pk}/", f"/twins/of/{ticket.pk}/"
    assert "Open it in a tracker" in as_.ana.text(page)
    assert "Open it in a tracker" not in as_.olga.text(page)
    as_.ana.post(there, {"connection": jira.connection.pk})
    assert "On its way" in as_.ana.text(page)
    jira.leave()
    assert "In step" in as_.ana.text(page)
    assert jira.vendor.url + "/browse/OPS-1" in as_.ana.text(page)
    ref = jira.ref(ticket)
    assert as_.olga.post(f"/twins/{ref.pk}/let-go/").status_code == 403
    as_.ana.post(f"/twins/{ref.pk}/let-go/")
    assert not ExternalRef.objects.exists()
    as_.ana.post(there, {"connection": jira.connection.pk, "ref": "OPS-1"})
    jira.leave()
    assert jira.ref(ticket).sync == "in_step"
    other = tickets.add_ticket(jira.world.team, tickets.Written("Other"), jira.world.ana, jira.world.now)
    said = as_.ana.post(f"/twins/of/{other.pk}/", {"connection": jira.connection.pk, "ref": "OPS-1"}, follow=True)
    assert f"belongs to T-{ticket.pk} already" in said.content.decode()


def test_an_owner_says_what_words_mean_and_mistakes_stay_in_the_form(jira: Tracked, as_: Cast) -> None:
    page = f"{home(jira)}mapping/"
    shown = as_.eva.text(page)
    assert "in progress = in_progress" in shown
    form = {"door": "ticket", "opens_for": "task\nepic", "stages": "Ready for CAB = waiting", "states": "done = Done"}
    wrong = as_.eva.post(page, {**form, "stages": "Ready for CAB = finished"})
    assert "“finished” is none of" in wrong.content.decode()
    assert "Ready for CAB = finished" in wrong.content.decode()
    assert as_.eva.post(page, form).status_code == 302
    jira.connection.refresh_from_db()
    assert jira.connection.mapping["stages"] == {"ready for cab": "waiting"}
    assert as_.ana.get(page).status_code == 403


def test_an_import_is_begun_watched_and_stopped(jira: Tracked, as_: Cast) -> None:
    for number in range(3):
        jira.vendor.add(summary=f"Number {number}")
    wrong = as_.eva.post(f"{home(jira)}import/", {"query": ""})
    assert wrong.status_code == 422
    assert "Jira gives none for an empty query" in wrong.content.decode()
    begun = as_.eva.post(f"{home(jira)}import/", {"query": "project = OPS"}, follow=True).content.decode()
    assert "The import runs: page 0" in begun
    assert "Stop the import" in begun
    jira.leave()
    assert "The last import is done: page 1, 3 new tickets" in as_.ana.text(home(jira))
    assert as_.ana.post(f"{home(jira)}import/", {"query": "project = OPS"}).status_code in {403, 409}
