"""The stage of the demo: a clock that only the story moves, the monitors' door, the real worker, what is to come."""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from watchbill.actions import delivery, timers
from watchbill.actions.intake import InboxRow, open_writer
from watchbill.db.models import Handoff, MonitorConnection, Page
from watchbill.egress import Allow, Client
from watchbill.entry.demo.mailbox import Mailbox
from watchbill.entry.worker.loop import Worker

SEED = 20_26
Act = Callable[[], object]


@dataclass
class Stage:
    """Time passes from one thing to the next: something of the story, or something that the worker has due.

    `on_page` is asked about every page that opens: it says who answers it and when; `on_handoff` about every handoff.
    """

    now: datetime
    end: datetime
    mailbox: Mailbox
    on_page: Callable[[Page], None] = field(default=lambda page: None)
    on_handoff: Callable[[Handoff], None] = field(default=lambda handoff: None)
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - the same story each time

    def __post_init__(self) -> None:
        self.worker = Worker(lambda: self.now, Client(Allow.read("")), senders=2)
        self.writer = open_writer()
        self._to_come: list[tuple[datetime, int, Act]] = []
        self._order = count()
        self._seen = 0
        self._handed = 0

    def at(self, moment: datetime, act: Act) -> None:
        """Let something happen at a moment; what would lie after the end does not happen."""
        if self.now <= moment <= self.end:
            heapq.heappush(self._to_come, (moment, next(self._order), act))

    def after(self, minutes: float, act: Act) -> None:
        """Let something happen so many minutes from now."""
        self.at(self.now + timedelta(minutes=minutes), act)

    def arrives(self, connection: MonitorConnection, payload: object) -> None:
        """Let a monitor's payload arrive, stored by the door's own writer."""
        body = json.dumps(payload).encode()
        service = connection.service_id
        row = InboxRow(self.now, service, connection.pk, connection.monitor, body, "", "192.0.2.17")
        stored = self.writer.store([row])[0]
        if not isinstance(stored, int):
            raise stored

    def play(self) -> None:
        """Let time pass until the end of the story."""
        while (moment := self._next_moment()) is not None:
            self.now = max(self.now, moment)
            if not (self._to_come and self._to_come[0][0] <= self.now):
                self.work()
            while self._to_come and self._to_come[0][0] <= self.now:
                heapq.heappop(self._to_come)[2]()
                self.work()
        self.now = self.end
        self.work()

    def work(self) -> None:
        """Let the worker do what is due now, and the people hear of it."""
        self.worker.drain()
        for page in Page.objects.filter(pk__gt=self._seen).select_related("group", "service", "team").order_by("id"):
            self._seen = page.pk
            self.on_page(page)
        for handoff in Handoff.objects.filter(pk__gt=self._handed).order_by("id"):
            self._handed = handoff.pk
            self.on_handoff(handoff)

    def _next_moment(self) -> datetime | None:
        coming = [self._to_come[0][0]] if self._to_come else []
        due = [at for at in (timers.next_due(), delivery.next_due()) if at is not None]
        return min((at for at in [*coming, *due] if at <= self.end), default=None)

    def close(self) -> None:
        """Give the connections back."""
        self.writer.close()
        self.worker.stop()
