"""One incident: how it stands, and its panels (`incident_panels`); what each offers is a POST to /incidents/<id>/<act>/."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST

from watchbill.actions import incident_eyes, incidents
from watchbill.actions.access import ROLES, role_of
from watchbill.actions.desk import desk_of
from watchbill.db.incident_facts import named_in
from watchbill.db.models import Incident
from watchbill.db.screens import incidents as screen
from watchbill.db.screens.incident_timeline import find_file
from watchbill.db.screens.requests import members_of
from watchbill.entry.web.answers import next_url
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.incident_panels import (
    MAIN,
    SIDE,
    TOP,
    About,
    ActForm,
    Forms,
    Shown,
    acts_of,
    all_panels,
    find_act,
)
from watchbill.entry.web.incident_panels._together import holders, named, updates
from watchbill.entry.web.reader import PageRequest
from watchbill.entry.web.templatetags.incident_tags import IMAGES

EMPTY = "incidents/panel_empty.html"
# The part above the panels, which asks for itself as they do.
HEAD = "head"


def incident_or_404(request: PageRequest, number: int) -> Incident:
    """Find an incident that the reader may see; raises Http404 also for one of others."""
    one = screen.find_incident(request.user, number)
    if one is None:
        raise Http404(f"there is no incident {number}")
    return one


@login_required
def show(request: PageRequest, number: int) -> HttpResponse:
    """Show one incident; `?panel=` gives one of its panels alone to a page that is open, without what stands around it."""
    one = incident_or_404(request, number)
    about = about_of(request, one)
    panel = request.GET.get("panel", "updates")
    if panel == "updates":
        incident_eyes.note_seen(one, request.user, request.now, about.once(named), about.once(updates))
    # A person who opens such an address themselves gets the page.
    if "HX-Request" in request.headers and panel == HEAD:
        return render(request, "incidents/head_alone.html", _words(about))
    if "HX-Request" in request.headers and "panel" in request.GET and panel in all_panels():
        words = {"incident": one, "about": about, "is_member": about.is_member, "open_form": ""}
        shown = _shown(panel, all_panels()[panel], about, {})
        return render(request, "incidents/panel_alone.html", {**words, "panel": shown})
    return _render(request, about, {})


def _render(request: PageRequest, about: About, given: dict[str, ActForm], status: int = 200) -> HttpResponse:
    panels = [_shown(name, module, about, given) for name, module in all_panels().items()]
    words = {
        **_words(about),
        "open_form": next(iter(given), ""),
        "refused": [(name, _errors(form)) for name, form in given.items()],
        **{where: [panel for panel in panels if panel.where == where] for where in (TOP, MAIN, SIDE)},
    }
    return render(request, "incidents/one.html", words, status=status)


def _words(about: About) -> dict[str, Any]:
    """Give what stands above the panels."""
    one, table = about.incident, incidents.severity_rule(about.desk)
    severity, priority = table.severities.get(one.severity), table.priorities.get(one.priority)
    return {
        "incident": one,
        "about": about,
        "is_member": about.is_member,
        "how_bad": _how_bad(severity.title if severity else one.severity, priority.title if priority else one.priority),
        "is_major": bool(priority and priority.is_major),
        "commanders": [row for row in about.once(holders) if row.role == "commander"],
    }


def _how_bad(severity: str, priority: str) -> str:
    """Say how bad it is: the priority too, where its name says more than the severity does."""
    if not priority or severity.lower().startswith(priority.lower()):
        return severity
    return priority if priority.lower().startswith(severity.lower()) else f"{severity}, {priority}"


def _errors(form: ActForm) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]


def about_of(request: PageRequest, one: Incident) -> About:
    """Gather what a panel knows."""
    role = role_of(request.user, one.team)
    is_member = role is not None and ROLES.index(role) >= ROLES.index("member")
    return About(
        incident=one,
        desk=desk_of(one.team, request.now),
        reader=request.user,
        now=request.now,
        role=role,
        is_member=is_member or (request.user.is_active and named_in(one, request.user)),
        members=members_of([one.team_id]),
        query=request.GET.dict(),
    )


def _shown(name: str, module: ModuleType, about: About, given: Mapping[str, ActForm]) -> Shown:
    where = getattr(module, "WHERE", MAIN)
    words = module.words(about)
    if words is None:
        return Shown(name, where, EMPTY, {"panel_name": name})
    forms = Forms(acts_of(module) if about.is_member else {}, about, given)
    return Shown(name, where, module.TEMPLATE, {**words, "panel_name": name, "forms": forms})


@login_required
@require_POST
def act(request: PageRequest, number: int, name: str) -> HttpResponse:
    """Do one thing in an incident; a refusal shows the page again with what was typed."""
    chosen = find_act(name)
    if chosen is None:
        raise Http404(name)
    one = incident_or_404(request, number)
    about = about_of(request, one)
    form = chosen.form(request.POST, about, name, request.FILES)
    if form.is_valid():
        result = attempt(form, chosen.do, about, form.cleaned_data)
        if result is not None:
            messages.success(request, chosen.words(result))
            return redirect(next_url(request, f"/incidents/{number}/{chosen.back}"))
    return _render(request, about_of(request, incident_or_404(request, number)), {name: form}, 409)


@login_required
def file(request: PageRequest, number: int, file: int) -> HttpResponse:
    """Give a file of the timeline: a picture is shown, all else is saved; neither is a page of ours."""
    found = find_file(incident_or_404(request, number), file)
    if found is None:
        raise Http404
    shown = found.media_type in IMAGES
    response = HttpResponse(
        bytes(found.content), content_type=found.media_type if shown else "application/octet-stream"
    )
    held = content_disposition_header(as_attachment=not shown, filename=found.name)
    response["Content-Disposition"] = held or ("inline" if shown else "attachment")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


URLS = [
    path("incidents/<int:number>/", show, name="incident"),
    path("incidents/<int:number>/files/<int:file>/", file, name="incident-file"),
    path("incidents/<int:number>/<slug:name>/", act, name="incident-act"),
]
