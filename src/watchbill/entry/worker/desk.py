"""The worker's part for the desks: reads what came in, hands over what leaves to requesters and outside systems.

In threads of its own: what wakes people never waits behind a long mail, a slow tracker or a mail server that hangs.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Any

import structlog
from django.db import connections

from watchbill.actions import desk_inbox, export_sending, exports
from watchbill.actions.settings import channel_settings
from watchbill.db.wake import WOKEN
from watchbill.egress import Client
from watchbill.entry.worker.readers import REGISTERED

log = structlog.get_logger()
THREADS = 4
MOST_CONNECTED = 2


class DeskWork:
    """A pool of threads for the desks; `start_round` fills it and never waits."""

    def __init__(self, clock: Callable[[], datetime], http: Client, threads: int = THREADS) -> None:
        self.clock = clock
        self.http = http
        self.threads = threads
        self.pool: Executor = ThreadPoolExecutor(threads, thread_name_prefix="desk")
        self.sending: dict[Future[str], int | None] = {}
        self.reading: Future[int] | None = None
        self.registered = REGISTERED

    def start_round(self) -> bool:
        """Start what is due in the threads that are free; True when there may be more to hand over at once."""
        self._start_reading()
        return self._start_sending()

    def _start_reading(self) -> None:
        if (self.reading is not None and not self.reading.done()) or not desk_inbox.is_waiting():
            return
        self.reading = self.pool.submit(self._read)
        # Nothing was done: another worker reads. It is asked again in the next round, not at once.
        self.reading.add_done_callback(lambda done: WOKEN.set() if not done.cancelled() and done.result() else None)

    def _read(self) -> int:
        try:
            return desk_inbox.receive(self.clock())
        except Exception:
            # The rows stay as they are and are read in the next round.
            log.exception("what came to the desks could not be read")
            return 0
        finally:
            connections.close_all()

    def _start_sending(self) -> bool:
        free, busy = self._look_around()
        due = self.next_due()
        if due is None or due > self.clock():
            return False  # asked before claiming: on SQLite a claim keeps everybody else from writing
        claims = exports.claim_due(self.clock, free, busy, MOST_CONNECTED - len(busy))
        for claim in claims:
            future = self.pool.submit(self._send, claim)
            self.sending[future] = claim.connection
            future.add_done_callback(lambda _: WOKEN.set())
        return bool(claims)

    def _look_around(self) -> tuple[int, list[int]]:
        """Forget what is done; give how many threads may send (one is always there to read), and who is being sent to."""
        self.sending = {future: whom for future, whom in self.sending.items() if not future.done()}
        return self.threads - 1 - len(self.sending), [whom for whom in self.sending.values() if whom is not None]

    def _send(self, claim: exports.Claim) -> str:
        try:
            return export_sending.send_one(claim, self.http, channel_settings, self.clock)
        except Exception:
            # Whatever it was, the row keeps its lease and is due again.
            log.exception("an export could not be handled", export=claim.id)
            return "waiting"
        finally:
            connections.close_all()

    def next_due(self) -> datetime | None:
        """Read when the next export is due that a free thread could take; None: there is none, or no such thread."""
        free, busy = self._look_around()
        return exports.next_due(busy, mail_only=len(busy) >= MOST_CONNECTED) if free > 0 else None

    def finish(self, seconds: float | None = None) -> bool:
        """Wait for what is running, at most `seconds`; True when there was something."""
        running: list[Future[Any]] = [*self.sending, *([self.reading] if self.reading else [])]
        wait(running, timeout=seconds)
        self._look_around()
        self.reading = None if self.reading is None or self.reading.done() else self.reading
        return bool(running)

    def stop(self, seconds: float) -> None:
        """Finish within `seconds`; what is not finished is due again when its lease ends."""
        self.finish(seconds)
        self.pool.shutdown(wait=False, cancel_futures=True)
