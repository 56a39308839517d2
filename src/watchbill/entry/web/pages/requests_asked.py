"""Requests asked for in a query, kept under a name, fed: what the inbox's tabs do not answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.db.by_key import is_newest_first
from watchbill.db.models import SupportRequest, Team
from watchbill.db.queries import REQUEST_FIELDS, REQUESTS, Key, keys_of, narrow, page_of
from watchbill.db.screens import requests as screen
from watchbill.db.screens.tickets import every_row
from watchbill.entry.web.csv_answer import stream_csv
from watchbill.entry.web.pages import saved_filters
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.pages.requests import COLUMNS, CSV_MOST, cells, rows_of
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.ticket_words import choosable, reader_of
from watchbill.kit.errors import Refused

NEWEST = (Key("pk", descending=True, nullable=False),)


@login_required
def asked(request: PageRequest) -> HttpResponseBase:
    """List the requests of a team for which a query holds."""
    team, _ = choosable(request)
    if team is None:
        return redirect("/requests/")
    return _render(request, team, request.GET)


def _render(
    request: PageRequest, team: Team, address: QueryDict, more: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponseBase:
    saved = saved_filters.chosen(request, team, "requests", address)
    text = address.get("q", saved.query if saved else "").strip()
    given = {"team": team.slug, "q": text, "filter": str(saved.pk) if saved else ""}
    given = {name: value for name, value in given.items() if value}
    found: list[SupportRequest] = []
    mark, problem = "", ""
    try:
        query = REQUESTS.read(text)
        keys = keys_of(query, REQUESTS, NEWEST) if query.order else NEWEST
        reader = reader_of(request.user, team, request.now)
        rows = narrow(screen.requests_of(team), query, REQUESTS, reader, newest_first=is_newest_first(keys))
        if address.get("format") == "csv":
            return stream_csv("requests", COLUMNS, map(cells, every_row(rows, keys, CSV_MOST)), request.now)
        found, mark = page_of(rows, keys, address.get("after", ""), screen.ROWS)
    except Refused as refusal:
        problem = refusal.message
    words = {
        "team": team,
        "teams": choosable(request)[1],
        "problem": problem,
        "rows": rows_of(found, request),
        "answering": {team.pk} if may_answer(request.user, team) else set(),
        "next": urlencode({**given, "after": mark}) if mark else "",
        "first": urlencode(given) if address.get("after") else "",
        "csv": urlencode({**given, "format": "csv"}),
        "fields": sorted(REQUEST_FIELDS),
        **saved_filters.words(request, team, "requests", saved, text),
        **(more or {}),
    }
    return render(request, "requests/asked.html", words, status=status)


@login_required
@require_POST
def save(request: PageRequest) -> HttpResponseBase:
    """Keep the query of the list under a name; a refusal keeps what was typed."""
    team = saved_filters.team_named(request)
    made = saved_filters.keep(request, team, "requests")
    if isinstance(made, dict):
        return _render(request, team, request.POST, made, 409)
    return redirect(saved_filters.list_url(made))


URLS = [
    path("requests/asked/", asked, name="requests-asked"),
    path("requests/asked/filters/", save, name="requests-filter-save"),
]
