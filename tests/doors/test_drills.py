"""Drills in the browser, by the API and on the command line."""

from __future__ import annotations

import pytest

from tests.core.test_drills import FULL
from tests.doors.api_world import ApiWorld
from tests.doors.web_world import Cast
from tests.world import World
from watchbill.db.models import Drill

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_drill_is_begun_followed_stopped_and_looked_back_at_in_the_browser(world: World) -> None:
    """INC-21: practice, out of every figure."""
    as_ = Cast(world)
    assert "No drill yet" in as_.ana.text("/drills/")
    wrong = as_.ana.post("/drills/new/", {"scenario": FULL.replace("0m", "soon"), "speed": "10"})
    assert wrong.status_code == 422
    assert "must be a time such as 30s" in wrong.content.decode()
    assert "Red Centric" in wrong.content.decode()
    begun = as_.ana.post("/drills/new/", {"scenario": FULL, "speed": "10"})
    drill = Drill.objects.get()
    assert begun.url == f"/drills/{drill.pk}/"
    world.forward(minutes=1)
    text = as_.ana.text(begun.url)
    assert "Running" in text
    assert "Played" in text
    as_.ana.post(f"/drills/{drill.pk}/stop/")
    text = as_.ana.text(begun.url)
    assert "How it went" in text
    assert "never" in text
    assert as_.charlie.get(begun.url).status_code == 404


def test_the_api_says_what_is_wrong_and_gives_the_debrief(api: ApiWorld) -> None:
    charlie, api = api.as_("charlie"), api.as_("ana")
    wrong = api("POST", "/drills", {"team": "platform", "scenario": "title: x"})
    assert wrong.status_code == 422
    made = api.post("/drills", {"team": "platform", "scenario": FULL, "speed": 30}, 201)
    assert api.get(f"/drills/{made['id']}")["state"] == "running"
    api.post(f"/drills/{made['id']}/stop")
    assert api.get("/drills")["items"][0]["debrief"]["marks"][0]["name"] == "acknowledged"
    assert charlie("GET", f"/drills/{made['id']}").status_code == 404
