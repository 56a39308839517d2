"""docs/write-a-channel.md: its example is run as it stands there."""

from __future__ import annotations

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from tests.channels.world import PAGE
from tests.egress.outside import HERE, Heard, Say, http_host
from watchbill.channels import Receipt, all_channels, settings_of, to_plain
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

PAGE_OF_DOCS = Path(__file__).parents[2] / "docs" / "write-a-channel.md"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    code = re.findall(r"^```python\n(.*?)^```", PAGE_OF_DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(code) == 1
    file = tmp_path_factory.mktemp("docs") / "cellar_chat.py"
    file.write_text(code[0], encoding="utf-8")
    spec = spec_from_file_location("cellar_chat", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["cellar_chat"] = module
    spec.loader.exec_module(module)
    return module


def say(example: ModuleType, answer: Say) -> tuple[Receipt, Heard]:
    with http_host(lambda heard: answer) as host:
        address = example.Address.model_validate({"server": host.url("").rstrip("/"), "room": "ops", "token": "tk-123"})
        receipt: Receipt = example.send(PAGE, address, settings_of(example)(), Client(HERE))
    return receipt, host.heard[0]


def test_the_example_hands_a_message_over(example: ModuleType) -> None:
    receipt, heard = say(example, Say(201, b'{"event":"e-1"}'))
    assert (receipt.answer, receipt.reference) == ("201 written", "e-1")
    assert heard.path == "/rooms/ops/messages"
    assert heard.headers["idempotency-key"] == PAGE.key
    assert heard.headers["authorization"] == "Bearer tk-123"


@pytest.mark.parametrize(("answer", "permanent"), [(Say(500), False), (Say(403), True), (Say(200, b"<html>"), False)])
def test_the_example_keeps_the_contract(example: ModuleType, answer: Say, permanent: bool) -> None:
    with pytest.raises(DeliveryFailed) as failed:
        say(example, answer)
    assert failed.value.permanent is permanent


def test_the_example_keeps_its_secret(example: ModuleType) -> None:
    address = example.Address.model_validate({"room": "ops", "token": "tk-123"})
    assert address.shown() == "ops on https://chat.example"
    assert example.Address.model_validate(to_plain(address)) == address


def test_the_page_names_what_every_channel_has() -> None:
    words = PAGE_OF_DOCS.read_text(encoding="utf-8")
    for name in ("TITLE", "HINT", "Address", "Settings", "send", "shown()", "urls()"):
        assert f"`{name}`" in words
    for channel in all_channels().values():
        assert {"TITLE", "HINT", "Address", "send"} <= set(dir(channel))
