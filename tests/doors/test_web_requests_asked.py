"""Requests asked for in a query: the list, its filters beside the inbox, their feeds, and who sees them."""

from __future__ import annotations

import csv
import io

import pytest

from tests.doors.desk_world import ask
from tests.doors.web_world import Cast
from watchbill.actions import filters, support
from watchbill.db.models import SavedFilter
from watchbill.db.screens import requests as screen


@pytest.fixture
def as_(world):
    return Cast(world)


def titles(text: str) -> list[str]:
    return [part.split("</a>")[0].rpartition(">")[2] for part in text.split('<a class="what"')[1:]]


def test_a_query_is_kept_and_stands_beside_the_inbox(world, as_):
    """INT-03: a question that comes back every morning has a name, one's own or the team's."""
    ask(world, "Slow"), ask(world, "Slower")
    support.take(ask(world, "Taken").pk, world.ana, world.now)
    found = as_.ana.text("/requests/asked/?q=assignee+is+empty+order+by+title+desc")
    assert titles(found) == ["Slower", "Slow"]
    given = {"team": "platform", "q": "assignee is empty order by title", "name": "For the standup"}
    made = as_.ana.post("/requests/asked/filters/", given)
    saved = SavedFilter.objects.get()
    assert saved.about == "requests"
    assert titles(as_.ana.text(made.url)) == ["Slow", "Slower"]
    link = f"/requests/asked/?team=platform&amp;filter={saved.pk}"
    assert link in as_.ana.get("/requests/").content.decode()
    assert link not in as_.ben.get("/requests/").content.decode()
    assert "For the standup" not in as_.ana.text("/tickets/")
    change = {"name": "For our standup", "q": saved.query, "is_shared": "on"}
    assert as_.ana.post(f"/tickets/filters/{saved.pk}/", change).url == made.url
    assert "For our standup" in as_.ben.text("/requests/")
    assert titles(as_.ben.text(made.url)) == ["Slow", "Slower"]


def test_its_feed_is_made_and_found_on_the_list(world, as_):
    saved = filters.save_filter(world.team, world.ana, "Open", "state = open", world.now, about="requests")
    as_.ana.post(f"/tickets/filters/{saved.pk}/", {"do": "feed"})
    saved.refresh_from_db()
    text = as_.ana.get(f"/requests/asked/?filter={saved.pk}").content.decode()
    assert f"/feeds/filter/{filters.feed_key(saved)}/" in text
    as_.ana.post(f"/tickets/filters/{saved.pk}/", {"do": "delete"})
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    ("query", "said"), [("colour = red", "no field “colour”"), ("state = open and", "This query cannot be read.")]
)
def test_what_cannot_be_read_says_why_and_is_kept(world, as_, query, said):
    text = as_.ana.text(f"/requests/asked/?q={query.replace(' ', '+')}")
    assert f'value="{query.replace(chr(34), "&quot;")}"' in text
    assert said in text
    given = {"team": "platform", "q": query, "name": "Wrong"}
    refused = as_.ana.post("/requests/asked/filters/", given)
    assert refused.status_code == 409
    assert not SavedFilter.objects.exists()


def test_the_list_goes_on_by_key_and_is_taken_as_csv(world, as_, monkeypatch):
    monkeypatch.setattr(screen, "ROWS", 2)
    for n in range(5):
        ask(world, f"R{n}")
    seen, url = [], "/requests/asked/?q=state+%3D+open"
    while url:
        text = as_.ana.text(url)
        seen += titles(text)
        after = text.partition('" rel="next"')[0].rpartition('href="')[2]
        url = f"/requests/asked/{after.replace('&amp;', '&')}" if 'rel="next"' in text else ""
    assert seen == ["R4", "R3", "R2", "R1", "R0"]
    body = b"".join(as_.ana.get("/requests/asked/?q=title+~+R3&format=csv").streaming_content).decode()
    assert [row["title"] for row in csv.DictReader(io.StringIO(body))] == ["R3"]


def test_strangers_see_neither_the_requests_nor_the_filters(world, as_):
    ask(world, "Secret trouble")
    filters.save_filter(world.team, world.ana, "Ours", "state = open", world.now, about="requests", is_shared=True)
    assert as_.charlie.get("/requests/asked/?team=platform").status_code == 403
    text = as_.charlie.text("/requests/asked/")
    assert "Secret trouble" not in text
    assert "Ours" not in as_.charlie.text("/requests/")
