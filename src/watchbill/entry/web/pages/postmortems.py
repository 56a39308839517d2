"""All post-mortems, and what the team learned: open actions, reports that are owed, how long things took (PM-03, PM-09)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import report_import
from watchbill.actions.measuring import read_measures
from watchbill.core.postmortems import STATE_WORDS
from watchbill.core.wallclock import day_of
from watchbill.db.models import Team
from watchbill.db.screens import postmortems as screen
from watchbill.db.screens.visible import teams_of
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import FilesField
from watchbill.kit.errors import Refused

MEASURED = timedelta(days=90)


class ImportForm(forms.Form):
    """Reports that were written elsewhere."""

    reports = FilesField(label="Reports", help_text="Markdown, or PDF as PagerDuty exports it. Several at once.")


def _team(request: PageRequest, teams: list[Team]) -> Team | None:
    return next((one for one in teams if one.slug == request.GET.get("team")), None)


@login_required
def show(request: PageRequest) -> HttpResponse:
    """List post-mortems, the newest first."""
    teams = teams_of(request.user)
    team = _team(request, teams)
    before = request.GET.get("before", "")
    rows, older = screen.page_of(request.user, team, number_in(before))
    words: dict[str, Any] = {
        "rows": [(one, STATE_WORDS[one.state]) for one in rows],
        "older": older,
        "team": team,
        "teams": teams,
        "form": ImportForm(),
        "imports": [one for one in teams if may_answer(request.user, one)],
    }
    return render(request, "postmortems/list.html", words)


@login_required
def learned(request: PageRequest) -> HttpResponse:
    """Show what teams owe from the last quarters, what the weekly meeting talks about, and how long things took."""
    teams = teams_of(request.user)
    team = _team(request, teams)
    chosen = [team] if team else teams
    numbers = [one.pk for one in chosen]
    since = request.now - MEASURED
    words: dict[str, Any] = {
        "debt": screen.debt_of(request.user, numbers, request.now),
        "measures": read_measures(request.user, chosen, since, request.now),
        "today": day_of(request.now, team.zone if team else "UTC"),
        "since": since,
        "team": team,
        "teams": teams,
    }
    return render(request, "postmortems/learned.html", words)


@login_required
@require_POST
def take_in(request: PageRequest) -> HttpResponse:
    """Import the reports that were given, each by itself: one that cannot be read stops none of the others."""
    team = next((one for one in teams_of(request.user) if one.slug == request.POST.get("team")), None)
    form = ImportForm(request.POST, request.FILES)
    if team is None or not form.is_valid() or not form.cleaned_data["reports"]:
        messages.error(request, "Choose a team and at least one report.")
        return redirect("/postmortems/")
    for file in form.cleaned_data["reports"][: report_import.MOST_FILES]:
        try:
            done = report_import.import_file(team, file.content, file.name, request.user, request.now)
        except Refused as refusal:
            messages.error(request, refusal.message)
            continue
        messages.success(request, _said(done))
    return redirect(f"/postmortems/?team={team.slug}")


def _said(done: report_import.Imported) -> str:
    if not done.is_new:
        return f"{done.name} is here already: {done.postmortem.title}"
    left = len(done.not_understood)
    return f"{done.name}: {done.postmortem.title}" + (
        f"; {left} places could not be read, see its page" if left else ""
    )


URLS = [
    path("postmortems/", show, name="postmortems"),
    path("postmortems/import/", take_in, name="postmortems-import"),
    path("learned/", learned, name="learned"),
]
