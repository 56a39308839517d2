"""Chats on the loopback that keep messages and answer as their vendors document it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.connectors.vendors import Vendor, say
from tests.egress.outside import Heard, Say

HOME = "T061EG9R6"


@dataclass
class Slack(Vendor):
    """A workspace: users by id, messages by channel."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    responses: list[dict[str, Any]] = field(default_factory=list)
    homes: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    error: str = ""
    rooms: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        return [
            ("POST", "/auth.test", lambda b, q: self.good(team="Example", user="watchbill", team_id=HOME)),
            ("GET", "/users.info", lambda b, q: self.user(q["user"])),
            ("GET", "/users.lookupByEmail", lambda b, q: self.by_email(q["email"])),
            ("POST", "/chat.postMessage", self.post),
            ("GET", "/conversations.(history|replies)", self.history),
            ("POST", "/usergroups.users.update", self.set_group),
            ("POST", "/views.publish", self.publish),
            ("POST", "/respond/(.*)", self.respond),
            ("POST", "/conversations.create", self.create_room),
            ("GET", "/conversations.list", lambda b, q: self.good(channels=list(self.rooms.values()))),
            ("POST", "/conversations.setTopic", self.set_topic),
            ("POST", "/conversations.invite", self.invite),
        ]

    def good(self, **more: Any) -> Say:
        return say({"ok": True, **more})

    def add_user(self, ref: str, email: str = "", name: str = "", **more: Any) -> str:
        self.users[ref] = {
            "id": ref, "team_id": HOME, "name": name.lower(), "deleted": False, "is_bot": False, "is_email_confirmed": True,
            "profile": {"real_name": name, "email": email}, **more,
        }  # fmt: skip
        return ref

    def user(self, ref: str) -> Say:
        found = self.users.get(ref)
        return self.good(user=found) if found else say({"ok": False, "error": "user_not_found"})

    def by_email(self, email: str) -> Say:
        found = next((one for one in self.users.values() if one["profile"]["email"] == email), None)
        return self.good(user=found) if found else say({"ok": False, "error": "users_not_found"})

    def post(self, body: Any, query: Any) -> Say:
        if self.error:
            return say({"ok": False, "error": self.error})
        self.tick()
        ts = f"{int(self.at.timestamp())}.{len(self.messages):06d}"
        self.messages.append({"ts": ts, "user": "UBOT", "bot_id": "B1", **body})
        return self.good(channel=body["channel"], ts=ts, message=self.messages[-1])

    def history(self, body: Any, query: Any, kind: str) -> Say:
        rows = [one for one in self.messages if one["channel"] == query["channel"]]
        if kind == "replies":
            rows = [one for one in rows if query["ts"] in (one["ts"], one.get("thread_ts"))]
        if "latest" in query:
            rows = [one for one in rows if one["ts"] == query["latest"]]
        return self.good(messages=rows)

    def wrote(self, user: str, text: str, channel: str = "C1", ts: str = "1772528300.000100") -> str:
        self.messages.append({"type": "message", "channel": channel, "user": user, "text": text, "ts": ts})
        return ts

    def set_group(self, body: Any, query: Any) -> Say:
        self.groups[body["usergroup"]] = body["users"].split(",")
        return self.good()

    def publish(self, body: Any, query: Any) -> Say:
        self.homes[body["user_id"]] = body["view"]
        return self.good()

    def create_room(self, body: Any, query: Any) -> Say:
        if any(one["name"] == body["name"] for one in self.rooms.values()):
            return say({"ok": False, "error": "name_taken"})
        ref = f"CI{len(self.rooms)}"
        self.rooms[ref] = {
            "id": ref,
            "name": body["name"],
            "is_private": body["is_private"],
            "topic": "",
            "members": [],
        }
        return self.good(channel=self.rooms[ref])

    def set_topic(self, body: Any, query: Any) -> Say:
        self.rooms[body["channel"]]["topic"] = body["topic"]
        return self.good()

    def invite(self, body: Any, query: Any) -> Say:
        there = self.rooms[body["channel"]]["members"]
        there.extend(one for one in body["users"].split(",") if one not in there)
        return self.good()

    def respond(self, body: Any, query: Any, rest: str) -> Say:
        self.responses.append(body)
        return Say(200, b"ok")

    def texts(self, thread: str | None = None) -> list[str]:
        return [one["text"] for one in self.messages if "bot_id" in one and thread in (None, one.get("thread_ts"))]

    def handle(self, heard: Heard) -> Say:
        """Slack takes a form by POST wherever it takes a query, as its own client sends them."""
        if "x-www-form-urlencoded" in heard.headers.get("content-type", ""):
            heard = Heard("GET", f"{heard.path}?{heard.body.decode()}", heard.headers, b"")
        return super().handle(heard)
