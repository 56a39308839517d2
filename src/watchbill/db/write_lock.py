"""The one write lock of a process that uses SQLite.

SQLite lets one transaction write at a time. Left to its busy handler, a thread may starve past the timeout
under load and die with "database is locked" (seen with 8 writers); queueing in the process is fair and
faster. Django's connections take it around every transaction, the intake's own connection around its batch.
"""

from __future__ import annotations

from collections import deque
from threading import Lock, get_ident
from types import TracebackType


class FairLock:
    """A re-entrant lock that goes to whoever has waited longest.

    `threading.RLock` goes to whoever is quickest: a busy worker, which lets go only to take it again at once, kept
    the door of the monitors waiting for whole seconds.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._owner = 0
        self._depth = 0
        self._queue: deque[tuple[int, Lock]] = deque()

    def acquire(self, timeout: float = -1) -> bool:
        """Take the lock, waiting at most `timeout` seconds (for ever if negative); tells whether it was taken."""
        me = get_ident()
        with self._guard:
            if self._owner in (0, me):
                self._owner = me
                self._depth += 1
                return True
            turn = Lock()
            turn.acquire()
            self._queue.append((me, turn))
        return turn.acquire(timeout=timeout) or self._leave_queue(me, turn)

    def release(self) -> None:
        """Give the lock to the next in the queue; raises RuntimeError in a thread that does not have it."""
        with self._guard:
            if self._owner != get_ident():
                raise RuntimeError("this thread does not have the write lock")
            self._depth -= 1
            if self._depth:
                return
            self._owner = 0
            if self._queue:
                self._owner, turn = self._queue.popleft()
                self._depth = 1
                turn.release()

    def _leave_queue(self, me: int, turn: Lock) -> bool:
        """Wait no more, unless the lock came in this very moment."""
        with self._guard:
            if self._owner == me:
                return True
            self._queue.remove((me, turn))
            return False

    def __enter__(self) -> FairLock:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


WRITE_LOCK = FairLock()
