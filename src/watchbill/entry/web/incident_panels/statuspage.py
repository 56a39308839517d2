"""What the public reads of an incident: on which status page, and under which title."""

from __future__ import annotations

from typing import Any

from django import forms

from watchbill.actions import status_incidents, status_publishing
from watchbill.actions.statuspage import address_of
from watchbill.db.models import PublicIncident, StatusPage
from watchbill.entry.web.incident_panels import About, Act, ActForm
from watchbill.entry.web.request_forms import choose
from watchbill.kit.errors import Refused

PLACE = 70
WHERE = "side"
TEMPLATE = "incidents/panel_statuspage.html"


def _pages(about: About) -> list[StatusPage]:
    return status_publishing.pages_for(about.incident)


def words(about: About) -> dict[str, Any] | None:
    """Give where it is published, or why it never is; None: the team has no status page."""
    pages = about.once(_pages)
    if not pages:
        return None
    rows = PublicIncident.objects.filter(incident=about.incident, withdrawn_at=None).select_related("page__team")
    shown = [(row, address_of(row.page)) for row in rows.order_by("id")]
    on = {row.page_id for row, _ in shown}
    return {
        "shown": shown,
        "free": [page for page in pages if page.pk not in on],
        "never": about.incident.is_private or about.incident.is_exercise,
    }


class PublishForm(ActForm):
    """On which page, under which title."""

    page = forms.ChoiceField(label="On which page?")
    title = forms.CharField(
        label="Title for the public", max_length=200, help_text="Nothing else of it is shown but public updates."
    )

    def fill_in(self, about: About) -> None:
        """Offer the pages of the team; the incident's own title is not put in."""
        choose(self, "page", [(str(one.pk), one.title) for one in about.once(_pages)])


class ShownForm(ActForm):
    """Which of the pages it is on."""

    public = forms.IntegerField(widget=forms.HiddenInput)


class TitleForm(ShownForm):
    """The title that the public reads."""

    title = forms.CharField(label="Title for the public", max_length=200)


class WithdrawForm(ShownForm):
    """Why it is taken off."""

    why = forms.CharField(label="Why?", max_length=500, help_text="The timeline keeps it; the public does not see it.")


def _publish(about: About, given: dict[str, Any]) -> object:
    page = StatusPage.objects.filter(pk=given["page"]).first()
    if page is None:
        raise Refused("choose a page of the team", "page")
    return status_incidents.publish(about.incident.pk, page, given["title"], about.reader, about.now)


def _row(about: About, given: dict[str, Any]) -> int:
    if not PublicIncident.objects.filter(pk=given["public"], incident=about.incident).exists():
        raise Refused("it is not on this page")
    return int(given["public"])


ACTS = {
    "publish": Act(PublishForm, _publish, "It is on the status page."),
    "public-title": Act(
        TitleForm,
        lambda a, v: status_incidents.rename(_row(a, v), v["title"], a.reader, a.now),
        "The public reads the new title.",
    ),
    "public-end": Act(
        ShownForm, lambda a, v: status_incidents.end(_row(a, v), a.reader, a.now), "It is over on the status page."
    ),
    "withdraw": Act(
        WithdrawForm,
        lambda a, v: status_incidents.withdraw(_row(a, v), v["why"], a.reader, a.now),
        "It is off the status page.",
    ),
}
