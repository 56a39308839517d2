"""Zoom: a meeting for each call, made as a Server-to-Server OAuth app (developers.zoom.us/docs/internal-apps).

A token is asked for with each call and lasts an hour. The meeting is one without a fixed time, so that its address
still opens when an incident goes on for days.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field, SecretStr

from watchbill.connectors import Api, CallRoom, Connected
from watchbill.core.foreign import read_fields, read_key, read_text, read_url
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

TITLE = "Zoom"
PORT = "call"
HEADERS: tuple[str, ...] = ()
EXAMPLES: tuple[Any, ...] = ()
NO_FIXED_TIME = 3
MAY_MAKE_MEETINGS = "meeting:write"
HELP = """At marketplace.zoom.us: Develop > Build app > Server-to-Server OAuth app.

  App credentials   account ID, client ID and client secret: enter them here
  Scopes            meeting:write:meeting:admin (or meeting:write:admin, of the older kind)
  Activation        activate the app, or no token is given

Whoever hosts the meetings needs no seat in them: people may enter before the host. One host holds one meeting at a
time (two with some licences): name a user of its own here if several incidents may run at once.
"""


class Settings(Connected):
    """As which app we come in, and whose meetings they are."""

    account: str = Field(pattern=r"^[\w.-]+$", max_length=100, title="Account ID")
    client_id: str = Field(pattern=r"^[\w.-]+$", max_length=100, title="Client ID")
    client_secret: SecretStr = Field(max_length=200, title="Client secret")
    host: str = Field(
        "me",
        min_length=2,
        max_length=200,
        title="Host of the meetings",
        description="The mail address of a Zoom user; me: whoever owns the app.",
    )
    api: str = Field("https://api.zoom.us", title="Address of the API")
    auth: str = Field("https://zoom.us", title="Address that gives tokens")

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"api": self.api, "auth": self.auth}


def check(settings: Settings, client: Client) -> str:
    """Say that we may make meetings; none is made."""
    scopes = read_text(_token(settings, client).get("scope"))
    if MAY_MAKE_MEETINGS not in scopes:
        raise DeliveryFailed(f"The app may not make meetings: it lacks the scope {MAY_MAKE_MEETINGS}", permanent=True)
    return f"Reached the account; meetings are held by {settings.host}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Refuse: Zoom calls nobody here."""
    return False


def open_call(settings: Settings, client: Client, title: str) -> CallRoom:
    """Make a meeting that everybody may enter who has its address; its passcode is in it."""
    token = read_text(_token(settings, client).get("access_token"))
    api = Api(client, settings.api, {"Authorization": f"Bearer {token}"})
    asked = {
        "topic": title,
        "type": NO_FIXED_TIME,
        "default_password": True,
        "settings": {"join_before_host": True, "waiting_room": False},
    }
    made = read_fields(api.call("POST", f"/v2/users/{quote(settings.host, safe='@')}/meetings", asked))
    url = read_url(made.get("join_url"))
    if not url:
        raise DeliveryFailed("Zoom made a meeting and did not say where it is")
    return CallRoom(read_key(made.get("id")), url)


def _token(settings: Settings, client: Client) -> dict[str, Any]:
    """Ask for a token; gives the answer with its scopes."""
    pair = base64.b64encode(f"{settings.client_id}:{settings.client_secret.get_secret_value()}".encode()).decode()
    api = Api(client, settings.auth, {"Authorization": f"Basic {pair}"})
    form = {"grant_type": "account_credentials", "account_id": settings.account}
    found = read_fields(api.fill("/oauth/token", form))
    if not read_text(found.get("access_token")):
        raise DeliveryFailed("Zoom did not give a token")
    return found
