"""Coverage and the rule for changes of clock (C3, ROT-07, ROT-08)."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbill.core import coverage as hours
from watchbill.core.coverage import Coverage, Window, covers, next_start, spans, working_days
from watchbill.core.wallclock import end_instant, start_instant, whole_days
from watchbill.kit.errors import Refused
from watchbill.kit.spans import Span

ZONES = [
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Pacific/Apia",
    "America/Havana",
]
OFFICE = Window(frozenset(range(5)), time(8), time(18))
LONDON = Coverage("Europe/London", (OFFICE,), frozenset({date(2025, 12, 25), date(2025, 12, 26)}))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "at", "start", "end"),
    [
        # Twice: the first for a start, the last for an end.
        ("Europe/London", date(2025, 10, 26), time(1, 30), "2025-10-26T00:30", "2025-10-26T01:30"),
        ("America/New_York", date(2025, 11, 2), time(1), "2025-11-02T05:00", "2025-11-02T06:00"),
        ("Australia/Lord_Howe", date(2025, 4, 6), time(1, 45), "2025-04-05T14:45", "2025-04-05T15:15"),
        ("America/Santiago", date(2025, 4, 5), time(23, 30), "2025-04-06T02:30", "2025-04-06T03:30"),
        # Never: both move to the first that exists.
        ("Europe/London", date(2025, 3, 30), time(1, 30), "2025-03-30T01:00", "2025-03-30T01:00"),
        ("America/New_York", date(2025, 3, 9), time(2, 59), "2025-03-09T07:00", "2025-03-09T07:00"),
        ("Australia/Lord_Howe", date(2025, 10, 5), time(2, 10), "2025-10-04T15:30", "2025-10-04T15:30"),
        ("America/Santiago", date(2025, 9, 7), time(0), "2025-09-07T04:00", "2025-09-07T04:00"),
        ("Pacific/Apia", date(2011, 12, 30), time(9), "2011-12-30T10:00", "2011-12-30T10:00"),
        ("Pacific/Apia", date(2011, 12, 30), time(0), "2011-12-30T10:00", "2011-12-30T10:00"),
        # Once, on an ordinary day.
        ("Europe/London", date(2025, 6, 2), time(9), "2025-06-02T08:00", "2025-06-02T08:00"),
    ],
)
def test_it_takes_the_first_start_the_last_end_and_the_first_time_that_exists(zone, day, at, start, end):
    """Design, section 4: the rule for changes of clock."""
    assert start_instant(day, at, zone) == utc(start)
    assert end_instant(day, at, zone) == utc(end)


def test_a_day_of_clock_change_is_as_long_as_it_is():
    assert whole_days(date(2025, 3, 30), date(2025, 3, 30), "Europe/London").length == timedelta(hours=23)
    assert whole_days(date(2025, 10, 26), date(2025, 10, 26), "Europe/London").length == timedelta(hours=25)
    assert whole_days(date(2011, 12, 30), date(2011, 12, 30), "Pacific/Apia").length == timedelta(0)


def test_it_opens_at_eight_on_both_sides_of_a_change_of_clock():
    """ROT-08: 08:00 to 18:00, Monday to Friday, London."""
    found = spans(LONDON, Span(utc("2025-03-28T00:00"), utc("2025-04-01T00:00")))
    assert found == [
        Span(utc("2025-03-28T08:00"), utc("2025-03-28T18:00")),
        Span(utc("2025-03-31T07:00"), utc("2025-03-31T17:00")),
    ]


def test_it_cuts_to_what_was_asked():
    found = spans(LONDON, Span(utc("2025-01-06T09:30"), utc("2025-01-06T10:00")))
    assert found == [Span(utc("2025-01-06T09:30"), utc("2025-01-06T10:00"))]


def test_it_is_closed_on_holidays_and_weekends():
    """ROT-07: partial coverage is legal and explicit."""
    assert not covers(LONDON, utc("2025-12-25T10:00"))
    assert not covers(LONDON, utc("2025-12-27T10:00"))
    assert covers(LONDON, utc("2025-12-24T17:59"))
    assert not covers(LONDON, utc("2025-12-24T18:00"))
    assert covers(LONDON, utc("2025-12-29T08:00"))


def test_it_knows_when_it_opens_next():
    assert next_start(LONDON, utc("2025-12-24T18:00")) == utc("2025-12-29T08:00")
    assert next_start(LONDON, utc("2025-12-29T08:00")) == utc("2025-12-29T08:00")
    assert next_start(LONDON, utc("2025-12-29T08:01")) == utc("2025-12-30T08:00")


def test_what_never_closes_never_starts():
    always = Coverage("Europe/London", (hours.WHOLE_WEEK,))
    assert next_start(always, utc("2025-01-01T00:00")) is None
    assert next_start(None, utc("2025-01-01T00:00")) is None
    assert next_start(Coverage("Europe/London", ()), utc("2025-01-01T00:00")) is None
    assert covers(always, utc("2025-03-30T01:00"))


def test_it_waits_out_a_long_closure():
    closed = frozenset(date(2025, 7, 1) + timedelta(days=n) for n in range(60))
    assert next_start(Coverage("UTC", (OFFICE,), closed), utc("2025-07-01T00:00")) == utc("2025-09-01T08:00")


def test_whole_days_from_monday_to_friday_are_one_stretch():
    """C3, the 24 h Monday-Friday of 2i2c."""
    week = Coverage("America/New_York", (Window(frozenset(range(5)), time(0), time(0)),))
    found = spans(week, Span(utc("2025-03-02T00:00"), utc("2025-03-16T00:00")))
    assert found == [
        Span(utc("2025-03-03T05:00"), utc("2025-03-08T05:00")),
        Span(utc("2025-03-10T04:00"), utc("2025-03-15T04:00")),
    ]


def test_a_window_may_end_on_the_next_day():
    night = Coverage("UTC", (Window(frozenset({4}), time(22), time(6)),))
    assert spans(night, Span(utc("2025-01-04T00:00"), utc("2025-01-05T00:00"))) == [
        Span(utc("2025-01-04T00:00"), utc("2025-01-04T06:00"))
    ]


def test_it_lists_working_days():
    """Glossary: a working day is a date inside coverage and not a holiday."""
    assert working_days(LONDON, date(2025, 12, 22), date(2025, 12, 29)) == [
        date(2025, 12, 22),
        date(2025, 12, 23),
        date(2025, 12, 24),
        date(2025, 12, 29),
    ]
    apia = Coverage("Pacific/Apia", (hours.WHOLE_WEEK,))
    assert working_days(apia, date(2011, 12, 29), date(2011, 12, 31)) == [date(2011, 12, 29), date(2011, 12, 31)]


def test_clocks_run_in_covered_time():
    """MET-07: clocks run on support hours, so that people's hours are protected."""
    friday = utc("2025-01-10T17:00")
    assert hours.after_covered(LONDON, friday, timedelta(hours=2)) == utc("2025-01-13T09:00")
    assert hours.covered_time(LONDON, Span(friday, utc("2025-01-13T09:00"))) == timedelta(hours=2)
    assert hours.after_covered(None, friday, timedelta(hours=2)) == utc("2025-01-10T19:00")
    assert hours.after_covered(LONDON, friday, timedelta(0)) == friday
    assert hours.after_covered(Coverage("UTC", ()), friday, timedelta(1)) is None
    assert hours.after_covered(LONDON, friday, timedelta(hours=100)) == utc("2025-01-24T17:00")


def test_it_reads_back_what_it_writes_and_names_the_field_that_is_wrong():
    assert hours.from_json(hours.to_json(LONDON)) == LONDON
    wrong = hours.to_json(LONDON)
    wrong["windows"][0]["end"] = 1080
    with pytest.raises(Refused) as refused:
        hours.from_json(wrong)
    assert refused.value.field == "windows.0.end"
    with pytest.raises(Refused) as refused:
        hours.from_json({"zone": "Mars/Phobos", "windows": []})
    assert refused.value.field == "zone"
    with pytest.raises(Refused) as refused:
        hours.from_json({"zone": "UTC", "window": []})
    assert refused.value.field == "window"


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    windows=st.lists(
        st.builds(
            Window,
            st.frozensets(st.integers(0, 6), min_size=1),
            st.times().map(lambda t: t.replace(second=0, microsecond=0)),
            st.times().map(lambda t: t.replace(second=0, microsecond=0)),
        ),
        min_size=1,
        max_size=3,
    ),
    start=st.integers(0, 396 * 24 * 60).map(lambda minutes: utc("2011-01-01T00:00") + timedelta(minutes=minutes)),
    days=st.integers(1, 30),
    probes=st.lists(st.floats(0, 1), min_size=8, max_size=8),
)
def test_an_instant_is_covered_when_the_wall_clock_says_so(zone, windows, start, days, probes):
    """Against another way to know it: look at the clock on the wall, away from the hours of a change."""
    given_hours = Coverage(zone, tuple(windows))
    asked = Span(start, start + timedelta(days=days))
    found = spans(given_hours, asked)
    assert all(a.end < b.start for a, b in pairwise(found))
    for probe in probes:
        moment = asked.start + probe * (asked.length - timedelta(seconds=1))
        covered = any(moment in span for span in found)
        assert covered == covers(given_hours, moment)
        if not _near_a_change(moment, zone):
            assert covered == _by_the_wall(given_hours, moment)


def _near_a_change(moment: datetime, zone: str) -> bool:
    around = [moment + timedelta(hours=h) for h in range(-50, 51, 2)]
    return len({at.astimezone(ZoneInfo(zone)).utcoffset() for at in around}) > 1


def _by_the_wall(given_hours: Coverage, moment: datetime) -> bool:
    wall = moment.astimezone(ZoneInfo(given_hours.zone))
    today, yesterday, now = wall.weekday(), (wall.weekday() - 1) % 7, wall.time()
    for window in given_hours.windows:
        over_night = window.end <= window.start
        if today in window.weekdays and window.start <= now and (over_night or now < window.end):
            return True
        if over_night and yesterday in window.weekdays and now < window.end:
            return True
    return False
