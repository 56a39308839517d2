"""The list of tickets in the browser: asked for, sorted, paged by key, changed many at once, kept under a name, fed."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from xml.etree import ElementTree as Xml

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.doors.web_world import Cast
from tests.world import World
from watchbill.actions import filters, support, tickets
from watchbill.actions.asked import Asked
from watchbill.actions.requesters import Asker
from watchbill.actions.tickets import Written
from watchbill.db.models import SavedFilter, Ticket
from watchbill.db.screens import tickets as screen

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def as_(world):
    return Cast(world)


def write(world: World, title: str = "Rotate the keys", **more: object) -> Ticket:
    return tickets.add_ticket(world.team, Written(title, **more), world.ana, world.now)  # type: ignore[arg-type]


def titles(text: str) -> list[str]:
    """The titles of the rows, in order."""
    return [part.split("</a>")[0].rpartition(">")[2] for part in text.split('<a class="what"')[1:]]


def test_the_list_answers_a_query_in_the_address(world, as_):
    """BKL-09: the query language, in an address that can be sent to somebody."""
    write(world, "Disk", labels=("toil",), points=1)
    write(world, "Keys", points=3)
    assert titles(as_.ana.text("/tickets/?q=label = toil")) == ["Disk"]
    assert titles(as_.ana.text("/tickets/?q=points >= 1 order by points desc")) == ["Keys", "Disk"]
    assert "No ticket is like that." in as_.ana.text('/tickets/?q=title ~ "zebra"')


def test_a_query_that_cannot_be_read_says_where_and_is_kept(world, as_):
    text = as_.ana.text("/tickets/?q=points >>> 3")
    assert "at character" in text
    assert 'value="points &gt;&gt;&gt; 3"' in text
    assert "there is no field" in as_.ana.text("/tickets/?q=colour = red").lower()


def test_tabs_show_what_is_open_mine_done_and_all(world, as_):
    """HND-09: mine is also what the seat has in which I stand."""
    write(world, "Of the watch", seat="engineer")
    done = write(world, "Done one", assignee=world.ana)
    tickets.move(done.pk, "done", world.ana, world.now)
    write(world, "Of Ben", assignee=world.ben)
    assert set(titles(as_.ana.text("/tickets/"))) == {"Of the watch", "Of Ben"}
    assert titles(as_.ana.text("/tickets/?show=mine")) == ["Of the watch"]
    assert titles(as_.ana.text("/tickets/?show=done")) == ["Done one"]
    assert len(titles(as_.ana.text("/tickets/?show=all"))) == 3


def test_a_head_sorts_and_turns(world, as_):
    write(world, "B", points=2)
    write(world, "A", points=5)
    write(world, "C")
    assert titles(as_.ana.text("/tickets/?sort=title")) == ["A", "B", "C"]
    assert titles(as_.ana.text("/tickets/?sort=-points")) == ["A", "B", "C"]
    text = as_.ana.text("/tickets/?sort=points")
    assert 'aria-sort="ascending"' in text
    assert "sort=-points" in text


@pytest.mark.parametrize("address", ["show=odd", "sort=labels", "sort=none", "filter=x", "filter=99", "columns=odd"])
def test_an_odd_address_is_no_error(world, as_, address):
    write(world)
    assert titles(as_.ana.text(f"/tickets/?{address}")) == ["Rotate the keys"]


def test_columns_are_chosen(world, as_):
    write(world, labels=("toil",))
    assert "Labels</th>" not in as_.ana.text("/tickets/")
    text = as_.ana.text("/tickets/?columns=labels&columns=due")
    assert "Labels</th>" in text
    assert ">Points</a>" not in text


def test_a_long_list_goes_on_by_key(world, as_, monkeypatch):
    monkeypatch.setattr(screen, "ROWS", 3)
    for n in range(7):
        write(world, f"Card {n}", points=n % 2)
    for address in ("", "q=order by points", "show=all", "sort=-changed"):
        seen, query = [], address
        while query is not None:
            text = as_.ana.text(f"/tickets/?{query}")
            seen += titles(text)
            more = text.partition('" rel="next">More')[0].rpartition('href="?')
            query = more[2].replace("&amp;", "&") if 'rel="next">More' in text else None
        assert sorted(seen) == [f"Card {n}" for n in range(7)], address
    assert "begin at its first page" in as_.ana.text("/tickets/?after=nonsense")


def test_many_are_changed_at_once_and_refusals_are_told(world, as_):
    """SPN-01: one that may not stays as it is, with why, and stops nothing."""
    fix, task, other = write(world, "Fix", kind="quick_fix"), write(world, "Task"), write(world, "Other")
    sent = {"ticket": [fix.pk, task.pk, other.pk], "stage": "done", "next": "/tickets/?show=all"}
    text = as_.ana.post("/tickets/change/", sent, follow=True).content.decode()
    assert "2 tickets changed." in text
    assert f"T-{fix.pk} stays as it is: before it is done it lacks" in text
    assert {one.stage for one in Ticket.objects.filter(pk__in=[task.pk, other.pk])} == {"done"}


def test_labels_are_added_and_taken_whose_and_points_set(world, as_):
    one, two = write(world, labels=("a", "b")), write(world)
    sent = {"ticket": [one.pk, two.pk], "add": "c", "take": "a", "points": "2", "who": "seat:engineer"}
    as_.ana.post("/tickets/change/", sent)
    after = {row.pk: (row.labels, row.points, row.seat) for row in Ticket.objects.all()}
    assert after == {one.pk: (["b", "c"], 2, "engineer"), two.pk: (["c"], 2, "engineer")}
    as_.ana.post("/tickets/change/", {"ticket": one.pk, "who": "nobody"})
    assert Ticket.objects.get(pk=one.pk).seat == ""
    assert as_.ana.post("/tickets/change/", {"ticket": one.pk}).status_code == 409
    assert "Nothing was ticked." in as_.ana.post("/tickets/change/", {}, follow=True).content.decode()


def test_observers_and_strangers_change_nothing_in_bulk(world, as_):
    ticket = write(world, "Secret work")
    said = as_.olga.post("/tickets/change/", {"ticket": ticket.pk, "stage": "done"}, follow=True).content.decode()
    assert "you need to be a member" in said
    as_.charlie.post("/tickets/change/", {"ticket": ticket.pk, "stage": "done"})
    assert Ticket.objects.get().stage == "to_do"
    assert "Secret work" not in as_.charlie.text("/tickets/?show=all")
    assert as_.charlie.get("/tickets/?team=platform").status_code == 403
    assert 'action="/tickets/change/"' in as_.olga.text("/tickets/")
    assert 'name="ticket"' not in as_.olga.text("/tickets/")


def test_the_list_is_taken_as_csv_whole_and_harmless(world, as_, monkeypatch):
    monkeypatch.setattr(screen, "ROWS", 2)
    for n in range(5):
        write(world, f"=cmd {n}", labels=("toil",), more={"due_on": date(2026, 4, 1)})
    response = as_.ana.get("/tickets/?q=label = toil order by id&format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert [row["title"] for row in rows] == [f"'=cmd {n}" for n in range(5)]
    assert (rows[0]["due"], rows[0]["labels"]) == ("2026-04-01", "toil")


def test_a_full_list_asks_the_database_no_more_than_a_short_one(world, as_):
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            as_.ana.text("/tickets/")
        return len(asked)

    write(world, service=world.service)
    questions()
    short = questions()
    for n in range(30):
        write(world, f"Card {n}", assignee=world.ana if n % 2 else None, seat="" if n % 2 else "engineer")
    assert questions() == short


def kept(world: World, name: str = "Toil", query: str = "label = toil", **more: bool) -> SavedFilter:
    return filters.save_filter(world.team, world.ana, name, query, world.now, **more)


def test_a_query_is_kept_under_a_name_and_shared(world, as_):
    write(world, "Disk", labels=("toil",))
    write(world, "Keys")
    response = as_.ana.post("/tickets/filters/", {"team": "platform", "q": "label = toil", "name": "Toil"})
    found = SavedFilter.objects.get()
    assert titles(as_.ana.text(response.url)) == ["Disk"]
    assert "Toil" not in as_.ben.text("/tickets/")
    as_.ana.post(f"/tickets/filters/{found.pk}/", {"name": "Our toil", "q": "label = toil", "is_shared": "on"})
    assert "Our toil" in as_.ben.text("/tickets/")
    assert titles(as_.ben.text(f"/tickets/?filter={found.pk}")) == ["Disk"]


def test_a_filter_that_is_refused_keeps_what_was_typed(world, as_):
    kept(world)
    response = as_.ana.post("/tickets/filters/", {"team": "platform", "q": "points = 1", "name": "Toil"})
    text = response.content.decode()
    assert response.status_code == 409
    assert "You have a filter called “Toil”" in text
    assert 'value="points = 1"' in text
    assert SavedFilter.objects.count() == 1


def test_a_filter_of_somebody_else_is_neither_seen_nor_changed(world, as_):
    found = kept(world)
    assert "Toil" not in as_.ben.text(f"/tickets/?filter={found.pk}")
    assert as_.ben.post(f"/tickets/filters/{found.pk}/", {"name": "Mine"}).status_code == 403
    assert as_.charlie.post(f"/tickets/filters/{found.pk}/", {"do": "delete"}).status_code == 409
    as_.ana.post(f"/tickets/filters/{found.pk}/", {"do": "delete"})
    assert not SavedFilter.objects.exists()


def test_a_feed_gives_what_its_owner_may_see_as_atom_and_json(world, as_):
    disk = write(world, "Disk <1>", labels=("toil",))
    write(world, "Keys")
    found = kept(world)
    as_.ana.post(f"/tickets/filters/{found.pk}/", {"do": "feed"})
    found.refresh_from_db()
    url = f"/feeds/filter/{filters.feed_key(found)}/"
    assert url in as_.ana.text(f"/tickets/?filter={found.pk}")
    response = as_.nobody.get(url)
    assert response["Content-Type"].startswith("application/atom+xml")
    root = Xml.fromstring(response.content)
    assert [node.findtext(f"{ATOM}title") for node in root.iter(f"{ATOM}entry")] == [f"T-{disk.pk} Disk <1>"]
    # Whatever the caller says that we are called: the feed names the operator's address.
    assert b"elsewhere.example" not in as_.nobody.get(url, headers={"Host": "elsewhere.example"}).content
    given = json.loads(as_.nobody.get(f"{url}?format=json").content)
    assert [item["title"] for item in given["items"]] == [f"T-{disk.pk} Disk <1>"]


def test_a_feed_ends_with_its_key_its_filter_and_its_owners_place(world, as_):
    write(world, "Disk", labels=("toil",))
    found = kept(world)
    first = filters.open_feed(found.pk, world.ana, world.now)
    second = filters.open_feed(found.pk, world.ana, world.now)
    assert as_.nobody.get(f"/feeds/filter/{first}/").status_code == 404
    assert as_.nobody.get(f"/feeds/filter/{second}/").status_code == 200
    assert as_.nobody.get(f"/feeds/filter/{second}x/").status_code == 404
    assert as_.nobody.get(f"/feeds/filter/{found.pk}-guess/").status_code == 404
    world.ana.memberships.all().delete()
    assert as_.nobody.get(f"/feeds/filter/{second}/").status_code == 404


def test_a_feed_of_me_is_its_owners_whoever_reads_it(world, as_):
    """HND-09: “me” and “my_seats” are those of the filter's owner, at the time of reading."""
    write(world, "Of Ben", assignee=world.ben)
    write(world, "Of the watch", seat="engineer")
    found = kept(world, "Mine", "assignee = me or seat = my_seats")
    key = filters.open_feed(found.pk, world.ana, world.now)
    assert b"Of the watch" in as_.ben.get(f"/feeds/filter/{key}/").content
    assert b"Of Ben" not in as_.ben.get(f"/feeds/filter/{key}/").content
    world.now += timedelta(days=7)
    assert b"Of the watch" not in as_.ben.get(f"/feeds/filter/{key}/").content


def test_a_feed_may_be_of_requests(world, as_):
    asker = Asker("Ria", "ria@example.net")
    asked = support.open_request(world.team, asker, Asked("It is slow", "Daily."), world.now)
    found = filters.save_filter(world.team, world.ana, "Open ones", "state = open", world.now, about="requests")
    key = filters.open_feed(found.pk, world.ana, world.now)
    assert f"R-{asked.pk} It is slow".encode() in as_.nobody.get(f"/feeds/filter/{key}/").content
