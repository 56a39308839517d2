"""The worker's chore for the mailbox: every twenty seconds one worker of all looks into it, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Lock, Thread

import structlog
from django.db import DatabaseError, connections

from watchbill.actions import mailbox
from watchbill.entry.mail import imap
from watchbill.entry.worker.loop import Worker

log = structlog.get_logger()


def add_mail_polling(worker: Worker) -> None:
    """Look into the mailbox regularly, once one is set up; a mail server that hangs holds back nothing else."""
    looking = Lock()

    def start(now: datetime) -> None:
        if not looking.locked() and mailbox.mailbox_values() and mailbox.take_turn(now):
            Thread(target=run, name="mailbox", daemon=True).start()

    def run() -> None:
        with looking:
            try:
                look(worker.clock)
            except DatabaseError as error:
                log.warning("the mailbox waits for the database", error=str(error)[:300])
            finally:
                connections.close_all()

    worker.every(mailbox.PERIOD, "mailbox", start)


def look(clock: Callable[[], datetime]) -> int:
    """Look into the mailbox once and note what its server said; gives how many messages were taken."""
    settings = mailbox.mailbox()
    if settings is None:
        return 0
    try:
        taken = imap.poll(settings, clock)
    except imap.MailboxFailed as failure:
        log.warning("the mailbox could not be read", reason=str(failure))
        mailbox.note_poll(str(failure), clock(), failed=True)
        return 0
    said = f"{taken} new message{'s' if taken != 1 else ''} taken"
    mailbox.note_poll(said, clock(), failed=False)
    return taken
