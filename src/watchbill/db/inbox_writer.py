"""The raw way into `Inbox`: many rows, one transaction, on a connection of its own. Only `actions.intake` calls it.

Django's ORM costs more than all the rest of the door, so the two statements are written by hand, one file for each
database (`inbox_writer_sqlite`, `inbox_writer_postgresql`); `tests/doors` holds them against the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol


class InboxRow(NamedTuple):
    """What one request leaves in `Inbox`; `received_at` is aware, `note` is JSON or empty."""

    received_at: datetime
    service_id: int
    connection_id: int
    monitor: str
    body: bytes
    note: str
    sender: str


class InboxAway(Exception):
    """The database cannot be written now: nothing of the batch is stored, or (a lost commit) we cannot know."""


class RowRefused(Exception):
    """The database refuses this one row, however often it is tried; its neighbours are stored."""


Stored = int | RowRefused


class InboxWriter(Protocol):
    """Stores batches durably, one after the other; each call waits for the disk."""

    def store(self, rows: Sequence[InboxRow]) -> list[Stored]:
        """Commit the rows, synced to disk; gives each its id, ascending, or why it alone was refused.

        Raises InboxAway, after which the connection is made anew by the next call.
        """

    def probe(self) -> None:
        """Tell whether rows could be stored now; raises InboxAway."""

    def close(self) -> None:
        """Give the connection back."""


class AsyncInboxWriter(Protocol):
    """The same for an event loop, which goes on while the disk works. One call at a time."""

    async def store(self, rows: Sequence[InboxRow]) -> list[Stored]:
        """As `InboxWriter.store`."""

    async def probe(self) -> None:
        """As `InboxWriter.probe`."""

    async def close(self) -> None:
        """Give the connection back, once what runs has ended. It is the last call."""
