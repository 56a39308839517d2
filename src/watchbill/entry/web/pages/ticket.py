"""One ticket: where it is, whose it is, what it lacks, what was said, what may be done, and why it stands where it does."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import epics, ticket_pairs, tickets, tracking
from watchbill.actions.desk import desk_of
from watchbill.core.tickets import STAGES
from watchbill.db import ticket_facts
from watchbill.db.models import Ticket
from watchbill.db.screens import requests as request_screen
from watchbill.db.screens import tickets as screen
from watchbill.db.support_facts import ticket_fact
from watchbill.entry.web.acts import with_own
from watchbill.entry.web.answers import next_url
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.ticket_acts import ACTS, LOGGED, About, Form
from watchbill.entry.web.ticket_words import bare_seats, stale_before, stale_days, standing

# The button under the thumb, for each stage: its word and where it goes.
STEP = {
    "to_do": ("Start it", "in_progress"),
    "in_progress": ("Done", "done"),
    "waiting": ("Go on with it", "in_progress"),
}
TWINS = "connectors/ticket_twin.html"


def ticket_or_404(request: PageRequest, number: int) -> Ticket:
    """Find a ticket that the reader may see; raises Http404 also for one of others."""
    one = screen.find_ticket(request.user, number)
    if one is None:
        raise Http404(f"there is no ticket {number}")
    return one


@login_required
def show(request: PageRequest, number: int) -> HttpResponse:
    """Show one ticket."""
    return _render(request, ticket_or_404(request, number), {})


def _render(request: PageRequest, one: Ticket, given: dict[str, Form], status: int = 200) -> HttpResponse:
    about = _about(request, one)
    is_member = may_answer(request.user, one.team)
    clock = request_screen.running_clock(request.user) if is_member else None
    level = about.desk.order.levels.get(one.priority)
    words: dict[str, Any] = {
        "one": one,
        "story": screen.tell_ticket(one),
        "is_member": is_member,
        "watch": standing(one.team, request.now),
        "level": level,
        "lacks": _lacks(one, about),
        "belongs": tickets.where_it_belongs(one, request.now) if one.stage != "done" and one.kind != "epic" else None,
        "stale": stale_days(one, stale_before(about.desk, request.now), request.now),
        "stays": _stays(one, request),
        "progress": epics.progress(one) if one.kind == "epic" else None,
        "of_epic": epics.progress(one.epic) if one.epic else None,
        "pair": ticket_pairs.pair_context(one) if one.kind in {"quick_fix", "lasting_fix"} else None,
        "groups": ticket_pairs.groups_of([one.pk]),
        "occurrences": tracking.occurrences(one) if one.kind == "tracking" else None,
        "watched": tracking.watched(one) if one.kind == "tracking" else None,
        "clock": clock,
        "runs_here": clock is not None and clock.ticket_id == one.pk,
        "logged": LOGGED,
        "step": STEP.get(one.stage),
        "stages": [stage for stage in STAGES if stage != one.stage],
        "open_form": next(iter(given), ""),
        "twins": _twins(),
        "vendor_cases": one.vendor_cases.order_by("closed_at", "-id"),
    }
    if is_member:
        words["forms"] = {
            name.replace("-", "_"): given.get(name) or act.form(None, about, name) for name, act in ACTS.items()
        }
    return render(request, "tickets/one.html", words, status=status)


def _lacks(one: Ticket, about: About) -> str:
    """Say what is missing before it may be done, before somebody tries."""
    fact = ticket_fact(one)
    if one.stage == "done":
        return ""
    if fact.lacks_pair and about.desk.quick_fixes.demand != "nothing":
        return "its lasting fix as a ticket, or the reason why there is none"
    return f"{fact.open_parts} of its parts, which are open" if fact.open_parts else ""


def _stays(one: Ticket, request: PageRequest) -> list[tuple[str, Any, int]]:
    """Give the time at each stage, and its percent of all (MET-01)."""
    found = ticket_facts.times(one, request.now)
    whole = max(sum(stay.length.total_seconds() for stay in found), 1)
    return [(stay.stage, stay.length, round(100 * stay.length.total_seconds() / whole)) for stay in found]


def _twins() -> str:
    """Give the part of the page that shows twins in trackers; nothing: there are no connectors."""
    try:
        get_template(TWINS)
    except TemplateDoesNotExist:
        return ""
    return TWINS


def _about(request: PageRequest, one: Ticket) -> About:
    return About(
        ticket=one,
        desk=desk_of(one.team, request.now),
        reader=request.user,
        now=request.now,
        members=screen.members_of(one.team),
        seats=bare_seats(one.team),
        services=with_own(screen.services_of(one.team), one.service),
        communities=with_own(request_screen.communities_of([one.team_id]), one.community),
        sprints=screen.open_sprints_of(one.team),
    )


@login_required
@require_POST
def act(request: PageRequest, number: int, name: str) -> HttpResponse:
    """Do one thing with a ticket; a refusal shows the page again with what was typed."""
    if name not in ACTS:
        raise Http404(name)
    one = ticket_or_404(request, number)
    about = _about(request, one)
    form = ACTS[name].form(request.POST, about, name)
    if form.is_valid():
        result = attempt(form, ACTS[name].do, about, form.cleaned_data)
        if result is not None:
            messages.success(request, ACTS[name].words(result))
            return redirect(next_url(request, f"/tickets/{number}/"))
    return _render(request, screen.find_ticket(request.user, number) or one, {name: form}, 409)


URLS = [
    path("tickets/<int:number>/", show, name="ticket"),
    path("tickets/<int:number>/<slug:name>/", act, name="ticket-act"),
]
