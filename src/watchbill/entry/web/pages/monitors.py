"""One monitor's connection: how to set the tool up, its key, a test alert, and for the generic one the mapping."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from watchbill import monitors
from watchbill.actions import catalogue
from watchbill.actions.access import may_change
from watchbill.db.models import MonitorConnection
from watchbill.db.screens import services as screen
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.forms_mapping import MappingForm
from watchbill.entry.web.order import severity_order
from watchbill.entry.web.pages.alerts import may_answer
from watchbill.entry.web.pages.services import owns, service_or_404
from watchbill.entry.web.reader import PageRequest
from watchbill.kit.errors import Unreadable

PAYLOAD_MOST = catalogue.LARGEST_EXAMPLE


def connection_or_404(request: PageRequest, slug: str, number: int) -> MonitorConnection:
    """Find a connection of a service that the reader may see; raises Http404."""
    service = service_or_404(request, slug)
    found = MonitorConnection.objects.filter(service=service, pk=number, removed_at=None).first()
    if found is None:
        raise Http404(f"there is no monitor {number}")
    found.service = service
    return found


@login_required
@never_cache
def connection(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Show how to set a tool up; to owners with the key, to others with its place left empty."""
    one = connection_or_404(request, slug, number)
    owner = owns(request.user, one.service.team)
    key = one.key if owner else "…"
    module = monitors.all_monitors()[one.monitor]
    last = screen.last_payload(one)
    words = {
        "connection": one,
        "service": one.service,
        "title": module.TITLE,
        "set_up": monitors.write_set_up(one.monitor, settings.WATCHBILL_URL, key),
        "url": settings.WATCHBILL_URL.rstrip("/") + monitors.address_of(one.monitor, key),
        "key": key,
        "is_owner": owner,
        "is_member": may_answer(request.user, one.service.team),
        "severities": severity_order(one.service.team),
        "last": last,
        "has_mapping": has_mapping(one),
    }
    return render(request, "services/monitor.html", words)


def has_mapping(one: MonitorConnection) -> bool:
    """Tell whether a person may write how this monitor's payloads are read."""
    return hasattr(monitors.all_monitors()[one.monitor], "preview")


@login_required
@require_POST
def disconnect(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Take a monitor's key out of use."""
    one = connection_or_404(request, slug, number)
    catalogue.disconnect_monitor(one, request.user, request.now)
    messages.success(request, f"{one.name} is disconnected: its key is refused within seconds.")
    return redirect(f"/services/{slug}/#monitors")


@login_required
@require_POST
def test(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Send a test alert the whole way."""
    one = connection_or_404(request, slug, number)
    severity = request.POST.get("severity", "")
    catalogue.send_test_alert(one, severity, request.user, request.now)
    messages.success(
        request,
        "The test alert is on its way: it stands under Alerts in a moment, and pages whoever such an alert pages.",
    )
    return redirect("/alerts/")


@login_required
def mapping(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Write how payloads are read, against the last one; the result is shown as it is typed."""
    one = connection_or_404(request, slug, number)
    may_change(request.user, one.service.team, "change how a monitor is read")
    if not has_mapping(one):
        raise Http404("this monitor has nothing to set")
    module = monitors.all_monitors()[one.monitor]
    form = MappingForm(request.POST or None, monitors.settings_of(module), one.settings)
    text = request.POST.get("payload") or _example(one)
    if form.is_valid():
        send = request.POST.get("do") == "send"
        action: Any = catalogue.send_example if send else catalogue.change_connection
        if attempt(form, action, one, text if send else form.written(), request.user, request.now):
            said = (
                "The payload is in the inbox and is being read."
                if send
                else "Saved. The next payload is read this way."
            )
            messages.success(request, said)
            return redirect(f"/services/{slug}/monitors/{number}/mapping/")
    words = {
        "connection": one,
        "service": one.service,
        "form": form,
        "payload": text,
        "result": _preview(one, form.written() if form.is_bound else one.settings, text),
    }
    return render(request, "services/mapping.html", words)


def _example(one: MonitorConnection) -> str:
    """Give the last payload received, else the first example of the monitor."""
    last = screen.last_payload(one)
    if last is not None:
        return screen.show_payload(bytes(last.body))
    return json.dumps(monitors.all_monitors()[one.monitor].EXAMPLES[0].payload, indent=2)


@login_required
@require_POST
def preview(request: PageRequest, slug: str, number: int) -> HttpResponse:
    """Show what the payload in the form becomes with the mapping in the form."""
    one = connection_or_404(request, slug, number)
    may_change(request.user, one.service.team, "change how a monitor is read")
    if not has_mapping(one):
        raise Http404("this monitor has nothing to set")
    module = monitors.all_monitors()[one.monitor]
    form = MappingForm(request.POST, monitors.settings_of(module), one.settings)
    text = request.POST.get("payload", "")
    return render(request, "services/preview.html", {"form": form, "result": _preview(one, form.written(), text)})


def _preview(one: MonitorConnection, written: dict[str, Any], text: str) -> dict[str, Any]:
    """Read the payload with what was written; problems stand with the field they are of."""
    if len(text) > PAYLOAD_MOST:
        return {"broken": "This payload is larger than 256 KB."}
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        return {"broken": f"The payload is no JSON: {error}"}
    module = monitors.all_monitors()[one.monitor]
    try:
        result = module.preview(payload, written)
    except Unreadable as error:
        return {"broken": error.message}
    fields = monitors.settings_of(module).model_fields
    problems = [
        (problem.field, fields[problem.field].title if problem.field in fields else problem.field, problem)
        for problem in result.problems
    ]
    return {"signals": result.signals[:20], "count": len(result.signals), "problems": problems}


URLS = [
    path("services/<slug:slug>/monitors/<int:number>/", connection, name="monitor"),
    path("services/<slug:slug>/monitors/<int:number>/disconnect/", disconnect, name="monitor-disconnect"),
    path("services/<slug:slug>/monitors/<int:number>/test/", test, name="monitor-test"),
    path("services/<slug:slug>/monitors/<int:number>/mapping/", mapping, name="mapping"),
    path("services/<slug:slug>/monitors/<int:number>/preview/", preview, name="mapping-preview"),
]
