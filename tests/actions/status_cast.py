"""A status page of the team for tests: two services on it under the names that the public knows."""

from __future__ import annotations

from typing import Any

from tests.world import World
from watchbill.actions import catalogue, declaring, status_publishing, statuspage
from watchbill.actions.declaring import Declared
from watchbill.db.models import Incident, IncidentUpdate, Service, StatusPage


def add_service(world: World, name: str) -> Service:
    return catalogue.add_service(world.team, {"name": name, "environment": "production"}, world.eva, world.now)


def make_page(world: World, *, is_public: bool = True, **values: Any) -> StatusPage:
    """A page with “Signing in” and “Mail”, of the services idp-prod and smtp-prod."""
    given = {"title": "Status of the hub", "slug": "hub", "is_public": is_public, **values}
    page = statuspage.create(world.team, given, world.eva, world.now)
    for name, shown, group in (("idp-prod", "Signing in", "People"), ("smtp-prod", "Mail", "")):
        service = Service.objects.filter(name=name).first() or add_service(world, name)
        statuspage.add_component(page, service, {"name": shown, "group": group}, world.eva, world.now)
    return page


def declare(world: World, title: str = "idp is broken", service: str = "idp-prod", **said: Any) -> Incident:
    values = {
        "title": title,
        "impact": "Nobody signs in",
        "services": [Service.objects.get(name=service)],
        "condition": "major_outage",
        **said,
    }
    return declaring.declare(world.team, Declared(**values), world.ana, world.now)


def say(world: World, incident: Incident, text: str, audience: str = "public", state: str = "active") -> IncidentUpdate:
    """Write an update as the action of updates does."""
    update = IncidentUpdate.objects.create(
        incident=incident,
        audience=audience,
        state=state,
        parts=[["", text]],
        text="SECRET-mail",
        at=world.now,
        author=world.ana,
        author_name="Ana",
    )
    status_publishing.on_public_update(update, world.now)
    return update
