"""Sprints, grooming and "what do I do now?" in the browser."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.doors.web_world import Cast
from tests.world import World
from watchbill.actions import sprints, ticket_pairs, tickets
from watchbill.actions.tickets import Written
from watchbill.core.workload import Bucket, Split
from watchbill.db.models import Sprint, Ticket
from watchbill.entry.web.work_chart import draw

TODAY = date(2026, 3, 3)


@pytest.fixture
def as_(world):
    return Cast(world)


def write(world: World, title: str = "Rotate the keys", **more: object) -> Ticket:
    return tickets.add_ticket(world.team, Written(title, **more), world.ana, world.now)  # type: ignore[arg-type]


def plan(world: World, name: str = "March", starts: int = 0, **more: object) -> Sprint:
    days = {"starts_on": TODAY + timedelta(days=starts), "ends_on": TODAY + timedelta(days=starts + 13)}
    return sprints.add_sprint(world.team, {"name": name, **days, **more}, world.ana, world.now)


def test_a_sprint_is_planned_begun_and_closed_in_the_browser(world, as_):
    """BKL-04, BKL-07."""
    values = {"name": "April", "kind": "ops", "starts_on": "2026-03-10", "ends_on": "2026-04-06", "ops_share": "30"}
    response = as_.ana.post("/sprints/new/", values)
    sprint = Sprint.objects.get()
    assert response.url == f"/sprints/{sprint.pk}/"
    as_.ana.post(f"/sprints/{sprint.pk}/start/")
    assert "runs until Monday 6 April" in as_.ana.text("/sprints/")
    done, left = write(world, sprint=sprint, points=2), write(world, "Left", sprint=sprint)
    tickets.move(done.pk, "done", world.ana, world.now)
    following = plan(world, "May", 60, kind="ops")
    as_.ana.post(f"/sprints/{sprint.pk}/close/", {"next": following.pk})
    assert Ticket.objects.get(pk=left.pk).sprint == following
    assert "Closed" in as_.ana.text(f"/sprints/{sprint.pk}/")


def test_wrong_days_are_told_at_their_field_and_nothing_typed_is_lost(world, as_):
    plan(world)
    for values, said in (
        ({"starts_on": "2026-03-10", "ends_on": "2026-03-01"}, "It ends on or after the day it starts"),
        ({"starts_on": "2026-03-05", "ends_on": "2026-03-20"}, "March runs from"),
    ):
        text = as_.ana.post("/sprints/new/", {"name": "Mine own", "kind": "team", **values}).content.decode()
        assert said in text
        assert 'value="Mine own"' in text
    assert Sprint.objects.count() == 1


def test_a_sprint_shows_what_operations_were_promised_and_what_they_got(world, as_):
    """BKL-04."""
    sprint = plan(world, ops_share=40)
    for labels, points in ((("operations",), 1), (("feature",), 3)):
        done = write(world, sprint=sprint, labels=labels, points=points)
        tickets.move(done.pk, "done", world.ana, world.now)
    world.now += timedelta(hours=1)
    text = as_.ana.text(f"/sprints/{sprint.pk}/")
    assert "40 %" in text
    assert "25 %" in text
    assert "1 of 4 points, 1 of 2 tickets" in text


def test_the_chart_has_its_numbers_as_a_table_over_any_time(world, as_):
    """BKL-10, MET-03."""
    tickets.move(write(world, labels=("feature",)).pk, "done", world.ana, world.now)
    world.now += timedelta(hours=1)
    text = as_.ana.text("/sprints/?since=2026-02-02&until=2026-03-08&bucket=week")
    assert text.count('<rect class="operations" x=') == 5
    assert '<th scope="row">2 March</th><td>0</td><td>1</td><td>0 %</td>' in text
    assert '<th scope="row">March 2026</th>' in as_.ana.text("/sprints/?bucket=month&measure=points")
    assert "choose a shorter time" in as_.ana.text("/sprints/?since=1990-01-01&until=2026-01-01")


@pytest.mark.parametrize("address", ["since=x&until=y", "since=2026-03-09&until=2026-03-01", "until=9999-12-31",
                                     "bucket=odd&measure=odd", "since=0001-01-01", "until=0001-01-01"])  # fmt: skip
def test_an_odd_window_is_no_error(world, as_, address):
    assert as_.ana.get(f"/sprints/?{address}").status_code == 200


def test_bars_stand_on_the_floor_and_fill_the_height():
    week = timedelta(days=7)
    buckets = [
        Bucket(TODAY + n * week, TODAY + (n + 1) * week, f"{n}", Split(feature=n, operations=2 * n)) for n in range(5)
    ]
    chart = draw(buckets, "tickets", 50)
    last = chart.bars[-1]
    assert last.operations_y + last.operations_height == pytest.approx(chart.floor, abs=0.2)
    assert last.feature_y + last.feature_height == pytest.approx(last.operations_y, abs=0.2)
    assert all(chart.left <= bar.x and bar.x + bar.width <= chart.right for bar in chart.bars)
    assert all(bar.feature_y >= 0 for bar in chart.bars)
    assert (chart.total.operations, chart.total.feature, chart.total.share) == ("20", "10", 67)


def test_epics_are_shown_before_they_burn(world, as_):
    """BKL-05."""
    write(world, "Move the database", kind="epic", more={"due_on": TODAY + timedelta(days=3)}, points=8)
    text = as_.ana.text("/sprints/")
    assert "Move the database" in text
    assert "3 days left" in text


def test_grooming_has_two_sections_with_the_context_beside_each_lasting_fix(world, as_):
    """BKL-02, SPN-03."""
    fix = write(world, "Restart it", kind="quick_fix")
    tickets.comment(fix.pk, "It leaks after nine days", world.ben, world.now)
    ticket_pairs.close_quick_fix(fix.pk, world.ana, world.now, lasting=Written("Mend the leak", kind="lasting_fix"))
    write(world, "New page", labels=("feature",))
    text = as_.ana.text("/grooming/")
    topic = text.partition("Mend the leak")[2]
    assert "It leaks after nine days" in topic
    assert "New page" not in text
    assert "New page" in as_.ana.text("/grooming/?section=feature")


def test_a_decision_is_carried_out_and_told_the_next_time(world, as_):
    """BKL-03: plan, later, drop, split."""
    sprint = plan(world)
    planned, later, dropped, cut = (write(world, f"Ticket {n}") for n in range(4))
    as_.ana.post(f"/grooming/{planned.pk}/", {"decision": "plan", "sprint": sprint.pk, "points": "2"})
    as_.ana.post(f"/grooming/{later.pk}/", {"decision": "later", "until": "2026-03-10", "note": "after the audit"})
    as_.ana.post(f"/grooming/{dropped.pk}/", {"decision": "drop", "note": "nobody asks any more"})
    as_.ana.post(f"/grooming/{cut.pk}/", {"decision": "split", "parts": "One (1)\nTwo"})
    rows = {row.pk: row for row in Ticket.objects.all()}
    assert (rows[planned.pk].sprint, rows[planned.pk].points) == (sprint, 2)
    assert rows[dropped.pk].outcome == "wont_do"
    assert rows[cut.pk].kind == "epic"
    text = as_.ana.text("/grooming/")
    assert f'id="topic-{later.pk}"' not in text
    world.now += timedelta(days=8)
    assert "after the audit" in as_.ana.text("/grooming/")


def test_a_decision_that_says_too_little_keeps_what_was_typed(world, as_):
    ticket = write(world)
    response = as_.ana.post(f"/grooming/{ticket.pk}/", {"decision": "drop", "parts": "kept words"})
    assert response.status_code == 409
    assert "Say why it is dropped" in response.content.decode()
    assert "kept words" in response.content.decode()
    assert as_.ana.post(f"/grooming/{ticket.pk}/", {"decision": "odd"}).status_code == 409


def test_unpaired_quick_fixes_age_in_the_open(world, as_):
    """SPN-04."""
    write(world, "Restart it", kind="quick_fix")
    world.now += timedelta(days=20)
    assert "Quick fixes without their lasting fix: 1 is old" in as_.ana.text("/grooming/")


def test_what_now_offers_the_next_thing_in_the_teams_order(world, as_):
    """DUT-11, HND-09: what belongs to the seat comes to whoever stands there."""
    write(world, "Of the watch", seat="engineer")
    write(world, "Backlog", labels=("operations",))
    text = as_.ana.text("/next/")
    assert "Of the watch is next." in text
    assert "You stand the watch as engineer." in text
    assert "Backlog" in text


def test_what_burns_comes_first(world, as_):
    """DUT-11."""
    write(world, "Of the watch", seat="engineer")
    world.event()
    world.work()
    text = as_.ana.text("/next/")
    assert "Disk full on db1 comes first." in text


def test_an_investigation_of_ones_own_is_ticket_label_and_sprint_at_once(world, as_):
    """DUT-14."""
    text = as_.ana.text("/next/")
    assert "in a new sprint of operations" in text
    response = as_.ana.post("/next/", {"title": "Why is it slow on Mondays?", "why": "A graph"}, follow=True)
    made = Ticket.objects.get()
    assert made.kind == "investigation"
    assert made.sprint is not None
    assert made.work_kind == "operations"
    assert "in progress, in Operations from 3 March 2026" in response.content.decode()
    refused = as_.ana.post("/next/", {"title": "", "why": "kept words"})
    assert refused.status_code == 409
    assert "kept words" in refused.content.decode()


def test_observers_read_and_strangers_see_nothing(world, as_):
    sprint, ticket = plan(world, "Secret sprint"), write(world, "Secret work")
    assert as_.olga.get("/next/").status_code == 403
    for path in ("/sprints/", f"/sprints/{sprint.pk}/", "/grooming/"):
        assert as_.olga.get(path).status_code == 200, path
        assert "Secret" not in as_.charlie.get(path).content.decode(), path
    assert "Secret work" in as_.olga.text("/grooming/")
    assert 'name="decision"' not in as_.olga.text("/grooming/")
    assert as_.charlie.get(f"/sprints/{sprint.pk}/").status_code == 404
    for path in ("/sprints/?team=platform", "/grooming/?team=platform", "/next/?team=platform"):
        assert as_.charlie.get(path).status_code == 403, path
    assert as_.charlie.post(f"/grooming/{ticket.pk}/", {"decision": "drop", "note": "x"}).status_code == 404
    for path in ("/sprints/new/", "/next/", f"/sprints/{sprint.pk}/start/", f"/grooming/{ticket.pk}/"):
        assert as_.olga.post(path, {"title": "x", "decision": "drop", "note": "x"}).status_code == 403, path
