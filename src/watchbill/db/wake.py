"""Wake the workers when something is committed: an event in this process, NOTIFY between machines.

The poll of the worker is only the safety net; a wake that is lost costs half a second, never a page.
"""

from __future__ import annotations

from threading import Event

from django.db import connection, transaction

CHANNEL = "watchbill"
WOKEN = Event()


def wake_workers() -> None:
    """Wake every worker once the present transaction is committed."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
    transaction.on_commit(WOKEN.set)
