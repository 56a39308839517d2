"""Communities: who they are, where their support budget stands this month, who asks and who speaks for them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import communities
from watchbill.actions.access import may_change, role_of
from watchbill.actions.desk import budget_at, budgets_at, desk_of
from watchbill.db.models import Community, Requester, SupportRequest, Team
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.forms_pydantic import LinesField
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.reader import PageRequest, team_or_404
from watchbill.entry.web.request_forms import choose
from watchbill.rules import support_budget

SHOWN = 200
LATELY = 20
STATE_WORDS = {"unused": "Little used", "used": "In use", "spent": "Spent"}


class CommunityForm(forms.Form):
    """A community (INT-04, TRI-14)."""

    name = forms.CharField(max_length=80)
    mail_domains = LinesField(
        label="Mail domains",
        required=False,
        max_length=4000,
        help_text="Whoever writes from one of them belongs to it. Such as: example.org.",
    )
    budget_minutes = forms.IntegerField(
        label="Support budget, minutes a month",
        required=False,
        min_value=0,
        max_value=100_000,
        help_text="Soft: when it is spent, its requests come later. Empty: the team’s own number.",
    )
    is_funded = forms.BooleanField(label="They pay for the support", required=False)
    notes = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}))


class RequesterForm(forms.Form):
    """Somebody who asks us."""

    name = forms.CharField(max_length=120, required=False)
    email = forms.EmailField(label="Mail address", required=False)
    community = forms.ChoiceField(required=False)
    is_representative = forms.BooleanField(label="Speaks for the community", required=False)

    def __init__(self, data: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", **kwargs)
        known = Community.objects.filter(team=team, archived_at=None).order_by("name")
        choose(self, "community", [(str(one.pk), one.name) for one in known], "none")


@login_required
def community_list(request: PageRequest, slug: str) -> HttpResponse:
    """List a team's communities with their budgets."""
    team = team_or_404(request, slug)
    archived = request.GET.get("archived") == "1"
    found = (
        Community.objects.select_related("team").filter(team=team, archived_at__isnull=not archived).order_by("name")
    )
    rows = list(found[:SHOWN])
    stands = budgets_at(rows, desk_of(team, request.now))
    others = Requester.objects.filter(team=team, community=None).order_by("-id")[:LATELY]
    words = {
        "team": team,
        "rows": [(one, budget_words(stands[one.pk])) for one in rows],
        "others": others,
        "archived": archived,
        "is_owner": role_of(request.user, team) == "owner",
        "is_member": may_answer(request.user, team),
    }
    return render(request, "desk/communities.html", words)


def budget_words(stands: support_budget.Decision) -> dict[str, Any]:
    """Say where a community's budget stands: a number, a word, and how full the bar is."""
    return {
        "used": stands.used,
        "allowed": stands.allowed,
        "state": stands.state,
        "word": STATE_WORDS[stands.state] if stands.used else "Unused",
        "why": stands.why,
        "full": min(stands.used, stands.allowed or 0),
    }


@login_required
def show(request: PageRequest, slug: str, community: str) -> HttpResponse:
    """Show one community: its budget, who asks, who speaks for it, what it asked lately."""
    team = team_or_404(request, slug)
    one = _find(team, community)
    words = {
        "team": team,
        "one": one,
        "budget": budget_words(budget_at(one, desk_of(team, request.now))),
        "requesters": list(Requester.objects.filter(community=one).order_by("-is_representative", "name")[:SHOWN]),
        "requests": list(
            SupportRequest.objects.select_related("requester", "team").filter(community=one).order_by("-id")[:LATELY]
        ),
        "is_owner": role_of(request.user, team) == "owner",
        "is_member": may_answer(request.user, team),
    }
    return render(request, "desk/community.html", words)


def _find(team: Team, slug: str) -> Community:
    return get_object_or_404(Community.objects.select_related("team"), team=team, slug=slug)


@login_required
def edit(request: PageRequest, slug: str, community: str = "") -> HttpResponse:
    """Add a community, or change one."""
    team = team_or_404(request, slug)
    may_change(request.user, team, "add a community" if not community else "change a community")
    one = _find(team, community) if community else None
    initial = {name: getattr(one, name) for name in CommunityForm.base_fields} if one else {}
    form = CommunityForm(request.POST or None, initial=initial, label_suffix="")
    if form.is_valid():
        given = form.cleaned_data
        made = (
            attempt(form, communities.change_community, one, given, request.user, request.now)
            if one
            else attempt(form, communities.add_community, team, given, request.user, request.now)
        )
        if made:
            messages.success(request, f"{made} is saved.")
            return redirect("team-community", slug=slug, community=made.slug)
    words = {"team": team, "form": form, "one": one}
    return render(request, "desk/community_edit.html", words, status=409 if form.errors else 200)


@login_required
@require_POST
def archive(request: PageRequest, slug: str, community: str) -> HttpResponse:
    """Take a community out of the lists, or bring it back."""
    one = _find(team_or_404(request, slug), community)
    archived = one.archived_at is None
    communities.archive_community(one, request.user, request.now, archived=archived)
    messages.success(request, f"{one} is {'out of the lists' if archived else 'back'}.")
    return redirect("team-communities", slug=slug)


@login_required
def requester(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Change who somebody is: name, address, community, whether they speak for it (INT-04)."""
    team = team_or_404(request, slug)
    one = Requester.objects.select_related("team", "community").filter(team=team, pk=number).first()
    if one is None:
        raise Http404
    initial = {name: getattr(one, name) for name in ("name", "email", "is_representative")}
    form = RequesterForm(request.POST or None, team, initial={**initial, "community": str(one.community_id or "")})
    if form.is_valid():
        given = str(form.cleaned_data["community"])
        chosen = Community.objects.filter(team=team, pk=given).first() if given else None
        values = {**form.cleaned_data, "community": chosen}
        if attempt(form, communities.change_requester, one, values, request.user, request.now):
            messages.success(request, f"{one} is saved.")
            if chosen:
                return redirect("team-community", slug=slug, community=chosen.slug)
            return redirect("team-communities", slug=slug)
    asked = SupportRequest.objects.select_related("team").filter(requester=one).order_by("-id")[:LATELY]
    words = {"team": team, "form": form, "one": one, "requests": asked, "is_member": may_answer(request.user, team)}
    return render(request, "desk/requester.html", words, status=409 if form.errors else 200)


URLS = [
    path("teams/<slug:slug>/communities/", community_list, name="team-communities"),
    path("teams/<slug:slug>/communities/new/", edit, name="team-community-new"),
    path("teams/<slug:slug>/communities/<slug:community>/", show, name="team-community"),
    path("teams/<slug:slug>/communities/<slug:community>/edit/", edit, name="team-community-edit"),
    path("teams/<slug:slug>/communities/<slug:community>/archive/", archive, name="team-community-archive"),
    path("teams/<slug:slug>/requesters/<int:number>/", requester, name="team-requester"),
]
