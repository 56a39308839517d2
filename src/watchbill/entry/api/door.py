"""The API, put together: its domains, its errors, its description and the page that shows it."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path
from ninja import NinjaAPI, Swagger
from ninja.operation import Operation

from watchbill import __version__
from watchbill.entry.api import alerts, pages, who
from watchbill.entry.api.errors import say_errors, unknown_address

ABOUT = (
    "Everything a person can do in the pages. Send a token as `Authorization: Bearer wb_…`. A person sees their own "
    "teams; nothing else exists for them. Lists are paged: send `next` back as `after`. Times are RFC 3339, UTC. "
    'What goes wrong is always `{"error": {"message": …, "field": …}}`.'
)


class Api(NinjaAPI):
    """Names an operation by its file and its function: alerts_acknowledge."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Give the name that a generated client calls."""
        view = operation.view_func
        return f"{view.__module__.rpartition('.')[2]}_{view.__name__}"


# The schema's own look-ups elsewhere are switched off: nothing loads from another host.
api = Api(
    title="Watchbill",
    version=__version__,
    description=ABOUT,
    urls_namespace="api",
    docs=Swagger(settings={"validatorUrl": None, "persistAuthorization": False}),
)
say_errors(api)
for prefix, module in {"/who": who, "/alerts": alerts, "/pages": pages}.items():
    api.add_router(prefix, module.router)


def routes() -> list[URLPattern | URLResolver]:
    """Give the addresses of the API; one that does not exist answers in the API's own way."""
    return [path("api/", api.urls), re_path(r"^api(?:/.*)?$", unknown_address)]
