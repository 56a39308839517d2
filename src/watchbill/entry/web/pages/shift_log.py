"""The on-call log in the browser: what was noted on watch, newest first, and a field to note more (RUN-10, RUN-11)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from watchbill.actions import shift_log
from watchbill.actions.access import role_of
from watchbill.actions.handoff_draft import rule_of
from watchbill.db.models import LogEntry, Team, Ticket
from watchbill.db.screens import handoff as screen
from watchbill.db.screens.visible import teams_of
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import choose
from watchbill.entry.web.ticket_words import choosable, other_ticket


class EntryForm(forms.Form):
    """What happened, in a line; the rest may stay empty."""

    title = forms.CharField(label="What happened, in a line", max_length=200)
    text = forms.CharField(label="More", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}))
    ticket = forms.CharField(
        label="Ticket", required=False, max_length=20, help_text="Such as T-34; an entry needs none."
    )

    def values(self, request: PageRequest) -> dict[str, Any]:
        """Give what was typed, with the ticket itself; raises Refused for one that the reader does not see."""
        said = self.cleaned_data
        found: Ticket | None = other_ticket(request.user, said["ticket"], "ticket") if said["ticket"].strip() else None
        return {"title": said["title"], "text": said["text"], "ticket": found}


class FilterForm(forms.Form):
    """What the log is narrowed to."""

    q = forms.CharField(
        label="Search", required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    person = forms.ChoiceField(label="Who wrote", required=False)

    def __init__(self, data: Any, teams: list[Team]) -> None:
        super().__init__(data, label_suffix="")
        choose(self, "person", [(str(one.pk), str(one)) for one in screen.people_of(teams)], "anybody")


@login_required
def log(request: PageRequest) -> HttpResponse:
    """Show the log, and take an entry."""
    team, teams = choosable(request)
    named = request.POST.get("team", "")
    team = next((one for one in teams if one.slug == named), team)
    form = EntryForm(request.POST or None, label_suffix="", auto_id="entry-%s")
    if team is not None and form.is_valid() and attempt(form, _add, request, team, form):
        messages.success(request, "It is noted.")
        return redirect(f"/shift-log/?team={team.slug}")
    filters = FilterForm(request.GET, teams_of(request.user))
    filters.is_valid()
    said = filters.cleaned_data
    before = request.GET.get("before", "")
    rows, older = screen.entries_page(
        request.user,
        team,
        said.get("q", ""),
        int(said["person"]) if said.get("person") else None,
        int(before) if before.isascii() and before.isdigit() else None,
    )
    asked = request.GET.copy()
    asked["before"] = str(older or "")
    words: dict[str, Any] = {
        "name": rule_of(team, request.now).log_name if team else "On-call log",
        "team": team,
        "teams": teams,
        "form": form,
        "filters": filters,
        "narrowed": bool(said.get("q") or said.get("person")),
        "rows": [(one, _may_change(request, one)) for one in rows],
        "older": asked.urlencode() if older else "",
        "writes": team is not None and may_answer(request.user, team),
    }
    return render(request, "shift_log/log.html", words, status=409 if form.errors else 200)


def _add(request: PageRequest, team: Team, form: EntryForm) -> LogEntry:
    return shift_log.add_entry(team, form.values(request), request.user, request.now)


def _may_change(request: PageRequest, entry: LogEntry) -> bool:
    own = entry.author_id == request.user.pk and may_answer(request.user, entry.team)
    return own or role_of(request.user, entry.team) == "owner"


@login_required
def change(request: PageRequest, number: int) -> HttpResponse:
    """Change an entry: its title too."""
    entry = screen.entries_seen_by(request.user).filter(pk=number).first()
    if entry is None:
        raise Http404
    initial = {"title": entry.title, "text": entry.text, "ticket": f"T-{entry.ticket_id}" if entry.ticket_id else ""}
    form = EntryForm(request.POST or None, initial=initial, label_suffix="")
    if form.is_valid() and attempt(form, _change, request, entry, form):
        messages.success(request, "It is changed.")
        return redirect(f"/shift-log/?team={entry.team.slug}#entry-{entry.pk}")
    return render(request, "shift_log/change.html", {"entry": entry, "form": form}, status=409 if form.errors else 200)


def _change(request: PageRequest, entry: LogEntry, form: EntryForm) -> LogEntry:
    return shift_log.change_entry(entry.pk, form.values(request), request.user, request.now)


URLS = [
    path("shift-log/", log, name="shift-log"),
    path("shift-log/<int:number>/", change, name="shift-log-change"),
]
