"""From "reach this person" to messages: which addresses, when, which leave together, and when to give up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

LEASE = timedelta(seconds=15)
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=1)
BUNDLE_MOST = 300


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


@dataclass(frozen=True)
class Due:
    """A message that is due. `shares`: it may leave in one message with others to its address."""

    id: int
    address: int
    shares: bool
    attempt: int
    due_at: datetime


@dataclass(frozen=True)
class Bundled:
    """What leaves now, each bundle as the ids of its messages; and when each of those that wait is due again."""

    leave: tuple[tuple[int, ...], ...]
    wait: Mapping[int, datetime]


def bundle(due: Sequence[Due], began: Mapping[int, datetime], window: timedelta, now: datetime) -> Bundled:
    """Decide which due messages leave now and which of them together.

    `began` tells when a message last began to leave to an address. The first one to a quiet address leaves at once;
    what becomes due within `window` after that waits for its end and then leaves together, `BUNDLE_MOST` at most.

    What was tried before waits for nothing, and leaves in the company in which it was tried (the same try, due at the
    same time), with nobody added: it may have arrived, and then the second copy must be known by the same key.
    One such company for each address at a time, so that two never become one.
    """
    alone = [(one.id,) for one in due if not one.shares]
    again: dict[int, dict[tuple[datetime, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    fresh: dict[int, list[Due]] = defaultdict(list)
    for one in due:
        if one.shares and one.attempt:
            again[one.address][one.due_at, one.attempt].append(one.id)
        elif one.shares:
            fresh[one.address].append(one)
    wait: dict[int, datetime] = {}
    leave = [*alone, *(tuple(sorted(tries[min(tries)])) for tries in again.values())]
    for address, messages in fresh.items():
        free_at = _free_at(began.get(address), window, now)
        if free_at > now:
            wait |= {one.id: free_at for one in messages}
        else:
            first = sorted(messages, key=lambda one: (one.due_at, one.id))[:BUNDLE_MOST]
            leave.append(tuple(sorted(one.id for one in first)))
    place = {one.id: (one.due_at, one.id) for one in due}
    return Bundled(tuple(sorted(leave, key=lambda ids: min(place[number] for number in ids))), wait)


def _free_at(began: datetime | None, window: timedelta, now: datetime) -> datetime:
    """Tell when the next message may leave to an address; a time that is still to come is no reason to wait."""
    return began + window if began is not None and began <= now else now


def name_bundle(subjects: Sequence[str]) -> str:
    """Give the subject of a message that carries several pages."""
    return f"{len(subjects)} pages: {subjects[0]}"
