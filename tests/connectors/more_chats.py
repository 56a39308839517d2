"""Mattermost and a Matrix homeserver on the loopback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.connectors.vendors import Vendor, say
from tests.egress.outside import Say


@dataclass
class Mattermost(Vendor):
    """A server: users and posts by id, one custom group."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    responses: list[dict[str, Any]] = field(default_factory=list)
    group: set[str] = field(default_factory=set)
    rooms: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        return [
            ("GET", "/api/v4/users/me", lambda b, q: say({"id": "bot", "username": "watchbill"})),
            ("GET", "/api/v4/users/email/(.+)", lambda b, q, mail: self.by_email(mail)),
            ("GET", r"/api/v4/users/(\w+)", lambda b, q, ref: say(self.users[ref])),
            ("POST", "/api/v4/posts", self.post),
            ("GET", r"/api/v4/posts/(\w+)", lambda b, q, ref: say(self.posts[ref])),
            ("GET", r"/api/v4/(?:posts/\w+/thread|channels/\w+/posts)", lambda b, q: say({"posts": self.posts})),
            ("GET", "/api/v4/groups/g1/members", lambda b, q: say({"members": [{"id": one} for one in self.group]})),
            ("POST", "/api/v4/groups/g1/members", lambda b, q: self.change(self.group | set(b["user_ids"]))),
            ("DELETE", "/api/v4/groups/g1/members", lambda b, q: self.change(self.group - set(b["user_ids"]))),
            ("POST", "/hooks/commands/x", self.respond),
            ("GET", "/api/v4/users/me/teams", lambda b, q: say([{"id": "t1", "name": "ops"}])),
            ("POST", "/api/v4/channels", self.create_room),
            ("GET", r"/api/v4/teams/t1/channels/name/([\w-]+)", lambda b, q, name: say(self.rooms[name])),
            ("PUT", r"/api/v4/channels/(\w+)/patch", lambda b, q, ref: self.patch(ref, b)),
            ("POST", r"/api/v4/channels/(\w+)/members", lambda b, q, ref: say({"user_id": b["user_id"]}, 201)),
        ]

    def add_user(self, ref: str, email: str, name: str, *, verified: bool = True) -> None:
        self.users[ref] = {"id": ref, "email": email, "email_verified": verified, "username": name, "first_name": name}

    def by_email(self, mail: str) -> Say:
        found = [one for one in self.users.values() if one["email"] == mail]
        return say(found[0]) if found else say({"message": "not found"}, 404)

    def post(self, body: Any, query: Any) -> Say:
        ref = f"post{len(self.posts)}"
        self.posts[ref] = {"id": ref, "user_id": "bot", "create_at": 1772528400000, **body}
        return say(self.posts[ref], 201)

    def wrote(self, ref: str, user: str, text: str, root: str = "") -> str:
        self.posts[ref] = {
            "id": ref, "user_id": user, "message": text, "root_id": root, "channel_id": "c1", "create_at": 1772528400000,
        }  # fmt: skip
        return ref

    def create_room(self, body: Any, query: Any) -> Say:
        if body["name"] in self.rooms:
            return say({"id": "store.sql_channel.save_channel.exists.app_error"}, 400)
        self.rooms[body["name"]] = {**body, "id": f"room{len(self.rooms)}"}
        return say(self.rooms[body["name"]], 201)

    def patch(self, ref: str, body: Any) -> Say:
        found = next(one for one in self.rooms.values() if one["id"] == ref)
        found.update(body)
        return say(found)

    def change(self, group: set[str]) -> Say:
        self.group = group
        return say({})

    def respond(self, body: Any, query: Any) -> Say:
        self.responses.append(body)
        return say({})

    def ours(self, root: str | None = None) -> list[str]:
        return [
            one["message"] for one in self.posts.values() if one["user_id"] == "bot" and root in (None, one["root_id"])
        ]


@dataclass
class Matrix(Vendor):
    """A homeserver: what was sent, once for each transaction id, and rooms that we joined."""

    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    joined: list[str] = field(default_factory=list)
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    invited: list[str] = field(default_factory=list)

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        client = "/_matrix/client/v3"
        return [
            ("GET", f"{client}/account/whoami", lambda b, q: say({"user_id": "@watchbill:example.org"})),
            ("GET", f"{client}/profile/(.+)", lambda b, q, ref: say({"displayname": ref[1:4].title()})),
            ("POST", f"{client}/rooms/(.+)/join", self.join),
            ("PUT", f"{client}/rooms/(.+)/send/m.room.message/(.+)", self.send),
            ("GET", f"{client}/rooms/.+/event/(.+)", lambda b, q, ref: say(self.events[ref])),
            ("POST", f"{client}/createRoom", self.create_room),
            ("GET", f"{client}/directory/room/(.+)", lambda b, q, alias: say({"room_id": f"!{alias[1:]}"})),
            ("PUT", f"{client}/rooms/(.+)/state/m.room.topic", self.set_topic),
            ("POST", f"{client}/rooms/(.+)/invite", self.invite),
        ]

    def create_room(self, body: Any, query: Any) -> Say:
        room = f"!{body['room_alias_name']}:example.org"
        if room in self.topics:
            return say({"errcode": "M_ROOM_IN_USE"}, 400)
        self.topics[room] = body["topic"]
        return say({"room_id": room})

    def set_topic(self, body: Any, query: Any, room: str) -> Say:
        self.topics[room] = body["topic"]
        return say({"event_id": "$topic"})

    def invite(self, body: Any, query: Any, room: str) -> Say:
        if body["user_id"] in self.invited:
            return say({"errcode": "M_FORBIDDEN"}, 403)
        self.invited.append(body["user_id"])
        return say({})

    def join(self, body: Any, query: Any, room: str) -> Say:
        self.joined.append(room)
        return say({"room_id": room})

    def send(self, body: Any, query: Any, room: str, transaction: str) -> Say:
        self.sent.setdefault(transaction, {**body, "room": room})
        return say({"event_id": f"$sent-{list(self.sent).index(transaction)}"})

    def ours(self) -> list[str]:
        return [one["body"] for one in self.sent.values()]
