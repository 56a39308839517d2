"""GitHub Issues: with a token, or as a GitHub App; webhooks with X-Hub-Signature-256; a field of a project (v2).

Sources: GitHub's public REST and GraphQL references, and its pages on signing webhooks and on the tokens of an App.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr

from watchbill.connectors import Api, Change, Comment, Connected, Document, Draft, Issue, IssuePage, Newest
from watchbill.connectors import _github_project as projects
from watchbill.connectors._calling import next_of
from watchbill.connectors._git_files import put_on_github
from watchbill.connectors._github_app import installation_token
from watchbill.connectors._github_examples import EXAMPLES as EXAMPLES
from watchbill.connectors._markdown import carries, comment_once, label_names, rows_of, write_body
from watchbill.connectors._words import (
    answered,
    is_signed,
    read_moment,
    read_terms,
    split_mark,
)
from watchbill.core.foreign import read_fields, read_key, read_line, read_object, read_url
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Unreadable

TITLE = "GitHub Issues"
PORT = "tracker"
HEADERS = ("x-github-event", "x-github-delivery", "x-hub-signature-256")
QUERY = "terms such as: state:open label:operations since:2026-01-01 (none: every issue)"
TERMS = ("state", "label", "assignee", "creator", "milestone", "since")
PAGE = 100
MOST_PAGES = 20
STAGES = {
    "open": "to_do", "closed": "done", "closed as not planned": "done:wont_do", "closed as duplicate": "done:duplicate",
}  # fmt: skip
STATES = {
    "to_do": "open", "in_progress": "open", "waiting": "open", "done": "closed",
    "done:wont_do": "closed as not planned", "done:duplicate": "closed as duplicate",
}  # fmt: skip
REASONS = {"closed": "completed", "closed as not planned": "not_planned", "closed as duplicate": "duplicate"}
HELP = """In the repository: Settings > Webhooks > Add webhook.

  Payload URL    {url}
  Content type   application/json
  Secret         the webhook secret that you entered here
  Events         Let me select: Issues, Issue comments

With a token: a fine-grained one for this repository with Issues: read and write (and Projects: read and write of the
organisation, if a project's field follows). As an App: the same permissions; install it on the repository, then enter
its App ID, the installation's id (the number at the end of the installation's address) and a private key.
"""


class Settings(Connected):
    """Which repository, and who we are there: a token, or an App's installation."""

    api: str = Field(
        "https://api.github.com", title="Address of the API", description="Enterprise: https://host/api/v3"
    )
    repository: str = Field(pattern=r"^[\w.-]+/[\w.-]+$", title="Repository", description="owner/name")
    token: SecretStr = Field(SecretStr(""), title="Token", description="Empty for an App.")
    app_id: str = Field("", pattern=r"^[\w.]{0,40}$", title="App ID", description="Empty for a token.")
    installation: str = Field("", pattern=r"^\d{0,20}$", title="Id of the App's installation")
    private_key: SecretStr = Field(SecretStr(""), title="The App's private key", description="The whole .pem file.")
    webhook_secret: SecretStr = Field(SecretStr(""), title="Webhook secret", description="The same as in the webhook.")
    project: str = Field(
        "", pattern=r"^[\w=-]{0,60}$", title="Project", description="Its node id, PVT_…; may be empty."
    )
    project_field: str = Field("Status", title="Field of the project that shows the stage", max_length=60)
    columns: dict[str, str] = Field(
        default={"to_do": "Todo", "in_progress": "In Progress", "waiting": "In Progress", "done": "Done"},
        title="Values of that field",
        description="Our stage = the value there.",
    )

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"api": self.api}


def check(settings: Settings, client: Client) -> str:
    """Say that the repository is there and takes issues."""
    found = read_fields(_api(settings, client).get(f"/repos/{settings.repository}"))
    if found.get("has_issues") is False:
        raise DeliveryFailed(f"{settings.repository} has its issues switched off", permanent=True)
    return f"Reached {read_line(found.get('full_name'))}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Compare the HMAC of the body with X-Hub-Signature-256."""
    return is_signed(settings.webhook_secret, body, headers.get("x-hub-signature-256", ""))


def create(settings: Settings, client: Client, draft: Draft) -> Issue:
    """Write an issue; its mark is a comment in the Markdown, which a list of issues shows at once."""
    asked = {"title": draft.title, "body": write_body(draft), "labels": list(draft.labels)}
    if draft.assignee:
        asked["assignees"] = [draft.assignee]
    made = _api(settings, client).call("POST", f"/repos/{settings.repository}/issues", asked)
    return answered(lambda: _issue(made, settings))


def find(settings: Settings, client: Client, draft: Draft) -> Issue | None:
    """Look for the mark in the issues since the draft was wanted: the list is exact, their search lags behind."""
    cursor: str | None = f"state=all&sort=created&direction=desc&per_page={PAGE}"
    if draft.since:
        cursor = f"{cursor}&since={draft.since:%Y-%m-%dT%H:%M:%SZ}"
    for _ in range(MOST_PAGES):
        found, cursor = _list(settings, client, cursor or "")
        for one in found:
            if carries(one, "body", draft.mark):
                return answered(lambda one=one: _issue(one, settings))  # type: ignore[misc]
        if cursor is None:
            break
    return None


def update(settings: Settings, client: Client, ref: str, newest: Newest) -> Issue:
    """Edit what differs, and move the project's field along."""
    issue = read(settings, client, ref)
    asked = _differences(issue, newest)
    if asked:
        said = _api(settings, client).call("PATCH", _path(settings, ref), asked)
        issue = answered(lambda: _issue(said, settings))
    if settings.project and newest.stage:
        column = settings.columns.get(newest.stage, "")
        projects.move(_graph(settings, client), _node(settings, client, ref), settings, column)
    return issue


def comment(settings: Settings, client: Client, ref: str, comment: Comment) -> str:
    """Write a comment with its mark where no reader sees it."""
    api, where = _api(settings, client), f"{_path(settings, ref)}/comments"
    since = f"{comment.at:%Y-%m-%dT%H:%M:%SZ}" if comment.at else None
    return comment_once(api, where, comment, since=since, per_page=PAGE)


def read(settings: Settings, client: Client, ref: str) -> Issue:
    """Read an issue as it stands."""
    found = _api(settings, client).get(_path(settings, ref))
    return answered(lambda: _issue(found, settings))


def search(settings: Settings, client: Client, query: str, cursor: str) -> IssuePage:
    """Read a page of the list, oldest first; their search would end after a thousand."""
    if not cursor:
        terms = {"labels" if name == "label" else name: value for name, value in read_terms(query, TERMS).items()}
        asked = {"state": "all", **terms, "sort": "created", "direction": "asc", "per_page": PAGE}
        cursor = "&".join(f"{name}={value}" for name, value in asked.items())
    found, after = _list(settings, client, cursor)
    issues = tuple(answered(lambda one=one: _issue(one, settings)) for one in found)  # type: ignore[misc]
    return IssuePage(issues, after)


def put_document(settings: Settings, client: Client, document: Document) -> str:
    """Write a file into the repository."""
    return put_on_github(_api(settings, client), settings.repository, document)


def parse(payload: object, headers: Mapping[str, str], settings: Settings) -> Sequence[Change]:
    """Read a webhook of issues and their comments; those of pull requests and of other repositories are not ours."""
    event = read_object(payload)
    if "zen" in event or headers.get("x-github-event", "issues") not in {"issues", "issue_comment"}:
        return []
    issue = read_object(event.get("issue"), "issue")
    repository = read_line(read_object(event.get("repository"), "repository").get("full_name"))
    if "pull_request" in issue or repository.lower() != settings.repository.lower():
        return []
    kind = _kind_of(read_line(event.get("action"), 40), has_comment="comment" in event)
    if kind is None:
        return []
    by = read_line(read_fields(event.get("sender")).get("login"), 120)
    said = _comment(event.get("comment")) if kind == "commented" else None
    read_issue = _issue(issue, settings)
    return [Change(kind, read_issue, said, by, read_issue.updated_at)]  # type: ignore[arg-type]


def _kind_of(action: str, *, has_comment: bool) -> str | None:
    if has_comment:
        return "commented" if action == "created" else None
    if action in {"deleted", "transferred"}:
        return "gone"
    known = {"edited", "closed", "reopened", "assigned", "unassigned", "labeled", "unlabeled"}
    return "opened" if action == "opened" else "changed" if action in known else None


def _comment(value: object) -> Comment:
    found = read_object(value, "comment")
    text, mark = split_mark(found.get("body"))
    author = read_line(read_fields(found.get("user")).get("login"), 120)
    return Comment(text, author, read_key(found.get("id")), mark, read_moment(found.get("created_at")))


def _issue(value: object, settings: Settings) -> Issue:
    found = read_object(value, "issue")
    number = found.get("number")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise Unreadable("issue.number is no number of an issue", "issue.number")
    user = read_fields(found.get("user"))
    text, mark = split_mark(found.get("body"))
    return Issue(
        ref=f"{settings.repository}#{number}",
        title=read_line(found.get("title"), 300),
        text=text,
        state=_state(found),
        kind=read_line(read_fields(found.get("type")).get("name"), 60),
        labels=label_names(found.get("labels"), "name"),
        assignee=read_line(read_fields(found.get("assignee")).get("login"), 128),
        author=read_line(user.get("login"), 120),
        url=read_url(found.get("html_url")),
        created_at=read_moment(found.get("created_at")),
        updated_at=read_moment(found.get("updated_at")),
        mark=mark,
    )


def _state(issue: dict[str, Any]) -> str:
    state = read_line(issue.get("state"), 40)
    reason = read_line(issue.get("state_reason"), 40).replace("_", " ")
    return f"closed as {reason}" if state == "closed" and reason not in {"", "completed"} else state


def _differences(issue: Issue, newest: Newest) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    if newest.title is not None and newest.title != issue.title:
        asked["title"] = newest.title
    if newest.state is not None and newest.state != issue.state:
        asked["state"] = "open" if newest.state == "open" else "closed"
        asked["state_reason"] = REASONS.get(newest.state, "reopened" if newest.state == "open" else "completed")
    if newest.labels is not None and set(newest.labels) != set(issue.labels):
        asked["labels"] = list(newest.labels)
    if newest.assignee is not None and newest.assignee != issue.assignee:
        asked["assignees"] = [newest.assignee] if newest.assignee else []
    return asked


def _list(settings: Settings, client: Client, cursor: str) -> tuple[list[Any], str | None]:
    """Read one page of issues without the pull requests, and what asks for the next."""
    answer = _api(settings, client).answer(
        "GET", f"/repos/{settings.repository}/issues", query=dict(parse_qsl(cursor, keep_blank_values=True))
    )
    found = rows_of(answer)
    after = next_of(answer)
    rows = [one for one in found if "pull_request" not in read_fields(one)]
    return rows, urlsplit(after).query if after else None


def _node(settings: Settings, client: Client, ref: str) -> str:
    return read_key(read_fields(_api(settings, client).get(_path(settings, ref))).get("node_id"))


def _path(settings: Settings, ref: str) -> str:
    number = ref.rpartition("#")[2]
    if not number.isdigit():
        raise DeliveryFailed(f"“{ref}” is no issue of {settings.repository}", permanent=True)
    return f"/repos/{settings.repository}/issues/{number}"


def _api(settings: Settings, client: Client) -> Api:
    return Api(client, settings.api, _headers(settings, client))


def _graph(settings: Settings, client: Client) -> Api:
    """Give the GraphQL API: beside REST on github.com, one folder up on an Enterprise server."""
    base = settings.api.rstrip("/").removesuffix("/v3")
    return Api(client, base, _headers(settings, client))


def _headers(settings: Settings, client: Client) -> dict[str, str]:
    token = settings.token.get_secret_value() or installation_token(settings, client)
    version = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    return {**version, "Authorization": f"Bearer {token}"}
