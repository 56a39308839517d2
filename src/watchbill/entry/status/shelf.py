"""The status pages in memory: which there are, and each as it was last drawn.

Nobody who asks waits for the database, but for the first who asks for a page. A commit anywhere wakes one task, which reads the
versions of all pages with one query, at most five times a second, and draws anew what moved; all drawing is done by one
thread, so that a page is never drawn twice at once. While the database is away or busy the last good copy stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from time import monotonic
from typing import TypeVar

import structlog
from django.db import connections

from watchbill.actions.catalogue import hash_key
from watchbill.db.models import StatusPage
from watchbill.db.wake import LISTENERS
from watchbill.entry import clock
from watchbill.entry.status.answers import Answer
from watchbill.entry.status.drawing import draw_page

log = structlog.get_logger()
T = TypeVar("T")
SHORTEST = 0.2
AGAIN = 1.0
# Time changes a page as well: a day ends, planned work begins. And what a lost notification would have said is seen by then.
OLD = 30.0
FORGET = 600.0
PATIENCE = 5.0


@dataclass(frozen=True)
class Known:
    """What must be known of a page before it is drawn."""

    id: int
    version: int
    is_public: bool
    key_hash: str

    def opens(self, key: str) -> bool:
        """Tell whether a key opens the page; takes as long for a wrong one as for the right one."""
        return compare_digest(hash_key(key), self.key_hash)


@dataclass
class Copy:
    """A page as it was drawn: of which version, when, and when somebody last asked for it (seconds, monotonic)."""

    known: Known
    answers: Mapping[str, Answer]
    drawn: float
    asked: float


class Shelf:
    """Holds the pages; belongs to one event loop. `now` gives the present instant (UTC)."""

    def __init__(self, now: Callable[[], datetime] = clock.now) -> None:
        self.known: dict[str, Known] = {}
        self.copies: dict[int, Copy] = {}
        self._now = now
        self._is_read = False
        self._moved = True
        self._thread = ThreadPoolExecutor(1, "status")
        self._drawing: dict[int, asyncio.Task[Copy | None]] = {}
        self._reading: asyncio.Task[bool] | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to keep the pages."""
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep())
        LISTENERS.append(self.changed)

    async def stop(self) -> None:
        """Keep nothing more."""
        LISTENERS.remove(self.changed)
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        self._thread.shutdown(wait=False, cancel_futures=True)

    def changed(self) -> None:
        """Hear that something was committed; called from any thread."""
        if not self._moved:
            self._moved = True
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._woken.set)

    async def find(self, slug: str) -> Known | None:
        """Find a page by its address; one that is not known is looked for when something changed since the last look."""
        known = self.known.get(slug)
        if known is not None and (known.id in self.copies or not self._moved):
            return known
        if self._moved or not self._is_read:
            await self._read()
        return self.known.get(slug)

    async def copy_of(self, known: Known) -> Copy | None:
        """Give a page as it was last drawn; the first who asks waits. None: it cannot be drawn now."""
        copy = self.copies.get(known.id)
        if copy is None:
            copy = await self._draw(known)
        if copy is not None:
            copy.asked = monotonic()
        return copy

    @property
    def is_read(self) -> bool:
        """Tell whether it is known which pages there are."""
        return self._is_read

    async def _read(self) -> bool:
        """Read which pages there are; whoever asks meanwhile waits for the same reading. False: the database is away."""
        if self._reading is None or self._reading.done():
            self._moved = False
            self._reading = asyncio.create_task(self._read_now())
        done, _ = await asyncio.wait([self._reading], timeout=PATIENCE)
        return bool(done) and self._reading.result()

    async def _read_now(self) -> bool:
        read = await self._loop.run_in_executor(self._thread, _safely, _read_known)
        if read is None:
            self._moved = True
            return False
        self.known, self._is_read = read, True
        standing = {one.id for one in read.values()}
        self.copies = {number: copy for number, copy in self.copies.items() if number in standing}
        return True

    async def _draw(self, known: Known) -> Copy | None:
        task = self._drawing.get(known.id)
        if task is None:
            task = self._drawing[known.id] = asyncio.create_task(self._draw_now(known))
            task.add_done_callback(lambda _: self._drawing.pop(known.id, None))
        done, _ = await asyncio.wait([task], timeout=PATIENCE)
        return task.result() if done else None

    async def _draw_now(self, known: Known) -> Copy | None:
        answers = await self._loop.run_in_executor(self._thread, _safely, lambda: _draw_known(known, self._now()))
        if answers is None:
            return None
        before = self.copies.get(known.id)
        copy = Copy(known, answers, monotonic(), before.asked if before else monotonic())
        self.copies[known.id] = copy
        return copy

    async def _keep(self) -> None:
        """Draw anew what moved, as long as somebody asks for it."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), OLD / 2)
            self._woken.clear()
            self._forget()
            if not self.copies:
                continue  # nobody looks: the next who does reads first
            is_good = await self._read()
            for known in list(self.known.values()):
                copy = self.copies.get(known.id)
                if copy and (copy.known != known or monotonic() - copy.drawn > OLD):
                    is_good = await self._draw(known) is not None and is_good
            await asyncio.sleep(SHORTEST if is_good else AGAIN)
            if not is_good:
                self._woken.set()

    def _forget(self) -> None:
        now = monotonic()
        self.copies = {number: copy for number, copy in self.copies.items() if now - copy.asked < FORGET}


def _safely(do: Callable[[], T]) -> T | None:
    """Do something with the database in the drawing thread; None: it failed, and the last good copy stays."""
    try:
        return do()
    except Exception:
        log.exception("a status page could not be drawn; the last good copy stays")
        return None
    finally:
        connections.close_all()


def _read_known() -> dict[str, Known]:
    rows = StatusPage.objects.filter(archived_at=None, team__archived_at=None)
    return {row.slug: Known(row.pk, row.version, row.is_public, row.key_hash) for row in rows.defer("key", "intro")}


def _draw_known(known: Known, now: datetime) -> Mapping[str, Answer]:
    return draw_page(StatusPage.objects.select_related("team").get(pk=known.id), now)
