"""The timeline: what happened, when, by whom, what was put right; entries with links and files (INC-08, INC-12)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone

from watchbill.actions import incident_story
from watchbill.actions.incident_story import Entry
from watchbill.core.incidents import ENTRY_KINDS
from watchbill.db.screens.incident_timeline import find_line, read_timeline
from watchbill.entry.web.incident_panels import About, Act, ActForm
from watchbill.entry.web.request_forms import FilesField, choose
from watchbill.entry.web.templatetags.incident_tags import ENTRY_WORDS
from watchbill.entry.web.wall import WallField
from watchbill.kit.errors import Refused

PLACE = 50
TEMPLATE = "incidents/panel_timeline.html"
GROUPS = {
    "written": "Written by people",
    "state": "State",
    "updates": "Updates",
    "people": "People",
    "steps": "First steps",
    "more": "More",
    "messages": "Messages",
}


def words(about: About) -> dict[str, Any]:
    """Give the lines that the address asks for, and the line that is being corrected."""
    only = about.query.get("kind", "")
    timeline = read_timeline(about.incident, only)
    offered = {**GROUPS, **ENTRY_WORDS}
    folded = ENTRY_WORDS if only not in {"written", *ENTRY_WORDS} else {}
    return {
        "timeline": timeline,
        "kinds": [(name, word) for name, word in offered.items() if name in timeline.groups and name not in folded],
        "only": only if only in offered else "",
        "all_zones": about.query.get("zones") == "all",
        "zones": _zones(about),
        "correcting": find_line(about.incident, about.query.get("correct", "")) if about.is_member else None,
    }


def _zones(about: About) -> list[str]:
    """Name the zones in which times are shown beside each other: the reader's, the team's, UTC; each once."""
    return list(dict.fromkeys([timezone.get_current_timezone_name(), about.incident.team.zone, "UTC"]))


class EntryForm(ActForm):
    """One entry: what happened, as what, when, with a link and files."""

    text = forms.CharField(
        label="Write what happened",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=incident_story.LONGEST_TEXT,
    )
    kind = forms.ChoiceField(label="As", initial="note")
    at = WallField(label="When it happened", required=False)
    link = forms.CharField(
        label="A link", required=False, max_length=500, widget=forms.URLInput(attrs={"placeholder": "https://"})
    )
    attached = FilesField(label="Files")

    def fill_in(self, about: About) -> None:
        """Offer the kinds, and name the zone."""
        choose(self, "kind", [(kind, ENTRY_WORDS[kind]) for kind in ENTRY_KINDS])
        self.fields["at"].help_text = f"Empty: now. In your zone ({timezone.get_current_timezone_name()})."
        files = self.fields["attached"]
        files.widget.attrs["data-paste"] = ""
        files.help_text = "At most 10 MB each. An image may be pasted into the text."
        if self.files:
            files.help_text = "Choose the files once more: a browser does not send them twice."

    @property
    def has_more(self) -> bool:
        """Tell whether one of the folded fields was filled in, or is wrong."""
        return any(self[name].errors or self[name].value() for name in ("at", "link", "attached"))


def _write(about: About, given: dict[str, Any]) -> object:
    entry = Entry(given["text"], given["kind"], given["at"], link=given["link"], files=given["attached"])
    try:
        return incident_story.write(about.incident.pk, entry, about.reader, about.now)
    except Refused as refusal:
        raise Refused(refusal.message, {"files": "attached"}.get(refusal.field, refusal.field)) from None


class LineForm(ActForm):
    """Which line."""

    line = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class CorrectForm(LineForm):
    """What it should have said, and when it really was."""

    text = forms.CharField(
        label="It should say", widget=forms.Textarea(attrs={"rows": 3}), max_length=incident_story.LONGEST_TEXT
    )
    at = WallField(label="When it happened", required=False, help_text="Empty: the time that stands.")
    why = forms.CharField(label="Why?", required=False, max_length=500, help_text="The old line stays readable.")

    def fill_in(self, about: About) -> None:
        """Begin with what stands."""
        line = find_line(about.incident, about.query.get("correct", ""))
        if line is not None:
            self.initial.update(line=line.pk, text=line.why, at=line.at)


def _correct(about: About, given: dict[str, Any]) -> object:
    return incident_story.correct(
        about.incident.pk, given["line"], given["text"], given["why"], about.reader, about.now, given["at"]
    )


ACTS = {
    "entry": Act(EntryForm, _write, "It stands on the timeline.", "#timeline"),
    "correct": Act(CorrectForm, _correct, "Put right. The old line stays readable behind it.", "#timeline"),
    "pin": Act(
        LineForm,
        lambda a, v: incident_story.pin(a.incident.pk, v["line"], a.reader, a.now),
        "Pinned to the top.",
        "#timeline",
    ),
    "unpin": Act(
        LineForm,
        lambda a, v: incident_story.pin(a.incident.pk, v["line"], a.reader, a.now, is_pinned=False),
        "The pin is off.",
        "#timeline",
    ),
}
