"""Grooming: the backlog in two sections, each topic with its context beside it, decided by key or button (BKL-02, SPN-03)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import grooming, ticket_pairs
from watchbill.actions.grooming import Groomed
from watchbill.db.models import Sprint, Team, Ticket
from watchbill.db.screens import tickets as screen
from watchbill.db.screens.visible import teams_of
from watchbill.entry.web.answers import next_url
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.pages.ticket import ticket_or_404
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import choose
from watchbill.entry.web.ticket_words import choosable, read_parts

DAY = forms.DateInput(attrs={"type": "date"})
SECTIONS = {"operations": "Operations", "feature": "Feature work"}


class GroomForm(forms.Form):
    """What was decided about a ticket."""

    points = forms.IntegerField(required=False, min_value=0, max_value=100)
    sprint = forms.ChoiceField(required=False)
    until = forms.DateField(label="Later, from", required=False, widget=DAY)
    note = forms.CharField(required=False, max_length=500)
    parts = forms.CharField(
        label="Parts, one a line", required=False, max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Move the data (3)"}),
    )  # fmt: skip

    def __init__(self, data: Any, sprints: Sequence[Sprint], ticket: Ticket) -> None:
        super().__init__(data, label_suffix="", auto_id=f"g{ticket.pk}-%s", initial={"points": ticket.points})
        choose(self, "sprint", [(str(one.pk), one.name) for one in sprints], "choose" if sprints else "none is open")
        if len(sprints) == 1:
            self.initial["sprint"] = str(sprints[0].pk)


@login_required
def groom(request: PageRequest) -> HttpResponse:
    """Show what is to be talked about in one section."""
    team, _ = choosable(request)
    if team is None:
        return render(request, "tickets/grooming.html", {"team": None})
    return _show(request, team, request.GET.get("section", "operations"), {})


def _show(
    request: PageRequest, team: Team, section: str, given: dict[int, GroomForm], status: int = 200
) -> HttpResponse:
    section = "feature" if section == "feature" else "operations"
    agenda, sprints = grooming.agenda(team, request.now, section), screen.open_sprints_of(team)
    topics = agenda.feature if section == "feature" else agenda.operations
    words = {
        "team": team,
        "teams": teams_of(request.user),
        "agenda": agenda,
        "section": section,
        "sections": [(name, word, agenda.counts[name]) for name, word in SECTIONS.items()],
        "topics": [
            (topic, given.get(topic.ticket.pk) or GroomForm(None, sprints, topic.ticket), topic.ticket.pk in given)
            for topic in topics
        ],
        "unpaired": ticket_pairs.unpaired(team, request.now) if section != "feature" else None,
        "is_member": may_answer(request.user, team),
    }
    return render(request, "tickets/grooming.html", words, status=status)


@login_required
@require_POST
def decide(request: PageRequest, number: int) -> HttpResponse:
    """Carry out what was decided; a refusal keeps what was typed, at its ticket."""
    ticket = ticket_or_404(request, number)
    sprints = screen.open_sprints_of(ticket.team)
    form = GroomForm(request.POST, sprints, ticket)
    if form.is_valid():
        given = form.cleaned_data
        groomed = Groomed(
            decision=request.POST.get("decision", ""),
            sprint=next((one for one in sprints if str(one.pk) == given["sprint"]), None),
            points=given["points"],
            note=given["note"],
            until=given["until"],
            parts=read_parts(given["parts"]),
        )
        if attempt(form, grooming.groom, number, groomed, request.user, request.now):
            messages.success(request, f"T-{number}: decided.")
            return redirect(next_url(request, f"/grooming/?team={ticket.team.slug}"))
    return _show(request, ticket.team, ticket.work_kind, {number: form}, 409)


URLS = [
    path("grooming/", groom, name="grooming"),
    path("grooming/<int:number>/", decide, name="grooming-decide"),
]
