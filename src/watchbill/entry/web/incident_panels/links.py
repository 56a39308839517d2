"""What belongs to it: alerts, requests, tickets, changes, silences, incidents; part of another, or no incident."""

from __future__ import annotations

from typing import Any

from django import forms

from watchbill.actions import incident_links, incident_merging
from watchbill.db.incident_facts import seen_by
from watchbill.db.incident_links import NAMES, links_of, merged_into
from watchbill.db.models import Incident
from watchbill.entry.web.incident_panels import About, Act, ActForm, WhyForm
from watchbill.entry.web.request_forms import choose

PLACE = 40
WHERE = "side"
TEMPLATE = "incidents/panel_links.html"
WORDS = {
    "alert": "Alert",
    "page": "Page",
    "request": "Request",
    "ticket": "Ticket",
    "change": "Change",
    "silence": "Silence",
    "related": "Related incident",
}
MOST = 50


def words(about: About) -> dict[str, Any]:
    """Give what the reader may see of what is linked, and what was merged into it."""
    return {
        "links": [(WORDS[one.kind], one) for one in links_of(about.incident, about.reader)],
        "merged": merged_into(about.incident, about.reader),
        "is_over": about.is_over,
    }


class LinkForm(ActForm):
    """What is linked, by its number."""

    kind = forms.ChoiceField(label="What is it?")
    number = forms.RegexField(r"^\s*[A-Za-z]{0,2}-?\d{1,15}\s*$", label="Its number", help_text="Such as R-12, or 12.")
    note = forms.CharField(label="Why does it belong here?", required=False, max_length=200)

    def fill_in(self, about: About) -> None:
        """Offer what may be linked."""
        choose(self, "kind", [(kind, WORDS[kind]) for kind in NAMES])

    def clean_number(self) -> int:
        """Give the number of a reference."""
        return int("".join(one for one in str(self.cleaned_data["number"]) if one.isdigit()))


class UnlinkForm(ActForm):
    """Which link."""

    link = forms.IntegerField(widget=forms.HiddenInput)


class MergeForm(ActForm):
    """Of which incident it is a part, and why."""

    into = forms.ChoiceField(label="Part of which?", help_text="Links, people, open tasks and cases go along.")
    why = forms.CharField(label="Why?", max_length=500)

    def fill_in(self, about: About) -> None:
        """Offer the team's incidents that are not over and that the reader sees."""
        rows = Incident.objects.filter(seen_by(about.reader), team=about.incident.team_id).exclude(state="closed")
        rows = rows.exclude(pk=about.incident.pk).order_by("-id")[:MOST]
        choose(self, "into", [(str(one.pk), f"I-{one.pk} {one.title}") for one in rows])


ACTS = {
    "link": Act(
        LinkForm,
        lambda a, v: incident_links.link(a.incident.pk, v["kind"], v["number"], a.reader, a.now, v["note"]),
        "Linked.",
    ),
    "unlink": Act(UnlinkForm, lambda a, v: incident_links.unlink(v["link"], a.reader, a.now), "Taken off."),
    "merge": Act(
        MergeForm,
        lambda a, v: incident_merging.merge(a.incident.pk, int(v["into"]), v["why"], a.reader, a.now),
        "It is part of the other now. Open it again to undo that.",
    ),
    "call_off": Act(
        WhyForm,
        lambda a, v: incident_merging.call_off(a.incident.pk, v["why"], a.reader, a.now),
        "It was no incident. Open it again to undo that.",
    ),
}
