"""Incidents, decided without a database: what may follow what, and when things may have happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill import presets
from watchbill.core import incidents
from watchbill.core.incidents import Incident, Left
from watchbill.kit.effects import Become, Record
from watchbill.kit.errors import Refused
from watchbill.rules import incident_closing, incident_proposed, incident_roles, incident_severity, incident_start

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
BEGUN = {"started": NOW - timedelta(hours=2), "detected": NOW - timedelta(hours=1), "declared": NOW}


def an_incident(state: str = "active", **times: datetime) -> Incident:
    return Incident(state, "Sign-in is down", milestones={**BEGUN, **times})


def changes(effects: list[object]) -> dict[str, object]:
    return {name: value for one in effects if isinstance(one, Become) for name, value in one.changes.items()}


def test_what_was_not_mitigated_before_is_mitigated_by_the_same_time() -> None:
    """Mitigated, resolved and closed are three things, and none lies before another."""
    at = NOW + timedelta(minutes=30)
    found = changes(incidents.resolve(an_incident(), "Ana", at, at))
    assert (found["state"], found["mitigated_at"], found["resolved_at"]) == ("resolved", at, at)
    earlier = NOW + timedelta(minutes=10)
    kept = changes(incidents.resolve(an_incident("mitigated", mitigated=earlier), "Ana", at, at))
    assert kept["mitigated_at"] == earlier


def test_the_past_may_be_dated_back_and_the_line_says_when_it_happened() -> None:
    """INC-08: event time is not entry time."""
    at, now = NOW + timedelta(minutes=5), NOW + timedelta(hours=5)
    lines = [one for one in incidents.mitigate(an_incident(), "Ana", at, now) if isinstance(one, Record)]
    assert [line.at for line in lines] == [at]


@pytest.mark.parametrize(
    ("name", "at", "says"),
    [
        ("resolved", NOW + timedelta(days=1), "lies ahead"),
        ("mitigated", NOW - timedelta(hours=3), "before started"),
        ("detected", NOW - timedelta(hours=9), "before started"),
    ],
)
def test_a_milestone_that_cannot_be_is_refused_by_its_name(name: str, at: datetime, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        incidents.check_milestones({**BEGUN, name: at}, NOW)
    assert refused.value.field == f"{name}_at"


def test_a_milestone_moves_only_with_a_reason_and_both_times_stand() -> None:
    """INC-08: the milestones are editable with a reason."""
    at = NOW - timedelta(minutes=90)
    with pytest.raises(Refused):
        incidents.move_milestone(an_incident(), "detected", at, "  ", "Ana", NOW)
    become, record = incidents.move_milestone(an_incident(), "detected", at, "the first mail", "Ana", NOW)
    assert become == Become({"detected_at": at})
    assert isinstance(record, Record)
    assert record.data["from"] != record.data["to"]
    assert incidents.move_milestone(an_incident(), "detected", BEGUN["detected"], "same", "Ana", NOW) == []


def test_a_time_that_the_state_needs_cannot_be_taken_away() -> None:
    with pytest.raises(Refused, match="has this time"):
        incidents.move_milestone(an_incident("resolved", resolved=NOW), "resolved", None, "?", "Ana", NOW)


def test_closing_says_what_is_missing_and_goes_on_with_a_reason() -> None:
    with pytest.raises(Refused, match="open tasks: Renew the certificate"):
        incidents.close(an_incident("resolved"), ["open tasks: Renew the certificate"], "Ana", NOW)
    effects = incidents.close(an_incident("resolved"), ["open tasks: x"], "Ana", NOW, "moved to the backlog")
    assert changes(effects)["state"] == "closed"
    assert any("despite open tasks: x: moved to the backlog" in one.why for one in effects if isinstance(one, Record))


def test_return_to_baseline_names_the_silences_and_services_that_are_left() -> None:
    """Closing lists silences to remove."""
    left = Left(silences=["noise of the proxy"], services=["Sign-in"], milestones=["acknowledged"], state="resolved")
    missing = incident_closing.decide(left, incident_closing.Settings())
    assert [one.split(":")[0] for one in missing[:2]] == ["when was it acknowledged", "not back to normal"]
    assert any("remove the silence noise of the proxy" in one for one in missing)
    assert incident_closing.decide(left, incident_closing.Settings(demands=["resolved"])) == []


MOVES = ("acknowledge", "mitigate", "resolve", "close", "reopen", "end_early")


@given(st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 120)), max_size=12))
def test_whatever_is_tried_the_milestones_keep_their_order(moves: list[tuple[str, int]]) -> None:
    """INC-08: no path leads to an incident that was resolved before it began, or closed without having been resolved."""
    row: dict[str, object] = {"state": "active", **{f"{name}_at": at for name, at in BEGUN.items()}}
    now = NOW
    for move, minutes in moves:
        now += timedelta(minutes=minutes)
        times = {name: row.get(f"{name}_at") for name in incidents.MILESTONES}
        fact = Incident(str(row["state"]), milestones={n: t for n, t in times.items() if isinstance(t, datetime)})
        row.update(changes(_try(move, fact, now)))
        held = [row.get(f"{name}_at") for name in ("started", "mitigated", "resolved", "closed")]
        known = [at for at in held if isinstance(at, datetime)]
        assert known == sorted(known)
        assert (row["state"] in {"resolved", "closed"}) == (row.get("resolved_at") is not None)


def _try(move: str, fact: Incident, now: datetime) -> list[object]:
    given_ = {
        "acknowledge": lambda: incidents.acknowledge(fact, "Ana", now, now),
        "mitigate": lambda: incidents.mitigate(fact, "Ana", now, now),
        "resolve": lambda: incidents.resolve(fact, "Ana", now, now),
        "close": lambda: incidents.close(fact, [], "Ana", now),
        "reopen": lambda: incidents.reopen(fact, "Ana", "it came back", NOW),
        "end_early": lambda: incidents.end_early(fact, "not_an_incident", "Ana", "a test", now),
    }
    try:
        return list(given_[move]())
    except Refused:
        return []


# INC-01, INC-02, C8: the same half hour of downtime that two users see, by each team's own rule.
PROPOSED = {
    "oncall-remodel": 0,
    "operate-first": 1,
    "laa-ops": 0,
    "hub-support": 1,
    "library-devops": 1,
}


@pytest.mark.parametrize("name", presets.all_presets())
def test_each_preset_proposes_an_incident_by_its_own_rule(name: str) -> None:
    """INC-01, INC-02, INC-03, C8: a rule only proposes, and each team has its own."""
    rules = presets.load(name).rules
    settings = incident_proposed.Settings.model_validate(rules["incident_proposed"])
    facts = incident_proposed.Facts(minutes_down=31, minutes_visible=31, users=2)
    assert len(incident_proposed.decide(facts, settings)) == PROPOSED[name]
    assert incident_proposed.decide(incident_proposed.Facts(), settings) == []


@pytest.mark.parametrize("name", presets.all_presets())
def test_impact_decides_and_the_unsure_take_the_higher_one(name: str) -> None:
    """PRI-07, PRI-08, INC-03: never debated while it lasts."""
    table = incident_severity.Settings.model_validate(presets.load(name).rules["incident_severity"])
    for severity, held in table.severities.items():
        for impact in held.impacts:
            assert incident_severity.decide(impact, table).severity == severity
    worst = next(iter(table.priorities))
    assert table.priorities[worst].is_major
    chosen = list(table.severities)[-1]
    assert incident_severity.decide("", table, chosen, "only the test system").why == "only the test system"


def test_high_is_what_blocks_a_team_or_makes_a_vulnerability() -> None:
    """PRI-08: the four ways in which one team's incident is high."""
    table = incident_severity.Settings.model_validate(presets.load("laa-ops").rules["incident_severity"])
    high = [impact for impact in table.impacts if incident_severity.decide(impact, table).is_major]
    assert high == ["outage", "degraded", "blocked", "security"]


def test_the_protocol_is_bridge_post_then_debug() -> None:
    """INC-04, INC-10, INC-12: in this order, and the cause comes last."""
    rules = presets.load("operate-first").rules
    steps = list(incident_start.decide(incident_start.Settings.model_validate(rules["incident_start"]), is_major=True))
    assert steps.index("call") < steps.index("posted") < steps.index("debug")


# INC-17: who is asked for, of any incident and of a high one; hub-support calls nothing else an incident (C8).
ASKED_FOR = {
    "hub-support": (["commander"], ["commander"]),
    "laa-ops": ([], ["commander", "liaison"]),
    "library-devops": ([], ["commander", "scribe", "technical_lead"]),
    "oncall-remodel": ([], ["commander"]),
    "operate-first": ([], ["commander", "liaison"]),
}


@pytest.mark.parametrize("name", presets.all_presets())
def test_a_high_one_gets_more_focus_and_any_other_starts_when_somebody_is_free(name: str) -> None:
    """INC-17: whoever has a small one needs nobody for it; a high one asks for people and has their focus."""
    rules = presets.load(name).rules
    roles = incident_roles.Settings.model_validate(rules["incident_roles"])
    asked = tuple(incident_roles.decide(roles, is_major=major) for major in (False, True))
    assert asked == ASKED_FOR[name]
