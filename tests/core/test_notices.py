"""Planned work, the pure part: what may follow what, whatever people press in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill import presets
from watchbill.core import notices
from watchbill.core.notices import Notice
from watchbill.kit.effects import Become, ClearTimer, SetTimer
from watchbill.kit.errors import Refused
from watchbill.rules import planned_work

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MAY = {
    "draft": {"announce", "begin", "move", "cancel"},
    "announced": {"begin", "move", "cancel"},
    "in_progress": {"extend", "finish", "cancel"},
    "done": set(),
    "cancelled": set(),
}


def press(notice: Notice, button: str, now: datetime) -> list[object]:
    match button:
        case "announce":
            return list(notices.announce(notice, "Ana", None, now))
        case "begin":
            return list(notices.begin(notice, "Ana", now))
        case "extend":
            return list(notices.extend(notice, notice.ends_at + HOUR, "Ana", now))
        case "move":
            return list(notices.move(notice, now + HOUR, now + 2 * HOUR, "Ana", None, now))
        case "finish":
            return list(notices.finish(notice, "Ana", now))
        case _:
            return list(notices.cancel(notice, "Ana", "no time", now))


@given(st.lists(st.sampled_from(["announce", "begin", "extend", "move", "finish", "cancel"]), max_size=12))
def test_whatever_is_pressed_work_ends_once_and_nothing_wakes_after_its_end(buttons: list[str]) -> None:
    notice, timers, now = Notice("draft", "Move the database", NOW + 5 * HOUR, NOW + 48 * HOUR), set(), NOW
    for button in buttons:
        now += timedelta(minutes=7)
        if button not in MAY[notice.state]:
            with pytest.raises(Refused):
                press(notice, button, now)
            continue
        for effect in press(notice, button, now):
            if isinstance(effect, Become):
                values = {**notice.__dict__, **effect.changes}
                notice = Notice(**{name: values[name] for name in ("state", "title", "starts_at", "ends_at")})
            elif isinstance(effect, SetTimer):
                timers.add(effect.kind)
            elif isinstance(effect, ClearTimer):
                timers.discard(effect.kind)
        if notice.state in notices.OVER or notice.state == "draft":
            assert not timers
        if notice.state == "in_progress":
            assert timers == {"end"}


def test_planned_work_lies_ahead_and_ends_after_it_starts() -> None:
    for starts, ends in (
        (NOW + HOUR, NOW + HOUR),
        (NOW - 2 * HOUR, NOW - HOUR),
        (NOW, NOW + timedelta(days=40)),
    ):
        with pytest.raises(Refused) as refused:
            notices.check_times(starts, ends, NOW)
        assert refused.value.field == "ends_at"


@pytest.mark.parametrize("name", presets.all_presets())
def test_everybody_is_reminded_before_by_the_teams_own_hours_unless_it_is_too_late(name: str) -> None:
    rule = planned_work.Settings.model_validate(presets.load(name).rules["planned_work"])
    week = NOW + timedelta(days=7)
    assert planned_work.decide(week, NOW, rule) == week - timedelta(hours=rule.remind_before_hours)
    assert planned_work.decide(NOW + HOUR, NOW, rule) is None
    assert planned_work.short_notice(week, NOW, rule) == ""
    assert "short notice" in planned_work.short_notice(NOW + HOUR, NOW, rule)
