"""The status page as people see it: it fits a phone, and axe finds nothing, in light and in dark. No server: the door's own answers."""

from __future__ import annotations

import pytest

from tests.actions.status_cast import declare, make_page, say
from tests.doors.status_world import ask_all
from tests.walks.browser import DESK, PHONE, bring_axe, chromium, complaints_of, faults_of, width_too_much
from watchbill.actions import incidents, status_incidents
from watchbill.db.models import PublicIncident

HERE = "http://status.test"


@pytest.mark.looks
@pytest.mark.django_db(transaction=True)
def test_the_page_fits_and_axe_finds_nothing(world) -> None:
    """WCAG 2.2 AA at 390 and 1440 px; nothing loads from another host, nothing needs JavaScript."""
    page = make_page(world, intro="We run *the hub*.")
    world.forward(hours=30)
    for condition in ("degraded", "partial_outage", "major_outage"):
        incident = declare(world, condition=condition)
        say(world, incident, "We are on it: `disk` is full\n\n- one\n- two")
        status_incidents.publish(incident.pk, page, "Nobody can sign in", world.ana, world.now)
        if condition != "major_outage":
            world.forward(minutes=30)
            incidents.resolve(incident.pk, world.ana, world.now)
    number = PublicIncident.objects.latest("id").pk
    paths = ("/status/hub/", "/status/hub/history/", f"/status/hub/incidents/{number}/", "/status/look.css")
    answers = dict(zip(paths, ask_all(world.now, *paths), strict=True))

    def give(route) -> None:
        given = answers.get(route.request.url.removeprefix(HERE).partition("?")[0])
        if given is None:
            route.fulfill(status=404, body="")
        else:
            route.fulfill(status=given.status, headers=dict(given.headers), body=given.body)

    with chromium() as browser:
        for scheme, size in (("light", DESK), ("dark", PHONE), ("light", PHONE), ("dark", DESK)):
            context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
            shown = context.new_page()
            bring_axe(shown)
            shown.route("**/*", give)
            said = complaints_of(shown)
            for path in paths[:3]:
                shown.goto(HERE + path)
                assert faults_of(shown) == [], (scheme, path)
                assert width_too_much(shown) == 0, (scheme, path)
            assert not [one for one in said if "favicon" not in one and "404" not in one]
            context.close()
