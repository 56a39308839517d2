"""The palette: find anything the reader may see, or go anywhere. Also a page of its own, for who has no JavaScript."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from watchbill.core.tickets import STAGE_WORDS
from watchbill.db.desk_search import join_found, newest_first
from watchbill.db.models import AlertGroup, Person, Rotation, Service, SupportRequest, Team, Ticket
from watchbill.db.screens.incidents import search_incidents
from watchbill.db.screens.visible import team_ids
from watchbill.db.search import search
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.reader import PageRequest

EACH = 5
Row = TypeVar("Row", SupportRequest, Ticket)
PLACES = (
    ("Now", "/", "who is on watch, what needs me"),
    ("Alerts", "/alerts/", "all that is open"),
    ("Resolved alerts", "/alerts/?state=resolved", ""),
    ("What I took", "/alerts/?mine=on", ""),
    ("Page somebody", "/pages/new/", "do"),
    ("Incidents", "/incidents/", "what is going wrong"),
    ("Declare an incident", "/incidents/new/", "do"),
    ("Silences", "/silences/", ""),
    ("Silence something", "/silences/new/", "do"),
    ("What do I do now?", "/next/", "the next thing, with why"),
    ("Board", "/board/", ""),
    ("Tickets", "/tickets/", "lists by a query"),
    ("My tickets", "/tickets/?q=assignee+%3D+me+and+stage+%21%3D+done", ""),
    ("New ticket", "/tickets/new/", "do"),
    ("Grooming", "/grooming/", ""),
    ("Sprints", "/sprints/", ""),
    ("Requests", "/requests/", "what nobody has yet first"),
    ("My requests", "/requests/?tab=mine", ""),
    ("Log a request for somebody", "/requests/new/", "do"),
    ("Rota", "/rota/", ""),
    ("Services", "/services/", ""),
    ("Add a service", "/services/new/", "do"),
    ("Teams", "/teams/", ""),
    ("Me: addresses, rules, my next shifts", "/me/", ""),
    ("My profile and time zone", "/me/profile/", ""),
    ("My API tokens", "/me/tokens/", ""),
    ("Password, passkeys and sessions", "/accounts/2fa/", ""),
    ("Sign out", "/accounts/logout/", "do"),
)


@dataclass(frozen=True)
class Found:
    """One line of the palette."""

    title: str
    url: str
    kind: str


@login_required
def find(request: PageRequest) -> HttpResponse:
    """Give what matches, best kinds first."""
    # PostgreSQL refuses a NUL in what it is asked.
    text = request.GET.get("q", "").replace("\0", "").strip()[:200]
    words = {"q": text, "found": find_all(request.user, text)}
    if request.headers.get("HX-Request"):
        part = "find/results.html" if "q" in request.GET else "find/palette.html"
        return render(request, part, words)
    return render(request, "find/page.html", words)


def find_all(reader: Person, text: str) -> list[Found]:
    """Find places, services, teams, people, rotations, incidents, requests, tickets and alerts that hold the words."""
    places = [Found(title, url, kind or "page") for title, url, kind in PLACES if text.lower() in title.lower()]
    if not text:
        return places
    teams = team_ids(reader)
    return [
        *places[:EACH],
        *_things(reader, text, teams),
        *_incidents(reader, text),
        *_desk(text, teams),
        *_alerts(text, teams),
    ]


def _things(reader: Person, text: str, teams: list[int] | None) -> list[Found]:
    mine = Q() if teams is None else Q(team__in=teams)
    services = Service.objects.filter(mine, name__icontains=text, archived_at=None).order_by("tier", "name")[:EACH]
    rotations = Rotation.objects.filter(mine, name__icontains=text, archived_at=None).order_by("name")[:EACH]
    in_teams = Q() if teams is None else Q(pk__in=teams)
    found_teams = Team.objects.filter(in_teams, name__icontains=text, archived_at=None).order_by("name")[:EACH]
    known = Q() if teams is None else Q(memberships__team__in=teams)
    people = Person.objects.filter(known, name__icontains=text, is_active=True).distinct().order_by("name")[:EACH]
    return [
        *(Found(str(one), f"/services/{one.slug}/", "service") for one in services),
        *(Found(str(one), f"/rota/{one.slug}/", "rotation") for one in rotations),
        *(Found(str(one), f"/teams/{one.slug}/", "team") for one in found_teams),
        *(_person(one, reader) for one in people),
    ]


def _person(person: Person, reader: Person) -> Found:
    """Give where somebody is found: administrators see accounts, everybody else may page them."""
    if person.pk == reader.pk:
        return Found(str(person), "/me/", "you")
    if reader.is_superuser:
        return Found(str(person), f"/people/{person.pk}/", "person")
    team = person.memberships.values_list("team_id", flat=True).filter(team__memberships__person=reader).first()
    return Found(f"Page {person}", f"/pages/new/?whom=person:{person.pk}:{team}", "do")


def _incidents(reader: Person, text: str) -> list[Found]:
    """Find incidents by I-12, a number, or their words."""
    rows = search_incidents(reader, text, EACH)
    return [Found(one.title, f"/incidents/{one.pk}/", f"incident I-{one.pk}, {one.state}") for one in rows]


def _desk(text: str, teams: list[int] | None) -> list[Found]:
    """Find requests and tickets by R-12, T-34 or a number, and by their words."""
    requests = [
        Found(one.title, f"/requests/{one.pk}/", f"request R-{one.pk}, {one.state}")
        for one in _named(SupportRequest.objects.only("title", "state"), "R", text, teams)
    ]
    tickets = [
        Found(one.title, f"/tickets/{one.pk}/", f"ticket T-{one.pk}, {STAGE_WORDS[one.stage].lower()}")
        for one in _named(Ticket.objects.only("title", "stage"), "T", text, teams)
    ]
    return [*requests, *tickets]


def _named(rows: QuerySet[Row], letter: str, text: str, teams: list[int] | None) -> list[Row]:
    mine = rows if teams is None else rows.filter(team__in=teams)
    number = re.fullmatch(rf"(?:{letter}-)?(\d{{1,18}})", text, re.IGNORECASE | re.ASCII)
    if number:
        return list(mine.filter(pk=int(number[1])))
    return list(newest_first(join_found(mine, [text], teams))[:EACH])


def _alerts(text: str, teams: list[int] | None) -> list[Found]:
    groups = AlertGroup.objects.all() if teams is None else AlertGroup.objects.filter(team__in=teams)
    if one := groups.filter(pk=number_in(text) or 0).first():
        return [Found(one.title, f"/alerts/{one.pk}/", f"alert {one.pk}")]
    rows = search(groups.select_related("service"), text, teams)[: EACH * 2]
    found = [Found(group.title, f"/alerts/{group.pk}/", f"alert, {group.state}") for group in rows]
    return [
        *found,
        Found(f"Search all alerts for “{text}”", f"/alerts/?{urlencode({'state': 'all', 'q': text})}", "search"),
    ]


URLS = [path("find/", find, name="find")]
