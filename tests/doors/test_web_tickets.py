"""Tickets in the browser: one with all its forms, a new one, and what observers and strangers see of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.doors.web_world import Cast
from tests.world import World
from watchbill.actions import communities, sprints, support, tickets
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.db.models import Event, SupportRequest, Ticket, TicketLink


@pytest.fixture
def as_(world):
    return Cast(world)


def write(world: World, title: str = "Rotate the keys", **more: object) -> Ticket:
    return tickets.add_ticket(world.team, Written(title, **more), world.ana, world.now)  # type: ignore[arg-type]


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def do(as_, name: str, ticket: Ticket, act: str, **values: object):
    return getattr(as_, name).post(f"/tickets/{ticket.pk}/{act}/", values)


def test_a_ticket_of_the_watch_says_whose_it_is_until_when(world, as_):
    """HND-09: it belongs to whoever stands the watch, and at the handoff to the next."""
    ticket = write(world, seat="engineer")
    text = as_.eva.text(f"/tickets/{ticket.pk}/")
    assert "It belongs to the watch (engineer): Ana until" in text
    assert "Monday 09:00" in text
    assert "then Ben" in text
    world.now += timedelta(days=7)
    assert "It belongs to the watch (engineer): Ben until" in as_.eva.text(f"/tickets/{ticket.pk}/")


def test_where_it_belongs_is_told_with_why(world, as_):
    """DUT-16, BKL-06: too big proposes an epic; not urgent proposes the queue."""
    assert "5 points: more than 3 does not fit into one shift" in as_.ana.text(f"/tickets/{write(world, points=5).pk}/")
    assert "it was expected: it is planned like other work" in as_.ana.text(f"/tickets/{write(world).pk}/")


def test_a_ticket_waits_for_a_vendor_until_its_case_is_closed(world, as_):
    """INT-12: what is wrong stays as typed, and nothing waits for it."""
    ticket = write(world)
    wrong = do(as_, "ana", ticket, "vendor", vendor="Larchwood", reference="L-77", url="ftp://larchwood.example")
    assert (wrong.status_code, "L-77" in wrong.content.decode(), fresh(ticket).stage) == (409, True, "to_do")
    do(as_, "ana", ticket, "vendor", vendor="Larchwood", reference="L-77")
    case = ticket.vendor_cases.get()
    assert "L-77" in as_.ben.text(f"/tickets/{ticket.pk}/")
    assert fresh(ticket).stage == "waiting"
    assert as_.olga.post(f"/vendor-cases/{case.pk}/heard/", {"note": "Mine", "do": "heard"}).status_code == 403
    as_.ben.post(f"/vendor-cases/{case.pk}/heard/", {"note": "A cable", "do": "close"})
    assert fresh(ticket).stage == "in_progress"
    assert "What they said" not in as_.ben.text(f"/tickets/{ticket.pk}/")


def test_what_is_written_is_changed_and_shown_as_markdown(world, as_):
    ticket = write(world)
    assert do(as_, "ben", ticket, "text", title="New words", text="# Head\n\n* one <b>x</b>").status_code == 302
    text = as_.ben.text(f"/tickets/{ticket.pk}/")
    assert "<h3>Head</h3>" in text
    assert "<li>one &lt;b&gt;" in text
    assert fresh(ticket).title == "New words"


def test_a_refusal_keeps_what_was_typed_at_its_field(world, as_):
    ticket = write(world)
    response = do(as_, "ana", ticket, "about", kind="task", labels="x" * 50, points="3", service="")
    assert response.status_code == 409
    text = response.content.decode()
    assert "labels of 40 characters" in text.lower()
    assert "x" * 50 in text
    assert fresh(ticket).labels == []


def test_kind_labels_points_and_dates_are_one_form(world, as_):
    """BKL-01: the label says which kind of work it is."""
    ticket = write(world)
    values = {"kind": "investigation", "labels": "feature, disk space", "points": "2", "service": str(world.service.pk)}
    assert do(as_, "ana", ticket, "about", **values, due_on="2026-03-20").status_code == 302
    after = fresh(ticket)
    assert (after.kind, after.labels, after.work_kind) == ("investigation", ["feature", "disk-space"], "feature")
    assert (after.points, after.service, str(after.due_on)) == (2, world.service, "2026-03-20")


def test_it_is_given_to_a_person_to_the_watch_and_back_to_nobody(world, as_):
    """HND-09."""
    ticket = write(world)
    do(as_, "ana", ticket, "who", who=f"person:{world.ben.pk}")
    assert fresh(ticket).assignee == world.ben
    do(as_, "ana", ticket, "who", who="seat:engineer")
    assert (fresh(ticket).assignee, fresh(ticket).seat) == (None, "engineer")
    do(as_, "ben", ticket, "take")
    assert (fresh(ticket).assignee, fresh(ticket).seat) == (world.ben, "")
    do(as_, "ana", ticket, "who", who="")
    assert fresh(ticket).assignee is None


def test_a_priority_by_hand_needs_its_reason(world, as_):
    """PRI-09."""
    ticket = write(world)
    refused = do(as_, "ana", ticket, "priority", level="security", why="")
    assert refused.status_code == 409
    assert "Say why: it stands beside the priority" in refused.content.decode()
    do(as_, "ana", ticket, "priority", level="security", why="the audit is tomorrow")
    assert "the audit is tomorrow" in as_.ana.text(f"/tickets/{ticket.pk}/")


def test_a_quick_fix_says_before_what_it_lacks_and_ends_with_its_pair(world, as_):
    """SPN-01, SPN-02: the other half as a new ticket in one line, one that stands, or a reason."""
    one, two, three = (write(world, f"Restart {n}", kind="quick_fix") for n in range(3))
    assert "Before it is done it lacks its lasting fix as a ticket" in as_.ana.text(f"/tickets/{one.pk}/")
    empty = do(as_, "ana", one, "finish", lasting="", reason="")
    assert empty.status_code == 409
    do(as_, "ana", one, "finish", lasting="Mend the leak", reason="")
    lasting = Ticket.objects.get(title="Mend the leak")
    assert (fresh(one).stage, lasting.kind) == ("done", "lasting_fix")
    do(as_, "ana", two, "finish", lasting=f"t-{lasting.pk}", reason="")
    do(as_, "ana", three, "finish", lasting="", reason="the machine goes next week")
    assert [fresh(one).stage for one in (two, three)] == ["done", "done"]
    text = as_.ana.text(f"/tickets/{lasting.pk}/")
    assert "Restart 0" in text
    assert "Restart 1" in text


def test_an_epic_is_split_and_shows_how_far_it_is(world, as_):
    """DUT-12: parts one a line, with their points."""
    epic = write(world, "Move the data", kind="epic")
    do(as_, "ana", epic, "split", parts="Copy it (3)\n\nCheck it (2 points)\nSwitch")
    parts = list(epic.parts.order_by("id").values_list("title", "points"))
    assert parts == [("Copy it", 3), ("Check it", 2), ("Switch", None)]
    tickets.move(epic.parts.first().pk, "done", world.ana, world.now)
    text = as_.ana.text(f"/tickets/{epic.pk}/")
    assert "1 of 3 done, 3 of 5 points; 1 has no points yet" in text
    assert "2 of its parts, which are open" in text
    assert "1 of 3 parts done" in as_.ana.text(f"/tickets/{epic.parts.first().pk}/")


def test_links_are_written_as_people_say_them(world, as_):
    """SPN-03: T-34, from either side; what is not there is told at its field."""
    one, other = write(world, "One"), write(world, "Other")
    do(as_, "ana", one, "link", kind="blocks:in", target=f"T-{other.pk}")
    assert TicketLink.objects.filter(source=other, target=one, kind="blocks").exists()
    assert "waits for" in as_.ana.text(f"/tickets/{one.pk}/")
    for wrong in ("T-9999", "the other one"):
        response = do(as_, "ana", one, "link", kind="blocks", target=wrong)
        assert response.status_code == 409
        assert f'value="{wrong}"' in response.content.decode()


def test_a_link_is_taken_away_from_either_side(world, as_):
    """SPN-02: whoever linked the wrong ticket mends it where they see it."""
    one, other, third = write(world, "One"), write(world, "Other"), write(world, "Third")
    made = tickets.link(one.pk, other.pk, "blocks", world.ana, world.now)
    assert do(as_, "ben", third, "unlink", link=str(made.pk)).status_code == 409
    assert TicketLink.objects.exists()
    assert f'value="{made.pk}"' in as_.ben.get(f"/tickets/{other.pk}/").content.decode()
    assert do(as_, "ben", other, "unlink", link=str(made.pk)).status_code == 302
    assert not TicketLink.objects.exists()
    assert "took the link away" in as_.ana.text(f"/tickets/{one.pk}/")


def test_the_community_that_a_ticket_is_for_is_chosen_on_its_page(world, as_):
    """TRI-14: work is for somebody; one whose community was put away keeps it."""
    ticket = write(world)
    values = {"kind": "task", "labels": "", "community": ""}
    do(as_, "ana", ticket, "about", **values)
    research = communities.add_community(world.team, {"name": "Research"}, world.eva, world.now)
    do(as_, "ana", ticket, "about", **(values | {"community": str(research.pk)}))
    assert Ticket.objects.get(pk=ticket.pk).community == research
    communities.archive_community(research, world.eva, world.now)
    do(as_, "ana", ticket, "about", **(values | {"community": str(research.pk), "points": "3"}))
    kept = Ticket.objects.get(pk=ticket.pk)
    assert (kept.community, kept.points) == (research, 3)


def test_a_ticket_of_another_team_is_not_linked_from_here(world, as_):
    secret = Ticket.objects.create(
        team_id=world.charlie.memberships.get().team_id, title="Secret", stage_at=world.now, created_at=world.now,
        changed_at=world.now,
    )  # fmt: skip
    response = do(as_, "ana", write(world), "link", kind="blocks", target=f"T-{secret.pk}")
    assert "Secret" not in response.content.decode()
    assert not TicketLink.objects.exists()


def test_comments_time_and_stages_are_on_its_page(world, as_):
    """MET-01, TRI-02, HND-03."""
    ticket = write(world)
    do(as_, "ben", ticket, "comment", text="Looked at it: **three** keys")
    do(as_, "ben", ticket, "log", minutes="30")
    do(as_, "ben", ticket, "start")
    world.now += timedelta(hours=5)
    do(as_, "ben", ticket, "move", stage="in_progress")
    text = as_.ana.text(f"/tickets/{ticket.pk}/")
    assert "<strong>three</strong> keys" in text
    assert "30 min" in text
    assert "Ben’s clock runs since" in text
    assert "To do: 100 percent" in text
    do(as_, "ben", ticket, "stop")
    assert fresh(ticket).spent_seconds == (30 + 5 * 60) * 60


def test_a_tracking_ticket_gathers_each_time_it_happens(world, as_):
    """SPN-05."""
    ticket = write(world, "Logins fail at times", kind="tracking")
    do(as_, "ana", ticket, "happened", text="Five people, one minute", at="2026-03-02T10:00")
    do(as_, "ana", ticket, "watch", service=str(world.service.pk), key="login")
    text = as_.ana.text(f"/tickets/{ticket.pk}/")
    assert "It happened 1 time" in text
    assert "“login”" in text
    later = do(as_, "ana", ticket, "happened", text="x", at="2027-01-01T10:00")
    assert "this time is in the future" in later.content.decode().lower()


def test_ending_without_doing_it_says_why(world, as_):
    ticket = write(world)
    do(as_, "ana", ticket, "end", outcome="wont_do", text="The vendor did it")
    assert (fresh(ticket).stage, fresh(ticket).outcome) == ("done", "wont_do")
    assert "The vendor did it" in as_.ana.text(f"/tickets/{ticket.pk}/")


@pytest.mark.parametrize("query", ["", "?title=From%20here&kind=epic"])
def test_a_ticket_is_written_from_nothing(world, as_, query):
    page = as_.ana.text(f"/tickets/new/{query}")
    assert ("From here" in page) == bool(query)
    values = {"title": "Tidy up", "kind": "task", "work": "feature", "labels": "wiki", "who": "seat:engineer"}
    response = as_.ana.post("/tickets/new/", {**values, "points": "1", "due_on": "2026-04-01"})
    made = Ticket.objects.get()
    assert response.url == f"/tickets/{made.pk}/"
    assert (made.labels, made.seat, made.points, made.work_kind) == (["feature", "wiki"], "engineer", 1, "feature")


def test_a_ticket_is_for_a_community_where_the_team_has_some(world, as_):
    """TRI-14: what is done for one is counted for it, also when nobody asked."""
    assert "For which community" not in as_.ana.text("/tickets/new/")
    geology = communities.add_community(world.team, {"name": "Geology"}, world.eva, world.now)
    assert "For which community" in as_.ana.text("/tickets/new/")
    as_.ana.post("/tickets/new/", {"title": "Tidy up", "kind": "task", "community": str(geology.pk)})
    assert Ticket.objects.get().community == geology


def test_wrong_input_keeps_what_was_typed_and_writes_nothing(world, as_):
    response = as_.ana.post("/tickets/new/", {"title": "Tidy up", "kind": "task", "epic": "T-77", "text": "long words"})
    text = response.content.decode()
    assert "There is no T-77" in text
    assert "long words" in text
    assert not Ticket.objects.exists()


def test_a_ticket_is_written_from_an_alert_and_joined_to_it(world, as_):
    """SPN-06, PAG-04."""
    world.event()
    world.work()
    group = world.group()
    assert 'value="Disk full on db1"' in as_.ana.text(f"/tickets/new/?alert={group.pk}")
    values = {"title": "Clear the disk", "kind": "quick_fix", "who": f"person:{world.ana.pk}", "epic": "nonsense"}
    assert as_.ana.post(f"/tickets/new/?alert={group.pk}", values).status_code == 200
    assert not Ticket.objects.exists()
    as_.ana.post(f"/tickets/new/?alert={group.pk}", {**values, "epic": ""})
    made = Ticket.objects.get()
    assert (made.kind, made.assignee, made.stage) == ("quick_fix", world.ana, "to_do")
    assert Event.objects.filter(subject_kind="ticket", subject_id=made.pk, data__group=group.pk).exists()
    assert "Disk full on db1" in as_.ana.text(f"/tickets/{made.pk}/")


def ask(world: World) -> SupportRequest:
    return support.open_request(world.team, Asker("Ria", "ria@example.net"), Asked("It is slow", "Daily."), world.now)


def test_a_ticket_is_written_from_a_request_with_its_conversation(world, as_):
    """TRI-04, TRI-05."""
    asked = ask(world)
    as_.ana.post(f"/tickets/new/?request={asked.pk}", {"title": "Mend the query", "kind": "request"})
    made = Ticket.objects.get()
    assert made.request == asked
    assert f'It came from <a href="/requests/{asked.pk}/">' in as_.ana.text(f"/tickets/{made.pk}/")


def test_observers_read_and_strangers_see_nothing(world, as_):
    ticket = write(world, "Secret work")
    text = as_.olga.text(f"/tickets/{ticket.pk}/")
    assert "Secret work" in text
    assert f"/tickets/{ticket.pk}/comment/" not in text
    assert do(as_, "olga", ticket, "move", stage="done").status_code == 403
    for path in (f"/tickets/{ticket.pk}/", "/tickets/999000999/"):
        assert as_.charlie.get(path).status_code == 404
    assert do(as_, "charlie", ticket, "take").status_code == 404
    assert as_.charlie.get("/tickets/new/?team=platform").status_code == 403
    assert as_.olga.get("/tickets/new/").status_code == 403
    world.event()
    world.work()
    assert as_.charlie.get(f"/tickets/new/?alert={world.group().pk}").status_code == 404
    assert as_.charlie.get(f"/tickets/new/?request={ask(world).pk}").status_code == 404
    assert do(as_, "ana", ticket, "nonsense").status_code == 404


def test_a_sprint_is_chosen_on_its_page(world, as_):
    """BKL-04."""
    days = {"starts_on": world.now.date(), "ends_on": world.now.date() + timedelta(days=13)}
    sprint = sprints.add_sprint(world.team, {"name": "March", **days}, world.ana, world.now)
    ticket = write(world)
    do(as_, "ana", ticket, "sprint", sprint=str(sprint.pk))
    assert fresh(ticket).sprint == sprint
    assert f'href="/sprints/{sprint.pk}/"' in as_.ana.text(f"/tickets/{ticket.pk}/")
