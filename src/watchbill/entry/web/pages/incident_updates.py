"""How an update of an incident will read, while it is typed: for each audience, with what should perhaps not leave."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import incident_updates
from watchbill.entry.web.incident_panels.updates import UpdateForm
from watchbill.entry.web.pages.incident import about_of, incident_or_404
from watchbill.entry.web.reader import PageRequest


@login_required
@require_POST
def preview(request: PageRequest, number: int) -> HttpResponse:
    """Show what each audience will read."""
    about = about_of(request, incident_or_404(request, number))
    if not about.is_member:
        raise Http404
    form = UpdateForm(request.POST, about, "update")
    titles = {hearing.key: hearing.audience.title for hearing, _ in form.groups}
    shown = []
    if form.is_valid():
        for said in form.said(form.cleaned_data):
            text, worries = incident_updates.preview(about.incident, said, request.user, request.now)
            shown.append((titles[said.audience], text, worries))
    return render(request, "incidents/update_preview.html", {"shown": shown, "form": form})


URLS = [path("incidents/<int:number>/updates/preview/", preview, name="incident-update-preview")]
