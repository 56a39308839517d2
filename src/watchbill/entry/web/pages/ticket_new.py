"""Write a ticket: from nothing, from an alert, from a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from watchbill.actions import request_timebox, ticket_pairs, tickets
from watchbill.actions.access import require
from watchbill.actions.ticket_pairs import Solved
from watchbill.actions.tickets import Written
from watchbill.db.models import AlertGroup, SupportRequest, Team, Ticket
from watchbill.db.screens import requests as request_screen
from watchbill.db.screens import tickets as screen
from watchbill.db.screens.visible import find_group
from watchbill.entry.web.acts import community_choices
from watchbill.entry.web.forms import MarkdownField, attempt
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.request_forms import choose, service_choices
from watchbill.entry.web.templatetags.ticket_tags import KINDS
from watchbill.entry.web.ticket_words import bare_seats, choosable, desk_without_hours, other_ticket, read_who

DAY = forms.DateInput(attrs={"type": "date"})


@dataclass(frozen=True)
class Source:
    """What a ticket is written from: an alert, a request, or nothing."""

    team: Team
    group: AlertGroup | None = None
    request: SupportRequest | None = None


class TicketForm(forms.Form):
    """A new ticket."""

    title = forms.CharField(label="In one line", max_length=300)
    text = MarkdownField(
        7, "Markdown: lists, code, tables, links.", label="What is known, what to do, when it is done", required=False
    )
    kind = forms.ChoiceField(choices=KINDS.items(), initial="task")
    work = forms.ChoiceField(label="Kind of work", required=False)
    labels = forms.CharField(label="More labels", required=False, max_length=400, help_text="With commas between.")
    points = forms.IntegerField(required=False, min_value=0, max_value=100, help_text="Empty: nobody sized it yet.")
    who = forms.ChoiceField(label="Who has it?", required=False)
    service = forms.ChoiceField(required=False)
    sprint = forms.ChoiceField(required=False)
    community = forms.ChoiceField(label="For which community", required=False)
    epic = forms.CharField(label="Part of epic", required=False, max_length=20, help_text="Like T-34.")
    due_on = forms.DateField(label="Due on", required=False, widget=DAY)
    is_unplanned = forms.BooleanField(label="It came unexpected", required=False)

    def __init__(self, data: Any, source: Source, request: PageRequest, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        team = source.team
        self.reader = request.user
        self.members, self.services = screen.members_of(team), screen.services_of(team)
        self.sprints = screen.open_sprints_of(team)
        rules = desk_without_hours(team, request.now).kinds
        operations, feature = rules.operations_labels[0], rules.feature_labels[0]
        seats = [(f"seat:{name}", f"the watch: {name}") for name in bare_seats(team)]
        people = [(f"person:{one.pk}", str(one)) for one in self.members]
        choose(self, "work", [(operations, "Operations"), (feature, "Feature")], "by its other labels")
        choose(self, "who", [*seats, *people], "nobody yet")
        choose(self, "service", service_choices(self.services), "none named")
        choose(self, "sprint", [(str(one.pk), one.name) for one in self.sprints], "in no sprint")
        self.communities = request_screen.communities_of([team.pk])
        if self.communities:
            choose(self, "community", community_choices(self.communities), "none")
        else:
            del self.fields["community"]

    def values(self) -> dict[str, Any]:
        """Give what was typed as actions take it. Raises Refused."""
        given = self.cleaned_data
        labels = [part.strip() for part in (given["work"], *given["labels"].split(",")) if part.strip()]
        return {
            "title": given["title"],
            "text": given["text"],
            "kind": given["kind"],
            "labels": tuple(labels),
            "points": given["points"],
            "service": next((one for one in self.services if str(one.pk) == given["service"]), None),
            "sprint": next((one for one in self.sprints if str(one.pk) == given["sprint"]), None),
            "epic": other_ticket(self.reader, given["epic"], "epic") if given["epic"].strip() else None,
            "is_unplanned": given["is_unplanned"],
            **read_who(given["who"], self.members),
        }

    def more(self) -> dict[str, Any]:
        """Give what a ticket is told once it is there."""
        given = self.cleaned_data
        community = next((one for one in self.communities if str(one.pk) == given.get("community")), None)
        # A request brings its own community; who says none keeps that.
        return {"due_on": given["due_on"], **({"community": community} if community else {})}


def _source(request: PageRequest) -> Source | None:
    """Find what the address names; raises Http404 for what the reader may not see."""
    alert, asked = request.GET.get("alert", ""), request.GET.get("request", "")
    if alert:
        number = number_in(alert)
        group = find_group(request.user, number) if number is not None else None
        if group is None:
            raise Http404
        return Source(group.team, group=group)
    if asked:
        number = number_in(asked)
        one = request_screen.find_request(request.user, number) if number is not None else None
        if one is None:
            raise Http404
        return Source(one.team, request=one)
    team, _ = choosable(request)
    return Source(team) if team else None


def _first_words(source: Source) -> dict[str, Any]:
    """Give what stands in the form at first."""
    seats = bare_seats(source.team)
    watch = {"who": f"seat:{seats[0]}"} if seats else {}
    if source.group is not None:
        service = str(source.group.service_id)
        return {"title": source.group.title, "service": service, "kind": "task", "is_unplanned": True, **watch}
    if source.request is not None:
        one = source.request
        return {
            "title": one.title,
            "service": str(one.service_id or ""),
            "community": str(one.community_id or ""),
            "kind": "request",
            "is_unplanned": True,
            **watch,
        }
    return {}


@login_required
def new(request: PageRequest) -> HttpResponse:
    """Write a ticket."""
    source = _source(request)
    if source is None:
        return render(request, "tickets/new.html", {"team": None})
    require(request.user, source.team, "member", "write a ticket")
    initial = {
        **_first_words(source),
        **{name: request.GET[name] for name in ("title", "kind", "epic") if request.GET.get(name)},
    }
    form = TicketForm(request.POST or None, source, request, initial=initial)
    if form.is_valid():
        ticket = attempt(form, _write, source, form, request)
        if ticket:
            messages.success(request, f"T-{ticket.pk} is written.")
            return redirect(f"/tickets/{ticket.pk}/")
    return render(request, "tickets/new.html", {"form": form, "source": source, "team": source.team})


def _write(source: Source, form: TicketForm, request: PageRequest) -> Ticket:
    values, more = form.values(), form.more()
    # All of it is judged before any of it is written.
    tickets.check(source.team, {**values, **more})
    if source.request is not None:
        made = request_timebox.make_ticket(source.request.pk, values, request.user, request.now)
        return tickets.change_ticket(made.pk, more, request.user, request.now)
    if source.group is not None:
        named = ("title", "text", "kind", "points", "labels", "seat")
        solved = Solved(**{name: values[name] for name in named}, solved=False)
        made = ticket_pairs.from_alert(source.group.pk, solved, request.user, request.now)
        rest = {name: values[name] for name in ("service", "sprint", "epic", "is_unplanned", "assignee", "seat")}
        return tickets.change_ticket(made.pk, {**rest, **more}, request.user, request.now)
    return tickets.add_ticket(source.team, Written(**values, more=more), request.user, request.now)


URLS = [path("tickets/new/", new, name="ticket-new")]
