"""The same questions to every rule and every preset: a new file is asked by being there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from inspect import getdoc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill import presets, rules
from watchbill.core.paging import read_ladder
from watchbill.kit.effects import Notify, SetTimer
from watchbill.rules import (
    acknowledgement_expires,
    alert_grouping,
    page_exhausted,
    reachability,
    severity_response,
)

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
RULES = rules.all_rules()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_it_asks_and_its_examples_are_valid(name):
    """GEN-01: every rule is a team's setting."""
    rule = RULES[name]
    assert rule.TITLE.endswith("?"), "a rule answers a question"
    assert getdoc(rule)
    assert callable(rule.decide)
    assert rule.EXAMPLES
    for settings, meaning in rule.EXAMPLES:
        rule.Settings.model_validate(settings, extra="forbid")
        assert meaning


@pytest.mark.parametrize("name", RULES)
def test_a_policy_that_is_silent_gets_the_defaults(name):
    assert rules.settings_for({}, RULES[name]) == RULES[name].Settings()


@pytest.mark.parametrize("name", RULES)
def test_a_stored_setting_that_is_not_known_any_more_is_passed_over_and_named(name):
    """A stored version outlives the program that wrote it; a row in it does too."""
    written = {"rules": {name: {"of_last_year": 1}, "a_rule_of_last_year": {}}, "part_of_last_year": 1}
    assert rules.settings_for(written, RULES[name]) == RULES[name].Settings()
    assert rules.unused_in(written) == ["part_of_last_year", f"rules.{name}.of_last_year", "rules.a_rule_of_last_year"]
    assert rules.unused_in(rules.used_of(written)) == []
    assert "'additionalProperties': False" not in str(RULES[name].Settings.model_json_schema()), "a row refuses it"


def test_what_is_known_stays_as_it_was_written_beside_what_is_not():
    priority = {"severities": {"sev1": {"of_last_year": 1}, "sev2": {}}, "unknown": "sev2"}
    written = {
        "labels": {"a": "b"},
        "rules": {"severity_response": priority, "acknowledgement_expires": {"minutes": 5}},
    }
    assert rules.unused_in(written) == ["rules.severity_response.severities.sev1.of_last_year"]
    kept = rules.used_of(written)
    assert (kept["labels"], kept["rules"]["acknowledgement_expires"]) == ({"a": "b"}, {"minutes": 5})
    assert list(kept["rules"]["severity_response"]["severities"]) == ["sev1", "sev2"]
    assert kept["rules"]["severity_response"]["unknown"] == "sev2"


@pytest.mark.parametrize("name", RULES)
def test_every_setting_has_a_description_because_it_becomes_the_form(name):
    assert all(field.description for field in RULES[name].Settings.model_fields.values())


@pytest.mark.parametrize("name", presets.all_presets())
def test_a_preset_names_real_rules_with_valid_settings_and_a_ladder_that_can_be_climbed(name):
    """C1 to C22: what the documents disagree about is a setting, never a constant."""
    preset = presets.load(name)
    for rule, settings in preset.rules.items():
        RULES[rule].Settings.model_validate(settings, extra="forbid")
    read_ladder(preset.ladder["steps"], preset.ladder["repeat"])


WORDS = st.text(max_size=12) | st.sampled_from(["critical", "warning", "page", "none", "info", "error"])


@given(WORDS)
def test_whatever_a_monitor_says_a_severity_is_decided_and_an_unknown_one_is_the_worst(word):
    """PRI-04."""
    settings = severity_response.Settings()
    decision = severity_response.decide(word, settings, NOW)
    assert decision.severity in settings.severities
    assert decision.why
    if word not in settings.severities and word not in settings.words:
        assert decision.severity == "critical"


def test_a_warning_is_for_a_day_or_two_and_an_error_waits_for_coverage():
    """PRI-04: warning a day or two, error soon, critical at once."""
    settings = severity_response.Settings()
    warning = severity_response.decide("warning", settings, NOW)
    assert (warning.respond, warning.due_at) == ("list_due", NOW + timedelta(hours=48))
    assert severity_response.decide("error", settings, NOW).respond == "page_in_coverage"
    assert severity_response.decide("critical", settings, NOW).respond == "page_now"


def test_the_order_of_severities_is_the_teams_own():
    """PRI-10, C7: the list itself is for discussion."""
    settings = severity_response.Settings.model_validate({"severities": {"sev1": {}, "sev2": {}}, "unknown": "sev2"})
    ranks = [severity_response.rank(word, settings) for word in ("sev1", "sev2", "unheard of")]
    assert ranks == [0, 1, 2]
    assert severity_response.decide("", settings, NOW).severity == "sev2"


def test_an_acknowledgement_holds_for_the_teams_time_or_until_resolved():
    assert acknowledgement_expires.decide(acknowledgement_expires.Settings(minutes=30), NOW) == NOW + timedelta(
        minutes=30
    )
    assert acknowledgement_expires.decide(acknowledgement_expires.Settings(minutes=0), NOW) is None


def test_an_exhausted_page_tells_the_fallback_person_and_starts_over():
    effects = page_exhausted.decide(page_exhausted.Settings(again_after_minutes=30), 7, NOW)
    assert [effect.person for effect in effects if isinstance(effect, Notify)] == [7]
    assert SetTimer("climb", NOW + timedelta(minutes=30)) in effects


def test_alerts_are_grouped_by_labels_else_as_the_monitor_does_else_alone():
    by_label = alert_grouping.Settings(labels=["alertname"])
    one = alert_grouping.decide("g", "f1", {"alertname": "DiskFull"}, by_label)
    two = alert_grouping.decide("h", "f2", {"alertname": "DiskFull"}, by_label)
    assert one == two
    default = alert_grouping.Settings()
    assert alert_grouping.decide("g", "f1", {}, default)[0] == alert_grouping.decide("g", "f2", {}, default)[0]
    assert alert_grouping.decide("", "f1", {}, default)[0] != alert_grouping.decide("", "f2", {}, default)[0]


@given(
    st.dictionaries(st.text(max_size=3), st.text(max_size=3)), st.dictionaries(st.text(max_size=3), st.text(max_size=3))
)
def test_groups_by_two_labels_differ_when_a_value_differs(first, second):
    settings = alert_grouping.Settings(labels=["a", "b"])
    same = all(first.get(label, "") == second.get(label, "") for label in ("a", "b"))
    keys = [alert_grouping.decide("", "f", labels, settings)[0] for labels in (first, second)]
    assert (keys[0] == keys[1]) is same


def test_a_person_without_a_verified_address_cannot_be_reached():
    assert reachability.decide([]) == "no verified contact address"
    assert reachability.decide(["email"]) == ""
