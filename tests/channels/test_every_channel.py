"""The same questions to every channel: no secret is shown, nothing but DeliveryFailed comes out, `permanent` is right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from tests.channels.world import PAGE, address_for, settings_for
from tests.egress.outside import HERE, Heard, Host, Say, closed_port, http_host, raw_host
from watchbill import channels
from watchbill.channels import Listed, Message, all_channels, check_address, read_address, send, settings_of, to_plain
from watchbill.channels import email as email_channel
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Refused

NAMES = sorted(all_channels())
BY_HTTP = [name for name in NAMES if name != "email"]
HTTP = Client(HERE)


class QuickClient(Client):
    """The real client, in a hurry: no test waits five seconds for a host that hangs."""

    def request(self, method: str, url: str, **more: Any) -> Any:
        return super().request(method, url, **{**more, "timeout": 0.3})


def deliver(name: str, host: Host, message: Message = PAGE, http: Client = HTTP) -> channels.Receipt:
    return send(name, message, address_for(name, host.url()), settings_for(name, host.port), http)


def taken(heard: Heard) -> Say:
    """Answer as a vendor who took the message."""
    return Say(201 if "push" in heard.path else 200, b'{"id":"m1"}' if heard.path == "/" else b"ok")


def test_the_five_channels_are_there() -> None:
    assert NAMES == ["email", "ntfy", "slack", "webhook", "webpush"]


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract(name: str) -> None:
    channel = all_channels()[name]
    assert channel.TITLE
    assert channel.HINT.endswith(".")
    for model in (channel.Address, settings_of(channel)):
        assert issubclass(model, BaseModel)
        assert model.model_config["extra"] == "forbid"
    assert set(channel.Address.model_json_schema()["properties"]) == set(address_for(name, "https://a.example/"))


@pytest.mark.parametrize("name", NAMES)
def test_an_address_is_the_same_after_it_was_stored(name: str) -> None:
    address = read_address(name, address_for(name, "https://a.example/"))
    plain = to_plain(address)
    assert read_address(name, plain) == address
    assert plain == address_for(name, "https://a.example/")


@pytest.mark.parametrize("name", NAMES)
def test_settings_are_the_same_after_they_were_stored(name: str) -> None:
    model = settings_of(all_channels()[name])
    known = model.model_validate(settings_for(name, 25))
    assert model.model_validate(to_plain(known)) == known


def secrets_of(address: BaseModel) -> list[str]:
    return [value.get_secret_value() for _, value in address if isinstance(value, SecretStr)]


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_shown(name: str) -> None:
    address = read_address(name, address_for(name, "https://a.example/"))
    shown = address.shown()  # type: ignore[attr-defined]
    assert shown
    for told in (shown, repr(address), str(address), address.model_dump_json()):
        assert not [secret for secret in secrets_of(address) if secret in told]
    assert "token=abc" not in shown


@pytest.mark.parametrize("name", NAMES)
def test_an_address_takes_no_field_that_it_does_not_know(name: str) -> None:
    with pytest.raises(ValidationError, match="colour"):
        read_address(name, {**address_for(name, "https://a.example/"), "colour": "red"})


@pytest.mark.parametrize("name", NAMES)
@given(text=st.text(max_size=60))
@settings(max_examples=25, deadline=None)
def test_whatever_a_person_types_is_an_address_or_a_validation_error(name: str, text: str) -> None:
    for field in address_for(name, "https://a.example/"):
        try:
            address = read_address(name, {**address_for(name, "https://a.example/"), field: text})
        except ValidationError:
            continue
        assert read_address(name, to_plain(address)) == address
        assert address.shown()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", BY_HTTP)
def test_a_url_that_may_not_be_called_is_refused_where_it_is_typed(name: str) -> None:
    for url in ("http://10.1.2.3/", "https://169.254.169.254/"):
        with pytest.raises(Refused) as refused:
            check_address(name, address_for(name, url), Client())
        assert refused.value.field in address_for(name, url)
    check_address(name, address_for(name, "http://127.0.0.1:8080/"), HTTP)


@pytest.mark.parametrize("name", BY_HTTP)
def test_a_url_that_may_not_be_called_is_a_failure_for_good(name: str) -> None:
    with http_host(taken) as host, pytest.raises(DeliveryFailed, match="loopback") as failed:
        deliver(name, host, http=Client())
    assert failed.value.permanent
    assert host.heard == []


@pytest.mark.parametrize("name", BY_HTTP)
def test_a_message_is_taken(name: str) -> None:
    with http_host(taken) as host:
        receipt = deliver(name, host)
    assert receipt.answer.startswith(("200", "201"))
    assert len(host.heard) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_dead_host_is_a_failure_for_now(name: str) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        deliver(name, Host(closed_port()))
    assert not failed.value.permanent


@pytest.mark.parametrize("name", NAMES)
def test_a_host_that_hangs_is_a_failure_for_now(name: str) -> None:
    with raw_host(None) as host, pytest.raises(DeliveryFailed) as failed:
        deliver(name, host, http=QuickClient(HERE))
    assert not failed.value.permanent


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "said", [b"", b"\x00\xff" * 300, b"hello\r\n" * 3, b"x" * 20_000, b"HTTP/1.1 \r\n\r\n", b"220-\r\n220 \xff\r\n"]
)
def test_a_garbage_answer_is_a_failure_for_now(name: str, said: bytes) -> None:
    with raw_host(said) as host, pytest.raises(DeliveryFailed) as failed:
        deliver(name, host, http=QuickClient(HERE))
    assert not failed.value.permanent
    assert "\x00" not in failed.value.message


@pytest.mark.parametrize("name", BY_HTTP)
@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (401, True), (403, True), (404, True), (410, True), (413, True),
     (408, False), (425, False), (429, False), (500, False), (502, False), (503, False), (504, False)],
)  # fmt: skip
def test_each_status_is_a_failure_for_good_or_for_now(name: str, status: int, permanent: bool) -> None:
    with http_host(lambda heard: Say(status, b"the vendor's words")) as host, pytest.raises(DeliveryFailed) as failed:
        deliver(name, host)
    assert failed.value.permanent is permanent
    assert str(status) in failed.value.message
    assert "the vendor's words" in failed.value.message


@pytest.mark.parametrize("name", ["ntfy", "slack"])
def test_a_page_of_a_portal_is_not_taken_for_the_vendor(name: str) -> None:
    portal = Say(200, b"<html>Sign in to the hotel's network")
    with http_host(lambda heard: portal) as host, pytest.raises(DeliveryFailed, match="hotel") as failed:
        deliver(name, host)
    assert not failed.value.permanent


def try_it(name: str, host: Host, message: Message) -> channels.Receipt | DeliveryFailed:
    try:
        return deliver(name, host, message)
    except DeliveryFailed as failed:
        return failed


def test_nothing_but_a_receipt_or_a_delivery_failed_ever_comes_out() -> None:
    said = [Say()]
    with http_host(lambda heard: said[0]) as host:

        @given(
            st.sampled_from(BY_HTTP),
            st.integers(200, 599),
            st.binary(max_size=100),
            st.sampled_from([{}, {"Location": "http://169.254.169.254/"}, {"Location": "::"}, {"Retry-After": "soon"}]),
            st.text(max_size=30),
        )
        @settings(max_examples=120, deadline=None)
        def ask(name: str, status: int, body: bytes, headers: dict[str, str], text: str) -> None:
            said[0] = Say(status, body, headers)
            message = Message(key=text, subject=text, text=text, link=text, action=text)
            came = try_it(name, host, message)
            if isinstance(came, DeliveryFailed):
                assert came.message
                assert not came.permanent or 300 <= status < 500
            else:
                assert 200 <= status < 300
                assert "\x00" not in came.answer

        ask()


@pytest.mark.parametrize(
    ("name", "address", "operator", "says"),
    [
        ("pigeon", {}, {}, "no channel called pigeon"),
        ("webhook", {"url": "https://a.example", "secret": "short"}, {}, "This Webhook address cannot be used: secret"),
        ("email", {"email": "ana@example.org"}, {}, "E-mail is not set up here: host"),
        (
            "email",
            {"email": "ana@example.org"},
            {"host": "a", "sender": "s@a.b", "port": "secret"},
            "not set up here: port",
        ),
        (
            "webpush",
            address_for("webpush", "https://a.example/"),
            {"private_key": "secret", "subject": "mailto:a@b.c"},
            "private_key",
        ),
    ],
)
def test_what_cannot_work_is_a_failure_for_good_that_tells_no_secret(
    name: str, address: dict[str, Any], operator: dict[str, Any], says: str
) -> None:
    with pytest.raises(DeliveryFailed, match=says) as failed:
        send(name, PAGE, address, operator, HTTP)
    assert failed.value.permanent
    assert "short" not in failed.value.message
    assert "'secret'" not in failed.value.message


def test_a_person_may_get_several_pages_in_one_message_and_a_program_never() -> None:
    assert {name for name in NAMES if channels.bundles(name)} == {"email", "ntfy", "slack", "webpush"}


@pytest.mark.parametrize("many", [2, 300])
@pytest.mark.parametrize("name", ["ntfy", "slack"])
def test_a_bundle_shows_each_page_with_its_link_and_says_how_many_do_not_fit(name: str, many: int) -> None:
    pages = tuple(Listed(f"Disk {n} | <full>", f"https://watch.example/a/signed:{n:04}") for n in range(many))
    bundle = replace(PAGE, subject=f"{many} pages", text=f"{many} pages ask for you", pages=pages)
    with http_host(taken) as host:
        deliver(name, host, bundle)
    body = host.heard[0].body.decode()
    shown = sum(page.link in body for page in pages)
    assert shown == many or (shown > 5 and f"and {many - shown} more" in body)
    assert many > 2 or shown == 2
    assert len(body) < 12_000


def test_a_bundle_by_mail_shows_each_page_with_its_link() -> None:
    pages = tuple(Listed(f"Disk {n} <full>", f"https://watch.example/a/signed:{n:04}") for n in range(300))
    operator = email_channel.Settings.model_validate(settings_for("email", 25))
    address = email_channel.Address(email="ana@example.org")
    letter = email_channel.compose(replace(PAGE, pages=pages), address, operator)
    text, html = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert html is not None
    for page in pages:
        assert text.get_content().count(page.link) == 1
        assert html.get_content().count(f'href="{page.link}"') == 1
    assert "<full>" not in html.get_content()
