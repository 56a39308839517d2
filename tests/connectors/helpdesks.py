"""Freshdesk on the loopback: tickets, conversations, agents, contacts, canned responses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from tests.connectors.vendors import Vendor, say
from tests.egress.outside import Say

ANA, RIA = 11, 22


@dataclass
class Freshdesk(Vendor):
    """An account with one agent, Ana, and one contact, Ria."""

    canned: list[dict[str, Any]] = field(default_factory=list)
    agent_email: str = "ana@example.org"

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        one = r"/api/v2/tickets/(\d+)"
        return [
            ("GET", "/api/v2/agents/me", lambda b, q: say(self.agent())),
            ("GET", r"/api/v2/agents/11", lambda b, q: say(self.agent())),
            ("GET", r"/api/v2/contacts/22", lambda b, q: say({"id": RIA, "name": "Ria", "email": "ria@example.net"})),
            ("GET", "/api/v2/tickets", lambda b, q: say(list(self.issues.values()))),
            ("POST", "/api/v2/tickets", self.create),
            ("GET", one, lambda b, q, n: self.one(int(n))),
            ("PUT", one, self.edit),
            ("GET", f"{one}/conversations", lambda b, q, n: say(self.comments.get(int(n), []))),
            ("POST", f"{one}/(reply|notes)", self.write),
            ("GET", "/api/v2/canned_response_folders", lambda b, q: say([{"id": 5, "name": "Support"}])),
            ("GET", "/api/v2/canned_response_folders/5/responses", lambda b, q: say(self.canned)),
        ]

    def agent(self) -> dict[str, Any]:
        return {"id": ANA, "contact": {"name": "Ana There", "email": self.agent_email}}

    def add(self, subject: str = "I cannot log in", status: int = 2) -> int:
        number = len(self.issues) + 1
        self.issues[number] = {
            "id": number, "subject": subject, "description_text": "Since today.", "status": status, "priority": 1,
            "requester_id": RIA, "requester": {"id": RIA, "name": "Ria", "email": "ria@example.net"}, "tags": [],
            "type": None, "created_at": self.tick(), "updated_at": self.tick(),
        }  # fmt: skip
        return number

    def create(self, body: Any, query: Any) -> Say:
        number = self.add(body["subject"])
        self.issues[number] |= {"tags": body["tags"], "status": body["status"]}
        return say(self.issues[number], 201)

    def one(self, number: int) -> Say:
        return say(self.issues[number]) if number in self.issues else say({"message": "not found"}, 404)

    def edit(self, body: Any, query: Any, number: str) -> Say:
        self.issues[int(number)] |= {**body, "updated_at": self.tick()}
        return say(self.issues[int(number)])

    def said(self, number: int, text: str, user: int = RIA, *, private: bool = False) -> int:
        rows = self.comments.setdefault(number, [])
        rows.append({
            "id": 900 + len(rows), "body_text": text, "incoming": user == RIA, "private": private, "user_id": user,
            "created_at": self.tick(), "attachments": [],
        })  # fmt: skip
        return int(rows[-1]["id"])

    def write(self, body: Any, query: Any, number: str, kind: str) -> Say:
        text = unescape(re.sub(r"<[^>]+>", "", body["body"].replace("<br>", "\n")))
        self.said(int(number), text, ANA, private=kind == "notes")
        return say(self.comments[int(number)][-1], 201)

    def webhook(self, number: int, event: str = "{reply_received}") -> dict[str, Any]:
        return {"ticket_id": str(number), "triggered_event": event, "ticket_status": "Open"}
