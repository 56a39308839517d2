"""Trackers on the loopback that keep issues and answer as their vendors document it; errors on demand.

`trouble` makes the next calls fail: each entry is a pair (method and part of the path, what happens), used once. An
answer is a Say; CUT does what was asked and then closes the connection without a word.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.egress.outside import Heard, Host, Say, http_host

CUT = "cut"
START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


class CutOff(Exception):
    """The connection ends here."""


@dataclass
class Vendor:
    """What every tracker here has: issues by number, comments, its own clock that ticks with each change."""

    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    trouble: list[tuple[str, Any]] = field(default_factory=list)
    host: Host | None = None
    at: datetime = START

    @property
    def url(self) -> str:
        assert self.host is not None
        return self.host.url("")

    def calls(self, method: str) -> list[str]:
        assert self.host is not None
        return [heard.path for heard in self.host.heard if heard.method == method]

    def tick(self) -> str:
        self.at += timedelta(seconds=1)
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ}"

    def answer(self, heard: Heard) -> Say:
        what = f"{heard.method} {heard.path}"
        for one in self.trouble:
            if all(part in what for part in one[0].split()):
                self.trouble.remove(one)
                if one[1] == CUT:
                    self.handle(heard)
                    raise CutOff
                return one[1]
        return self.handle(heard)

    def handle(self, heard: Heard) -> Say:
        path = urlsplit(heard.path)
        body = _body_of(heard)
        query = {name: values[-1] for name, values in parse_qs(path.query).items()}
        for method, pattern, do in self.ways():
            found = re.fullmatch(pattern, unquote(path.path))
            if found and method == heard.method:
                return do(body, query, *found.groups())
        return Say(404, b'{"message":"Not Found"}')

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        raise NotImplementedError


def _body_of(heard: Heard) -> Any:
    if "x-www-form-urlencoded" in heard.headers.get("content-type", ""):
        return {name: values[-1] for name, values in parse_qs(heard.body.decode()).items()}
    return json.loads(heard.body) if heard.body else {}


def say(value: Any, status: int = 200, **headers: str) -> Say:
    return Say(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


@dataclass
class Jira(Vendor):
    """Jira Cloud: a workflow of three statuses; Done is reached from In Progress and To Do."""

    page: int = 100
    statuses: tuple[str, ...] = ("To Do", "In Progress", "Done")

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        one = r"/rest/api/[23]/issue/OPS-(\d+)"
        return [
            ("GET", r"/rest/api/[23]/myself", lambda b, q: say({"displayName": "Robot"})),
            ("GET", r"/rest/api/[23]/project/OPS", lambda b, q: say({"key": "OPS", "name": "Operations"})),
            ("POST", r"/rest/api/[23]/issue", self.create),
            ("GET", one, lambda b, q, n: self.one(int(n))),
            ("PUT", one, self.edit),
            ("GET", f"{one}/transitions", self.transitions),
            ("POST", f"{one}/transitions", self.move),
            ("POST", f"{one}/remotelink", lambda b, q, n: say({"id": 10000}, 201)),
            ("GET", f"{one}/comment", lambda b, q, n: say({"comments": self.comments.get(int(n), [])[::-1]})),
            ("POST", f"{one}/comment", self.write),
            ("POST", r"/rest/api/3/search/jql", self.search_cloud),
            ("POST", r"/rest/api/2/search", self.search_server),
        ]

    def create(self, body: Any, query: Any) -> Say:
        number = len(self.issues) + 1
        self.issues[number] = {
            "status": {"name": "To Do"}, "created": self.tick(), "assignee": None, "labels": [],
            "reporter": {"displayName": "Robot", "accountId": "robot"}, **body["fields"],
        }  # fmt: skip
        self.issues[number]["updated"] = self.tick()
        return say({"id": str(10000 + number), "key": f"OPS-{number}"}, 201)

    def add(self, **fields: Any) -> int:
        self.create({"fields": {"summary": "Theirs", "issuetype": {"name": "Task"}, **fields}}, {})
        return len(self.issues)

    def shown(self, number: int) -> dict[str, Any]:
        return {"id": str(10000 + number), "key": f"OPS-{number}", "fields": self.issues[number]}

    def one(self, number: int) -> Say:
        if number not in self.issues:
            return say({"errorMessages": ["Issue does not exist or you do not have permission to see it."]}, 404)
        return say(self.shown(number))

    def edit(self, body: Any, query: Any, number: str) -> Say:
        self.issues[int(number)] |= {**body["fields"], "updated": self.tick()}
        return Say(204)

    def transitions(self, body: Any, query: Any, number: str) -> Say:
        ways = [{"id": str(11 + n), "name": f"To {name}", "to": {"name": name}} for n, name in enumerate(self.statuses)]
        return say({"transitions": ways})

    def move(self, body: Any, query: Any, number: str) -> Say:
        status = self.statuses[int(body["transition"]["id"]) - 11]
        self.set_status(int(number), status)
        return Say(204)

    def set_status(self, number: int, status: str) -> None:
        self.issues[number] |= {"status": {"name": status}, "updated": self.tick()}

    def write(self, body: Any, query: Any, number: str) -> Say:
        made = {"id": str(20000 + len(self.comments.get(int(number), []))), "author": {"displayName": "Robot"}, **body}
        self.comments.setdefault(int(number), []).append({**made, "created": self.tick()})
        return say(made, 201)

    def found(self, jql: str) -> list[int]:
        label = re.search(r'labels = "([^"]+)"', jql)
        return [n for n, one in self.issues.items() if not label or label[1] in one["labels"]]

    def search_cloud(self, body: Any, query: Any) -> Say:
        if "nonsense" in body["jql"]:
            return say({"errorMessages": ["Error in the JQL Query: 'nonsense' is not known."]}, 400)
        found, start = self.found(body["jql"]), int(body.get("nextPageToken") or 0)
        end = start + min(self.page, body["maxResults"])
        more = {"nextPageToken": str(end)} if end < len(found) else {"isLast": True}
        return say({"issues": [self.shown(number) for number in found[start:end]], **more})

    def search_server(self, body: Any, query: Any) -> Say:
        found, start = self.found(body["jql"]), body["startAt"]
        page = [self.shown(number) for number in found[start : start + self.page]]
        return say({"startAt": start, "maxResults": self.page, "total": len(found), "issues": page})

    def webhook(self, number: int, event: str = "jira:issue_updated", **more: Any) -> dict[str, Any]:
        return {"webhookEvent": event, "user": {"displayName": "Jo There"}, "issue": self.shown(number), **more}


@dataclass
class GitHub(Vendor):
    """GitHub: one repository, one project with a Status field."""

    page: int = 100
    column: str = ""
    graph_says: dict[str, Any] | None = None
    files: dict[str, str] = field(default_factory=dict)

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        home = r"/repos/example/infrastructure"
        return [
            ("GET", "/rate_limit", lambda b, q: Say(200, b"{}", {})),
            ("GET", home, lambda b, q: say({"full_name": "example/infrastructure", "has_issues": True})),
            ("POST", r"/app/installations/\d+/access_tokens", lambda b, q: say({"token": "ghs_one_hour"}, 201)),
            ("POST", f"{home}/issues", self.create),
            ("GET", f"{home}/issues", self.list),
            ("GET", rf"{home}/issues/(\d+)", lambda b, q, n: self.one(int(n))),
            ("PATCH", rf"{home}/issues/(\d+)", self.edit),
            ("GET", rf"{home}/issues/(\d+)/comments", lambda b, q, n: say(self.comments.get(int(n), []))),
            ("POST", rf"{home}/issues/(\d+)/comments", self.write),
            ("POST", "/graphql", self.graph),
            ("GET", rf"{home}/contents/(.+)", self.file),
            ("PUT", rf"{home}/contents/(.+)", self.put),
        ]

    def file(self, body: Any, query: Any, path: str) -> Say:
        if path not in self.files:
            return say({"message": "Not Found"}, 404)
        text = self.files[path]
        shown = base64.encodebytes(text.encode()).decode()
        return say({"type": "file", "sha": f"sha-{len(text)}", "content": shown, **self.web(path)})

    def web(self, path: str) -> dict[str, str]:
        return {"html_url": f"https://github.com/example/infrastructure/blob/main/{path}"}

    def put(self, body: Any, query: Any, path: str) -> Say:
        sha = f"sha-{len(self.files[path])}" if path in self.files else None
        if body.get("sha") != sha:
            return say({"message": f"{path} does not match"}, 409)
        self.files[path] = base64.b64decode(body["content"]).decode()
        return say({"content": self.web(path), "commit": {"message": body["message"]}}, 200 if sha else 201)

    def create(self, body: Any, query: Any) -> Say:
        number = len(self.issues) + 1
        self.issues[number] = {
            "number": number, "node_id": f"I_{number}", "state": "open", "state_reason": None, "user": {"login": "robot"},
            "html_url": f"https://github.com/example/infrastructure/issues/{number}",
            "title": body["title"], "body": body.get("body"), "labels": [{"name": n} for n in body.get("labels", [])],
            "assignee": None, "created_at": self.tick(), "updated_at": self.tick(),
        }  # fmt: skip
        return say(self.issues[number], 201)

    def one(self, number: int) -> Say:
        return say(self.issues[number]) if number in self.issues else say({"message": "Not Found"}, 404)

    def list(self, body: Any, query: Any) -> Say:
        rows = sorted(self.issues.values(), key=lambda one: one["number"], reverse=query.get("direction") == "desc")
        if query.get("state", "open") != "all":
            rows = [one for one in rows if one["state"] == query["state"]]
        number = int(query.get("page", 1))
        start = (number - 1) * self.page
        more = start + self.page < len(rows)
        rest = "&".join(f"{name}={value}" for name, value in query.items() if name != "page")
        after = f'<https://api.github.com/repositories/1/issues?{rest}&page={number + 1}>; rel="next"'
        return say(rows[start : start + self.page], **({"Link": after} if more else {}))

    def edit(self, body: Any, query: Any, number: str) -> Say:
        changes = {**body}
        if "labels" in changes:
            changes["labels"] = [{"name": name} for name in changes["labels"]]
        if "assignees" in changes:
            names = changes.pop("assignees")
            changes["assignee"] = {"login": names[0]} if names else None
        self.issues[int(number)] |= {**changes, "updated_at": self.tick()}
        return self.one(int(number))

    def write(self, body: Any, query: Any, number: str) -> Say:
        made = {"id": 900 + len(self.comments), "user": {"login": "robot"}, **body, "created_at": self.tick()}
        self.comments.setdefault(int(number), []).append(made)
        return say(made, 201)

    def graph(self, body: Any, query: Any) -> Say:
        if self.graph_says is not None:
            return say(self.graph_says)
        if "addProjectV2ItemById" in body["query"]:
            return say({"data": {"addProjectV2ItemById": {"item": {"id": "PVTI_1"}}}})
        if "updateProjectV2ItemFieldValue" in body["query"]:
            self.column = body["variables"]["option"]
            return say({"data": {"updateProjectV2ItemFieldValue": {"projectV2Item": {"id": "PVTI_1"}}}})
        options = [{"id": f"o-{name}", "name": name} for name in ("Todo", "In Progress", "Done")]
        return say({"data": {"node": {"field": {"id": "F_1", "options": options}}}})


@dataclass
class GitLab(Vendor):
    """GitLab: one project."""

    page: int = 100
    files: dict[str, str] = field(default_factory=dict)

    def ways(self) -> list[tuple[str, str, Callable[..., Say]]]:
        home = r"/api/v4/projects/example/infrastructure"
        about = {
            "path_with_namespace": "example/infrastructure",
            "default_branch": "trunk",
            "web_url": "https://gitlab.example/example/infrastructure",
        }
        return [
            ("GET", home, lambda b, q: say(about)),
            ("GET", rf"{home}/repository/files/(.+)", self.file),
            ("POST", rf"{home}/repository/files/(.+)", lambda b, q, p: self.put(b, p, is_new=True)),
            ("PUT", rf"{home}/repository/files/(.+)", lambda b, q, p: self.put(b, p, is_new=False)),
            ("GET", "/api/v4/users", lambda b, q: say([{"id": 7, "username": q["username"]}])),
            ("POST", f"{home}/issues", self.create),
            ("GET", f"{home}/issues", self.list),
            ("GET", rf"{home}/issues/(\d+)", lambda b, q, n: self.one(int(n))),
            ("PUT", rf"{home}/issues/(\d+)", self.edit),
            ("GET", rf"{home}/issues/(\d+)/notes", lambda b, q, n: say(self.comments.get(int(n), []))),
            ("POST", rf"{home}/issues/(\d+)/notes", self.write),
        ]

    def file(self, body: Any, query: Any, path: str) -> Say:
        if path not in self.files or query.get("ref") != "trunk":
            return say({"message": "404 File Not Found"}, 404)
        shown = base64.b64encode(self.files[path].encode()).decode()
        return say({"file_path": path, "encoding": "base64", "content": shown})

    def put(self, body: Any, path: str, *, is_new: bool) -> Say:
        if is_new == (path in self.files) or body["branch"] != "trunk":
            return say({"message": "A file with this name exists, or does not"}, 400)
        self.files[path] = base64.b64decode(body["content"]).decode()
        return say({"file_path": path, "branch": "trunk"}, 201 if is_new else 200)

    def create(self, body: Any, query: Any) -> Say:
        number = len(self.issues) + 1
        self.issues[number] = {
            "iid": number, "title": body["title"], "description": body.get("description"), "state": "opened",
            "labels": [name for name in body.get("labels", "").split(",") if name], "assignees": [],
            "author": {"name": "Robot"}, "web_url": f"https://gitlab.example/{number}", "created_at": self.tick(),
            "updated_at": self.tick(),
        }  # fmt: skip
        return say(self.issues[number], 201)

    def one(self, number: int) -> Say:
        return say(self.issues[number]) if number in self.issues else say({"message": "404 Not found"}, 404)

    def list(self, body: Any, query: Any) -> Say:
        rows = [one for one in self.issues.values() if query.get("search", "") in (one["description"] or "")]
        number = int(query.get("page", 1))
        start = (number - 1) * self.page
        after = str(number + 1) if start + self.page < len(rows) else ""
        return say(rows[start : start + self.page], **{"X-Next-Page": after, "X-Total": str(len(rows))})

    def edit(self, body: Any, query: Any, number: str) -> Say:
        changes = dict(body)
        event = changes.pop("state_event", None)
        if event:
            changes["state"] = "opened" if event == "reopen" else "closed"
        if "labels" in changes:
            changes["labels"] = [name for name in changes["labels"].split(",") if name]
        if "assignee_ids" in changes:
            changes["assignees"] = [{"id": one, "username": "ana"} for one in changes.pop("assignee_ids")]
        self.issues[int(number)] |= {**changes, "updated_at": self.tick()}
        return self.one(int(number))

    def write(self, body: Any, query: Any, number: str) -> Say:
        made = {"id": 500 + len(self.comments), **body}
        self.comments.setdefault(int(number), []).append(made)
        return say(made, 201)


@contextmanager
def running(vendor: Any) -> Iterator[Any]:
    """Run a tracker on the loopback."""
    with http_host(vendor.answer) as host:
        vendor.host = host
        yield vendor
