"""The services that it touches, and how each of them is now."""

from __future__ import annotations

from typing import Any

from django import forms

from watchbill.actions import incidents
from watchbill.core.incidents import CONDITIONS
from watchbill.db.models import Service
from watchbill.entry.web.incident_panels import About, Act, ActForm
from watchbill.entry.web.incident_panels._together import teams, touched
from watchbill.entry.web.request_forms import choose, service_choices
from watchbill.entry.web.templatetags.incident_tags import CONDITIONS as CONDITION_WORDS
from watchbill.kit.errors import Refused

PLACE = 30
WHERE = "side"
TEMPLATE = "incidents/panel_services.html"


def words(about: About) -> dict[str, Any]:
    """Give what is touched, what is worst first."""
    return {
        "touched": sorted(about.once(touched), key=lambda row: (-CONDITIONS.index(row.condition), row.service.name))
    }


def services_for(about: About) -> list[Service]:
    """Read the services that the reader may name: those of the incident's team and of their own."""
    theirs = {about.incident.team_id, *(team.pk for team in about.once(teams))}
    return list(Service.objects.filter(team__in=theirs, archived_at=None).order_by("tier", "name"))


class TouchForm(ActForm):
    """A service, and how it is."""

    service = forms.ChoiceField()
    condition = forms.ChoiceField(label="It is", initial="degraded")

    def fill_in(self, about: About) -> None:
        """Offer the services and the conditions."""
        self.services = services_for(about)
        choose(self, "service", service_choices(self.services))
        choose(self, "condition", [(key, CONDITION_WORDS[key][1]) for key in reversed(CONDITIONS)])

    def clean_service(self) -> Service:
        """Give the service itself."""
        found = next((one for one in self.services if str(one.pk) == self.cleaned_data["service"]), None)
        if found is None:
            raise forms.ValidationError("choose one of these services")
        return found


def _touch(about: About, given: dict[str, Any]) -> object:
    if about.is_over:
        raise Refused("it is closed: open it again first")
    return incidents.touch(about.incident.pk, given["service"], given["condition"], about.reader, about.now)


ACTS = {"touch": Act(TouchForm, _touch, "Noted.")}
