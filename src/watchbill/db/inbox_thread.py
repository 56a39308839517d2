"""A thread that waits for the disk, so that the event loop need not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from watchbill.db.inbox_writer import InboxRow, InboxWriter, Stored

Result = TypeVar("Result")
Work = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class InboxThread:
    """Does a writer's work in one thread, in the order asked.

    A daemon, which the thread of an executor is not: a process that was told to stop must not wait for a disk that hangs.
    """

    def __init__(self, writer: InboxWriter) -> None:
        self.writer = writer
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="inbox", daemon=True)

    async def store(self, rows: Sequence[InboxRow]) -> list[Stored]:
        """Store the rows; raises what the writer raises."""
        return await self.do(lambda: self.writer.store(rows))

    async def probe(self) -> None:
        """Ask the writer whether rows could be stored; raises what it raises."""
        await self.do(self.writer.probe)

    async def close(self) -> None:
        """Let the thread close the writer, and end."""
        closed = self.do(self.writer.close)
        self._work.put(None)
        await closed

    def do(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        """Let the thread do something; the future holds what it gives or raises."""
        if self._thread.ident is None:
            self._thread.start()
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._work.put((work, future))
        return future

    def _run(self) -> None:
        while (one := self._work.get()) is not None:
            work, future = one
            try:
                result = work()
            except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
                _tell(future, future.set_exception, error)
            else:
                _tell(future, future.set_result, result)


def _tell(future: asyncio.Future[Any], tell: Callable[[Any], None], outcome: Any) -> None:
    """Set a future in its own loop, if somebody still waits for it."""
    loop = future.get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(lambda: None if future.done() else tell(outcome))
