"""Web Push: a notification on the phone or desk where a person has Watchbill open as an app.

No cloud of ours and no account: the browser's own push service carries a message that only that browser can
read (RFC 8030, 8188, 8291), signed with the instance's key (VAPID, RFC 8292). The libraries encrypt and sign;
the request is made by the guarded client like any other, because the endpoint is a URL that came from outside.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any, NamedTuple

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02, VapidException
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from watchbill.channels import Message, Receipt
from watchbill.channels._fields import (
    Name,
    SecretUrl,
    check_email,
    clean,
    digest,
    host_of,
    list_pages,
    one_line,
    web_link,
)
from watchbill.egress import Client, read_url, readable
from watchbill.kit.errors import DeliveryFailed, Refused

TITLE = "Push to this device"
HINT = "A browser that may notify you; on a phone, Watchbill added to the home screen."

BUNDLES = True
# Seconds that the push service keeps a message for a device that is off. A page that comes later than this is
# somebody else's by then.
LIVES = {"page": 4 * 3600, "code": 900, "test": 900, "notice": 24 * 3600}
URGENCY = {"important": "high", "default": "normal"}
# RFC 8030 lets a service refuse more than 4096 bytes; encryption takes about 100 of them.
PAYLOAD_BYTES = 3000
# A phone shows a handful of lines.
SHOWN = 800
TOKEN_LIVES = 12 * 3600
POINT_BYTES, AUTH_BYTES = 65, 16


class Keys(NamedTuple):
    """A VAPID key pair as base64url: the private one is a setting, the public one is given to browsers."""

    private_key: str
    public_key: str


class Address(BaseModel):
    """What the browser gave when it subscribed, and what the person calls the device."""

    model_config = ConfigDict(extra="forbid")

    endpoint: SecretUrl = Field(title="Endpoint")
    p256dh: str = Field(title="Key of the browser")
    auth: SecretStr = Field(title="Secret of the browser")
    device: Name = Field("this device", title="Device")

    @field_validator("p256dh")
    @classmethod
    def _check_point(cls, text: str) -> str:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _decode(text, POINT_BYTES))
        return text

    @field_validator("auth")
    @classmethod
    def _check_auth(cls, secret: SecretStr) -> SecretStr:
        _decode(secret.get_secret_value(), AUTH_BYTES)
        return secret

    def shown(self) -> str:
        """Give the device and whose push service it uses."""
        return f"{self.device} ({host_of(self.endpoint.get_secret_value())})"

    def urls(self) -> dict[str, str]:
        """Give the URLs that came from outside, by field."""
        return {"endpoint": self.endpoint.get_secret_value()}


class Settings(BaseModel):
    """The instance's VAPID key and whom a push service may write to when something is wrong."""

    model_config = ConfigDict(extra="forbid")

    private_key: SecretStr = Field(title="VAPID private key", description="PEM or base64url")
    subject: str = Field(title="Contact", description="mailto:ops@example.org")

    @field_validator("private_key")
    @classmethod
    def _check_key(cls, secret: SecretStr) -> SecretStr:
        _read_key(secret)
        return secret

    @field_validator("subject")
    @classmethod
    def _check_subject(cls, text: str) -> str:
        if text.startswith("mailto:"):
            return f"mailto:{check_email(text.removeprefix('mailto:'))}"
        raise ValueError("write mailto: and the address of who runs this instance")


def read_subscription(values: dict[str, Any], device: str) -> dict[str, Any]:
    """Turn the browser's `PushSubscription.toJSON()` into the values of an Address; raises Refused."""
    keys = values.get("keys")
    if not isinstance(keys, dict):
        raise Refused("This is not a push subscription: it has no keys", "keys")
    named = {"device": device} if device else {}
    return {"endpoint": values.get("endpoint"), "p256dh": keys.get("p256dh"), "auth": keys.get("auth"), **named}


def make_keys() -> Keys:
    """Make the key pair of a new instance. Whoever changes it later loses every subscription."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_numbers().private_value.to_bytes(32, "big")
    return Keys(_encode(private), _encode(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)))


def public_key(settings: Settings) -> str:
    """Give the public key that the page hands to the browser (`applicationServerKey`), as base64url."""
    point = _read_key(settings.private_key).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _encode(point)


def send(message: Message, address: Address, settings: Settings, http: Client) -> Receipt:
    """Hand one message to the browser's push service; raises DeliveryFailed. 404 and 410: it unsubscribed."""
    endpoint = address.endpoint.get_secret_value()
    headers = {
        **_signature(endpoint, settings),
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(LIVES[message.purpose]),
        "Urgency": URGENCY[message.urgency],
        # While the device is off, a second copy of a message takes the place of the first.
        "Topic": digest(message.key),
    }
    answer = http.deliver(endpoint, content=_encrypt(_payload(message), address), headers=headers)
    return Receipt(
        answer=f"{answer.status} {answer.text}".strip(),
        reference=readable(answer.headers.get("location", "").rpartition("/")[2], 200),
    )


def _payload(message: Message) -> bytes:
    told = {
        "title": one_line(message.subject, 200),
        "link": web_link(message.link),
        "tag": digest(message.key),
        "action": one_line(message.action, 60),
        "urgency": message.urgency,
    }
    text = clean(message.text)
    if message.pages:
        # A notification has no links of its own: a tap opens the page where all of them are.
        text += "\n" + list_pages(message.pages, SHOWN, lambda page: one_line(page.subject, 120))
    room = PAYLOAD_BYTES - len(json.dumps(told).encode())
    while len(json.dumps(text).encode()) > max(room, 2):
        text = text[: len(text) * 3 // 4]
    return json.dumps({**told, "body": text}, separators=(",", ":")).encode()


def _encrypt(payload: bytes, address: Address) -> bytes:
    sealed: bytes = http_ece.encrypt(
        payload,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decode(address.p256dh, POINT_BYTES),
        auth_secret=_decode(address.auth.get_secret_value(), AUTH_BYTES),
        version="aes128gcm",
    )
    return sealed


def _signature(endpoint: str, settings: Settings) -> dict[str, str]:
    # The push service holds this against its own clock and refuses more than 24 hours, so it is real time, and
    # half of that, because clocks differ. Nothing of ours is decided by it.
    expires = int(time.time()) + TOKEN_LIVES  # noqa: TID251
    claims = {"aud": read_url(endpoint).origin, "sub": settings.subject, "exp": expires}
    try:
        signed: dict[str, str] = _read_key(settings.private_key).sign(claims)
    except VapidException as error:
        raise DeliveryFailed(f"The push cannot be signed: {error}", permanent=True) from error
    return signed


def _read_key(secret: SecretStr) -> Vapid02:
    text = secret.get_secret_value().strip()
    try:
        return Vapid02.from_pem(text.encode()) if text.startswith("-----") else Vapid02.from_string(text)
    except (VapidException, ValueError, TypeError) as error:
        raise ValueError("this is not a VAPID private key (PEM or base64url)") from error


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str, length: int) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise ValueError("this is not base64url") from error
    if len(raw) != length:
        raise ValueError(f"this has {len(raw)} bytes and not {length}")
    return raw
