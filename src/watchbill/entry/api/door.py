"""The API, put together: its domains, its errors, its description and the page that shows it."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, path, re_path
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema, get_schema
from ninja.operation import Operation

from watchbill import __version__
from watchbill.entry.api import (
    absences,
    alerts,
    backlog,
    communities,
    connections,
    connectors,
    desks,
    drills,
    feeds,
    filters,
    handoffs,
    incident_roles,
    incident_updates,
    incident_work,
    incidents,
    instance,
    ladders,
    learned,
    log,
    me,
    notices,
    overrides,
    pages,
    people,
    postmortem_work,
    postmortems,
    request_work,
    requests,
    rota,
    services,
    shift_log,
    silences,
    sprints,
    status_pages,
    teams,
    tickets,
    vendor_cases,
    who,
    work,
)
from watchbill.entry.api.errors import say_errors, unknown_address

ABOUT = (
    "Everything a person can do in the pages. Send a token as `Authorization: Bearer wb_…`. A person sees their own "
    "teams; nothing else exists for them. Lists are paged: send `next` back as `after`. Times are RFC 3339, UTC. "
    'What goes wrong is always `{"error": {"message": …, "field": …}}`.'
)
PARAMETERS = {
    "after": "`next` of the page before; without it the first page.",
    "limit": "How many items at most, up to 200.",
    "team": "The slug of a team; without it all of yours.",
    "service": "The slug of a service.",
    "rotation": "The slug of a rotation.",
    "person": "The id of a person.",
    "slug": "The name in addresses, such as `platform`.",
    "number": "The id.",
    "at": "An instant, past or ahead; without it now.",
    "search": "Words that the name or title contains.",
    "mine": "Only what concerns you.",
    "archived": "Those that are archived, instead of those in use.",
}


class Api(NinjaAPI):
    """Names an operation by its file and its function: alerts_acknowledge."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Give the name that a generated client calls."""
        view = operation.view_func
        return f"{view.__module__.rpartition('.')[2]}_{view.__name__}"

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Give the description, with what the parameters that many operations share mean."""
        return _describe(path_prefix or self.get_root_path(path_params or {}))


@cache
def _describe(prefix: str) -> OpenAPISchema:
    """Make the description once: it takes seconds, and nothing in it changes while we run."""
    schema = get_schema(api, prefix)
    for methods in schema["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in PARAMETERS:
                    parameter["description"] = PARAMETERS[parameter["name"]]
    return schema


# The schema's own look-ups elsewhere are switched off: nothing loads from another host.
api = Api(
    title="Watchbill",
    version=__version__,
    description=ABOUT,
    urls_namespace="api",
    docs=Swagger(settings={"validatorUrl": None, "persistAuthorization": False}),
)
say_errors(api)
for prefix, routers in {
    "/who": [who.router],
    "/alerts": [alerts.router, backlog.of_alerts],
    "/pages": [pages.router],
    "/silences": [silences.router],
    "/services": [services.router, connections.router],
    "/rotations": [rota.router, overrides.router],
    "/shifts": [rota.shifts],
    "/absences": [absences.router],
    "/teams": [teams.router, ladders.router, feeds.of_teams],
    "/people": [people.router],
    "/me": [me.router, feeds.mine, work.mine],
    "/requests": [requests.router, request_work.router, vendor_cases.of_requests, work.of_requests],
    "/requesters": [communities.requesters],
    "/communities": [communities.router],
    "/vendor-cases": [vendor_cases.router],
    "/desks": [desks.router],
    "/incidents": [incidents.router, incident_updates.router, incident_roles.router, incident_work.router],
    "/learned": [learned.router],
    "/postmortems": [postmortems.router, postmortem_work.router],
    "/tickets": [
        tickets.router,
        backlog.of_tickets,
        vendor_cases.of_tickets,
        work.of_tickets,
        connectors.of_tickets,
    ],
    "/backlog": [backlog.router],
    "/sprints": [sprints.router],
    "/drills": [drills.router],
    "/notices": [notices.router],
    "/handoffs": [handoffs.router],
    "/shift-log": [shift_log.router],
    "/status-pages": [status_pages.router],
    "/filters": [filters.router],
    "/connectors": [connectors.router],
    "/twins": [connectors.twins],
    "/log": [log.router],
    "/inbox": [log.inbox],
    "/instance": [instance.router],
}.items():
    for router in routers:
        api.add_router(prefix, router)


def routes() -> list[URLPattern | URLResolver]:
    """Give the addresses of the API; one that does not exist answers in the API's own way."""
    return [path("api/", api.urls), re_path(r"^api(?:/.*)?$", unknown_address)]
