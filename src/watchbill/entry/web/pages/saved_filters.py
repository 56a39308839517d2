"""Saved filters on the lists of tickets and of requests: kept under a name, changed, shared, fed, ended."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import filters
from watchbill.actions.access import role_of
from watchbill.db.models import SavedFilter, Team
from watchbill.db.screens import tickets as screen
from watchbill.db.screens.visible import sees_team, teams_of
from watchbill.entry.web.reader import PageRequest, team_or_404
from watchbill.kit.errors import Refused

LISTS = {"tickets": "/tickets/", "requests": "/requests/asked/"}


def list_url(found: SavedFilter) -> str:
    """Give the address of the list that a filter gives."""
    return f"{LISTS[found.about]}?{urlencode({'team': found.team.slug, 'filter': found.pk})}"


def chosen(request: PageRequest, team: Team, about: str, address: QueryDict) -> SavedFilter | None:
    """Give the filter that an address names, if the reader may use it."""
    number = address.get("filter", "")
    return next((one for one in screen.filters_of(request.user, [team], about) if str(one.pk) == number), None)


def words(request: PageRequest, team: Team, about: str, saved: SavedFilter | None, text: str) -> dict[str, Any]:
    """Give what a list says of its filters; `text` is the query that stands there now."""
    is_own = saved is not None and saved.person_id == request.user.pk
    return {
        "list_url": LISTS[about],
        "saved": screen.filters_of(request.user, [team], about),
        "chosen": saved,
        "query": text,
        "feed": filters.feed_key(saved) if saved and is_own else "",
        "is_owner": role_of(request.user, team) == "owner",
    }


def team_named(request: PageRequest) -> Team:
    """Give the team that a form names; raises Http404."""
    slug = request.POST.get("team", "")
    return next((one for one in teams_of(request.user) if one.slug == slug), None) or team_or_404(request, slug)


def keep(request: PageRequest, team: Team, about: str) -> SavedFilter | dict[str, Any]:
    """Keep the query of a list under a name; gives what was typed, with what is wrong, when it is refused."""
    name, text = request.POST.get("name", ""), request.POST.get("q", "")
    is_shared = bool(request.POST.get("is_shared"))
    try:
        made = filters.save_filter(team, request.user, name, text, request.now, about=about, is_shared=is_shared)
    except Refused as refusal:
        return {"name_problem": refusal.message, "name": name, "is_shared": is_shared}
    messages.success(request, f"“{made}” is saved.")
    return made


@login_required
@require_POST
def change(request: PageRequest, number: int) -> HttpResponse:
    """Rename a filter, give it the query that stands in the list, share it, give it a feed, end it."""
    found = SavedFilter.objects.select_related("team").filter(pk=number).first()
    if found is None or not sees_team(request.user, found.team_id):
        raise Refused("this filter is gone")
    match request.POST.get("do", ""):
        case "delete":
            filters.delete_filter(number, request.user, request.now)
            messages.success(request, f"“{found}” is deleted.")
            return redirect(f"{LISTS[found.about]}?{urlencode({'team': found.team.slug})}")
        case "feed":
            filters.open_feed(number, request.user, request.now)
            messages.success(request, "The feed has a new address; an older one works no more.")
        case "no-feed":
            filters.close_feed(number, request.user, request.now)
            messages.success(request, "The feed is ended.")
        case _:
            values = {
                "name": request.POST.get("name", found.name),
                "query": request.POST.get("q", found.query),
                "is_shared": bool(request.POST.get("is_shared")),
            }
            filters.change_filter(number, values, request.user, request.now)
            messages.success(request, "The filter is saved.")
    return redirect(list_url(found))


URLS = [path("tickets/filters/<int:number>/", change, name="filter-change")]
