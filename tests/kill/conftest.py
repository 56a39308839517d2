"""One zygote for all kill tests: it takes a second to load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kill.killing import Moments, Zygote


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    process = Zygote()
    yield process
    process.stop()


@pytest.fixture
def moments(world) -> Iterator[Moments]:
    kept = Moments()
    yield kept
    kept.forget()
