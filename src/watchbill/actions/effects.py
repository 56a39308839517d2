"""Carry out what a decision asked for, inside the transaction that holds the subject's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model

from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.actions.timers import clear_timer, set_timer
from watchbill.db.models import Event
from watchbill.kit.effects import Become, ClearTimer, Effect, Notify, Record, SetTimer, Start

Notifier = Callable[[Notify, Event], None]
Starters = Mapping[str, Callable[[Mapping[str, Any]], None]]


def carry_out(
    effects: Iterable[Effect],
    row: Model,
    subject: Subject,
    now: datetime,
    *,
    actor: Actor = WATCHBILL,
    notify: Notifier | None = None,
    starters: Starters | None = None,
) -> None:
    """Write what the decision asked for, in its order. A message's key is made from the last line recorded before it."""
    line: Event | None = None
    for effect in effects:
        match effect:
            case Record(kind, why, data):
                line = record(subject, kind, why, now, actor, data)
            case Become(changes):
                _change(row, changes)
            case SetTimer(kind, at):
                set_timer(subject, kind, at)
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
