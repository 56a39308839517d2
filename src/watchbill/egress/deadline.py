"""So much time for everything together: a name server, a handshake and a slow answer share one clock.

A limit on each read alone would let a server that sends one byte a second hold a delivery thread for ever.
The clock is monotonic: it times our own waiting and says nothing about the date.
"""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock by which all must be done."""

    end: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Start counting now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Give the seconds that are left; never zero or less, which sockets would read as "do not wait"."""
        return max(self.end - time.monotonic(), 0.001)

    @property
    def is_over(self) -> bool:
        """Tell whether the time is up."""
        return time.monotonic() >= self.end
