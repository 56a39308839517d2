"""What a decision may ask the outside world to do. Few and plain; a new kind gets a decision record.

A pure function in `core` or `rules` returns a list of these; the action that asked carries them out inside
the transaction in which it holds the subject's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Record:
    """Write one line in the log: what happened to the subject, and why; `at` when it happened before it is written."""

    kind: str
    why: str
    data: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True)
class Become:
    """Give the subject these new values: its state, its step, who answered."""

    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Notify:
    """Reach one person by their own rules for `urgency` ("important" or "default")."""

    person: int
    urgency: str
    why: str


@dataclass(frozen=True)
class SetTimer:
    """Wake the subject at `at` (UTC) for `kind`; replaces a timer of the same kind."""

    kind: str
    at: datetime


@dataclass(frozen=True)
class ClearTimer:
    """Forget the subject's timer of this kind; nothing happens if there is none."""

    kind: str


@dataclass(frozen=True)
class Start:
    """Start one of a short list of actions by its name, because a rule may not import an action."""

    action: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


Effect = Record | Become | Notify | SetTimer | ClearTimer | Start
