"""Pages: one that no alert opened, and "page somebody"."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import paging
from watchbill.db.models import Membership, Page, Person, Service, Team
from watchbill.db.screens import alerts as screen
from watchbill.db.screens.visible import find_page, teams_of
from watchbill.entry.web.answers import answer_page, next_url
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.alerts import story_words
from watchbill.entry.web.reader import PageRequest


class PageForm(forms.Form):
    """Whom to page, and what to say."""

    title = forms.CharField(
        label="What is wrong?", max_length=300, help_text="One sentence that a person understands at night."
    )
    whom = forms.ChoiceField(label="Whom do you need?")
    urgency = forms.ChoiceField(
        label="How urgent is it?",
        choices=[
            ("important", "Important: wake them, by their rules for what is important"),
            ("default", "It can wait a little"),
        ],
        widget=forms.RadioSelect,
        initial="important",
    )
    details = forms.CharField(
        label="Details",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What you see, since when, whom it hits, where to reach you.",
    )

    def __init__(self, data: Any, reader: Person, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        mine = teams_of(reader)
        whom: Any = self.fields["whom"]
        teams = Team.objects.filter(archived_at=None).order_by("name")
        services = Service.objects.filter(team__in=mine, archived_at=None).select_related("team").order_by("name")
        people = Membership.objects.filter(team__in=mine, person__is_active=True).exclude(person=reader)
        named = {
            one.person_id: (f"person:{one.person_id}:{one.team_id}", f"{one.person} ({one.team})")
            for one in people.select_related("person", "team").order_by("person__name", "team__id")
        }
        whom.choices = [
            ("", "choose a team, a service or a person"),
            ("A team: its ladder finds who is on watch", [(f"team:{team.pk}", team.name) for team in teams]),
            ("Whoever answers for a service", [(f"service:{s.pk}", f"{s} ({s.team})") for s in services]),
            ("One person by name", list(named.values())),
        ]

    def target(self) -> dict[str, Any]:
        """Read whom the page is for."""
        kind, _, rest = self.cleaned_data["whom"].partition(":")
        if kind == "service":
            service = Service.objects.select_related("team", "ladder").get(pk=rest)
            return {"team": service.team, "service": service}
        if kind == "person":
            person, _, team = rest.partition(":")
            return {"team": Team.objects.get(pk=team), "to": Person.objects.get(pk=person)}
        return {"team": Team.objects.get(pk=rest)}


@login_required
def page_somebody(request: PageRequest) -> HttpResponse:
    """Page a team, whoever answers for a service, or a person."""
    form = PageForm(request.POST or None, request.user, initial={"whom": request.GET.get("whom", "")})
    if form.is_valid():
        target, words = form.target(), form.cleaned_data
        page = attempt(
            form,
            paging.page_people,
            target.pop("team"),
            words["title"],
            request.user,
            request.now,
            details=words["details"],
            urgency=words["urgency"],
            **target,
        )
        if page:
            messages.success(request, "Somebody is being asked. This page shows who, and what they say.")
            return redirect(f"/pages/{page.pk}/")
    return render(request, "alerts/page_somebody.html", {"form": form})


def page_or_404(request: PageRequest, number: int) -> Page:
    """Find a page that the reader may see; raises Http404 also for one of others."""
    page = find_page(request.user, number)
    if page is None:
        raise Http404(f"there is no page {number}")
    return page


@login_required
def page(request: PageRequest, number: int) -> HttpResponse:
    """Show one page; one that an alert opened is shown with its alert."""
    found = page_or_404(request, number)
    if found.group_id:
        return redirect(f"/alerts/{found.group_id}/")
    story = screen.tell_page(found, request.now)
    return render(request, "alerts/alert.html", story_words(request, story, found.team))


@login_required
@require_POST
def answer(request: PageRequest, number: int) -> HttpResponse:
    """Answer a page."""
    found = page_or_404(request, number)
    messages.success(request, answer_page(request, found, request.user, request.now))
    return redirect(next_url(request, f"/pages/{number}/"))


URLS = [
    path("pages/new/", page_somebody, name="page-somebody"),
    path("pages/<int:number>/", page, name="page"),
    path("pages/<int:number>/answer/", answer, name="page-answer"),
]
