"""Cases at vendors that the incident waits for: open one, write what they said, close it (INT-12)."""

from __future__ import annotations

from typing import Any

from django import forms

from watchbill.actions import vendor_cases
from watchbill.db.models import VendorCase
from watchbill.entry.web.incident_panels import SHORT, About, Act, ActForm
from watchbill.kit.errors import Refused

PLACE = 45
WHERE = "side"
TEMPLATE = "incidents/panel_vendors.html"


def words(about: About) -> dict[str, Any]:
    """Give the cases, open ones first."""
    rows = VendorCase.objects.filter(incident=about.incident).order_by("closed_at", "id")
    return {"cases": sorted(rows, key=lambda case: case.closed_at is not None)}


class CaseForm(ActForm):
    """A new case; what is empty is read from the service."""

    vendor = forms.CharField(label="At which vendor?", required=False, max_length=80)
    reference = forms.CharField(label="Their number", required=False, max_length=80)
    url = forms.CharField(label="Where it is read", required=False, max_length=500)
    remind_after_hours = forms.IntegerField(
        label="Remind after working hours", required=False, min_value=0, max_value=2000, help_text="Empty: the team's."
    )

    def fill_in(self, about: About) -> None:
        """Say which vendor the service names."""
        service = about.incident.service
        if service and service.vendor:
            self.fields["vendor"].help_text = f"Empty: {service.vendor}."


class HeardForm(ActForm):
    """What a vendor said; `over` closes the case."""

    case = forms.IntegerField(widget=forms.HiddenInput)
    said = forms.CharField(label="What did they say?", required=False, max_length=2000, widget=SHORT)
    over = forms.BooleanField(label="The case is closed", required=False)


def _open(about: About, given: dict[str, Any]) -> object:
    return vendor_cases.open_case(
        about.incident,
        {name: value for name, value in given.items() if value not in {"", None}},
        about.reader,
        about.now,
    )


def _hear(about: About, given: dict[str, Any]) -> object:
    case = VendorCase.objects.filter(pk=given["case"], incident=about.incident).first()
    if case is None:
        raise Refused("there is no such case", "case")
    if given["over"]:
        return vendor_cases.close_case(case, about.reader, about.now, given["said"])
    return vendor_cases.heard(case, given["said"], about.reader, about.now)


ACTS = {
    "open_case": Act(CaseForm, _open, "The case is written down, and you are reminded of it."),
    "heard_case": Act(HeardForm, _hear, "Written down."),
}
