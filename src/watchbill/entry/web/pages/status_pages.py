"""A team's status pages as its owners set them up: their names and addresses, and what stands on them in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import status_subscriptions, statuspage
from watchbill.actions.access import may_change, role_of
from watchbill.db.models import Service, StatusComponent, StatusPage, Team
from watchbill.db.screens.requests import services_of
from watchbill.db.status_facts import components_of
from watchbill.entry.web.forms import MarkdownField, attempt
from watchbill.entry.web.reader import PageRequest, team_or_404
from watchbill.entry.web.request_forms import choose


class PageForm(forms.Form):
    """What a page is called, and who may read it."""

    title = forms.CharField(max_length=80, help_text="As the public reads it.")
    slug = forms.CharField(
        label="Address", max_length=50, required=False, help_text="/status/…; empty: made of the title."
    )
    intro = MarkdownField(3, label="In front", required=False, max_length=4000)
    is_public = forms.BooleanField(
        label="Anybody may read it", required=False, help_text="If not: whoever has the link, which holds a key."
    )


class NameForm(forms.Form):
    """What the public calls a component."""

    name = forms.CharField(max_length=80, required=False, help_text="As the public knows it; empty: as the service.")
    group = forms.CharField(max_length=80, required=False)
    description = forms.CharField(max_length=200, required=False)


class AddForm(NameForm):
    """Which service comes on the page, and what the public calls it."""

    field_order = ("service", "name", "group", "description")
    service = forms.ChoiceField()

    def __init__(self, data: Any, services: list[Service], **kwargs: Any) -> None:
        super().__init__(data, label_suffix="", auto_id="add-%s", **kwargs)
        choose(self, "service", [(str(one.pk), str(one)) for one in services])


@login_required
def overview(request: PageRequest, slug: str) -> HttpResponse:
    """List a team's pages; an owner makes another one."""
    team = team_or_404(request, slug)
    form = PageForm(request.POST if request.method == "POST" else None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        made = attempt(form, statuspage.create, team, form.cleaned_data, request.user, request.now)
        if made:
            return redirect("team-status-page", slug=slug, page=made.slug)
    words = {
        "team": team,
        "pages": StatusPage.objects.filter(team=team).order_by("archived_at", "title"),
        "form": form,
        "is_owner": role_of(request.user, team) == "owner",
    }
    return render(request, "status/pages.html", words, status=409 if form.errors else 200)


@login_required
def one(request: PageRequest, slug: str, page: str) -> HttpResponse:
    """Show a page to the team's owners, with all that may be changed of it."""
    team, found = _find(request, slug, page)
    return _render(request, team, found, PageForm(None, initial=vars(found), label_suffix=""), None)


def _find(request: PageRequest, slug: str, page: str) -> tuple[Team, StatusPage]:
    team = team_or_404(request, slug)
    found = StatusPage.objects.select_related("team").filter(team=team, slug=page).first()
    if found is None:
        raise Http404(page)
    may_change(request.user, team, "set up a status page")
    return team, found


def _render(
    request: PageRequest, team: Team, page: StatusPage, form: PageForm, add: AddForm | None, status: int = 200
) -> HttpResponse:
    components = components_of(page)
    standing = {one.service_id for one in components}
    free = [one for one in services_of(team) if one.pk not in standing]
    words = {
        "team": team,
        "page": page,
        "form": form,
        "add": add or AddForm(None, free),
        "free": free,
        "components": [(one, NameForm(initial=vars(one), label_suffix="", prefix=str(one.pk))) for one in components],
        "link": statuspage.link_of(page, request.user),
        "counts": status_subscriptions.count_of(page, request.user),
    }
    return render(request, "status/one.html", words, status=status)


@login_required
@require_POST
def change(request: PageRequest, slug: str, page: str) -> HttpResponse:
    """Change how a page is called and who may read it."""
    team, found = _find(request, slug, page)
    form = PageForm(request.POST, label_suffix="")
    if form.is_valid():
        changed = attempt(form, statuspage.change, found, form.cleaned_data, request.user, request.now)
        if changed:
            messages.success(request, "Changed.")
            return redirect("team-status-page", slug=slug, page=changed.slug)
    return _render(request, team, found, form, None, 409)


@login_required
@require_POST
def add(request: PageRequest, slug: str, page: str) -> HttpResponse:
    """Put a service on the page."""
    team, found = _find(request, slug, page)
    form = AddForm(request.POST, services_of(team))
    if form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if name != "service" and value}
        service = Service.objects.get(pk=form.cleaned_data["service"], team=team)
        if attempt(form, statuspage.add_component, found, service, values, request.user, request.now):
            messages.success(request, "It stands on the page.")
            return redirect("team-status-page", slug=slug, page=page)
    return _render(request, team, found, PageForm(None, initial=vars(found), label_suffix=""), form, 409)


@login_required
@require_POST
def component(request: PageRequest, slug: str, page: str, number: int, act: str) -> HttpResponse:
    """Rename a component, move it up, or take it off the page."""
    _, found = _find(request, slug, page)
    row = StatusComponent.objects.select_related("page__team").filter(page=found, pk=number, removed_at=None).first()
    chosen = COMPONENT_ACTS.get(act)
    if row is None or chosen is None:
        raise Http404(act)
    chosen(row, request)
    messages.success(request, "Changed.")
    return redirect("team-status-page", slug=slug, page=page)


def _rename(row: StatusComponent, request: PageRequest) -> None:
    values = {name: request.POST.get(f"{row.pk}-{name}", "") for name in ("name", "group", "description")}
    statuspage.change_component(row, values, request.user, request.now)


def _up(row: StatusComponent, request: PageRequest) -> None:
    order = [one.pk for one in components_of(row.page)]
    place = max(order.index(row.pk) - 1, 0)
    order.remove(row.pk)
    order.insert(place, row.pk)
    statuspage.order_components(row.page, order, request.user, request.now)


def _off(row: StatusComponent, request: PageRequest) -> None:
    statuspage.remove_component(row, request.user, request.now)


COMPONENT_ACTS: dict[str, Callable[[StatusComponent, PageRequest], None]] = {"name": _rename, "up": _up, "off": _off}


@login_required
@require_POST
def act(request: PageRequest, slug: str, page: str, act: str) -> HttpResponse:
    """Renew a page's link, archive the page, or put it back."""
    _, found = _find(request, slug, page)
    if act == "renew":
        statuspage.renew_key(found, request.user, request.now)
        messages.success(request, "It has a new link; the old one opens nothing any more.")
    elif act in {"archive", "restore"}:
        statuspage.archive(found, request.user, request.now, is_archived=act == "archive")
        messages.success(request, "It is archived." if act == "archive" else "It is back at its address.")
    else:
        raise Http404(act)
    return redirect("team-status-page", slug=slug, page=page)


URLS = [
    path("teams/<slug:slug>/status/", overview, name="team-status"),
    path("teams/<slug:slug>/status/<slug:page>/", one, name="team-status-page"),
    path("teams/<slug:slug>/status/<slug:page>/change/", change, name="team-status-change"),
    path("teams/<slug:slug>/status/<slug:page>/add/", add, name="team-status-add"),
    path(
        "teams/<slug:slug>/status/<slug:page>/component/<int:number>/<slug:act>/",
        component,
        name="team-status-component",
    ),
    path("teams/<slug:slug>/status/<slug:page>/<slug:act>/", act, name="team-status-act"),
]
