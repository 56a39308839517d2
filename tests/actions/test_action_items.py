"""Action items and the meeting: made in the room, real tickets, chased; an invitation that calendars understand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from icalendar import Calendar

from tests.actions.desk_cast import subjects
from tests.actions.postmortem_cast import adopt_rules, an_outage, the_postmortem
from tests.world import World
from watchbill.actions import action_items, postmortem_meeting, sprints, tickets
from watchbill.actions.action_items import Wanted
from watchbill.db.models import ActionItem, IncidentLink, Ticket
from watchbill.kit.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_line_in_the_meeting_is_a_real_ticket(world: World) -> None:
    """PM-07, PM-08, PM-09: owner, date, kind, purpose, place in the order; linked to its incident."""
    adopt_rules(world, postmortem_due={"actions": {"level": "security"}})
    incident = an_outage(world)
    line = "Alert on the date @ben by 2026-04-01 #technical #detect smallest"
    item = action_items.add_line(the_postmortem().pk, line, world.ana, world.now)
    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.title, ticket.assignee) == ("action", "Alert on the date", world.ben)
    assert (ticket.due_on, ticket.priority, ticket.is_priority_pinned) == (date(2026, 4, 1), "security", True)
    assert (item.kind, item.purpose, item.is_smallest) == ("technical", "detect", True)
    assert IncidentLink.objects.filter(incident=incident, kind="ticket", subject_id=ticket.pk).exists()
    with pytest.raises(Refused, match="nobody is called"):
        action_items.add_line(the_postmortem().pk, "Do it @zoe", world.ana, world.now)
    with pytest.raises(NotAllowed):
        action_items.add_line(the_postmortem().pk, "Do it", world.charlie, world.now)


def test_without_a_word_it_is_due_as_the_team_says_and_the_list_has_an_order(world: World) -> None:
    """PM-07: a prioritised list."""
    adopt_rules(world, postmortem_due={"actions": {"due_days": 14}})
    an_outage(world)
    made = [action_items.add(the_postmortem().pk, Wanted(name), world.ana, world.now) for name in "abc"]
    assert made[0].ticket.due_on == (world.now + timedelta(days=14)).date()
    action_items.rank(made[2].pk, 0, world.ana, world.now)
    rows = ActionItem.objects.order_by("position").select_related("ticket")
    assert [row.ticket.title for row in rows] == ["c", "a", "b"]


def test_the_smallest_enters_the_next_sprint(world: World) -> None:
    adopt_rules(world)
    an_outage(world)
    item = action_items.add(the_postmortem().pk, Wanted("Raise the limit"), world.ana, world.now)
    with pytest.raises(Refused, match="no sprint ahead"):
        action_items.into_next_sprint(item.pk, world.ana, world.now)
    today = world.now.date()
    for name, start in (("now", today), ("next", today + timedelta(days=14))):
        values = {"name": name, "kind": "team", "starts_on": start, "ends_on": start + timedelta(days=13)}
        sprints.add_sprint(world.team, values, world.eva, world.now)
    assert str(action_items.into_next_sprint(item.pk, world.ana, world.now).ticket.sprint) == "next"


def test_an_open_action_is_chased_and_its_manager_hears_when_it_is_long_overdue(world: World) -> None:
    """PM-09: how do you make sure that the action items have been completed?"""
    world.team.manager = world.eva
    world.team.save()
    adopt_rules(world, postmortem_due={"actions": {"due_days": 3, "chase_days": 4, "manager_after_days": 5}})
    an_outage(world)
    item = action_items.add(the_postmortem().pk, Wanted("Alert earlier", owner=world.ben), world.ana, world.now)
    world.work()
    world.mailbox.clear()
    world.forward(days=4)
    assert subjects(world, "ben") == ["Overdue action: Alert earlier"]
    assert not [one for one in subjects(world, "eva") if "Alert earlier" in one]
    world.forward(days=4)
    assert [one for one in subjects(world, "eva") if "Alert earlier" in one]
    tickets.move(item.ticket_id, "done", world.ben, world.now)
    world.mailbox.clear()
    world.forward(days=5)
    assert not [one for one in subjects(world, "ben") if "Alert earlier" in one]


def test_a_ticket_of_a_private_incident_tells_nothing_of_it(world: World) -> None:
    """Nothing of a private incident shows in a list."""
    adopt_rules(world)
    an_outage(world, is_private=True, title="A leak")
    item = action_items.add(the_postmortem().pk, Wanted("Change the locks"), world.ana, world.now)
    assert "A leak" not in item.ticket.text
    assert f"/postmortems/{item.postmortem_id}/" in item.ticket.text


def invitations(world: World, name: str) -> list[Calendar]:
    found = []
    for message in world.mailbox.to(world.people[name]):
        found += [
            Calendar.from_ical(part.get_content())
            for part in message.walk()
            if part.get_content_type() == "text/calendar"
        ]
    return found


def test_the_meeting_is_an_invitation_that_moves_and_goes(world: World) -> None:
    """PM-01, PM-02: iCalendar REQUEST, a higher SEQUENCE for each change, CANCEL; one UID for ever."""
    adopt_rules(
        world, postmortem_due={"asks": {"other": {"meeting": "short", "minutes": 15, "invite": ["responders"]}}}
    )
    an_outage(world)
    found, at = the_postmortem(), world.now + timedelta(days=1)
    postmortem_meeting.plan(found.pk, at, world.ana, world.now)
    postmortem_meeting.ask(found.pk, world.ana, world.now, name="A guest", email="guest@example.net")
    postmortem_meeting.plan(found.pk, at + timedelta(hours=1), world.ana, world.now)
    postmortem_meeting.plan(found.pk, at + timedelta(hours=1), world.ana, world.now)
    postmortem_meeting.call_off(found.pk, "nobody is here", world.ana, world.now)
    world.work()
    seen = invitations(world, "ben")
    assert [str(one["METHOD"]) for one in seen] == ["REQUEST", "REQUEST", "CANCEL"]
    events = [one.walk("VEVENT")[0] for one in seen]
    assert [int(one["SEQUENCE"]) for one in events] == [0, 1, 2]
    assert len({str(one["UID"]) for one in events}) == 1
    assert events[1].decoded("DTSTART") == at + timedelta(hours=1)
    assert events[1].decoded("DTEND") - events[1].decoded("DTSTART") == timedelta(minutes=15)
    assert any(message["X-To"] == "guest@example.net" for message in world.mailbox.messages)


def test_who_does_not_see_a_private_incident_is_not_asked(world: World) -> None:
    adopt_rules(world, postmortem_due={"asks": {"other": {"invite": ["team"]}}})
    an_outage(world, is_private=True)
    found = the_postmortem()
    assert {row.person for row in found.attendees.all()} == {world.ana, world.ben, world.eva}
    for said in ({"whom": world.olga}, {"email": "guest@example.net"}):
        with pytest.raises(Refused):
            postmortem_meeting.ask(found.pk, world.ana, world.now, **said)
