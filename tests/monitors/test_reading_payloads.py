"""What the reading functions give for the values that crash others: NUL, half characters, huge numbers, odd times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill.core.foreign import count_values
from watchbill.core.signals import Signal
from watchbill.kit.errors import Unreadable
from watchbill.monitors import (
    digest_of,
    read_key,
    read_labels,
    read_line,
    read_links,
    read_text,
    read_time,
    read_url,
    read_word,
)
from watchbill.monitors._reading import tidy

AT = datetime(2026, 11, 20, 8, 42, 58, 315000, UTC)


def nest(depth: int) -> Any:
    """Give lists within lists."""
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-20T08:42:58.315Z", AT),
        ("2026-11-20T08:42:58.315+0000", AT),
        ("2026-11-20T09:42:58.315+01:00", AT),
        ("2026-11-20 08:42:58.315", AT),
        ("2026-11-20T08:42:58.315+00:00Z", AT),
        (" 2026-11-20t08:42:58.315z ", AT),
        ("2026-11-20T08:42:58.315000999Z", AT),
        ("2026-11-20T08:42Z", datetime(2026, 11, 20, 8, 42, tzinfo=UTC)),
        (1795164178.315, AT),
        (1795164178315, AT),
        (1795164178, AT.replace(microsecond=0)),
    ],
)
def test_a_time_is_read_in_whichever_way_it_is_written(written: object, read: datetime) -> None:
    assert read_time(written) == read
    found = read_time(written)
    assert found is not None
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "written",
    [
        "0001-01-01T00:00:00Z",
        "",
        "yesterday",
        "2026-02-31T00:00:00Z",
        "2026-11-20T25:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "1969-12-31T23:59:59Z",
        "2026-11-20",
        "٢٠٢٦-11-20T08:42:58Z",
        "2026-11-20T08:42:58+99:99",
        0,
        -1,
        True,
        None,
        [],
        1e308,
        float("nan"),
        float("inf"),
        10**400,
    ],
)
def test_what_is_no_time_is_none_and_costs_nothing(written: object) -> None:
    assert read_time(written) is None


@given(st.integers(1, 7_258_032_000 * 10**6), st.integers(-14 * 60, 14 * 60))
def test_every_written_instant_is_read_back(microseconds: int, minutes: int) -> None:
    start = datetime(1970, 1, 1, tzinfo=UTC)
    moment = (start + timedelta(microseconds=microseconds)).astimezone(timezone(timedelta(minutes=minutes)))
    assert read_time(moment.isoformat()) == moment


def test_text_loses_what_a_database_or_a_mail_cannot_carry() -> None:
    assert read_text("a\x00b\x1b[31mc\r\nd\te\ud800f") == "ab[31mc\nd\te\ufffdf"
    assert read_line(" two\n lines\t") == "two lines"
    assert read_word(" CRITICAL\n") == "critical"


def test_a_value_that_is_no_text_is_written_as_json() -> None:
    assert [read_text(value) for value in (None, True, 7, 0.75, "x")] == ["", "true", "7", "0.75", "x"]
    assert read_text({"b": [1, None], "a": "é"}) == '{"a": "é", "b": [1, null]}'


@pytest.mark.parametrize(
    "value",
    [10**5000, nest(100_000), {1: 2, "a": 3}, {"a": 10**5000}],
    ids=["a huge number", "nested", "names of two kinds", "a huge number within"],
)
def test_a_value_that_cannot_be_written_is_still_a_text(value: Any) -> None:
    assert len(read_text(value)) <= 8192
    assert digest_of(value)


def test_a_long_text_is_cut_and_says_so() -> None:
    assert read_text("x" * 9000) == "x" * 8191 + "…"
    assert read_line("x" * 9000) == "x" * 1023 + "…"
    assert len(read_text(list(range(100_000)))) == 8192


def test_two_long_keys_stay_two_and_a_short_one_stays_itself() -> None:
    long = "k" * 300
    assert read_key("srv01/disk") == "srv01/disk"
    assert read_key("k" * 255) == "k" * 255
    assert len(read_key(long)) == 255
    assert read_key(long) == read_key(long)
    assert len({read_key(long), read_key(long + "1"), read_key("k" * 255)}) == 3


def test_a_digest_does_not_depend_on_the_order_of_the_fields() -> None:
    assert digest_of({"a": 1, "b": {"c": 2, "d": 3}}) == digest_of({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
    assert digest_of([1, 2]) != digest_of([2, 1])


def test_labels_are_at_most_64_and_the_same_64_in_any_order() -> None:
    many = {f"label {number:03}": number for number in range(100)}
    labels = read_labels(many)
    assert len(labels) == 64
    assert labels == read_labels(dict(reversed(many.items())))
    assert labels["label 000"] == "0"
    assert read_labels(None) == read_labels("x") == read_labels({"": "nameless", "\x00": 1}) == {}


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//example.org/x",
        "/x",
        "?orgId=1",
        "https://example.org/a b",
        'https://example.org/"onload=',
        "https://example.org/<x>",
        "https://example.org/\x00",
        "https://example.org/\ud800",
        "https://example.org/" + "x" * 3000,
        "",
        None,
        7,
        ["https://example.org"],
    ],
)
def test_only_an_address_that_a_person_may_click_becomes_a_link(address: object) -> None:
    assert read_url(address) == ""
    assert read_links([("Name", address)]) == ()


def test_an_address_is_linked_once_under_its_first_name() -> None:
    assert read_links(
        [("Runbook", "https://example.org/r"), ("Wiki", "https://example.org/r"), ("", "HTTP://h/x")]
    ) == (
        ("Runbook", "https://example.org/r"),
        ("Link", "HTTP://h/x"),
    )
    assert len(read_links([("n", f"https://example.org/{n}") for n in range(40)])) == 16


def test_a_signal_that_tells_not_which_alert_it_is_is_unreadable() -> None:
    """With an empty key all such alerts would be one, and the second would page nobody."""
    with pytest.raises(Unreadable, match="Disk full"):
        tidy(Signal(state="firing", fingerprint="\x00 ", title="Disk full"))


def test_a_signal_of_any_size_is_brought_inside_its_bounds() -> None:
    tidied = tidy(
        Signal(
            state="firing",
            fingerprint="f" * 1000,
            title="\x00\n",
            group="g" * 1000,
            severity="CRITICAL" * 50,
            description="d" * 10_000,
            labels={str(n): "v" * 2000 for n in range(200)},
            links=(("x", "javascript:alert(1)"), ("y", "https://example.org")),
        )
    )
    assert tidied.title == "Alert without a title"
    assert (len(tidied.fingerprint), len(tidied.group), len(tidied.severity)) == (255, 255, 64)
    assert (len(tidied.description), len(tidied.labels)) == (8192, 64)
    assert tidied.links == (("y", "https://example.org"),)
    assert tidy(tidied) == tidied


@pytest.mark.parametrize(
    "giant",
    [nest(100_000), [None] * 200_000, {str(n): {} for n in range(100_001)}],
    ids=["deep", "long", "wide"],
)
def test_a_giant_is_refused_before_any_expression_touches_it(giant: Any) -> None:
    with pytest.raises(Unreadable):
        count_values(giant)


def test_what_is_large_but_sound_is_not_refused() -> None:
    assert count_values({"alerts": [{"labels": {"a": "b"}}] * 10_000, "deep": nest(60)}) == 30_063
