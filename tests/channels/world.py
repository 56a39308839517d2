"""What the tests of channels share: a message, an address of every channel, and its settings."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from watchbill.channels import Message, webpush

PAGE = Message(
    key="page-7-41-3",
    subject="Disk full on db1",
    text="The disk of db1 is 97 % full.\nRunbook: free space <now> & tell Ana.",
    link="https://watch.example/a/signed:once",
    action="Answer this page",
    urgency="important",
    purpose="page",
    thread="page-7",
    at=datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
)
KEYS = webpush.make_keys()


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass(frozen=True)
class Browser:
    """A browser that has subscribed: it keeps the private key and gives the public one away."""

    key: ec.EllipticCurvePrivateKey
    auth: bytes

    @property
    def point(self) -> str:
        return encode(self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


BROWSER = Browser(ec.generate_private_key(ec.SECP256R1()), b"sixteen bytes ok")


def settings_for(channel: str, port: int) -> dict[str, Any]:
    """Give what the operator would set, with a mail server on this port."""
    if channel == "email":
        return {
            "host": "127.0.0.1",
            "port": port,
            "security": "none",
            "sender": "Watch <watch@example.org>",
            "timeout": 0.4,
        }
    if channel == "webpush":
        return {"private_key": KEYS.private_key, "subject": "mailto:ops@example.org"}
    return {}


def address_for(channel: str, url: str) -> dict[str, Any]:
    """Give an address of a channel whose vendor is at this URL."""
    addresses: dict[str, dict[str, Any]] = {
        "email": {"email": "ana@example.org"},
        "ntfy": {"server": url, "topic": "wb-3kf9-secret", "token": "tk_secret_token"},
        "slack": {"webhook": f"{url}services/T0/B0/secret", "name": "#ops"},
        "webhook": {"url": f"{url}hook?token=abc", "secret": "a secret of sixteen", "name": "Ana's script"},
        "webpush": {
            "endpoint": f"{url}push/secret-endpoint",
            "p256dh": BROWSER.point,
            "auth": encode(BROWSER.auth),
            "device": "Ana's phone",
        },
    }
    return addresses[channel]
