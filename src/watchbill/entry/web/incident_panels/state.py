"""How the incident stands: acknowledged, mitigated, resolved, closed; its milestones, each of which may be moved.

Backdating is normal: every time may lie in the past, on the reader's own wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from watchbill.actions import incidents
from watchbill.core.incidents import MILESTONES
from watchbill.entry.web.incident_panels import SHORT, About, Act, ActForm, WhyForm, at_field
from watchbill.entry.web.request_forms import choose
from watchbill.entry.web.wall import WallField

PLACE = 10
WHERE = "side"
TEMPLATE = "incidents/panel_state.html"
PAIRS = (("started", "detected"), ("detected", "acknowledged"), ("started", "mitigated"), ("started", "resolved"))
WORDS = {
    "started": "Began",
    "detected": "Noticed",
    "declared": "Declared",
    "acknowledged": "Somebody had it",
    "mitigated": "No longer felt",
    "resolved": "All normal",
    "closed": "Closed",
}

NOUNS = {
    "started": "beginning",
    "detected": "notice",
    "acknowledged": "answer",
    "mitigated": "end of the impact",
    "resolved": "normal state",
}


@dataclass(frozen=True)
class Milestone:
    """A milestone and when it was; None: not yet, or not known."""

    name: str
    words: str
    at: datetime | None


def words(about: About) -> dict[str, Any]:
    """Give the milestones, how long lies between them, and what closing still asks for."""
    one = about.incident
    reached = {name: getattr(one, f"{name}_at") for name in MILESTONES}
    return {
        "milestones": [Milestone(name, WORDS[name], at) for name, at in reached.items()],
        "pairs": [
            (NOUNS[start], NOUNS[end], reached[end] - reached[start])
            for start, end in PAIRS
            if reached[start] and reached[end]
        ],
        "missing": incidents.missing_of(one, about.now) if one.state == "resolved" else [],
    }


class AtForm(ActForm):
    """When it was."""

    at = WallField(label="When?", required=False)

    def fill_in(self, about: About) -> None:
        """Name the zone in which the time is read."""
        self.fields["at"].help_text = f"Empty: now. It may be in the past, in your zone ({here()})."


class EndForm(AtForm):
    """When it was, and what helped."""

    text = forms.CharField(label="What helped?", required=False, max_length=2000, widget=SHORT)


class CloseForm(ActForm):
    """Close it, or say why it may be closed although something is missing."""

    despite = forms.CharField(label="Close it all the same, because", required=False, max_length=500)


class MilestoneForm(ActForm):
    """When something really was, and why this is known now."""

    milestone = forms.ChoiceField(label="Which?")
    at = WallField(label="It was at", required=False)
    why = forms.CharField(label="Why?", max_length=500, help_text="The timeline keeps both times.")

    def fill_in(self, about: About) -> None:
        """Offer the milestones."""
        choose(self, "milestone", [(name, WORDS[name]) for name in MILESTONES])
        self.fields["at"].help_text = f"In your zone ({here()}). Empty: not known."


def here() -> str:
    """Name the reader's zone."""
    return timezone.get_current_timezone_name()


def _move(about: About, given: dict[str, Any]) -> object:
    return incidents.move_milestone(
        about.incident.pk, given["milestone"], given["at"], given["why"], about.reader, about.now
    )


ACTS = {
    "acknowledge": Act(
        AtForm,
        at_field("at", lambda a, v: incidents.acknowledge(a.incident.pk, a.reader, a.now, v["at"])),
        "You have it.",
    ),
    "mitigate": Act(
        EndForm,
        at_field("at", lambda a, v: incidents.mitigate(a.incident.pk, a.reader, a.now, v["at"], v["text"])),
        "Mitigated. It is not over yet: resolve it when all is normal.",
    ),
    "resolve": Act(
        EndForm,
        at_field("at", lambda a, v: incidents.resolve(a.incident.pk, a.reader, a.now, v["at"], v["text"])),
        "Resolved. Its services are operational again.",
    ),
    "close": Act(CloseForm, lambda a, v: incidents.close(a.incident.pk, a.reader, a.now, v["despite"]), "Closed."),
    "reopen": Act(
        WhyForm, lambda a, v: incidents.reopen(a.incident.pk, v["why"], a.reader, a.now), "It is active again."
    ),
    "milestone": Act(MilestoneForm, at_field("at", _move), "The timeline keeps both times."),
}
