"""The same questions to every connector: the contract, its examples, broken payloads, dead and unhappy hosts."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from tests.connectors.world import settings_for
from tests.egress.outside import HERE, Say, closed_port, http_host, raw_host
from watchbill.connectors import PORTS, all_connectors, connectors_of, read_settings, write_help
from watchbill.connectors._ports import Call, Chat, Documents, Helpdesk, Tracker
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Unreadable

NAMES = sorted(all_connectors())
LISTENERS = [name for name in NAMES if all_connectors()[name].PORT in {"tracker", "helpdesk"}]
# What calls us; a wiki is only written to, a service for calls only asked.
CALLERS = [name for name in NAMES if all_connectors()[name].PORT not in {"documents", "call"}]
EXAMPLES = [(name, example) for name in NAMES for example in all_connectors()[name].EXAMPLES]
NEEDED = {"tracker": Tracker, "helpdesk": Helpdesk, "chat": Chat, "documents": Documents, "call": Call}
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HTTP = Client(HERE)


class QuickClient(Client):
    """The real client, in a hurry."""

    def request(self, method: str, url: str, **more: Any) -> Any:
        return super().request(method, url, **{**more, "timeout": 0.3})


def known(name: str, url: str = "https://there.example") -> Any:
    return read_settings(name, settings_for(name, url))


def test_the_trackers_are_there() -> None:
    """SYS-01: tickets are in Jira and in GitHub's issues."""
    assert set(connectors_of("tracker")) >= {"github", "gitlab", "jira"}


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract(name: str) -> None:
    module = all_connectors()[name]
    assert module.TITLE
    assert module.PORT in PORTS
    assert module.EXAMPLES or name not in CALLERS
    assert all(header == header.lower() for header in module.HEADERS)
    assert issubclass(module.Settings, BaseModel)
    assert module.Settings.model_config["extra"] == "forbid"
    wanted = {one for kind in NEEDED[module.PORT].__mro__ for one in vars(kind) if not one.startswith("_")}
    assert {one for one in wanted if not callable(getattr(module, one, None))} == set()


@pytest.mark.parametrize("name", CALLERS)
def test_its_help_names_the_persons_own_address(name: str) -> None:
    assert "https://watch.example/connect/abc/" in write_help(name, "https://watch.example/connect/abc/")


@pytest.mark.parametrize("name", NAMES)
def test_its_secrets_are_secret_and_nothing_unknown_is_taken(name: str) -> None:
    values = settings_for(name, "https://there.example")
    model = all_connectors()[name].Settings.model_validate(values)
    secrets = [value.get_secret_value() for _, value in model if isinstance(value, SecretStr)]
    assert any(secrets)
    assert not [secret for secret in secrets if secret and secret in repr(model)]
    assert set(model.urls()) <= set(type(model).model_fields)
    with pytest.raises(ValidationError, match="colour"):
        all_connectors()[name].Settings.model_validate({**values, "colour": "red"})


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{name}: {one.title}" for name, one in EXAMPLES])
def test_its_examples_hold(name: str, example: Any) -> None:
    module = all_connectors()[name]
    here = module.Settings.model_validate({**settings_for(name, "https://there.example"), **(example.settings or {})})
    came = module.parse(example.payload, dict(example.headers), here)
    if module.PORT == "chat":
        assert tuple((one.kind, one.room, one.author, one.text) for one in came) == example.gives
        return
    given_back = tuple(
        (one.kind, one.issue.ref, one.issue.state, one.comment.text if one.comment else "") for one in came
    )
    assert given_back == example.gives


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize("payload", [None, 7, "text", [], {"issue": 7}, {"object_kind": "issue"}, {"webhookEvent": 1}])
def test_a_payload_of_something_else_is_unreadable_or_nothing(name: str, payload: object) -> None:
    with contextlib.suppress(Unreadable):
        assert list(all_connectors()[name].parse(payload, {}, known(name))) == []
    if not isinstance(payload, dict):
        with pytest.raises(Unreadable):
            all_connectors()[name].parse(payload, {}, known(name))


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6)  # fmt: skip


@pytest.mark.parametrize("name", CALLERS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_broken_example_never_crashes_it(name: str, data: st.DataObject) -> None:
    module = all_connectors()[name]
    example = data.draw(st.sampled_from(module.EXAMPLES))
    broken = _broken(example.payload, data)
    here = module.Settings.model_validate({**settings_for(name, "https://there.example"), **(example.settings or {})})
    with contextlib.suppress(Unreadable):
        module.parse(broken, dict(example.headers), here)


def _broken(value: Any, data: st.DataObject) -> Any:
    """Replace one place of a payload, somewhere, by anything."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 4)):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _broken(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        return [_broken(value[0], data), *value[1:]]
    return data.draw(JSON)


@pytest.mark.parametrize("name", NAMES)
def test_a_dead_host_is_a_failure_for_now(name: str) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        all_connectors()[name].check(known(name, f"http://127.0.0.1:{closed_port()}"), HTTP)
    assert not failed.value.permanent


@pytest.mark.parametrize("name", NAMES)
def test_a_host_that_hangs_or_cuts_the_line_is_a_failure_for_now(name: str) -> None:
    for said in (None, b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"\x00\xff" * 300):
        with raw_host(said) as host, pytest.raises(DeliveryFailed) as failed:
            all_connectors()[name].check(known(name, host.url("")), QuickClient(HERE))
        assert not failed.value.permanent


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("status", "permanent"), [(401, True), (404, True), (429, False), (500, False), (502, False), (503, False)]
)
def test_each_unhappy_answer_is_a_failure_for_good_or_for_now(name: str, status: int, permanent: bool) -> None:
    unhappy = Say(status, b'{"message":"the vendor\'s words"}', {"Retry-After": "7"} if status == 429 else {})
    with http_host(lambda heard: unhappy) as host, pytest.raises(DeliveryFailed) as failed:
        all_connectors()[name].check(known(name, host.url("")), HTTP)
    assert failed.value.permanent is permanent
    assert str(status) in failed.value.message


@pytest.mark.parametrize("name", NAMES)
def test_a_page_of_a_portal_is_not_taken_for_the_vendor(name: str) -> None:
    portal = Say(200, b"<html>Sign in to the hotel's network")
    with http_host(lambda heard: portal) as host, pytest.raises(DeliveryFailed, match="hotel"):
        all_connectors()[name].check(known(name, host.url("")), HTTP)


@pytest.mark.parametrize("name", LISTENERS)
@pytest.mark.parametrize("said", [b"[]", b"{}", b"null", b"7", b'{"issues":7}', b'[{"number":"x"}]', b"[7]"])
def test_an_answer_of_another_shape_is_a_failure_and_never_a_crash(name: str, said: bytes) -> None:
    module = all_connectors()[name]
    with http_host(lambda heard: Say(200, said)) as host:
        here = known(name, host.url(""))
        with pytest.raises(DeliveryFailed):
            module.read(here, HTTP, "OPS-1" if name == "jira" else "example/infrastructure#1")
        with contextlib.suppress(DeliveryFailed):
            module.search(here, HTTP, "", "")


@pytest.mark.parametrize("name", NAMES)
def test_an_address_that_may_not_be_called_is_not_called(name: str) -> None:
    with http_host() as host, pytest.raises(DeliveryFailed, match="loopback") as failed:
        all_connectors()[name].check(known(name, host.url("")), Client())
    assert failed.value.permanent
    assert host.heard == []


@pytest.mark.parametrize("name", LISTENERS)
def test_a_webhook_of_a_stranger_is_not_verified(name: str) -> None:
    module = all_connectors()[name]
    headers = dict.fromkeys(module.HEADERS, "sha256=00")
    assert not module.verify(known(name), headers, b"{}", NOW)
    assert not module.verify(known(name), {}, b"{}", NOW)


def test_a_cloud_needs_an_account_and_a_data_center_only_a_token() -> None:
    values = {**settings_for("confluence", "https://there.example"), "email": ""}
    assert read_settings("confluence", {**values, "flavour": "data_center"}).email == ""
    with pytest.raises(DeliveryFailed, match="mail address of the account"):
        read_settings("confluence", values)


def test_settings_of_an_older_form_are_a_failure_for_good_that_tells_no_secret() -> None:
    with pytest.raises(DeliveryFailed, match="project") as failed:
        read_settings("jira", {"url": "https://there.example", "token": "tk_secret"})
    assert failed.value.permanent
    assert "tk_secret" not in failed.value.message
    with pytest.raises(DeliveryFailed, match="no connector called pigeon"):
        read_settings("pigeon", {})
