"""Change a rotation, or make one: fill the sheet, see whom it moves, then adopt it with a reason."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from watchbill import presets
from watchbill.actions import rota
from watchbill.actions.access import may_change
from watchbill.core.rota import pattern
from watchbill.core.wallclock import day_of
from watchbill.db import rota_facts
from watchbill.db.models import Person, Rotation, Team
from watchbill.db.screens import rota as screen
from watchbill.db.screens import strip as strips
from watchbill.entry.web.numbers import number_in, numbers_in
from watchbill.entry.web.pages.rota import DAYS, rotation_or_404
from watchbill.entry.web.reader import PageRequest, team_or_404
from watchbill.entry.web.rota_sheet import Sheet, press, read_post, read_settings
from watchbill.kit.errors import Refused

SHOWN_DAYS = 90


class AdoptForm(forms.Form):
    """The last step: why."""

    why = forms.CharField(max_length=200, required=False, help_text="For whoever asks in a year.")


class NameForm(forms.Form):
    """The name of a rotation, new or another one."""

    name = forms.CharField(label="Name of the rotation", max_length=80)


@login_required
def edit(request: PageRequest, slug: str) -> HttpResponse:
    """Change a rotation in two steps: whom it moves, then adopt."""
    rotation = rotation_or_404(request, slug)
    may_change(request.user, rotation.team, f"change {rotation}")
    if rotation.archived_at:
        raise Refused(f"{rotation} is out of use")
    newest = rota_facts.newest_revision(rotation)
    stored = newest.settings
    adopt = AdoptForm(request.POST or None)
    steps = Steps(request, rotation, read_settings(stored), str(newest.version))
    if steps.wants and steps.sheet.is_valid():
        settings = {**stored, **steps.sheet.settings()}
        try:
            if steps.may_adopt(settings) and adopt.is_valid():
                rota.change_rotation(rotation, settings, adopt.cleaned_data["why"], request.user, request.now)
                messages.success(request, f"{rotation} is changed. What was served stays as it was.")
                return redirect("rotation", slug=slug)
            steps.show(rota.preview_change(rotation, settings, request.now, SHOWN_DAYS))
        except Refused as refusal:
            steps.sheet.refuse(refusal)
    return render(
        request,
        "rota/edit.html",
        {**steps.words(), "adopt": adopt, "rotation": rotation, "renamed": NameForm(initial={"name": rotation.name})},
    )


@login_required
def rename(request: PageRequest, slug: str) -> HttpResponse:
    """Give a rotation another name; that moves nobody, so it is done at once."""
    rotation = rotation_or_404(request, slug)
    named = NameForm(request.POST or None, initial={"name": rotation.name})
    if request.method == "POST" and named.is_valid():
        renamed = rota.rename_rotation(rotation, named.cleaned_data["name"], request.user, request.now)
        messages.success(request, f"It is called {renamed} now. Its address and its calendars stay.")
        return redirect("rotation", slug=slug)
    may_change(request.user, rotation.team, f"rename {rotation}")
    return render(request, "rota/rename.html", {"rotation": rotation, "named": named})


@login_required
def new(request: PageRequest, slug: str) -> HttpResponse:
    """Make a rotation, from a preset or from scratch: see its first weeks, then make it."""
    team = team_or_404(request, slug)
    may_change(request.user, team, "add a rotation")
    name, settings = _begin(request, team)
    if settings is None:
        return render(request, "rota/choose.html", {"team": team, "presets": presets.all_presets().values()})
    rotation = Rotation(team=team, name=name)
    named = NameForm(request.POST or None, initial={"name": name})
    steps = Steps(request, rotation, read_settings(settings), "new")
    if steps.wants and named.is_valid() and steps.sheet.is_valid():
        chosen = steps.sheet.settings()
        try:
            if steps.may_adopt(chosen):
                made = rota.create_rotation(team, named.cleaned_data["name"], chosen, request.user, request.now)
                messages.success(request, f"{made} is made; its shifts are published for a year.")
                return redirect("rotation", slug=made.slug)
            steps.show(rota.preview_new(team, chosen, request.now, SHOWN_DAYS))
        except Refused as refusal:
            steps.sheet.refuse(refusal)
    return render(request, "rota/edit.html", {**steps.words(), "named": named, "rotation": rotation, "is_new": True})


def _begin(request: PageRequest, team: Team) -> tuple[str, dict[str, Any] | None]:
    """Give the name and the settings to start from; no settings when nothing is chosen yet."""
    preset, _, number = request.GET.get("preset", "").partition(".")
    if not preset:
        return "", None
    basis: dict[str, Any] = {"unit": "week", "seats": [{"name": "engineer"}]}
    if preset != "scratch":
        if preset not in presets.all_presets():
            raise Http404
        rotations = presets.load(preset).rotations
        place = number_in(number)
        if place is None or place >= len(rotations):
            raise Http404
        basis = dict(rotations[place])
    members = [{"person": person} for person, _ in screen.members_to_choose(team)]
    starts = day_of(request.now, team.zone).isoformat()
    return basis.pop("name", ""), {**basis, "zone": team.zone, "starts_on": starts, "members": members}


class Steps:
    """The two steps of the form: what was typed, what its buttons do, and what was shown of it."""

    def __init__(self, request: PageRequest, rotation: Rotation, typed: dict[str, Any], version: str) -> None:
        self.request, self.rotation, self.version = request, rotation, version
        button = request.POST.get("do", "show")
        names = dict(screen.members_to_choose(rotation.team))
        if request.method == "POST":
            typed = read_post(request.POST)
        pressed = request.method == "POST" and press(typed, button, request.POST.get("added", ""))
        self.wants = request.method == "POST" and not pressed
        self.button = button
        numbers = numbers_in(str(member["person"]) for member in typed["members"])
        gone = Person.objects.filter(pk__in=[n for n in numbers if n not in names])
        self.sheet = Sheet(typed, names | dict(gone.values_list("pk", "name")), check=self.wants)
        self.sheet.left = [pair for pair in self.sheet.left if pair[0] in names]
        self.seen = ""
        self._words: dict[str, Any] = {}

    def fingerprint(self, settings: dict[str, Any]) -> str:
        """Tell these settings, on this version, from all others."""
        text = json.dumps([self.version, settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def may_adopt(self, settings: dict[str, Any]) -> bool:
        """Tell whether exactly this was shown before somebody pressed Adopt."""
        self.seen = self.fingerprint(settings)
        wants = self.button == "adopt"
        same = self.request.POST.get("seen") == self.seen
        self._words["stale"] = wants and not same
        return wants and same

    def show(self, preview: rota.Preview) -> None:
        """Keep what the preview says for the page."""
        request, rotation = self.request, self.rotation
        names = screen.names_of(preview.before, preview.shifts)
        first = day_of(request.now, request.user.zone)
        holidays = screen.holidays_of(rotation.team, first, first + timedelta(days=DAYS))

        def draw(shifts: list[pattern.Shift], name: str) -> strips.Strip:
            end = request.now + timedelta(days=DAYS)
            watches = [watch for watch in strips.planned_watches(rotation, shifts, names) if watch.start < end]
            return strips.lay_out(watches, [], request.user, first, DAYS, request.now, holidays, name=name)

        self._words |= {
            "preview": preview,
            "moved": screen.say_moves(preview.moves, names, request.user),
            "before": draw(preview.before, "Four weeks as they are") if preview.before else None,
            "after": draw(preview.shifts, "Four weeks as they would be"),
            "seen": self.seen,
            "gaps": sum(1 for shift in preview.shifts if shift.person is None),
        }

    def words(self) -> dict[str, Any]:
        """Give the template its words."""
        return {
            "sheet": self.sheet,
            "team": self.rotation.team,
            "days": SHOWN_DAYS,
            "wrong": self.wants and "preview" not in self._words,
            **self._words,
        }


URLS = (
    path("teams/<slug:slug>/rotations/new/", new, name="rotation-new"),
    path("rota/<slug:slug>/edit/", edit, name="rotation-edit"),
    path("rota/<slug:slug>/rename/", rename, name="rotation-rename"),
)
