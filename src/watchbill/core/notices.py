"""Planned work, the pure part: what may follow what, and what is told at each step.

    draft ──► announced ──► in_progress ──► done
      └──────────┴──────────────┴─────────► cancelled

Instants are UTC; a notice is from `starts_at` until `ends_at`, half-open. Decisions return effects; `Become` names the
fields of the notice's row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from watchbill.kit.effects import Become, ClearTimer, Effect, Record, SetTimer
from watchbill.kit.errors import Refused

DRAFT, ANNOUNCED, IN_PROGRESS, DONE, CANCELLED = "draft", "announced", "in_progress", "done", "cancelled"
STATES = (DRAFT, ANNOUNCED, IN_PROGRESS, DONE, CANCELLED)
AHEAD = (DRAFT, ANNOUNCED)
OVER = (DONE, CANCELLED)
AUDIENCES = ("team", "communities", "leadership", "public")
LONGEST = timedelta(days=31)
TIMERS = ("remind", "start", "end")


@dataclass(frozen=True)
class Notice:
    """What decisions need of planned work."""

    state: str
    title: str
    starts_at: datetime
    ends_at: datetime


def check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raise Refused, naming the field, for work that ends before it starts, is over, or never ends."""
    if ends_at <= starts_at:
        raise Refused("it ends after it starts", "ends_at")
    if ends_at <= now:
        raise Refused("this is over: planned work lies ahead", "ends_at")
    if ends_at - starts_at > LONGEST:
        raise Refused("planned work ends within 31 days", "ends_at")


def announce(notice: Notice, who: str, remind: datetime | None, now: datetime) -> list[Effect]:
    """Decide that people are told. Raises Refused when they were, or it is over."""
    _demand(notice, (DRAFT,), "be announced")
    check_times(notice.starts_at, notice.ends_at, now)
    effects: list[Effect] = [
        Become({"state": ANNOUNCED, "announced_at": now}),
        Record("notice.announced", f"{who} announced it"),
    ]
    return effects + _timers(notice.starts_at, remind)


def begin(notice: Notice, who: str, now: datetime) -> list[Effect]:
    """Decide that the work goes on from now. Raises Refused."""
    _demand(notice, AHEAD, "begin")
    if notice.ends_at <= now:
        raise Refused("its time is over: move it first", "ends_at")
    effects: list[Effect] = [
        Become({"state": IN_PROGRESS, "began_at": now}),
        Record("notice.begun", f"{who} began"),
        *(ClearTimer(kind) for kind in TIMERS),
        SetTimer("end", notice.ends_at),
    ]
    return effects


def extend(notice: Notice, ends_at: datetime, who: str, now: datetime) -> list[Effect]:
    """Decide that work that goes on ends at another time. Raises Refused."""
    _demand(notice, (IN_PROGRESS,), "take longer")
    check_times(notice.starts_at, ends_at, now)
    said = f"{who}: it ends {ends_at:%F %H:%M} UTC, not {notice.ends_at:%F %H:%M}"
    return [Become({"ends_at": ends_at}), Record("notice.extended", said), SetTimer("end", ends_at)]


def move(
    notice: Notice, starts_at: datetime, ends_at: datetime, who: str, remind: datetime | None, now: datetime
) -> list[Effect]:
    """Decide that work that has not begun comes at another time. Raises Refused."""
    _demand(notice, AHEAD, "be moved")
    check_times(starts_at, ends_at, now)
    if (starts_at, ends_at) == (notice.starts_at, notice.ends_at):
        return []
    said = f"{who} moved it to {starts_at:%F %H:%M} UTC until {ends_at:%F %H:%M}, from {notice.starts_at:%F %H:%M}"
    effects: list[Effect] = [Become({"starts_at": starts_at, "ends_at": ends_at}), Record("notice.moved", said)]
    return effects + (_timers(starts_at, remind) if notice.state == ANNOUNCED else [])


def finish(notice: Notice, who: str, now: datetime) -> list[Effect]:
    """Decide that the work is done. Raises Refused."""
    _demand(notice, (IN_PROGRESS,), "be done")
    return _over(DONE, f"{who}: it is done", now)


def cancel(notice: Notice, who: str, why: str, now: datetime) -> list[Effect]:
    """Decide that the work does not take place, or stops. Raises Refused."""
    if not why.strip():
        raise Refused("say why: those who were told want to know", "why")
    _demand(notice, (*AHEAD, IN_PROGRESS), "be called off")
    return _over(CANCELLED, f"{who} called it off: {why.strip()}", now)


def _over(state: str, said: str, now: datetime) -> list[Effect]:
    effects: list[Effect] = [Become({"state": state, "finished_at": now}), Record(f"notice.{state}", said)]
    return effects + [ClearTimer(kind) for kind in TIMERS]


def _timers(starts_at: datetime, remind: datetime | None) -> list[Effect]:
    ahead: Effect = SetTimer("remind", remind) if remind else ClearTimer("remind")
    return [ahead, SetTimer("start", starts_at)]


def _demand(notice: Notice, states: tuple[str, ...], what: str) -> None:
    if notice.state not in states:
        words = " or ".join(one.replace("_", " ") for one in states)
        raise Refused(f"it is {notice.state.replace('_', ' ')}: only what is {words} can {what}")
