"""Mattermost and Matrix: the same process, in their words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.connectors.more_chats import Matrix, Mattermost
from tests.connectors.vendors import CUT, running
from tests.connectors.world import SECRET
from tests.doors.chat_world import Chatting
from tests.world import World
from watchbill.actions import connectors, paging, support
from watchbill.db.models import Inbox, Page, SupportRequest

pytestmark = pytest.mark.django_db(transaction=True)
ROOM, BOT = "!room:example.org", "@watchbill:example.org"


class Mattering(Chatting):
    """Mattermost calls us."""

    def form(self, **fields: str) -> Any:
        body = urlencode({"channel_id": "c1", "user_name": "somebody", **fields}).encode()
        return self.browser.post(self.path, body, content_type="application/x-www-form-urlencoded")

    def command(self, user: str, text: str, token: str = "a command token", trigger: str = "t1") -> Any:
        where = f"{self.vendor.url}/hooks/commands/x"
        return self.form(
            command="/watchbill", text=text, user_id=user, token=token, trigger_id=trigger, response_url=where
        )

    def posted(self, ref: str, word: str = "") -> Any:
        post = self.vendor.posts[ref]
        return self.form(post_id=ref, user_id=post["user_id"], text=post["message"], trigger_word=word, token=SECRET)


@pytest.fixture
def mattermost(world: World) -> Iterator[Mattering]:
    with running(Mattermost()) as vendor:
        vendor.add_user("ana", "ana@example.org", "Ana")
        vendor.add_user("ria", "ria@example.net", "Ria")
        vendor.add_user("eve", "ben@example.org", "Eve", verified=False)
        yield Mattering(world, "mattermost", vendor)


def test_mattermost_needs_its_token(mattermost: Mattering) -> None:
    assert mattermost.command("ana", "who", token="another").status_code == 401
    assert mattermost.command("ana", "who", token="").status_code == 401
    assert "Ana is engineer on watch" in mattermost.command("ana", "who").json()["text"]
    assert not Inbox.objects.exists()


def test_a_thread_of_mattermost_is_mirrored_both_ways(mattermost: Mattering) -> None:
    """INT-01, INT-07."""
    root = mattermost.vendor.wrote("p1", "ria", "@watchbill I cannot log in")
    mattermost.posted(root, "@watchbill")
    mattermost.work()
    request = mattermost.request()
    assert (request.title, str(request.requester)) == ("I cannot log in", "Ria")
    mattermost.posted(mattermost.vendor.wrote("p2", "ana", "Which browser?", root))
    mattermost.work()
    mattermost.posted(mattermost.vendor.wrote("p3", "ria", "Firefox", root))
    mattermost.posted(mattermost.vendor.wrote("p4", "ria", "Something else, elsewhere"))
    mattermost.work()
    support.answer(request.pk, "Try again, @all", mattermost.world.ana, mattermost.world.now)
    mattermost.work()
    assert [one[0] for one in mattermost.conversation()] == ["in", "out", "out", "in", "out"]
    assert mattermost.vendor.ours(root)[-1] == "Ana:\nTry again, @\u200ball"
    assert SupportRequest.objects.count() == 1


def test_in_mattermost_an_address_that_is_not_verified_acknowledges_nothing(mattermost: Mattering) -> None:
    page = paging.page_people(mattermost.world.team, "Site down", mattermost.world.ben, mattermost.world.now)
    mattermost.command("eve", f"ack {page.pk}")
    mattermost.work()
    assert Page.objects.get(pk=page.pk).state == "climbing"
    mattermost.command("ana", f"ack {page.pk}", trigger="t2")
    mattermost.work()
    assert Page.objects.get(pk=page.pk).answered_by == mattermost.world.ana
    assert [one["text"][:6] for one in mattermost.vendor.responses] == ["I do n", "Ana ha"]


def test_a_post_that_mattermost_took_before_we_knew_is_not_written_twice(mattermost: Mattering) -> None:
    root = mattermost.vendor.wrote("p1", "ria", "@watchbill I cannot log in")
    mattermost.posted(root, "@watchbill")
    mattermost.work()
    mattermost.vendor.trouble.append(("POST /api/v4/posts", CUT))
    support.answer(mattermost.request().pk, "Which browser?", mattermost.world.ana, mattermost.world.now)
    mattermost.work()
    mattermost.world.forward(minutes=1)
    assert mattermost.vendor.ours(root).count("Ana:\nWhich browser?") == 1


def test_a_custom_group_of_mattermost_follows_the_watch(world: World) -> None:
    with running(Mattermost()) as vendor:
        vendor.add_user("ana", "ana@example.org", "Ana")
        vendor.group = {"ben"}
        Mattering(world, "mattermost", vendor, group="g1")
        world.work()
        assert vendor.group == {"ana"}


class Federated(Chatting):
    """A homeserver calls us."""

    def transaction(self, number: str, *events: dict[str, Any], token: str = SECRET) -> Any:
        path = f"{self.path}_matrix/app/v1/transactions/{number}"
        body = json.dumps({"events": list(events)}).encode()
        with_token = {"Authorization": f"Bearer {token}"}
        answer = self.browser.client.put(path, body, content_type="application/json", headers=with_token)
        self.work()
        return answer

    def message(self, ref: str, sender: str, text: str, thread: str = "", **content: Any) -> dict[str, Any]:
        relates = {"m.relates_to": {"rel_type": "m.thread", "event_id": thread}} if thread else {}
        return {
            "type": "m.room.message", "room_id": ROOM, "event_id": ref, "sender": sender,
            "origin_server_ts": int(self.world.now.timestamp() * 1000) - 1000,
            "content": {"msgtype": "m.text", "body": text, **relates, **content},
        }  # fmt: skip


@pytest.fixture
def matrix(world: World) -> Iterator[Federated]:
    with running(Matrix()) as vendor:
        made = Federated(world, "matrix", vendor)
        people = {"people": {"@ana:example.org": "ana@example.org"}}
        connectors.change_agreement(made.connection, people, world.eva, world.now)
        yield made


def test_matrix_needs_its_token_and_is_told_that_we_have_nobody(matrix: Federated) -> None:
    assert matrix.transaction("1", token="another").status_code == 401
    assert matrix.transaction("1").json() == {}
    assert matrix.browser.get(f"{matrix.path}_matrix/app/v1/users/@x:y").status_code == 404
    assert matrix.browser.post(f"{matrix.path}_matrix/app/v1/ping").json() == {}


def test_a_transaction_that_comes_again_changes_nothing(matrix: Federated) -> None:
    asked = matrix.message(
        "$1", "@ria:example.org", "watchbill: I cannot log in", **{"m.mentions": {"user_ids": [BOT]}}
    )
    who = matrix.message("$2", "@ria:example.org", "!watchbill who")
    for _ in range(2):
        matrix.transaction("1", asked, who)
    assert SupportRequest.objects.count() == 1
    assert len(matrix.conversation()) == 2
    assert len(matrix.vendor.sent) == 2
    assert any("Ana is engineer on watch" in said for said in matrix.vendor.ours())


def test_a_thread_of_matrix_is_mirrored_both_ways_and_whose_account_it_is_an_owner_said(matrix: Federated) -> None:
    """INT-01, INT-07: Matrix tells no mail address."""
    named = {"m.mentions": {"user_ids": [BOT]}}
    matrix.transaction("1", matrix.message("$1", "@ria:example.org", "watchbill: I cannot log in", **named))
    matrix.transaction("2", matrix.message("$2", "@ana:example.org", "Which browser?", "$1"))
    matrix.transaction("3", matrix.message("$3", "@ria:example.org", "Firefox", "$1"))
    support.answer(matrix.request().pk, "Try again", matrix.world.ana, matrix.world.now)
    matrix.work()
    assert [one[:2] for one in matrix.conversation()] == [
        ("in", "Ria"), ("out", "Watchbill"), ("out", "Ana"), ("in", "Ria"), ("out", "Ana"),
    ]  # fmt: skip
    last = list(matrix.vendor.sent.values())[-1]
    assert (last["body"], last["m.relates_to"]["event_id"], last["m.mentions"]) == ("Ana:\nTry again", "$1", {})


def test_who_is_not_named_acknowledges_nothing(matrix: Federated) -> None:
    page = paging.page_people(matrix.world.team, "Site down", matrix.world.ben, matrix.world.now)
    matrix.transaction("1", matrix.message("$1", "@ria:example.org", f"!watchbill ack {page.pk}"))
    assert Page.objects.get(pk=page.pk).state == "climbing"
    matrix.transaction("2", matrix.message("$2", "@ana:example.org", f"!watchbill ack {page.pk}"))
    assert Page.objects.get(pk=page.pk).answered_by == matrix.world.ana


def test_a_message_that_the_homeserver_took_before_we_knew_is_one(matrix: Federated) -> None:
    """The transaction id is the idempotency key."""
    named = {"m.mentions": {"user_ids": [BOT]}}
    matrix.transaction("1", matrix.message("$1", "@ria:example.org", "watchbill: I cannot log in", **named))
    matrix.vendor.trouble.append(("PUT send", CUT))
    support.answer(matrix.request().pk, "Which browser?", matrix.world.ana, matrix.world.now)
    matrix.work()
    matrix.world.forward(minutes=1)
    assert matrix.vendor.ours().count("Ana:\nWhich browser?") == 1
    assert len([call for call in matrix.vendor.calls("PUT") if "send" in call]) == 3


def test_an_invitation_is_followed_and_the_room_is_told_how_to_ask(matrix: Federated) -> None:
    invited = {
        "type": "m.room.member", "room_id": ROOM, "event_id": "$9", "sender": "@ria:example.org", "state_key": BOT,
        "content": {"membership": "invite"},
    }  # fmt: skip
    matrix.transaction("1", invited)
    matrix.transaction("1", invited)
    assert matrix.vendor.joined == [ROOM]
    assert "How to ask" in matrix.vendor.ours()[0]


def test_a_reaction_in_matrix_makes_a_request_for_the_author(matrix: Federated) -> None:
    matrix.vendor.events["$5"] = matrix.message("$5", "@ria:example.org", "The build is red")
    reaction = {
        "type": "m.reaction", "room_id": ROOM, "event_id": "$6", "sender": "@ana:example.org",
        "content": {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$5", "key": "🎫"}},
    }  # fmt: skip
    matrix.transaction("1", reaction)
    assert (matrix.request().title, str(matrix.request().requester)) == ("The build is red", "Ria")
