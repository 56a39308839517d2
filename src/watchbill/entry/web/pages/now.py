"""Now: who is on watch, what needs the reader, what is due, what is about to go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from watchbill.actions.access import ROLES, role_of
from watchbill.actions.reachability import reachability
from watchbill.core.wallclock import day_of
from watchbill.db.handoff_facts import due_from, late_of
from watchbill.db.models import Person, Shift, Team
from watchbill.db.notice_facts import notices_now
from watchbill.db.screens import now as screen
from watchbill.db.screens.incidents import incidents_now
from watchbill.db.screens.requests import requests_now
from watchbill.db.screens.strip import read_strip
from watchbill.db.screens.visible import teams_of
from watchbill.entry.web.incident_rows import rows_of as incident_rows
from watchbill.entry.web.incident_rows import worst_first
from watchbill.entry.web.order import severity_orders
from watchbill.entry.web.pages.requests import rows_of
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.watches import Watch, watches_now

DAYS = 14
PLANNED_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Headline:
    """The answer to "am I on watch?", or who is: `mine`, else the first of `others`, else nobody in `team`.

    Those who stand longest come first.
    """

    mine: list[Watch]
    others: list[Watch]
    next_mine: Shift | None
    following: Shift | None
    team: Team | None


@login_required
def now(request: PageRequest) -> HttpResponse:
    """Show the page that answers "what now?"."""
    reader = request.user
    teams = teams_of(reader)
    page = screen.read_now(reader, teams, severity_orders(teams), request.now)
    rotations = list({shift.rotation_id: shift.rotation for shift in page.shifts}.values())
    lead = headline(reader, teams, page.shifts, request)
    watched = [watch.shift.rotation.team_id for watch in lead.mine]
    words = {
        "teams": teams,
        "headline": lead,
        "incidents": worst_first(incident_rows(incidents_now(reader), request)),
        "requests": rows_of(requests_now(reader, watched), request),
        "planned": notices_now([team.pk for team in teams], request.now, PLANNED_AHEAD),
        "handoffs": due_from(reader, request.now),
        "late_handoffs": late_of([team.pk for team in teams], reader, request.now),
        "strip": read_strip(rotations, reader, day_of(request.now, reader.zone), DAYS, request.now),
        "several": len(rotations) > 1,
        "page": page,
        "unreachable": reachability(teams, request.now),
        "answering": {team.pk for team in teams if _may_answer(reader, team)},
    }
    return render(request, "now/now.html", words)


def headline(reader: Person, teams: list[Team], shifts: list[Shift], request: PageRequest) -> Headline:
    """Work out the first sentence."""
    watches = sorted(watches_now(shifts, request.now), key=lambda watch: watch.until, reverse=True)
    coming = [shift for shift in shifts if shift.starts_at > request.now and shift.person_id]
    coming.sort(key=lambda shift: shift.starts_at)
    return Headline(
        mine=[watch for watch in watches if watch.shift.person_id == reader.pk],
        others=[watch for watch in watches if watch.shift.person_id != reader.pk],
        next_mine=next((shift for shift in coming if shift.person_id == reader.pk), None),
        following=next(iter(coming), None),
        team=teams[0] if teams else None,
    )


def _may_answer(reader: Person, team: Team) -> bool:
    role = role_of(reader, team)
    return role is not None and ROLES.index(role) >= ROLES.index("member")


URLS = [path("", now, name="now")]
