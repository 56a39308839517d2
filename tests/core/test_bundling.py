"""Which messages leave together: nobody waits for a quiet address, nobody is lost, a second copy has the same company."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from watchbill.core.delivery import BUNDLE_MOST, Due, bundle

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
WINDOW = timedelta(seconds=1)

moments = st.integers(-3000, 0).map(lambda milliseconds: NOW + timedelta(milliseconds=milliseconds))
addresses = st.integers(1, 4)
messages = st.builds(Due, st.just(0), addresses, st.booleans(), st.sampled_from([0, 0, 0, 1, 2]), moments)
waiting = st.lists(messages, max_size=40).map(
    lambda found: [Due(n, m.address, m.shares, m.attempt, m.due_at) for n, m in enumerate(found, 1)]
)
lately = st.dictionaries(addresses, st.integers(-3000, 500).map(lambda ms: NOW + timedelta(milliseconds=ms)))
windows = st.integers(0, 2500).map(lambda milliseconds: timedelta(milliseconds=milliseconds))


@given(waiting, lately, windows)
def test_each_message_leaves_or_waits_at_most_once_and_never_for_longer_than_the_window(due, began, window):
    found = bundle(due, began, window, NOW)
    times = Counter([number for ids in found.leave for number in ids] + list(found.wait))
    assert set(times.values()) <= {1}
    assert set(times) <= {one.id for one in due}
    assert all(NOW < at <= NOW + window for at in found.wait.values())


@given(waiting, lately, windows)
def test_only_messages_to_one_address_that_may_share_leave_together(due, began, window):
    known = {one.id: one for one in due}
    for ids in bundle(due, began, window, NOW).leave:
        assert len({known[number].address for number in ids}) == 1
        assert len(ids) == 1 or all(known[number].shares for number in ids)
        assert list(ids) == sorted(ids)


@given(waiting, lately, windows)
def test_the_first_message_to_a_quiet_address_leaves_at_once_and_so_does_what_never_shares(due, began, window):
    found = bundle(due, began, window, NOW)
    leaving = {number for ids in found.leave for number in ids}
    quiet = {a for a in range(1, 5) if a not in began or began[a] > NOW or NOW - began[a] >= window}
    for one in due:
        if not one.shares or (one.attempt == 0 and one.address in quiet):
            assert one.id in leaving


@given(waiting, lately, windows)
def test_what_was_tried_before_waits_for_nothing_and_leaves_in_the_same_company(due, began, window):
    found = bundle(due, began, window, NOW)
    tried = [one for one in due if one.shares and one.attempt]
    assert not {one.id for one in tried} & set(found.wait)
    leaving = {number for ids in found.leave for number in ids}
    for one in tried:
        company = {o.id for o in tried if (o.address, o.due_at, o.attempt) == (one.address, one.due_at, one.attempt)}
        assert tuple(sorted(company)) in found.leave or not company & leaving
    for address in {one.address for one in tried}:
        assert any(one.id in leaving for one in tried if one.address == address), "one company of each address goes"


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=300), st.integers(1, 2500))
def test_a_storm_to_one_address_makes_one_message_a_window_and_loses_none(arrivals, window_ms):
    """The worker looks whenever something is due; at each look, what leaves is taken out."""
    window, began = timedelta(milliseconds=window_ms), dict[int, datetime]()
    coming = {n: NOW + timedelta(milliseconds=at) for n, at in enumerate(arrivals)}
    left: list[tuple[datetime, int]] = []
    while coming:
        now = min(coming.values())
        found = bundle([Due(n, 1, True, 0, at) for n, at in coming.items() if at <= now], began, window, now)
        coming |= found.wait
        for ids in found.leave:
            began[1] = now
            left.append((now, len(ids)))
            for number in ids:
                del coming[number]
    assert sum(many for _, many in left) == len(arrivals)
    assert left[0][0] == NOW + timedelta(milliseconds=min(arrivals))
    assert all(after - before >= window for (before, _), (after, _) in pairwise(left))


def test_a_bundle_has_an_end():
    due = [Due(number, 1, True, 0, NOW) for number in range(1, BUNDLE_MOST + 50)]
    assert bundle(due, {}, WINDOW, NOW).leave == (tuple(range(1, BUNDLE_MOST + 1)),)
