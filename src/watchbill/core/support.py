"""Support requests, the pure part: who has the ball, what is promised next, how a request ends.

States are open, resolved (the requester may still say no) and closed. While open, the ball is with us, with the
requester or with a vendor (INT-13). Decisions return effects; `Become` names the fields of the request's row.
Instants are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from watchbill.core.clocks import Waits, runs_out
from watchbill.core.coverage import Coverage, after_covered
from watchbill.kit.effects import Become, ClearTimer, Effect, Record, SetTimer
from watchbill.kit.errors import Refused

OPEN, RESOLVED, CLOSED = "open", "resolved", "closed"
BALLS = ("us", "requester", "vendor")
OUTCOMES = ("answered", "done", "turned_away", "duplicate", "spam", "refused")
BALL_WORDS = {"us": "us", "requester": "the requester", "vendor": "a vendor"}


@dataclass(frozen=True)
class Request:
    """What decisions need of a request; `assignee` is a name, "" when nobody has it."""

    state: str
    waiting_on: str
    assignee: str = ""
    opened_at: datetime | None = None
    first_response_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True)
class Promises:
    """What the team promised for a request, as covered time; None: nothing."""

    first_response: timedelta | None = None
    resolution: timedelta | None = None


@dataclass(frozen=True)
class Deadline:
    """The next promise that runs out: when (None: the clock stands still), and which."""

    at: datetime | None
    what: str


def next_deadline(request: Request, promises: Promises, coverage: Coverage | None, waits: Waits) -> Deadline:
    """Compute the next promise that runs out: the first response while there was none, else the resolution."""
    if request.state != OPEN or request.opened_at is None:
        return Deadline(None, "")
    if request.first_response_at is None and promises.first_response is not None:
        return Deadline(runs_out(coverage, request.opened_at, waits, promises.first_response), "first_response")
    if promises.resolution is not None:
        return Deadline(runs_out(coverage, request.opened_at, waits, promises.resolution), "resolution")
    return Deadline(None, "")


def keep_deadline(deadline: Deadline, *, told: bool, now: datetime) -> list[Effect]:
    """Decide what the row and its timer become; `told` when this very promise was missed and said so already."""
    change: dict[str, Any] = {"due_at": deadline.at, "due_what": deadline.what}
    if deadline.at is None:
        return [Become({**change, "is_late": False}), ClearTimer("promise")]
    if deadline.at <= now and told:
        return [Become(change), ClearTimer("promise")]
    return [Become({**change, "is_late": False}), SetTimer("promise", deadline.at)]


def miss(deadline: Deadline, now: datetime) -> list[Effect]:
    """Decide what follows when a promise has run out: it is told once, and the row says so until it is kept."""
    if deadline.at is None or deadline.at > now:
        return []
    what = deadline.what.replace("_", " ")
    return [
        Become({"is_late": True}),
        Record(
            "request.promise_missed",
            f"the {what} was promised by {deadline.at:%a %d %b %H:%M} UTC",
            {"what": deadline.what},
        ),
    ]


def hear(request: Request, who: str, now: datetime) -> list[Effect]:
    """Decide what a message of the requester does: the ball is with us; a resolved or closed request is open again."""
    message: dict[str, Any] = {"last_message_at": now, "last_message_by": "requester"}
    if request.state != OPEN:
        opened = {"state": OPEN, "waiting_on": "us", "outcome": "", "resolved_at": None, "closed_at": None}
        return [
            Become({**message, **opened}),
            Record("request.reopened", f"{who} replied after it was {request.state}"),
            ClearTimer("close"),
        ]
    if request.waiting_on == "us":
        return [Become(message)]
    return [
        Become({**message, "waiting_on": "us"}),
        Record("request.ball", f"{who} replied: it waits for us", {"on": "us"}),
    ]


def answer(request: Request, who: str, waits_on: str, now: datetime) -> list[Effect]:
    """Decide what a message to the requester does: the first one keeps the promise of a first response.

    `waits_on` says who has the ball afterwards. Raises Refused for a ball that there is not.
    """
    check_ball(waits_on)
    change: dict[str, Any] = {"last_message_at": now, "last_message_by": "us"}
    effects: list[Effect] = []
    if request.first_response_at is None:
        change["first_response_at"] = now
        effects.append(Record("request.answered", f"{who} answered first"))
    if request.state == OPEN and waits_on != request.waiting_on:
        change["waiting_on"] = waits_on
        effects.append(Record("request.ball", f"{who} answered: it waits for {BALL_WORDS[waits_on]}", {"on": waits_on}))
    return [Become(change), *effects]


def pass_ball(request: Request, waits_on: str, who: str, why: str) -> list[Effect]:
    """Decide that somebody else has the ball. Raises Refused when the request is not open."""
    check_ball(waits_on)
    _demand_open(request, "wait")
    if waits_on == request.waiting_on:
        return []
    said = f"{who}: it waits for {BALL_WORDS[waits_on]}" + (f", {why}" if why else "")
    return [Become({"waiting_on": waits_on}), Record("request.ball", said, {"on": waits_on})]


def check_ball(waits_on: str) -> None:
    """Raise Refused for a ball that there is not."""
    if waits_on not in BALLS:
        raise Refused(f"it waits for {', '.join(BALLS)}; there is no {waits_on!r}", "waiting_on")


def resolve(
    request: Request, outcome: str, who: str, silence: timedelta, coverage: Coverage | None, now: datetime
) -> list[Effect]:
    """Decide that the team is done; after `silence` (covered time) it closes by itself. Raises Refused."""
    if outcome not in OUTCOMES:
        raise Refused(f"the outcome is one of {', '.join(OUTCOMES)}", "outcome")
    _demand_open(request, "be resolved")
    closes = after_covered(coverage, now, silence) if silence else now
    change: dict[str, Any] = {"state": RESOLVED, "outcome": outcome, "resolved_at": now, "due_at": None, "due_what": ""}
    if request.first_response_at is None:
        change["first_response_at"] = now
    effects: list[Effect] = [
        Become(change),
        Record("request.resolved", f"{who}: {outcome.replace('_', ' ')}", {"outcome": outcome}),
        ClearTimer("promise"),
    ]
    if closes is not None:
        effects.append(SetTimer("close", closes))
    return effects


def close(request: Request, why: str, now: datetime) -> list[Effect]:
    """Decide that a resolved request is over."""
    if request.state != RESOLVED:
        return []
    return [Become({"state": CLOSED, "closed_at": now}), Record("request.closed", why), ClearTimer("close")]


def reopen(request: Request, who: str, why: str) -> list[Effect]:
    """Decide that a request is open again, by a person. Raises Refused when it is."""
    if request.state == OPEN:
        raise Refused("it is open already")
    change = {"state": OPEN, "waiting_on": "us", "outcome": "", "resolved_at": None, "closed_at": None}
    return [Become(change), Record("request.reopened", f"{who}: {why}" if why else f"by {who}"), ClearTimer("close")]


def _demand_open(request: Request, what: str) -> None:
    if request.state != OPEN:
        raise Refused(f"it is {request.state}: only an open request can {what}. Reopen it first.")
