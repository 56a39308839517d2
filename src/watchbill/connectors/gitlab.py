"""GitLab issues: gitlab.com or a server of one's own; webhooks with X-Gitlab-Token.

Sources: GitLab's public REST reference (issues, notes, users) and its page on webhook events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field, SecretStr

from watchbill.connectors import Api, Change, Comment, Connected, Document, Draft, Issue, IssuePage, Newest
from watchbill.connectors._git_files import put_on_gitlab
from watchbill.connectors._gitlab_examples import EXAMPLES as EXAMPLES
from watchbill.connectors._markdown import carries, comment_once, label_names, rows_of, write_body
from watchbill.connectors._words import (
    answered,
    is_token,
    read_moment,
    read_terms,
    split_mark,
)
from watchbill.core.foreign import read_fields, read_key, read_line, read_object, read_url
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Unreadable

TITLE = "GitLab issues"
PORT = "tracker"
HEADERS = ("x-gitlab-event", "x-gitlab-token")
QUERY = "terms such as: state:opened label:operations created_after:2026-01-01 (none: every issue)"
TERMS = ("state", "label", "author", "assignee", "milestone", "created_after", "updated_after", "search")
NAMES = {"label": "labels", "author": "author_username", "assignee": "assignee_username"}
PAGE = 100
STAGES = {"opened": "to_do", "closed": "done"}
STATES = {
    "to_do": "opened", "in_progress": "opened", "waiting": "opened",
    "done": "closed", "done:wont_do": "closed", "done:duplicate": "closed",
}  # fmt: skip
HELP = """In the project: Settings > Webhooks > Add new webhook.

  URL            {url}
  Secret token   the webhook secret that you entered here
  Trigger        Issues events, Comments

The token is a project access token with the role Reporter and the scope api.
"""


class Settings(Connected):
    """Which project, and the token that comes in."""

    url: str = Field("https://gitlab.com", title="Address of GitLab")
    project: str = Field(min_length=1, max_length=200, title="Project", description="group/name, or its number.")
    token: SecretStr = Field(title="Token", description="A project access token with the scope api.")
    webhook_secret: SecretStr = Field(SecretStr(""), title="Webhook secret", description="The webhook's secret token.")

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"url": self.url}


def check(settings: Settings, client: Client) -> str:
    """Say that the project is there."""
    found = read_fields(_api(settings, client).get(_home(settings)))
    return f"Reached {read_line(found.get('path_with_namespace'))}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Compare X-Gitlab-Token: GitLab signs nothing, it says the secret."""
    return is_token(settings.webhook_secret, headers.get("x-gitlab-token", ""))


def create(settings: Settings, client: Client, draft: Draft) -> Issue:
    """Write an issue with its mark where no reader sees it."""
    asked: dict[str, Any] = {
        "title": draft.title[:255],
        "description": write_body(draft),
        "labels": ",".join(draft.labels),
    }
    if draft.assignee:
        asked["assignee_ids"] = _user_ids(settings, client, draft.assignee)
    made = _api(settings, client).call("POST", f"{_home(settings)}/issues", asked)
    return answered(lambda: _issue(made, settings))


def find(settings: Settings, client: Client, draft: Draft) -> Issue | None:
    """Find the mark in the descriptions, as the database has them."""
    asked = {"search": draft.mark, "in": "description", "scope": "all"}
    found = _api(settings, client).get(f"{_home(settings)}/issues", **asked)
    for one in found if isinstance(found, list) else ():
        if carries(one, "description", draft.mark):
            return answered(lambda one=one: _issue(one, settings))  # type: ignore[misc]
    return None


def update(settings: Settings, client: Client, ref: str, newest: Newest) -> Issue:
    """Edit what differs."""
    issue = read(settings, client, ref)
    asked: dict[str, Any] = {}
    if newest.title is not None and newest.title[:255] != issue.title:
        asked["title"] = newest.title[:255]
    if newest.state is not None and newest.state != issue.state:
        asked["state_event"] = "reopen" if newest.state == "opened" else "close"
    if newest.labels is not None and set(newest.labels) != set(issue.labels):
        asked["labels"] = ",".join(newest.labels)
    if newest.assignee is not None and newest.assignee != issue.assignee:
        asked["assignee_ids"] = _user_ids(settings, client, newest.assignee)
    if not asked:
        return issue
    said = _api(settings, client).call("PUT", _path(settings, ref), asked)
    return answered(lambda: _issue(said, settings))


def comment(settings: Settings, client: Client, ref: str, comment: Comment) -> str:
    """Write a note with its mark where no reader sees it."""
    api, where = _api(settings, client), f"{_path(settings, ref)}/notes"
    return comment_once(api, where, comment, sort="desc", order_by="created_at", per_page=PAGE)


def read(settings: Settings, client: Client, ref: str) -> Issue:
    """Read an issue as it stands."""
    found = _api(settings, client).get(_path(settings, ref))
    return answered(lambda: _issue(found, settings))


def search(settings: Settings, client: Client, query: str, cursor: str) -> IssuePage:
    """Read a page of the list, oldest first."""
    terms = {NAMES.get(name, name): value for name, value in read_terms(query, TERMS).items()}
    page = int(cursor) if cursor.isdigit() else 1
    asked = {**terms, "scope": "all", "order_by": "created_at", "sort": "asc", "per_page": PAGE, "page": page}
    answer = _api(settings, client).answer("GET", f"{_home(settings)}/issues", query=asked)
    found = rows_of(answer)
    total = answer.headers.get("x-total", "")
    issues = tuple(answered(lambda one=one: _issue(one, settings)) for one in found)  # type: ignore[misc]
    return IssuePage(issues, answer.headers.get("x-next-page") or None, int(total) if total.isdigit() else None)


def put_document(settings: Settings, client: Client, document: Document) -> str:
    """Write a file into the repository."""
    return put_on_gitlab(_api(settings, client), _home(settings), document)


def parse(payload: object, headers: Mapping[str, str], settings: Settings) -> Sequence[Change]:
    """Read a webhook of issues and the notes on them."""
    event = read_object(payload)
    kind = read_line(event.get("object_kind"), 40)
    if not kind:
        raise Unreadable("there is no object_kind: this is no webhook of GitLab", "object_kind")
    about = read_fields(event.get("object_attributes"))
    by = read_line(read_fields(event.get("user")).get("name"), 120)
    if kind == "issue":
        issue = _issue(_whole(event, about), settings)
        opened = about.get("action") == "open"
        return [Change("opened" if opened else "changed", issue, None, by, issue.updated_at)]
    if kind == "note" and about.get("noteable_type") == "Issue" and not about.get("system"):
        issue = _issue(event.get("issue"), settings)
        text, mark = split_mark(about.get("note"))
        said = Comment(text, by, read_key(about.get("id")), mark, read_moment(about.get("created_at")))
        return [Change("commented", issue, said, by, said.at)]
    return []


def _whole(event: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    """Give an issue as the API has it: a webhook keeps labels, people and author beside it."""
    return {**about, "labels": event.get("labels") or about.get("labels"), "assignees": event.get("assignees")}


def _issue(value: object, settings: Settings) -> Issue:
    found = read_object(value, "issue")
    number = found.get("iid")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise Unreadable("issue.iid is no number of an issue", "issue.iid")
    assignees = found.get("assignees")
    first = read_fields(assignees[0]) if isinstance(assignees, list) and assignees else {}
    author = read_fields(found.get("author"))
    text, mark = split_mark(found.get("description"))
    return Issue(
        ref=f"{settings.project}#{number}",
        title=read_line(found.get("title"), 300),
        text=text,
        state=read_line(found.get("state"), 40),
        kind=read_line(found.get("issue_type") or found.get("type"), 60),
        labels=label_names(found.get("labels"), "title"),
        assignee=read_line(first.get("username"), 128),
        author=read_line(author.get("name") or author.get("username"), 120),
        url=read_url(found.get("web_url") or found.get("url")),
        created_at=read_moment(found.get("created_at")),
        updated_at=read_moment(found.get("updated_at")),
        mark=mark,
    )


def _user_ids(settings: Settings, client: Client, name: str) -> list[int]:
    """Give the number of a user by name, as a list; an empty one takes the assignee away."""
    if not name:
        return []
    found = _api(settings, client).get("/api/v4/users", username=name)
    number = read_fields(found[0]).get("id") if isinstance(found, list) and found else None
    if not isinstance(number, int):
        raise DeliveryFailed(f"GitLab knows no user “{name}”", permanent=True)
    return [number]


def _home(settings: Settings) -> str:
    return f"/api/v4/projects/{quote(settings.project, safe='')}"


def _path(settings: Settings, ref: str) -> str:
    number = ref.rpartition("#")[2]
    if not number.isdigit():
        raise DeliveryFailed(f"“{ref}” is no issue of {settings.project}", permanent=True)
    return f"{_home(settings)}/issues/{number}"


def _api(settings: Settings, client: Client) -> Api:
    return Api(client, settings.url, {"PRIVATE-TOKEN": settings.token.get_secret_value()})
