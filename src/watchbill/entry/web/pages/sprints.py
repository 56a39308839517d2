"""Sprints: what was promised to operations and what they got, feature against operations, epics before they burn."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import epics, sprints
from watchbill.actions.access import require
from watchbill.core.wallclock import day_of
from watchbill.core.workload import Unit
from watchbill.db import ticket_facts
from watchbill.db.models import Sprint, Team
from watchbill.db.screens import tickets as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import choose
from watchbill.entry.web.ticket_words import choosable, read_day, standing
from watchbill.entry.web.work_chart import MEASURES, draw
from watchbill.kit.errors import Refused

DAY = forms.DateInput(attrs={"type": "date"})
# With the week that runs, twelve whole ones.
WEEKS = timedelta(weeks=11)
MEASURED = timedelta(days=90)
BUCKETS = {"week": "by week", "month": "by month", "sprint": "by sprint"}
KINDS = {"team": "The team’s", "ops": "Of operations"}


class SprintForm(forms.Form):
    """A sprint; both days count."""

    name = forms.CharField(max_length=80)
    kind = forms.ChoiceField(choices=KINDS.items(), widget=forms.RadioSelect, initial="team")
    starts_on = forms.DateField(label="First day", widget=DAY)
    ends_on = forms.DateField(label="Last day", widget=DAY)
    goal = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    capacity_points = forms.IntegerField(label="Points that fit", required=False, min_value=0, max_value=10_000)
    ops_share = forms.IntegerField(
        label="Promised to operations, percent",
        required=False,
        min_value=0,
        max_value=100,
        help_text="Empty: as the team’s policy says.",
    )


class CloseForm(forms.Form):
    """Close a sprint, and say where its open tickets go."""

    next = forms.ChoiceField(label="What is open goes", required=False)

    def __init__(self, data: Any, sprint: Sprint) -> None:
        super().__init__(data, label_suffix="", auto_id="close-%s")
        others = [one for one in screen.open_sprints_of(sprint.team) if one.pk != sprint.pk]
        choose(self, "next", [(str(one.pk), f"into {one}") for one in others], "back to the queue")


@login_required
def sprint_list(request: PageRequest) -> HttpResponse:
    """Show a team's sprints, its chart over any time, and its epics."""
    team, teams = choosable(request)
    if team is None:
        return render(request, "tickets/sprints.html", {"team": None})
    today = day_of(request.now, team.zone)
    running = sprints.current(team, "team", request.now) or sprints.current(team, "ops", request.now)
    words = {
        "team": team,
        "teams": teams,
        "running": running,
        "capacity": sprints.capacity(running, request.now) if running else None,
        "sprints": [(one, sprints.state_of(one, request.now)) for one in _with_team(team)],
        "upkeep": sprints.upkeep(team, request.now),
        "outlook": epics.outlook(team, request.now),
        "medians": ticket_facts.medians(team, request.now - MEASURED, request.now),
        "is_member": may_answer(request.user, team),
        "today": today,
        **_chart(request, team, today),
    }
    return render(request, "tickets/sprints.html", words)


def _with_team(team: Team) -> list[Sprint]:
    found = screen.sprints_of(team)
    for one in found:
        one.team = team
    return found


def _chart(request: PageRequest, team: Team, today: date) -> dict[str, Any]:
    """Draw the window that the address asks for: twelve weeks unless it says otherwise; its last day counts."""
    given = request.GET
    until = read_day(given.get("until", "")) or today
    since = read_day(given.get("since", "")) or until - WEEKS - timedelta(days=until.weekday())
    bucket = given.get("bucket", "week") if given.get("bucket", "week") in BUCKETS else "week"
    measure = given.get("measure", "tickets") if given.get("measure", "tickets") in MEASURES else "tickets"
    promised = sprints.rule_of(team, request.now).share_percent
    words: dict[str, Any] = {
        "since": since,
        "until": until,
        "bucket": bucket,
        "measure": measure,
        "buckets": BUCKETS.items(),
        "measures": MEASURES.items(),
        "promised": promised,
    }
    try:
        found = sprints.kinds_over(team, since, until + timedelta(days=1), cast("Unit", bucket), [measure])
    except Refused as refusal:
        return {**words, "problem": refusal.message}
    return {**words, "chart": draw(found, measure, promised) if found else None}


def sprint_or_404(request: PageRequest, number: int) -> Sprint:
    """Find a sprint that the reader may see; raises Http404 also for one of others."""
    found = screen.find_sprint(request.user, number)
    if found is None:
        raise Http404
    return found


@login_required
def new(request: PageRequest) -> HttpResponse:
    """Plan a sprint."""
    team, _ = choosable(request)
    if team is None:
        raise Http404
    require(request.user, team, "member", "plan a sprint")
    form = SprintForm(request.POST or None, initial=_after_the_last(team, request))
    if form.is_valid():
        made = attempt(form, sprints.add_sprint, team, form.cleaned_data, request.user, request.now)
        if made:
            messages.success(request, f"{made} is planned.")
            return redirect(f"/sprints/{made.pk}/")
    return render(request, "tickets/sprint_edit.html", {"form": form, "team": team, "sprint": None})


def _after_the_last(team: Team, request: PageRequest) -> dict[str, Any]:
    """Offer the days after the last sprint, of the same length."""
    last = Sprint.objects.filter(team=team, kind="team").order_by("-ends_on").first()
    today = day_of(request.now, team.zone)
    length = last.ends_on - last.starts_on if last else timedelta(days=13)
    starts = max(last.ends_on + timedelta(days=1), today) if last else today
    return {"starts_on": starts, "ends_on": starts + length, "kind": "team"}


@login_required
def one(request: PageRequest, number: int) -> HttpResponse:
    """Show one sprint."""
    return _show(request, sprint_or_404(request, number), None)


def _show(request: PageRequest, sprint: Sprint, close: CloseForm | None, status: int = 200) -> HttpResponse:
    words = {
        "sprint": sprint,
        "team": sprint.team,
        "state": sprints.state_of(sprint, request.now),
        "capacity": sprints.capacity(sprint, request.now),
        "tickets": screen.tickets_in(sprint),
        "watch": standing(sprint.team, request.now),
        "close": close or CloseForm(None, sprint),
        "is_member": may_answer(request.user, sprint.team),
        "days_left": (sprint.ends_on - day_of(request.now, sprint.team.zone)).days,
        "timeline": screen.lines_of("sprint", sprint.pk),
    }
    return render(request, "tickets/sprint.html", words, status=status)


@login_required
def edit(request: PageRequest, number: int) -> HttpResponse:
    """Change a sprint."""
    sprint = sprint_or_404(request, number)
    require(request.user, sprint.team, "member", "change a sprint")
    form = SprintForm(request.POST or None, initial={name: getattr(sprint, name) for name in sprints.EDITABLE})
    if form.is_valid() and attempt(form, sprints.change_sprint, number, form.cleaned_data, request.user, request.now):
        messages.success(request, "Saved.")
        return redirect(f"/sprints/{number}/")
    return render(request, "tickets/sprint_edit.html", {"form": form, "team": sprint.team, "sprint": sprint})


@login_required
@require_POST
def start(request: PageRequest, number: int) -> HttpResponse:
    """Let a planned sprint begin today."""
    sprint_or_404(request, number)
    begun = sprints.start_now(number, request.user, request.now)
    messages.success(request, f"{begun} runs.")
    return redirect(f"/sprints/{number}/")


@login_required
@require_POST
def close(request: PageRequest, number: int) -> HttpResponse:
    """Close a sprint; what is open goes on."""
    sprint = sprint_or_404(request, number)
    form = CloseForm(request.POST, sprint)
    if form.is_valid():
        following = int(form.cleaned_data["next"]) if form.cleaned_data["next"] else None
        closed = attempt(form, sprints.close_sprint, number, following, request.user, request.now)
        if closed:
            messages.success(request, f"{closed.sprint} is closed: {closed.done} done, {len(closed.moved)} went on.")
            return redirect(f"/sprints/{number}/")
    return _show(request, sprint, form, 409)


URLS = [
    path("sprints/", sprint_list, name="sprints"),
    path("sprints/new/", new, name="sprint-new"),
    path("sprints/<int:number>/", one, name="sprint"),
    path("sprints/<int:number>/edit/", edit, name="sprint-edit"),
    path("sprints/<int:number>/start/", start, name="sprint-start"),
    path("sprints/<int:number>/close/", close, name="sprint-close"),
]
