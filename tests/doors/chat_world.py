"""What the tests of chats share: a team whose chat is on the loopback, and a chat that calls our door as it documents."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from tests.connectors.vendors import Vendor
from tests.connectors.world import SECRET, settings_for
from tests.doors.web_world import Browser
from tests.egress.outside import HERE
from tests.world import World
from watchbill.actions import connectors
from watchbill.db.models import Connection, Message, SupportRequest
from watchbill.egress import Client

HTTP = Client(HERE)


class Chatting:
    """A team and its chat; `work` is a worker's round."""

    def __init__(self, world: World, name: str, vendor: Vendor, **values: Any) -> None:
        self.world, self.vendor = world, vendor
        given = {**settings_for(name, vendor.url), **values}
        self.connection = connectors.connect(world.team, name, "Chat", given, world.eva, HTTP, world.now)
        self.browser = Browser(world)
        self.path = f"/chat/{name}/{self.connection.key}/"

    def work(self) -> None:
        self.world.work()

    def fresh(self) -> Connection:
        return Connection.objects.get(pk=self.connection.pk)

    def request(self) -> SupportRequest:
        return SupportRequest.objects.select_related("requester", "assignee", "team").latest("id")

    def conversation(self) -> list[tuple[str, str, str]]:
        rows = Message.objects.filter(request=self.request()).order_by("id")
        return [(row.direction, row.author_name, row.text.splitlines()[0]) for row in rows]


class Slacking(Chatting):
    """Slack calls us: signed by Slack's own library."""

    def send(self, body: bytes, kind: str, secret: str = SECRET, age: float = 0, **headers: str) -> Any:
        at = str(int(self.world.now.timestamp() - age))
        signature = SignatureVerifier(secret).generate_signature(timestamp=at, body=body)
        given = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": str(signature), **headers}
        return self.browser.post(self.path, body, content_type=kind, headers=given)

    def event(self, **event: Any) -> Any:
        more = {name: event.pop(name) for name in ("secret", "age", "retry") if name in event}
        headers = {"X-Slack-Retry-Num": "1"} if more.pop("retry", False) else {}
        payload = {"type": "event_callback", "team_id": "T061EG9R6", "event_id": "Ev1", "event": event}
        return self.send(json.dumps(payload).encode(), "application/json", **more, **headers)

    def says(self, user: str, text: str, ts: str, thread: str = "", **more: Any) -> Any:
        place = {"thread_ts": thread} if thread else {}
        return self.event(**{"type": "message", "channel": "C1", "user": user, "text": text, "ts": ts, **place, **more})

    def mentions(self, user: str, text: str, ts: str = "1772528300.000100", **more: Any) -> Any:
        return self.says(user, f"<@UBOT> {text}", ts, **{"type": "app_mention", **more})

    def command(self, user: str, text: str, trigger: str = "t1", **more: Any) -> Any:
        fields = {
            "command": "/watchbill", "text": text, "user_id": user, "user_name": user.lower(), "channel_id": "C1",
            "trigger_id": trigger, "response_url": f"{self.vendor.url}/respond/{trigger}",
        }  # fmt: skip
        return self.send(urlencode(fields).encode(), "application/x-www-form-urlencoded", **more)
