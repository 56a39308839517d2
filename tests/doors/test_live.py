"""The live stream: says that something changed, never what; calm in a storm; ends when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.db import transaction

from watchbill.actions.log import Subject, record
from watchbill.db import wake
from watchbill.entry import live
from watchbill.entry.live import LiveHub

CHANGED = b"event: changed\ndata: .\n\n"


class Reader:
    """A browser's end of a stream, as ASGI sees it."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.over = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            if message["more_body"]:
                self.lines.put_nowait(message["body"])
            else:
                self.over.set()

    async def next(self) -> bytes:
        return await asyncio.wait_for(self.lines.get(), 30)


def listen(story: Callable[[LiveHub, Reader, asyncio.Task[None]], Any], hub: LiveHub | None = None) -> None:
    """Tell a story with one hub and one reader who has just opened a page."""
    hub = hub or LiveHub()

    async def tell() -> None:
        reader = Reader()
        stream = asyncio.create_task(hub({"type": "http"}, reader.receive, reader.send))
        assert await reader.next() == b"retry: 2000\n\n"
        await story(hub, reader, stream)
        hub.stop()
        await asyncio.wait_for(stream, 30)

    asyncio.run(tell())


def test_a_change_told_by_any_thread_is_heard():
    async def story(hub: LiveHub, reader: Reader, stream: asyncio.Task[None]) -> None:
        Thread(target=hub.changed).start()
        assert await reader.next() == CHANGED

    listen(story)


def test_what_changed_between_the_page_and_its_stream_is_told_at_once():
    hub = LiveHub()
    hub.changed()

    async def story(hub: LiveHub, reader: Reader, stream: asyncio.Task[None]) -> None:
        assert await reader.next() == CHANGED

    listen(story, hub)


def test_a_storm_of_changes_is_one_refresh_at_once_and_one_after_the_breath(monkeypatch):
    monkeypatch.setattr(live, "BREATH_SECONDS", 0.05)

    async def story(hub: LiveHub, reader: Reader, stream: asyncio.Task[None]) -> None:
        hub.changed()
        assert await reader.next() == CHANGED
        for _ in range(1000):
            hub.changed()
        assert await reader.next() == CHANGED
        await asyncio.wait({stream}, timeout=0.2)
        assert reader.lines.empty()

    listen(story)


def test_a_quiet_stream_says_now_and_then_that_it_is_there(monkeypatch):
    monkeypatch.setattr(live, "KEEP_ALIVE_SECONDS", 0.02)
    monkeypatch.setattr(live, "BREATH_SECONDS", 0.0)

    async def story(hub: LiveHub, reader: Reader, stream: asyncio.Task[None]) -> None:
        assert await reader.next() == b": still here\n\n"

    listen(story)


def test_a_page_that_is_closed_is_forgotten():
    async def story(hub: LiveHub, reader: Reader, stream: asyncio.Task[None]) -> None:
        reader.gone.set()
        await asyncio.wait_for(stream, 30)
        assert hub.waiting == set()
        assert not reader.over.is_set()

    listen(story)


def test_at_the_end_every_stream_ends_properly():
    async def story(hub: LiveHub, reader: Reader, stream: asyncio.Task[None]) -> None:
        hub.stop()
        await asyncio.wait_for(reader.over.wait(), 30)

    listen(story)


def test_a_worker_that_commits_after_the_end_of_the_server_is_not_disturbed():
    hub = LiveHub()

    async def serve() -> None:
        reader = Reader()
        stream = asyncio.create_task(hub({"type": "http"}, reader.receive, reader.send))
        await reader.next()
        reader.gone.set()
        await stream

    asyncio.run(serve())
    hub.changed()
    hub.stop()


@pytest.fixture
def told(monkeypatch):
    """Count how often this process was told of work and of changes."""
    counted: list[str] = []
    monkeypatch.setattr(wake, "LISTENERS", [lambda: counted.append("change")])
    return counted


def test_a_line_in_the_log_refreshes_pages_and_wakes_no_worker(world, told):
    wake.WOKEN.clear()
    record(Subject("team", world.team.pk, world.team.pk), "team.noted", "nothing to do", world.now)
    assert told == ["change"]
    assert not wake.WOKEN.is_set()


def test_nothing_is_told_of_what_was_rolled_back_and_one_commit_is_told_once(world, told, monkeypatch):
    wake.WOKEN.clear()
    with transaction.atomic():
        wake.wake_workers()
        transaction.set_rollback(True)
    assert told == []
    with transaction.atomic():
        for _ in range(5):
            wake.wake_workers()
            wake.refresh_pages()
    assert told == ["change"]
    assert wake.WOKEN.is_set()
