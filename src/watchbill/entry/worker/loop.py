"""The worker: reads the inbox, does what is due, hands over what must leave. Any number may run; none leads.

Each part is a claim with a lease, so a worker that dies at any instruction costs at most one lease. A commit
wakes the loop at once; the poll of half a second is only the safety net.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic

import structlog
from django.db import DatabaseError, InterfaceError, connections

from watchbill.actions import alerts, delivery, sending, stuck, timers
from watchbill.actions.claiming import Run, Senders, claim_due
from watchbill.actions.settings import channel_settings
from watchbill.db.pool import drop_dead_connections
from watchbill.db.trouble import is_away, is_full
from watchbill.db.wake import WOKEN
from watchbill.egress import Client
from watchbill.entry.settings import CONFIG
from watchbill.entry.worker.desk import DeskWork
from watchbill.entry.worker.handlers import HANDLERS

log = structlog.get_logger()
POLL = 0.5
READ = 200
CLAIM = 20
SENDERS = 16
SENDERS_EACH = 6


class Worker:
    """One worker of a process: a loop for the inbox and the timers, a pool of threads for what leaves.

    Of `senders` threads one channel uses at most `each`, so that a vendor that hangs never stops the others. Pages that
    come within `window` after one began to leave to the same address leave together.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        http: Client,
        *,
        senders: int = SENDERS,
        each: int = SENDERS_EACH,
        window: timedelta | None = None,
    ) -> None:
        self.clock = clock
        self.http = http
        self.stopping = Event()
        self.pool = ThreadPoolExecutor(senders, thread_name_prefix="send")
        self.sending: dict[Future[list[str]], str] = {}
        self.senders = Senders(senders, each, CONFIG.bundle_window if window is None else window)
        self.desk = DeskWork(clock, http)
        self.thread = Thread(target=self.run, name="worker", daemon=True)
        self.beat_at: datetime | None = None
        self.chores: dict[str, tuple[timedelta, Callable[[datetime], None]]] = {}
        self._chore_due: dict[str, datetime] = {}
        self._away = False

    def start(self) -> None:
        """Start the loop in a thread of its own."""
        self.thread.start()

    def stop_claiming(self) -> None:
        """Take nothing new from now on; returns at once."""
        self.stopping.set()
        WOKEN.set()

    def stop(self, seconds: float = 10) -> None:
        """Finish what is held within `seconds`; what is not finished is due again when its lease ends."""
        end = monotonic() + seconds
        self.stop_claiming()
        if self.thread.is_alive():
            self.thread.join(max(end - monotonic(), 0))
        wait(list(self.sending), timeout=max(end - monotonic(), 0))
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.desk.stop(max(end - monotonic(), 0))

    def every(self, period: timedelta, name: str, chore: Callable[[datetime], None]) -> None:
        """Add a chore that runs about every `period`, quickly: it runs between two rounds of the loop."""
        self.chores[name] = (period, chore)

    def run(self) -> None:
        """Work until stopped. A database that is away is waited for; a bug in one piece of work is logged and passed."""
        while not self.stopping.is_set():
            WOKEN.clear()
            pause = self._run_round()
            if pause:
                WOKEN.wait(pause)
        connections.close_all()

    def _run_round(self) -> float:
        """Do one round whatever happens; gives how many seconds to wait before the next."""
        try:
            pause = 0.0 if self.run_once() else self._pause()
        except (DatabaseError, InterfaceError) as error:
            self._tell_away(error)
            return POLL
        except Exception:
            # A bug that no part below contained: the next round goes on with the rest.
            log.exception("a round of the worker failed")
            return POLL
        if self._away:
            self._away = False
            log.info("the database is back")
        self.beat_at = self.clock()
        return pause

    def _tell_away(self, error: Exception) -> None:
        """Say once that the database is away, and let go of what is dead, so that the next round makes a new connection."""
        if not self._away:
            log.error("the database did not answer; trying until it does", error=f"{type(error).__name__}: {error}")
        self._away = True
        try:
            drop_dead_connections()
        except Exception:
            # Whatever it is, the loop must not end with it: it is the only one of this process.
            log.exception("dead connections could not be dropped")

    def run_once(self) -> bool:
        """Do one round of everything; True when there may be more to do at once."""
        did, broken = False, list[Exception]()
        for part in (self._read_inbox, self._do_due, self._hand_over, self.desk.start_round):
            try:
                did = part() or did
            except Exception as error:
                # What breaks one part is no reason for the others to wait: a page may be among them.
                if is_away(error) and not is_full(error):
                    raise
                broken.append(error)
        if broken:
            raise broken[0]
        self._do_chores()
        return did

    def _read_inbox(self) -> bool:
        did = False
        for together in alerts.read_together(limit=READ):
            if self.stopping.is_set():
                break
            did = self._read_services(together) or did
            # A long backlog must not hold back the first pages that came out of it, nor the climbs of others.
            self._do_due()
            self._hand_over()
        return did

    def _read_services(self, together: alerts.Together) -> bool:
        services = together.services
        try:
            return alerts.receive_together(together, self.clock()) > 0
        except Exception as error:
            if is_away(error):
                raise
            if len(services) > 1:
                log.warning("services are read one by one", services=services, error=repr(error)[:500])
                alone = [alerts.Together([service], together.last) for service in services]
                return [self._read_services(one) for one in alone].count(True) > 0
            # The rows stay as they are; the other services go on.
            log.exception("the inbox of a service could not be read", service=services[0])
            return False

    def _do_due(self) -> bool:
        claims = timers.claim_due(self.clock, CLAIM)
        for claim in claims:
            self._do_timer(claim)
        return len(claims) == CLAIM

    def _do_timer(self, claim: timers.Claim) -> None:
        handler = HANDLERS.get((claim.subject_kind, claim.kind))
        try:
            if handler is None:
                raise LookupError(f"no handler for {claim.kind} of {claim.subject_kind}")
            handler(claim, self.clock())
        except Exception as error:
            if is_away(error):
                raise
            # The timer stays, leased for longer each time: it is neither lost nor allowed to stop the others.
            log.exception("a timer failed", timer=claim.kind, subject=claim.subject_kind, id=claim.subject_id)
            stuck.tell_stuck(claim, error, self.clock())

    def _hand_over(self) -> bool:
        self.sending = {future: channel for future, channel in self.sending.items() if not future.done()}
        self.senders.busy = Counter(self.sending.values())
        runs = claim_due(self.clock, self.senders)
        for run in runs:
            future = self.pool.submit(self._send, run)
            self.sending[future] = run.channel
            # Not from within `_send`: the loop would look before the future counts as done, and sleep on.
            future.add_done_callback(lambda _: WOKEN.set())
        return bool(runs)

    def _send(self, run: Run) -> list[str]:
        try:
            return sending.send_run(run, self.http, channel_settings, self.clock)
        except Exception:
            # Whatever it was, the rows keep their leases and are due again: a page is never lost.
            log.exception("a message could not be handled", outgoing=[claim.ids for claim in run.claims])
            return ["waiting"]
        finally:
            connections.close_all()

    def _do_chores(self) -> None:
        now = self.clock()
        for name, (period, chore) in self.chores.items():
            # What is due later than a whole period from now was noted before the clock was set back.
            if not now < self._chore_due.get(name, now) <= now + period:
                self._chore_due[name] = now + period
                try:
                    chore(now)
                except Exception as error:
                    if is_away(error):
                        raise
                    log.exception("a chore failed", chore=name)

    def _pause(self) -> float:
        """Sleep to the next due time, at most half a second."""
        self.senders.busy = Counter(self.sending.values())
        if not self.senders.free:
            return POLL
        due = [at for at in (timers.next_due(), delivery.next_due(self.senders.full()), self.desk.next_due()) if at]
        if not due:
            return POLL
        return min(max((min(due) - self.clock()).total_seconds(), 0.005), POLL)

    def drain(self) -> None:
        """Work until nothing is due, for tests and the demo: the clock stands still meanwhile."""
        while self.run_once() or self.sending or self.desk.finish():
            wait(list(self.sending))
            self.sending.clear()
