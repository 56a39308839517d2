"""What each audience was told and hears next; the next update is written for all of them side by side (COM-01, COM-07).

An audience whose fields stay empty is not told.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BoundField

from watchbill.actions import incident_eyes, incident_updates
from watchbill.actions.incident_updates import Said
from watchbill.actions.update_promises import hearings_of, rule_of
from watchbill.db.models import IncidentUpdate, Person
from watchbill.entry.web.incident_panels import SHORT, About, Act, ActForm
from watchbill.entry.web.incident_panels._together import holders, named, updates
from watchbill.entry.web.numbers import number_in
from watchbill.entry.web.request_forms import choose
from watchbill.entry.web.wall import WallField
from watchbill.kit.errors import Refused
from watchbill.rules.incident_updates import Hearing, hints_of, template_of

PLACE = 30
TEMPLATE = "incidents/panel_updates.html"
MOST_SHOWN = 30
STATE_CHOICES = {
    "active": (("", "We are looking into it"), ("identified", "We know what it is")),
    "mitigated": (("", "It works again, and we keep watching"),),
}
OVER = (("", "It is over"),)


def words(about: About) -> dict[str, Any]:
    """Give who was told what, when each hears next, and who speaks."""
    told = about.once(updates)
    rows = incident_eyes.told_of(about.incident, about.desk, about.now, told)
    titles = {row.hearing.key: row.hearing.audience.title for row in rows}
    said = told[: -MOST_SHOWN - 1 : -1]
    return {
        "rows": rows,
        "readers": incident_eyes.readers_of(about.once(named), told) if said and not about.is_over else [],
        "said": [(titles.get(one.audience, one.audience), one) for one in said],
        "speakers": [] if about.is_over else _speakers(about),
        "may_write": about.is_member and about.incident.state != "closed" and bool(rows),
        "correcting": _correcting(about),
    }


def _speakers(about: About) -> list[tuple[Person, str]]:
    return incident_updates.speakers_of(about.incident, about.desk, about.now, about.once(holders))


class UpdateForm(ActForm):
    """The parts for each audience, side by side; how it stands, and when they hear next."""

    state = forms.ChoiceField(label="How it stands", required=False)
    next_update_at = WallField(
        label="The next update comes by", required=False, help_text="Empty: as often as the team says."
    )
    no_next = forms.BooleanField(label="Promise no next update", required=False)

    def fill_in(self, about: About) -> None:
        """Make a field of each part for each audience."""
        choose(self, "state", STATE_CHOICES.get(about.incident.state, OVER))
        rule = rule_of(about.desk)
        self.groups: list[tuple[Hearing, list[str]]] = []
        for one in hearings_of(about.incident, about.desk):
            hints, names = hints_of(one.audience, rule), []
            for key, heading in template_of(one.audience, rule).items():
                name = f"{one.key}-{key}"
                self.fields[name] = forms.CharField(
                    label=heading, required=False, widget=SHORT, max_length=5000, help_text=hints[key]
                )
                names.append(name)
            self.groups.append((one, names))

    @property
    def audiences(self) -> list[tuple[Hearing, list[BoundField]]]:
        """Give each audience with its fields."""
        return [(hearing, [self[name] for name in names]) for hearing, names in self.groups]

    def said(self, given: dict[str, Any]) -> list[Said]:
        """Read what is said to each audience for which something was written."""
        found: list[Said] = []
        for hearing, names in self.groups:
            parts = {name.removeprefix(f"{hearing.key}-"): str(given.get(name) or "") for name in names}
            if any(text.strip() for text in parts.values()):
                found.append(
                    Said(hearing.key, parts, given["next_update_at"], given["state"], next_is_open=given["no_next"])
                )
        return found


class CorrectForm(ActForm):
    """What the audience should have been told."""

    update = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def fill_in(self, about: About) -> None:
        """Begin with what stands."""
        number = number_in(str(self.data.get("update") or about.query.get("update", "")))
        found = about.incident.updates.filter(pk=number).first() if number is not None else None
        rule = rule_of(about.desk)
        hearing = next(
            (one for one in hearings_of(about.incident, about.desk) if found and one.key == found.audience), None
        )
        if found is None or hearing is None:
            return
        texts = dict(found.parts)
        self.initial["update"] = found.pk
        for key, heading in template_of(hearing.audience, rule).items():
            name = f"{hearing.key}-{key}"
            self.fields[name] = forms.CharField(
                label=heading, required=False, widget=SHORT, max_length=5000, initial=texts.get(heading, "")
            )


def _correcting(about: About) -> IncidentUpdate | None:
    number = number_in(about.query.get("update", ""))
    return about.incident.updates.filter(pk=number).first() if about.is_member and number is not None else None


def _write(about: About, given: dict[str, Any]) -> object:
    said = UpdateForm(None, about, "update").said(given)
    if not said:
        raise Refused("write what at least one audience is told")
    return incident_updates.write_updates(about.incident.pk, said, about.reader, about.now)


def _correct(about: About, given: dict[str, Any]) -> object:
    found = about.incident.updates.filter(pk=given["update"]).first()
    if found is None:
        raise Refused("there is no such update")
    front = f"{found.audience}-"
    parts = {name.removeprefix(front): text for name, text in given.items() if name.startswith(front)}
    return incident_updates.correct(given["update"], parts, about.reader, about.now)


def _told(updates: list[IncidentUpdate]) -> str:
    return "The update is on its way." if len(updates) == 1 else f"{len(updates)} updates are on their way."


ACTS = {
    "update": Act(UpdateForm, _write, _told, "#updates"),
    "put_right": Act(CorrectForm, _correct, "They are told what is right.", "#updates"),
}
