"""The door of the monitors, served by a real uvicorn in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from threading import Event
from time import monotonic
from typing import Any

import pytest

from tests.doors.api_world import ApiWorld
from tests.doors.intake_world import Door, Store, make_store
from tests.world import World
from watchbill.entry import clock

_numbers = count()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A database with one service and its keys; tests work on copies."""
    store = make_store(tmp_path_factory.mktemp("intake") / "base")
    yield store
    store.drop()


@pytest.fixture(scope="module")
def door(seeded: Store) -> Iterator[Door]:
    """One running server for a module's questions."""
    yield from _serve(seeded, {})


@pytest.fixture
def open_door(seeded: Store) -> Iterator[Callable[..., Door]]:
    """A server of the test's own, with limits of its own."""
    opened: list[Iterator[Door]] = []

    def serve(**options: Any) -> Door:
        opened.append(_serve(seeded, options))
        return next(opened[-1])

    yield serve
    for server in opened:
        next(server, None)


def _serve(seeded: Store, options: dict[str, Any]) -> Iterator[Door]:
    store = seeded.copy(f"copy-{next(_numbers)}")
    server = Door(store, options)
    yield server
    server.close()
    store.drop()


@pytest.fixture
def until() -> Callable[..., bool]:
    """Ask again until it is so, or until the time is over."""

    def wait(is_so: Callable[[], bool], seconds: float) -> bool:
        end = monotonic() + seconds
        while monotonic() < end:
            if is_so():
                return True
            Event().wait(0.05)
        return False

    return wait


@pytest.fixture
def api(world: World, monkeypatch: pytest.MonkeyPatch) -> ApiWorld:
    """The API over the small team's world; the door's clock stands at the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return ApiWorld(world)
