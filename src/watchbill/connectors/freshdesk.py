"""Freshdesk: tickets, replies and private notes, canned responses; a webhook from an automation rule.

Source: developers.freshdesk.com/api (v2): tickets, conversations, agents, contacts, canned responses, rate limit; and the
help pages on "Trigger webhook" with its placeholders. A webhook only says that something happened to a ticket: what
it was is read by the API, so that nothing is lost or out of order, and no text of a customer passes through a
placeholder. Freshdesk knows no idempotency key: a reply that is there already is known by its words and its time.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, SecretStr

from watchbill.connectors import Api, Canned, Change, Comment, Connected, Draft, Issue, IssuePage, Member, Newest
from watchbill.connectors._freshdesk_examples import EXAMPLES as EXAMPLES
from watchbill.connectors._words import answered, find_mark, is_token, read_moment, read_terms
from watchbill.core.foreign import read_fields, read_key, read_line, read_object, read_text, read_word
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Unreadable

TITLE = "Freshdesk"
PORT = "helpdesk"
SECRET_HEADER = "x-watchbill-secret"  # noqa: S105 -- the name of a header
HEADERS: tuple[str, ...] = ()
QUERY = "terms such as: updated_since:2026-01-01T00:00:00Z email:ria@example.net (none: the last 30 days)"
TERMS = ("updated_since", "email", "company_id")
PAGE, MOST_PAGES = 100, 20
NUMBERS = {2: "Open", 3: "Pending", 4: "Resolved", 5: "Closed"}
STAGES = {"open": "to_do", "pending": "waiting", "resolved": "done", "closed": "done"}
STATES = {"to_do": "Open", "in_progress": "Open", "waiting": "Pending", "done": "Resolved"}
SKEW = timedelta(minutes=1)
HELP = """In Freshdesk, Admin > Workflows > Automations, make two rules: one on ticket creation, one on ticket updates (a reply
is sent or received, a note is added, the status is changed). The action of both: Trigger webhook

  Request type   POST
  URL            {url}
  Custom header  X-Watchbill-Secret: the webhook secret that you entered here
  Encoding       JSON, Advanced:
                 {"ticket_id": "{{ticket.id}}", "triggered_event": "{{triggered_event}}", "ticket_status": "{{ticket.status}}",
                  "ticket_subject": "{{ticket.subject}}"}

The API key is under the profile settings of an agent who may see all tickets; replies from here are theirs.
"""


class Settings(Connected):
    """Which account, and as whom we write there."""

    url: str = Field(title="Address of the account", description="https://example.freshdesk.com")
    api_key: SecretStr = Field(title="API key of an agent", min_length=1)
    webhook_secret: SecretStr = Field(title="Webhook secret", description="The same as in the rules.", min_length=1)
    numbers: dict[str, str] = Field(
        default={"6": "Waiting on Customer", "7": "Waiting on Third Party"},
        title="Statuses of your own",
        description="Their number = their name; 2 to 5 are known.",
    )
    meanings: dict[str, str] = Field(
        default={
            "Open": "us",
            "Pending": "requester",
            "Waiting on Customer": "requester",
            "Waiting on Third Party": "vendor",
            "Resolved": "resolved",
            "Closed": "closed",
        },
        title="What a status there means for a request",
        description="Their status = us, requester, vendor (who has the ball), resolved or closed.",
    )
    statuses: dict[str, str] = Field(
        default={
            "us": "Open",
            "requester": "Pending",
            "vendor": "Pending",
            "resolved": "Resolved",
            "closed": "Closed",
        },
        title="The status that a request gets there",
        description="us, requester, vendor, resolved, closed = their status.",
    )
    canned: bool = Field(
        default=False, title="Canned responses are kept in Freshdesk", description="Taken over every day."
    )

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"url": self.url}


def check(settings: Settings, client: Client) -> str:
    """Say as whom we are there."""
    me = read_fields(_api(settings, client).get("/agents/me"))
    if "id" not in me:
        raise DeliveryFailed("It did not answer as Freshdesk does")
    return f"Reached it as {read_line(read_fields(me.get('contact')).get('name'), 80)}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Compare the secret that the rule sends in a header; Freshdesk signs nothing."""
    return is_token(settings.webhook_secret, headers.get(SECRET_HEADER, ""))


def create(settings: Settings, client: Client, draft: Draft) -> Issue:
    """Write a ticket; its mark is a tag."""
    text = f"{draft.text}\n\nIn Watchbill: {draft.link}" if draft.link else draft.text
    asked: dict[str, Any] = {
        "subject": draft.title,
        "description": write_html(text or draft.title),
        "email": draft.requester_email or _our_email(settings, client),
        "priority": 1,
        "status": _number(settings, draft.state or "Open"),
        "source": 2,
        "tags": [*draft.labels, draft.mark],
    }
    if draft.requester_name:
        asked["name"] = draft.requester_name
    made = _api(settings, client).call("POST", "/tickets", asked)
    return answered(lambda: _issue(made, settings))


def _our_email(settings: Settings, client: Client) -> str:
    """Give our agent's own address: a ticket that nobody asked for is ours."""
    return read_word(read_fields(read_fields(_api(settings, client).get("/agents/me")).get("contact")).get("email"))


def find(settings: Settings, client: Client, draft: Draft) -> Issue | None:
    """Look for the tag of the mark in what changed since; their search lags behind, the list does not."""
    since = f"{draft.since - SKEW:%Y-%m-%dT%H:%M:%SZ}" if draft.since else None
    for page in range(1, MOST_PAGES + 1):
        rows = _rows(settings, client, updated_since=since, page=page)
        for one in rows:
            if draft.mark in (read_fields(one).get("tags") or ()):
                return answered(lambda one=one: _issue(one, settings))  # type: ignore[misc]
        if len(rows) < PAGE:
            break
    return None


def update(settings: Settings, client: Client, ref: str, newest: Newest) -> Issue:
    """Change the subject, the status, the tags."""
    asked: dict[str, Any] = {}
    if newest.title is not None:
        asked["subject"] = newest.title
    if newest.state is not None:
        asked["status"] = _number(settings, newest.state)
    if newest.labels is not None:
        kept = read_fields(_api(settings, client).get(_path(ref))).get("tags")
        marks = [tag for tag in kept if find_mark(str(tag))] if isinstance(kept, list) else []
        asked["tags"] = [*newest.labels, *marks]
    if not asked:
        return read(settings, client, ref)
    said = _api(settings, client).call("PUT", _path(ref), asked)
    return answered(lambda: _issue(said, settings))


def comment(settings: Settings, client: Client, ref: str, comment: Comment) -> str:
    """Write a private note, once."""
    text = f"{comment.author} (in Watchbill):\n\n{comment.text}" if comment.author else comment.text
    return _say_once(settings, client, ref, Comment(text, at=comment.at, private=True))


def reply(settings: Settings, client: Client, ref: str, comment: Comment) -> str:
    """Answer the requester, once; Freshdesk sends it on."""
    return _say_once(settings, client, ref, Comment(comment.text, at=comment.at))


def _say_once(settings: Settings, client: Client, ref: str, wanted: Comment) -> str:
    for one in conversation(settings, client, ref):
        early = wanted.at is not None and one.at is not None and one.at < wanted.at - SKEW
        if one.by_team and one.private == wanted.private and not early and is_same(one.text, wanted.text):
            return one.ref
    body: dict[str, Any] = {"body": write_html(wanted.text)}
    if wanted.private:
        body["private"] = True
    made = _api(settings, client).call("POST", f"{_path(ref)}/{'notes' if wanted.private else 'reply'}", body)
    return read_key(read_fields(made).get("id"))


def read(settings: Settings, client: Client, ref: str) -> Issue:
    """Read a ticket with who asked."""
    found = _api(settings, client).get(_path(ref), include="requester")
    return answered(lambda: _issue(found, settings))


def search(settings: Settings, client: Client, query: str, cursor: str) -> IssuePage:
    """Read a page of tickets, oldest first."""
    page = int(cursor) if cursor.isdigit() else 1
    rows = _rows(settings, client, **read_terms(query, TERMS), page=page)
    issues = tuple(answered(lambda one=one: _issue(one, settings)) for one in rows)  # type: ignore[misc]
    return IssuePage(issues, str(page + 1) if len(rows) == PAGE else None)


def conversation(settings: Settings, client: Client, ref: str) -> Sequence[Comment]:
    """Read replies and notes, oldest first."""
    found: list[Comment] = []
    for page in range(1, MOST_PAGES + 1):
        rows = _api(settings, client).get(f"{_path(ref)}/conversations", page=page, per_page=PAGE)
        if not isinstance(rows, list):
            raise DeliveryFailed("It did not answer with a list of conversations")
        found += [answered(lambda one=one: _said(one)) for one in rows]  # type: ignore[misc]
        if len(rows) < PAGE:
            break
    return found


def read_writer(settings: Settings, client: Client, comment: Comment) -> Member:
    """Read the agent or the contact who wrote something."""
    if not comment.author.isdigit():
        return Member("", "Somebody")
    kind = "agents" if comment.by_team else "contacts"
    try:
        found = read_fields(_api(settings, client).get(f"/{kind}/{comment.author}"))
    except DeliveryFailed as failure:
        if not failure.permanent:
            raise
        return Member(comment.author, "Somebody")  # deleted there, or not ours to see
    contact = read_fields(found.get("contact")) if comment.by_team else found
    return Member(comment.author, read_line(contact.get("name"), 120) or "Somebody", read_word(contact.get("email")))


def canned_responses(settings: Settings, client: Client) -> Sequence[Canned]:
    """Read the canned responses of all folders that our agent may see."""
    api = _api(settings, client)
    found: list[Canned] = []
    for folder in _list(api.get("/canned_response_folders")):
        number, name = read_key(read_fields(folder).get("id")), read_line(read_fields(folder).get("name"), 80)
        if number.isdigit():
            rows = _list(api.get(f"/canned_response_folders/{number}/responses"))
            found += [one for one in (_canned(row, name) for row in rows) if one]
    return found


def place_of_canned(settings: Settings, ref: str) -> str:
    """Give where a canned response is edited."""
    return f"{settings.url.rstrip('/')}/a/admin/canned_responses"


def parse(payload: object, headers: Mapping[str, str], settings: Settings) -> Sequence[Change]:
    """Read which ticket something happened to: the placeholders of our own rule, or Freshdesk's simple form."""
    whole = read_object(payload)
    said = read_fields(whole.get("freshdesk_webhook")) or whole
    if "ticket_id" not in said:
        return []
    ref = read_line(said.get("ticket_id"), 40).strip("#[] ")
    if not (ref.isascii() and ref.isdigit()):
        raise Unreadable("ticket_id is no number of a ticket", "ticket_id")
    event = read_line(said.get("triggered_event"), 500).replace(" ", "").lower()
    issue = Issue(ref, read_line(said.get("ticket_subject"), 300), state=read_line(said.get("ticket_status"), 80))
    return [Change("opened" if "ticket_action:created" in event else "changed", issue)]


def is_same(one: str, other: str) -> bool:
    """Tell whether two texts say the same, whatever became of their white space."""
    return " ".join(one.split()) == " ".join(other.split())


def write_html(text: str) -> str:
    """Write plain text as HTML."""
    return f"<div>{html.escape(text, quote=False).replace(chr(10), '<br>')}</div>"


def _canned(value: object, folder: str) -> Canned | None:
    found = read_fields(value)
    text = read_text(found.get("content"), 20_000).strip()
    ref, name = read_key(found.get("id"), 64), read_line(found.get("title"), 80)
    return Canned(ref, name, text, folder) if ref and name and text else None


def _said(value: object) -> Comment:
    found = read_object(value, "conversation")
    files = [f"[{read_line(read_fields(one).get('name'), 120)}]" for one in _list(found.get("attachments"))]
    return Comment(
        text="\n".join([read_text(found.get("body_text"), 100_000).strip(), *files]).strip(),
        author=read_key(found.get("user_id"), 64),
        ref=read_key(found.get("id"), 64),
        at=read_moment(found.get("created_at")),
        private=found.get("private") is True,
        by_team=found.get("incoming") is not True,
    )


def _issue(value: object, settings: Settings) -> Issue:
    found = read_object(value, "ticket")
    number = found.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise Unreadable("ticket.id is no number of a ticket", "id")
    asker = read_fields(found.get("requester"))
    tags = [read_line(tag, 64) for tag in _list(found.get("tags"))]
    return Issue(
        ref=str(number),
        title=read_line(found.get("subject"), 300),
        text=read_text(found.get("description_text"), 100_000).strip(),
        state=_name(settings, found.get("status")),
        kind=read_line(found.get("type"), 60),
        labels=tuple(tag for tag in tags if tag and not find_mark(tag)),
        author=read_line(asker.get("name"), 120),
        author_email=read_word(asker.get("email")),
        url=f"{settings.url.rstrip('/')}/a/tickets/{number}",
        created_at=read_moment(found.get("created_at")),
        updated_at=read_moment(found.get("updated_at")),
        mark=next((mark for mark in map(find_mark, tags) if mark), ""),
    )


def _name(settings: Settings, status: object) -> str:
    number = status if isinstance(status, int) and not isinstance(status, bool) else 0
    return settings.numbers.get(str(number)) or NUMBERS.get(number) or f"status {read_line(status, 20)}"


def _number(settings: Settings, name: str) -> int:
    known = {**{str(number): one for number, one in NUMBERS.items()}, **settings.numbers}
    for number, one in known.items():
        if one.casefold() == name.casefold() and number.isdigit():
            return int(number)
    raise DeliveryFailed(f"Nobody said which number the status “{name}” has there: add it", permanent=True)


def _rows(settings: Settings, client: Client, **query: Any) -> list[Any]:
    asked = {"order_by": "created_at", "order_type": "asc", "per_page": PAGE, "include": "requester,description"}
    found = _api(settings, client).get("/tickets", **asked, **query)
    if not isinstance(found, list):
        raise DeliveryFailed("It did not answer with a list of tickets")
    return found


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _path(ref: str) -> str:
    if not (ref.isascii() and ref.isdigit()):
        raise DeliveryFailed(f"“{ref}” is no number of a ticket there", permanent=True)
    return f"/tickets/{ref}"


def _api(settings: Settings, client: Client) -> Api:
    pair = base64.b64encode(f"{settings.api_key.get_secret_value()}:X".encode()).decode()
    return Api(client, f"{settings.url.rstrip('/')}/api/v2", {"Authorization": f"Basic {pair}"})
