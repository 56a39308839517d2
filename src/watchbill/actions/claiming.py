"""Hand what is due to the senders of a worker: bundled by address, leased, and shared out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Case, F, When

from watchbill import channels
from watchbill.core import delivery
from watchbill.db.models import Outgoing

LOOKED_AT = 600
LONGEST_RUN = 10
PAGES_FIRST = Case(When(purpose="page", then=0), When(urgency="important", then=1), default=2)


@dataclass(frozen=True)
class Claim:
    """Due messages to one address that leave together, in the hands of one worker until `until`; `attempt` is the fence."""

    ids: tuple[int, ...]
    attempt: int
    channel: str
    until: datetime


@dataclass(frozen=True)
class Run:
    """Claims of one channel for one sender, one after the other, over one connection where the channel keeps one."""

    channel: str
    claims: list[Claim]


@dataclass
class Senders:
    """What a worker has to send with, and what it remembers of each address.

    `most` messages of one channel leave at the same time, so that a vendor that hangs holds its own senders and leaves
    those of the other channels free. `began` is when a message last began to leave to an address: a worker that
    forgets it, or another one that never knew, costs a message more and no page.
    """

    total: int = 16
    most: int = 6
    window: timedelta = timedelta()
    busy: Mapping[str, int] = field(default_factory=dict)
    began: dict[int, datetime] = field(default_factory=dict)

    @property
    def free(self) -> int:
        """How many have nothing to do."""
        return self.total - sum(self.busy.values())

    def full(self) -> list[str]:
        """Name the channels that use all the senders they may have."""
        return [channel for channel, count in self.busy.items() if count >= self.most]

    def remember(self, addresses: set[int], now: datetime) -> None:
        """Note that something begins to leave to these addresses, and forget what no longer matters."""
        lately = {address: at for address, at in self.began.items() if now - self.window < at <= now}
        self.began = lately | dict.fromkeys(addresses, now)


def claim_due(clock: Callable[[], datetime], senders: Senders) -> list[Run]:
    """Take what is due, for one lease, as runs for the senders that are free.

    Pages go before what was due earlier: ten thousand notices to a slow mail server must not keep one back. What waits
    for company (`core.delivery.bundle`) is due again when its window ends. `clock` (UTC) is read when the database lets
    us write: the time spent waiting for that is not part of the lease.
    """
    if senders.free <= 0:
        return []
    with transaction.atomic():
        now = clock()
        due = Outgoing.objects.filter(due_at__lte=now).exclude(channel__in=senders.full())
        due = due.order_by(PAGES_FIRST, "due_at", "id")
        columns = due.values_list(*Row._fields).select_for_update(skip_locked=True)
        rows = {row.id: row for row in map(Row._make, columns[:LOOKED_AT])}
        if not rows:
            return []
        bundled = delivery.bundle([_due(row) for row in rows.values()], senders.began, senders.window, now)
        place = {number: at for at, number in enumerate(rows)}
        leave = sorted(bundled.leave, key=lambda ids: min(place[number] for number in ids))
        runs = _share_out([_claim(ids, rows[ids[0]], now) for ids in leave], senders)
        taken = [number for run in runs for claim in run.claims for number in claim.ids]
        Outgoing.objects.filter(pk__in=taken).update(attempt=F("attempt") + 1, due_at=now + delivery.LEASE)
        _put_off(bundled.wait)
    senders.remember({rows[number].address_id for number in taken}, now)
    return runs


class Row(NamedTuple):
    """What sharing out needs of a message that is due."""

    id: int
    attempt: int
    due_at: datetime
    channel: str
    address_id: int
    purpose: str


def _due(row: Row) -> delivery.Due:
    shares = row.purpose == "page" and channels.bundles(row.channel)
    return delivery.Due(row.id, row.address_id, shares, row.attempt, row.due_at)


def _claim(ids: tuple[int, ...], row: Row, now: datetime) -> Claim:
    return Claim(ids, row.attempt + 1, row.channel, now + delivery.LEASE)


def _share_out(claims: list[Claim], senders: Senders) -> list[Run]:
    """Give each claim a sender of its own while there are any; then those over a connection may follow one another."""
    runs: list[Run] = []
    of_channel: dict[str, list[Run]] = defaultdict(list)
    for claim in claims:
        mine = of_channel[claim.channel]
        if len(runs) < senders.free and len(mine) + senders.busy.get(claim.channel, 0) < senders.most:
            mine.append(Run(claim.channel, [claim]))
            runs.append(mine[-1])
        elif mine and channels.keeps_line(claim.channel):
            shortest = min(mine, key=lambda run: len(run.claims))
            if len(shortest.claims) < LONGEST_RUN:
                shortest.claims.append(claim)
    return runs


def _put_off(wait: Mapping[int, datetime]) -> None:
    by_time: dict[datetime, list[int]] = defaultdict(list)
    for number, at in wait.items():
        by_time[at].append(number)
    for at, numbers in by_time.items():
        Outgoing.objects.filter(pk__in=numbers).update(due_at=at)
