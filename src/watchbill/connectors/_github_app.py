"""Come in as a GitHub App: sign a short-lived token and change it for one of the installation."""

from __future__ import annotations

from typing import Protocol

from pydantic import SecretStr

from watchbill.connectors._calling import Api
from watchbill.connectors._jwt import read_their_time, sign
from watchbill.core.foreign import read_fields, read_text
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

BACKDATED = 60
LASTS = 540


class AppSettings(Protocol):
    """What of the settings makes an App."""

    api: str
    app_id: str
    installation: str
    private_key: SecretStr


def installation_token(settings: AppSettings, client: Client) -> str:
    """Give a token of the installation, good for an hour. Raises DeliveryFailed."""
    key = settings.private_key.get_secret_value()
    if not (settings.app_id and settings.installation and key):
        text = "GitHub needs a token, or an App's id, its installation's id and its private key"
        raise DeliveryFailed(text, permanent=True)
    # This call counts against no limit and needs nobody signed in.
    now = read_their_time(client, f"{settings.api.rstrip('/')}/rate_limit")
    signed = sign({"iat": now - BACKDATED, "exp": now + LASTS, "iss": settings.app_id}, key)
    api = Api(client, settings.api, {"Authorization": f"Bearer {signed}", "Accept": "application/vnd.github+json"})
    said = read_fields(api.call("POST", f"/app/installations/{settings.installation}/access_tokens"))
    token = read_text(said.get("token"))
    if not token:
        raise DeliveryFailed("GitHub did not give a token for this installation")
    return token
