"""Silences and matchers, pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watchbill.core.alerts import Matcher, Silence, read_matchers, silence_of
from watchbill.kit.errors import Refused

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
LABELS = {"alertname": "DiskFull", "instance": "db1"}


def silence(number=1, *, service=None, matchers=(), hours=1, starts=NOW):
    return Silence(number, service, tuple(matchers), starts, NOW + timedelta(hours=hours), "disk swap", "Ana")


@pytest.mark.parametrize(
    ("matcher", "holds"),
    [
        (Matcher("alertname", "=", "DiskFull"), True),
        (Matcher("alertname", "!=", "DiskFull"), False),
        (Matcher("instance", "=~", "db[0-9]+"), True),
        (Matcher("instance", "=~", "db"), False),
        (Matcher("instance", "!~", "web.*"), True),
        (Matcher("missing", "=", ""), True),
    ],
)
def test_a_matcher_holds_for_the_whole_value(matcher, holds):
    assert matcher.holds(LABELS) is holds


def test_a_pattern_made_to_be_slow_takes_no_time():
    (matcher,) = read_matchers([{"label": "x", "operator": "=~", "value": "(a|a)*(a|aa)*b"}])
    assert matcher.holds({"x": "a" * 10_000}) is False


@pytest.mark.parametrize(
    ("matcher", "words"),
    [
        ({"label": "", "operator": "=", "value": "x"}, "names no label"),
        ({"label": "a", "operator": "==", "value": "x"}, "use one of"),
        ({"label": "a", "operator": "=~", "value": "("}, "is no pattern"),
        ({"label": "a", "operator": "=~", "value": "x" * 501}, "at most 500"),
    ],
)
def test_a_matcher_that_is_wrong_is_refused_with_its_number(matcher, words):
    with pytest.raises(Refused, match=words) as refusal:
        read_matchers([{"label": "ok", "operator": "=", "value": "y"}, matcher])
    assert "matcher 2" in refusal.value.message


def test_a_silence_covers_its_service_its_time_and_its_labels_only():
    only_disk = silence(service=7, matchers=[Matcher("alertname", "=", "DiskFull")])
    assert silence_of(LABELS, 7, [only_disk], NOW) == only_disk
    assert silence_of(LABELS, 8, [only_disk], NOW) is None
    assert silence_of({"alertname": "Other"}, 7, [only_disk], NOW) is None
    assert silence_of(LABELS, 7, [only_disk], NOW + timedelta(hours=1)) is None, "the end is not part of it"
    assert silence_of(LABELS, 7, [silence(starts=NOW + timedelta(minutes=1))], NOW) is None


def test_of_several_silences_the_one_that_lasts_longest_is_named():
    assert silence_of(LABELS, 1, [silence(1, hours=1), silence(2, hours=3), silence(3, hours=2)], NOW).id == 2
