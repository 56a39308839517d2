"""Google Meet: a space for each call (developers.google.com/workspace/meet/api, version 2).

We come in as a service account to which the administrator of the Workspace delegated one scope, on behalf of one user:
nobody has to click through a consent in a browser, and no refresh token can run out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from watchbill.connectors import Api, CallRoom, Connected
from watchbill.connectors._jwt import read_their_time, sign
from watchbill.core.foreign import read_fields, read_key, read_text, read_url
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

TITLE = "Google Meet"
PORT = "call"
HEADERS: tuple[str, ...] = ()
EXAMPLES: tuple[Any, ...] = ()
SCOPE = "https://www.googleapis.com/auth/meetings.space.created"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# What the assertion must name as its audience, wherever it is handed in.
AUDIENCE = "https://oauth2.googleapis.com/token"
BACKDATED = 60
LASTS = 540
HELP = """You need a Google Workspace, and an administrator of it for one step.

  console.cloud.google.com   a project: enable the "Google Meet REST API"; IAM > Service accounts: make one, without a
                             role; its Keys > Add key > JSON: the text of that file belongs here
  admin.google.com           Security > API controls > Domain-wide delegation > Add new:
                             the service account's client ID (a number, "client_id" in the file), with this scope alone:
                             https://www.googleapis.com/auth/meetings.space.created
  The user                   an account of the Workspace that may use Meet: rooms are opened in its name

With this scope the key can open rooms and change the rooms that it opened. "Try it" opens one.
"""


class Settings(Connected):
    """As which service account we come in, on whose behalf, and who may enter."""

    key_file: SecretStr = Field(
        max_length=4000, title="Key of the service account", description="The whole text of the .json file."
    )
    user: str = Field(
        pattern=r"^[^@\s]+@[^@\s]+$", max_length=200, title="User", description="Mail address; rooms are theirs."
    )
    access: Literal["as_the_workspace_has_it", "open", "trusted", "restricted"] = Field(
        "as_the_workspace_has_it",
        title="Who enters without being let in?",
        description="Open: whoever has the address; trusted: people of the Workspace; restricted: whoever is invited.",
    )
    api: str = Field("https://meet.googleapis.com", title="Address of the API")
    auth: str = Field("https://oauth2.googleapis.com", title="Address that gives tokens")

    @field_validator("key_file")
    @classmethod
    def _holds_a_key(cls, value: SecretStr) -> SecretStr:
        if not all(_key_of(value)):
            raise ValueError("this is not the JSON file of a service account's key")
        return value

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"api": self.api, "auth": self.auth}


def check(settings: Settings, client: Client) -> str:
    """Open a room: nothing less shows whether the API is enabled and whether the user may use Meet."""
    return f"Opened a room in the name of {settings.user}: {open_call(settings, client, '').url}"


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Refuse: Google calls nobody here."""
    return False


def open_call(settings: Settings, client: Client, title: str) -> CallRoom:
    """Make a space; Meet knows no titles."""
    config = {} if settings.access == "as_the_workspace_has_it" else {"config": {"accessType": settings.access.upper()}}
    api = Api(client, settings.api, {"Authorization": f"Bearer {_token(settings, client)}"})
    made = read_fields(api.call("POST", "/v2/spaces", config))
    url = read_url(made.get("meetingUri"))
    if not url:
        raise DeliveryFailed("Meet opened a room and did not say where it is")
    return CallRoom(read_key(made.get("name")), url)


def _token(settings: Settings, client: Client) -> str:
    """Hand in a signed assertion for a token of the user, which lasts an hour."""
    account, key = _key_of(settings.key_file)
    now = read_their_time(client, f"{settings.auth.rstrip('/')}/token")
    claims: dict[str, str | int] = {
        "iss": account, "sub": settings.user, "scope": SCOPE, "aud": AUDIENCE,
        "iat": now - BACKDATED, "exp": now + LASTS,
    }  # fmt: skip
    form = {"grant_type": GRANT, "assertion": sign(claims, key)}
    token = read_text(read_fields(Api(client, settings.auth).fill("/token", form)).get("access_token"))
    if not token:
        raise DeliveryFailed("Google did not give a token")
    return token


def _key_of(file: SecretStr) -> tuple[str, str]:
    """Give the account's name and its private key; empty where the file has none."""
    try:
        found = read_fields(json.loads(file.get_secret_value()))
    except ValueError:
        found = {}
    return read_text(found.get("client_email"), 200), read_text(found.get("private_key"))
