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

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        client = "/_matrix/client/v3"
        return [
            ("GET", f"{client}/account/whoami", lambda b, q: say({"user_id": "@watchbill:example.org"})),
            ("GET", f"{client}/profile/(.+)", lambda b, q, ref: say({"displayname": ref[1:4].title()})),
            ("POST", f"{client}/rooms/(.+)/join", self.join),
            ("PUT", f"{client}/rooms/(.+)/send/m.room.message/(.+)", self.send),
            ("GET", f"{client}/rooms/.+/event/(.+)", lambda b, q, ref: say(self.events[ref])),
        ]

    def join(self, body: Any, query: Any, room: str) -> Say:
        self.joined.append(room)
        return say({"room_id": room})

    def send(self, body: Any, query: Any, room: str, transaction: str) -> Say:
        self.sent.setdefault(transaction, {**body, "room": room})
        return say({"event_id": f"$sent-{list(self.sent).index(transaction)}"})

    def ours(self) -> list[str]:
        return [one["body"] for one in self.sent.values()]
