"""Confluence on the loopback, which answers as Atlassian documents it: Cloud, and a Data Center."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.connectors.vendors import Vendor, say
from tests.egress.outside import Say


@dataclass
class Confluence(Vendor):
    """Confluence: one space, whose titles are unique."""

    pages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        home = "/wiki/api/v2"
        spaces = [{"id": "98", "key": "OPS", "name": "Operations"}]
        return [
            ("GET", f"{home}/spaces", lambda b, q: say({"results": spaces if q.get("keys") == "OPS" else []})),
            ("GET", f"{home}/pages", self.found),
            ("POST", f"{home}/pages", self.create),
            ("GET", rf"{home}/pages/(\d+)", lambda b, q, n: say(self.pages[n]) if n in self.pages else Say(404, b"{}")),
            ("PUT", rf"{home}/pages/(\d+)", self.edit),
        ]

    def found(self, body: Any, query: Any) -> Say:
        rows = [one for one in self.pages.values() if one["title"] == query["title"] and query["space-id"] == "98"]
        return say({"results": rows})

    def create(self, body: Any, query: Any) -> Say:
        if any(one["title"] == body["title"] for one in self.pages.values()):
            return say({"errors": [{"status": 400, "title": "A page with this title already exists"}]}, 400)
        number = str(1000 + len(self.pages))
        self.pages[number] = {
            "id": number, "status": "current", "title": body["title"], "spaceId": body["spaceId"],
            "parentId": body.get("parentId"), "version": {"number": 1},
            "body": {"storage": body["body"]}, "_links": {"webui": f"/spaces/OPS/pages/{number}/x"},
        }  # fmt: skip
        return say(self.pages[number])

    def edit(self, body: Any, query: Any, number: str) -> Say:
        standing = self.pages[number]
        if body["version"]["number"] != standing["version"]["number"] + 1 or body["id"] != number:
            return say({"errors": [{"status": 409, "title": "Version must be incremented"}]}, 409)
        self.pages[number] = {
            **standing, "title": body["title"], "version": body["version"], "body": {"storage": body["body"]},
        }  # fmt: skip
        return say(self.pages[number])


@dataclass
class ConfluenceDataCenter(Confluence):
    """Confluence in a Data Center, below /confluence: a page names its space by its key, and is changed whole."""

    @property
    def url(self) -> str:
        return f"{super().url}/confluence"

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        home = "/confluence/rest/api"
        space = {"id": 98, "key": "OPS", "name": "Operations", "type": "global"}
        return [
            ("GET", f"{home}/space/OPS", lambda b, q: say(space)),
            ("GET", f"{home}/content", self.found),
            ("POST", f"{home}/content", self.create),
            ("GET", rf"{home}/content/(\d+)", lambda b, q, n: self.whole(q, n) if n in self.pages else Say(404, b"{}")),
            ("PUT", rf"{home}/content/(\d+)", self.edit),
        ]

    def whole(self, query: Any, number: str) -> Say:
        assert query["expand"] == "body.storage,version"
        return say(self.pages[number])

    def found(self, body: Any, query: Any) -> Say:
        assert (query["spaceKey"], query["expand"]) == ("OPS", "body.storage,version")
        rows = [one for one in self.pages.values() if one["title"] == query["title"]]
        return say({"results": rows, "start": 0, "limit": 25, "size": len(rows)})

    def create(self, body: Any, query: Any) -> Say:
        assert (body["type"], body["space"]) == ("page", {"key": "OPS"})
        (parent,) = body.get("ancestors", [{"id": None}])
        moved = {**body, "spaceId": "98", "parentId": parent["id"], "body": body["body"]["storage"]}
        return super().create(moved, query)

    def edit(self, body: Any, query: Any, number: str) -> Say:
        assert (body["type"], body["space"]) == ("page", {"key": "OPS"})
        return super().edit({**body, "body": body["body"]["storage"]}, query, number)
