"""Matrix: an application service. The homeserver hands over transactions, and we write as its one user.

Source: spec.matrix.org, "Application Service API" (transactions, hs_token) and "Client-Server API" (sending with a
transaction id, m.thread, m.annotation, m.mentions). A transaction id is an idempotency key: the same message twice
is one. Matrix tells nobody's mail address, so an owner says in the connection's list of people who is who.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field, SecretStr

from watchbill.connectors import Api, Example, Heard, Member, Posted, Room
from watchbill.connectors._chat import ChatSettings, cut, fields_of, split_command
from watchbill.core.foreign import read_key, read_line, read_object, read_text, read_time
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Unreadable

TITLE = "Matrix"
PORT = "chat"
HEADERS: tuple[str, ...] = ()
STAGES: dict[str, str] = {}
STATES: dict[str, str] = {}
CLIENT = "/_matrix/client/v3"
HELP = """Register an application service with your homeserver: a file such as

  id: watchbill
  url: {url}
  as_token: (long and random; enter it here)
  hs_token: (another; enter it here)
  sender_localpart: watchbill
  namespaces: {users: [{exclusive: true, regex: '@watchbill:your.server'}], rooms: [], aliases: []}

Name the file in app_service_config_files of the homeserver and restart it. Then invite @watchbill:your.server into the
rooms in which people ask: it joins by itself. Commands are !watchbill who, and so on. In the connection's words, under
People, say whose account a Matrix user is; whoever is not named there may ask, and not acknowledge or answer.
"""


class Settings(ChatSettings):
    """Where the homeserver is, and who we are there."""

    url: str = Field(title="Address of the homeserver", description="https://matrix.example.org")
    user: str = Field(pattern=r"^@[^:\s]+:\S+$", title="Our user", description="@watchbill:example.org", max_length=255)
    as_token: SecretStr = Field(title="as_token", min_length=1)
    hs_token: SecretStr = Field(title="hs_token", min_length=1)
    reaction: str = Field("🎫", max_length=60, title="Reaction that makes a request of a message")

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"url": self.url}


def check(settings: Settings, client: Client) -> str:
    """Say as whom we are there."""
    found = fields_of(_api(settings, client).get(f"{CLIENT}/account/whoami"))
    if "user_id" not in found:
        raise DeliveryFailed("It did not answer as a Matrix homeserver does")
    return f"Reached it as {read_line(found.get('user_id'), 255)}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Compare the hs_token with which the homeserver comes."""
    given = headers.get("authorization", "").removeprefix("Bearer ").encode("utf-8", "replace")
    return hmac.compare_digest(settings.hs_token.get_secret_value().encode(), given)


def post(
    settings: Settings, client: Client, room: str, text: str, mark: str, buttons: Sequence[tuple[str, str]] = ()
) -> Posted:
    """Write into a room; what a button would do is said as a command."""
    commands = [f"{label}: !watchbill {command}" for label, command in buttons]
    return _send(settings, client, Posted(room, ""), "\n".join([text, *commands]), mark)


def reply(settings: Settings, client: Client, to: Posted, text: str, mark: str) -> Posted:
    """Write into a thread."""
    return _send(settings, client, to, text, mark)


def _send(settings: Settings, client: Client, to: Posted, text: str, mark: str) -> Posted:
    content: dict[str, Any] = {"msgtype": "m.notice", "body": cut(text), "m.mentions": {}}
    if to.thread:
        content["m.relates_to"] = {
            "rel_type": "m.thread",
            "event_id": to.thread,
            "is_falling_back": True,
            "m.in_reply_to": {"event_id": to.thread},
        }
    path = f"{CLIENT}/rooms/{_id(to.room)}/send/m.room.message/{_id(mark)}"
    ref = read_key(fields_of(_api(settings, client).call("PUT", path, content)).get("event_id"))
    if not ref:
        raise DeliveryFailed("It did not say where the message stands")
    return Posted(to.room, ref, to.thread)


def find_post(settings: Settings, client: Client, to: Posted, mark: str, since: datetime) -> Posted | None:
    """Find nothing: the mark is the transaction id, by which the homeserver itself knows a second try."""
    return None


def respond(settings: Settings, client: Client, where: str, text: str) -> None:
    """Refuse: a command is answered in its room."""
    raise DeliveryFailed("Matrix answers commands in their room", permanent=True)


def answer(text: str) -> dict[str, Any]:
    """Answer a transaction: with nothing."""
    return {}


def set_group(settings: Settings, client: Client, group: str, members: Sequence[str]) -> None:
    """Refuse: there are no groups of people."""
    raise DeliveryFailed("Matrix has no groups of people: leave the group empty", permanent=True)


def open_room(
    settings: Settings, client: Client, name: str, topic: str, members: Sequence[str], *, is_private: bool
) -> Room:
    """Open a room under an alias, or find it by its alias when it is there."""
    api, server = _api(settings, client), settings.user.partition(":")[2]
    alias = f"#{name}:{server}"
    preset = "private_chat" if is_private else "public_chat"
    body = {"room_alias_name": name, "name": name, "topic": topic, "preset": preset, "invite": list(members)}
    try:
        ref = read_key(fields_of(api.call("POST", f"{CLIENT}/createRoom", body)).get("room_id"))
    except DeliveryFailed as failure:
        if not failure.permanent:
            raise
        ref = read_key(fields_of(api.get(f"{CLIENT}/directory/room/{_id(alias)}")).get("room_id"))
    return Room(ref, name, f"https://matrix.to/#/{quote(alias, safe='')}")


def set_topic(settings: Settings, client: Client, room: str, topic: str) -> None:
    """Write what a room is about."""
    _api(settings, client).call("PUT", f"{CLIENT}/rooms/{_id(room)}/state/m.room.topic", {"topic": topic})


def invite(settings: Settings, client: Client, room: str, members: Sequence[str]) -> None:
    """Invite people into a room; who is there already is refused by the homeserver, which is no failure."""
    for member in members:
        try:
            _api(settings, client).call("POST", f"{CLIENT}/rooms/{_id(room)}/invite", {"user_id": member})
        except DeliveryFailed as failure:
            if not failure.permanent:
                raise


def find_member(settings: Settings, client: Client, email: str) -> str:
    """Find nobody: Matrix tells no mail addresses."""
    return ""


def read_member(settings: Settings, client: Client, ref: str) -> Member:
    """Read a user's name."""
    try:
        found = fields_of(_api(settings, client).get(f"{CLIENT}/profile/{_id(ref)}"))
    except DeliveryFailed as failure:
        if not failure.permanent:
            raise
        found = {}  # a server may keep its users' names to itself
    return Member(ref, read_line(found.get("displayname"), 120) or ref[1:].partition(":")[0])


def read_message(settings: Settings, client: Client, room: str, ref: str) -> Heard | None:
    """Read one event of a room."""
    event = fields_of(_api(settings, client).get(f"{CLIENT}/rooms/{_id(room)}/event/{_id(ref)}"))
    found = _message({**event, "room_id": room, "event_id": ref}, settings)
    return found[0] if found else None


def show_home(settings: Settings, client: Client, ref: str, sections: Sequence[tuple[str, str]]) -> None:
    """Join a room into which somebody invited us, and say there who is on watch and how to ask."""
    if not ref.startswith("!"):
        return
    _api(settings, client).call("POST", f"{CLIENT}/rooms/{_id(ref)}/join", {})
    text = "\n\n".join(f"{title}\n{said}" for title, said in sections)
    _send(settings, client, Posted(ref, ""), text, f"watchbill-joined-{ref}")


def parse(payload: object, headers: Mapping[str, str], settings: Settings) -> Sequence[Heard]:
    """Read a transaction: messages, reactions, invitations; ours are not told back to us."""
    events = read_object(payload).get("events", [])
    if not isinstance(events, list):
        raise Unreadable("events should be a list", "events")
    return [heard for event in events if isinstance(event, dict) for heard in _event(event, settings)]


def _event(event: dict[str, Any], settings: Settings) -> list[Heard]:
    room, ref, sender = read_key(event.get("room_id")), read_key(event.get("event_id")), event.get("sender")
    if not (room and ref) or not isinstance(sender, str) or sender == settings.user or len(sender) > 200:
        return []
    match event.get("type"):
        case "m.room.message":
            return _message(event, settings)
        case "m.reaction":
            relates = fields_of(event, "content", "m.relates_to")
            on, key = read_key(relates.get("event_id")), read_line(relates.get("key"), 60)
            return [Heard("reaction", room, on, author=sender, text=key)] if on and key else []
        case "m.room.member" if event.get("state_key") == settings.user:
            invited = fields_of(event, "content").get("membership") == "invite"
            return [Heard("home", room, ref, author=sender)] if invited else []
    return []


def _message(event: dict[str, Any], settings: Settings) -> list[Heard]:
    content, sender = fields_of(event, "content"), event.get("sender")
    relates = fields_of(content, "m.relates_to")
    if relates.get("rel_type") == "m.replace" or content.get("msgtype") == "m.notice":
        return []  # an edit; another bot
    if not isinstance(sender, str) or sender == settings.user or "body" not in content:
        return []
    thread = read_key(relates.get("event_id")) if relates.get("rel_type") == "m.thread" else ""
    text = read_text(content.get("body"), 50_000).strip()
    kind, said = _kind(text, content, settings)
    room, ref = read_key(event.get("room_id")), read_key(event.get("event_id"))
    return [Heard(kind, room, ref, thread, sender[:200], text=said, at=read_time(event.get("origin_server_ts")))]


def _kind(text: str, content: dict[str, Any], settings: Settings) -> tuple[Any, str]:
    """Tell a command from a mention from a message; gives the text without what made it one."""
    name = settings.user[1:].partition(":")[0]
    command = split_command(text, name)
    if command is not None:
        return "command", command
    named = fields_of(content, "m.mentions").get("user_ids")
    mentioned = isinstance(named, list) and settings.user in named
    for one in (settings.user, f"@{name}", name):
        if text.lower().startswith(f"{one.lower()}:") or (mentioned and text.lower().startswith(one.lower())):
            return "mention", text[len(one) :].lstrip(" :,")
    return ("mention" if mentioned else "message"), text


def _id(ref: str) -> str:
    return quote(ref, safe="")


def _api(settings: Settings, client: Client) -> Api:
    return Api(client, settings.url, {"Authorization": f"Bearer {settings.as_token.get_secret_value()}"})


def _event_of(kind: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"type": kind, "room_id": "!room:example.org", "sender": "@ria:example.org", "event_id": "$1:example.org"}
    return {"events": [{**base, "origin_server_ts": 1772528400000, "content": content, **more}]}


EXAMPLES = (
    Example(
        "a mention",
        _event_of("m.room.message", {
            "msgtype": "m.text", "body": "watchbill: I cannot log in", "m.mentions": {"user_ids": ["@watchbill:example.org"]},
        }),
        (("mention", "!room:example.org", "@ria:example.org", "I cannot log in"),),
    ),
    Example(
        "a message in a thread",
        _event_of("m.room.message", {
            "msgtype": "m.text", "body": "It still fails", "m.relates_to": {"rel_type": "m.thread", "event_id": "$0:example.org"},
        }),
        (("message", "!room:example.org", "@ria:example.org", "It still fails"),),
    ),
    Example(
        "a command",
        _event_of("m.room.message", {"msgtype": "m.text", "body": "!watchbill who"}),
        (("command", "!room:example.org", "@ria:example.org", "who"),),
    ),
    Example(
        "a reaction",
        _event_of("m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$0:example.org", "key": "🎫"}}),
        (("reaction", "!room:example.org", "@ria:example.org", "🎫"),),
    ),
    Example(
        "an invitation",
        _event_of("m.room.member", {"membership": "invite"}, state_key="@watchbill:example.org"),
        (("home", "!room:example.org", "@ria:example.org", ""),),
    ),
    Example(
        "what we wrote ourselves",
        _event_of("m.room.message", {"msgtype": "m.notice", "body": "ours"}, sender="@watchbill:example.org"),
        (),
    ),
)  # fmt: skip
