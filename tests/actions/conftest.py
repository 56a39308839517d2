"""Vendors that hang or answer, and a world whose worker runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.actions.worker_world import SOON, Listener, Silent
from tests.world import World


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.stop()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A web server of one thread that answers 200 and remembers what it was asked."""
    server = Listener()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def running(world: World) -> Iterator[World]:
    """The world with its worker running in its thread, as in the product."""
    world.worker.start()
    yield world
    world.worker.stop(SOON)
