"""Web Push, the whole way: a browser's keys, a push service that hears it, a browser that reads it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from time import time

import http_ece
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from py_vapid import Vapid02
from pydantic import ValidationError

from tests.channels.world import BROWSER, KEYS, PAGE, address_for, encode, settings_for
from tests.egress.outside import HERE, Heard, Host, Say, http_host
from watchbill.channels import Message, read_address, send, webpush
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Refused

SETTINGS = webpush.Settings.model_validate(settings_for("webpush", 0))


def read(heard: Heard) -> dict[str, str]:
    """Do what the browser does with what arrives."""
    opened = http_ece.decrypt(heard.body, private_key=BROWSER.key, auth_secret=BROWSER.auth, version="aes128gcm")
    told: dict[str, str] = json.loads(opened)
    return told


def push(host: Host, message: Message = PAGE) -> Heard:
    send("webpush", message, address_for("webpush", host.url()), settings_for("webpush", 0), Client(HERE))
    return host.heard[-1]


def test_only_the_browser_can_read_the_page_and_the_push_service_knows_who_sent_it() -> None:
    with http_host(lambda heard: Say(201, b"", {"Location": "https://push.example/m/abc123"})) as host:
        receipt = send("webpush", PAGE, address_for("webpush", host.url()), settings_for("webpush", 0), Client(HERE))
    heard = host.heard[0]
    told = read(heard)
    assert (told["title"], told["link"], told["action"]) == ("Disk full on db1", PAGE.link, "Answer this page")
    assert told["body"] == PAGE.text
    assert PAGE.subject.encode() not in heard.body
    assert (heard.headers["ttl"], heard.headers["urgency"], heard.headers["content-encoding"]) == (
        "14400",
        "high",
        "aes128gcm",
    )
    assert len(heard.headers["topic"]) == 32
    assert receipt.reference == "abc123"

    authorization = heard.headers["authorization"]
    assert Vapid02.verify(authorization)
    token, key = (part.partition("=")[2] for part in authorization.removeprefix("vapid ").split(","))
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["aud"] == f"http://127.0.0.1:{host.port}"
    assert claims["sub"] == "mailto:ops@example.org"
    assert time() < claims["exp"] < time() + 24 * 3600, "RFC 8292: not more than a day"
    assert key.rstrip("=") == KEYS.public_key


def test_a_second_copy_takes_the_place_of_the_first() -> None:
    with http_host(lambda heard: Say(201)) as host:
        first, again, other = push(host), push(host), push(host, Message("page-7-42-3", "a", "b"))
    assert first.headers["topic"] == again.headers["topic"] != other.headers["topic"]
    assert read(first)["tag"] == read(again)["tag"] != read(other)["tag"]
    assert first.body != again.body, "never the same salt twice"


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_unsubscribed_is_a_failure_for_good(status: int) -> None:
    with http_host(lambda heard: Say(status)) as host, pytest.raises(DeliveryFailed) as failed:
        push(host)
    assert failed.value.permanent


@given(st.text(max_size=6000), st.text(max_size=400))
@settings(deadline=None, max_examples=40)
def test_the_payload_always_fits(text: str, subject: str) -> None:
    sealed = webpush._encrypt(webpush._payload(Message("k", subject, text, PAGE.link)), read_webpush())
    assert len(sealed) <= 4096


def read_webpush() -> webpush.Address:
    return webpush.Address.model_validate(address_for("webpush", "https://push.example/"))


def test_the_keys_made_here_are_the_keys_the_page_gives_out() -> None:
    assert webpush.public_key(SETTINGS) == KEYS.public_key
    assert len(urlsafe_b64decode(KEYS.public_key + "=")) == 65
    pem = Vapid02.from_string(KEYS.private_key).private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    assert (
        webpush.public_key(webpush.Settings(private_key=pem.decode(), subject="mailto:a@b.example")) == KEYS.public_key
    )


def test_what_the_browser_gives_becomes_an_address() -> None:
    subscription = {
        "endpoint": "https://push.example/x",
        "expirationTime": None,
        "keys": {"p256dh": BROWSER.point, "auth": encode(BROWSER.auth)},
    }
    address = read_address("webpush", webpush.read_subscription(subscription, "Ana's phone"))
    assert address.shown() == "Ana's phone (push.example)"  # type: ignore[attr-defined]
    with pytest.raises(Refused):
        webpush.read_subscription({"endpoint": "https://push.example/x"}, "")
    with pytest.raises(ValidationError):
        read_address("webpush", webpush.read_subscription({"keys": {}}, ""))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("p256dh", encode(b"\x04" + b"\x01" * 64)),
        ("p256dh", encode(b"\x04")),
        ("p256dh", "ż"),
        ("auth", "short"),
        ("endpoint", "ftp://a.example"),
        ("endpoint", ""),
    ],
)
def test_keys_that_cannot_encrypt_are_refused_at_once(field: str, value: str) -> None:
    with pytest.raises(ValidationError, match=field):
        read_address("webpush", {**address_for("webpush", "https://push.example/"), field: value})


def test_an_endpoint_that_cannot_be_signed_for_is_a_failure_for_good() -> None:
    address = address_for("webpush", "https://[2606:4700::1111]/")
    with pytest.raises(DeliveryFailed, match="signed") as failed:
        send("webpush", PAGE, address, settings_for("webpush", 0), Client())
    assert failed.value.permanent
