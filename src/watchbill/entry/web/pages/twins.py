"""A ticket in outside trackers: open an issue for it, link one that is there, try again, let go."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import connector_out
from watchbill.actions.access import may_read
from watchbill.db.models import ExternalRef, Ticket
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.reader import PageRequest
from watchbill.kit.errors import Refused


def _ref_or_404(request: PageRequest, number: int) -> ExternalRef:
    ref = ExternalRef.objects.select_related("connection__team").filter(pk=number, subject_kind="ticket").first()
    if ref is None:
        raise Http404
    may_read(request.user, ref.connection.team)
    return ref


@login_required
@require_POST
def connect(request: PageRequest, number: int) -> HttpResponse:
    """Open an issue for a ticket, or link the one that was named."""
    ticket = Ticket.objects.select_related("team").filter(pk=number).first()
    if ticket is None:
        raise Http404
    may_read(request.user, ticket.team)
    connection, name = number_in(request.POST.get("connection", "")) or 0, request.POST.get("ref", "").strip()
    try:
        if name:
            connector_out.link_twin(number, connection, name, request.user, request.now)
        else:
            connector_out.open_twin(number, connection, request.user, request.now)
        messages.success(request, f"{name or 'The issue'} is on its way: it stands under Elsewhere in a moment.")
    except Refused as refusal:
        messages.error(request, refusal.message)
    return redirect(f"/tickets/{number}/#elsewhere")


@login_required
@require_POST
def retry(request: PageRequest, number: int) -> HttpResponse:
    """Try again what did not get there."""
    ref = _ref_or_404(request, number)
    connector_out.retry(ref.pk, request.user, request.now)
    messages.success(request, "It is tried again.")
    return redirect(f"/tickets/{ref.subject_id}/#elsewhere")


@login_required
@require_POST
def let_go(request: PageRequest, number: int) -> HttpResponse:
    """Take a ticket and its issue apart."""
    ref = _ref_or_404(request, number)
    connector_out.let_go(ref.pk, request.user, request.now)
    messages.success(request, "The two do not follow each other any more; both stay as they are.")
    return redirect(f"/tickets/{ref.subject_id}/#elsewhere")


URLS = (
    path("twins/of/<int:number>/", connect, name="twin-connect"),
    path("twins/<int:number>/retry/", retry, name="twin-retry"),
    path("twins/<int:number>/let-go/", let_go, name="twin-let-go"),
)
