"""Reports that were written elsewhere: imported once, whole, and exported again as they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.actions.postmortem_cast import adopt_rules, an_outage, the_postmortem, write
from tests.world import World
from watchbill.actions import action_items, postmortem_files, report_import
from watchbill.actions.action_items import Wanted
from watchbill.actions.measuring import read_measures
from watchbill.core.reports.markdown import read_markdown
from watchbill.core.reports.write import write_markdown, write_myst
from watchbill.db.models import Event, Export, Incident, Outgoing, PostMortem, Ticket, Timer
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)

REPORT = b"""# The memory ran out on 2024-01-01

## Summary

Nobody could start a notebook on the research hub.

## Timeline (all times in UTC)

### 2025-05-12

- 08:52 AM Somebody writes that nothing starts.
- 09:10 We see that the node is full.
- 11:40 A larger node is there; it works.

## What went wrong

- No alert on memory.

## Where we got lucky

It was a holiday.

## Action items

### Process

- [x] Tell the community how to ask, #2127

### Technical

- [ ] Alert when memory is short
- [ ] Limit each user

## Something else entirely

Words that no template knows.
"""
NAME = "2025-05-12-memory.md"


def import_it(world: World, content: bytes = REPORT, name: str = NAME) -> report_import.Imported:
    return report_import.import_file(world.team, content, name, world.ana, world.now)


def test_a_report_becomes_an_incident_with_its_timeline_its_document_and_its_tickets(world: World) -> None:
    """Import: dated back, closed, the date of the file and not of the title, done boxes stay done."""
    timers = Timer.objects.count()
    found = import_it(world).postmortem
    incident = Incident.objects.get()
    assert incident.state == "closed"
    assert incident.started_at == datetime(2025, 5, 12, 8, 52, tzinfo=UTC)
    lines = Event.objects.filter(subject_kind="incident", kind="incident.entry").order_by("at")
    assert [f"{line.at:%H:%M}" for line in lines] == ["08:52", "09:10", "11:40"]
    assert all(line.written_at == world.now for line in lines)
    stages = list(Ticket.objects.filter(kind="action").order_by("id").values_list("title", "stage"))
    assert stages == [
        ("Tell the community how to ask, #2127", "done"),
        ("Alert when memory is short", "to_do"),
        ("Limit each user", "to_do"),
    ]
    assert [item.kind for item in found.actions.order_by("position")] == ["process", "technical", "technical"]
    assert found.original == REPORT.decode()
    assert "Words that no template knows." in [section.text for section in found.sections.all()]
    # Nobody is woken by what happened years ago.
    assert Timer.objects.count() == timers
    assert not Outgoing.objects.exists()
    assert not Export.objects.exists()


@pytest.mark.parametrize(
    ("text", "began", "guess"),
    [
        ("# A short note\n\nIt was slow.", None, "the moment of the import is taken"),
        ("# 2023-02-01 Evictions\n\nIt was slow.", datetime(2023, 2, 1, 12, tzinfo=UTC), "noon of 2023-02-01 (UTC)"),
    ],
)
def test_a_time_that_is_not_told_is_a_guess_that_is_said_and_nothing_is_measured_by_it(
    world: World, text: str, began: datetime | None, guess: str
) -> None:
    done = import_it(world, text.encode(), "note.md")
    incident = done.postmortem.incident
    assert (incident.started_at, incident.resolved_at) == (began or world.now, None)
    assert any(guess in one.why for one in done.guesses)
    assert guess in str(done.postmortem.not_understood)
    figures = read_measures(world.ana, [world.team], datetime(2020, 1, 1, tzinfo=UTC), world.now + timedelta(days=1))
    assert (figures.count, {one.n for one in figures.figures}) == (1, {0})


def test_the_same_file_twice_makes_no_second_one(world: World) -> None:
    first, second = import_it(world), import_it(world, name="copy.md")
    assert (first.is_new, second.is_new) == (True, False)
    assert first.postmortem == second.postmortem
    assert (PostMortem.objects.count(), Incident.objects.count(), Ticket.objects.count()) == (1, 1, 3)


def test_what_was_imported_is_exported_as_it_was(world: World) -> None:
    """Export and re-import give the same record, in our shape and in the published one."""
    read = read_markdown(REPORT.decode(), NAME)
    report = postmortem_files.report_of(import_it(world).postmortem)
    assert report == read
    assert import_it(world, write_markdown(report).encode(), "again.md").is_new is False
    published = read_markdown(write_myst(report), NAME)
    assert published.timeline == read.timeline
    assert [(one.text, one.is_done) for one in published.actions] == [(one.text, one.is_done) for one in read.actions]


def test_one_that_was_written_here_comes_back_as_it_left(world: World) -> None:
    """Export and re-import give the same record."""
    adopt_rules(world)
    an_outage(world)
    found = the_postmortem()
    write(world, found, factors="- the date was in nobody's calendar\n- no alert", avoid="Watch the date.")
    action_items.add(found.pk, Wanted("Alert on dates", kind="technical", owner=world.ben), world.ana, world.now)
    action_items.add(found.pk, Wanted("Write down who renews", kind="process"), world.ana, world.now)
    report = postmortem_files.report_of(the_postmortem())
    text = write_markdown(report)
    assert read_markdown(text, "any.md") == report
    again = import_it(world, text.encode(), "any.md")
    assert again.is_new is False
    other = report_import.import_file(
        world.charlie.memberships.get().team, text.encode(), "any.md", world.charlie, world.now
    )
    assert postmortem_files.report_of(PostMortem.objects.get(pk=other.postmortem.pk)) == report


@pytest.mark.parametrize(
    ("content", "name"), [(b"\xff\xfe\x00", "a.md"), (b"text", "a.docx"), (b"%PDF-1.4 broken", "a.pdf")]
)
def test_what_is_no_report_is_refused_by_name_and_nothing_is_left(world: World, content: bytes, name: str) -> None:
    with pytest.raises(Refused, match=name):
        import_it(world, content, name)
    assert not Incident.objects.exists()


def test_a_stranger_imports_nothing(world: World) -> None:
    with pytest.raises(NotAllowed):
        report_import.import_file(world.team, REPORT, NAME, world.charlie, world.now)
