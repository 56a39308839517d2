"""Drills: start a scenario as an exercise, follow it, and look back (INC-21)."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import drills
from watchbill.actions.access import require
from watchbill.core import drills as core
from watchbill.db.models import Drill
from watchbill.db.screens import drills as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.ticket_words import choosable
from watchbill.kit.errors import Refused

SAMPLE = """title: The disk of the database is full
impact: Nobody can save
steps:
  - {after: 0m, page: Disk full on db1, severity: critical}
  - {after: 4m, request: I cannot save, from: Ria}
  - {after: 10m, vendor: The host, says: We look at it tomorrow}
  - {after: 30m, say: The disk is free again}
expect: {acknowledged: 5m, commander: 10m, update: 20m, resolved: 60m}
ends_after: 90m
"""


class DrillForm(forms.Form):
    """A scenario and how fast the clock runs."""

    scenario = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "class": "code"}),
        max_length=core.LONGEST_SCENARIO,
        help_text="Times are scenario time: 30s, 5m, 2h. A step is a page, a request, a vendor or say.",
    )
    speed = forms.FloatField(
        label="How many times as fast",
        initial=1,
        min_value=1,
        max_value=core.FASTEST,
        help_text="At 10, ten minutes of the scenario and of the ladder’s waits take one.",
    )


@login_required
def drill_list(request: PageRequest) -> HttpResponse:
    """Show a team's drills, and begin one."""
    team, teams = choosable(request)
    if team is None:
        return render(request, "drills/list.html", {"team": None})
    words = {
        "team": team,
        "teams": teams,
        "drills": screen.list_drills(request.user, team),
        "is_member": may_answer(request.user, team),
    }
    return render(request, "drills/list.html", words)


@login_required
def new(request: PageRequest) -> HttpResponse:
    """Begin a drill; what is wrong with the scenario is said with its place."""
    team, _ = choosable(request)
    if team is None:
        raise Http404
    require(request.user, team, "member", "run a drill")
    form = DrillForm(request.POST or None, initial={"scenario": SAMPLE}, label_suffix="")
    if form.is_valid():
        given = form.cleaned_data
        made = attempt(form, _start, team, given["scenario"], given["speed"], request.user, request.now)
        if made:
            messages.success(request, f"{made} has begun. Whoever is on watch is paged as in earnest.")
            return redirect(f"/drills/{made.pk}/")
    return render(request, "drills/new.html", {"form": form, "team": team}, status=422 if form.errors else 200)


def _start(*given: object) -> Drill:
    """Start it; a place within the scenario is said at the scenario's field."""
    try:
        return drills.start(*given)  # type: ignore[arg-type]
    except Refused as refusal:
        field = "scenario" if refusal.field.startswith("scenario") else refusal.field
        raise Refused(refusal.message, field) from None


def drill_or_404(request: PageRequest, number: int) -> Drill:
    """Find a drill that the reader may see; raises Http404 also for one of others."""
    found = screen.find_drill(request.user, number)
    if found is None:
        raise Http404
    return found


@login_required
def one(request: PageRequest, number: int) -> HttpResponse:
    """Show a drill: what comes when, or what was learned."""
    drill = drill_or_404(request, number)
    scenario = core.read_scenario(drill.scenario)
    steps = [
        (place < drill.next_step, core.due_at(step.after, drill.started_at, drill.speed), step)
        for place, step in enumerate(scenario.steps)
    ]
    words = {
        "drill": drill,
        "scenario": scenario,
        "steps": steps,
        "ends_at": core.due_at(scenario.ends_after, drill.started_at, drill.speed),
        "marks": [
            {**mark, "came": _length(mark["came"]), "expected": _length(mark["expected"])}
            for mark in drill.debrief.get("marks", ())
        ],
        "pages": [
            {**page, "lines": [{**line, "after": _length(line["after"])} for line in page["lines"]]}
            for page in drill.debrief.get("pages", ())
        ],
        "is_member": may_answer(request.user, drill.team),
    }
    return render(request, "drills/one.html", words)


def _length(seconds: int | None) -> str:
    """Say a length: 4 min, 1 h 20 min, 30 s."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds} s"
    hours, rest = divmod(timedelta(seconds=seconds), timedelta(hours=1))
    minutes = rest // timedelta(minutes=1)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


@login_required
@require_POST
def stop(request: PageRequest, number: int) -> HttpResponse:
    """Stop a drill before its end."""
    drill_or_404(request, number)
    try:
        drills.stop(number, request.user, request.now)
        messages.success(request, "It is over. Nobody is called any more.")
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect(f"/drills/{number}/")


URLS = [
    path("drills/", drill_list),
    path("drills/new/", new),
    path("drills/<int:number>/", one),
    path("drills/<int:number>/stop/", stop),
]
