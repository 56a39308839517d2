"""Who does what in an incident, the pure part: offers, consent, hand-over without a gap, order, fatigue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill import presets
from watchbill.core import role_order, roles
from watchbill.core.role_order import Candidate
from watchbill.core.roles import Kind, Line, Load, Put, Someone, Turn
from watchbill.kit.effects import Notify, Record
from watchbill.kit.errors import Refused
from watchbill.rules import incident_roles

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANA, BEN, EVA = Someone(1, "Ana"), Someone(2, "Ben"), Someone(3, "Eva")
CAST = (ANA, BEN, EVA)
COMMANDER = Kind("commander", "Incident commander", besides=frozenset({"liaison"}))
LIAISON = Kind("liaison", "Liaison", besides=frozenset({"commander"}))
SCRIBE = Kind("scribe", "Scribe")
EXPERT = Kind("expert", "Expert", is_single=False)
KINDS = {kind.key: kind for kind in (COMMANDER, LIAISON, SCRIBE, EXPERT)}


def carry_out(steps: list[roles.Step], lines: list[Line], now: datetime) -> list[Line]:
    """Write what was decided, as the action does."""
    held = {line.id: line for line in lines}
    for step in steps:
        match step:
            case Put():
                number = len(held) + 1
                name = next(one.name for one in CAST if one.id == step.person)
                held[number] = Line(
                    number,
                    step.role,
                    step.person,
                    name,
                    step.state,
                    now,
                    step.by,
                    step.since,
                    None,
                    step.takes_over_from,
                )
            case Turn(number, state, at):
                was = held[number]
                since = at if state == roles.ACCEPTED else was.since
                until = at if state == roles.ENDED else was.until
                held[number] = replace(was, state=state, since=since, until=until)
            case _:
                pass
    return list(held.values())


def told(steps: list[roles.Step]) -> list[int]:
    return [step.person for step in steps if isinstance(step, Notify)]


def said(steps: list[roles.Step]) -> list[str]:
    return [step.why for step in steps if isinstance(step, Record)]


def asked(kind: Kind, whom: Someone, by: Someone | None, lines: list[Line], now: datetime = NOON) -> list[Line]:
    return carry_out(roles.offer(kind, whom, by, lines, now, 5 * MINUTE), lines, now)


def commanding(who: Someone) -> list[Line]:
    return carry_out(roles.take(COMMANDER, who, [], NOON), [], NOON)


def test_a_hand_over_leaves_both_on_the_record_and_waits_for_the_receiver() -> None:
    """ROL-08, ROL-12: the giver has it until the other says that they are able and willing."""
    lines = asked(COMMANDER, BEN, ANA, commanding(ANA))
    assert [one.name for one in roles.holders(lines, "commander")] == ["Ana"]
    later = NOON + 20 * MINUTE
    steps = roles.accept(lines[1], COMMANDER, lines, later)
    assert told(steps) == [ANA.id]
    lines = carry_out(steps, lines, later)
    assert [(one.name, one.state, one.since, one.until) for one in lines] == [
        ("Ana", "ended", NOON, later),
        ("Ben", "accepted", later, None),
    ]
    assert said(steps) == ["Ben is Incident commander after Ana"]


def test_whoever_declines_gives_no_reason_and_the_giver_keeps_it() -> None:
    """ROL-09, ROL-11: nothing about why is asked or written."""
    lines = asked(COMMANDER, BEN, ANA, commanding(ANA))
    steps = roles.decline(lines[1], COMMANDER, lines, NOON)
    assert told(steps) == [ANA.id]
    lines = carry_out(steps, lines, NOON)
    assert [one.name for one in roles.holders(lines, "commander")] == ["Ana"]
    assert said(steps) == ["Ben: not this time (Incident commander)"]
    with pytest.raises(Refused, match="answered"):
        roles.accept(lines[1], COMMANDER, lines, NOON)


def test_whoever_was_asked_too_is_let_off_when_one_accepts() -> None:
    lines = asked(COMMANDER, EVA, ANA, asked(COMMANDER, BEN, ANA, []))
    steps = roles.accept(lines[0], COMMANDER, lines, NOON)
    assert set(told(steps)) == {ANA.id, EVA.id}
    assert [one.state for one in carry_out(steps, lines, NOON)] == ["accepted", "withdrawn"]


def test_one_steps_in_for_another_only_with_a_reason() -> None:
    lines = commanding(ANA)
    with pytest.raises(Refused, match="Ana has it"):
        roles.take(COMMANDER, BEN, lines, NOON)
    lines = carry_out(roles.take(COMMANDER, BEN, lines, NOON, "Ana's line is down"), lines, NOON)
    assert [one.name for one in roles.holders(lines, "commander")] == ["Ben"]


def test_one_role_each_unless_the_team_says_which_go_together() -> None:
    lines = commanding(ANA)
    assert roles.why_not(LIAISON, ANA.id, lines) == ""
    assert "hand that on first" in roles.why_not(SCRIBE, ANA.id, lines)
    with pytest.raises(Refused, match="is commander"):
        roles.offer(SCRIBE, ANA, BEN, lines, NOON, MINUTE)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["offer", "accept", "decline", "lapse", "take", "withdraw", "end"]),
            st.sampled_from(sorted(KINDS)),
            st.sampled_from(CAST),
            st.integers(0, 9),
        ),
        max_size=40,
    )
)
def test_at_every_moment_one_has_it_who_agreed_and_no_hand_over_leaves_a_gap(acts: list[tuple]) -> None:
    """ROL-08, ROL-12: at most one holder of a single role; nobody has what they did not accept; times meet."""
    lines: list[Line] = []
    agreed: set[int] = set()
    now = NOON
    for act, role, who, pick in acts:
        now += MINUTE
        before = {one.id for one in lines if one.state == roles.ACCEPTED}
        lines = _act(act, KINDS[role], who, pick, lines, now)
        became = [one for one in lines if one.state == roles.ACCEPTED and one.id not in before]
        # Only whoever acts themselves comes to have something.
        assert not became or (act in {"accept", "take"} and len(became) == 1)
        agreed |= {one.id for one in became}
        _check(lines, agreed)


def _act(act: str, kind: Kind, who: Someone, pick: int, lines: list[Line], now: datetime) -> list[Line]:
    one = lines[pick % len(lines)] if lines else None
    mine = KINDS[one.role] if one else kind
    try:
        match act:
            case "offer":
                steps = roles.offer(kind, who, None, lines, now, MINUTE)
            case "take":
                steps = roles.take(kind, who, lines, now, "because" if pick % 2 else "")
            case _ if one is None:
                return lines
            case "accept":
                steps = roles.accept(one, mine, lines, now)
            case "decline":
                steps = roles.decline(one, mine, lines, now)
            case "lapse":
                steps = roles.lapse(one, mine, now)
            case "withdraw":
                steps = roles.withdraw(one, mine, "Ana", now)
            case _:
                steps = roles.end(one, mine, "Ana", now)
    except Refused:
        return lines
    return carry_out(steps, lines, now)


def _check(lines: list[Line], agreed: set[int]) -> None:
    for key, kind in KINDS.items():
        served = [one for one in lines if one.role == key and one.since]
        assert {one.id for one in served} <= agreed
        assert all((one.until is None) == (one.state == roles.ACCEPTED) for one in served)
        assert len({(one.person, one.role) for one in lines if one.state in roles.OPEN}) == sum(
            one.state in roles.OPEN for one in lines
        )
        if not kind.is_single:
            continue
        served.sort(key=lambda one: one.since or NOON)
        for earlier, later in pairwise(served):
            assert earlier.until is not None
            assert earlier.until <= later.since


def test_a_hand_over_is_one_instant_when_the_receiver_accepts() -> None:
    """ROL-12: no moment without a commander."""
    lines = carry_out(roles.take(COMMANDER, ANA, [], NOON), [], NOON)
    for minute, (giver, taker) in enumerate([(ANA, BEN), (BEN, EVA), (EVA, ANA)], 1):
        now = NOON + minute * MINUTE
        lines = asked(COMMANDER, taker, giver, lines, now)
        lines = carry_out(roles.accept(lines[-1], COMMANDER, lines, now), lines, now)
    assert [(one.until) for one in lines[:-1]] == [one.since for one in lines[1:]]


CANDIDATES = (
    Candidate(1, "Ana", frozenset({"watch", "members"})),
    Candidate(2, "Ben", frozenset({"members"}), last_asked=NOON - timedelta(days=9)),
    Candidate(3, "Eva", frozenset({"members"}), last_asked=NOON - timedelta(days=30)),
    Candidate(4, "Fay", frozenset({"members", "skill"}), at_once=2),
    Candidate(5, "Gus", frozenset({"watch", "members"}), away="is away until Friday"),
    Candidate(6, "Olga", frozenset()),
)


def test_who_is_asked_first_watch_then_who_was_asked_longest_ago() -> None:
    """ROL-18, INC-18: hands full comes later, away comes last, and everybody has reasons."""
    order = ["watch", "skill", "members"]
    ranked = role_order.rank(CANDIDATES, order, 2)
    assert [one.name for one in ranked] == ["Ana", "Eva", "Ben", "Fay", "Gus"]
    assert ranked[0].reasons[0] == "on watch"
    assert "has a role in 2 other incidents" in ranked[3].reasons
    assert not ranked[4].is_there
    assert [one.name for one in role_order.rank(CANDIDATES, ["watch"], 0)] == ["Ana", "Gus"]


def test_the_next_is_asked_until_nobody_is_left_then_the_tie_is_broken() -> None:
    """ROL-09, ROL-10: nobody is asked twice by Watchbill, and the end of the list is not the end."""
    ranked = role_order.rank(CANDIDATES, ["watch", "members"], 0)
    lines: list[Line] = []
    asked_people = []
    while (turned := role_order.after("commander", lines, ranked, by_itself=True, tie_after=0)).next:
        one = turned.next
        asked_people.append(one.id)
        lines.append(Line(len(lines) + 1, "commander", one.id, one.name, roles.LAPSED, NOON))
    assert asked_people == [1, 4, 3, 2]
    assert turned.breaks_tie


def test_a_tie_is_broken_after_one_refusal_where_the_team_says_so() -> None:
    """ROL-10: in the hub's process a refused offer goes to the project manager, though the steward still has it."""
    lines = asked(COMMANDER, BEN, ANA, commanding(ANA))
    assert not role_order.after("commander", lines, (), by_itself=False, tie_after=1).breaks_tie
    lines = carry_out(roles.decline(lines[1], COMMANDER, lines, NOON), lines, NOON)
    assert role_order.after("commander", lines, (), by_itself=False, tie_after=1).breaks_tie
    assert not role_order.after("commander", lines, (), by_itself=False, tie_after=2).breaks_tie


def test_hours_in_a_role_or_several_incidents_propose_a_fresh_person() -> None:
    """ROL-06, INC-18."""
    load = Load(NOON - timedelta(hours=4, minutes=5), at_once=2)
    assert roles.tired(load, timedelta(hours=4), 2, NOON) == ["4 h 05 min in one role", "2 incidents at once"]
    assert roles.tired(load, timedelta(hours=5), 3, NOON) == []
    assert roles.tired(load, timedelta(), 0, NOON) == []


def preset_rule(name: str) -> incident_roles.Settings:
    return incident_roles.Settings.model_validate(presets.load(name).rules["incident_roles"])


@pytest.mark.parametrize(
    ("preset", "title", "designation", "acts", "talks"),
    [
        ("hub-support", "Incident commander", "declarer", True, "commander"),
        ("laa-ops", "Incident lead", "team", True, "watch"),
        ("library-devops", "Incident commander", "offer", False, "commander"),
        ("operate-first", "Incident commander", "offer", False, "watch"),
        ("oncall-remodel", "Lead", "manager", True, "commander"),
    ],
)
def test_each_team_finds_its_commander_its_own_way(
    preset: str, title: str, designation: str, acts: bool, talks: str
) -> None:
    """ROL-01 to ROL-05, ROL-07, ROL-15, ROL-18: C9, C11 and C12 are settings."""
    rule = preset_rule(preset)
    labels = presets.load(preset).labels
    assert incident_roles.title_of("commander", rule, labels) == title
    assert (rule.designation, rule.commander_may_act, rule.liaison_is) == (designation, acts, talks)
    fixes = "technical_lead" in rule.kinds()["commander"].besides
    assert fixes == (acts and "technical_lead" in rule.roles)
    assert all(duty.split()[0] in {"I", "When", "We"} for role in rule.roles.values() for duty in role.duties)


def test_the_small_team_wants_a_note_taker_the_agency_wants_who_tells_people() -> None:
    """ROL-01, ROL-02, ROL-16: roles are data."""
    assert incident_roles.decide(preset_rule("library-devops"), is_major=True) == [
        "commander", "scribe", "technical_lead",
    ]  # fmt: skip
    assert incident_roles.decide(preset_rule("laa-ops"), is_major=True) == ["commander", "liaison"]
    assert incident_roles.decide(preset_rule("laa-ops"), is_major=False) == []
    assert incident_roles.decide(preset_rule("hub-support"), is_major=False) == ["commander"]
    assert {"dba", "duty_consultant", "leadership"} <= set(preset_rule("laa-ops").roles)


def test_a_rule_without_a_commander_or_with_an_unknown_role_is_refused() -> None:
    with pytest.raises(ValueError, match="one role is the commander"):
        incident_roles.Settings.model_validate({"roles": {"scribe": {"title": "Scribe"}}})
    with pytest.raises(ValueError, match="which is no role here"):
        incident_roles.Settings.model_validate({"roles": {"commander": {"title": "C", "may_hold_with": ["cook"]}}})
