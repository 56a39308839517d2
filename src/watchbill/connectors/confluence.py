"""Confluence: pages, on Cloud by its REST API version 2, in a Data Center by /rest/api/content.

Sources: developer.atlassian.com/cloud/confluence/rest/v2 and developer.atlassian.com/server/confluence. A page is written
in storage format, which is XHTML. It is found again by the address that it was given, or by its title in the space, which
Confluence keeps unique; a change is a new version of the same page. Nothing calls us from there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator

from watchbill.connectors import Api, Connected, Document
from watchbill.core.foreign import read_fields, read_key, read_line, read_text
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed

TITLE = "Confluence"
PORT = "documents"
HEADERS: tuple[str, ...] = ()
EXAMPLES: tuple[Any, ...] = ()
PAGE_IN_URL = re.compile(r"(?:/pages/|[?&]pageId=)(\d+)")
WITH_TEXT = "body.storage,version"
HELP = """Cloud: an API token of an account that may write in the space: id.atlassian.com > Security > API tokens.
Data Center (7.9 or later): Profile > Settings > Personal access tokens; the account's address stays empty.

  Space          the key in the space's address: .../spaces/OPS/ or .../display/OPS/ is OPS
  Parent page    the number in the address of the page below which reports are to stand; may be empty
"""


class Settings(Connected):
    """Which space, and who we are there."""

    url: str = Field(
        title="Address of the site",
        description="https://your-team.atlassian.net; in a Data Center with its path: https://wiki.example.org/confluence",
    )
    flavour: Literal["cloud", "data_center"] = Field("cloud", title="Which Confluence is it?")
    email: str = Field("", max_length=200, title="Address of the account", description="Only for Cloud.")
    token: SecretStr = Field(title="API token", description="In a Data Center: a personal access token.")
    space: str = Field(pattern=r"^[\w~.-]+$", max_length=255, title="Space", description="Its key, such as OPS.")
    parent: str = Field("", pattern=r"^\d{0,20}$", title="Parent page", description="Its number; may be empty.")

    @model_validator(mode="after")
    def _names_the_account(self) -> Settings:
        if self.flavour == "cloud" and "@" not in self.email:
            raise ValueError("Confluence Cloud needs the mail address of the account whose token it is")
        return self

    def urls(self) -> dict[str, str]:
        """Give the URLs that a person typed."""
        return {"url": self.url}


def check(settings: Settings, client: Client) -> str:
    """Say that the space is there."""
    return f"Reached the space {_wiki(settings, client).space()[1]}."


def verify(settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Refuse: Confluence calls nobody here."""
    return False


def put_document(settings: Settings, client: Client, document: Document) -> str:
    """Write a page, or a new version of the one that stands there when it differs."""
    wiki = _wiki(settings, client)
    standing = wiki.find(document)
    if not standing:
        return wiki.url_of(wiki.create(document))
    if _same(standing, document):
        return wiki.url_of(standing)
    number = read_fields(standing.get("version")).get("number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise DeliveryFailed("Confluence did not say which version of the page stands there")
    version = {"number": number + 1, "message": document.note}
    return wiki.url_of(wiki.change(read_key(standing.get("id")), document, version))


def _same(standing: dict[str, Any], document: Document) -> bool:
    body = read_fields(read_fields(standing.get("body")).get("storage"))
    return standing.get("title") == document.title and body.get("value") == document.html


@dataclass(frozen=True)
class _Cloud:
    """What Cloud calls everything; a page belongs to a space by the space's id."""

    api: Api
    settings: Settings

    def space(self) -> tuple[str, str]:
        """Give the id and the name of the space."""
        rows = read_fields(self.api.get("/wiki/api/v2/spaces", keys=self.settings.space)).get("results")
        found = read_fields(rows[0]) if isinstance(rows, list) and rows else {}
        return _known(self.settings, read_key(found.get("id"))), read_line(found.get("name"), 120)

    def find(self, document: Document) -> dict[str, Any]:
        """Find the page by where we wrote it, else by its title: a create whose answer we never saw."""
        known = PAGE_IN_URL.search(document.stands_at)
        if known:
            found = read_fields(self.api.look(f"/wiki/api/v2/pages/{known[1]}", **{"body-format": "storage"}))
            if found:
                return found
        asked = {"space-id": self.space()[0], "title": document.title, "status": "current", "body-format": "storage"}
        return _first(self.api.get("/wiki/api/v2/pages", **asked))

    def create(self, document: Document) -> Any:
        """Write a new page."""
        parent = {"parentId": self.settings.parent} if self.settings.parent else {}
        return self.api.call("POST", "/wiki/api/v2/pages", {"spaceId": self.space()[0], **parent, **_asked(document)})

    def change(self, page: str, document: Document, version: dict[str, Any]) -> Any:
        """Write a new version of a page."""
        asked = {"id": page, **_asked(document), "version": version}
        return self.api.call("PUT", f"/wiki/api/v2/pages/{page}", asked)

    def url_of(self, page: object) -> str:
        """Say where a page opens."""
        web = read_text(read_fields(read_fields(page).get("_links")).get("webui"))
        if not web.startswith("/"):
            raise DeliveryFailed("Confluence did not say where the page is")
        return f"{self.settings.url.rstrip('/')}/wiki{web}"


def _asked(document: Document) -> dict[str, Any]:
    body = {"representation": "storage", "value": document.html}
    return {"status": "current", "title": document.title, "body": body}


@dataclass(frozen=True)
class _DataCenter:
    """What a Data Center calls everything; a page belongs to a space by the space's key."""

    api: Api
    settings: Settings

    def space(self) -> tuple[str, str]:
        """Give the key and the name of the space."""
        found = read_fields(self.api.look(f"/rest/api/space/{quote(self.settings.space)}"))
        return _known(self.settings, read_key(found.get("key"))), read_line(found.get("name"), 120)

    def find(self, document: Document) -> dict[str, Any]:
        """Find the page by where we wrote it, else by its title."""
        known = PAGE_IN_URL.search(document.stands_at)
        if known:
            found = read_fields(self.api.look(f"/rest/api/content/{known[1]}", expand=WITH_TEXT))
            if found:
                return found
        asked = {"spaceKey": self.settings.space, "title": document.title, "type": "page", "expand": WITH_TEXT}
        return _first(self.api.get("/rest/api/content", **asked))

    def create(self, document: Document) -> Any:
        """Write a new page."""
        parent = {"ancestors": [{"id": self.settings.parent}]} if self.settings.parent else {}
        return self.api.call("POST", "/rest/api/content", {**self._page(document), **parent})

    def change(self, page: str, document: Document, version: dict[str, Any]) -> Any:
        """Write a new version of a page."""
        asked = {"id": page, **self._page(document), "version": version}
        return self.api.call("PUT", f"/rest/api/content/{page}", asked)

    def url_of(self, page: object) -> str:
        """Say where a page opens: by its number, which stays when its title changes."""
        number = read_key(read_fields(page).get("id"))
        if not number.isdigit():
            raise DeliveryFailed("Confluence did not say where the page is")
        return f"{self.settings.url.rstrip('/')}/pages/viewpage.action?pageId={number}"

    def _page(self, document: Document) -> dict[str, Any]:
        body = {"storage": {"value": document.html, "representation": "storage"}}
        return {"type": "page", "title": document.title, "space": {"key": self.settings.space}, "body": body}


def _known(settings: Settings, space: str) -> str:
    if not space:
        raise DeliveryFailed(f"Confluence has no space “{settings.space}” that this account sees", permanent=True)
    return space


def _first(found: object) -> dict[str, Any]:
    rows = read_fields(found).get("results")
    return read_fields(rows[0]) if isinstance(rows, list) and rows else {}


def _wiki(settings: Settings, client: Client) -> _Cloud | _DataCenter:
    token = settings.token.get_secret_value()
    if settings.flavour == "data_center":
        return _DataCenter(Api(client, settings.url, {"Authorization": f"Bearer {token}"}), settings)
    pair = base64.b64encode(f"{settings.email}:{token}".encode()).decode()
    return _Cloud(Api(client, settings.url, {"Authorization": f"Basic {pair}"}), settings)
