"""Slack as a door and a channel: asked in a channel, answered in its thread, acknowledged by those who may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk import WebClient

from tests.connectors.chats import Slack
from tests.connectors.vendors import CUT, running, say
from tests.connectors.world import settings_for
from tests.doors.chat_world import Slacking
from tests.world import World
from watchbill.actions import paging, rota, support
from watchbill.db.models import Community, Event, Export, ExternalRef, Inbox, Page, Policy, Requester, SupportRequest
from watchbill.entry.worker import readers

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "1772528300.000100"


@pytest.fixture
def slack(world: World) -> Iterator[Slacking]:
    with running(Slack()) as vendor:
        vendor.add_user("UANA", "ana@example.org", "Ana")
        vendor.add_user("UBEN", "ben@example.org", "Ben")
        vendor.add_user("URIA", "ria@example.net", "Ria")
        yield Slacking(world, "slack", vendor)


def asked(slack: Slacking, text: str = "I cannot log in") -> SupportRequest:
    assert slack.mentions("URIA", text).status_code == 200
    slack.work()
    return slack.request()


def test_the_worker_knows_who_reads_and_writes_chats() -> None:
    assert {module.__name__.rpartition(".")[2] for module in readers.REGISTERED} >= {"chat_in", "chat_out"}


def test_slack_may_check_our_address(slack: Slacking) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
    answer = slack.send(body, "application/json")
    assert (answer.status_code, answer.content) == (200, b"3eZbrw1a")
    assert slack.send(body, "application/json", secret="another").status_code == 401


def test_a_wrong_or_old_signature_and_a_wrong_key_store_nothing(slack: Slacking) -> None:
    assert slack.mentions("URIA", "help me", secret="another").status_code == 401
    assert slack.mentions("URIA", "help me", age=301).status_code == 401
    assert slack.mentions("URIA", "help me", age=-301).status_code == 401
    slack.path = "/chat/slack/nobody/"
    assert slack.mentions("URIA", "help me").status_code == 401
    assert not Inbox.objects.exists()


def test_a_mention_becomes_a_request_whose_thread_says_what_is_next(slack: Slacking) -> None:
    """INT-01, INT-09: asking in the channel is enough; who asked hears the number and what happens next."""
    request = asked(slack)
    assert (request.title, request.door, str(request.requester)) == ("I cannot log in", "chat", "Ria")
    assert request.requester.email == "ria@example.net"
    [said] = slack.vendor.texts(ROOT)
    assert f"R-{request.pk}" in said
    assert "/r/" not in said  # the requester's own link is for nobody else
    assert not slack.world.mailbox.readers().count("ria@example.net")


def test_slack_may_say_it_again_and_it_is_one_request(slack: Slacking) -> None:
    """Slack repeats what was not answered within three seconds."""
    asked(slack)
    slack.mentions("URIA", "I cannot log in", retry=True)
    slack.work()
    slack.mentions("URIA", "I cannot log in", retry=True)
    slack.work()
    assert SupportRequest.objects.count() == 1
    assert len(slack.vendor.texts()) == 1
    assert len(slack.conversation()) == 2


def test_the_thread_is_mirrored_both_ways(slack: Slacking) -> None:
    """INT-05, INT-07: the conversation stays in the channel, and all of it is on the request."""
    request = asked(slack)
    slack.says("UANA", "Which browser?", "1772528301.000100", ROOT)
    slack.work()
    fresh = slack.request()
    assert fresh.first_response_at == slack.world.now
    assert (fresh.waiting_on, fresh.assignee) == ("requester", slack.world.ana)
    slack.says("URIA", "Firefox", "1772528302.000100", ROOT)
    slack.work()
    assert slack.request().waiting_on == "us"
    support.answer(request.pk, "Try <again> @here", slack.world.ana, slack.world.now)
    slack.work()
    assert slack.vendor.texts(ROOT)[-1] == "Ana:\nTry &lt;again&gt; @here"
    assert len(slack.vendor.texts(ROOT)) == 2  # what was written there is not said again
    assert [one[:2] for one in slack.conversation()] == [
        ("in", "Ria"), ("out", "Watchbill"), ("out", "Ana"), ("in", "Ria"), ("out", "Ana"),
    ]  # fmt: skip
    assert "ria@example.net" not in slack.world.mailbox.readers()


def test_notes_never_leave(slack: Slacking) -> None:
    request = asked(slack)
    before = len(slack.vendor.messages)
    support.note(request.pk, "Ria is new, be kind", slack.world.ana, slack.world.now)
    slack.work()
    assert len(slack.vendor.messages) == before
    assert not Export.objects.filter(payload__icontains="be kind").exists()


def test_resolved_is_said_in_the_thread_and_the_rating_link_goes_by_mail(slack: Slacking) -> None:
    """MET-02: the link that rates is the requester's own, a thread is read by everybody."""
    request = asked(slack)
    support.resolve(request.pk, "done", "Your account is open again.", slack.world.ana, slack.world.now)
    slack.work()
    said = slack.vendor.texts(ROOT)[-1]
    assert "Your account is open again." in said
    assert "/r/" not in said
    [mail] = [one for one in slack.world.mailbox.messages if one["X-To"] == "ria@example.net"]
    assert "/r/" in mail.get_content()


def test_who_speaks_for_a_community_is_asked_by_mail_and_the_thread_says_so(slack: Slacking) -> None:
    """INT-04: by whatever door somebody of the community asks."""
    people = {"slug": "shop", "name": "Shop", "mail_domains": ["example.net"], "created_at": slack.world.now}
    community = Community.objects.create(team=slack.world.team, **people)
    Requester.objects.create(
        team=slack.world.team, community=community, name="Rep", email="rep@example.net", is_representative=True,
        created_at=slack.world.now,
    )  # fmt: skip
    rules = {"representatives": {"who": "representatives"}}
    Policy.objects.create(
        team=slack.world.team, version=2, preset="test", settings={"rules": rules}, adopted_at=slack.world.now, why="t"
    )
    asked(slack)
    slack.work()
    assert slack.world.mailbox.readers().count("rep@example.net") == 1
    assert "asked one of them to approve" in slack.vendor.texts(ROOT)[0]


def test_nobody_whom_slack_knows_is_a_failure_that_is_shown(world: World) -> None:
    with running(Slack()) as vendor:
        Slacking(world, "slack", vendor, group="S1")
        world.work()
        assert Export.objects.get(what="chat.group").state == "failed"


def test_a_command_asks_and_a_message_of_ours_begins_the_thread(slack: Slacking) -> None:
    """INT-07: what was typed to us alone is shown in the channel, so that others can search it."""
    answer = slack.command("URIA", "ask I cannot log in")
    assert answer.json() == {"response_type": "ephemeral", "text": "One moment."}
    slack.work()
    request = slack.request()
    [root] = slack.vendor.messages
    assert root["text"].startswith(f"Ria asks Platform (R-{request.pk}):\nI cannot log in")
    assert f"R-{request.pk}" in slack.vendor.responses[0]["text"]
    support.answer(request.pk, "Which browser?", slack.world.ana, slack.world.now)
    slack.work()
    assert slack.vendor.messages[-1]["thread_ts"] == root["ts"]


def test_a_reaction_makes_a_request_of_a_message_for_its_author(slack: Slacking) -> None:
    ts = slack.vendor.wrote("URIA", "The build is red again")
    for user in ("UBEN", "UANA"):
        item = {"type": "message", "channel": "C1", "ts": ts}
        slack.event(type="reaction_added", user=user, reaction="ticket", item=item)
    slack.event(
        type="reaction_added", user="UBEN", reaction="eyes", item={"type": "message", "channel": "C1", "ts": ts}
    )
    slack.work()
    assert SupportRequest.objects.count() == 1
    assert (slack.request().title, str(slack.request().requester)) == ("The build is red again", "Ria")


def test_who_is_answered_in_the_same_breath(slack: Slacking) -> None:
    answer = slack.command("URIA", "who").json()
    assert answer["text"].startswith("Ana is engineer on watch until Monday 09 March, 09:00")
    assert "/watchbill ask" in slack.command("URIA", "help").json()["text"]
    assert "no command “dance”" in slack.command("URIA", "dance").json()["text"]
    assert not Inbox.objects.exists()


def test_an_account_that_is_linked_acknowledges_and_nobody_else(slack: Slacking) -> None:
    page = paging.page_people(slack.world.team, "Site down", slack.world.ben, slack.world.now)
    slack.command("URIA", f"ack {page.pk}", "t1")
    slack.work()
    assert Page.objects.get(pk=page.pk).state == "climbing"
    assert "I do not know who you are" in slack.vendor.responses[-1]["text"]
    slack.command("UANA", f"ack {page.pk}", "t2")
    slack.work()
    assert Page.objects.get(pk=page.pk).answered_by == slack.world.ana
    assert slack.vendor.responses[-1]["text"] == f"Ana has page {page.pk}: Site down"
    slack.command("UANA", "ack", "t3")
    slack.work()
    assert slack.vendor.responses[-1]["text"] == "No page waits for an answer."


@pytest.mark.parametrize(
    "more",
    [
        {"is_email_confirmed": False},
        {"team_id": "T0OTHER"},
        {"is_stranger": True},
        {"is_bot": True},
        {"deleted": True},
    ],
)
def test_an_address_that_the_workspace_does_not_vouch_for_links_nobody(slack: Slacking, more: Any) -> None:
    """A channel shared with another company brings users whose addresses that company wrote."""
    slack.vendor.add_user("UEVIL", "ana@example.org", "Ana", **more)
    page = paging.page_people(slack.world.team, "Site down", slack.world.ben, slack.world.now)
    slack.command("UEVIL", f"ack {page.pk}")
    slack.work()
    assert Page.objects.get(pk=page.pk).state == "climbing"
    assert not ExternalRef.objects.filter(subject_kind="person").exists()


def test_a_page_is_asked_for_once_however_often_it_is_told(slack: Slacking) -> None:
    slack.command("UBEN", "page The site is down")
    slack.work()
    slack.command("UBEN", "page The site is down")
    slack.work()
    assert Page.objects.count() == 1
    slack.command("URIA", "page All is lost", "t2")
    slack.work()
    assert Page.objects.count() == 1


def test_an_answer_that_slack_took_before_we_knew_is_not_written_twice(slack: Slacking) -> None:
    """Killed between Slack's answer and our commit: the mark of the message finds it again."""
    request = asked(slack)
    slack.vendor.trouble.append(("POST chat.postMessage", CUT))
    support.answer(request.pk, "Which browser?", slack.world.ana, slack.world.now)
    slack.work()
    slack.world.forward(minutes=1)
    assert slack.vendor.texts(ROOT).count("Ana:\nWhich browser?") == 1
    assert not Export.objects.filter(state="waiting").exists()


def test_slack_asks_for_patience_and_gets_it(slack: Slacking) -> None:
    request = asked(slack)
    slack.vendor.trouble.append(("POST chat.postMessage", say({"ok": False}, 429, **{"Retry-After": "30"})))
    support.answer(request.pk, "Which browser?", slack.world.ana, slack.world.now)
    slack.work()
    slack.world.forward(seconds=20)
    assert len(slack.vendor.texts(ROOT)) == 1
    slack.world.forward(minutes=2)
    assert len(slack.vendor.texts(ROOT)) == 2


def test_when_the_channel_is_gone_the_answer_goes_by_mail_and_the_request_says_so(slack: Slacking) -> None:
    request = asked(slack)
    slack.vendor.error = "is_archived"
    support.answer(request.pk, "Which browser?", slack.world.ana, slack.world.now)
    slack.work()
    slack.world.forward(minutes=1)
    assert slack.world.mailbox.readers().count("ria@example.net") == 1
    assert Event.objects.filter(subject_kind="request", subject_id=request.pk, kind="connector.gone").exists()


def test_the_home_page_shows_the_watch_and_to_members_their_own(slack: Slacking) -> None:
    asked(slack)
    slack.event(type="app_home_opened", user="UANA", tab="home")
    slack.event(type="app_home_opened", user="URIA", tab="home")
    slack.work()
    mine, hers = (json.dumps(slack.vendor.homes[one]) for one in ("UANA", "URIA"))
    assert "Ana is engineer on watch" in mine
    assert "I cannot log in" in mine
    assert "Ana is engineer on watch" in hers
    assert "I cannot log in" not in hers


def test_the_group_follows_the_watch(world: World) -> None:
    with running(Slack()) as vendor:
        vendor.add_user("UANA", "ana@example.org", "Ana")
        vendor.add_user("UBEN", "ben@example.org", "Ben")
        Slacking(world, "slack", vendor, group="S1", seat="engineer")
        world.work()
        assert vendor.groups == {"S1": ["UANA"]}
        world.forward(hours=1)
        assert vendor.calls("POST").count("/usergroups.users.update") == 1
        start, end = world.now, world.now.replace(hour=18)
        rota.add_override(world.rotation, world.ben, start, end, world.ben, world.now)
        world.work()
        assert vendor.groups == {"S1": ["UBEN"]}
        world.forward(hours=9)
        assert vendor.groups == {"S1": ["UANA"]}


def test_a_page_is_announced_with_a_button_that_acknowledges_it(world: World) -> None:
    """DUT-15: who works on an alert finds it in the channel."""
    with running(Slack()) as vendor:
        vendor.add_user("UANA", "ana@example.org", "Ana")
        slack = Slacking(world, "slack", vendor, alerts_room="C9")
        world.event()
        world.work()
        page = world.page()
        [said] = vendor.messages
        assert (said["channel"], "Disk full on db1" in said["text"]) == ("C9", True)
        pressed = said["blocks"][1]["elements"][0]
        payload = {
            "type": "block_actions", "user": {"id": "UANA"}, "actions": [pressed], "trigger_id": "t7",
            "channel": {"id": "C9"}, "response_url": f"{vendor.url}/respond/t7",
        }  # fmt: skip
        body = urlencode({"payload": json.dumps(payload)}).encode()
        assert slack.send(body, "application/x-www-form-urlencoded").status_code == 200
        world.work()
        assert Page.objects.get(pk=page.pk).answered_by == world.ana


def test_the_vendors_own_client_finds_what_we_wrote(slack: Slacking) -> None:
    """The loopback is what Slack's own library takes for Slack."""
    asked(slack)
    client = WebClient(token=settings_for("slack", "")["token"], base_url=f"{slack.vendor.url}/")
    found = client.conversations_replies(channel="C1", ts=ROOT)["messages"]
    assert found[0]["metadata"]["event_payload"]["mark"].startswith("watchbill-m-")
