"""Slack as a place to ask and answer: an app with events, one slash command, buttons, an App Home and a user group.

Sources: docs.slack.dev, "Verifying requests from Slack", "The Events API", "Slash commands", "Handling user
interaction", and the Web API's references of the methods called here. Slack knows no idempotency key for messages:
each of ours carries its mark as message metadata, by which a second try finds what the first one wrote.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field, SecretStr

from watchbill.connectors import Api, Busy, Heard, Member, Posted, Room
from watchbill.connectors._chat import ChatSettings, cut, fields_of
from watchbill.connectors._slack_events import EXAMPLES as EXAMPLES
from watchbill.connectors._slack_events import read_event, read_message_of, write_text
from watchbill.core.foreign import read_key, read_line, read_object, read_word
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

TITLE = "Slack"
PORT = "chat"
HEADERS = ("x-slack-retry-num", "x-slack-retry-reason")
STAGES: dict[str, str] = {}
STATES: dict[str, str] = {}
WINDOW = 300
TOPIC = 250
PAGES = 20
FOR_NOW = frozenset({
    "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "ratelimited",
})  # fmt: skip
EXPLAINED = {
    "invalid_auth": "the token is wrong: copy the bot token again from the app's page, OAuth & Permissions",
    "token_revoked": "the token was revoked: install the app again and enter the new one",
    "account_inactive": "the app was removed from the workspace: install it again",
    "not_in_channel": "the app is not in this channel: invite it there",
    "channel_not_found": "there is no such channel, or the app is not in it: invite it there",
    "is_archived": "the channel is archived",
    "missing_scope": "the app lacks a permission (a scope): add it on the app's page and install the app again",
}
HELP = """On api.slack.com/apps: Create New App, for your workspace. Then

  Slash Commands       /watchbill, Request URL {url}
  Event Subscriptions  Request URL {url}
                       bot events: app_mention, message.channels, message.groups, reaction_added, app_home_opened
  Interactivity        Request URL {url}
  App Home             switch the Home Tab on
  OAuth & Permissions  bot scopes: chat:write, commands, app_mentions:read, channels:history, groups:history,
                       reactions:read, users:read, users:read.email, usergroups:read, usergroups:write,
                       and for channels of incidents channels:manage, channels:read, groups:write, groups:read

Install the app in the workspace, enter its Bot User OAuth Token and its Signing Secret (Basic Information) here, and
invite the app into the channels in which people may ask.
"""


class Settings(ChatSettings):
    """Who we are in the workspace."""

    api: str = Field("https://slack.com/api", title="Address of the API")
    token: SecretStr = Field(title="Bot User OAuth Token", description="xoxb-…", min_length=1)
    signing_secret: SecretStr = Field(title="Signing Secret", min_length=1)

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"api": self.api}


def check(settings: Settings, client: Client) -> str:
    """Say as whom we are in which workspace."""
    found = _call(settings, client, "auth.test")
    return f"Reached {read_line(found.get('team'), 80)} as {read_line(found.get('user'), 80)}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Compare Slack's signature v0; what is more than five minutes old or ahead is a replay."""
    at = headers.get("x-slack-request-timestamp", "")
    if not (at.isascii() and at.isdigit() and len(at) < 20) or abs(now.timestamp() - int(at)) > WINDOW:
        return False
    secret = settings.signing_secret.get_secret_value().encode()
    made = hmac.new(secret, b"v0:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
    given = headers.get("x-slack-signature", "")
    return hmac.compare_digest(f"v0={made}".encode(), given.encode("utf-8", "replace"))


def post(
    settings: Settings, client: Client, room: str, text: str, mark: str, buttons: Sequence[tuple[str, str]] = ()
) -> Posted:
    """Write into a channel (chat.postMessage), with buttons that stand for commands."""
    return _post(settings, client, Posted(room, ""), text, mark, buttons)


def reply(settings: Settings, client: Client, to: Posted, text: str, mark: str) -> Posted:
    """Write into a thread."""
    return _post(settings, client, to, text, mark)


def _post(
    settings: Settings, client: Client, to: Posted, text: str, mark: str, buttons: Sequence[tuple[str, str]] = ()
) -> Posted:
    body: dict[str, Any] = {
        "channel": to.room,
        "text": write_text(cut(text)),
        "unfurl_links": False,
        "metadata": {"event_type": "watchbill", "event_payload": {"mark": mark}},
    }
    if to.thread:
        body["thread_ts"] = to.thread
    if buttons:
        said = {"type": "section", "text": {"type": "mrkdwn", "text": write_text(text)[:2900]}}
        body["blocks"] = [said, {"type": "actions", "elements": [_button(*one) for one in buttons[:5]]}]
    found = _call(settings, client, "chat.postMessage", body)
    return Posted(read_key(found.get("channel")) or to.room, read_key(found.get("ts")), to.thread)


def _button(label: str, command: str) -> dict[str, Any]:
    words = {"type": "plain_text", "text": label[:75]}
    return {"type": "button", "text": words, "value": command, "action_id": command.replace(" ", "-")[:255]}


def find_post(settings: Settings, client: Client, to: Posted, mark: str, since: datetime) -> Posted | None:
    """Look for a mark in the metadata of what was written since."""
    query: dict[str, Any] = {"channel": to.room, "oldest": f"{since.timestamp() - 1:.6f}", "limit": 200}
    method = "conversations.replies" if to.thread else "conversations.history"
    thread = {"ts": to.thread} if to.thread else {}
    found = _ask(settings, client, method, **query, **thread, include_all_metadata="true")
    messages = found.get("messages")
    for one in messages if isinstance(messages, list) else ():
        if fields_of(one, "metadata", "event_payload").get("mark") == mark:
            return Posted(to.room, read_key(one.get("ts")), to.thread)
    return None


def respond(settings: Settings, client: Client, where: str, text: str) -> None:
    """Answer a command by its response_url; only one of Slack's own is called, whatever the payload said."""
    if not where.startswith(("https://hooks.slack.com/", "https://hooks.slack-gov.com/", f"{settings.api}/")):
        raise DeliveryFailed("this is no address of Slack's for answers to commands", permanent=True)
    client.deliver(where, json={**answer(text), "replace_original": False})


def answer(text: str) -> dict[str, Any]:
    """Write an answer that only whoever gave the command sees."""
    return {"response_type": "ephemeral", "text": write_text(cut(text))}


def set_group(settings: Settings, client: Client, group: str, members: Sequence[str]) -> None:
    """Make a user group consist of these members; Slack keeps none without a member, so an empty list is a failure."""
    if not members:
        raise DeliveryFailed("Slack keeps no group without members: it stays as it was")
    _call(settings, client, "usergroups.users.update", {"usergroup": group, "users": ",".join(members)})


def open_room(
    settings: Settings, client: Client, name: str, topic: str, members: Sequence[str], *, is_private: bool
) -> Room:
    """Open a channel (conversations.create), or find it by its name when it is there."""
    try:
        made = _call(settings, client, "conversations.create", {"name": name, "is_private": is_private})
    except DeliveryFailed as failure:
        if "name_taken" not in failure.message:
            raise
        made = {"channel": _find_room(settings, client, name, is_private=is_private)}
    ref = read_key(fields_of(made, "channel").get("id"))
    set_topic(settings, client, ref, topic)
    invite(settings, client, ref, members)
    home = read_word(_call(settings, client, "auth.test").get("team_id"))
    return Room(ref, name, f"https://slack.com/app_redirect?team={home}&channel={ref}")


def _find_room(settings: Settings, client: Client, name: str, *, is_private: bool) -> dict[str, Any]:
    cursor, types = "", "private_channel" if is_private else "public_channel"
    for _ in range(PAGES):
        found = _ask(settings, client, "conversations.list", types=types, limit=1000, cursor=cursor)
        rows = found.get("channels")
        for one in rows if isinstance(rows, list) else ():
            if isinstance(one, dict) and one.get("name") == name:
                return one
        cursor = read_word(fields_of(found, "response_metadata").get("next_cursor"))
        if not cursor:
            break
    raise DeliveryFailed(f"there is a channel called {name} that the app does not see", permanent=True)


def set_topic(settings: Settings, client: Client, room: str, topic: str) -> None:
    """Write what a channel is about; Slack takes 250 characters, and half an address leads nowhere."""
    cut = topic if len(topic) <= TOPIC else topic[: TOPIC + 1].rpartition(" ")[0].rstrip(" ·")
    _call(settings, client, "conversations.setTopic", {"channel": room, "topic": cut[:TOPIC]})


def invite(settings: Settings, client: Client, room: str, members: Sequence[str]) -> None:
    """Bring people into a channel."""
    if not members:
        return
    try:
        _call(settings, client, "conversations.invite", {"channel": room, "users": ",".join(members), "force": True})
    except DeliveryFailed as failure:
        if "already_in_channel" not in failure.message and "cant_invite_self" not in failure.message:
            raise


def find_member(settings: Settings, client: Client, email: str) -> str:
    """Find a user by mail address."""
    try:
        found = _ask(settings, client, "users.lookupByEmail", email=email)
    except DeliveryFailed as failure:
        if "users_not_found" in failure.message:
            return ""
        raise
    return read_key(fields_of(found, "user").get("id"))


def read_member(settings: Settings, client: Client, ref: str) -> Member:
    """Read a user. The address counts if it is confirmed and the user is of this very workspace: a channel that is
    shared with another company brings users whose addresses that company has written.
    """
    user = fields_of(_ask(settings, client, "users.info", user=ref), "user")
    profile = fields_of(user, "profile")
    name = read_line(profile.get("real_name") or user.get("real_name") or user.get("name"), 120)
    outside = user.get("is_stranger") or user.get("is_bot") or user.get("deleted")
    if outside or user.get("is_email_confirmed") is not True:
        return Member(ref, name)
    home = _call(settings, client, "auth.test").get("team_id")
    email = read_word(profile.get("email")) if home and user.get("team_id") == home else ""
    return Member(ref, name, email)


def read_message(settings: Settings, client: Client, room: str, ref: str) -> Heard | None:
    """Read one message of a channel, or one within a thread."""
    asked = {"channel": room, "latest": ref, "oldest": ref, "inclusive": "true", "limit": 1}
    found = _ask(settings, client, "conversations.history", **asked).get("messages")
    if not found:
        found = _ask(settings, client, "conversations.replies", **asked, ts=ref).get("messages")
    one = next((m for m in found if isinstance(m, dict) and m.get("ts") == ref), None) if found else None
    return read_message_of(room, one) if one else None


def show_home(settings: Settings, client: Client, ref: str, sections: Sequence[tuple[str, str]]) -> None:
    """Publish a user's App Home."""
    blocks: list[dict[str, Any]] = []
    for title, text in sections:
        blocks.append({"type": "header", "text": {"type": "plain_text", "text": title[:150]}})
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": write_text(text)[:2900] or "–"}})
    _call(settings, client, "views.publish", {"user_id": ref, "view": {"type": "home", "blocks": blocks[:100]}})


def parse(payload: object, headers: Mapping[str, str], settings: Settings) -> Sequence[Heard]:
    """Read an event, a slash command, a button or the check of our address."""
    return read_event(read_object(payload))


def _call(settings: Settings, client: Client, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return _read(_api(settings, client).call("POST", f"/{method}", body or {}), method)


def _ask(settings: Settings, client: Client, method: str, **query: Any) -> dict[str, Any]:
    return _read(_api(settings, client).get(f"/{method}", **query), method)


def _api(settings: Settings, client: Client) -> Api:
    return Api(client, settings.api, {"Authorization": f"Bearer {settings.token.get_secret_value()}"})


def _read(said: object, method: str) -> dict[str, Any]:
    """Give a happy answer; Slack says what is wrong with status 200."""
    found = said if isinstance(said, dict) else {}
    if found.get("ok") is True:
        return found
    error = read_line(found.get("error"), 80) or "nothing that is known"
    if error == "ratelimited":
        raise Busy(f"Slack answered {method}: {error}", 30)
    why = EXPLAINED.get(error, "")
    known = "error" in found
    raise DeliveryFailed(
        f"Slack answered {method}: {error}{f': {why}' if why else ''}", permanent=known and error not in FOR_NOW
    )
