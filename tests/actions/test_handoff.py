"""A watch is handed on: drafted by itself, written, asked about, witnessed, accepted; then nothing follows the leaver."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.actions.desk_cast import ask
from tests.actions.handoff_cast import NOTES, accept, at, hands_on, line_of, lines, monday, told, watch_ticket
from tests.world import World
from watchbill.actions import declaring, handoff, notices, paging, rota, shift_log, silences, support, teams, tickets
from watchbill.actions.declaring import Declared
from watchbill.db import facts
from watchbill.db.handoff_facts import due_from, late_of
from watchbill.db.models import (
    Event,
    Handoff,
    Membership,
    Message,
    Outgoing,
    Page,
    Policy,
    Shift,
    Ticket,
    Timer,
)
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_hour_before_the_week_ends_it_is_drafted_from_facts_and_the_leaver_is_told(world: World) -> None:
    """HND-01, HND-13, HND-14, RUN-10: in a fixed form, planned work and the log included, each line with its source."""
    hands_on(world)
    ticket = watch_ticket(world)
    silences.add_silence(
        world.team, world.ana, world.now, service=world.service, matchers=[], why="load test",
        starts_at=None, ends_at=world.now + timedelta(days=8),
    )  # fmt: skip
    times = {"starts_at": world.now + timedelta(days=9), "ends_at": world.now + timedelta(days=9, hours=1)}
    work = {"title": "Move the database", "text": "A minute of silence.", "audiences": ["team"], **times}
    notices.announce(notices.draft(world.team, work, world.ana, world.now).pk, world.ana, world.now)
    shift_log.add_entry(world.team, {"title": "The fan of db1 hums"}, world.ana, world.now)
    at(world, "2026-03-09T07:59:00+00:00")
    assert not Handoff.objects.exists()
    page = paging.page_people(world.team, "The shop is slow", world.ana, world.now, to=world.ana)
    paging.acknowledge(page.pk, world.ana, world.now)
    given = monday(world, "08:01")
    assert (given.leaver, given.comer, given.state) == (world.ana, world.ben, "draft")
    assert (given.ends_at.hour, given.due_at.hour) == (9, 10), "at the first standup after the end of the shift"
    assert lines(given, "work") == [ticket.title]
    assert lines(given, "planned") == ["Move the database"]
    assert lines(given, "quiet") == ["checkout"]
    assert lines(given, "log") == ["The fan of db1 hums"]
    assert lines(given, "again") == ["The shop is slow"]
    assert lines(given, "arrived")[0].startswith("0 alerts")
    assert told(world.ana) == ["Your handoff is drafted: engineer of Engineers"]
    assert told(world.ben) == []
    assert due_from(world.ana, world.now) == [given]
    assert due_from(world.ben, world.now) == []


def test_the_standup_hands_it_on_in_front_of_the_team_and_every_word_about_a_ticket_is_on_the_ticket(
    world: World,
) -> None:
    """HND-02, HND-03, HND-04, HND-05, HND-06, HND-07: a summary, questions and answers on the ticket, the order confirmed, a witness."""
    hands_on(world)
    ticket = watch_ticket(world)
    given = monday(world)
    with pytest.raises(Refused, match="the most important in your words"):
        handoff.hand_on(given.pk, world.ana, world.now)
    handoff.write_summary(given.pk, "A calm week. Look at the certificate first.", 0, world.ana, world.now)
    handoff.mark_item(line_of(given, ticket).pk, world.ana, world.now, is_first=True)
    handoff.note_item(line_of(given, ticket).pk, "The new key is ordered.", world.ana, world.now)
    handoff.add_item(given.pk, "The vendor calls on Tuesday", "", world.ana, world.now)
    handoff.hand_on(given.pk, world.ana, world.now)
    assert told(world.ben) == ["A watch is handed on to you: engineer of Engineers"]
    asked = handoff.ask_about(given.pk, line_of(given, ticket).pk, "When does it run out?", world.ben, world.now)
    handoff.answer(asked.pk, "On Friday.", world.ana, world.now)
    assert list(Message.objects.filter(ticket=ticket).order_by("id").values_list("author_name", "text")) == [
        ("Ana", "The new key is ordered."),
        ("Ben", "Question at the handoff: When does it run out?"),
        ("Ana", "Answer to “When does it run out?”: On Friday."),
    ]
    at(world, "2026-03-09T10:00:00+00:00")
    with pytest.raises(Refused, match="confirm the order of the work; 1 more of the team witnesses it first"):
        handoff.accept(given.pk, world.ben, world.now)
    assert not given.witnesses.exists()
    handoff.witness(given.pk, world.eva, world.eva, world.now)
    handoff.accept(given.pk, world.ben, world.now, confirms=True)
    given.refresh_from_db()
    assert (given.state, given.accepted_by, given.how, given.order_confirmed) == (
        "accepted",
        world.ben,
        "meeting",
        True,
    )
    assert told(world.ana)[-1] == "Ben accepted your handoff of Engineers"
    world.work()
    kinds = list(Event.objects.filter(subject_kind="handoff").order_by("id").values_list("kind", flat=True))
    assert [kind for kind in kinds if kind.startswith("handoff.") and kind != "handoff.told"] == [
        "handoff.drafted", "handoff.summary", "handoff.item_marked", "handoff.item_noted", "handoff.item_added",
        "handoff.handed_on", "handoff.question", "handoff.answer", "handoff.witnessed", "handoff.accepted",
        "handoff.settled",
    ]  # fmt: skip
    assert not Timer.objects.filter(subject_kind="handoff").exists()


def test_once_accepted_and_over_nothing_follows_the_leaver(world: World) -> None:
    """HND-08, HND-09, C20: pages, requests and tickets of the watch; what is planned, and what they keep, stays theirs."""
    hands_on(world)
    seat, mine = watch_ticket(world), watch_ticket(world, "Odd mails", seat="", assignee=world.ana)
    kept = watch_ticket(world, "My own mess", seat="", assignee=world.ana)
    planned = watch_ticket(world, "The new login", seat="", assignee=world.ana, is_unplanned=False)
    request = ask(world, title="A login for Kim")
    support.take(request.pk, world.ana, world.now)
    at(world, "2026-03-09T07:00:00+00:00")
    world.event()
    world.work()
    page = world.page()
    paging.acknowledge(page.pk, world.ana, world.now)
    given = monday(world)
    handoff.write_summary(given.pk, "Look at the disk.", 0, world.ana, world.now)
    handoff.mark_item(line_of(given, kept).pk, world.ana, world.now, keeps=True)
    assert not given.items.filter(about="ticket", about_id=planned.pk).exists()
    paging.snooze(page.pk, world.ana, world.now + timedelta(hours=2), world.now)
    handoff.hand_on(given.pk, world.ana, world.now)
    accept(world, given)
    world.work()
    page.refresh_from_db()
    assert page.answered_by == world.ana, "until nine the watch is hers"
    at(world, "2026-03-09T09:00:00+00:00")
    page.refresh_from_db()
    assert (page.answered_by, page.state) == (world.ben, "snoozed")
    assert page.group is not None
    assert page.group.acknowledged_by == world.ben
    whose = {one.title: (one.assignee, one.seat) for one in Ticket.objects.select_related("assignee")}
    assert whose == {
        seat.title: (None, "engineer"), mine.title: (None, "engineer"), kept.title: (world.ana, ""),
        planned.title: (world.ana, ""),
    }  # fmt: skip
    request.refresh_from_db()
    assert request.assignee == world.ben
    before = Outgoing.objects.filter(person=world.ana, subject_kind="page").count()
    at(world, "2026-03-09T10:32:00+00:00")
    asked = Outgoing.objects.filter(subject_kind="page", subject_id=page.pk).order_by("-id")
    assert asked[0].person == world.ben, "the snooze that Ana chose asks Ben"
    assert Outgoing.objects.filter(person=world.ana, subject_kind="page").count() == before


def test_where_people_keep_tickets_they_go_to_the_one_who_comes(world: World) -> None:
    """C20: S0 keeps them with the seat, S2 and S3 with a person."""
    hands_on(world, **NOTES)
    rules = {**facts.policy_of(world.team)["rules"], "oncall_task": {"assign_to": "person"}}
    teams.adopt_policy(world.team, {"rules": rules}, world.eva, "a name on each", world.now)
    mine = watch_ticket(world, seat="", assignee=world.ana)
    given = monday(world)
    handoff.hand_on(given.pk, world.ana, world.now)
    accept(world, given)
    at(world, "2026-03-09T09:00:00+00:00")
    mine.refresh_from_db()
    assert mine.assignee == world.ben


def test_a_page_that_still_asks_the_leaver_asks_the_next_one_and_its_ladder_goes_on(world: World) -> None:
    """HND-08: it never blocks paging; who is on watch is the rota's alone."""
    hands_on(world, **NOTES)
    given = monday(world, "08:56")
    handoff.hand_on(given.pk, world.ana, world.now)
    accept(world, given)
    at(world, "2026-03-09T08:59:00+00:00")
    world.event()
    world.work()
    page = world.page()
    climbs = Timer.objects.get(subject_kind="page", subject_id=page.pk, kind="climb").due_at
    at(world, "2026-03-09T09:00:00+00:00")
    asked = Outgoing.objects.filter(subject_kind="page", subject_id=page.pk).order_by("id")
    assert [row.person for row in asked] == [world.ana, world.ben]
    assert Timer.objects.get(subject_kind="page", subject_id=page.pk, kind="climb").due_at == climbs


def test_a_page_whose_message_to_the_next_one_failed_asks_them_anew(world: World) -> None:
    """HND-08: what was taken from the leaver must have reached the next one."""
    hands_on(world, **NOTES)
    given = monday(world, "08:56")
    handoff.hand_on(given.pk, world.ana, world.now)
    accept(world, given)
    at(world, "2026-03-09T08:59:00+00:00")
    world.event()
    world.work()
    tried = Outgoing.objects.filter(subject_kind="page", subject_id=world.page().pk)
    row = tried.get(person=world.ana)
    row.pk, row.key, row.person, row.state = None, "tried in vain", world.ben, "failed"
    row.save()
    at(world, "2026-03-09T09:00:00+00:00")
    assert list(tried.filter(person=world.ben).order_by("id").values_list("state", flat=True)) == ["failed", "sent"]


def test_one_that_nobody_accepts_is_asked_about_once_then_the_owners_hear_and_pages_go_by_the_rota(
    world: World,
) -> None:
    hands_on(world)
    given = monday(world, "11:00")
    assert told(world.ben) == ["Not accepted yet: engineer of Engineers"]
    assert told(world.ana)[-1] == "Not handed on yet: engineer of Engineers"
    assert told(world.eva) == []
    assert due_from(world.ben, world.now) == [given]
    assert late_of([world.team.pk], world.eva, world.now) == [given]
    world.event()
    world.work()
    assert Outgoing.objects.get(subject_kind="page").person == world.ben, "whatever the handoff says"
    paging.resolve(world.page().pk, world.ben, world.now)
    world.forward(hours=4)
    assert told(world.eva) == ["A handoff is not accepted: engineer of Engineers"]
    world.forward(days=3)
    assert (len(told(world.ben)), len(told(world.eva))) == (1, 1), "once each"
    accept(world, given)
    assert late_of([world.team.pk], world.eva, world.now) == []


def test_the_draft_follows_the_rota_and_is_dropped_when_nobody_leaves(world: World) -> None:
    hands_on(world)
    given = monday(world, "08:05")
    ends = world.now + timedelta(days=7)
    rota.add_override(world.rotation, world.eva, world.now + timedelta(minutes=55), ends, world.eva, world.now)
    world.work()
    given.refresh_from_db()
    assert given.comer == world.eva
    rota.add_override(world.rotation, world.ana, world.now + timedelta(minutes=55), ends, world.eva, world.now)
    world.work()
    given.refresh_from_db()
    assert given.state == "dropped"
    assert "Ana stays on watch" in Event.objects.get(subject_kind="handoff", kind="handoff.dropped").why


def test_a_shift_that_an_override_ends_now_is_still_handed_on(world: World) -> None:
    hands_on(world, **NOTES)
    world.forward(hours=30)
    rota.add_override(
        world.rotation, world.ben, world.now, world.now + timedelta(days=9), world.eva, world.now, why="ill"
    )
    world.work()
    given = Handoff.objects.get()
    assert (given.leaver, given.comer, given.ends_at) == (world.ana, world.ben, world.now)
    handoff.accept(given.pk, world.ben, world.now)
    assert Event.objects.get(kind="handoff.accepted").why.startswith("Ben accepted it as it stood")


def test_whoever_leaves_writes_whoever_comes_accepts_and_the_others_ask_and_see(world: World) -> None:
    hands_on(world)
    given = monday(world)
    with pytest.raises(NotAllowed, match="Ana writes this handoff"):
        handoff.write_summary(given.pk, "Mine.", 0, world.ben, world.now)
    with pytest.raises(NotAllowed, match="You hand it on: Ben accepts it"):
        handoff.accept(given.pk, world.ana, world.now)
    with pytest.raises(NotAllowed, match="member of Platform"):
        handoff.ask_about(given.pk, None, "Hm?", world.olga, world.now)
    with pytest.raises(NotAllowed, match="not in this team"):
        handoff.witness(given.pk, world.charlie, world.charlie, world.now)
    with pytest.raises(Refused, match="Charlie is not in Platform"):
        handoff.witness(given.pk, world.charlie, world.eva, world.now)
    with pytest.raises(Refused, match="Ana hands over"):
        handoff.witness(given.pk, world.ana, world.ana, world.now)
    handoff.witness(given.pk, world.olga, world.ana, world.now)
    handoff.witness(given.pk, world.olga, world.ben, world.now)
    assert [row.noted_by for row in given.witnesses.all()] == [world.ana], "once, by whoever said so first"
    handoff.write_summary(given.pk, "By an owner.", 0, world.eva, world.now)
    with pytest.raises(Refused, match="somebody else changed it meanwhile"):
        handoff.write_summary(given.pk, "By Ana.", 0, world.ana, world.now)
    handoff.hand_on(given.pk, world.ana, world.now)
    accept(world, given)
    with pytest.raises(Refused, match="what was handed on does not change"):
        handoff.add_item(given.pk, "And one more", "", world.ana, world.now)
    asked = handoff.ask_about(given.pk, None, "Who is Kim?", world.ben, world.now)
    assert handoff.answer(asked.pk, "A librarian.", world.eva, world.now).answered_by == world.eva


def test_a_fresh_draft_keeps_what_was_written_and_what_is_over_goes_unless_somebody_wrote_on_it(world: World) -> None:
    hands_on(world, **NOTES)
    done, noted, stays = (watch_ticket(world, title) for title in ("Done", "Noted", "Stays"))
    given = monday(world)
    handoff.note_item(line_of(given, noted).pk, "Nearly there.", world.ana, world.now)
    for ticket in (done, noted):
        tickets.move(ticket.pk, "done", world.ana, world.now)
    own = handoff.add_item(given.pk, "Buy cake", "", world.ana, world.now)
    new = watch_ticket(world, "New")
    handoff.redraft(given.pk, world.ana, world.now)
    rows = {one.title: one.is_over for one in given.items.filter(part="work")}
    assert rows == {"Noted": True, "Stays": False, "New": False}
    assert line_of(given, noted).note == "Nearly there."
    assert line_of(given, new).position > line_of(given, stays).position
    assert given.items.filter(pk=own.pk).exists()
    handoff.remove_item(own.pk, world.ana, world.now)
    with pytest.raises(Refused, match="goes when that is over"):
        handoff.remove_item(line_of(given, stays).pk, world.ana, world.now)


def test_a_team_that_demands_notes_hears_which_ticket_lacks_one(world: World) -> None:
    """HND-03: notes already on the working tickets."""
    hands_on(world, **{**NOTES, "ticket_notes": "demand"})
    ticket = watch_ticket(world)
    given = monday(world)
    with pytest.raises(Refused, match=f"write a note on T-{ticket.pk}"):
        handoff.hand_on(given.pk, world.ana, world.now)
    tickets.comment(ticket.pk, "Ordered.", world.ana, world.now)
    assert handoff.hand_on(given.pk, world.ana, world.now).state == "handed_on"


def test_the_evening_takes_over_from_the_day_and_the_morning_from_the_evening(world: World) -> None:
    """HND-11, HND-12: notes to whoever stands the next watch of the team, in whatever seat."""
    Membership.objects.filter(team=world.team).update(skills=["engineer"])
    rota.archive_rotation(world.rotation, world.eva, world.now)
    hands_on(world, **{**NOTES, "to": "watch", "minutes_before": 30})
    hours = [{"weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"]}]
    day = [{**hours[0], "start": "08:00", "end": "18:00"}]
    evening = [{**hours[0], "start": "17:00", "end": "22:00"}]
    people = {"day": world.ana, "evening": world.ben}
    for name, windows in (("day", day), ("evening", evening)):
        settings = {
            "zone": "UTC", "unit": "working_day", "handoff_at": "08:00", "starts_on": "2026-03-02", "order": "fixed",
            "coverage": windows, "seats": [{"name": name}], "members": [{"person": people[name].pk}],
        }  # fmt: skip
        rota.create_rotation(world.team, name, settings, world.eva, world.now)
    at(world, "2026-03-03T22:00:00+00:00")
    passed = [(str(one.leaver), str(one.comer), one.seat) for one in Handoff.objects.order_by("id")]
    assert passed == [("Ana", "Ben", "day"), ("Ben", "Ana", "evening")]


def test_a_week_of_office_hours_is_handed_on_once_whole_and_to_whoever_comes_on_monday(world: World) -> None:
    """HND-14: the nights between are nobody's; the same person goes on in the morning, and hands nothing on."""
    rota.archive_rotation(world.rotation, world.eva, world.now)
    hands_on(world, **{**NOTES, "least_hours": 24})
    settings = {
        "zone": "UTC", "unit": "week", "handoff_at": "09:00", "handoff_weekday": 0, "starts_on": "2026-03-02",
        "coverage": [{"weekdays": ["tuesday", "wednesday", "thursday", "friday"], "start": "09:00", "end": "17:00"}],
        "seats": [{"name": "office"}], "members": [{"person": world.ana.pk}, {"person": world.ben.pk}],
    }  # fmt: skip
    office = rota.create_rotation(world.team, "Office", settings, world.eva, world.now)
    shift_log.add_entry(world.team, {"title": "On Tuesday"}, world.ana, world.now)
    at(world, "2026-03-05T20:00:00+00:00")
    assert not Handoff.objects.exists()
    at(world, "2026-03-06T16:30:00+00:00")
    given = Handoff.objects.get(rotation=office)
    assert (given.leaver, given.comer) == (world.ana, world.ben)
    assert (given.began_at.day, given.starts_at.day, given.due_at.day) == (3, 6, 10)
    assert lines(given, "log") == ["On Tuesday"]
    assert Timer.objects.get(subject_kind="handoff", subject_id=given.pk, kind="ask").due_at.day == 10


def test_one_may_be_begun_by_hand_where_the_team_drafts_none_and_stands_once(world: World) -> None:
    assert Policy.objects.get(team=world.team).settings == {}
    assert not Timer.objects.filter(subject_kind="rotation", kind="handoff").exists()
    made = handoff.begin(world.rotation, "engineer", world.ana, world.now)
    assert (made.mode, made.leaver) == ("notes", world.ana)
    assert handoff.begin(world.rotation, "engineer", world.ben, world.now) == made
    assert told(world.ana) == [], "she began it herself"
    with pytest.raises(Refused, match="no shift of Engineers as “cook”"):
        handoff.begin(world.rotation, "cook", world.ana, world.now)
    with pytest.raises(Refused, match="say why"):
        handoff.drop(made.pk, " ", world.ana, world.now)
    assert handoff.drop(made.pk, "I stay", world.ana, world.now).state == "dropped"


def test_a_private_incident_stands_in_no_handoff_and_where_nobody_follows_the_leaver_is_asked(world: World) -> None:
    hands_on(world)
    at(world, "2026-03-09T07:59:00+00:00")
    for private in (False, True):
        said = Declared(title="Private" if private else "Checkout fails", impact="Nobody can pay", is_private=private)
        declaring.declare(world.team, said, world.ana, world.now)
    Shift.objects.filter(rotation=world.rotation, starts_at__gt=world.now).update(person=None)
    given = monday(world, "08:01")
    assert given.comer is None
    world.forward(hours=3)
    assert [text for text in told(world.ana) if text.startswith("Not handed on")]
    assert lines(given, "incidents") == ["Checkout fails"], "a whole team reads it"


def test_killed_in_the_middle_of_giving_on_the_rest_is_given_on_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost on a kill: the timer ends last, and begins again with what is left."""
    hands_on(world, **NOTES)
    first = watch_ticket(world, "First", seat="", assignee=world.ana)
    second = watch_ticket(world, "Second", seat="", assignee=world.ana)
    given = monday(world)
    handoff.hand_on(given.pk, world.ana, world.now)
    accept(world, given)
    change = tickets.change_ticket

    def dies_at_the_second(number: int, *rest: object) -> Ticket:
        if number == second.pk:
            raise OSError("the machine is gone")
        return change(number, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(tickets, "change_ticket", dies_at_the_second)
        at(world, "2026-03-09T09:00:00+00:00")
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.seat, second.assignee) == ("engineer", world.ana)
    world.forward(minutes=1)
    second.refresh_from_db()
    given.refresh_from_db()
    assert (second.seat, given.settled_at is not None) == ("engineer", True)
    assert Page.objects.count() == 0
