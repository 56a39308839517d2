"""Post-mortems, pure: when one is due and for whom, what is missing, the draft, two pens in one section, measures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchbill import presets
from watchbill.core import measures, postmortems
from watchbill.core.action_lines import read_line
from watchbill.core.coverage import read_coverage
from watchbill.core.measures import Told
from watchbill.core.postmortems import Action, Demands, Document, Note, Story
from watchbill.core.section_merge import merge
from watchbill.kit.effects import Become, Record
from watchbill.kit.errors import Refused
from watchbill.rules import incident_severity, postmortem_due

FRIDAY = datetime(2026, 3, 6, 15, 0, tzinfo=UTC)
TIMES = {name: FRIDAY + timedelta(minutes=place) for place, name in enumerate(("started", "detected", "mitigated"))}

ENDINGS = {
    # preset: (after the worst, after the least, due after an outage that ended on Friday at 15:00 UTC, meeting, where to)
    "oncall-remodel": (True, False, "", ("group", 30), ["confluence", "chat"]),
    "operate-first": (True, False, "", ("group", 60), ["page", "git"]),
    "laa-ops": (True, False, "2026-03-10 15:00", ("group", 60), ["confluence"]),
    "hub-support": (True, True, "2026-03-13 15:00", ("none", 30), ["git", "page"]),
    "library-devops": (True, True, "", ("short", 15), ["chat"]),
}


@pytest.mark.parametrize("name", presets.all_presets())
def test_the_same_outage_gets_what_the_document_says(name: str) -> None:
    """C15, C16, PM-01, PM-02, PM-10: who asks for one, by when, how long the meeting is, where it goes."""
    preset = presets.load(name)
    table = incident_severity.Settings.model_validate(preset.rules["incident_severity"])
    rule = postmortem_due.Settings.model_validate(preset.rules["postmortem_due"])
    worst, *_, least = table.priorities
    major = postmortem_due.decide(worst, "", rule, is_major=True)
    minor = postmortem_due.decide(least, "", rule, is_major=False)
    wanted = ENDINGS[name]
    assert (major.required, minor.required) == wanted[:2]
    assert (major.ask.meeting, major.ask.minutes) == wanted[3]
    assert rule.publish_to == wanted[4]
    assert major.due is not None
    if wanted[2]:
        coverage = read_coverage(preset.coverage, preset.zone)
        assert f"{major.due.after(coverage, FRIDAY):%F %H:%M}" == wanted[2]
    assert set(rule.asks) - {"major", "other"} <= set(table.priorities)
    levels = preset.rules.get("priority_order", {}).get("levels", {})
    assert rule.actions.level in {"", *levels}


def test_presets_ask_for_different_documents_and_people() -> None:
    """PM-02, PM-04, PM-05, ROL-19: boss and grand boss in one, the walk through the timeline in another."""
    rules = {
        name: postmortem_due.Settings.model_validate(preset.rules["postmortem_due"])
        for name, preset in presets.all_presets().items()
    }
    assert len({tuple(rule.sections) for rule in rules.values()}) == 5
    assert {"manager", "managers_manager"} <= set(rules["library-devops"].asks["other"].invite)
    assert rules["library-devops"].also_in == "the weekly meeting of all teams"
    assert list(rules["library-devops"].sections) == ["went_wrong", "went_well", "avoid"]
    assert rules["laa-ops"].sections["what_happened"].heading == "Timeline walk"
    assert [name for name, rule in rules.items() if rule.publish_drafts] == ["hub-support"]
    assert [name for name, rule in rules.items() if rule.actions.smallest_in_sprint] == ["hub-support"]


def test_a_false_alarm_gets_one_where_the_team_learns_from_those_and_a_duplicate_never() -> None:
    """C15."""
    quiet, curious = postmortem_due.Settings(), postmortem_due.Settings(false_alarm=True)
    assert not postmortem_due.decide("p1", "not_an_incident", quiet, is_major=True).required
    assert postmortem_due.decide("p3", "not_an_incident", curious, is_major=False).required
    assert not postmortem_due.decide("p1", "merged", curious, is_major=True).required


def test_working_days_without_coverage_are_monday_to_friday() -> None:
    due = postmortem_due.decide("p1", "", postmortem_due.Settings(), is_major=True).due
    assert due is not None
    assert due.after(None, FRIDAY) == FRIDAY + timedelta(days=7)


@pytest.mark.parametrize("path", ["/etc/{date}", "../{slug}", "{wrong}.md"])
def test_a_path_stays_inside_its_repository(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        postmortem_due.Settings(path=path)


def document(**said: object) -> Document:
    return Document(**{"state": "draft", "milestones": TIMES, **said})


def test_it_says_everything_that_is_missing_at_once() -> None:
    """PM-07: improvements have owners, and a time (PM-09)."""
    lacking = document(
        state="in_review",
        empty=["Summary"],
        set_aside=["Impact"],
        actions=[Action("Alert earlier", has_owner=False, has_date=False)],
        milestones={},
    )
    said = postmortems.missing(lacking, "reviewed", Demands())
    assert [
        word
        for word in ("Impact", "Summary", "detected", "Alert earlier", "owner and a date")
        if word in " ".join(said)
    ]
    assert len(said) == 6
    with pytest.raises(Refused, match="Alert earlier"):
        postmortems.move(lacking, "reviewed", "Ben", FRIDAY, Demands())


def test_a_second_person_reviews_it() -> None:
    with pytest.raises(Refused, match="other than Ana"):
        postmortems.move(
            document(state="in_review"), "reviewed", "Ana", FRIDAY, Demands(second_person=True), by_writer=True
        )
    change, line = postmortems.move(document(state="in_review"), "reviewed", "Ben", FRIDAY, Demands(second_person=True))
    assert isinstance(change, Become)
    assert change.changes["reviewed_at"] == FRIDAY
    assert isinstance(line, Record)


def test_a_draft_is_published_only_where_the_team_does_that_and_the_log_says_so() -> None:
    """C16: drafts do get published."""
    with pytest.raises(Refused, match="not reviewed"):
        postmortems.move(document(), "published", "Ana", FRIDAY, Demands())
    _, line = postmortems.move(
        document(empty=["Lucky"]), "published", "Ana", FRIDAY, Demands(drafts_may_be_published=True)
    )
    assert isinstance(line, Record)
    assert "was not reviewed" in line.why


def test_the_smallest_action_must_be_in_a_sprint_where_the_team_asks_for_it() -> None:
    """2i2c: not to take action on our action items is an antipattern."""
    demands = Demands(smallest_in_sprint=True)
    some = Action("Rewrite it all", has_owner=True, has_date=True)
    small = Action("Raise the limit", has_owner=True, has_date=True, is_smallest=True)
    planned = Action("Raise the limit", has_owner=True, has_date=True, is_smallest=True, in_sprint=True)
    assert "smallest" in postmortems.missing(document(actions=[some]), "reviewed", demands)[0]
    assert "next sprint" in postmortems.missing(document(actions=[some, small]), "reviewed", demands)[0]
    assert postmortems.missing(document(actions=[some, planned]), "reviewed", demands) == []


def test_the_record_writes_the_draft_and_its_notes_raise_questions() -> None:
    """INC-08, PM-05, PM-12: nobody has to think hard at the meeting."""
    story = Story(
        title="Nobody can sign in",
        impact="Users see an error",
        milestones={**TIMES, "detected": FRIDAY + timedelta(minutes=40), "mitigated": FRIDAY + timedelta(hours=2)},
        detected_by="requester",
        services=["Sign-in"],
        notes=[
            Note(FRIDAY, "The certificate ran out. Why did nobody see the date?", "observation"),
            Note(FRIDAY + timedelta(minutes=5), "restart the proxy", "ruled_out"),
            Note(FRIDAY + timedelta(hours=1), "Ana: all is normal: renewed the certificate", "incident.resolved"),
        ],
    )
    draft = postmortems.compose(story)
    assert draft["summary"] == "Users see an error. People felt it for 2 h."
    assert draft["resolution"] == "renewed the certificate."
    assert "15:00 UTC: The certificate ran out" in draft["what_happened"]
    assert "Why did nobody see the date?" in draft["questions"]
    assert "40 minutes before we knew" in draft["questions"]
    assert "Which alert would have told us first?" in draft["questions"]
    assert "tried in vain" in draft["questions"]


def test_a_note_that_never_ends_its_sentence_is_looked_through_once() -> None:
    story = Story("Slow", "Slow", notes=[Note(FRIDAY, "a" * 400_000 + ". And why?\n", "observation")])
    assert "And why?" in postmortems.questions(story)


LINES = st.lists(st.sampled_from("abcdefgh"), max_size=6, unique=True)


@given(base=LINES, cuts=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=2))
def test_two_who_write_at_once_lose_no_line(base: list[str], cuts: list[tuple[int, int]]) -> None:
    """Several editors at once lose nothing: both changes stand, or neither is chosen by a program."""
    texts = []
    for name, (start, end) in zip(("mine", "theirs"), cuts, strict=True):
        start, end = sorted((min(start, len(base)), min(end, len(base))))
        texts.append("\n".join([*base[:start], f"typed by {name}", *base[end:]]))
    merged = merge("\n".join(base), texts[1], texts[0])
    if merged is not None:
        assert {"typed by mine", "typed by theirs"} <= set(merged.split("\n"))
        kept = set(base) & set(texts[0].split("\n")) & set(texts[1].split("\n"))
        assert kept <= set(merged.split("\n"))


def test_changes_apart_are_put_together_and_changes_in_one_place_are_not() -> None:
    base = "one\ntwo\nthree\nfour"
    assert merge(base, "ONE\ntwo\nthree\nfour", "one\ntwo\nthree\nFOUR") == "ONE\ntwo\nthree\nFOUR"
    assert merge(base, "one\nTWO\nthree\nfour", "one\nzwei\nthree\nfour") is None
    assert merge("", "typed first", "typed second") is None
    assert merge(base, base, "mine") == "mine"


@pytest.mark.parametrize(
    ("text", "title", "more"),
    [
        ("Alert on a full disk", "Alert on a full disk", ("", None, "", "")),
        ("Alert @ben by 2026-04-01 #technical #detect", "Alert", ("ben", date(2026, 4, 1), "technical", "detect")),
        (
            "Write it down #documentation in 7 days @ana",
            "Write it down",
            ("ana", date(2026, 3, 13), "documentation", ""),
        ),
        ("Look at #2127 and #wat", "Look at #2127 and #wat", ("", None, "", "")),
        ("Mail ops@example.org", "Mail ops@example.org", ("", None, "", "")),
    ],
)
def test_an_action_is_typed_in_one_line(text: str, title: str, more: tuple[object, ...]) -> None:
    """PM-08: the tickets are made in the room."""
    line = read_line(text, FRIDAY.date())
    assert line.title == title
    assert (line.who, line.due, line.kind, line.purpose) == more


@pytest.mark.parametrize("text", ["", "@ben", "Fix it by 2026-13-45"])
def test_a_line_without_an_action_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_line(text, FRIDAY.date())
    assert refused.value.field == "line"


def test_a_measure_is_a_pair_with_how_many_there_were() -> None:
    """MET-02, INC-21: counts with the high ones, exercises in no figure, never a bare mean."""

    def told(minutes: int, **said: object) -> Told:
        return Told({"started": FRIDAY, "resolved": FRIDAY + timedelta(minutes=minutes)}, **said)

    found = measures.measure(
        [
            told(10, priority="p1", is_major=True, detected_by="alert"),
            told(20, priority="p2", detected_by="requester"),
            told(90, priority="p2"),
            told(9999, priority="p1", is_major=True, is_exercise=True),
        ]
    )
    assert (found.count, found.major) == (3, 1)
    assert found.by_priority == {"p1": 1, "p2": 2}
    assert found.by_source == {"alert": 1, "requester": 1, "not known": 1}
    resolve = found.figures[-1]
    assert (resolve.words, resolve.n) == ("started to resolved", 3)
    assert (resolve.median, resolve.p90) == (timedelta(minutes=20), timedelta(minutes=90))
    assert found.figures[0].median is None


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_the_ninetieth_percentile_is_a_length_that_really_was(minutes: list[int]) -> None:
    lengths = sorted(timedelta(minutes=one) for one in minutes)
    p90 = measures.percentile(lengths, 90)
    assert p90 in lengths
    assert sum(one <= p90 for one in lengths) >= len(lengths) * 0.9


def test_times_the_wrong_way_round_are_no_measure() -> None:
    assert (
        measures.length_of({"started": FRIDAY, "detected": FRIDAY - timedelta(hours=1)}, "started", "detected") is None
    )
