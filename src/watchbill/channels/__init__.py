"""One file per way to reach a person. It says what an address looks like and hands one message over.

To add a channel, add one file here. The file holds:

    TITLE      the channel's name, as a person reads it
    HINT       one sentence: what a person needs to have for it
    Address    pydantic model: the form, the API schema and the check all come from it; secret parts are
               SecretStr; `shown()` gives the text that lists it without its secrets
    Settings   optional pydantic model: what the operator sets once for the whole instance (a mail server)
    send(message, address, settings, http) -> Receipt
               hands one message over; every I/O error becomes DeliveryFailed(permanent=...), because one
               that leaks would stop a worker

`http` is the one way out to an address that a person typed (watchbill.egress). A channel reads no clock and
keeps no state. `tests/plugins/test_every_plugin.py` asks every file the same questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from watchbill.egress import Client
from watchbill.kit.plugins import find_plugins


class NoSettings(BaseModel):
    """For a channel with nothing for the operator to set."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Message:
    """What is to reach a person. `key` stays the same when the same message must leave twice.

    `link` opens the page that answers; `action` is the word on its button ("Answer this page").
    """

    key: str
    subject: str
    text: str
    link: str = ""
    action: str = ""
    urgency: Literal["important", "default"] = "default"
    purpose: Literal["page", "notice", "code", "test"] = "page"


@dataclass(frozen=True)
class Receipt:
    """What the vendor said when it took the message: its own words, and its reference if it gave one."""

    answer: str
    reference: str = ""


def all_channels() -> dict[str, ModuleType]:
    """Read every channel there is, by name."""
    return find_plugins("watchbill.channels")


def settings_of(channel: ModuleType) -> type[BaseModel]:
    """Give the operator's settings model of a channel."""
    model: type[BaseModel] = getattr(channel, "Settings", NoSettings)
    return model


def read_address(name: str, values: dict[str, Any]) -> BaseModel:
    """Check an address against its channel's form; raises pydantic.ValidationError."""
    address: BaseModel = all_channels()[name].Address.model_validate(values)
    return address


def send(name: str, message: Message, address: dict[str, Any], settings: dict[str, Any], http: Client) -> Receipt:
    """Hand one message over through the channel called `name`; raises DeliveryFailed."""
    channel = all_channels()[name]
    receipt: Receipt = channel.send(
        message, channel.Address.model_validate(address), settings_of(channel).model_validate(settings), http
    )
    return receipt
