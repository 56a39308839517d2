"""Incidents from a chat: declared by a command, a channel of their own with a topic, a timeline kept by a reaction."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.actions.desk_cast import adopt
from tests.connectors.chats import Slack
from tests.connectors.more_chats import Matrix, Mattermost
from tests.connectors.vendors import CUT, running
from tests.connectors.world import settings_for
from tests.doors.chat_world import Chatting, Slacking
from tests.world import World
from watchbill import connectors
from watchbill.actions import incidents
from watchbill.db.models import Event, Incident

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slack(world: World) -> Iterator[Slacking]:
    with running(Slack()) as vendor:
        vendor.add_user("UANA", "ana@example.org", "Ana")
        vendor.add_user("UBEN", "ben@example.org", "Ben")
        vendor.add_user("URIA", "ria@example.net", "Ria")
        yield Slacking(world, "slack", vendor, rooms="all")


def declared(slack: Slacking, text: str = "incident Sign-in is down: users see an error") -> Incident:
    slack.command("UANA", text)
    slack.work()
    return Incident.objects.latest("id")


def entries(incident: Incident) -> list[tuple[str, str]]:
    rows = Event.objects.filter(subject_kind="incident", subject_id=incident.pk, kind="incident.entry").order_by("id")
    return [(row.actor_name, row.why) for row in rows]


def test_a_command_declares_and_its_channel_says_where_it_stands(slack: Slacking) -> None:
    """INC-04, INC-09, INC-10: one step in the chat; the record is where people already are."""
    adopt(slack.world, incident_start={"call_url": "https://meet.example.org/watch-{incident}-{word}"})
    incident = declared(slack)
    assert (incident.title, incident.impact) == ("Sign-in is down", "users see an error")
    room = next(iter(slack.vendor.rooms.values()))
    assert (room["name"], room["members"]) == (f"incident-{incident.pk}", ["UANA"])
    assert room["topic"].startswith("Sign-in is down · P1 active · nobody leads yet")
    assert incident.call_url.startswith(f"https://meet.example.org/watch-{incident.pk}-")
    assert f"call {incident.call_url}" in room["topic"]
    assert incident.channel_url
    assert incident.steps.get(key="posted").done_at
    incidents.add_responder(incident.pk, slack.world.ben, slack.world.ana, slack.world.now)
    slack.command("UANA", "mitigated", trigger="t2", channel_id=room["id"])
    slack.work()
    slack.work()
    assert room["members"] == ["UANA", "UBEN"]
    assert "mitigated" in room["topic"]


def test_a_channel_is_opened_once_though_the_answer_was_lost(slack: Slacking) -> None:
    """INC-05: one dedicated record, one channel."""
    slack.vendor.trouble.append(("POST /conversations.create", CUT))
    declared(slack)
    slack.world.forward(minutes=2)
    assert len(slack.vendor.rooms) == 1


def test_a_reaction_in_its_channel_puts_a_message_on_the_timeline_once(slack: Slacking) -> None:
    """INC-08, COM-09: the chat itself can be the running notes; event time is when it was written."""
    incident = declared(slack)
    room = next(iter(slack.vendor.rooms))
    ts = slack.vendor.wrote("URIA", "It came back for a minute", channel=room, ts="1772528300.000100")
    for _ in range(2):
        slack.event(
            type="reaction_added", user="UANA", reaction="pushpin", item={"type": "message", "channel": room, "ts": ts}
        )
        slack.work()
    assert entries(incident) == [("Ria", "It came back for a minute")]
    line = Event.objects.get(subject_kind="incident", kind="incident.entry")
    assert int(line.at.timestamp()) == 1772528300


def test_who_may_not_see_it_keeps_nothing_and_strangers_declare_nothing(slack: Slacking) -> None:
    incident = declared(slack)
    room = next(iter(slack.vendor.rooms))
    ts = slack.vendor.wrote("URIA", "words", channel=room)
    slack.event(
        type="reaction_added", user="URIA", reaction="pushpin", item={"type": "message", "channel": room, "ts": ts}
    )
    slack.command("URIA", "incident Mine: mine", trigger="t9")
    slack.work()
    assert entries(incident) == []
    assert Incident.objects.count() == 1


def test_notes_find_their_incident_by_number_by_channel_or_because_it_is_the_only_one(slack: Slacking) -> None:
    """INC-12: take notes while you gather."""
    first = declared(slack)
    slack.command("UANA", "note the disk is full", trigger="t2")
    slack.work()
    slack.command("UANA", "incident Another: nobody sees it", trigger="t3")
    slack.work()
    slack.command("UANA", "note which?", trigger="t4")
    slack.command("UANA", f"note {first.pk} deleted old logs", trigger="t5")
    slack.work()
    assert [text for _, text in entries(first)] == ["the disk is full", "deleted old logs"]
    assert any("Which one?" in answer["text"] for answer in slack.vendor.responses)


def test_a_private_one_opens_a_private_channel_and_is_listed_to_nobody_else(slack: Slacking) -> None:
    incident = declared(slack)
    incidents.set_privacy(incident.pk, True, "a vulnerability", slack.world.ana, slack.world.now)
    slack.command("UBEN", "incidents", trigger="t2")
    slack.work()
    assert slack.vendor.responses[-1]["text"] == "No incident goes on."
    slack.command("UANA", "incidents", trigger="t3")
    slack.work()
    assert "Sign-in is down" in slack.vendor.responses[-1]["text"]


@pytest.mark.parametrize(("name", "kind"), [("mattermost", Mattermost), ("matrix", Matrix)])
def test_the_other_chats_open_a_channel_once_write_its_topic_and_invite(world: World, name: str, kind: type) -> None:
    """SYS-01: the same in their words."""
    with running(kind()) as vendor:
        module, chatting = connectors.all_connectors()[name], Chatting(world, name, vendor)
        here = connectors.read_settings(name, {**settings_for(name, vendor.url)})
        http = chatting.world.worker.http
        for _ in range(2):
            room = module.open_room(here, http, "incident-7", "Sign-in is down", ["@ana:example.org"], is_private=False)
        module.invite(here, http, room.ref, ["@ana:example.org", "@ben:example.org"])
        module.set_topic(here, http, room.ref, "all is normal")
        topics = vendor.topics if name == "matrix" else {one["id"]: one["header"] for one in vendor.rooms.values()}
        assert topics == {room.ref: "all is normal"}
        assert "incident-7" in room.url
