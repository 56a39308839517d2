"""What to do about the pool's connections when PostgreSQL was away: all that lay in it are dead, and none says so."""

from __future__ import annotations

from django.db import close_old_connections, connection


def drop_dead_connections() -> None:
    """Let go of this thread's connection if it broke, and replace every idle one of the process that died.

    One look at all of them. The pool's own check (Django's CONN_HEALTH_CHECKS) looks when a connection is asked for,
    and waits 1, 2, 4 s after each dead one: with a handful of them everybody times out (seen with five).
    """
    close_old_connections()
    if connection.vendor == "postgresql":
        pool = connection.pool  # type: ignore[attr-defined]
        if pool is not None and not pool.closed:
            pool.check()
