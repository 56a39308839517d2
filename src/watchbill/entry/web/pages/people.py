"""People of the instance, for its administrators: the list, one person, invitations, who leaves."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import people
from watchbill.actions.access import require_administrator
from watchbill.db import facts
from watchbill.db.models import Person
from watchbill.db.screens import teams as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.pages.teams import link_of
from watchbill.entry.web.reader import PageRequest

DEEDS = ("deactivate", "reactivate", "administrator", "no-administrator")


class InviteForm(forms.Form):
    """A new account."""

    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    name = forms.CharField(max_length=80)


@login_required
def people_list(request: PageRequest) -> HttpResponse:
    """List everybody, a page at a time."""
    require_administrator(request.user, "see everybody's accounts")
    words, after = request.GET.get("q", "").strip(), request.GET.get("after", "")
    rows = screen.people_list(words, after)
    more = rows[-1].email if len(rows) == screen.PEOPLE else ""
    return render(request, "people/list.html", {"people": rows, "q": words, "more": more})


@login_required
def one(request: PageRequest, number: int) -> HttpResponse:
    """Show one account, and what the person still holds."""
    require_administrator(request.user, "see everybody's accounts")
    person = get_object_or_404(Person, pk=number)
    words = {
        "person": person,
        "memberships": person.memberships.select_related("team").order_by("team__name"),
        "held": people.holdings(person, request.now),
        "reachable": bool(facts.usable_addresses(person.pk)),
    }
    return render(request, "people/one.html", words)


@login_required
def invite(request: PageRequest) -> HttpResponse:
    """Make an account that belongs to no team yet."""
    require_administrator(request.user, "make accounts")
    form = InviteForm(request.POST or None)
    made = None
    if form.is_valid():
        data = form.cleaned_data
        made = attempt(form, people.create_person, data["email"], data["name"], request.user, request.now)
    words = {"form": InviteForm() if made else form, "made": made, "link": link_of(made)}
    return render(request, "people/invite.html", words)


@login_required
@require_POST
def link(request: PageRequest, number: int) -> HttpResponse:
    """Give a new sign-in link to somebody who lost theirs."""
    require_administrator(request.user, "make sign-in links")
    made = people.invite_again(get_object_or_404(Person, pk=number), request.user, request.now)
    return render(request, "people/invite.html", {"form": InviteForm(), "made": made, "link": link_of(made)})


@login_required
@require_POST
def change(request: PageRequest, number: int, deed: str) -> HttpResponse:
    """Switch an account off or on, or say who administers."""
    require_administrator(request.user, "change accounts")
    person = get_object_or_404(Person, pk=number)
    match deed:
        case "deactivate":
            held = people.deactivate(person, request.user, request.now)
            messages.success(
                request, f"{person}'s account is switched off." + (" See what is still theirs." if held else "")
            )
        case "reactivate":
            people.reactivate(person, request.user, request.now)
            messages.success(request, f"{person}'s account is switched on.")
        case _:
            people.set_administrator(person, request.user, request.now, administrator=deed == "administrator")
            messages.success(
                request, f"{person} is {'now' if deed == 'administrator' else 'no longer'} an administrator."
            )
    return redirect("person", number=number)


URLS = (
    path("people/", people_list, name="people"),
    path("people/invite/", invite, name="people-invite"),
    path("people/<int:number>/", one, name="person"),
    path("people/<int:number>/link/", link, name="person-link"),
    *(path(f"people/<int:number>/{deed}/", change, {"deed": deed}, name=f"person-{deed}") for deed in DEEDS),
)
