"""What Slack sends: events, slash commands, buttons; and its markup, both ways.

Sources: docs.slack.dev, "The Events API", "message", "app_mention", "reaction_added", "app_home_opened", "Slash commands",
"block_actions", "Formatting message text".
"""

from __future__ import annotations

import json
import re
from typing import Any

from watchbill.connectors._chat import fields_of
from watchbill.connectors._shapes import Example, Heard
from watchbill.core.foreign import read_key, read_line, read_text, read_time
from watchbill.kit.errors import Unreadable

PLAIN = frozenset({"", "file_share", "thread_broadcast", "me_message"})
MARKUP = re.compile(r"<(?P<what>[^<>|]+)(?:\|(?P<name>[^<>]*))?>")
MENTION_FIRST = re.compile(r"^\s*<@[A-Z0-9]+(\|[^>]*)?>[\s,:]*")


def read_event(payload: dict[str, Any]) -> list[Heard]:
    """Read whatever Slack posts to our one address."""
    if payload.get("type") == "url_verification":
        return [Heard("hello", answer=read_line(payload.get("challenge"), 255))]
    if "command" in payload:
        return _command(payload)
    if isinstance(payload.get("payload"), str):
        return _button(payload["payload"])
    if payload.get("type") != "event_callback":
        return []
    return _event(fields_of(payload, "event"))


def _event(event: dict[str, Any]) -> list[Heard]:
    if event.get("bot_id") or not isinstance(event.get("user"), str):
        return []
    match event.get("type"):
        case "message" if read_line(event.get("subtype")) in PLAIN:
            # A message to us alone is a mention without the name.
            kind = "mention" if event.get("channel_type") == "im" else "message"
            return _message(kind, read_key(event.get("channel")), event)
        case "app_mention":
            return _message("mention", read_key(event.get("channel")), event)
        case "reaction_added" if fields_of(event, "item").get("type") == "message":
            item = fields_of(event, "item")
            ref = read_key(item.get("ts"))
            name, room = read_line(event.get("reaction"), 60), read_key(item.get("channel"))
            return [Heard("reaction", room, ref, author=event["user"][:64], text=name)] if ref and room else []
        case "app_home_opened" if event.get("tab", "home") == "home":
            return [Heard("home", author=event["user"][:64])]
    return []


def read_message_of(room: str, message: dict[str, Any]) -> Heard | None:
    """Read a message as the history has it; None for what no person wrote."""
    if message.get("bot_id") or not isinstance(message.get("user"), str):
        return None
    found = _message("message", room, message)
    return found[0] if found else None


def _message(kind: Any, room: str, event: dict[str, Any]) -> list[Heard]:
    ref = read_key(event.get("ts"))
    if not (room and ref):
        return []
    text = read_text(event.get("text"), 50_000)
    if kind == "mention":
        text = MENTION_FIRST.sub("", text)
    thread = read_key(event.get("thread_ts"))
    files = _files(event.get("files"))
    said = "\n".join(part for part in (read_markup(text), *files) if part)
    return [Heard(kind, room, ref, thread, event["user"][:64], text=said, at=_moment(ref))]


def _files(value: object) -> list[str]:
    """Name what was attached, with its place there: the files stay in the chat."""
    rows = value if isinstance(value, list) else []
    found = [one for one in rows if isinstance(one, dict)]
    return [f"[{read_line(one.get('name'), 120)}: {read_line(one.get('permalink'), 500)}]" for one in found]


def _moment(ref: str) -> Any:
    head = ref.partition(".")[0]
    return read_time(int(head)) if head.isascii() and head.isdigit() and len(head) < 12 else None


def _command(payload: dict[str, Any]) -> list[Heard]:
    user = read_key(payload.get("user_id"), 64)
    if not user:
        raise Unreadable("a command without its user", "user_id")
    return [
        Heard(
            "command",
            read_key(payload.get("channel_id")),
            read_key(payload.get("trigger_id")),
            author=user,
            author_name=read_line(payload.get("user_name"), 120),
            text=read_text(payload.get("text"), 10_000).strip(),
            data=(("respond", read_line(payload.get("response_url"), 500)),),
        )
    ]


def _button(text: str) -> list[Heard]:
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("the button's payload is no JSON", "payload") from None
    if fields_of(payload).get("type") != "block_actions":
        return []
    actions = payload.get("actions")
    first = fields_of(actions[0]) if isinstance(actions, list) and actions else {}
    user = read_key(fields_of(payload, "user").get("id"), 64)
    if not first.get("value") or not user:
        return []
    room = read_key(fields_of(payload, "channel").get("id"))
    where = (("respond", read_line(payload.get("response_url"), 500)),)
    ref = read_key(payload.get("trigger_id"))
    return [Heard("action", room, ref, author=user, text=read_line(first["value"], 300), data=where)]


def read_markup(text: str) -> str:
    """Give Slack's text as a person reads it: links and names without their brackets."""
    return MARKUP.sub(_plain, text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _plain(found: re.Match[str]) -> str:
    what, name = found["what"], found["name"] or ""
    if what[0] in "@#!":
        return f"{'@' if what[0] == '!' else what[0]}{name or what[1:]}".replace("@@", "@")
    return f"{name} ({what})" if name and name != what and not what.endswith(name) else what


def write_text(text: str) -> str:
    """Escape what Slack reads as markup, so that nobody's words ping a channel or hide a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _wrap(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "token": "deprecated", "team_id": "T061EG9R6", "api_app_id": "A0PNCHHK2", "type": "event_callback",
        "event_id": "Ev0PV52K25", "event_time": 1772528400, "event": event,
    }  # fmt: skip


EXAMPLES = (
    Example(
        "the check of our address",
        {"token": "deprecated", "type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"},
        (("hello", "", "", ""),),
    ),
    Example(
        "a message in a thread",
        _wrap({
            "type": "message", "channel": "C2147483705", "user": "U2147483697", "text": "It is <https://x.example|here> &amp; fails",
            "ts": "1772528400.000200", "thread_ts": "1772528300.000100", "channel_type": "channel",
        }),
        (("message", "C2147483705", "U2147483697", "It is here (https://x.example) & fails"),),
    ),
    Example(
        "a mention",
        _wrap({
            "type": "app_mention", "user": "U061F7AUR", "text": "<@U0LAN0Z89> I cannot log in", "ts": "1772528400.000200",
            "channel": "C123ABC456", "event_ts": "1772528400.000200",
        }),
        (("mention", "C123ABC456", "U061F7AUR", "I cannot log in"),),
    ),
    Example(
        "a reaction",
        _wrap({
            "type": "reaction_added", "user": "U123ABC456", "reaction": "ticket", "item_user": "U222222222",
            "item": {"type": "message", "channel": "C123ABC456", "ts": "1772528300.000100"}, "event_ts": "1772528400.000200",
        }),
        (("reaction", "C123ABC456", "U123ABC456", "ticket"),),
    ),
    Example(
        "our page is opened",
        _wrap({"type": "app_home_opened", "user": "U123ABC456", "channel": "D0LAN2Q65", "event_ts": "1515449522", "tab": "home"}),
        (("home", "", "U123ABC456", ""),),
    ),
    Example(
        "what a bot wrote",
        _wrap({"type": "message", "bot_id": "B1", "user": "U0LAN0Z89", "text": "ours", "ts": "1.2", "channel": "C1"}),
        (),
    ),
    Example(
        "an edited message",
        _wrap({"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1.2", "message": {"text": "x"}}),
        (),
    ),
    Example(
        "a slash command",
        {
            "token": "deprecated", "team_id": "T0001", "channel_id": "C2147483705", "channel_name": "help",
            "user_id": "U2147483697", "user_name": "ria", "command": "/watchbill", "text": "ask I cannot log in",
            "response_url": "https://hooks.slack.com/commands/1234/5678", "trigger_id": "13345224609.738474920.8088930838d88f008e0",
            "api_app_id": "A123456",
        },
        (("command", "C2147483705", "U2147483697", "ask I cannot log in"),),
    ),
    Example(
        "a button",
        {"payload": json.dumps({
            "type": "block_actions", "user": {"id": "U1", "username": "ana"}, "trigger_id": "12.34.ab",
            "channel": {"id": "C1", "name": "ops"}, "response_url": "https://hooks.slack.com/actions/1/2",
            "actions": [{"type": "button", "action_id": "ack", "value": "ack 12", "action_ts": "1772528400.1"}],
        })},
        (("action", "C1", "U1", "ack 12"),),
    ),
)  # fmt: skip
