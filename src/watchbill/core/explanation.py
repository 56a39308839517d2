"""Why somebody was called: the log's lines of an alert and its page, told as one short chain of reasons.

The log says everything, in the order in which it happened. This picks what answers "why me, why now": received by,
read as, grouped into, held back by, asked through, because; and ends with what follows if nobody answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ALERT_KINDS = {
    "alert.silenced": "held back: {why}",
    "alert.waits": "{why}",
    "alert.listed": "{why}",
    "alert.recorded": "{why}",
    "alert.flapped": "opened again: {why}",
    "alert.worsened": "became worse: {why}",
    "alert.looked_again": "looked at again: {why}",
}
PAGE_KINDS = {
    "page.opened": "{why}",
    "page.step": "{why}",
    "page.step_skipped": "{why}",
    "page.asks_again": "asked again: {why}",
    "page.reassigned": "{why}",
    "page.help_asked": "{why}",
    "page.acknowledged": "{why}",
    "page.snoozed": "{why}",
    "delivery.sent": "handed over: {why}",
    "delivery.failed": "{why}",
    "delivery.told": "{why}",
    "delivery.nobody": "{why}",
}
FIRST, LAST = 6, 8


@dataclass(frozen=True)
class Line:
    """One line of the log, as the explanation needs it."""

    at: datetime
    kind: str
    why: str
    by: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """What arrived: when, through which connection of which tool."""

    at: datetime
    monitor: str
    connection: str


@dataclass(frozen=True)
class Reason:
    """One link of the chain. `at` None: it has not happened yet and may never."""

    at: datetime | None
    text: str


def explain(
    received: Received | None, alert: Iterable[Line], page: Iterable[Line], ahead: Sequence[Reason] = ()
) -> list[Reason]:
    """Tell why, oldest first: `alert` and `page` are the lines of each in their order, `ahead` is what follows.

    A long climb is told by its beginning and its end; the timeline has the rest.
    """
    lines = list(alert)
    dated = [*_arrival(received, lines), *_told(lines, ALERT_KINDS), *_told(page, PAGE_KINDS)]
    chain = [Reason(at, text) for at, text in sorted(dated, key=lambda pair: pair[0])]
    return [*_shorten(chain), *ahead]


def _arrival(received: Received | None, alert: list[Line]) -> list[tuple[datetime, str]]:
    opened = next((line for line in alert if line.kind == "alert.opened"), None)
    reasons: list[tuple[datetime, str]] = []
    if received is not None:
        through = f" through {received.connection}" if received.connection else ""
        reasons.append((received.at, f"{received.monitor} reported it{through}; stored, then answered"))
    if opened is not None:
        title, word = str(opened.data.get("parsed", "")), str(opened.data.get("severity_word", ""))
        if title:
            called = f", which it calls {word}" if word else ", without a severity"
            reasons.append((opened.at, f"read as “{title}”{called}"))
        reasons.extend((opened.at, part.strip()) for part in opened.why.split(";") if part.strip())
    return reasons


def _told(lines: Iterable[Line], kinds: Mapping[str, str]) -> list[tuple[datetime, str]]:
    return [(line.at, kinds[line.kind].format(why=line.why)) for line in lines if line.kind in kinds]


def _shorten(chain: list[Reason]) -> list[Reason]:
    if len(chain) <= FIRST + LAST + 1:
        return chain
    left_out = len(chain) - FIRST - LAST
    return [*chain[:FIRST], Reason(None, f"… {left_out} more in the timeline …"), *chain[-LAST:]]
