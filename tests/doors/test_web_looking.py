"""The page of what no alarm asks for, in the browser's eyes."""

from __future__ import annotations

import pytest

from tests.doors.web_world import Cast
from watchbill.actions import looking


@pytest.fixture
def as_(world):
    return Cast(world)


def test_somebody_looks_and_says_what_they_saw(world, as_) -> None:
    """DUT-02: the consoles stand on one page, and so does who looked today."""
    world.service.links = [{"kind": "dashboard", "title": "Console", "url": "https://console.example/"}]
    world.service.save()
    ana = as_.ana
    page = ana.get("/teams/platform/looking/")
    assert "Nobody has looked today." in page.content.decode()
    assert 'href="https://console.example/"' in page.content.decode()
    world.service.links = [{"kind": "dashboard", "title": "Console", "url": "javascript:alert(1)"}]
    world.service.save()
    assert "javascript:" not in ana.get("/teams/platform/looking/").content.decode()
    long = "x" * 2001
    refused = ana.post("/teams/platform/looking/", {"seen": long})
    assert refused.status_code == 409
    assert long in refused.content.decode()
    said = ana.post("/teams/platform/looking/", {"seen": "node 4 <b>grows</b>"}, follow=True).content.decode()
    assert "Ana looked today." in said
    assert "node 4 &lt;b&gt;grows" in said
    assert as_.charlie.get("/teams/platform/looking/").status_code == 403
    assert as_.olga.post("/teams/platform/looking/", {"seen": ""}).status_code == 403


def test_a_call_that_one_would_make_differently_is_said_where_it_was_made(world, as_) -> None:
    """DUT-08: asked on what is over, gathered for the review."""
    world.event()
    world.work()
    world.event("resolve")
    world.work()
    group = world.group()
    ana = as_.ana
    assert "I would decide differently now" in ana.get(f"/alerts/{group.pk}/").content.decode()
    ana.post(f"/alerts/{group.pk}/regret/", {"text": "I should have woken Ben."})
    assert [line.why for line in looking.regrets(world.team, group.opened_at, world.now.replace(year=2100))] == [
        "I should have woken Ben."
    ]
    page = ana.get("/teams/platform/looking/").content.decode()
    assert "I should have woken Ben." in page
    assert f'href="/alerts/{group.pk}/"' in page
    assert ana.post(f"/alerts/{group.pk}/regret/", {"text": " "}, follow=True).status_code == 200
    assert ana.get(f"/alerts/{group.pk}/regret/").status_code == 405
    assert as_.charlie.post(f"/alerts/{group.pk}/regret/", {"text": "x"}).status_code == 404
