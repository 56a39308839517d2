"""A private incident is looked for through every door by a member of the team who is not named in it; it is nowhere."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.urls import URLPattern, URLResolver, get_resolver

from tests.doors.api_world import ApiWorld
from tests.doors.web_world import Cast
from watchbill.actions import declaring, incident_story, incidents, support
from watchbill.actions.asked import Asked, File
from watchbill.actions.declaring import Declared
from watchbill.actions.incident_story import Entry
from watchbill.actions.requesters import Asker
from watchbill.db.models import Event, Incident, IncidentFile

pytestmark = pytest.mark.django_db(transaction=True)
WORD = "Quartzite"
LEFT_ALONE = ("accounts/logout/", "api/docs", "live")


@pytest.fixture
def as_(world):
    return Cast(world)


@pytest.fixture
def incident(world) -> Incident:
    """It touches an alert, a request and a service, and everything that it says holds one word."""
    world.event()
    world.work()
    asked = support.open_request(
        world.team, Asker("Ria", "ria@example.net"), Asked("It is slow", "Since nine"), world.now
    )
    said = Declared(
        f"{WORD} leak",
        f"{WORD} is in a public bucket",
        services=[world.service],
        is_private=True,
        came_from=[("alert", world.group().pk), ("request", asked.pk)],
    )
    made = declaring.declare(world.team, said, world.ana, world.now)
    file = File(f"{WORD}.png", "image/png", b"1")
    incident_story.write(made.pk, Entry(f"{WORD} rotated", files=[file]), world.ana, world.now)
    return made


def addresses(found: list[URLPattern | URLResolver], before: str = "") -> list[str]:
    """List every address of Django's that takes no argument."""
    paths = []
    for one in found:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver):
            paths += addresses(one.url_patterns, path)
        elif "<" not in path and "^" not in path and "\\" not in path:
            paths.append(path)
    return paths


def read(response) -> str:
    content = b"".join(response) if response.streaming else response.content
    return content.decode("utf-8", "replace")


def test_no_page_list_count_feed_or_export_shows_it_to_a_member_who_is_not_named(world, as_, incident):
    paths = [f"/{path}" for path in addresses(get_resolver().url_patterns) if not path.startswith(LEFT_ALONE)]
    assert {"/", "/incidents/", "/find/", "/api/log"} <= set(paths)
    alert, asked = (incident.links.get(kind=kind).subject_id for kind in ("alert", "request"))
    paths += [
        f"/alerts/{alert}/",
        f"/requests/{asked}/",
        f"/services/{world.service.slug}/",
        f"/teams/{world.team.slug}/",
    ]
    paths += [f"/incidents/new/?alert={alert}", f"/incidents/new/?request={asked}"]
    paths += [
        f"/find/?q={WORD.lower()}",
        f"/find/?q=I-{incident.pk}",
        f"/incidents/?q={WORD}",
        "/incidents/?format=csv",
    ]
    caller = ApiWorld(world).as_("ben")
    with time_machine.travel(world.now, tick=False):
        for path in paths:
            answer = caller("GET", path.removeprefix("/api")) if path.startswith("/api/") else as_.ben.get(path)
            # The palette repeats what was typed into it; a title has a capital and says "leak".
            shown = read(answer)
            assert f"{WORD} " not in shown, path
            assert f"/incidents/{incident.pk}/" not in shown, path
    assert '<small id="incident-count"></small>' in as_.ben.text("/")


def test_whoever_is_named_finds_it_by_the_same_doors(world, as_, incident):
    """The test above looks at something that would be there."""
    alert = incident.links.get(kind="alert").subject_id
    for path in ("/", "/incidents/", f"/alerts/{alert}/", f"/find/?q={WORD}", "/incidents/new/"):
        assert f"{WORD} leak" in as_.ana.text(path), path
    assert f"{WORD} leak" in read(as_.ana.get("/incidents/?format=csv"))
    log = ApiWorld(world).as_("ana")
    with time_machine.travel(world.now, tick=False):
        assert WORD in str(log.get("/log?subject_kind=incident"))


def test_nothing_of_it_is_given_or_done_by_its_number(world, as_, incident):
    file = IncidentFile.objects.get()
    for path in ("", "?panel=timeline", f"files/{file.pk}/"):
        assert as_.ben.get(f"/incidents/{incident.pk}/{path}").status_code == 404
    lines = Event.objects.count()
    for act in ("acknowledge", "join", "entry", "show", "close"):
        assert as_.ben.post(f"/incidents/{incident.pk}/{act}/", {"why": "I look", "text": "x"}).status_code == 404
    assert Event.objects.count() == lines
    caller = ApiWorld(world).as_("ben")
    with time_machine.travel(world.now, tick=False):
        for query in ("", "?team=platform", f"?subject_kind=incident&subject_id={incident.pk}", "?kind=incident.entry"):
            assert WORD not in str(caller.get(f"/log{query}"))


def test_an_owner_sees_it_and_who_is_called_in_sees_it_from_then_on(world, as_, incident):
    assert WORD in as_.eva.text("/incidents/")
    incidents.add_responder(incident.pk, world.ben, world.ana, world.now)
    assert WORD in as_.ben.text("/incidents/")
    assert re.search(r'id="incident-count">1<', as_.ben.text("/"))
