"""ntfy, the company's own server or the public one (docs.ntfy.sh/publish, "Publish as JSON").

A retry carries the same sequence ID, so that servers from 2.16 on show one notification for both.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from watchbill.channels import Listed, Message, Receipt
from watchbill.channels._fields import Url, clean, digest, host_of, list_pages, one_line, shorten, web_link
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

TITLE = "ntfy"
HINT = "The ntfy app on your phone, subscribed to a topic that nobody can guess."

BUNDLES = True
TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
TOKEN = re.compile(r"[!-~]*")
# A message over 4096 bytes becomes an attachment, which a phone does not show.
TEXT_BYTES = 3500
PRIORITY = {"important": 5, "default": 3}


class Address(BaseModel):
    """A topic on a server. The topic is as good as a password: whoever knows it can read along."""

    model_config = ConfigDict(extra="forbid")

    server: Url = Field("https://ntfy.sh", title="Server")
    topic: SecretStr = Field(title="Topic", description="letters, digits, - and _; long and not to be guessed")
    token: SecretStr = Field(SecretStr(""), title="Access token", description="only if the topic is protected")

    @field_validator("topic")
    @classmethod
    def _check_topic(cls, topic: SecretStr) -> SecretStr:
        plain = topic.get_secret_value().strip()
        if not TOPIC.fullmatch(plain):
            raise ValueError("a topic is 1 to 64 letters, digits, - and _")
        return SecretStr(plain)

    @field_validator("token")
    @classmethod
    def _check_token(cls, token: SecretStr) -> SecretStr:
        plain = token.get_secret_value().strip()
        if not TOKEN.fullmatch(plain):
            raise ValueError("an access token looks like tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2")
        return SecretStr(plain)

    def shown(self) -> str:
        """Give the server and the start of the topic."""
        topic = self.topic.get_secret_value()
        return f"{host_of(self.server)}, topic {topic[: min(3, len(topic) - 1)]}…"

    def urls(self) -> dict[str, str]:
        """Give the URLs a person typed, by field."""
        return {"server": self.server}


def send(message: Message, address: Address, settings: BaseModel, http: Client) -> Receipt:
    """Publish one message; raises DeliveryFailed."""
    # X-Sequence-ID is a header also when the rest is JSON: a server that does not know it ignores it.
    headers = {"X-Sequence-ID": digest(message.key)}
    if address.token.get_secret_value():
        headers["Authorization"] = f"Bearer {address.token.get_secret_value()}"
    answer = http.deliver(address.server, json=_body(message, address), headers=headers)
    said = answer.read_json()
    if not isinstance(said, dict) or not isinstance(said.get("id"), str):
        raise DeliveryFailed(f"{host_of(address.server)} did not answer as an ntfy server does: {answer.text[:200]}")
    return Receipt(answer=f"{answer.status} taken by {host_of(address.server)}", reference=one_line(said["id"], 100))


def _body(message: Message, address: Address) -> dict[str, object]:
    body: dict[str, object] = {
        "topic": address.topic.get_secret_value(),
        "title": one_line(message.subject, 200),
        "message": _cut(_text(message)) or one_line(message.subject, 200),
        "priority": PRIORITY[message.urgency],
    }
    if message.purpose == "page":
        body["tags"] = ["rotating_light"]
    if link := web_link(message.link):
        body["click"] = link
        body["actions"] = [
            {"action": "view", "label": one_line(message.action, 60) or "Open", "url": link, "clear": True}
        ]
    return body


def _text(message: Message) -> str:
    if not message.pages:
        return message.text
    head = clean(message.text)
    room = TEXT_BYTES - _size(head)
    return f"{head}\n\n{list_pages(message.pages, room, _line, _size)}"


def _line(page: Listed) -> str:
    return f"{one_line(page.subject, 200)}\n{web_link(page.link)}"


def _size(text: str) -> int:
    return len(text.encode())


def _cut(text: str) -> str:
    short = clean(text).encode()[:TEXT_BYTES].decode("utf-8", "ignore")
    return shorten(text, len(short)) if len(short) < len(text) else text
