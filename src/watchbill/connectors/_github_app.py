"""Come in as a GitHub App: sign a short-lived token (JWT, RS256) and change it for one of the installation.

The token carries the time. It is taken from GitHub's own Date header, not from our clock: connectors read no clock,
and a server whose clock is wrong is the usual reason why GitHub refuses such a token.
"""

from __future__ import annotations

import base64
import json
import re
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from watchbill.connectors._calling import Api
from watchbill.core.foreign import read_fields, read_text
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----(.*?)-----END \1-----", re.DOTALL)
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
    if not (settings.app_id and settings.installation and settings.private_key.get_secret_value()):
        text = "GitHub needs a token, or an App's id, its installation's id and its private key"
        raise DeliveryFailed(text, permanent=True)
    signed = sign(settings, _their_time(settings, client))
    api = Api(client, settings.api, {"Authorization": f"Bearer {signed}", "Accept": "application/vnd.github+json"})
    said = read_fields(api.call("POST", f"/app/installations/{settings.installation}/access_tokens"))
    token = read_text(said.get("token"))
    if not token:
        raise DeliveryFailed("GitHub did not give a token for this installation")
    return token


def sign(settings: AppSettings, seconds: int) -> str:
    """Sign an App's token at a time in Unix seconds; raises DeliveryFailed for what is no private key."""
    claims = {"iat": seconds - BACKDATED, "exp": seconds + LASTS, "iss": settings.app_id}
    text = f"{_encode({'alg': 'RS256', 'typ': 'JWT'})}.{_encode(claims)}"
    signature = _key(settings.private_key.get_secret_value()).sign(text.encode(), padding.PKCS1v15(), SHA256())
    return f"{text}.{_base64(signature)}"


def _key(text: str) -> rsa.RSAPrivateKey:
    found = PEM.search(text)
    # A form's single line has lost the line ends of the file.
    tidy = f"-----BEGIN {found[1]}-----\n{''.join(found[2].split())}\n-----END {found[1]}-----\n" if found else text
    try:
        key = load_pem_private_key(tidy.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise DeliveryFailed("The App's private key is not the text of its .pem file", permanent=True)
    return key


def _their_time(settings: AppSettings, client: Client) -> int:
    """Read GitHub's clock; this call counts against no limit and needs nobody signed in."""
    said = client.get(f"{settings.api.rstrip('/')}/rate_limit", timeout=20.0).headers.get("date", "")
    try:
        return int(parsedate_to_datetime(said).timestamp())
    except ValueError:
        raise DeliveryFailed(f"GitHub's answer has no time in it: {said[:60]}") from None


def _encode(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
