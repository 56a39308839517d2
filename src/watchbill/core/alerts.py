"""Alerts: which group a signal belongs to, what silences it, what the team is asked to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import re2

from watchbill.core.signals import Signal
from watchbill.kit.effects import Become, Effect, Record, SetTimer, Start
from watchbill.kit.errors import Refused

Place = Literal["new", "joins", "repeats", "flaps", "clears", "acknowledges", "stray"]
OPERATORS = ("=", "!=", "=~", "!~")
# Patterns come from people and meet labels from strangers: RE2 takes linear time whatever they are.
QUIETLY = re2.Options()
QUIETLY.log_errors = False
QUIETLY.max_mem = 1 << 20


@dataclass(frozen=True)
class Matcher:
    """One condition on an alert's labels; a missing label is the empty text."""

    label: str
    operator: str
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Tell whether the labels meet it; a pattern must match the whole value."""
        given = labels.get(self.label, "")
        if self.operator in {"=", "!="}:
            return (given == self.value) == (self.operator == "=")
        return bool(re2.fullmatch(self.value, given, QUIETLY)) == (self.operator == "=~")


@dataclass(frozen=True)
class Silence:
    """Suppression in force from `starts_at` to `ends_at`, for one service or the whole team."""

    id: int
    service: int | None
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    why: str
    by: str


@dataclass(frozen=True)
class Answer:
    """What somebody had answered when an alert group resolved: who, and until when it holds (None: without an end)."""

    name: str
    until: datetime | None = None
    snoozed: bool = False


def read_matchers(matchers: Sequence[Mapping[str, Any]]) -> tuple[Matcher, ...]:
    """Read matchers from their JSON form; raises Refused naming the one that is wrong."""
    read = []
    for number, matcher in enumerate(matchers, 1):
        label, operator, value = (str(matcher.get(part, "")) for part in ("label", "operator", "value"))
        if not label:
            raise Refused(f"matcher {number} names no label", "matchers")
        if operator not in OPERATORS:
            raise Refused(f"matcher {number}: use one of {' '.join(OPERATORS)}, not “{operator}”", "matchers")
        if operator.endswith("~"):
            _check_pattern(value, number)
        read.append(Matcher(label, operator, value))
    return tuple(read)


def _check_pattern(pattern: str, number: int) -> None:
    if len(pattern) > 500:
        raise Refused(f"matcher {number}: at most 500 characters, this has {len(pattern)}", "matchers")
    try:
        re2.compile(pattern, QUIETLY)
    except re2.error as error:
        words = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise Refused(f"matcher {number}: “{pattern}” is no pattern: {words}", "matchers") from None


def silence_of(labels: Mapping[str, str], service: int, silences: Sequence[Silence], now: datetime) -> Silence | None:
    """Find the silence that covers these labels now; of several the one that lasts longest."""
    covering = [
        silence
        for silence in silences
        if silence.starts_at <= now < silence.ends_at
        and silence.service in {None, service}
        and all(matcher.holds(labels) for matcher in silence.matchers)
    ]
    return max(covering, key=lambda silence: silence.ends_at, default=None)


def silence_of_group(
    alerts: Sequence[Mapping[str, str]], service: int, silences: Sequence[Silence], now: datetime
) -> Silence | None:
    """Find the silence that holds back alerts that are handled as one: each of them must be covered, by one or another.

    Of several the one that ends first: from then on somebody must look again. One that nothing covers is reason enough
    to hold back none of them.
    """
    found = [silence_of(labels, service, silences, now) for labels in alerts]
    covering = [silence for silence in found if silence is not None]
    return min(covering, key=lambda silence: silence.ends_at, default=None) if len(covering) == len(found) else None


def place(signal: Signal, *, alert_is_firing: bool, group_is_open: bool, left_lately: bool) -> tuple[Place, str]:
    """Decide what a signal means for what is already known, and why.

    `alert_is_firing`: this very alert fires already; `group_is_open`: its group is open; `left_lately`: its
    group was resolved within the team's flapping time.
    """
    if signal.state == "resolved":
        return ("clears", "the monitor says it is over") if alert_is_firing else ("stray", "nothing was firing")
    if signal.state == "acknowledged":
        if alert_is_firing:
            return "acknowledges", "the monitor says somebody took it"
        return "stray", "nothing was firing"
    if alert_is_firing:
        return "repeats", "it fires already"
    if group_is_open:
        return "joins", "its group is open"
    if left_lately:
        return "flaps", "it came back within the team's flapping time"
    return "new", "nothing like it was open"


def come_back(answer: Answer | None, window: timedelta, now: datetime) -> tuple[bool, str]:
    """Decide whether the answer given before still holds for a group that fires again within `window`, and why.

    An answer keeps its own end: an alert that flaps all night must not keep a forgotten promise alive.
    """
    returned = f"it returned within {window // timedelta(minutes=1)} minutes"
    if answer is None:
        return False, f"{returned}, and nobody had answered"
    if answer.until is not None and answer.until <= now:
        return False, f"{returned}, and what {answer.name} answered ran out at {answer.until:%H:%M} UTC"
    until = f" until {answer.until:%a %H:%M} UTC" if answer.until else ""
    if answer.snoozed:
        return True, f"{returned}, {answer.name} snoozed it{until}"
    return True, f"{returned}, {answer.name} has it{until}"


def go_on(answer: Answer, why: str) -> list[Effect]:
    """Decide what becomes of a page whose alert came back while its answer holds: it stands as it was answered."""
    state, timer = ("snoozed", "snooze_over") if answer.snoozed else ("acknowledged", "acknowledgement_expires")
    effects: list[Effect] = [
        Become({"state": state, "closed_at": None, "until": answer.until}),
        Record(f"page.{state}", f"goes on: {why}"),
    ]
    return [*effects, SetTimer(timer, answer.until)] if answer.until else effects


def respond(
    response: str,
    *,
    silence: Silence | None,
    in_coverage: bool,
    coverage_starts: datetime | None,
    due_at: datetime | None,
) -> list[Effect]:
    """Decide what a new or worse group asks of the team: a page, a wait for coverage, a place on the list, or nothing."""
    if silence is not None:
        return [
            Record("alert.silenced", f"silenced by {silence.by}: {silence.why}", {"silence": silence.id}),
            SetTimer("silence_over", silence.ends_at),
        ]
    if response == "page_now":
        return [Start("page.open", {"why": "pages at once"})]
    if response == "page_in_coverage" and in_coverage:
        return [Start("page.open", {"why": "pages in coverage hours, and coverage holds now"})]
    if response == "page_in_coverage" and coverage_starts is not None:
        until = f"waits for coverage, which starts {coverage_starts:%a %d %b %H:%M} UTC"
        return [Record("alert.waits", until), SetTimer("coverage_starts", coverage_starts)]
    if response == "page_in_coverage":
        return [Start("page.open", {"why": "the team has no coverage hours to wait for, so it pages at once"})]
    if response == "list_due":
        when = f", due {due_at:%a %d %b %H:%M} UTC" if due_at else ""
        return [Record("alert.listed", f"listed, nobody is paged{when}")]
    return [Record("alert.recorded", "recorded only, nobody is paged")]
