"""The door of the status pages: what it answers to whom, from memory; and that nothing internal ever leaves through it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from xml.etree import ElementTree as Xml

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from tests.actions.status_cast import declare, make_page, say
from tests.doors.status_world import Drawings, ask_all, open_door
from tests.world import World
from watchbill.actions import catalogue, incident_story, incidents, status_incidents, statuspage
from watchbill.actions.incident_story import Entry
from watchbill.db.models import (
    IncidentTask,
    IncidentUpdate,
    Notice,
    NoticeUpdate,
    RoleAssignment,
    ServiceCondition,
    StatusPage,
)
from watchbill.db.wake import tell_here

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESSES = (
    "/",
    "/history/",
    "/summary.json",
    "/status.json",
    "/components.json",
    "/incidents.json",
    "/incidents/unresolved.json",
    "/scheduled-maintenances.json",
    "/history.json",
    "/api/v2/summary.json",
    "/feed.atom",
    "/feed.rss",
    "/badge.svg",
)


def publish(world: World, page: StatusPage) -> int:
    incident = declare(world)
    say(world, incident, "We are on it")
    return status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ana, world.now).pk


def test_a_page_tells_how_all_is_in_words_numbers_and_pictures(world: World) -> None:
    page = make_page(world)
    world.forward(hours=1)
    number = publish(world, page)
    component = page.components.get(name="Signing in").pk
    world.forward(minutes=30)
    html, summary, atom, rss, badge, mine, one = ask_all(
        world.now,
        *(f"/status/hub/{path}" for path in ("", "api/v2/summary.json", "feed.atom", "feed.rss", "badge.svg")),
        f"/status/hub/components/{component}.svg",
        f"/status/hub/incidents/{number}/",
    )
    assert {one.status for one in (html, summary, atom, rss, badge, mine, one)} == {200}
    assert "Something is down" in html.text
    assert "down for 30 min" in html.text
    assert "66.66 % up" in html.text
    told = json.loads(summary.body)
    assert told["status"] == {"indicator": "critical", "description": "Something is down"}
    assert [(c["name"], c["status"]) for c in told["components"]] == [
        ("Signing in", "major_outage"),
        ("Mail", "operational"),
    ]
    assert told["incidents"][0]["incident_updates"][0]["body"] == "We are on it"
    assert len(Xml.fromstring(atom.body).findall("{http://www.w3.org/2005/Atom}entry")) == 2
    assert Xml.fromstring(rss.body).find("channel/item/title") is not None
    assert ("Something is down" in badge.text, "Signing in: Down" in mine.text) == (True, True)
    assert "We are on it" in one.text
    assert all("set-cookie" not in given.headers for given in (html, summary, badge))


def test_what_has_not_changed_is_not_sent_again(world: World) -> None:
    make_page(world)
    first, packed, head = (ask_all(world.now, "/status/hub/", **more)[0] for more in ({}, GZIP, {"method": "HEAD"}))
    assert "stale-if-error" in first.headers["cache-control"]
    assert (packed.body, head.body) == (first.body, b"")
    assert packed.headers["etag"] != first.headers["etag"]
    for given, more in ((first, {}), (packed, GZIP)):
        again = ask_all(world.now, "/status/hub/", if_none_match=given.headers["etag"], **more)[0]
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", given.headers["etag"])


GZIP = {"accept_encoding": "gzip, br"}


def test_a_page_with_a_link_is_there_for_whoever_has_it_alone(world: World) -> None:
    """404 for all else, the same as for a page that is not there; no cache and no search engine keeps it."""
    page = make_page(world, is_public=False)
    old = f"/status/hub/{page.key}/"
    good, *bad = ask_all(world.now, old, "/status/hub/", "/status/hub", "/status/hub/wrong/", "/status/none/")
    assert (good.status, good.headers["x-robots-tag"].split(",")[0]) == (200, "noindex")
    assert good.headers["cache-control"].startswith("private")
    assert "noindex" in good.text
    assert {(one.status, one.text) for one in bad} == {(404, "There is no status page at this address.\n")}
    feed = ask_all(world.now, f"{old}feed.atom")[0]
    assert page.key in feed.text
    statuspage.renew_key(page, world.eva, world.now)
    assert ask_all(world.now, old)[0].status == 404
    page.refresh_from_db()
    statuspage.archive(page, world.eva, world.now)
    assert ask_all(world.now, f"/status/hub/{page.key}/")[0].status == 404


def test_other_methods_are_refused_and_the_slash_is_added(world: World) -> None:
    make_page(world)
    assert ask_all(world.now, "/status/hub/", method="POST")[0].status == 405
    moved = ask_all(world.now, "/status/hub")[0]
    assert (moved.status, moved.headers["location"]) == (308, "/status/hub/")
    assert "--firing" in ask_all(world.now, "/status/look.css")[0].text


def test_a_commit_draws_the_page_anew_and_the_first_ask_of_many_draws_it_once(world: World) -> None:
    """Never more than one drawing for a version of a page; an update is seen without anybody asking for the page."""
    page = make_page(world)
    drawings = Drawings(world.now)

    async def run() -> None:
        async with open_door(world.now, drawings) as ask:
            answers = await asyncio.gather(*(ask("/status/hub/") for _ in range(20)))
            assert ({one.status for one in answers}, drawings.count) == ({200}, 1)
            await sync_to_async(publish)(world, page)
            async with asyncio.timeout(20):
                while b"Nobody can sign in" not in (await ask("/status/hub/summary.json")).body:
                    await asyncio.sleep(0)

    asyncio.run(run())
    before, after = page.version, StatusPage.objects.get().version
    assert 2 <= drawings.count <= 1 + after - before


@contextmanager
def database_away() -> Iterator[None]:
    """No page can be read: its table is not where it was."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE watchbill_statuspage RENAME TO elsewhere")
        yield
        cursor.execute("ALTER TABLE elsewhere RENAME TO watchbill_statuspage")


def test_the_last_good_copy_is_given_while_the_database_is_away(world: World) -> None:
    """Who asks for a page that was never drawn hears that it is away, and when to come back."""
    make_page(world)

    async def run() -> None:
        door = open_door(world.now)
        ask = await door.__aenter__()
        before = await ask("/status/hub/")
        away = database_away()
        await sync_to_async(away.__enter__)()
        tell_here()
        other = await ask("/status/other/")
        after = await ask("/status/hub/")
        assert (other.status, after.status, after.body) == (404, 200, before.body)
        await door.__aexit__(None, None, None)
        async with open_door(world.now) as fresh:
            given = await fresh("/status/hub/")
            assert (given.status, given.headers["retry-after"]) == (503, "5")
        await sync_to_async(away.__exit__)(None, None, None)

    asyncio.run(run())


def test_nothing_internal_leaks(world: World) -> None:
    """Secret words in every internal field, the timeline, roles, private incidents, exercises, other audiences."""
    page = make_page(world)
    service = page.components.get(name="Signing in").service
    catalogue.change_service(
        service, {"name": "SECRET-name", "description": "SECRET-description"}, world.eva, world.now
    )
    world.forward(minutes=10)
    secret = {"impact": "SECRET-impact", "service": "SECRET-name"}
    incident = declare(world, "SECRET-title", **secret)
    incidents.change(
        incident.pk, {"summary": "SECRET-summary", "call_url": "https://secret.example"}, world.ana, world.now
    )
    incident_story.write(incident.pk, Entry("SECRET-timeline"), world.ana, world.now)
    IncidentTask.objects.create(incident=incident, title="SECRET-task", created_at=world.now)
    RoleAssignment.objects.create(incident=incident, role="SECRET-role", person=world.ben, offered_at=world.now)
    IncidentUpdate.objects.create(
        incident=incident, audience="public", state="active", text="SECRET-mail", at=world.now,
        parts=[["", "We are on it"]], author=world.ben, author_name="SECRET-author",
    )  # fmt: skip
    for audience in ("responders", "communities", "leadership", "PUBLIC "):
        say(world, incident, f"SECRET-{audience}", audience=audience)
    number = status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ana, world.now).pk
    for title, more in (("SECRET-private", {"is_private": True}), ("SECRET-drill", {"is_exercise": True})):
        say(world, declare(world, title, **secret, **more), "SECRET-said")
    later = declare(world, "SECRET-later", **secret)
    status_incidents.publish(later.pk, page, "SECRET-published", world.ana, world.now)
    incidents.set_privacy(later.pk, True, "SECRET-why", world.ana, world.now)
    gone = status_incidents.publish(declare(world, **secret).pk, page, "SECRET-gone", world.ana, world.now)
    status_incidents.withdraw(gone.pk, "SECRET-withdrawn", world.ana, world.now)
    times = {"starts_at": world.now, "ends_at": world.now + timedelta(hours=1), "created_at": world.now}
    for state, audiences in (("draft", ["public"]), ("announced", ["responders"])):
        notice = Notice.objects.create(
            team=world.team, title="SECRET-notice", text="SECRET-text", state=state, audiences=audiences, **times
        )
        NoticeUpdate.objects.create(notice=notice, state=state, text="SECRET-words", at=world.now)
        ServiceCondition.objects.create(
            service=service, condition="maintenance", notice=notice, starts_at=world.now - timedelta(hours=9)
        )
    paths = [f"/status/hub{path}" for path in (*ADDRESSES, f"/incidents/{number}/")]
    paths += [f"/status/hub/components/{one.pk}.svg" for one in page.components.all()]
    answers = ask_all(world.now, *paths)
    assert {one.status for one in answers} == {200}
    for path, given in zip(paths, answers, strict=True):
        words = given.text.lower() + json.dumps(dict(given.headers)).lower()
        inside = ("secret", "ana", "ben", "idp", world.team.name.lower())
        found = [word for word in inside if re.search(rf"\b{word}", words)]
        assert not found, (path, found)
    assert "We are on it" in answers[0].text
    others = ask_all(world.now, f"/status/hub/incidents/{number + 1}/", f"/status/hub/incidents/{later.pk}/")
    assert {one.status for one in others} == {404}
