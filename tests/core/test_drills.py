"""Scenarios of drills: read, timed, looked back at."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill.core import drills
from watchbill.kit.errors import Refused

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
FULL = """
title: The disk of the database is full
impact: Nobody can save
absent: [Ben@example.org]
steps:
  - {after: 20m, say: The disk is free again}
  - {after: 0m, page: Disk full on db1}
  - {after: 4m, request: I cannot save, from: Ria}
  - {after: 10m, vendor: Red Centric, says: We look at it tomorrow}
expect: {acknowledged: 5m, commander: 10m}
ends_after: 90m
"""


def test_a_scenario_is_read_in_the_order_of_its_times() -> None:
    """INC-21: alerts, requests, people who do not answer, a vendor who is slow."""
    scenario = drills.read_scenario(FULL)
    assert [(step.kind, step.who) for step in scenario.steps] == [
        ("page", ""),
        ("request", "Ria"),
        ("vendor", "Red Centric"),
        ("say", ""),
    ]
    assert scenario.absent == ("ben@example.org",)
    assert scenario.expect["commander"] == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("title: The disk of the database is full\n", ""), "scenario.title"),
        (("after: 0m", "after: soon"), "scenario.steps.1.after"),
        (("page: Disk full on db1", "siren: loud"), "scenario.steps.1"),
        (("ends_after: 90m", "ends_after: 10m"), "scenario.ends_after"),
        (("commander: 10m", "cake: 10m"), "scenario.expect"),
        (("impact: Nobody", "colour: red\nimpact: Nobody"), "scenario.colour"),
        (("steps:", "steps: ["), "scenario"),
        (("title: The disk", "title: 2026-13-45\nwhen: 2026-13-45\nx: The disk"), "scenario"),
        (("title: The", "title: " + "[" * 5000 + "The"), "scenario"),
    ],
)
def test_a_wrong_scenario_is_refused_at_its_place(change: tuple[str, str], field: str) -> None:
    with pytest.raises(Refused) as refused:
        drills.read_scenario(FULL.replace(*change))
    assert refused.value.field == field


@given(st.text(max_size=80) | st.just(FULL).flatmap(lambda t: st.integers(0, len(t)).map(lambda cut: t[:cut])))
def test_nothing_that_is_typed_crashes_it(text: str) -> None:
    with contextlib.suppress(Refused):
        drills.read_scenario(text)


def test_a_faster_clock_shortens_the_waits_and_the_debrief_speaks_in_scenario_time() -> None:
    """INC-21: a clock that can be sped up."""
    assert drills.shorten([{"targets": ["team"], "wait_minutes": 15}], 5) == [{"targets": ["team"], "wait_minutes": 3}]
    scenario = drills.read_scenario(FULL)
    reached = {"acknowledged": NOW + timedelta(seconds=24), "commander": NOW + timedelta(minutes=2)}
    marks = {mark.name: mark for mark in drills.look_back(scenario, NOW, 10, reached)}
    assert (marks["acknowledged"].came, marks["acknowledged"].is_kept) == (timedelta(minutes=4), True)
    assert (marks["commander"].came, marks["commander"].is_kept) == (timedelta(minutes=20), False)
    assert (marks["update"].came, marks["update"].is_kept) == (None, None)
