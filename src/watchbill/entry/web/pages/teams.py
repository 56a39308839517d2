"""Teams: the list, one team, its members and its settings. Ladders and policy have files of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from watchbill import presets
from watchbill.actions import people, reachability, teams, tokens
from watchbill.actions.access import may_change, require_administrator, role_of
from watchbill.db.models import Membership, Person, Team
from watchbill.db.screens import teams as screen
from watchbill.entry.web.forms import ZoneField, attempt
from watchbill.entry.web.pages.me import country_choices
from watchbill.entry.web.reader import PageRequest, team_or_404

ROLES = [
    ("member", "member: answers, silences, covers shifts"),
    ("owner", "owner: changes the team as well"),
    ("observer", "observer: reads"),
]
DATE = forms.DateInput(attrs={"type": "date"})


class NewTeamForm(forms.Form):
    """A new team."""

    name = forms.CharField(max_length=80)
    zone = ZoneField(label="Time zone")
    preset = forms.ChoiceField(label="How it works to begin with", widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["preset"]
        # First, and so chosen until somebody chooses: one that pages at every hour. Who only tries must not sleep through it.
        found = sorted(presets.all_presets().values(), key=lambda preset: preset.coverage is not None)
        chosen.choices = [(preset.name, preset.title) for preset in found]
        chosen.initial = chosen.choices[0][0] if chosen.choices else ""


class TeamForm(forms.Form):
    """What a team is called, where it is, and who stands behind it."""

    name = forms.CharField(max_length=80)
    zone = ZoneField(label="Time zone", help_text="Shifts and coverage are in it.")
    holiday_country = forms.ChoiceField(
        label="Holidays of country", choices=country_choices, required=False, help_text="They close its coverage."
    )
    holiday_subdivision = forms.CharField(
        label="Part of the country", max_length=16, required=False, help_text="Such as ENG for England; may be empty."
    )
    fallback = forms.ChoiceField(
        label="Fallback person", required=False, help_text="Told when nobody else can be, and when nobody answers."
    )
    manager = forms.ChoiceField(required=False)
    product_manager = forms.ChoiceField(label="Product manager", required=False)

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everybody = [("", "nobody"), *screen.choosable_people(team)]
        for name in teams.NAMED:
            field: Any = self.fields[name]
            field.choices = everybody


class MemberForm(forms.Form):
    """Somebody in a team."""

    role = forms.ChoiceField(choices=ROLES)
    skills = forms.CharField(max_length=400, required=False, help_text="With commas between, such as: DBA, network.")
    active_from = forms.DateField(label="Serves from", required=False, widget=DATE)
    active_until = forms.DateField(label="Serves until", required=False, widget=DATE, help_text="That day included.")


class InviteForm(forms.Form):
    """Somebody new."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    name = forms.CharField(max_length=80, help_text="Ignored for somebody who has an account already.")
    role = forms.ChoiceField(choices=ROLES)


@login_required
def team_list(request: PageRequest) -> HttpResponse:
    """List the teams that the reader may see."""
    return render(request, "teams/list.html", {"teams": screen.teams_for(request.user)})


@login_required
def new(request: PageRequest) -> HttpResponse:
    """Make a team from a preset."""
    require_administrator(request.user, "make a team")
    form = NewTeamForm(request.POST or None, initial={"zone": request.user.zone})
    if form.is_valid():
        data = form.cleaned_data
        team = attempt(form, teams.create_team, data["name"], data["zone"], data["preset"], request.user, request.now)
        if team:
            messages.success(request, f"{team} is made. Add its people next.")
            return redirect("team", slug=team.slug)
    return render(request, "teams/new.html", {"form": form, "presets": presets.all_presets()})


@login_required
def one(request: PageRequest, slug: str) -> HttpResponse:
    """Show one team: who is on watch, who belongs to it, how it pages and how it works."""
    team = team_or_404(request, slug)
    days = reachability.days_ahead(team)
    words = {
        "team": team,
        "role": role_of(request.user, team),
        "on_watch": screen.on_watch(team, request.now),
        "members": screen.members_of(team),
        "rotations": screen.rotations_of(team),
        "ladders": [(ladder, screen.rungs_of(ladder)) for ladder in screen.ladders_of(team)],
        "policy": screen.newest_policy(team),
        "missing": reachability.reachability(team, request.now),
        "days": days,
    }
    return render(request, "teams/one.html", words)


@login_required
def edit(request: PageRequest, slug: str) -> HttpResponse:
    """Change what a team is called, where it is, and who stands behind it."""
    team = team_or_404(request, slug)
    may_change(request.user, team, f"change {team}")
    initial = {name: getattr(team, name) for name in ("name", "zone", "holiday_country", "holiday_subdivision")}
    initial |= {name: getattr(team, f"{name}_id") for name in teams.NAMED}
    form = TeamForm(request.POST or None, initial=initial, team=team)
    if form.is_valid() and attempt(form, teams.change_team, team, form.cleaned_data, request.user, request.now):
        messages.success(request, f"{team} is saved.")
        return redirect("team", slug=slug)
    return render(request, "teams/edit.html", {"form": form, "team": team})


@login_required
@require_POST
def archive(request: PageRequest, slug: str) -> HttpResponse:
    """Take a team out of use, or bring it back."""
    team = team_or_404(request, slug)
    archived = team.archived_at is None
    teams.archive_team(team, request.user, request.now, archived=archived)
    messages.success(request, f"{team} is {'archived' if archived else 'back'}.")
    return redirect("teams")


@login_required
@require_POST
def feed_revoke(request: PageRequest, slug: str) -> HttpResponse:
    """End the team's calendar addresses handed out so far."""
    team = team_or_404(request, slug)
    tokens.revoke_feed(team, request.user, request.now)
    messages.success(request, "The old calendar addresses of the team work no more. The rota shows the new ones.")
    return redirect("team", slug=slug)


@login_required
def invite(request: PageRequest, slug: str) -> HttpResponse:
    """Add somebody to a team; who has no account gets a link to make one, shown here as well."""
    team = team_or_404(request, slug)
    may_change(request.user, team, f"invite people to {team}")
    form = InviteForm(request.POST or None)
    made = None
    if form.is_valid():
        data = form.cleaned_data
        made = attempt(
            form,
            people.create_person,
            data["email"],
            data["name"],
            request.user,
            request.now,
            team=team,
            role=data["role"],
        )
    words = {"form": InviteForm() if made else form, "team": team, "made": made, "link": link_of(made)}
    return render(request, "teams/invite.html", words)


def link_of(made: people.Invitation | None) -> str:
    """Give the whole address of an invitation, to be handed on by the inviter."""
    if made is None or made.token is None:
        return ""
    return f"{settings.WATCHBILL_URL}{reverse('join', kwargs={'token': made.token})}"


@login_required
def member(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Change somebody's role, skills and dates in a team."""
    team = team_or_404(request, slug)
    may_change(request.user, team, f"change who is in {team}")
    found = get_object_or_404(Membership.objects.select_related("person", "team"), team=team, person_id=number)
    initial = {name: getattr(found, name) for name in ("role", "active_from", "active_until")}
    form = MemberForm(request.POST or None, initial={**initial, "skills": ", ".join(found.skills)})
    if form.is_valid() and attempt(form, teams.change_member, found, form.cleaned_data, request.user, request.now):
        messages.success(request, f"{found.person}'s place in {team} is saved.")
        return redirect("team", slug=slug)
    return render(request, "teams/member.html", {"form": form, "team": team, "member": found})


@login_required
@require_POST
def remove(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Take somebody out of a team."""
    team = team_or_404(request, slug)
    found = get_object_or_404(Membership.objects.select_related("person", "team"), team=team, person_id=number)
    teams.remove_member(found, request.user, request.now)
    messages.success(request, f"{found.person} is no longer in {team}.")
    return redirect("teams" if found.person == request.user else reverse("team", kwargs={"slug": slug}))


@login_required
@require_POST
def invite_again(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Give a new link to a member who has not joined yet."""
    team = team_or_404(request, slug)
    may_change(request.user, team, f"invite people to {team}")
    person = Person.objects.filter(pk=number, memberships__team=team).first()
    if person is None:
        raise Http404
    made = people.invite_again(person, request.user, request.now)
    return render(
        request, "teams/invite.html", {"form": InviteForm(), "team": team, "made": made, "link": link_of(made)}
    )


URLS = (
    path("teams/", team_list, name="teams"),
    path("teams/new/", new, name="team-new"),
    path("teams/<slug:slug>/", one, name="team"),
    path("teams/<slug:slug>/edit/", edit, name="team-edit"),
    path("teams/<slug:slug>/archive/", archive, name="team-archive"),
    path("teams/<slug:slug>/calendar/end/", feed_revoke, name="team-feed-revoke"),
    path("teams/<slug:slug>/invite/", invite, name="team-invite"),
    path("teams/<slug:slug>/members/<int:number>/", member, name="team-member"),
    path("teams/<slug:slug>/members/<int:number>/remove/", remove, name="team-member-remove"),
    path("teams/<slug:slug>/members/<int:number>/invite/", invite_again, name="team-member-invite"),
)
