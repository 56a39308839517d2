"""Feeds of saved filters, as Atom (RFC 4287) and JSON Feed 1.1, for any reader of feeds, without signing in.

The key in the address is signed. A feed gives what the filter's owner may see at that moment, and nothing after they
left the team, deleted the filter or ended its feed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as Xml

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe

from watchbill.actions import filters
from watchbill.core.tickets import STAGE_WORDS
from watchbill.db.models import SavedFilter, SupportRequest, Ticket
from watchbill.db.queries import Key, keys_of, narrow, page_of
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.ticket_words import reader_of
from watchbill.kit.errors import Refused

ENTRIES = 50
FRESH = 300
_ATOM = "http://www.w3.org/2005/Atom"
_NEWEST = {"tickets": "changed_at", "requests": "last_message_at"}


@require_safe
def feed(request: PageRequest, key: str) -> HttpResponse:
    """Give a filter's feed; 404 for a key that is not ours or has ended."""
    found = filters.filter_of_key(key)
    if found is None:
        raise Http404
    rows = read_entries(found, request.now)
    url = settings.WATCHBILL_URL.rstrip("/") + request.get_full_path()
    body, kind = _json(found, rows, url) if _wants_json(request) else _atom(found, rows, url)
    response = HttpResponse(body, content_type=f"{kind}; charset=utf-8")
    response["Cache-Control"] = f"private, max-age={FRESH}"
    response["X-Robots-Tag"] = "noindex"
    return response


def _wants_json(request: HttpRequest) -> bool:
    named = request.GET.get("format", "")
    return named == "json" or (not named and "application/feed+json" in request.headers.get("Accept", ""))


def read_entries(found: SavedFilter, now: datetime) -> list[Any]:
    """Read what a filter finds for its owner now: in the order that it names, else what changed last."""
    language = filters.LANGUAGES[found.about]
    beside = ("assignee", "service") if found.about == "tickets" else ("assignee", "service", "requester")
    rows: Any = language.model._default_manager.filter(team=found.team_id).select_related(*beside)
    try:
        query = language.read(found.query)
        keys = keys_of(query, language, [Key(_NEWEST[found.about], descending=True)])
        return page_of(narrow(rows, query, language, reader_of(found.person, found.team, now)), keys, "", ENTRIES)[0]
    except Refused:
        # A field that was taken out of the language since: the feed stays, empty, and the list says what is wrong.
        return []


def _entry(row: Ticket | SupportRequest) -> dict[str, str]:
    base = settings.WATCHBILL_URL.rstrip("/")
    if isinstance(row, Ticket):
        url, name, where, changed = f"{base}/tickets/{row.pk}/", f"T-{row.pk}", STAGE_WORDS[row.stage], row.changed_at
    else:
        url, name, where = f"{base}/requests/{row.pk}/", f"R-{row.pk}", row.state.capitalize()
        changed = row.last_message_at or row.opened_at
    whose = str(row.assignee or (row.seat if isinstance(row, Ticket) else "") or "nobody yet")
    about = [where, whose, str(row.service or "")]
    return {
        "url": url,
        "title": f"{name} {row.title}",
        "summary": " · ".join(part for part in about if part),
        "changed": changed.astimezone(UTC).isoformat(),
    }


def _atom(found: SavedFilter, rows: Sequence[Any], url: str) -> tuple[bytes, str]:
    Xml.register_namespace("", _ATOM)
    entries = [_entry(row) for row in rows]
    root = Xml.Element(f"{{{_ATOM}}}feed")
    newest = max((entry["changed"] for entry in entries), default=found.created_at.astimezone(UTC).isoformat())
    for name, text in (("id", url), ("title", f"{found} ({found.team})"), ("updated", newest)):
        Xml.SubElement(root, f"{{{_ATOM}}}{name}").text = _plain(text)
    Xml.SubElement(root, f"{{{_ATOM}}}link", rel="self", href=url)
    author = Xml.SubElement(root, f"{{{_ATOM}}}author")
    Xml.SubElement(author, f"{{{_ATOM}}}name").text = "Watchbill"
    for entry in entries:
        node = Xml.SubElement(root, f"{{{_ATOM}}}entry")
        texts = (
            ("id", entry["url"]),
            ("title", entry["title"]),
            ("updated", entry["changed"]),
            ("summary", entry["summary"]),
        )
        for name, text in texts:
            Xml.SubElement(node, f"{{{_ATOM}}}{name}").text = _plain(text)
        Xml.SubElement(node, f"{{{_ATOM}}}link", href=entry["url"])
    return Xml.tostring(root, encoding="utf-8", xml_declaration=True), "application/atom+xml"


def _plain(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(sign for sign in text if sign >= " ")


def _json(found: SavedFilter, rows: Sequence[Any], url: str) -> tuple[bytes, str]:
    entries = [_entry(row) for row in rows]
    whole = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"{found} ({found.team})",
        "feed_url": url,
        "home_page_url": settings.WATCHBILL_URL,
        "items": [
            {
                "id": entry["url"],
                "url": entry["url"],
                "title": entry["title"],
                "content_text": entry["summary"],
                "date_modified": entry["changed"],
            }
            for entry in entries
        ],
    }
    return json.dumps(whole, ensure_ascii=False).encode(), "application/feed+json"


URLS = (path("feeds/filter/<str:key>/", feed, name="filter-feed"),)
