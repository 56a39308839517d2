"""Carry out what a decision asked for, inside the transaction that holds the subject's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model

from watchbill.actions.log import WATCHBILL, Actor, Subject, event_of, write_lines
from watchbill.actions.timers import clear_timer, set_timers
from watchbill.db.models import Event
from watchbill.kit.effects import Become, ClearTimer, Effect, Notify, Record, SetTimer, Start

Notifier = Callable[[Notify, Event], None]
Starters = Mapping[str, Callable[[Mapping[str, Any]], None]]


class Tray:
    """Lines and timers of many decisions, in their order, stored together: a hundred cost the statements of one."""

    def __init__(self) -> None:
        self.lines: list[Event] = []
        self.timers: list[tuple[Subject, str, datetime]] = []

    def write(self, line: Event) -> None:
        """Take a line; it has no id before `store`."""
        self.lines.append(line)

    def wake(self, subject: Subject, kind: str, at: datetime) -> None:
        """Take a timer."""
        self.timers.append((subject, kind, at))

    def store(self) -> None:
        """Write what was taken, lines first; the tray is empty afterwards."""
        write_lines(self.lines)
        set_timers(self.timers)
        self.lines, self.timers = [], []


class AtOnce(Tray):
    """A tray that stores each thing as it comes."""

    def write(self, line: Event) -> None:
        """Write a line."""
        write_lines([line])

    def wake(self, subject: Subject, kind: str, at: datetime) -> None:
        """Set a timer."""
        set_timers([(subject, kind, at)])


def carry_out(
    effects: Iterable[Effect],
    row: Model,
    subject: Subject,
    now: datetime,
    *,
    actor: Actor = WATCHBILL,
    notify: Notifier | None = None,
    starters: Starters | None = None,
    tray: Tray | None = None,
) -> None:
    """Write what the decision asked for, in its order. A message's key is made from the last line recorded before it.

    With a `tray`, lines and timers wait in it until the caller stores it; the line that `notify` gets has no id yet.
    """
    tray = tray or AtOnce()
    line: Event | None = None
    for effect in effects:
        match effect:
            case Record(kind, why, data, at):
                line = event_of(subject, kind, why, now, actor, data, at)
                tray.write(line)
            case Become(changes):
                _change(row, changes)
            case SetTimer(kind, at):
                tray.wake(subject, kind, at)
            case ClearTimer(kind):
                clear_timer(subject, kind)
            case Notify():
                if notify is None or line is None:
                    raise TypeError("a Notify needs a notifier, and a Record before it that says why")
                notify(effect, line)
            case Start(action, arguments):
                (starters or {})[action](arguments)


def _change(row: Model, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
