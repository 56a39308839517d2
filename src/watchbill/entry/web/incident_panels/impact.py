"""What it is and how bad: title, what people feel, severity by the team's table or by hand, owner, the call."""

from __future__ import annotations

from typing import Any

from django import forms

from watchbill.actions import incidents
from watchbill.db.screens import incidents as screen
from watchbill.entry.web.incident_panels import SHORT, About, Act, ActForm
from watchbill.entry.web.request_forms import choose, person_of

PLACE = 20
WHERE = "side"
TEMPLATE = "incidents/panel_impact.html"


def words(about: About) -> dict[str, Any]:
    """Give the words of the team's table for what stands."""
    one, table = about.incident, incidents.severity_rule(about.desk)
    severity = table.severities.get(one.severity)
    return {
        "kind_of_impact": table.impacts.get(one.impact_kind, ""),
        "severity": severity.title if severity else one.severity,
        "meaning": severity.meaning if severity else "",
        "asked_for": None if one.call_url or about.is_over else screen.call_asked_for(one),
    }


class SeverityForm(ActForm):
    """What people feel, by the team's table; or the size by hand (PRI-07, PRI-09)."""

    impact_kind = forms.ChoiceField(label="What do people feel?", widget=forms.RadioSelect, required=False)
    severity = forms.ChoiceField(label="By hand", required=False, help_text="Nobody debates it while it lasts.")
    why = forms.CharField(label="Why?", required=False, max_length=500)

    def fill_in(self, about: About) -> None:
        """Offer the team's table."""
        table = incidents.severity_rule(about.desk)
        choose(self, "impact_kind", table.impacts.items())
        choose(self, "severity", [(key, one.title) for key, one in table.severities.items()], "as the table says")
        self.initial.setdefault("impact_kind", about.incident.impact_kind)
        self.initial.setdefault("severity", about.incident.severity if about.incident.is_severity_pinned else "")


class ChangeForm(ActForm):
    """What it is, who sees it through, where people talk."""

    title = forms.CharField(max_length=200)
    impact = forms.CharField(label="What people feel", widget=SHORT, max_length=incidents.LONGEST_TEXT)
    summary = forms.CharField(
        label="In short, for whoever comes later", widget=SHORT, required=False, max_length=incidents.LONGEST_TEXT
    )
    owner = forms.ChoiceField(label="Who sees it through until it is closed?", required=False)
    call_url = forms.CharField(
        label="The call", required=False, max_length=500, widget=forms.URLInput(attrs={"placeholder": "https://"})
    )

    def fill_in(self, about: About) -> None:
        """Show what stands."""
        one = about.incident
        choose(self, "owner", [(str(person.pk), str(person)) for person in _owners(about)], "nobody")
        for name in ("title", "impact", "summary", "call_url"):
            self.initial.setdefault(name, getattr(one, name))
        self.initial.setdefault("owner", str(one.owner_id or ""))


def _owners(about: About) -> list[Any]:
    owner = about.incident.owner
    return [*about.members, *([owner] if owner and owner not in about.members else [])]


def _change(about: About, given: dict[str, Any]) -> object:
    values = {**given, "owner": person_of(given["owner"], _owners(about))}
    return incidents.change(about.incident.pk, values, about.reader, about.now)


def _set_severity(about: About, given: dict[str, Any]) -> object:
    return incidents.set_severity(
        about.incident.pk,
        about.reader,
        about.now,
        impact_kind=given["impact_kind"],
        severity=given["severity"],
        why=given["why"],
    )


ACTS = {
    "severity": Act(SeverityForm, _set_severity, "Its severity is set."),
    "change": Act(ChangeForm, _change, "Saved."),
}
