"""One file per monitoring tool: a payload becomes signals. Pure: no socket, no clock, no database.

To add a monitor, add one file here (docs/write-a-monitor.md has a whole one). It is found by its name; the address its
tool posts to is `/in/<file name>/<key>`. The file holds:

    TITLE      the tool's name, as a person reads it
    SET_UP     how to connect the tool, plain text; `{url}` and `{key}` stand for the person's own
    EXAMPLES   tuple of Example: payloads in the documented shape of the tool, with what must come out
    ADDRESS    optional: the path its tool posts to, when the tool itself dictates one ("/v2/enqueue");
               `{key}` in it stands for the key, without it the key comes in the payload
    Settings   optional pydantic model; what a person may set for one connection (a mapping, say)
    parse(payload, settings) -> list[Signal]
               `payload` is the decoded JSON; raises Unreadable(message, where) if it is not of this tool
    preview(payload, settings) -> Preview
               optional, for a monitor whose settings a person writes against a payload: what would come out

A foreign payload is anything: read it with the `read_...` functions below, which take any value, give back text
that every part of Watchbill can carry, and raise nothing but Unreadable. Raise Unreadable only when the payload is
not of this tool; an odd optional field never costs an alert. A fingerprint comes from the tool, or from what
makes the alert this alert (its labels), never from its sentence. A link is a pair (name, http address).

`tests/plugins/test_every_monitor.py` asks every file the same questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from watchbill.core.foreign import (
    digest_of,
    read_fields,
    read_key,
    read_labels,
    read_line,
    read_links,
    read_list,
    read_object,
    read_text,
    read_time,
    read_url,
    read_word,
)
from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.kit.plugins import find_plugins
from watchbill.monitors._changes import check_change, parse_change
from watchbill.monitors._reading import tidy

__all__ = [
    "Example",
    "NoSettings",
    "Preview",
    "Problem",
    "address_of",
    "all_monitors",
    "check_change",
    "digest_of",
    "parse",
    "parse_change",
    "read_fields",
    "read_key",
    "read_labels",
    "read_line",
    "read_links",
    "read_list",
    "read_object",
    "read_text",
    "read_time",
    "read_url",
    "read_word",
    "settings_of",
    "write_set_up",
]


class NoSettings(BaseModel):
    """For a monitor with nothing to set."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Example:
    """A payload of the documented shape and the signals it must become, as (state, fingerprint, title, severity)."""

    title: str
    payload: Any
    gives: tuple[tuple[str, str, str, str], ...]
    settings: dict[str, Any] | None = None


@dataclass(frozen=True)
class Problem:
    """What is wrong with one setting: the field, what the person wrote there, and the reason in words."""

    field: str
    expression: str
    message: str


@dataclass(frozen=True)
class Preview:
    """What a payload would become with the settings as they stand, and what does not work yet."""

    signals: tuple[Signal, ...]
    problems: tuple[Problem, ...]


def all_monitors() -> dict[str, ModuleType]:
    """Read every monitor there is, by name."""
    return find_plugins("watchbill.monitors")


def settings_of(monitor: ModuleType) -> type[BaseModel]:
    """Give the settings model of a monitor."""
    model: type[BaseModel] = getattr(monitor, "Settings", NoSettings)
    return model


def address_of(name: str, key: str) -> str:
    """Give the path that the tool of the monitor called `name` posts to, with the key of one connection."""
    pattern: str = getattr(all_monitors()[name], "ADDRESS", f"/in/{name}/{{key}}")
    return pattern.replace("{key}", key)


def write_set_up(name: str, base: str, key: str) -> str:
    """Write how to connect the tool called `name`; `base` is the address of this Watchbill, https://host."""
    text: str = all_monitors()[name].SET_UP
    return text.replace("{url}", base.rstrip("/") + address_of(name, key)).replace("{key}", key)


def parse(name: str, payload: object, settings: dict[str, Any]) -> list[Signal]:
    """Read a payload with the monitor called `name`; every part of a signal is in its bounds.

    Raises Unreadable, also when the stored settings are no longer valid: the payload waits until they are mended.
    """
    monitor = all_monitors()[name]
    try:
        valid = settings_of(monitor).model_validate(settings)
    except ValidationError as failure:
        wrong = failure.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(["settings", *map(str, wrong["loc"])])
        raise Unreadable(f"the settings of this connection are not valid: {where}: {wrong['msg']}", where) from failure
    signals: list[Signal] = monitor.parse(payload, valid)
    return [tidy(signal) for signal in signals]
