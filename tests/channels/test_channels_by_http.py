"""ntfy, Slack and the webhook: what each says to its vendor, word for word."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.channels.world import PAGE, address_for
from tests.egress.outside import HERE, Heard, Say, http_host
from watchbill.channels import Message, Receipt, read_address, send, slack, webhook
from watchbill.channels._fields import digest
from watchbill.channels.ntfy import _cut
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

OK = Say()


def say(name: str, message: Message = PAGE, answer: Say = OK, **more: Any) -> tuple[Heard, Receipt]:
    with http_host(lambda heard: answer) as host:
        receipt = send(name, message, {**address_for(name, host.url()), **more}, {}, Client(HERE))
    return host.heard[0], receipt


def test_ntfy_is_told_where_to_tap() -> None:
    heard, receipt = say("ntfy", answer=Say(200, b'{"id":"xE73Iyuabi","event":"message"}'))
    assert json.loads(heard.body) == {
        "topic": "wb-3kf9-secret",
        "title": "Disk full on db1",
        "message": PAGE.text,
        "priority": 5,
        "tags": ["rotating_light"],
        "click": PAGE.link,
        "actions": [{"action": "view", "label": "Answer this page", "url": PAGE.link, "clear": True}],
    }
    assert heard.headers["authorization"] == "Bearer tk_secret_token"
    assert heard.headers["x-sequence-id"] == digest(PAGE.key)
    assert receipt.reference == "xE73Iyuabi"


def test_ntfy_without_a_token_or_a_link() -> None:
    heard, _ = say("ntfy", Message("k", "Hello", ""), Say(200, b'{"id":"a"}'), token="")
    assert "authorization" not in heard.headers
    told = json.loads(heard.body)
    assert (told["message"], told["priority"]) == ("Hello", 3)
    assert "click" not in told


@given(st.text(max_size=6000))
@settings(deadline=None, max_examples=30)
def test_a_long_text_does_not_become_an_attachment(text: str) -> None:
    assert len(_cut(text).encode("utf-8", "replace")) <= 4096


@pytest.mark.parametrize("topic", ["", "a b", "a/b", "ż", "a" * 65, "a\nb"])
def test_a_topic_that_ntfy_does_not_know_is_refused(topic: str) -> None:
    with pytest.raises(ValidationError, match="topic"):
        read_address("ntfy", {"topic": topic})


def test_the_public_server_is_the_default_and_little_of_the_topic_is_shown() -> None:
    assert read_address("ntfy", {"topic": "watch-9f8e7d"}).shown() == "ntfy.sh, topic wat…"  # type: ignore[attr-defined]


def test_slack_gets_a_button_and_no_markup_of_strangers() -> None:
    heard, receipt = say(
        "slack", Message("k", "<!channel> & all", "ping <@U1> & <!here>", "https://w.example/?a=1&b=2", "Answer")
    )
    told = json.loads(heard.body)
    header, section, actions = told["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "<!channel> & all"}
    assert section["text"]["text"] == "ping &lt;@U1&gt; &amp; &lt;!here&gt;"
    assert actions["elements"][0]["url"] == "https://w.example/?a=1&b=2"
    assert told["text"].startswith("&lt;!channel&gt; &amp; all\n")
    assert told["text"].endswith("<https://w.example/?a=1&amp;b=2|Answer>")
    assert receipt.answer == "200 ok"


def test_slacks_limits_are_kept() -> None:
    heard, _ = say("slack", Message("k", "s" * 500, "<" * 5000, "https://w.example/", "a" * 200))
    header, section, actions = json.loads(heard.body)["blocks"]
    assert len(header["text"]["text"]) <= 150
    assert len(section["text"]["text"]) <= 3000
    assert len(actions["elements"][0]["text"]["text"]) <= 75


@pytest.mark.parametrize(
    ("status", "word", "permanent", "says"),
    [
        (404, b"no_service", True, "make a new one"),
        (403, b"invalid_token", True, "copy it again"),
        (403, b"action_prohibited", True, "administrator"),
        (404, b"channel_not_found", True, "another one"),
        (410, b"channel_is_archived", True, "archived"),
        (400, b"invalid_payload", True, "invalid_payload"),
        (429, b"rate_limited", False, "rate_limited"),
        (500, b"rollup_error", False, "rollup_error"),
    ],
)
def test_slacks_words_are_explained(status: int, word: bytes, permanent: bool, says: str) -> None:
    with pytest.raises(DeliveryFailed, match=says) as failed:
        say("slack", answer=Say(status, word))
    assert failed.value.permanent is permanent
    assert word.decode() in failed.value.message


def test_rocket_chat_answers_in_its_own_way() -> None:
    assert say("slack", answer=Say(200, b'{"success":true}'))[1].answer == '200 {"success":true}'


def test_a_page_of_slack_is_not_its_webhook() -> None:
    with pytest.raises(ValidationError, match="page of Slack"):
        read_address("slack", {"webhook": "https://app.slack.com/client/T0/C0"})
    shown = slack.Address(webhook="https://hooks.slack.com/services/T0/B0/xyz", name="#ops").shown()
    assert shown == "#ops (hooks.slack.com)"


def test_a_webhook_can_be_verified_and_nothing_else_can() -> None:
    heard, receipt = say("webhook", answer=Say(202, b"queued", {"X-Request-Id": "r-1"}))
    secret = address_for("webhook", "https://a/")["secret"]
    assert webhook.verify(secret, heard.headers, heard.body)
    assert not webhook.verify("another secret of mine", heard.headers, heard.body)
    assert not webhook.verify(secret, heard.headers, heard.body + b" ")
    assert not webhook.verify(secret, {**heard.headers, "idempotency-key": "another"}, heard.body)
    assert not webhook.verify(secret, {**heard.headers, "watchbill-signature": "v1=ż"}, heard.body)
    assert not webhook.verify(secret, {}, heard.body)
    assert heard.headers["idempotency-key"] == PAGE.key
    assert json.loads(heard.body) == {
        "key": PAGE.key, "subject": PAGE.subject, "text": PAGE.text, "link": PAGE.link, "action": "Answer this page",
        "urgency": "important", "purpose": "page", "at": "2026-11-20T08:30:00+00:00",
    }  # fmt: skip
    assert (receipt.answer, receipt.reference) == ("202 queued", "r-1")


def test_a_retry_is_the_same_to_the_last_byte() -> None:
    first, again = say("webhook")[0], say("webhook")[0]
    assert (first.body, first.headers["watchbill-signature"]) == (again.body, again.headers["watchbill-signature"])


def test_a_receiver_can_copy_verify_as_it_stands() -> None:
    source = "import hashlib, hmac\nfrom collections.abc import Mapping\n" + inspect.getsource(webhook.verify)
    theirs: dict[str, Any] = {}
    exec(source, theirs)
    heard, _ = say("webhook")
    assert theirs["verify"]("a secret of sixteen", heard.headers, heard.body)


@given(st.text(max_size=300))
@settings(deadline=None)
def test_any_key_fits_into_a_header(key: str) -> None:
    plain = webhook._key(key)
    assert plain
    assert plain.isascii()
    assert plain.isprintable()
    assert plain == plain.strip()


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="16 characters"):
        read_address("webhook", {"url": "https://a.example/", "secret": "fifteen chars.."})
