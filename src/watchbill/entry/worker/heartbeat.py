"""The outgoing heartbeat: a dead man's switch somewhere else hears of us while our timers are on time."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock, Thread

import structlog

from watchbill.egress import Client
from watchbill.entry.probes import LATE, lateness
from watchbill.entry.worker.loop import Worker
from watchbill.kit.errors import WatchbillError

log = structlog.get_logger()
PERIOD = timedelta(minutes=1)


def add_heartbeat(worker: Worker, http: Client, url: str) -> None:
    """Call `url` every minute while nothing is late; without a URL there is no heartbeat.

    The call has a thread of its own: a switch that hangs must not hold back a page.
    """
    if not url:
        return
    calling = Lock()

    def beat(now: datetime) -> None:
        late = lateness(now)
        if late > LATE:
            log.error("no heartbeat: work is late", seconds=late.total_seconds())
            return
        if not calling.locked():
            Thread(target=call, name="heartbeat", daemon=True).start()

    def call() -> None:
        with calling:
            try:
                http.get(url, timeout=5.0)
            except WatchbillError as error:
                log.warning("the heartbeat was not heard", reason=error.message)

    worker.every(PERIOD, "heartbeat", beat)
