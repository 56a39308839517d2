"""A case at a vendor: what they said, and its number, where it is read, when we are reminded (INT-12)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_POST

from watchbill.actions import vendor_cases
from watchbill.db.incident_facts import hidden_from
from watchbill.db.models import VendorCase
from watchbill.db.screens.visible import teams_of
from watchbill.entry.web.forms import attempt
from watchbill.entry.web.incident_panels import SHORT
from watchbill.entry.web.reader import PageRequest
from watchbill.kit.errors import Refused

NAMES = ("vendor", "reference", "url", "contact", "note")


class CaseForm(forms.Form):
    """What is known of a case."""

    vendor = forms.CharField(label="At which vendor?", max_length=80)
    reference = forms.CharField(label="Their number", required=False, max_length=80)
    url = forms.CharField(label="Where it is read", required=False, max_length=500, widget=forms.URLInput)
    contact = forms.CharField(label="Whom to ask there", required=False, max_length=2000, widget=SHORT)
    note = forms.CharField(label="What they were told", required=False, max_length=2000, widget=SHORT)
    remind_after_hours = forms.IntegerField(
        label="Remind after working hours",
        required=False,
        min_value=0,
        max_value=vendor_cases.MOST_HOURS,
        help_text="Empty: as it is. 0: never.",
    )

    def values(self) -> dict[str, Any]:
        """Give what was said; hours that were left empty stay as they are."""
        return {name: value for name, value in self.cleaned_data.items() if value is not None}


def _case_or_404(request: PageRequest, number: int) -> VendorCase:
    seen = VendorCase.objects.exclude(incident__in=hidden_from(request.user)).filter(team__in=teams_of(request.user))
    case = seen.select_related("team", "request", "ticket", "incident").filter(pk=number).first()
    if case is None:
        raise Http404(f"there is no case {number}")
    return case


@login_required
@require_POST
def heard(request: PageRequest, number: int) -> HttpResponse:
    """Write down what a vendor said, or close its case."""
    case = _case_or_404(request, number)
    note = request.POST.get("note", "")
    if request.POST.get("do") == "close":
        vendor_cases.close_case(case, request.user, request.now, note)
        messages.success(request, f"The case at {case.vendor} is closed.")
    elif request.POST.get("do") == "heard":
        vendor_cases.heard(case, note, request.user, request.now)
        messages.success(request, "Written down. The reminder begins anew.")
    else:
        raise Refused("choose what happened")
    return redirect(_place(case))


@login_required
def change(request: PageRequest, number: int) -> HttpResponse:
    """Change a case; what waits for it keeps the line in its story."""
    case = _case_or_404(request, number)
    form = CaseForm(request.POST or None, initial={name: getattr(case, name) for name in NAMES}, label_suffix="")
    if form.is_valid() and attempt(form, vendor_cases.change_case, case, form.values(), request.user, request.now):
        messages.success(request, "It is changed.")
        return redirect(_place(case))
    words = {"form": form, "case": case, "back": _place(case)}
    return render(request, "vendors/change.html", words, status=409 if form.errors else 200)


def _place(case: VendorCase) -> str:
    if case.incident_id:
        return f"/incidents/{case.incident_id}/#vendors"
    return f"/requests/{case.request_id}/#vendors" if case.request_id else f"/tickets/{case.ticket_id}/#vendors"


URLS = [
    path("vendor-cases/<int:number>/change/", change, name="vendor-case-change"),
    path("vendor-cases/<int:number>/heard/", heard, name="vendor-case-heard"),
]
