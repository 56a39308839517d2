"""Every page that a person can click to answers, on either database: what a page asks must be understood by both.

What stands on the pages is asked by test_web_*, on SQLite alone.
"""

from __future__ import annotations

import re
from collections import deque
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.test import Client

from tests.doors.desk_world import fill_desk
from tests.world import World
from watchbill.actions import handoff, shift_log
from watchbill.db.models import Policy, Team
from watchbill.entry import clock

HREF = re.compile(r"""<[^>]+?\s(?:href|hx-get)=["']([^"'#]+)""")
# Signing out, the API's own page and what is no page of ours.
LEFT_ALONE = re.compile(r"^/(accounts/logout|api|static)/")
MOST_OF_A_SHAPE = 2
# What must be among the pages, so that a crawl that no longer finds the way fails.
REACHED = (
    "now", "alerts", "alert", "silences", "payload", "rota", "rotation", "rotation-year", "rotation-edit", "services",
    "service", "monitor", "ladder", "teams", "team", "team-policy", "team-desk", "team-requester", "people", "person", "me",
    "me-sent", "settings", "settings-inbox", "find", "requests", "request", "requester-page", "support-page", "tickets",
    "ticket", "board", "grooming", "sprints", "sprint", "next", "connectors", "connector", "connector-mapping",
    "handoffs", "handoff", "shift-log", "shift-log-change",
)  # fmt: skip


def shape_of(url: str) -> str:
    """Give the shape of an address: which page it is, and what it is asked for."""
    parts = urlsplit(url)
    asked = sorted(part.partition("=")[0] for part in parts.query.split("&"))
    return re.sub(r"/\d+(?=/|$)", "/N", parts.path) + "?" + "&".join(asked)


def crawl(client: Client, begin: list[str]) -> set[str]:
    """Follow every link; gives the names of the routes that answered."""
    seen: dict[str, int] = {}
    known, waiting, names = set(begin), deque(begin), set()
    while waiting:
        url = waiting.popleft()
        shape = shape_of(url)
        if seen.get(shape, 0) >= MOST_OF_A_SHAPE:
            continue
        seen[shape] = seen.get(shape, 0) + 1
        answer = client.get(url)
        assert answer.status_code in {200, 302}, f"{url} answered {answer.status_code}"
        names.add(answer.resolver_match.url_name)
        if answer.status_code == 302 or not answer.headers["Content-Type"].startswith("text/html"):
            continue
        for href in HREF.findall(answer.content.decode()):
            address = urldefrag(urljoin(url, unescape(href))).url.removeprefix("http://testserver")
            if address.startswith("/") and address not in known and not LEFT_ALONE.search(address):
                known.add(address)
                waiting.append(address)
    return names


def test_every_page_that_an_administrator_can_click_to_answers(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    world.ana.is_superuser = True
    world.ana.save()
    other = Team.objects.get(slug="payments")
    Policy.objects.create(team=other, version=1, preset="laa-ops", settings={}, adopted_at=world.now, why="test")
    world.event()
    world.arrives({"nobody": "understands"})
    world.work()
    fill_desk(world)
    handoff.begin(world.rotation, "engineer", world.ana, world.now)
    shift_log.add_entry(world.team, {"title": "The fan hums"}, world.ana, world.now)
    client.force_login(world.ana)
    names = crawl(client, ["/", "/alerts/", "/rota/", "/find/?q=disk", "/tickets/?q=certificate", "/requests/?q=log"])
    assert set(REACHED) <= names
    assert len(names) > 75, "the crawl no longer finds the way"
