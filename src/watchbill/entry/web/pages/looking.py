"""Looking without an alarm, and calls that one would make differently: a team's page of both (DUT-02, DUT-08)."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import looking
from watchbill.db.screens import requests as request_screen
from watchbill.db.screens.visible import find_group
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest, team_or_404
from watchbill.kit.errors import Refused

SHOWN = timedelta(days=92)


@login_required
def look(request: PageRequest, slug: str) -> HttpResponse:
    """Show a team's consoles and who looked today; take that somebody did, and what they saw."""
    team = team_or_404(request, slug)
    refused = ""
    if request.method == "POST":
        try:
            looking.look(team, request.POST.get("seen", ""), request.user, request.now)
        except Refused as error:
            refused = error.message
        else:
            messages.success(request, "Noted. Thank you for looking.")
            return redirect("looking", slug)
    words = {
        "team": team,
        "consoles": looking.consoles(team),
        "last": looking.last_look(team, request.now),
        "regrets": looking.regrets(team, request.now - SHOWN, request.now + timedelta(seconds=1)),
        "is_member": may_answer(request.user, team),
        "refused": refused,
        "seen": request.POST.get("seen", ""),
    }
    return render(request, "teams/looking.html", words, status=409 if refused else 200)


@login_required
@require_POST
def regret(request: PageRequest, kind: str, number: int) -> HttpResponse:
    """Take what somebody would do differently now, on an alert or a request."""
    work = find_group(request.user, number) if kind == "alerts" else request_screen.find_request(request.user, number)
    if work is None:
        raise Http404
    try:
        looking.regret(work, request.POST.get("text", ""), request.user, request.now)
        messages.success(request, "Noted, for the next review. Nobody is blamed for a call.")
    except Refused as error:
        messages.error(request, error.message)
    return redirect(f"/{kind}/{number}/")


URLS = [
    path("teams/<slug:slug>/looking/", look, name="looking"),
    path("alerts/<int:number>/regret/", regret, {"kind": "alerts"}, name="alert-regret"),
    path("requests/<int:number>/regret/", regret, {"kind": "requests"}, name="request-regret"),
]
