"""The first responder's protocol: a checklist that is a state, ticked by people and by what Watchbill sees."""

from __future__ import annotations

from typing import Any

from django import forms

from watchbill.actions.incident_steps import set_step
from watchbill.entry.web.incident_panels import About, Act, ActForm

PLACE = 10
TEMPLATE = "incidents/panel_protocol.html"


def words(about: About) -> dict[str, Any] | None:
    """Give the steps in their order; none after the incident is closed."""
    if about.is_over:
        return None
    steps = sorted(about.incident.steps.select_related("done_by"), key=lambda step: (step.position, step.pk))
    if not steps:
        return None
    return {
        "steps": steps,
        "next_step": next((step for step in steps if step.done_at is None), None),
        "is_done": not any(step.is_required and step.done_at is None for step in steps),
    }


class StepForm(ActForm):
    """Which step; `undone` says that it is not done after all."""

    key = forms.CharField(max_length=40, widget=forms.HiddenInput)
    undone = forms.BooleanField(required=False, widget=forms.HiddenInput)


def _set(about: About, given: dict[str, Any]) -> object:
    return set_step(about.incident.pk, given["key"], about.reader, about.now, is_done=not given["undone"])


ACTS = {"step": Act(StepForm, _set, "Noted.")}
