"""You are asked: a role offered to the reader, with its duties, and yes and no. No needs no reason (ROL-09)."""

from __future__ import annotations

from typing import Any

from django import forms

from watchbill.actions import incident_roles
from watchbill.actions.role_scene import settings_of
from watchbill.core.roles import OFFERED
from watchbill.entry.web.incident_panels import About, Act, ActForm
from watchbill.entry.web.incident_panels._together import roles
from watchbill.rules.incident_roles import title_of

PLACE = 1
WHERE = "top"
TEMPLATE = "incidents/panel_asked.html"


def words(about: About) -> dict[str, Any] | None:
    """Give the roles that the reader is asked to take; None: nothing asks for them."""
    lines = {row.pk: row for row in about.once(roles)}
    rows = [row for row in lines.values() if row.person_id == about.reader.pk and row.state == OFFERED]
    if not rows:
        return None
    rule, labels = settings_of(about.desk), about.desk.policy.get("labels") or {}
    offers = [
        {
            "row": row,
            "title": title_of(row.role, rule, labels),
            "duties": rule.roles[row.role].duties if row.role in rule.roles else [],
            "after": lines[row.takes_over_from_id].person if row.takes_over_from_id in lines else None,
        }
        for row in rows
    ]
    return {"offers": offers}


class OfferForm(ActForm):
    """Which offer."""

    offer = forms.IntegerField(widget=forms.HiddenInput)


ACTS = {
    "accept": Act(
        OfferForm, lambda a, v: incident_roles.accept(v["offer"], a.reader, a.now), "It is yours. Thank you."
    ),
    "decline": Act(
        OfferForm,
        lambda a, v: incident_roles.decline(v["offer"], a.reader, a.now),
        "That is fine. Somebody else is asked.",
    ),
}
