"""The board in the browser: columns in the team's order, moved and taken without a mouse, the same few questions always."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.doors.web_world import Cast
from tests.world import World
from watchbill.actions import tickets
from watchbill.actions.tickets import Written
from watchbill.db.models import Ticket
from watchbill.db.screens import board as screen


@pytest.fixture
def as_(world):
    return Cast(world)


def write(world: World, title: str = "Rotate the keys", **more: object) -> Ticket:
    return tickets.add_ticket(world.team, Written(title, **more), world.ana, world.now)  # type: ignore[arg-type]


def stage_of(ticket: Ticket) -> str:
    return Ticket.objects.get(pk=ticket.pk).stage


def lane(text: str, stage: str) -> str:
    """The part of the page that is one column."""
    return text.split(f'data-stage="{stage}"')[1].split("</section>", maxsplit=1)[0]


def test_each_stage_is_a_column_in_the_teams_order(world, as_):
    """PRI-01, PRI-10: what the team's list puts first stands first, under its level's name."""
    write(world, "Tidy the wiki")
    write(world, "Close the hole", labels=("security",))
    begun = write(world, "Being done")
    tickets.move(begun.pk, "in_progress", world.ana, world.now)
    text = as_.ana.text("/board/")
    to_do = lane(text, "to_do")
    assert to_do.index("Close the hole") < to_do.index("Operations backlog") < to_do.index("Tidy the wiki")
    assert "Being done" in lane(text, "in_progress")
    assert "Being done" not in to_do


def test_a_card_says_whose_it_is_and_the_watch_by_name(world, as_):
    """HND-09: what is the seat's is shown with whoever stands there now."""
    write(world, seat="engineer")
    write(world, "Mine", assignee=world.ben, points=2)
    assert "The watch: Ana" in as_.eva.text("/board/")
    assert "2 points" in as_.eva.text("/board/")
    assert "The watch: Ben" in (forward(world, days=7), as_.eva.text("/board/"))[1]
    assert "You · " in as_.ben.text("/board/")


def forward(world: World, **by: float) -> None:
    world.now += timedelta(**by)


def test_a_card_is_moved_and_taken_by_its_buttons(world, as_):
    """MET-01: the board moves tickets through their stages."""
    ticket = write(world)
    response = as_.ben.post("/board/move/", {"move": f"{ticket.pk}:in_progress", "next": "/board/?by=mine"})
    assert (response.status_code, response.url) == (302, "/board/?by=mine")
    assert stage_of(ticket) == "in_progress"
    as_.ben.post("/board/move/", {"take": ticket.pk})
    assert Ticket.objects.get(pk=ticket.pk).assignee == world.ben


def test_what_cannot_be_moved_stays_and_says_what_it_lacks(world, as_):
    """SPN-01: a quick fix is not done on the board without its other half."""
    ticket = write(world, "Restart it", kind="quick_fix")
    response = as_.ana.post("/board/move/", {"move": f"{ticket.pk}:done", "next": "/board/"}, follow=True)
    assert "its lasting fix as a ticket, or the reason why there is none" in response.content.decode()
    assert stage_of(ticket) == "to_do"


@pytest.mark.parametrize("sent", ["1:gone", "x:done", "", "999999:done", "1"])
def test_an_odd_move_is_no_error_of_ours(world, as_, sent):
    write(world)
    assert as_.ana.post("/board/move/", {"move": sent}).status_code == 302


def test_work_that_lies_says_so(world, as_):
    """BKL-08: a card that nobody touched carries its mark, in a personal lane and not in the queue."""
    tickets.move(write(world, "Lies").pk, "in_progress", world.ana, world.now)
    write(world, "Queue")
    forward(world, days=6)
    text = as_.ana.text("/board/")
    assert "untouched for 6 days" in lane(text, "in_progress")
    assert "Stale" not in lane(text, "to_do")


def test_the_board_is_narrowed_by_whose_what_and_a_query(world, as_):
    """BKL-01: by person, the watch, service, kind of work, and the query language."""
    write(world, "Of Ben", assignee=world.ben)
    write(world, "Of the watch", seat="engineer", service=world.service)
    write(world, "A feature", labels=("feature",))
    titles = ("Of Ben", "Of the watch", "A feature")
    for query, left in (
        ("by=mine", {"Of the watch"}),
        (f"by=person:{world.ben.pk}", {"Of Ben"}),
        ("by=seat:engineer", {"Of the watch"}),
        ("by=nobody", {"A feature"}),
        ("service=checkout", {"Of the watch"}),
        ("work=feature", {"A feature"}),
        ('q=title ~ "ben"', {"Of Ben"}),
        ("by=odd&sprint=x&service=none", set(titles)),
    ):
        text = as_.ana.text(f"/board/?{query}")
        assert {title for title in titles if f">{title}</a>" in text} == left, query


def test_a_query_that_cannot_be_read_says_where_and_is_kept(world, as_):
    text = as_.ana.text("/board/?q=stage %3D%3D done")
    assert "at character" in text
    assert 'value="stage == done"' in text


def test_done_shows_the_last_two_weeks_and_how_it_ended(world, as_):
    old, new = write(world, "Old one"), write(world, "New one")
    tickets.move(old.pk, "done", world.ana, world.now)
    forward(world, days=15)
    tickets.move(new.pk, "done", world.ana, world.now, outcome="wont_do")
    done = lane(as_.ana.text("/board/"), "done")
    assert "New one" in done
    assert "Not done" in done
    assert "Old one" not in done


def test_a_column_that_is_too_long_says_so(world):
    for n in range(4):
        write(world, f"Card {n}")
    found = screen.read_board(world.team, world.ana, screen.BoardFilters(), lambda rows: rows, world.now, 3)
    assert [len(found[0].cards), found[0].more] == [3, True]


def test_observers_read_and_strangers_see_nothing(world, as_):
    ticket = write(world, "Secret work")
    text = as_.olga.text("/board/")
    assert "Secret work" in text
    assert 'name="move"' not in text
    assert as_.olga.post("/board/move/", {"move": f"{ticket.pk}:done"}).status_code == 403
    assert "Secret work" not in as_.charlie.text("/board/")
    assert as_.charlie.get("/board/?team=platform").status_code == 403
    assert as_.charlie.post("/board/move/", {"take": ticket.pk}).status_code == 403
    assert as_.nobody.get("/board/").status_code == 302


def test_a_full_board_asks_the_database_no_more_than_an_empty_one(world, as_):
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            as_.ana.text("/board/")
        return len(asked)

    questions()
    empty = questions()
    for n in range(30):
        write(world, f"Card {n}", assignee=world.ana if n % 2 else None, seat="" if n % 2 else "engineer")
    assert questions() == empty


def test_a_card_is_placed_between_two_of_its_level(world, as_):
    """PRI-06: within a level a person may choose the place."""
    cards = [write(world, f"Card {n}") for n in range(3)]
    as_.ana.post("/board/place/", {"ticket": cards[2].pk, "before": "", "after": cards[0].pk})
    to_do = lane(as_.ana.text("/board/"), "to_do")
    assert to_do.index("Card 2") < to_do.index("Card 0") < to_do.index("Card 1")


def test_titles_of_people_are_no_html(world, as_):
    write(world, '<script>alert("x")</script>')
    assert "<script>alert" not in as_.ana.text("/board/")
