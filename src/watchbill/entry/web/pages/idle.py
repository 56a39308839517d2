"""What do I do now? For whoever stands the watch while nothing burns (DUT-11 to DUT-14)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from watchbill.actions import idle, sprints, stale
from watchbill.actions.access import require
from watchbill.db.models import Team
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.ticket_words import choosable, standing

WORDS = {
    "burning": ("firing", "Burns"),
    "mine": ("taken", "Yours"),
    "sprint": ("quiet", "Ops sprint"),
    "backlog": ("quiet", "Backlog"),
    "epic": ("quiet", "Split it"),
    "alarm": ("waiting", "Often"),
    "finding": ("waiting", "Finding"),
    "console": ("quiet", "Look"),
    "runbook": ("quiet", "Runbook"),
    "stale": ("taken", "Stale"),
    "feature": ("quiet", "Feature"),
    "own": ("quiet", "Your own"),
}


class OwnForm(forms.Form):
    """An investigation of one's own: ticket, label and operations sprint at once (DUT-14)."""

    title = forms.CharField(label="What do you look into?", max_length=300)
    why = forms.CharField(
        label="Why now?", required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What made you curious: a graph, an alarm, something that a requester said.",
    )  # fmt: skip


@login_required
def what_now(request: PageRequest) -> HttpResponse:
    """Offer the next thing to do, and begin an investigation of one's own."""
    team, teams = choosable(request)
    if team is None:
        return render(request, "tickets/next.html", {"team": None})
    form = OwnForm(request.POST or None, label_suffix="")
    if request.method == "POST":
        require(request.user, team, "member", "begin an investigation")
        if form.is_valid():
            ticket = attempt(form, _begin, team, form.cleaned_data, request)
            if ticket:
                messages.success(request, f"T-{ticket.pk} is yours: in progress, in {ticket.sprint}.")
                return redirect(f"/tickets/{ticket.pk}/")
    ideas = [idea for idea in idle.suggest(request.user, team, request.now) if idea.kind != "own"]
    offered = {idea.ticket for idea in ideas}
    lying = stale.stale(team, request.user, request.now)
    mine = {
        watch.shift.seat for watch in standing(team, request.now).values() if watch.shift.person_id == request.user.pk
    }
    words: dict[str, Any] = {
        "team": team,
        "teams": teams,
        "burning": [idea for idea in ideas if idea.kind == "burning"],
        "ideas": [(idea, *WORDS.get(idea.kind, ("quiet", idea.kind.capitalize()))) for idea in ideas],
        "seats": sorted(mine),
        "lies": [one for one in lying if one.ticket.pk not in offered][:10],
        "sprint": sprints.current(team, "ops", request.now),
        "form": form,
        "is_member": may_answer(request.user, team),
    }
    return render(request, "tickets/next.html", words, status=409 if form.errors else 200)


def _begin(team: Team, given: dict[str, Any], request: PageRequest) -> Any:
    """Begin it in the running operations sprint, which is begun first when there is none."""
    sprint = sprints.ops_sprint_for(team, request.user, request.now)
    return idle.start_investigation(request.user, team, given["title"], given["why"], request.now, sprint=sprint)


URLS = [path("next/", what_now, name="next")]
