"""Who responds, and who no longer does: the page always shows who continues (INC-11, INC-16)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q

from watchbill.actions import incidents
from watchbill.db.models import Person
from watchbill.entry.web.incident_panels import About, Act, ActForm, EmptyForm
from watchbill.entry.web.incident_panels._together import holders, named, scene, teams
from watchbill.entry.web.request_forms import choose, person_of
from watchbill.kit.errors import Refused

PLACE = 5
WHERE = "side"
TEMPLATE = "incidents/panel_responders.html"


def words(about: About) -> dict[str, Any]:
    """Give who is named in it, those who respond first, with the roles that they hold."""
    roles: dict[int, list[str]] = {}
    for row in about.once(holders):
        roles.setdefault(row.person_id, []).append(about.once(scene).title(row.role))
    people = about.once(named)
    return {
        "responding": [(row, roles.get(row.person_id, [])) for row in people if row.left_at is None],
        "left": [row for row in people if row.left_at is not None],
        "i_respond": any(row.person_id == about.reader.pk and row.left_at is None for row in people),
    }


def _callable(about: About) -> list[Person]:
    """Read whom the reader may call in: the members of the team, and everybody of their own teams."""
    here = Q(memberships__team=about.incident.team_id) | Q(memberships__team__in=about.once(teams))
    busy = [row.person_id for row in about.once(named) if row.left_at is None]
    people = Person.objects.filter(here, is_active=True).exclude(pk__in=busy).exclude(pk=about.reader.pk)
    return list(people.distinct().order_by("name", "pk"))


class CallForm(ActForm):
    """Call somebody in; they see it then, also when it is private."""

    person = forms.ChoiceField(label="Whom?")

    def fill_in(self, about: About) -> None:
        """Offer the members of the team, and of the reader's own teams."""
        self.people = _callable(about)
        choose(self, "person", [(str(one.pk), str(one)) for one in self.people])
        if about.incident.is_private:
            self.fields["person"].help_text = "They see this private incident from then on."


def _call(about: About, given: dict[str, Any]) -> object:
    whom = person_of(given["person"], _callable(about))
    if whom is None:
        raise Refused("choose whom to call", "person")
    return incidents.add_responder(about.incident.pk, whom, about.reader, about.now)


ACTS = {
    "join": Act(
        EmptyForm, lambda a, v: incidents.add_responder(a.incident.pk, a.reader, a.reader, a.now), "You respond."
    ),
    "call": Act(CallForm, _call, "They are named here. Page them when they should come at once."),
    "leave": Act(
        EmptyForm, lambda a, v: incidents.leave(a.incident.pk, a.reader, a.now), "You no longer respond. Rest well."
    ),
}
