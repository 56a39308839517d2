"""Jira: Cloud (REST 3, documents as ADF) and Data Center (REST 2, wiki text).

Sources: Atlassian's public REST references (issues, transitions, comments, remote links, search by JQL, the newer
`search/jql` of Cloud with its page tokens) and the page on webhooks with the `X-Hub-Signature` of a secret.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr

from watchbill.connectors import Api, Change, Comment, Connected, Draft, Issue, IssuePage, Newest
from watchbill.connectors._adf import read_document, write_document
from watchbill.connectors._jira_examples import EXAMPLES as EXAMPLES
from watchbill.connectors._words import (
    answered,
    find_mark,
    is_signed,
    read_moment,
    split_mark,
    with_link,
    write_comment,
)
from watchbill.core.foreign import read_fields, read_key, read_line, read_object, read_text
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Unreadable

TITLE = "Jira"
PORT = "tracker"
HEADERS = ("x-hub-signature",)
QUERY = "JQL, such as: project = OPS AND labels = operations AND created >= -90d"
FIELDS = ("summary", "description", "status", "issuetype", "labels", "assignee", "reporter", "created", "updated")
PAGE = 100
KEY = re.compile(r"[A-Z][A-Z0-9_]{0,19}-\d{1,12}")
STAGES = {
    "to do": "to_do", "open": "to_do", "backlog": "to_do", "reopened": "to_do", "selected for development": "to_do",
    "in progress": "in_progress", "in review": "in_progress", "waiting": "waiting", "blocked": "waiting",
    "on hold": "waiting", "waiting for customer": "waiting", "done": "done", "closed": "done", "resolved": "done",
    "won't do": "done:wont_do", "cancelled": "done:wont_do", "duplicate": "done:duplicate",
}  # fmt: skip
STATES = {
    "to_do": "To Do", "in_progress": "In Progress", "waiting": "In Progress", "done": "Done",
    "done:wont_do": "Done", "done:duplicate": "Done",
}  # fmt: skip
HELP = """In Jira, as an administrator: System > WebHooks > Create a WebHook.

  Name      Watchbill
  URL       {url}
  Secret    the webhook secret that you entered here (Cloud, and Data Center from 10; older ones have none)
  JQL       project = YOURPROJECT
  Events    Issue: created, updated, deleted.  Comment: created, updated.

The account of the token needs, in that project: Browse projects, Create issues, Edit issues, Transition issues,
Add comments. Cloud: an API token of that account with its mail address. Data Center: a personal access token.
"""


class Settings(Connected):
    """Where a Jira is, who we are there, and in which project issues are opened."""

    url: str = Field(title="Address of Jira", description="https://your-site.atlassian.net, or your own server's.")
    flavour: Literal["cloud", "data_center"] = Field("cloud", title="Which Jira is it?")
    email: str = Field("", title="Mail address of the account", description="Cloud only: whose API token it is.")
    token: SecretStr = Field(title="Token", description="Cloud: an API token. Data Center: a personal access token.")
    project: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,19}$", title="Project key", description="Such as OPS.")
    issue_type: str = Field("Task", title="Type of new issues", max_length=60)
    webhook_secret: SecretStr = Field(
        SecretStr(""), title="Webhook secret", description="The same as in Jira's webhook; empty if it has none."
    )

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"url": self.url}


def check(settings: Settings, client: Client) -> str:
    """Say as whom we come in, and that the project is there."""
    api = _api(settings, client)
    me = read_fields(api.get(f"{_base(settings)}/myself"))
    project = read_fields(api.get(f"{_base(settings)}/project/{settings.project}"))
    return f"Reached as {read_line(me.get('displayName'))}; the project is {read_line(project.get('name'))}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Compare the HMAC of the body with X-Hub-Signature."""
    return is_signed(settings.webhook_secret, body, headers.get("x-hub-signature", ""))


def create(settings: Settings, client: Client, draft: Draft) -> Issue:
    """Write an issue; its mark is a label, which JQL finds."""
    fields = {
        "project": {"key": settings.project},
        "issuetype": {"name": draft.kind or settings.issue_type},
        "summary": draft.title[:255],
        "description": _written(settings, with_link(draft)),
        "labels": [*draft.labels, draft.mark],
    }
    if draft.assignee:
        fields["assignee"] = _user(settings, draft.assignee)
    made = read_fields(_api(settings, client).call("POST", f"{_base(settings)}/issue", {"fields": fields}))
    ref = _demand_key(made.get("key"))
    _link_back(settings, client, ref, draft)
    return read(settings, client, ref)


def find(settings: Settings, client: Client, draft: Draft) -> Issue | None:
    """Find an issue of the project by the mark among its labels."""
    page = search(settings, client, f'project = "{settings.project}" AND labels = "{draft.mark}"', "")
    if not page.issues:
        return None
    _link_back(settings, client, page.issues[0].ref, draft)
    return page.issues[0]


def update(settings: Settings, client: Client, ref: str, newest: Newest) -> Issue:
    """Edit what differs, then take the transition that leads to the wanted status."""
    issue = read(settings, client, ref)
    fields = _differences(settings, issue, newest)
    if fields:
        _api(settings, client).call("PUT", f"{_base(settings)}/issue/{_path(ref)}", {"fields": fields})
    moves = bool(newest.state) and str(newest.state).casefold() != issue.state.casefold()
    if moves:
        _transition(settings, client, issue, str(newest.state))
    return read(settings, client, ref) if fields or moves else issue


def comment(settings: Settings, client: Client, ref: str, comment: Comment) -> str:
    """Write a comment; the mark stands at its end, because ADF has no place that nobody sees."""
    where = f"{_base(settings)}/issue/{_path(ref)}/comment"
    known = read_fields(_api(settings, client).get(where, orderBy="-created", maxResults=100))
    for one in known.get("comments") or ():
        if comment.mark in read_document(read_fields(one).get("body")):
            return read_key(read_fields(one).get("id"))
    text = f"{write_comment(comment)}\n\n({comment.mark})"
    made = read_fields(_api(settings, client).call("POST", where, {"body": _written(settings, text)}))
    return read_key(made.get("id"))


def read(settings: Settings, client: Client, ref: str) -> Issue:
    """Read an issue as it stands."""
    found = _api(settings, client).get(f"{_base(settings)}/issue/{_path(ref)}", fields=",".join(FIELDS))
    return answered(lambda: _issue(found, settings, where="the answer"))


def search(settings: Settings, client: Client, query: str, cursor: str) -> IssuePage:
    """Read a page by JQL: Cloud by page token, Data Center by offset."""
    asked: dict[str, Any] = {"jql": query, "fields": list(FIELDS), "maxResults": PAGE}
    if settings.flavour == "cloud":
        asked |= {"nextPageToken": cursor} if cursor else {}
        said = read_fields(_api(settings, client).call("POST", f"{_base(settings)}/search/jql", asked))
        token = said.get("nextPageToken")
        return IssuePage(_issues(said, settings), token if isinstance(token, str) and token else None)
    start = int(cursor) if cursor.isdigit() else 0
    said = read_fields(_api(settings, client).call("POST", f"{_base(settings)}/search", {**asked, "startAt": start}))
    issues, total = _issues(said, settings), said.get("total")
    total = total if isinstance(total, int) else None
    after = start + len(issues)
    return IssuePage(issues, str(after) if issues and (total is None or after < total) else None, total)


def parse(payload: object, headers: Mapping[str, str], settings: Settings) -> Sequence[Change]:
    """Read a webhook of an issue or a comment."""
    event = read_object(payload)
    name = read_line(event.get("webhookEvent"), 80)
    if not name:
        raise Unreadable("there is no webhookEvent: this is no webhook of Jira", "webhookEvent")
    kind = _kind_of(name)
    if kind is None:
        return []
    issue = _issue(event.get("issue"), settings)
    by = _name(event.get("user") or read_fields(event.get("comment")).get("author"))
    stamp = read_moment(event.get("timestamp"))
    said = _comment(event.get("comment")) if name != "comment_updated" else None
    if said is not None and kind == "changed":
        kind = "commented"
    return [Change(kind, issue, said, by, issue.updated_at or stamp)]  # type: ignore[arg-type]


def _kind_of(name: str) -> str | None:
    return {
        "jira:issue_created": "opened", "jira:issue_updated": "changed", "jira:issue_deleted": "gone",
        "comment_created": "commented",
    }.get(name)  # fmt: skip


def _comment(value: object) -> Comment | None:
    if not isinstance(value, dict):
        return None
    text, mark = split_mark(read_document(value.get("body")))
    return Comment(text, _name(value.get("author")), read_key(value.get("id")), mark, read_moment(value.get("created")))


def _issue(value: object, settings: Settings, where: str = "issue") -> Issue:
    found = read_object(value, where)
    ref = read_line(found.get("key"), 40)
    if not KEY.fullmatch(ref):
        raise Unreadable(f"{where}.key is no key of an issue: {ref[:40]}", f"{where}.key")
    fields = read_fields(found.get("fields"))
    given = fields.get("labels")
    labels = [read_line(label, 60) for label in given] if isinstance(given, list) else []
    reporter = read_fields(fields.get("reporter"))
    return Issue(
        ref=ref,
        title=read_line(fields.get("summary"), 300),
        text=read_document(fields.get("description")),
        state=read_line(read_fields(fields.get("status")).get("name"), 80),
        kind=read_line(read_fields(fields.get("issuetype")).get("name"), 60),
        labels=tuple(label for label in labels if not find_mark(label)),
        assignee=_user_key(fields.get("assignee")),
        author=_name(reporter),
        author_email=read_line(reporter.get("emailAddress"), 254),
        url=f"{settings.url.rstrip('/')}/browse/{ref}",
        created_at=read_moment(fields.get("created")),
        updated_at=read_moment(fields.get("updated")),
        mark=find_mark(" ".join(labels)),
    )


def _issues(said: dict[str, Any], settings: Settings) -> tuple[Issue, ...]:
    found = said.get("issues")
    if not isinstance(found, list):
        raise DeliveryFailed(f"It did not answer as Jira does: there are no issues in {read_text(said, 200)}")
    return answered(lambda: tuple(_issue(one, settings) for one in found))


def _differences(settings: Settings, issue: Issue, newest: Newest) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if newest.title is not None and newest.title[:255] != issue.title:
        fields["summary"] = newest.title[:255]
    if newest.labels is not None and set(newest.labels) != set(issue.labels):
        fields["labels"] = [*newest.labels, *([issue.mark] if issue.mark else [])]
    if newest.assignee is not None and newest.assignee != issue.assignee:
        fields["assignee"] = _user(settings, newest.assignee)
    return fields


def _transition(settings: Settings, client: Client, issue: Issue, state: str) -> None:
    where = f"{_base(settings)}/issue/{_path(issue.ref)}/transitions"
    said = read_fields(_api(settings, client).get(where))
    open_ways = [read_fields(way) for way in said.get("transitions") or ()]
    leads = {read_line(read_fields(way.get("to")).get("name")): read_key(way.get("id")) for way in open_ways}
    number = next((number for name, number in leads.items() if name.casefold() == state.casefold()), None)
    if number is None:
        ways = ", ".join(leads) or "no other status"
        text = f"{issue.ref} cannot go from “{issue.state}” to “{state}”: its workflow leads to {ways}"
        raise DeliveryFailed(text, permanent=True)
    _api(settings, client).call("POST", where, {"transition": {"id": number}})


def _link_back(settings: Settings, client: Client, ref: str, draft: Draft) -> None:
    """Put our page among the issue's links; the globalId makes it one link however often it is said."""
    if draft.link:
        link = {"globalId": draft.mark, "object": {"url": draft.link, "title": "In Watchbill"}}
        _api(settings, client).call("POST", f"{_base(settings)}/issue/{_path(ref)}/remotelink", link)


def _written(settings: Settings, text: str) -> Any:
    """Give a text as this Jira wants it; in wiki text braces begin macros and brackets call people."""
    return write_document(text) if settings.flavour == "cloud" else re.sub(r"([{\[])", r"\\\1", text)


def _user(settings: Settings, key: str) -> dict[str, str | None] | None:
    if not key:
        return None
    return {"accountId": key} if settings.flavour == "cloud" else {"name": key}


def _user_key(value: object) -> str:
    user = read_fields(value)
    return read_key(user.get("accountId") or user.get("name"), 128)


def _name(value: object) -> str:
    user = read_fields(value)
    return read_line(user.get("displayName") or user.get("name"), 120)


def _demand_key(value: object) -> str:
    key = read_line(value, 40)
    if not KEY.fullmatch(key):
        raise DeliveryFailed(f"It did not answer with the key of an issue but with “{key}”")
    return key


def _api(settings: Settings, client: Client) -> Api:
    token = settings.token.get_secret_value()
    if settings.flavour == "data_center":
        return Api(client, settings.url, {"Authorization": f"Bearer {token}"})
    pair = base64.b64encode(f"{settings.email}:{token}".encode()).decode()
    return Api(client, settings.url, {"Authorization": f"Basic {pair}"})


def _base(settings: Settings) -> str:
    return "/rest/api/3" if settings.flavour == "cloud" else "/rest/api/2"


def _path(ref: str) -> str:
    return quote(ref, safe="")
