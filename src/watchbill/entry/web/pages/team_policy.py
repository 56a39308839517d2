"""A team's policy: every rule with its settings in words, the versions with who, when and why, and a form per part."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from pydantic import BaseModel

from watchbill import rules
from watchbill.actions import teams
from watchbill.actions.access import may_change, role_of
from watchbill.core.paging import WEEKDAYS
from watchbill.db import facts
from watchbill.db.screens import teams as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.forms_pydantic import PairsField, form_for
from watchbill.entry.web.reader import PageRequest, team_or_404

EMPTY_WINDOWS = 2
TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
# What a new version does to promises that were told.
PROMISES = (
    "The deadlines of open requests are reckoned anew, also on the requesters’ own pages. Nobody is written to about it: "
    "whoever was told when they hear from you may still count on that time."
)


class WhyForm(forms.Form):
    """Why the team does it differently from now on."""

    why = forms.CharField(
        label="Why?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For whoever asks in a year. It stands in the history of the policy.",
    )


class WindowForm(forms.Form):
    """One weekly window of coverage."""

    weekdays = forms.TypedMultipleChoiceField(
        coerce=int,
        required=False,
        choices=[(n, day[:3]) for n, day in enumerate(WEEKDAYS)],
        widget=forms.CheckboxSelectMultiple,
        label="On",
    )
    start = forms.TimeField(label="From", required=False, widget=TIME)
    end = forms.TimeField(label="To", required=False, widget=TIME)

    def clean(self) -> dict[str, Any]:
        """Demand both times for a window that has days."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("weekdays") and (data.get("start") is None or data.get("end") is None):
            raise forms.ValidationError("Give this window its start and its end; 00:00 to 00:00 is the whole day.")
        return data


class LabelsForm(forms.Form):
    """The team's own words."""

    labels = PairsField(required=False, help_text="Watchbill's word = the team's word, such as: engineer = steward.")


@login_required
def policy(request: PageRequest, slug: str) -> HttpResponse:
    """Show how a team works, and how that came to be (COM-10, GEN-01)."""
    team = team_or_404(request, slug)
    settings = facts.policy_of(team)
    parts = [
        (name, rule.TITLE, _items(rule.Settings.model_validate(_of(settings, name))))
        for name, rule in rules.all_rules().items()
    ]
    words = {
        "team": team,
        "role": role_of(request.user, team),
        "parts": parts,
        "coverage": [_window_words(window) for window in settings.get("coverage") or ()],
        "labels": settings.get("labels") or {},
        "unused": rules.unused_in(settings),
        "versions": screen.versions_of(team),
    }
    return render(request, "teams/policy.html", words)


def _of(settings: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = settings.get("rules", {}).get(name, {})
    return found


def _items(settings: BaseModel) -> list[dict[str, Any]]:
    """Say a rule's settings: a table for what is a table, words for words, a line for the rest."""
    fields = type(settings).model_fields
    plain = settings.model_dump(mode="json")
    return [
        {"name": name.replace("_", " "), "hint": fields[name].description or "", **_item(value)}
        for name, value in plain.items()
    ]


def _item(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and any(isinstance(row, dict) for row in value.values()):
        columns = list(dict.fromkeys(column for row in value.values() for column in row))
        rows = [(key, [str(row.get(column, "")).replace("_", " ") for column in columns]) for key, row in value.items()]
        return {"columns": [column.replace("_", " ") for column in columns], "rows": rows}
    if isinstance(value, dict):
        by_meaning: dict[str, list[str]] = {}
        for word, meaning in value.items():
            by_meaning.setdefault(str(meaning), []).append(word)
        return {"lines": [f"{', '.join(words)} = {meaning}" for meaning, words in by_meaning.items()]}
    if isinstance(value, list):
        return {"lines": [", ".join(str(item) for item in value) or "none"]}
    return {"lines": [str(value)]}


def _window_words(window: dict[str, Any]) -> str:
    days = [day if isinstance(day, str) else WEEKDAYS[day] for day in window.get("weekdays", ())]
    named = ", ".join(str(day).capitalize() for day in days)
    times = (window.get("start"), window.get("end"))
    return f"{named}: " + ("all day" if times == ("00:00", "00:00") else f"{times[0]} to {times[1]}")


@login_required
def change(request: PageRequest, slug: str, part: str) -> HttpResponse:
    """Adopt a new version of the policy in which one part differs."""
    team = team_or_404(request, slug)
    may_change(request.user, team, f"change how {team} works")
    settings = rules.used_of(facts.policy_of(team))
    match part:
        case "coverage":
            forms_, read = _coverage_forms(request, settings)
            title, template = "When do we promise to respond?", "teams/policy_coverage.html"
        case "labels":
            forms_, read = _labels_form(request, settings)
            title, template = "Which words are ours?", "teams/policy_rule.html"
        case _ if part in rules.all_rules():
            forms_, read = _rule_form(request, settings, part)
            title, template = rules.all_rules()[part].TITLE, "teams/policy_rule.html"
        case _:
            raise Http404
    why = WhyForm(request.POST or None)
    if request.method == "POST" and all([why.is_valid(), *(form.is_valid() for form in forms_)]):
        adopted = attempt(why, teams.adopt_policy, team, read(), request.user, why.cleaned_data["why"], request.now)
        if adopted:
            messages.success(request, f"Version {adopted.version} holds from now on.")
            return redirect("team-policy", slug=slug)
    note = PROMISES if part in {"coverage", "request_classes"} else ""
    words = {"team": team, "title": title, "forms": forms_, "form": forms_[0], "why": why, "note": note}
    return render(request, template, words)


def _coverage_forms(request: PageRequest, settings: dict[str, Any]) -> Any:
    stored = [_window_initial(window) for window in settings.get("coverage") or ()]
    rows: list[dict[str, Any]] = [*stored, *({} for _ in range(EMPTY_WINDOWS))]
    made = [WindowForm(request.POST or None, prefix=f"w{n}", initial=row) for n, row in enumerate(rows)]

    def read() -> dict[str, Any]:
        windows = [
            {
                "weekdays": form.cleaned_data["weekdays"],
                "start": f"{form.cleaned_data['start']:%H:%M}",
                "end": f"{form.cleaned_data['end']:%H:%M}",
            }
            for form in made
            if form.cleaned_data.get("weekdays")
        ]
        return {**settings, "coverage": windows or None}

    return made, read


def _window_initial(window: dict[str, Any]) -> dict[str, Any]:
    names = [day.lower() for day in WEEKDAYS]
    days = [names.index(day.lower()) if isinstance(day, str) else day for day in window.get("weekdays", ())]
    return {"weekdays": days, "start": window.get("start"), "end": window.get("end")}


def _labels_form(request: PageRequest, settings: dict[str, Any]) -> Any:
    form = LabelsForm(request.POST or None, initial={"labels": settings.get("labels") or {}})
    return [form], lambda: {**settings, "labels": form.cleaned_data["labels"]}


def _rule_form(request: PageRequest, settings: dict[str, Any], part: str) -> Any:
    model = rules.all_rules()[part].Settings
    present = model.model_validate(_of(settings, part))
    form = form_for(model)(request.POST or None, stored=present.model_dump(mode="json"), prefix="rule")
    return [form], lambda: {**settings, "rules": {**settings.get("rules", {}), part: form.values()}}


URLS = (
    path("teams/<slug:slug>/policy/", policy, name="team-policy"),
    path("teams/<slug:slug>/policy/<slug:part>/", change, name="team-policy-change"),
)
