"""The keys in memory: found by their hash, read again so that a new key works at once and a removed one stops."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import structlog

from watchbill.db.inbox_keys import KeyOwner, read_keys
from watchbill.db.inbox_writer import InboxAway

log = structlog.get_logger()
EVERY_SECONDS = 3.0
BETWEEN_READS = 1.0


class KeyTable:
    """Answers from a dict. A key that is not there is looked for in the database, at most once a second for all."""

    def __init__(self) -> None:
        self._owners: dict[str, KeyOwner] = {}
        self._seen: dict[str, KeyOwner] = {}  # by the key itself, once found by its hash: to hash is 1 % of a request
        self._reader = ThreadPoolExecutor(1, "intake-keys")
        self._reading: asyncio.Task[None] | None = None
        self._last_read = float("-inf")
        self._refresher: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read the keys and go on reading them. A database that is away stops nothing: the senders are told 503."""
        await self._read_or_log()
        self._refresher = asyncio.create_task(self._refresh())

    async def stop(self) -> None:
        """Read no more."""
        if self._refresher is not None:
            self._refresher.cancel()
        self._reader.shutdown(wait=False, cancel_futures=True)

    def find(self, key: str) -> KeyOwner | None:
        """Find whose key it is, in memory."""
        owner = self._seen.get(key)
        if owner is None:
            owner = self._owners.get(sha256(key.encode("utf-8", "surrogateescape")).hexdigest())
            if owner is not None:
                self._seen[key] = owner
        return owner

    async def find_anew(self, key: str) -> KeyOwner | None:
        """Find whose key it is after reading the database; raises InboxAway. May take a second."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_soon())
        # shield: one sender that hangs up must not end the reading that others wait for.
        await asyncio.shield(self._reading)
        return self.find(key)

    async def _read_soon(self) -> None:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self._last_read + BETWEEN_READS - clock())
        self._last_read = clock()
        await self._read()

    async def _read(self) -> None:
        self._owners = await asyncio.get_running_loop().run_in_executor(self._reader, read_keys)
        self._seen = {}

    async def _read_or_log(self) -> None:
        try:
            await self._read()
        except InboxAway as away:
            log.warning("cannot read the keys now; those known stay in use", error=str(away))

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self._read_or_log()
