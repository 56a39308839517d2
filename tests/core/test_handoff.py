"""What is handed on, the pure part: the same form whoever leaves, what stays of a person's words, and who may be asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill import presets
from watchbill.core import handoff as core
from watchbill.core.paging import Page, hand_over
from watchbill.kit.effects import Become, ClearTimer, Notify, Record, SetTimer
from watchbill.kit.errors import Refused
from watchbill.kit.spans import Span
from watchbill.rules import handoff_due
from watchbill.rules.handoff_due import Settings

NOW = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
OPEN = core.Handoff(core.HANDED_ON, NOW, NOW, "Watch the disk.", has_work=True)

numbers = st.integers(1, 9)
words = st.text("abc ", min_size=1, max_size=8)
times = st.integers(-48, 48).map(lambda hours: NOW + hours * HOUR)
works = st.builds(core.Work, st.sampled_from(["ticket", "request"]), numbers, words, words, words,
                  st.tuples(numbers, numbers, numbers), words, st.booleans(), st.none() | times)  # fmt: skip
burnings = st.builds(core.Burning, st.sampled_from(["alert", "page"]), numbers, words, words, words, words, words,
                     st.none() | times)  # fmt: skip
stories = st.builds(
    core.Story,
    burning=st.lists(burnings, max_size=4, unique_by=lambda one: (one.about, one.id)),
    going=st.lists(st.builds(core.Going, numbers, words, words, words), max_size=3, unique_by=lambda one: one.id),
    work=st.lists(works, max_size=5, unique_by=lambda one: (one.about, one.id)),
    planned=st.lists(st.builds(core.Planned, numbers, words, st.booleans(), times, times), max_size=3,
                     unique_by=lambda one: one.id),
    quiet=st.lists(st.builds(core.Quiet, numbers, words, words, words, times), max_size=3, unique_by=lambda one: one.id),
    noted=st.lists(st.builds(core.Noted, numbers, words, words, times), max_size=3, unique_by=lambda one: one.id),
    counts=st.builds(core.Counts, alerts=numbers, loudest=st.just(((3, "Disk full", 4), (2, "Once", 1)))),
)  # fmt: skip


@given(stories)
def test_every_draft_has_its_parts_in_the_same_order_and_leaves_nothing_out(story: core.Story) -> None:
    """HND-14: a fixed form; every line but a count says where it comes from."""
    lines = core.compose(story)
    places = [list(core.PARTS).index(line.part) for line in lines]
    assert places == sorted(places)
    assert len({line.key for line in lines}) == len(lines)
    led_to = {(line.about, line.about_id) for line in lines if line.about}
    assert {(one.about, one.id) for one in (*story.burning, *story.work)} <= led_to
    assert {("notice", one.id) for one in story.planned} <= led_to, "HND-13: planned work is part of a handoff"
    assert all(line.about for line in lines if line.part != "arrived")
    order = [(line.about, line.about_id) for line in lines if line.part == "work"]
    placed = {(one.about, one.id): one.place for one in story.work}
    assert [placed[one] for one in order] == sorted(placed.values()), "in the team's order"


@given(stories, stories)
def test_a_draft_laid_over_another_keeps_adds_and_takes_away_exactly_what_differs(
    before: core.Story, after: core.Story
) -> None:
    own = ("own", "", 0)
    standing = {line.key for line in core.compose(before)} | {own}
    fresh = {line.key for line in core.compose(after)}
    merged = core.merge(standing, core.compose(after))
    assert {line.key for line in merged.added} == fresh - standing
    assert {line.key for line in merged.kept} == fresh & standing
    assert set(merged.gone) == standing - fresh - {own}, "what a person added is nobody's to take away"


def test_what_asks_again_stands_apart_with_its_time_and_the_one_who_has_it() -> None:
    burning = [
        core.Burning("alert", 1, "Disk full", "checkout", "critical", "acknowledged", "Ana", NOW + HOUR),
        core.Burning("alert", 2, "Slow", "checkout", "warning", "firing"),
    ]
    first, second, _ = core.compose(core.Story(burning=burning))
    assert (first.part, first.about_id, first.detail) == ("open", 2, "checkout, firing, nobody has it")
    assert (second.part, second.at, second.at_words) == ("again", NOW + HOUR, "asks again")
    assert "Ana has it" in second.detail


def test_of_very_many_it_says_how_many_more_there_are() -> None:
    burning = [core.Burning("alert", number, "Slow", "", "", "firing") for number in range(core.MOST_LINES + 7)]
    *shown, more = [line for line in core.compose(core.Story(burning=burning)) if line.part == "open"]
    assert (len(shown), more.title) == (core.MOST_LINES, "And 7 more")


def test_a_quiet_shift_says_so_and_a_loud_one_names_its_loudest() -> None:
    (only,) = core.compose(core.Story())
    assert only.title == "A quiet shift: nothing arrived."
    counts = core.Counts(
        alerts=3, alerts_over=1, pages=1, pages_answered=1, loudest=((7, "Disk full", 2), (5, "Odd", 1))
    )
    total, loud = core.compose(core.Story(counts=counts))
    assert total.title == "3 alerts (1 over), 1 page (1 answered), 0 requests (0 resolved), 0 tickets (0 done)"
    assert (loud.about_id, loud.detail) == (7, "2 times")


def test_it_is_not_handed_on_without_the_words_and_notes_that_the_team_wants() -> None:
    """HND-03, HND-04, C19: required fields are the team's."""
    bare = core.Handoff(core.DRAFT, NOW, NOW, " ", unnoted=("T-4", "T-7"))
    with pytest.raises(Refused, match="the most important in your words; write a note on T-4, T-7"):
        core.hand_on(bare, "Ana", "Ben", NOW, core.Demands(notes=True))
    effects = core.hand_on(bare, "Ana", "Ben", NOW, core.Demands(summary=False))
    assert Record("handoff.handed_on", "Ana handed it on to Ben") in effects
    assert SetTimer("ask", NOW + HOUR) in effects


def test_it_is_accepted_with_the_order_confirmed_in_front_of_the_team_and_then_nothing_follows() -> None:
    """HND-02, HND-06, HND-08."""
    demands = core.Demands(witnesses=1)
    with pytest.raises(Refused, match="confirm the order of the work; 1 more of the team witnesses it first"):
        core.accept(OPEN, "Ben", "meeting", NOW, demands, confirms=False)
    with pytest.raises(Refused, match="by meeting, call, chat, notes"):
        core.accept(OPEN, "Ben", "pigeon", NOW, core.Demands(), confirms=True)
    seen = core.Handoff(**{**OPEN.__dict__, "witnesses": 1, "ends_at": NOW + HOUR})
    effects = core.accept(seen, "Ben", "meeting", NOW, demands, confirms=True)
    assert SetTimer("settle", NOW + HOUR) in effects, "until the shift ends its pages and tickets are the leaver's"
    assert ClearTimer("ask") in effects
    assert ClearTimer("raise") in effects


def test_one_that_was_never_handed_on_is_taken_over_once_the_shift_is_over() -> None:
    draft = core.Handoff(core.DRAFT, NOW, NOW)
    with pytest.raises(Refused, match="still writes it"):
        core.accept(draft, "Ben", "notes", NOW - HOUR, core.Demands(), confirms=True)
    assert any(
        isinstance(one, Become) for one in core.accept(draft, "Ben", "notes", NOW, core.Demands(), confirms=True)
    )


@pytest.mark.parametrize("state", [core.ACCEPTED, core.DROPPED])
def test_what_is_over_moves_no_more_and_is_asked_about_no_more(state: str) -> None:
    over = core.Handoff(state, NOW, NOW, "Done.")
    for move in (
        lambda: core.hand_on(over, "Ana", "Ben", NOW, core.Demands()),
        lambda: core.accept(over, "Ben", "call", NOW, core.Demands(), confirms=True),
        lambda: core.drop(over, "nobody leaves"),
    ):
        with pytest.raises(Refused, match="already"):
            move()
    assert core.ask(over, NOW, core.Demands()) == []


def test_dropping_one_needs_a_reason() -> None:
    with pytest.raises(Refused, match="say why"):
        core.drop(OPEN, " ")


def test_a_promise_to_a_page_becomes_the_next_ones_and_nothing_of_its_ladder_is_put_off() -> None:
    """HND-08: it asks again when it would have, only somebody else."""
    held = Page("acknowledged", "critical", "important", 0, 1, answered_by=1, answered_name="Ana")
    effects = hand_over(held, 1, 2, "Ben")
    assert Become({"answered_by_id": 2}) in effects
    climbing = Page("climbing", "critical", "important", 0, 1)
    asked = hand_over(climbing, 1, 2, "Ben")
    assert [one.person for one in asked if isinstance(one, Notify)] == [2]
    assert not any(isinstance(one, SetTimer | ClearTimer) for one in (*effects, *asked))
    assert hand_over(Page("acknowledged", "critical", "important", 0, 1, answered_by=3), 1, 2, "Ben") == []
    assert hand_over(Page("resolved", "critical", "important", 0, 1, answered_by=1), 1, 2, "Ben") == []


WEEK = Span(NOW - timedelta(days=7), NOW)


def test_a_team_that_says_nothing_drafts_none_and_a_short_shift_has_none() -> None:
    """C19: how a watch is handed on is the team's setting."""
    assert handoff_due.decide(WEEK, "UTC", Settings()) is None
    assert handoff_due.decide(Span(NOW - HOUR, NOW), "UTC", Settings(mode="call", least_hours=4)) is None
    assert handoff_due.decide(Span(NOW - 4 * HOUR, NOW), "UTC", Settings(mode="call", least_hours=4)) is not None


def test_it_is_drafted_before_the_end_and_due_at_the_first_standup_on_either_side_of_a_change_of_clock() -> None:
    """HND-01: at the first standup, by the clock on the wall."""
    before = handoff_due.decide(WEEK, "UTC", Settings(mode="meeting", minutes_before=30, meet_at="10:00"))
    assert before == handoff_due.Decision(NOW - timedelta(minutes=30), NOW + HOUR)
    at_end = handoff_due.decide(WEEK, "UTC", Settings(mode="meeting", meet_at="09:00"))
    assert at_end is not None
    assert at_end.due_at == NOW
    # New York: the clock goes forward on Sunday 8 March 2026; 09:30 there is 14:30 UTC on Saturday, 13:30 on Monday.
    monday = Span(datetime(2026, 3, 2, 15, tzinfo=UTC), datetime(2026, 3, 9, 14, tzinfo=UTC))
    wall = handoff_due.decide(monday, "America/New_York", Settings(mode="call", draft_at="09:30"))
    assert wall is not None
    assert wall.draft_at == datetime(2026, 3, 9, 13, 30, tzinfo=UTC)


@given(st.integers(1, 400), st.integers(0, 2880), st.sampled_from(["", "09:30", "00:00", "23:59"]))
def test_a_draft_is_never_before_its_shift_nor_after_its_end(hours: int, minutes: int, clock: str) -> None:
    settings = Settings(mode="notes", minutes_before=minutes, draft_at=clock, least_hours=0, meet_at=clock)
    span = Span(NOW, NOW + hours * HOUR)
    found = handoff_due.decide(span, "Europe/London", settings)
    assert found is not None
    assert span.start <= found.draft_at <= span.end <= found.due_at <= span.end + timedelta(days=1)


def test_a_clock_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="09:30"):
        Settings(meet_at="noon")


def test_what_the_documents_disagree_on_is_a_setting_and_each_preset_has_its_own() -> None:
    """C19: in a meeting and witnessed (S0), by call or chat (S1), by notes in the morning and the evening (S2)."""
    rules = {name: Settings.model_validate(presets.load(name).rules["handoff_due"]) for name in presets.all_presets()}
    assert (rules["oncall-remodel"].mode, rules["oncall-remodel"].witnesses_min) == ("meeting", 1)
    assert rules["oncall-remodel"].confirm_order
    assert (rules["operate-first"].mode, rules["operate-first"].needs_summary) == ("call", False)
    assert (rules["laa-ops"].mode, rules["laa-ops"].to) == ("notes", "watch")
    assert all(rule.mode != "off" for rule in rules.values())
