"""A team's ladders: whom a page asks, in which order."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import ladders
from watchbill.actions.access import may_change
from watchbill.db import facts
from watchbill.db.models import Ladder, Team
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.forms_ladder import Choices, LadderEditor
from watchbill.entry.web.reader import PageRequest, team_or_404
from watchbill.rules import severity_response


@login_required
def new(request: PageRequest, slug: str) -> HttpResponse:
    """Add a ladder."""
    team = team_or_404(request, slug)
    may_change(request.user, team, "add a ladder")
    return _edit(request, team, None)


@login_required
def edit(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Change a ladder, for the pages opened from now on."""
    team = team_or_404(request, slug)
    may_change(request.user, team, "change a ladder")
    return _edit(request, team, get_object_or_404(Ladder.objects.select_related("team"), pk=number, team=team))


def _edit(request: PageRequest, team: Team, ladder: Ladder | None) -> HttpResponse:
    stored = {"name": ladder.name, "repeat": ladder.repeat, "steps": ladder.steps} if ladder else None
    choices = Choices(team, severities_of(team), ladder.steps if ladder else [])
    posted = request.POST if request.method == "POST" else None
    editor = LadderEditor(choices, stored=stored, posted=posted)
    moved = posted is not None and editor.rearrange(posted.get("do", ""))
    if posted is not None and not moved and editor.is_valid():
        name, steps, repeat = editor.read()
        args = (name, steps, repeat, request.user, request.now)
        saved = (
            attempt(editor.form, ladders.change_ladder, ladder, *args)
            if ladder
            else attempt(editor.form, ladders.add_ladder, team, *args)
        )
        if saved:
            messages.success(request, f"{saved} is saved; it counts for pages opened from now on.")
            return redirect("team", slug=team.slug)
    return render(request, "teams/ladder.html", {"team": team, "ladder": ladder, "editor": editor})


def severities_of(team: Team) -> list[str]:
    """Read the severities of a team, most severe first."""
    settings = facts.policy_of(team).get("rules", {}).get("severity_response", {})
    return list(severity_response.Settings.model_validate(settings).severities)


@login_required
@require_POST
def archive(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Take a ladder out of use, or bring it back."""
    team = team_or_404(request, slug)
    ladder = get_object_or_404(Ladder.objects.select_related("team"), pk=number, team=team)
    archived = ladder.archived_at is None
    ladders.archive_ladder(ladder, request.user, request.now, archived=archived)
    messages.success(request, f"{ladder} is {'archived' if archived else 'back'}.")
    return redirect("team", slug=slug)


URLS = (
    path("teams/<slug:slug>/ladders/new/", new, name="ladder-new"),
    path("teams/<slug:slug>/ladders/<int:number>/", edit, name="ladder"),
    path("teams/<slug:slug>/ladders/<int:number>/archive/", archive, name="ladder-archive"),
)
