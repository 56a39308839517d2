"""Handoffs in the browser: a list to search, and a way to begin one before its time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import handoff
from watchbill.core.handoff import STATE_WORDS
from watchbill.core.wallclock import DAY, MIDNIGHT, start_instant
from watchbill.db.handoff_facts import due_from
from watchbill.db.models import Person, Team
from watchbill.db.screens import handoff as screen
from watchbill.db.screens.visible import teams_of
from watchbill.entry.web.pages.rota import rotation_or_404
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import choose
from watchbill.kit.errors import Refused

DAY_INPUT = forms.DateInput(attrs={"type": "date"})


class FilterForm(forms.Form):
    """What the list is narrowed to; it stands in the address, so that it can be sent to somebody."""

    person = forms.ChoiceField(label="Who left or came", required=False)
    since = forms.DateField(label="Ended from", required=False, widget=DAY_INPUT)
    until = forms.DateField(label="Ended until", required=False, widget=DAY_INPUT)
    state = forms.ChoiceField(label="State", required=False)
    team = forms.ChoiceField(label="Team", required=False)

    def __init__(self, data: Any, teams: list[Team], people: list[Person]) -> None:
        super().__init__(data, label_suffix="")
        choose(self, "person", [(str(one.pk), str(one)) for one in people], "anybody")
        choose(self, "state", STATE_WORDS.items(), "any state")
        choose(self, "team", [(one.slug, one.name) for one in teams], "every team")

    def read(self, zone: str, rotation: str) -> screen.Filters:
        """Read the filters; what is wrong in the address counts as not given."""
        self.is_valid()
        given = self.cleaned_data
        until = given.get("until")
        return screen.Filters(
            team=given.get("team", ""),
            rotation=rotation,
            person=int(given["person"]) if given.get("person") else None,
            state=given.get("state", ""),
            since=_midnight(given.get("since"), zone),
            until=_midnight(until + DAY if until else None, zone),
        )


def _midnight(day: date | None, zone: str) -> datetime | None:
    return start_instant(day, MIDNIGHT, zone) if day and 2000 <= day.year < 2200 else None


@login_required
def handoff_list(request: PageRequest) -> HttpResponse:
    """List handoffs, the newest first, by person and date."""
    teams = teams_of(request.user)
    form = FilterForm(request.GET, teams, screen.people_of(teams))
    filters = form.read(request.user.zone, request.GET.get("rotation", ""))
    before = request.GET.get("before", "")
    rows, older = screen.page_of(
        screen.find(request.user, filters), int(before) if before.isascii() and before.isdigit() else None
    )
    asked = request.GET.copy()
    asked["before"] = str(older or "")
    words: dict[str, Any] = {
        "form": form,
        "rows": [(one, STATE_WORDS[one.state]) for one in rows],
        "mine": [] if filters != screen.Filters() or before else due_from(request.user, request.now),
        "narrowed": filters != screen.Filters(),
        "older": asked.urlencode() if older else "",
        "has_teams": bool(teams),
    }
    return render(request, "handoffs/list.html", words)


@login_required
@require_POST
def begin(request: PageRequest, slug: str) -> HttpResponse:
    """Begin the handoff of a seat before its time, or where the team drafts none by itself."""
    rotation = rotation_or_404(request, slug)
    try:
        made = handoff.begin(rotation, request.POST.get("seat", ""), request.user, request.now)
    except Refused as refusal:
        messages.error(request, refusal.message)
        return redirect("rotation", slug=slug)
    return redirect("handoff", number=made.pk)


URLS = [
    path("handoffs/", handoff_list, name="handoffs"),
    path("rota/<slug:slug>/handoff/", begin, name="handoff-begin"),
]
