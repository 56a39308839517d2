"""From "reach this person" to messages: which addresses, when, how often to try, and when to give up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

LEASE = timedelta(seconds=15)
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Address:
    """A verified address of a person that is not known to be dead."""

    id: int
    channel: str


@dataclass(frozen=True)
class Rule:
    """A person's rule: this address, so long after the page asked for them."""

    address: int
    after: timedelta


@dataclass(frozen=True)
class Planned:
    """One message to one address at one time (UTC), and why."""

    address: int
    at: datetime
    why: str


def plan(rules: Sequence[Rule], addresses: Sequence[Address], urgency: str, now: datetime) -> list[Planned]:
    """Decide by which addresses a person is reached, in order of time; empty means that nothing reaches them.

    A rule of a dead or unverified address does not count. A person without a rule that counts is reached at
    every verified address at once: a forgotten setting must not cost a page.
    """
    usable = {address.id: address for address in addresses}
    planned = [
        Planned(rule.address, now + rule.after, f"your rule for {urgency} pages: {usable[rule.address].channel}")
        for rule in rules
        if rule.address in usable
    ]
    if not planned:
        planned = [
            Planned(address.id, now, f"no rule of yours for {urgency} pages counts: every verified address at once")
            for address in addresses
        ]
    elif all(message.at > now for message in planned):
        # The first message of a page never waits: a delay only makes sense after another address was tried.
        first = min(planned, key=lambda message: message.at)
        early = first.at - now
        planned = [Planned(message.address, message.at - early, message.why) for message in planned]
    return sorted(planned, key=lambda message: message.at)


def retry_at(attempt: int, created_at: datetime, now: datetime) -> datetime | None:
    """Decide when a message that failed for now is tried again: 5, 10, 20 s … at most 5 min apart; None after an hour."""
    if now - created_at >= GIVE_UP_AFTER:
        return None
    wait: timedelta = min(FIRST_RETRY * int(2 ** min(attempt - 1, 10)), LONGEST_RETRY)
    return now + wait


def is_wanted(purpose: str, page_state: str | None) -> bool:
    """Decide whether a message is still wanted, just before it leaves: a page only while it asks."""
    return purpose != "page" or page_state in {"climbing", "exhausted"}
