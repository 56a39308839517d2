"""One file per monitoring tool: a payload becomes signals. Pure: no socket, no clock, no database.

To add a monitor, add one file here. It is found by its name; the address its tool posts to is
`/in/<file name>/<key>`. The file holds:

    TITLE      the tool's name, as a person reads it
    SET_UP     how to connect the tool, plain text; `{url}` and `{key}` stand for the person's own
    EXAMPLES   tuple of Example: payloads in the documented shape of the tool, with what must come out
    Settings   optional pydantic model; what a person may set for one connection (a mapping, say)
    parse(payload, settings) -> list[Signal]
               `payload` is the decoded JSON; raises Unreadable(message, where) if it is not of this tool

`tests/plugins/test_every_plugin.py` asks every file the same questions.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict

from watchbill.core.signals import Signal
from watchbill.kit.plugins import find_plugins


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


def all_monitors() -> dict[str, ModuleType]:
    """Read every monitor there is, by name."""
    return find_plugins("watchbill.monitors")


def settings_of(monitor: ModuleType) -> type[BaseModel]:
    """Give the settings model of a monitor."""
    model: type[BaseModel] = getattr(monitor, "Settings", NoSettings)
    return model


def parse(name: str, payload: object, settings: dict[str, Any]) -> list[Signal]:
    """Read a payload with the monitor called `name`; raises Unreadable."""
    monitor = all_monitors()[name]
    signals: list[Signal] = monitor.parse(payload, settings_of(monitor).model_validate(settings))
    return signals
