"""Mattermost: a slash command, an outgoing webhook, and a bot that writes by the REST API.

Sources: docs.mattermost.com and developers.mattermost.com: "Slash commands", "Outgoing webhooks", "API v4" (posts, users,
groups). An outgoing webhook does not say in which thread a post stands, so each is read once by the API. It tells of
no reactions. A post carries its mark in `props`, by which a second try finds what the first one wrote.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from pydantic import Field, SecretStr

from watchbill.connectors import Api, Example, Heard, Member, Posted, Room
from watchbill.connectors._chat import ChatSettings, cut, fields_of
from watchbill.core.foreign import read_key, read_line, read_object, read_text, read_time, read_word
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Unreadable

TITLE = "Mattermost"
PORT = "chat"
HEADERS: tuple[str, ...] = ()
STAGES: dict[str, str] = {}
STATES: dict[str, str] = {}
EXAMPLE = "abcdefghijklmnopqrstuvwxyz"
HELP = """In Mattermost, Integrations:

  Slash Commands      trigger word watchbill, method POST, request URL {url}
  Outgoing Webhooks   the channels in which people ask, content type application/x-www-form-urlencoded,
                      trigger word @watchbill (none: every post, so that threads are followed), callback URL {url}
  Bot Accounts        one called watchbill; add it to those channels; its token goes here

Enter the tokens of the command and of the webhook here too. For a group that follows the watch, the bot needs the right to
manage custom groups.
"""


class Settings(ChatSettings):
    """Where the server is, and who we are there."""

    url: str = Field(title="Address of the server", description="https://chat.example.org")
    token: SecretStr = Field(title="Token of the bot", min_length=1)
    command_token: SecretStr = Field(title="Token of the slash command", min_length=1)
    webhook_token: SecretStr = Field(SecretStr(""), title="Token of the outgoing webhook")

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"url": self.url}


def check(settings: Settings, client: Client) -> str:
    """Say as whom we are there."""
    me = _api(settings, client).get("/users/me")
    if not isinstance(me, dict) or "id" not in me:
        raise DeliveryFailed("It did not answer as Mattermost does")
    return f"Reached it as {read_line(me.get('username'), 80)}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Compare the token that the command or the webhook carries; Mattermost signs nothing."""
    given = headers.get("authorization", "").removeprefix("Token ").encode("utf-8", "replace") or _token(body)
    known = [settings.command_token.get_secret_value(), settings.webhook_token.get_secret_value()]
    return any([hmac.compare_digest(one.encode(), given) for one in known if one])  # noqa: C419 -- all, in constant time


def _token(body: bytes) -> bytes:
    try:
        if body.lstrip()[:1] == b"{":
            return str(fields_of(json.loads(body)).get("token", "")).encode("utf-8", "replace")
        return dict(parse_qsl(body.decode(), max_num_fields=200)).get("token", "").encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return b""


def post(
    settings: Settings, client: Client, room: str, text: str, mark: str, buttons: Sequence[tuple[str, str]] = ()
) -> Posted:
    """Write into a channel; what a button would do is said as a command."""
    commands = [f"{label}: /watchbill {command}" for label, command in buttons]
    return _post(settings, client, Posted(room, ""), "\n".join([text, *commands]), mark)


def reply(settings: Settings, client: Client, to: Posted, text: str, mark: str) -> Posted:
    """Write into a thread."""
    return _post(settings, client, to, text, mark)


def _post(settings: Settings, client: Client, to: Posted, text: str, mark: str) -> Posted:
    body = {"channel_id": to.room, "message": write_text(text), "root_id": to.thread, "props": {"watchbill": mark}}
    made = fields_of(_api(settings, client).call("POST", "/posts", body))
    ref = read_key(made.get("id"))
    if not ref:
        raise DeliveryFailed("It did not say where the post stands")
    return Posted(to.room, ref, to.thread)


def find_post(settings: Settings, client: Client, to: Posted, mark: str, since: datetime) -> Posted | None:
    """Look for a mark in the thread, or in what was written in the channel since."""
    where = f"/posts/{_id(to.thread)}/thread" if to.thread else f"/channels/{_id(to.room)}/posts"
    asked = {} if to.thread else {"since": int(since.timestamp() * 1000) - 1000}
    found = fields_of(_api(settings, client).get(where, **asked), "posts")
    for one in found.values():
        if fields_of(one, "props").get("watchbill") == mark:
            return Posted(to.room, read_key(one.get("id")), to.thread)
    return None


def respond(settings: Settings, client: Client, where: str, text: str) -> None:
    """Answer a command by its response_url, which is one of this server's or is not called."""
    if not where.startswith(f"{settings.url.rstrip('/')}/"):
        raise DeliveryFailed("this is no address of that server for answers to commands", permanent=True)
    client.deliver(where, json=answer(text))


def answer(text: str) -> dict[str, Any]:
    """Write an answer that only whoever gave the command sees."""
    return {"response_type": "ephemeral", "text": write_text(text)}


def set_group(settings: Settings, client: Client, group: str, members: Sequence[str]) -> None:
    """Make a custom group consist of these members."""
    api, where = _api(settings, client), f"/groups/{_id(group)}/members"
    rows = fields_of(api.get(where, per_page=200)).get("members")
    there = {read_key(one.get("id")) for one in rows if isinstance(one, dict)} if isinstance(rows, list) else set()
    missing, gone = sorted(set(members) - there), sorted(there - set(members))
    if missing:
        api.call("POST", where, {"user_ids": missing})
    if gone:
        api.call("DELETE", where, {"user_ids": gone})


def open_room(
    settings: Settings, client: Client, name: str, topic: str, members: Sequence[str], *, is_private: bool
) -> Room:
    """Open a channel in the bot's team, or find it by its name when it is there."""
    api = _api(settings, client)
    teams = api.get("/users/me/teams")
    team = fields_of(teams[0] if isinstance(teams, list) and teams else None)
    if not team:
        raise DeliveryFailed("the bot is in no team: add it to one", permanent=True)
    where = _id(read_key(team.get("id")))
    body = {"team_id": where, "name": name, "display_name": name, "type": "P" if is_private else "O", "header": topic}
    try:
        made = fields_of(api.call("POST", "/channels", body))
    except DeliveryFailed as failure:
        if not failure.permanent:
            raise
        made = fields_of(api.get(f"/teams/{where}/channels/name/{_id(name)}"))
    ref = read_key(made.get("id"))
    invite(settings, client, ref, members)
    return Room(ref, name, f"{settings.url.rstrip('/')}/{read_word(team.get('name'))}/channels/{name}")


def set_topic(settings: Settings, client: Client, room: str, topic: str) -> None:
    """Write a channel's header."""
    _api(settings, client).call("PUT", f"/channels/{_id(room)}/patch", {"header": topic[:1024]})


def invite(settings: Settings, client: Client, room: str, members: Sequence[str]) -> None:
    """Bring people into a channel; Mattermost says nothing of who is there already."""
    for member in members:
        _api(settings, client).call("POST", f"/channels/{_id(room)}/members", {"user_id": member})


def find_member(settings: Settings, client: Client, email: str) -> str:
    """Find a user by mail address."""
    try:
        return read_key(fields_of(_api(settings, client).get(f"/users/email/{quote(email, safe='@')}")).get("id"))
    except DeliveryFailed as failure:
        if "404" in failure.message:
            return ""
        raise


def read_member(settings: Settings, client: Client, ref: str) -> Member:
    """Read a user; the address counts if the server has verified it."""
    user = fields_of(_api(settings, client).get(f"/users/{_id(ref)}"))
    names = f"{read_line(user.get('first_name'), 60)} {read_line(user.get('last_name'), 60)}".strip()
    name = names or read_line(user.get("username"), 120)
    good = user.get("email_verified") is True and not user.get("is_bot") and not user.get("delete_at")
    return Member(ref, name, read_word(user.get("email")) if good else "")


def read_message(settings: Settings, client: Client, room: str, ref: str) -> Heard | None:
    """Read a post; None for what a bot, a webhook or the server itself wrote."""
    found = fields_of(_api(settings, client).get(f"/posts/{_id(ref)}"))
    props = fields_of(found, "props")
    by_machine = found.get("type") or props.get("from_bot") or props.get("from_webhook") or props.get("watchbill")
    author = read_key(found.get("user_id"), 64)
    if by_machine or not author:
        return None
    text, at = read_text(found.get("message"), 50_000), read_time(found.get("create_at"))
    thread = read_key(found.get("root_id"))
    return Heard("message", read_key(found.get("channel_id")) or room, ref, thread, author, text=text, at=at)


def show_home(settings: Settings, client: Client, ref: str, sections: Sequence[tuple[str, str]]) -> None:
    """Do nothing: Mattermost has no page of an app."""


def parse(payload: object, headers: Mapping[str, str], settings: Settings) -> Sequence[Heard]:
    """Read a slash command or an outgoing webhook. In which thread a post stands is read by `read_message`."""
    said = read_object(payload)
    if "command" in said:
        return [_command(said)]
    if "post_id" not in said:
        return []
    user, ref = read_key(said.get("user_id"), 64), read_key(said.get("post_id"))
    if not (user and ref):
        raise Unreadable("a post without its user or its id", "post_id")
    word, text = read_line(said.get("trigger_word"), 60), read_text(said.get("text"), 50_000).strip()
    kind: Any = "mention" if word else "message"
    text = text[len(word) :].lstrip(" :,") if word and text.startswith(word) else text
    name = read_line(said.get("user_name"), 120)
    return [Heard(kind, read_key(said.get("channel_id")), ref, "", user, name, text, data=(("look", ref),))]


def _command(said: dict[str, Any]) -> Heard:
    user = read_key(said.get("user_id"), 64)
    if not user:
        raise Unreadable("a command without its user", "user_id")
    return Heard(
        "command",
        read_key(said.get("channel_id")),
        read_key(said.get("trigger_id")),
        author=user,
        author_name=read_line(said.get("user_name"), 120),
        text=read_text(said.get("text"), 10_000).strip(),
        data=(("respond", read_line(said.get("response_url"), 500)),),
    )


def write_text(text: str) -> str:
    """Keep anybody's words from pinging a channel."""
    return cut(text).replace("@", "@\u200b")


def _id(ref: str) -> str:
    return quote(ref, safe="")


def _api(settings: Settings, client: Client) -> Api:
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
    return Api(client, f"{settings.url.rstrip('/')}/api/v4", headers)


EXAMPLES = (
    Example(
        "a slash command",
        {
            "channel_id": "cniah6qa73bjjjan6mzn11f4ie", "channel_name": "town-square", "command": "/watchbill",
            "response_url": "https://chat.example/hooks/commands/xrpq1kd5dpbuxnhjcyqxsxuyxo", "team_domain": "someteam",
            "team_id": "rdc9bgriktyx9p4kowh3dmgqyc", "text": "who", "token": EXAMPLE, "trigger_id": "b3Jhb2xkNHVrd",
            "user_id": "c3a4cqe3dfy6dgopqt8ai3hydh", "user_name": "ria",
        },
        (("command", "cniah6qa73bjjjan6mzn11f4ie", "c3a4cqe3dfy6dgopqt8ai3hydh", "who"),),
    ),
    Example(
        "an outgoing webhook with its trigger word",
        {
            "token": EXAMPLE, "team_id": "rdc9bgriktyx9p4kowh3dmgqyc", "team_domain": "someteam", "channel_id": "cniah6qa73",
            "channel_name": "help", "timestamp": 1772528400, "user_id": "c3a4cqe3dfy6", "user_name": "ria",
            "post_id": "8c3yc6gkrfbt7r3kspn9tcauze", "text": "@watchbill I cannot log in", "trigger_word": "@watchbill",
        },
        (("mention", "cniah6qa73", "c3a4cqe3dfy6", "I cannot log in"),),
    ),
    Example(
        "an outgoing webhook of every post",
        {
            "token": EXAMPLE, "channel_id": "cniah6qa73", "user_id": "c3a4cqe3dfy6", "user_name": "ria",
            "post_id": "8c3yc6gkrfbt7r3kspn9tcauze", "text": "It still fails", "trigger_word": "",
        },
        (("message", "cniah6qa73", "c3a4cqe3dfy6", "It still fails"),),
    ),
)  # fmt: skip
