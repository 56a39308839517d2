"""The pages of a team: who joins, its ladders, its policy."""

from __future__ import annotations

import re

import pytest

from tests.doors.people_pages import (
    as_,
    text,
)
from watchbill import presets
from watchbill.actions import ladders
from watchbill.db.models import (
    Ladder,
    Person,
    Policy,
)
from watchbill.entry import clock


@pytest.fixture
def world(world, monkeypatch):
    """The pages read the clock: let it be the world's."""
    monkeypatch.setattr(clock, "now", lambda: world.now)
    return world


@pytest.fixture
def admin(world) -> Person:
    world.eva.is_superuser = True
    world.eva.save()
    return world.eva


def test_an_owner_invites_and_the_invited_joins_and_is_signed_in(world) -> None:
    """ROT-03."""
    page = as_(world.eva).post(
        "/teams/platform/invite/", {"email": "dora@example.org", "name": "Dora", "role": "member"}
    )
    link = re.search(r"http://watchbill\.test(/join/[^<\s]+)", page.content.decode())[1]
    stranger = as_(None)
    assert stranger.get(link).status_code == 200
    assert not Person.objects.get(email="dora@example.org").has_usable_password()
    joined = stranger.post(link, {"name": "Dora", "zone": "Europe/London", "password": "a long sentence nobody knows"})
    assert joined["Location"] == "/me/"
    assert "Dora" in text(stranger.get("/me/"))
    assert as_(None).get(link).status_code == 410


def test_a_ladder_is_built_step_by_step_and_nothing_typed_is_lost(world) -> None:
    client = as_(world.eva)
    page = "/teams/platform/ladders/new/"
    typed = {
        "name": "Nights",
        "repeat": "2",
        "count": "1",
        "s0-targets": ["seat:engineer"],
        "s0-wait_minutes": "7",
        "do": "add",
    }
    html = client.post(page, typed).content.decode()
    assert 'value="Nights"' in html
    assert 'name="s1-wait_minutes"' in html
    assert re.search(r'value="seat:engineer"[^>]*checked', html)
    second = {
        "s1-people": [f"person:{world.ben.pk}"],
        "s1-wait_minutes": "3",
        "s1-weekdays": ["5", "6"],
        "s1-in_coverage": "out",
    }
    moved = client.post(page, {**typed, **second, "count": "2", "do": "up-1"}).content.decode()
    assert re.search(r'name="s0-wait_minutes"[^>]*value="3"|value="3"[^>]*name="s0-wait_minutes"', moved)
    assert client.post(page, {**typed, **second, "count": "2", "do": "save"}).status_code == 302
    made = Ladder.objects.get(name="Nights")
    assert made.repeat == 2
    assert made.steps == [
        {"targets": ["seat:engineer"], "wait_minutes": 7},
        {"targets": [f"person:{world.ben.pk}"], "wait_minutes": 3, "when": {"weekdays": [5, 6], "in_coverage": False}},
    ]
    empty = client.post(page, {"name": "Empty", "repeat": "1", "count": "1", "s0-wait_minutes": "5", "do": "save"})
    assert "pages nobody" in text(empty)


def test_a_stored_ladder_is_shown_as_it_is_and_saving_it_changes_nothing(world) -> None:
    steps = [
        {
            "targets": [f"person:{world.ana.pk}", "team"],
            "wait_minutes": 9,
            "when": {"severities": ["odd"], "in_coverage": True},
        }
    ]
    ladder = ladders.add_ladder(world.team, "Odd", [{"targets": ["team"]}], 3, world.eva, world.now)
    Ladder.objects.filter(pk=ladder.pk).update(steps=steps)  # of a time when the team's policy knew that severity
    client = as_(world.eva)
    page = f"/teams/platform/ladders/{ladder.pk}/"
    html = client.get(page).content.decode()
    fields = {"name": "Odd", "repeat": "3", "count": "1", "do": "save", "s0-wait_minutes": "9", "s0-in_coverage": "in"}
    fields |= {"s0-targets": ["team"], "s0-people": [f"person:{world.ana.pk}"], "s0-severities": ["odd"]}
    assert re.search(r'value="odd"[^>]*checked', html)
    client.post(page, fields)
    assert {target for step in Ladder.objects.get(pk=ladder.pk).steps for target in step["targets"]} == {
        f"person:{world.ana.pk}",
        "team",
    }


def test_a_rule_is_changed_in_the_browser_with_a_reason_and_the_difference_is_shown(world) -> None:
    """COM-10, PRI-10."""
    client = as_(world.eva)
    page = "/teams/platform/policy/acknowledgement_expires/"
    assert "This field is required" in text(client.post(page, {"rule-minutes": "45", "why": ""}))
    assert Policy.objects.filter(team=world.team).count() == 1
    client.post(page, {"rule-minutes": "45", "why": "half an hour was too short"})
    shown = text(client.get("/teams/platform/policy/"))
    assert "half an hour was too short" in shown
    assert "acknowledgement expires › minutes" in shown


def test_what_a_stored_version_says_and_nothing_reads_any_more_is_named_and_left_out_of_the_next(world) -> None:
    """GEN-01: a program that was brought up to date reads the policies of its own past."""
    client = as_(world.eva)
    settings = {
        "rules": {
            "acknowledgement_expires": {"minutes": 60, "snacks": True},
            "severity_response": {"severities": {"sev1": {"colour": "red"}}, "unknown": "sev1"},
            "a_rule_of_last_year": {"days": 3},
        }
    }
    Policy.objects.filter(team=world.team).update(settings=settings)
    for page in ("/", "/teams/platform/", "/teams/platform/policy/", "/services/checkout/", "/incidents/"):
        assert client.get(page, follow=True).status_code == 200, page
    shown = text(client.get("/teams/platform/policy/"))
    assert "No longer used" in shown
    for name in ("acknowledgement_expires.snacks", "severity_response.severities.sev1.colour", "a_rule_of_last_year"):
        assert f"rules.{name}" in shown
    told = client.get("/api/teams/platform/policy").json()
    assert "rules.acknowledgement_expires.snacks" in told["no_longer_used"]
    put = {"settings": told["settings"], "why": "as it was"}
    refused = client.put("/api/teams/platform/policy", put, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "rules.acknowledgement_expires.snacks")
    client.post("/teams/platform/policy/acknowledgement_expires/", {"rule-minutes": "45", "why": "it was too long"})
    assert "No longer used" not in text(client.get("/teams/platform/policy/"))
    kept = Policy.objects.get(team=world.team, version=2).settings["rules"]
    assert kept["acknowledgement_expires"] == {"minutes": 45}
    assert list(kept["severity_response"]["severities"]) == ["sev1"]


def test_severities_are_a_table_that_comes_back_as_it_was(world) -> None:
    client = as_(world.eva)
    page = "/teams/platform/policy/severity_response/"
    html = client.get(page).content.decode()
    assert html.count('name="rule-severities-0-key" value="critical"') == 1
    table = {
        "rule-severities-0-key": "sev1", "rule-severities-0-respond": "page_now", "rule-severities-0-urgency": "important",
        "rule-severities-0-within_hours": "48", "rule-severities-1-key": "sev2", "rule-severities-1-respond": "list_due",
        "rule-severities-1-urgency": "default", "rule-severities-1-within_hours": "12", "rule-severities-2-key": "",
    }  # fmt: skip
    client.post(
        page, {**table, "rule-words": "critical = sev1\nwarning = sev2", "rule-unknown": "sev1", "why": "our words"}
    )
    settings_ = Policy.objects.get(team=world.team, version=2).settings["rules"]["severity_response"]
    assert list(settings_["severities"]) == ["sev1", "sev2"]
    assert settings_["severities"]["sev2"]["within_hours"] == 12
    assert settings_["words"] == {"critical": "sev1", "warning": "sev2"}
    wrong = client.post(page, {**table, "rule-words": "no equals sign", "rule-unknown": "sev1", "why": "x"})
    assert "word = meaning" in text(wrong)


def test_promises_are_an_amount_and_a_unit_in_one_line(world) -> None:
    """INT-05, C5: an owner changes what is promised without writing anything but words and numbers."""
    client = as_(world.eva)
    page = "/teams/platform/policy/request_classes/"
    html = client.get(page).content.decode()
    assert "null" not in html
    name = "rule-classes-0"
    assert f'id="id_{name}-first_response-amount"' in html
    row = {f"{name}-key": "outage", f"{name}-title": "It is down", f"{name}-next_step": "We look."}
    promise = {f"{name}-first_response-amount": "30", f"{name}-first_response-unit": "minutes"}
    none = {f"{name}-resolution-amount": "", f"{name}-resolution-unit": "hours"}
    unclassed = {"rule-unclassed-amount": "2", "rule-unclassed-unit": "working_days"}
    client.post(page, {**row, **promise, **none, **unclassed, "why": "we are quicker"})
    kept = Policy.objects.get(team=world.team, version=2).settings["rules"]["request_classes"]
    (outage,) = kept["classes"].values()
    assert (outage["first_response"], outage["resolution"]) == ({"amount": 30, "unit": "minutes"}, None)
    assert kept["unclassed"] == {"amount": 2, "unit": "working_days"}
    wrong = client.post(page, {**row, **promise, **unclassed, f"{name}-first_response-amount": "0", "why": "x"})
    assert "greater than or equal to 1" in text(wrong)


def test_coverage_is_changed_by_windows(world) -> None:
    client = as_(world.eva)
    fields = {"w0-weekdays": ["0", "1"], "w0-start": "08:00", "w0-end": "18:00", "why": "office hours"}
    client.post("/teams/platform/policy/coverage/", fields)
    assert Policy.objects.get(team=world.team, version=2).settings["coverage"] == [
        {"weekdays": [0, 1], "start": "08:00", "end": "18:00"}
    ]
    assert "08:00" in client.get("/teams/platform/policy/coverage/").content.decode()
    for part, said in (("coverage", True), ("request_classes", True), ("timebox", False)):
        assert ("may still count on that time" in text(client.get(f"/teams/platform/policy/{part}/"))) is said


def test_an_administrator_makes_a_team_from_a_preset(world, admin) -> None:
    response = as_(admin).post("/teams/new/", {"name": "Ops", "zone": "Europe/London", "preset": "laa-ops"})
    assert response["Location"] == "/teams/ops/"
    assert as_(admin).get("/teams/ops/").status_code == 200


def test_what_is_ticked_before_anybody_chooses_pages_at_every_hour(world, admin) -> None:
    page = as_(admin).get("/teams/new/").content.decode()
    ticked = re.findall(r'<input[^>]*name="preset"[^>]*value="([^"]+)"[^>]*checked', page)
    assert [presets.load(name).coverage for name in ticked] == [None]
