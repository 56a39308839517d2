"""Lists of the desk over a long past: in the order of an index, and the newest of what holds some words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from tests.world import World
from watchbill.actions import communities, epics, support, tickets
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.core import queries
from watchbill.db import expert_facts, ticket_facts
from watchbill.db.by_key import page_of
from watchbill.db.models import SupportRequest, Ticket
from watchbill.db.queries import TICKETS, Reader, keys_of, narrow
from watchbill.db.screens import requests as screen
from watchbill.db.screens import tickets as ticket_screen
from watchbill.kit.spans import Span

pytestmark = pytest.mark.django_db(transaction=True)


def make_tickets(world: World, count: int) -> list[int]:
    words = ("Disk full", "Full moon of the disks", "Nothing", "disk FULL again")
    return [
        tickets.add_ticket(world.team, Written(f"{words[n % 4]} {n}", "text"), world.ana, world.now).pk
        for n in range(count)
    ]


def read_on(world: World, text: str, reader: Reader) -> list[int]:
    """Read a list to its end, three rows at a time."""
    query, mark, found = TICKETS.read(text), "", list[int]()
    while True:
        rows = narrow(Ticket.objects.filter(team=world.team), query, TICKETS, reader, newest_first=True)
        part, mark = page_of(rows, keys_of(query, TICKETS, ()), mark, 3)
        found += [ticket.pk for ticket in part]
        if not mark:
            return found


@pytest.mark.parametrize("text", ["full", "disk ful", "the moon", "nowhere", " ,;", "full "])
def test_the_newest_that_hold_the_words_are_those_of_the_whole_search(world: World, text: str) -> None:
    """BKL-10: read in the index's order or gathered first, the same tickets are found, each once, the newest first."""
    make_tickets(world, 20)
    reader = Reader(world.ana.pk, "UTC", world.now)
    for asked in (f'text ~ "{text}"', f'text ~ "{text}" and title ~ full and stage != done'):
        gathered = narrow(Ticket.objects.filter(team=world.team), TICKETS.read(asked), TICKETS, reader)
        expected = sorted(gathered.values_list("pk", flat=True), reverse=True)
        assert read_on(world, asked, reader) == expected
        of_team = Reader(world.ana.pk, "UTC", world.now, teams=(world.team.pk,))
        assert read_on(world, asked, of_team) == expected
    nobodys = Reader(world.ana.pk, "UTC", world.now, teams=())
    assert read_on(world, f'text ~ "{text}"', nobodys) == []


def plan_of(rows: QuerySet[Any]) -> str:
    """Ask the database how it would read; PostgreSQL as if the table were long."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                for way in ("seqscan", "bitmapscan", "sort"):
                    cursor.execute(f"SET LOCAL enable_{way} = off")
        return rows.explain()


@pytest.mark.parametrize(("tab", "index"), [("open", "ticket_open"), ("done", "ticket_done")])
def test_a_tab_of_the_list_is_one_index(world: World, tab: str, index: str) -> None:
    rows = ticket_screen.tickets_of(world.team, world.ana, tab, world.now)
    key = ticket_screen.OTHERWISE[tab]
    plan = plan_of(rows.order_by(*[f"{'-' if one.descending else ''}{one.column}" for one in key])[:50])
    assert index in plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("stage = done and points > 3 order by done desc", "ticket_done"),
        ("order by changed desc", "ticket_changed"),
        ("created > -30d order by created", "ticket_created"),
        ("stage != done order by priority", "ticket_open"),
        ("due < today order by due", "ticket_due"),
    ],
)
def test_what_is_often_asked_is_one_index(world: World, text: str, index: str) -> None:
    """BKL-09: a filter over a million tickets does not walk them."""
    query = TICKETS.read(text)
    rows = narrow(Ticket.objects.filter(team=world.team), query, TICKETS, Reader(world.ana.pk, "UTC", world.now))
    key = keys_of(query, TICKETS, ())[0]
    filled = rows.filter(**{f"{key.column}__isnull": False})
    assert index in plan_of(filled.order_by(f"{'-' if key.descending else ''}{key.column}")[:50])


def test_open_requests_are_found_among_the_open_ones(world: World) -> None:
    rows = SupportRequest.objects.filter(team__in=[world.team.pk], state="open")
    assert "request_open" in plan_of(rows.exclude(waiting_on="us")[:99])


def found(world: World, text: str) -> list[str]:
    rows = screen.list_requests(world.ana, [world.team.pk], screen.Filters(tab="all", text=text), "")
    return [row.title for row in rows]


def test_a_request_of_the_past_is_found_by_its_words_its_component_and_whoever_asked(world: World) -> None:
    """TRI-01: also by what was answered; a requester who is renamed is found by the new name alone."""
    otto = support.open_request(
        world.team, Asker("Otto Maier", "otto@example.net"), Asked("The door", component="lock"), world.now
    )
    support.open_request(world.team, Asker("Ria", "ria@example.net"), Asked("Printer on floor 3"), world.now)
    support.answer(otto.pk, "Turn the walrus.", world.ana, world.now)
    for text in ("door", "walrus", "lock", "otto", "otto door", "otto@example.net", "Maie", f"R-{otto.pk}"):
        assert found(world, text) == ["The door"], text
    assert found(world, "nobody") == found(world, "ria door") == []
    assert found(world, "example") == ["Printer on floor 3", "The door"]
    new = {"name": "Berta", "email": "berta@example.org"}
    communities.change_requester(otto.requester, new, world.ana, world.now)
    assert found(world, "berta walrus") == found(world, "berta@example.org") == ["The door"]
    assert found(world, "otto@example.net") == []


def test_the_pace_of_very_many_tickets_is_that_of_the_newest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(6):
        ticket = tickets.add_ticket(world.team, Written(f"T {n}", points=2), world.ana, world.now)
        tickets.move(ticket.pk, "done", world.ana, world.now + timedelta(days=n))
    end = world.now + timedelta(days=7)
    assert epics.points_per_week(world.team, end) == 2.0
    monkeypatch.setattr(ticket_facts, "MOST_MEASURED", 5)
    # Five tickets of two points, the first of them six days ago.
    assert epics.points_per_week(world.team, end) == pytest.approx(10 * 7 / 6)


def test_what_lies_in_two_spans_is_counted_in_the_first(world: World) -> None:
    day = timedelta(days=1)
    start = world.now
    spans = [Span(start, start + 3 * day), Span(start + day, start + 2 * day), Span(start + 2 * day, start + 5 * day)]
    cut = ticket_facts.apart(spans)
    assert [one.length for one in cut] == [3 * day, timedelta(0), 2 * day]
    assert cut[2].start == start + 3 * day


def test_whoever_dealt_with_a_service_is_read_from_the_newest_of_it(world: World) -> None:
    for n, person in enumerate((world.ana, world.ben, None)):
        made = Written(f"T {n}", service=world.service, assignee=person)
        tickets.move(tickets.add_ticket(world.team, made, world.ana, world.now).pk, "done", world.ana, world.now)
    touched = expert_facts.touches(world.service, world.now - timedelta(days=1))
    assert set(touched) == {world.ana.pk, world.ben.pk}
    assert expert_facts.touches(world.service, world.now + timedelta(days=1)) == {}


def test_a_query_that_negates_reads_no_list_of_all_others(world: World) -> None:
    """BKL-09: "not done" is a condition on the row, not a list of a million that are."""
    rows = narrow(
        Ticket.objects.all(), queries.read_query("stage != done", TICKETS.fields, TICKETS.aliases), TICKETS,
        Reader(world.ana.pk, "UTC", world.now),
    )  # fmt: skip
    assert str(rows.query).count("SELECT") == 1
