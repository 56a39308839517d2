"""A signed webhook: Watchbill posts JSON to a URL of yours, and you can tell that it was Watchbill.

What arrives:

    POST <your URL>
    Content-Type: application/json
    Idempotency-Key: page-7-41-3            the same for the same message; keep it to drop a second copy
    Watchbill-Signature: v1=<hex>           HMAC-SHA256 of `<Idempotency-Key>.<body>` under your secret

    {"action":"Answer this page","at":"2026-11-20T08:30:00+00:00","key":"page-7-41-3",
     "link":"https://watch.example/...","purpose":"page","subject":"...","text":"...","urgency":"important"}

Any 2xx means taken. 410 means never again; other 4xx (but 408, 425, 429) mean this one cannot be taken; all
else is tried again. `verify` below needs nothing of Watchbill: copy it into the program that receives.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from watchbill.channels import Message, Receipt
from watchbill.channels._fields import Name, Url, digest, host_of, one_line
from watchbill.egress import Client

TITLE = "Webhook"
HINT = "A program of yours that takes an HTTPS POST, and a secret that you both know."

SHORTEST_SECRET = 16
KEY_LIMIT = 200


class Address(BaseModel):
    """Where to post, and the secret that signs it."""

    model_config = ConfigDict(extra="forbid")

    url: Url = Field(title="URL")
    secret: SecretStr = Field(title="Secret", description="at least 16 characters; signs what is posted")
    name: Name = Field("", title="Name", description="what you call it")

    @field_validator("secret")
    @classmethod
    def _check_secret(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < SHORTEST_SECRET:
            raise ValueError("take at least 16 characters: whoever guesses it can pretend to be Watchbill")
        secret.get_secret_value().encode()
        return secret

    def shown(self) -> str:
        """Give the host; a path or a query often holds a token."""
        return f"{self.name} ({host_of(self.url)})" if self.name else host_of(self.url)

    def urls(self) -> dict[str, str]:
        """Give the URLs a person typed, by field."""
        return {"url": self.url}


def send(message: Message, address: Address, settings: BaseModel, http: Client) -> Receipt:
    """Post one message, signed; raises DeliveryFailed."""
    key = _key(message.key)
    body = _body(message, key)
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": key,
        "Watchbill-Signature": f"v1={sign(address.secret.get_secret_value(), key, body)}",
    }
    answer = http.deliver(address.url, content=body, headers=headers)
    return Receipt(
        answer=f"{answer.status} {answer.text}".strip(), reference=answer.headers.get("x-request-id", "")[:100]
    )


def sign(secret: str, key: str, body: bytes) -> str:
    """Give the signature of a body under its idempotency key, in hexadecimal."""
    return hmac.new(secret.encode(), key.encode() + b"." + body, hashlib.sha256).hexdigest()


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether Watchbill sent this; for the program that receives, with `body` as the bytes that came."""
    known = {name.lower(): value for name, value in headers.items()}
    key = known.get("idempotency-key", "")
    expected = hmac.new(secret.encode(), key.encode() + b"." + body, hashlib.sha256).hexdigest()
    given = known.get("watchbill-signature", "")
    return hmac.compare_digest(f"v1={expected}".encode(), given.encode())


def _key(key: str) -> str:
    """Give the key as a header can carry it: ours are plain ASCII already, anything else is named by its digest."""
    return key if key.isascii() and key == one_line(key, KEY_LIMIT) and key else digest(key)


def _body(message: Message, key: str) -> bytes:
    told = {
        "key": key,
        "subject": message.subject,
        "text": message.text,
        "link": message.link,
        "action": message.action,
        "urgency": message.urgency,
        "purpose": message.purpose,
        "at": message.at.isoformat() if message.at else None,
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")
