"""The write lock of a process on SQLite goes to whoever has waited longest."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import pytest

from watchbill.db.write_lock import FairLock


def holder(lock: FairLock, name: str, order: list[str], may_end: Event | None = None) -> Thread:
    def hold() -> None:
        with lock:
            order.append(name)
            if may_end:
                assert may_end.wait(10)

    thread = Thread(target=hold)
    thread.start()
    return thread


def waiting(lock: FairLock) -> int:
    return len(lock._queue)


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    def wait(is_so: Callable[[], bool]) -> None:
        for _ in range(1000):
            if is_so():
                return
            Event().wait(0.005)
        raise AssertionError

    return wait


def test_it_is_served_in_the_order_of_arrival_even_against_a_thread_that_comes_back_at_once(wait_for):
    lock, order, may_end = FairLock(), [], Event()
    threads = [holder(lock, "worker", order, may_end)]
    wait_for(lambda: order == ["worker"])
    for number, name in enumerate(["door", "page", "worker again"]):
        threads.append(holder(lock, name, order))
        wait_for(lambda number=number: waiting(lock) == number + 1)
    may_end.set()
    for thread in threads:
        thread.join(10)
    assert order == ["worker", "door", "page", "worker again"]


def test_whoever_has_it_may_take_it_again_and_gives_it_back_as_often(wait_for):
    lock, order = FairLock(), []
    with lock:
        with lock:
            thread = holder(lock, "other", order)
            wait_for(lambda: waiting(lock) == 1)
        assert order == []
    thread.join(10)
    assert order == ["other"]
    assert lock.acquire(timeout=0)
    lock.release()


def test_one_who_waits_no_longer_leaves_the_queue_to_the_others(wait_for):
    lock, order, may_end = FairLock(), [], Event()
    thread = holder(lock, "worker", order, may_end)
    wait_for(lambda: order == ["worker"])
    assert not lock.acquire(timeout=0.01)
    other = holder(lock, "door", order)
    wait_for(lambda: waiting(lock) == 1)
    may_end.set()
    thread.join(10)
    other.join(10)
    assert order == ["worker", "door"]


def test_a_thread_that_does_not_have_it_cannot_give_it_back():
    with pytest.raises(RuntimeError):
        FairLock().release()
