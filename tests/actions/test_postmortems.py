"""Post-mortems through their actions: begun by the rule, written by several at once, reviewed, chased."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.actions.desk_cast import subjects
from tests.actions.postmortem_cast import adopt_rules, an_outage, the_postmortem, told, write
from tests.world import World
from watchbill.actions import incidents, postmortem_sections, postmortems
from watchbill.core.postmortems import REVIEWED
from watchbill.db.models import ContactAddress, Incident, Outgoing, PostMortem, SectionRevision
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_resolving_begins_the_one_that_the_rule_asks_for_with_a_draft_from_the_record(world: World) -> None:
    """C15, INC-08, PM-05, PM-12: summary, resolution, questions; due after working days; its owner hears."""
    adopt_rules(world)
    an_outage(world)
    found = the_postmortem()
    assert (found.owner, found.state, found.meeting_minutes) == (world.ana, "draft", 30)
    texts = {section.key: section.text for section in found.sections.all()}
    assert texts["summary"] == "Users see an error after the password. People felt it for 1 h 30 min."
    assert texts["resolution"] == "renewed the certificate."
    assert "Why did nobody see the date?" in texts["questions"]
    assert "Users told us" in texts["questions"]
    # Five days of ten hours, from Tuesday 10:00.
    assert f"{found.due_at:%F %H:%M}" == "2026-03-10 10:00"
    assert {row.person for row in found.attendees.all()} == {world.ana, world.ben}
    assert any("Nobody can sign in" in one for one in subjects(world, "ana"))


def test_a_small_one_gets_none_unless_somebody_wants_it(world: World) -> None:
    """PM-01, C15."""
    incident = an_outage(world, "minor")
    assert not PostMortem.objects.exists()
    found = postmortems.begin_by_hand(incident.pk, world.ben, world.now)
    assert (found.required_why, found.due_at) == ("", None)
    assert postmortems.begin_by_hand(incident.pk, world.ana, world.now) == found
    with pytest.raises(NotAllowed):
        postmortems.begin_by_hand(incident.pk, world.charlie, world.now)


def test_it_is_owed_before_the_incident_closes_as_far_as_the_team_says(world: World) -> None:
    adopt_rules(
        world,
        postmortem_due={"before_closing": "reviewed"},
        incident_closing={"demands": ["postmortem"], "ask_after_hours": 0},
    )
    incident = an_outage(world)
    with pytest.raises(Refused, match="post-mortem is draft, it is to be reviewed"):
        incidents.close(incident.pk, world.ana, world.now)
    PostMortem.objects.update(state=REVIEWED)
    assert incidents.missing_of(Incident.objects.get(), world.now) == []


def test_the_owner_hears_before_it_is_due_and_the_manager_after(world: World) -> None:
    """PM-09."""
    world.team.manager = world.eva
    world.team.save()
    adopt_rules(world)
    an_outage(world)
    world.work()
    world.mailbox.clear()
    due = the_postmortem().due_at
    world.forward(seconds=(due - world.now - timedelta(hours=24)).total_seconds())
    assert "Due soon: Nobody can sign in" in subjects(world, "ana")
    assert not [one for one in subjects(world, "eva") if one.startswith(("Due soon", "Overdue"))]
    world.forward(days=2)
    assert "Overdue: Nobody can sign in" in subjects(world, "eva")


def test_one_that_was_reviewed_in_time_reminds_nobody(world: World) -> None:
    adopt_rules(world)
    an_outage(world)
    found = the_postmortem()
    write(world, found, avoid="Watch the date of every certificate.")
    postmortems.move(found.pk, "in_review", world.ana, world.now)
    postmortems.move(found.pk, "reviewed", world.ben, world.now)
    world.work()
    world.mailbox.clear()
    world.forward(days=9)
    assert not [one for one in world.mailbox.messages if one["Subject"].startswith(("Due soon", "Overdue"))]


def test_another_reviews_it_and_what_is_missing_is_said(world: World) -> None:
    """PM-07."""
    adopt_rules(world)
    an_outage(world)
    found = the_postmortem()
    with pytest.raises(Refused, match="“How will we avoid it” is empty"):
        postmortems.move(found.pk, "in_review", world.ana, world.now)
    write(world, found, avoid="Watch it.")
    postmortems.move(found.pk, "in_review", world.ana, world.now)
    with pytest.raises(Refused, match="other than Ana"):
        postmortems.move(found.pk, "reviewed", world.ana, world.now)
    assert postmortems.move(found.pk, "reviewed", world.ben, world.now).reviewed_by == world.ben
    with pytest.raises(Refused, match="say why"):
        postmortems.move(found.pk, "draft", world.ben, world.now)
    assert postmortems.move(found.pk, "draft", world.ben, world.now, "a factor is missing").reviewed_at is None
    assert told(found).count("postmortem.moved") == 3


def test_what_two_write_at_once_stands_together_or_is_set_aside(world: World) -> None:
    """Several editors at once lose nothing."""
    adopt_rules(world)
    an_outage(world)
    section = the_postmortem().sections.get(key="factors")
    first = postmortem_sections.save(section.pk, "one\n\ntwo\n\nthree", 0, world.ana, world.now)
    postmortem_sections.save(section.pk, "ONE\n\ntwo\n\nthree", first.section.version, world.ana, world.now)
    apart = postmortem_sections.save(section.pk, "one\n\ntwo\n\nTHREE", first.section.version, world.ben, world.now)
    assert (apart.was_merged, apart.section.text) == (True, "ONE\n\ntwo\n\nTHREE")
    meets = postmortem_sections.save(section.pk, "eins\n\ntwo\n\nthree", first.section.version, world.ben, world.now)
    assert meets.set_aside is not None
    assert meets.section.text == "ONE\n\ntwo\n\nTHREE"
    with pytest.raises(Refused, match="set aside in Contributing factors"):
        postmortems.move(section.postmortem_id, "in_review", world.ana, world.now)
    postmortem_sections.settle(
        meets.set_aside.pk, "ONE, eins\n\ntwo\n\nTHREE", apart.section.version, world.ana, world.now
    )
    assert SectionRevision.objects.get(pk=meets.set_aside.pk).settled_at == world.now


def test_whoever_wrote_what_was_set_aside_hears_so_once_and_where_it_stands(world: World) -> None:
    """Also when they saved through a door that shows no page; nobody else is told."""
    adopt_rules(world)
    an_outage(world)
    section = the_postmortem().sections.get(key="factors")
    postmortem_sections.save(section.pk, "one", 0, world.ana, world.now)
    before = set(Outgoing.objects.values_list("pk", flat=True))
    meets = postmortem_sections.save(section.pk, "eins", 0, world.ben, world.now)
    assert meets.set_aside is not None
    (row,) = Outgoing.objects.exclude(pk__in=before)
    assert (row.person, row.purpose, row.urgency) == (world.ben, "notice", "default")
    assert row.message["subject"] == "Your words are set aside: Nobody can sign in"
    assert row.message["path"] == f"/postmortems/{section.postmortem_id}/#aside-{meets.set_aside.pk}"
    assert "Ana had changed the same place of “Contributing factors”" in row.message["text"]
    postmortem_sections.settle(meets.set_aside.pk, "one, eins", 1, world.ana, world.now)
    postmortem_sections.save(section.pk, "one, eins", 1, world.ben, world.now)
    assert Outgoing.objects.exclude(pk__in=before).count() == 1, "what is settled, or the same, tells nobody"
    ContactAddress.objects.filter(person=world.ben).delete()
    told_before = Outgoing.objects.count()
    postmortem_sections.save(section.pk, "zwei", 0, world.ben, world.now)
    assert Outgoing.objects.count() == told_before, "it is nobody else's to hear"


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(saves=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.booleans()), min_size=2, max_size=6))
def test_every_line_that_anyone_typed_is_in_the_section_or_set_aside(
    world: World, saves: list[tuple[int, int, bool]]
) -> None:
    """Whatever version people began from: what they typed stands in the section, or beside it."""
    if not PostMortem.objects.exists():
        an_outage(world)
    postmortem = the_postmortem()
    section = postmortem.sections.get(key="factors")
    texts = {section.version: section.text}
    typed: set[str] = set()
    for number, (behind, place, with_gap) in enumerate(saves):
        version = max(min(texts), section.version - behind)
        lines = texts.get(version, section.text).split("\n")
        line = f"line {section.pk}-{section.version}-{number}"
        lines[min(place, len(lines)) : min(place, len(lines))] = [line, ""] if with_gap else [line]
        saved = postmortem_sections.save(section.pk, "\n".join(lines), version, world.ana, world.now)
        typed.add(line)
        section = saved.section
        texts[section.version] = section.text
    kept = set(section.text.split("\n"))
    for revision in section.revisions.filter(set_aside=True, settled_at=None):
        kept |= set(revision.text.split("\n"))
    assert typed <= kept


def test_a_draft_nobody_touched_takes_in_what_was_noted_since(world: World) -> None:
    """INC-08: thirty minutes of hunting for the timeline."""
    adopt_rules(world)
    incident = an_outage(world)
    found = the_postmortem()
    write(world, found, summary="Mine.")
    incidents.change(incident.pk, {"summary": "Theirs."}, world.ana, world.now)
    incidents.move_milestone(
        incident.pk, "started", incident.started_at - timedelta(hours=5), "the log of the proxy", world.ben, world.now
    )
    postmortems.refill(found.pk, world.ana, world.now)
    texts = {section.key: section.text for section in found.sections.all()}
    assert texts["summary"] == "Mine."
    assert "5 h 30 min before we knew" in texts["questions"]


def test_an_exercise_says_so_in_every_message_and_a_private_one_tells_no_stranger(world: World) -> None:
    """INC-21."""
    adopt_rules(world)
    world.team.fallback = world.olga
    world.team.save()
    drill = an_outage(world, is_exercise=True)
    assert not PostMortem.objects.exists(), "an exercise owes none"
    practised = postmortems.begin_by_hand(drill.pk, world.ana, world.now, "to practise")
    assert (practised.due_at, practised.publish_by) == (None, None)
    assert all(one.startswith("Exercise: ") for one in subjects(world, "ana") if "sign in" in one)
    incident = an_outage(world, title="A leak", is_private=True)
    found = the_postmortem()
    assert found.incident == incident
    world.ana.addresses.update(verified_at=None)
    world.forward(days=9)
    assert not [one for one in world.mailbox.to(world.olga) if "A leak" in str(one)]
