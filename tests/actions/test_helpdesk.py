"""A request that stands in a helpdesk too: what is said there is said here, and the other way, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.connectors.helpdesks import ANA, Freshdesk
from tests.connectors.vendors import CUT, running, say
from tests.connectors.world import SECRET
from tests.doors.chat_world import Chatting
from tests.doors.web_world import Browser
from tests.world import World
from watchbill.actions import connectors, desk_settings, helpdesk_canned, support
from watchbill.db.models import CannedResponse, Event, Export, ExternalRef, Inbox, SupportRequest
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


class Desk(Chatting):
    """A team and its helpdesk."""

    def hears(self, number: int, event: str = "{reply_received}", secret: str = SECRET) -> Any:
        self.path = f"/connect/{self.connection.key}/"
        body = json.dumps(self.vendor.webhook(number, event)).encode()
        headers = {"X-Watchbill-Secret": secret}
        answer = self.browser.post(self.path, body, content_type="application/json", headers=headers)
        self.work()
        return answer

    def ref(self) -> ExternalRef:
        return ExternalRef.objects.get(connection=self.connection, subject_kind="request")


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    with running(Freshdesk()) as vendor:
        yield Desk(world, "freshdesk", vendor)


def opened(desk: Desk) -> SupportRequest:
    number = desk.vendor.add()
    assert desk.hears(number, "{ticket_action:created}").status_code == 202
    return desk.request()


def test_a_ticket_there_is_a_request_here_and_the_helpdesk_tells_its_requester(desk: Desk) -> None:
    """INT-04: the entry by the helpdesk; INT-08: it is in the one inbox."""
    request = opened(desk)
    assert (request.title, request.door, request.requester.email) == ("I cannot log in", "helpdesk", "ria@example.net")
    assert desk.ref().url.endswith("/a/tickets/1")
    assert "ria@example.net" not in desk.world.mailbox.readers()
    desk.hears(1, "{ticket_action:created}")
    assert SupportRequest.objects.count() == 1


def test_a_wrong_secret_is_refused(desk: Desk) -> None:
    desk.vendor.add()
    assert desk.hears(1, secret="another").status_code == 401
    assert not Inbox.objects.exists()


def test_what_the_customer_and_the_agents_say_there_is_here_in_order_and_once(desk: Desk) -> None:
    """INT-05: an answer that was given there keeps the promise."""
    opened(desk)
    desk.vendor.said(1, "Which browser?", ANA)
    desk.vendor.said(1, "He is new", ANA, private=True)
    desk.vendor.said(1, "Firefox")
    for _ in range(3):
        desk.hears(1)
    assert desk.conversation() == [
        ("in", "Ria", "Since today."),
        ("out", "Ana There", "Which browser?"),
        ("note", "Ana There", "He is new"),
        ("in", "Ria", "Firefox"),
    ]
    request = desk.request()
    assert request.first_response_at is not None
    assert (request.assignee, request.waiting_on) == (desk.world.ana, "us")


def test_our_answer_is_a_reply_there_instead_of_mail_and_the_ball_a_status(desk: Desk) -> None:
    request = opened(desk)
    support.answer(request.pk, "Which <browser>?\nAnd since when?", desk.world.ana, desk.world.now)
    desk.work()
    [reply] = desk.vendor.comments[1]
    assert (reply["body_text"], reply["private"]) == ("Which <browser>?\nAnd since when?", False)
    assert desk.vendor.issues[1]["status"] == 3
    assert "ria@example.net" not in desk.world.mailbox.readers()
    desk.hears(1, "{reply_sent}")
    assert len(desk.conversation()) == 2  # our own echo
    support.pass_ball(request.pk, "us", "", desk.world.ana, desk.world.now)
    desk.work()
    assert desk.vendor.issues[1]["status"] == 2
    support.resolve(request.pk, "done", "It works again.", desk.world.ana, desk.world.now)
    desk.work()
    assert desk.vendor.issues[1]["status"] == 4
    assert "It works again." in desk.vendor.comments[1][-1]["body_text"]


def test_notes_never_leave(desk: Desk) -> None:
    request = opened(desk)
    support.note(request.pk, "Ria is new, be kind", desk.world.ana, desk.world.now)
    desk.work()
    assert desk.vendor.comments.get(1, []) == []
    assert not Export.objects.filter(payload__icontains="be kind").exists()


@pytest.mark.parametrize(
    ("status", "state", "ball"),
    [(3, "open", "requester"), (7, "open", "vendor"), (4, "resolved", "us"), (5, "closed", "us")],
)
def test_a_status_that_is_changed_there_is_followed_here(desk: Desk, status: int, state: str, ball: str) -> None:
    opened(desk)
    desk.vendor.edit({"status": status}, {}, "1")
    desk.hears(1, "{status}")
    request = desk.request()
    assert (request.state, request.waiting_on) == (state, ball)
    writes = len(desk.vendor.calls("PUT"))
    desk.work()
    assert len(desk.vendor.calls("PUT")) == writes
    desk.vendor.edit({"status": 2}, {}, "1")
    desk.hears(1, "{status}")
    assert (desk.request().state, desk.request().waiting_on) == ("open", "us")


def test_a_status_that_nobody_explained_is_shown_and_changes_nothing(desk: Desk) -> None:
    opened(desk)
    desk.vendor.edit({"status": 9}, {}, "1")
    desk.hears(1, "{status}")
    assert (desk.request().state, desk.ref().sync, desk.ref().their_state) == ("open", "unknown_state", "status 9")
    assert Event.objects.filter(kind="connector.unknown_state").exists()
    desk.hears(1, "{status}")
    assert Event.objects.filter(kind="connector.unknown_state").count() == 1
    connectors.map_state(desk.fresh(), "Status 9", "waiting", desk.world.ana, desk.world.now)
    desk.work()
    assert (desk.request().waiting_on, desk.ref().sync) == ("requester", "in_step")


def test_an_old_ticket_that_is_over_there_opens_nothing_here(desk: Desk) -> None:
    desk.vendor.add(status=5)
    desk.hears(1, "{note_added}")
    assert not SupportRequest.objects.exists()


def test_a_reply_that_freshdesk_took_before_we_knew_is_not_written_twice(desk: Desk) -> None:
    """Killed between their answer and our commit: the words and their time find it again, and the echo is ours."""
    request = opened(desk)
    desk.vendor.at = desk.world.now
    desk.vendor.trouble.append(("POST reply", CUT))
    support.answer(request.pk, "Which browser?", desk.world.ana, desk.world.now)
    desk.work()
    desk.hears(1, "{reply_sent}")
    desk.world.forward(minutes=1)
    assert [one["body_text"] for one in desk.vendor.comments[1]] == ["Which browser?"]
    assert [one for one in desk.conversation() if one[0] == "out"] == [("out", "Ana", "Which browser?")]
    assert desk.ref().pushed["comments"] == ["900"]


def test_too_many_calls_are_waited_for(desk: Desk) -> None:
    desk.vendor.add()
    desk.vendor.trouble.append(("GET tickets", say({}, 429, **{"Retry-After": "30"})))
    desk.hears(1, "{ticket_action:created}")
    desk.world.forward(seconds=20)
    assert not SupportRequest.objects.exists()
    desk.world.forward(minutes=2)
    assert SupportRequest.objects.count() == 1


def test_canned_responses_are_kept_there_and_refused_here(world: World) -> None:
    """COM-05: the helpdesk's copy is the source of truth."""
    with running(Freshdesk()) as vendor:
        vendor.canned = [
            {"id": 1, "title": "First response", "content": "Hello {{ticket.requester.name}}, we look at it."},
            {"id": 2, "title": "Bye", "content": "Bye."},
        ]
        own = desk_settings.add_canned(
            world.team, {"kind": "other", "name": "Bye", "text": "Ours"}, world.ana, world.now
        )
        desk = Desk(world, "freshdesk", vendor, canned=True)
        world.work()
        rows = {row.name: row for row in CannedResponse.objects.filter(removed_at=None)}
        assert set(rows) == {"First response", "Bye", "Bye (Chat)"}
        first = rows["First response"]
        assert (first.kind, first.text) == ("first_response", "Hello {requester}, we look at it.")
        with pytest.raises(Refused, match=r"kept in Chat: change it there, at http.*/a/admin/canned_responses"):
            desk_settings.change_canned(first, {"text": "Mine"}, world.ana, world.now)
        with pytest.raises(Refused, match="kept in Chat"):
            desk_settings.remove_canned(first, world.ana, world.now)
        desk_settings.change_canned(own, {"text": "Mine"}, world.ana, world.now)
        vendor.canned = [{"id": 1, "title": "First response", "content": "Hi."}]
        world.forward(days=1, minutes=1)
        first.refresh_from_db()
        assert first.text == "Hi."
        assert not CannedResponse.objects.filter(name="Bye (Chat)", removed_at=None).exists()
        vendor.canned = []
        with pytest.raises(NotAllowed):
            helpdesk_canned.pull_now(desk.fresh(), world.olga, world.now)
        page = Browser(world, world.ana)
        where = f"/teams/platform/connectors/{desk.connection.pk}/"
        assert "Take them over now" in page.text(where)
        assert page.post(f"{where}canned/").status_code == 302
        world.work()
        assert list(CannedResponse.objects.filter(removed_at=None)) == [own]
