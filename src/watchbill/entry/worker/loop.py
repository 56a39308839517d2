"""The worker: reads the inbox, does what is due, hands over what must leave. Any number may run; none leads.

Each part is a claim with a lease, so a worker that dies at any instruction costs at most one lease. A commit
wakes the loop at once; the poll of half a second is only the safety net.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from threading import Event, Thread

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connections

from watchbill.actions import alerts, delivery, timers
from watchbill.actions.settings import channel_settings
from watchbill.db.wake import WOKEN
from watchbill.egress import Client
from watchbill.entry.worker.handlers import HANDLERS

log = structlog.get_logger()
POLL = 0.5
CLAIM = 20
SENDERS = 8


class Worker:
    """One worker of a process: a loop for the inbox and the timers, a pool of threads for what leaves."""

    def __init__(self, clock: Callable[[], datetime], http: Client, *, senders: int = SENDERS) -> None:
        self.clock = clock
        self.http = http
        self.stopping = Event()
        self.pool = ThreadPoolExecutor(senders, thread_name_prefix="send")
        self.sending: set[Future[str]] = set()
        self.senders = senders
        self.thread = Thread(target=self.run, name="worker", daemon=True)
        self.beat_at: datetime | None = None
        self.chores: dict[str, tuple[timedelta, Callable[[datetime], None]]] = {}
        self._chore_due: dict[str, datetime] = {}

    def start(self) -> None:
        """Start the loop in a thread of its own."""
        self.thread.start()

    def stop(self, seconds: float = 10) -> None:
        """Finish what is held within `seconds`; what is not finished is due again when its lease ends."""
        self.stopping.set()
        WOKEN.set()
        if self.thread.is_alive():
            self.thread.join(seconds)
        wait(self.sending, timeout=seconds)
        self.pool.shutdown(wait=False, cancel_futures=True)

    def every(self, period: timedelta, name: str, chore: Callable[[datetime], None]) -> None:
        """Add a chore that runs about every `period`: a heartbeat, the publication of shifts."""
        self.chores[name] = (period, chore)

    def run(self) -> None:
        """Work until stopped. A database that is away is waited for; a bug in one piece of work is logged and passed."""
        while not self.stopping.is_set():
            WOKEN.clear()
            try:
                busy = self.run_once()
                self.beat_at = self.clock()
            except (OperationalError, InterfaceError, DatabaseError):
                log.exception("the database did not answer; trying again")
                close_old_connections()
                busy = False
            if not busy:
                WOKEN.wait(self._pause())
        connections.close_all()

    def run_once(self) -> bool:
        """Do one round of everything; True when there may be more to do at once."""
        did = [self._read_inbox(), self._do_due(), self._hand_over()]
        self._do_chores()
        return any(did)

    def _read_inbox(self) -> bool:
        done = [alerts.receive(service, self.clock()) for service in alerts.services_waiting(limit=50)]
        return any(done)

    def _do_due(self) -> bool:
        claims = timers.claim_due(self.clock(), CLAIM)
        for claim in claims:
            self._do_timer(claim)
        return len(claims) == CLAIM

    def _do_timer(self, claim: timers.Claim) -> None:
        handler = HANDLERS.get((claim.subject_kind, claim.kind))
        try:
            if handler is None:
                raise LookupError(f"no handler for {claim.kind} of {claim.subject_kind}")
            handler(claim, self.clock())
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # The timer stays, leased for longer each time: it is neither lost nor allowed to stop the others.
            log.exception("a timer failed", timer=claim.kind, subject=claim.subject_kind, id=claim.subject_id)

    def _hand_over(self) -> bool:
        self.sending = {future for future in self.sending if not future.done()}
        free = self.senders - len(self.sending)
        claims = delivery.claim_due(self.clock(), free) if free else []
        for claim in claims:
            self.sending.add(self.pool.submit(self._send, claim))
        return bool(claims)

    def _send(self, claim: delivery.Claim) -> str:
        try:
            return delivery.send_one(claim, self.http, channel_settings, self.clock)
        except Exception:
            # Whatever it was, the row keeps its lease and is due again: a page is never lost to a bug in a channel.
            log.exception("a message could not be handled", outgoing=claim.id)
            return "waiting"
        finally:
            WOKEN.set()
            connections.close_all()

    def _do_chores(self) -> None:
        now = self.clock()
        for name, (period, chore) in self.chores.items():
            if self._chore_due.get(name, now) <= now:
                self._chore_due[name] = now + period
                try:
                    chore(now)
                except (OperationalError, InterfaceError):
                    raise
                except Exception:
                    log.exception("a chore failed", chore=name)

    def _pause(self) -> float:
        """Sleep to the next due time, at most half a second."""
        if len(self.sending) == self.senders:
            return POLL
        due = [at for at in (timers.next_due(), delivery.next_due()) if at]
        if not due:
            return POLL
        return min(max((min(due) - self.clock()).total_seconds(), 0.005), POLL)

    def drain(self) -> None:
        """Work until nothing is due, for tests and the demo: the clock stands still meanwhile."""
        while self.run_once() or self.sending:
            wait(self.sending)
            self.sending.clear()
