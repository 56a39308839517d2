"""Confluence Cloud: pages by its REST API, version 2 (developer.atlassian.com/cloud/confluence/rest/v2).

A page is written in storage format, which is XHTML. It is found again by the address that it was given, or by its title in
the space, which Confluence keeps unique; a change is a new version of the same page. Nothing calls us from there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field, SecretStr

from watchbill.connectors import Api, Connected, Document
from watchbill.core.foreign import read_fields, read_key, read_line, read_text
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

TITLE = "Confluence"
PORT = "documents"
HEADERS: tuple[str, ...] = ()
EXAMPLES: tuple[Any, ...] = ()
PAGE_IN_URL = re.compile(r"/pages/(\d+)")
HELP = """Make an API token of an account that may write in the space: id.atlassian.com > Security > API tokens.

  Space          the key in the space's address: .../wiki/spaces/OPS/ is OPS
  Parent page    the number in the address of the page below which reports are to stand; may be empty
"""


class Settings(Connected):
    """Which space, and who we are there."""

    url: str = Field(title="Address of the site", description="https://your-team.atlassian.net")
    email: str = Field(min_length=3, max_length=200, title="Address of the account")
    token: SecretStr = Field(title="API token")
    space: str = Field(pattern=r"^[\w~.-]+$", max_length=255, title="Space", description="Its key, such as OPS.")
    parent: str = Field("", pattern=r"^\d{0,20}$", title="Parent page", description="Its number; may be empty.")

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"url": self.url}


def check(settings: Settings, client: Client) -> str:
    """Say that the space is there."""
    return f"Reached the space {_space(settings, client)[1]}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Refuse: Confluence calls nobody here."""
    return False


def put_document(settings: Settings, client: Client, document: Document) -> str:
    """Write a page, or a new version of the one that stands there when it differs."""
    api, (space, _) = _api(settings, client), _space(settings, client)
    standing = _find(api, space, document)
    body = {"representation": "storage", "value": document.html}
    asked: dict[str, Any] = {"status": "current", "title": document.title, "body": body}
    if not standing:
        parent = {"parentId": settings.parent} if settings.parent else {}
        return _url(api.call("POST", "/wiki/api/v2/pages", {"spaceId": space, **parent, **asked}), settings)
    if _same(standing, document):
        return _url(standing, settings)
    number = read_fields(standing.get("version")).get("number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise DeliveryFailed("Confluence did not say which version of the page stands there")
    page = read_key(standing.get("id"))
    version = {"number": number + 1, "message": document.note}
    return _url(api.call("PUT", f"/wiki/api/v2/pages/{page}", {"id": page, **asked, "version": version}), settings)


def _find(api: Api, space: str, document: Document) -> dict[str, Any]:
    """Find the page by where we wrote it, else by its title: a create whose answer we never saw."""
    known = PAGE_IN_URL.search(document.stands_at)
    if known:
        found = read_fields(api.look(f"/wiki/api/v2/pages/{known[1]}", **{"body-format": "storage"}))
        if found:
            return found
    asked = {"space-id": space, "title": document.title, "status": "current", "body-format": "storage"}
    rows = read_fields(api.get("/wiki/api/v2/pages", **asked)).get("results")
    return read_fields(rows[0]) if isinstance(rows, list) and rows else {}


def _same(standing: dict[str, Any], document: Document) -> bool:
    body = read_fields(read_fields(standing.get("body")).get("storage"))
    return standing.get("title") == document.title and body.get("value") == document.html


def _space(settings: Settings, client: Client) -> tuple[str, str]:
    """Give the id and the name of the space."""
    rows = read_fields(_api(settings, client).get("/wiki/api/v2/spaces", keys=settings.space)).get("results")
    found = read_fields(rows[0]) if isinstance(rows, list) and rows else {}
    number = read_key(found.get("id"))
    if not number:
        raise DeliveryFailed(f"Confluence has no space “{settings.space}” that this account sees", permanent=True)
    return number, read_line(found.get("name"), 120)


def _url(page: object, settings: Settings) -> str:
    links = read_fields(read_fields(page).get("_links"))
    web = read_text(links.get("webui"))
    if not web.startswith("/"):
        raise DeliveryFailed("Confluence did not say where the page is")
    return f"{settings.url.rstrip('/')}/wiki{web}"


def _api(settings: Settings, client: Client) -> Api:
    pair = base64.b64encode(f"{settings.email}:{settings.token.get_secret_value()}".encode()).decode()
    return Api(client, settings.url, {"Authorization": f"Basic {pair}"})
