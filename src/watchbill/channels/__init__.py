"""One file per way to reach a person. It says what an address looks like and hands one message over.

To add a channel, add one file here. The file holds:

    TITLE      the channel's name, as a person reads it
    HINT       one sentence: what a person needs to have for it
    Address    pydantic model (extra="forbid"): the form, the API schema and the check all come from it;
               secret parts are SecretStr; `shown()` gives the text that lists it without its secrets;
               `urls()`, where a person typed any, gives them by field, so that a door can have them checked
    Settings   optional pydantic model: what the operator sets once for the whole instance (a mail server)
    send(message, address, settings, http) -> Receipt
               hands one message over; every I/O error becomes DeliveryFailed(permanent=...), because one
               that leaks would stop a worker
    BUNDLES    optional, True where a person reads: several pages that wait for one address leave as one message,
               and `send` shows each of `message.pages` with its link. A program wants one each, and so does a
               channel that says nothing
    Line       optional: a context manager made from the settings that keeps a connection open for several messages;
               `send` gets it as its last argument, and opens it again when it died

`http` is the one way out to an address that a person typed (watchbill.egress); `http.deliver(url, json=...)`
already turns every unhappy answer into DeliveryFailed. A channel decides nothing by a clock and keeps no state.
`tests/channels/test_every_channel.py` asks every file the same questions; docs/write-a-channel.md is the tour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SecretBytes, SecretStr, ValidationError
from pydantic_core import to_jsonable_python

from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed
from watchbill.kit.plugins import find_plugins


class NoSettings(BaseModel):
    """For a channel with nothing for the operator to set."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Listed:
    """One page of a message that carries several: its words, and the link that answers it alone."""

    subject: str
    link: str


@dataclass(frozen=True)
class Message:
    """What is to reach a person. `key` stays the same when the same message must leave twice.

    `link` opens the page that answers; `action` is the word on its button ("Answer this page"). `thread` is
    shared by the messages of one page, so that a mailbox shows them together. `at` (aware) is when it was
    written; a channel whose vendor wants a date takes it from here. `pages` lists the pages of a bundle, and `link`
    then leads to where all of them are; only a channel with BUNDLES ever gets one.
    """

    key: str
    subject: str
    text: str
    link: str = ""
    action: str = ""
    urgency: Literal["important", "default"] = "default"
    purpose: Literal["page", "notice", "code", "test"] = "page"
    thread: str = ""
    at: datetime | None = None
    pages: tuple[Listed, ...] = ()


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


def check_address(name: str, values: dict[str, Any], http: Client) -> BaseModel:
    """Check an address and that its URLs may be called; raises pydantic.ValidationError, or Refused with the field.

    This is for the door where a person types it; it looks names up, so it is not for a transaction.
    """
    address = read_address(name, values)
    urls: dict[str, str] = address.urls() if hasattr(address, "urls") else {}
    for field, url in urls.items():
        http.check(url, field)
    return address


def to_plain(model: BaseModel) -> dict[str, Any]:
    """Give an address or settings as plain JSON with the secrets in clear, to be stored encrypted and nowhere else.

    `Address.model_validate(to_plain(address))` gives the same address back.
    """
    plain: dict[str, Any] = to_jsonable_python(_reveal(model.model_dump()))
    return plain


def bundles(name: str) -> bool:
    """Tell whether several pages to one address may leave through this channel as one message."""
    return bool(getattr(all_channels().get(name), "BUNDLES", False))


def keeps_line(name: str) -> bool:
    """Tell whether this channel sends several messages over one connection."""
    return hasattr(all_channels().get(name), "Line")


Send = Callable[[Message, dict[str, Any]], Receipt]


@contextmanager
def open_line(name: str, settings: dict[str, Any], http: Client) -> Iterator[Send]:
    """Give a `send` for several messages through one channel; what it can keep open is closed at the end."""
    channel = all_channels().get(name)
    try:
        line = channel.Line(settings_of(channel).model_validate(settings)) if channel and keeps_line(name) else None
    except ValidationError:
        line = None  # `send` says what is wrong, for each message
    with line or nullcontext():
        yield lambda message, address: send(name, message, address, settings, http, line)


def send(
    name: str, message: Message, address: dict[str, Any], settings: dict[str, Any], http: Client, line: Any = None
) -> Receipt:
    """Hand one message over through the channel called `name`; raises DeliveryFailed and nothing else.

    A channel that is no longer installed, an address of an older form and settings that are missing are all
    failures for good: the next address of the person is tried at once.
    """
    channel = all_channels().get(name)
    if channel is None:
        raise DeliveryFailed(f"There is no channel called {name} here any more", permanent=True, operators=True)
    try:
        known_address = channel.Address.model_validate(address)
    except ValidationError as error:
        raise DeliveryFailed(f"This {channel.TITLE} address cannot be used: {_first(error)}", permanent=True) from None
    try:
        known_settings = settings_of(channel).model_validate(settings)
    except ValidationError as error:
        text = f"{channel.TITLE} is not set up here: {_first(error)}"
        raise DeliveryFailed(text, permanent=True, operators=True) from None
    more = () if line is None else (line,)
    receipt: Receipt = channel.send(message, known_address, known_settings, http, *more)
    return receipt


def _reveal(value: Any) -> Any:
    if isinstance(value, SecretStr | SecretBytes):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {key: _reveal(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_reveal(inner) for inner in value]
    return value


def _first(error: ValidationError) -> str:
    """Say the first thing that is wrong, never with the value: it may be a secret."""
    problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
