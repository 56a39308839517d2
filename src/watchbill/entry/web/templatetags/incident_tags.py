"""Incidents in words: how one stands, how a service is, and the panels of its page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import template
from django.template.loader import get_template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from watchbill.db.models import Incident, IncidentFile
from watchbill.entry.web.incident_panels import Shown

register = template.Library()

STATES = {
    "active": ("firing", "Active"),
    "mitigated": ("taken", "Mitigated"),
    "resolved": ("done", "Resolved"),
    "closed": ("done", "Closed"),
}
OUTCOMES = {"merged": "Merged", "not_an_incident": "No incident"}
CONDITIONS = {
    "operational": ("done", "Operational"),
    "degraded": ("taken", "Degraded"),
    "partial_outage": ("firing", "Partly down"),
    "major_outage": ("firing", "Down"),
}
DETECTED_BY = {"alert": "an alert", "requester": "a requester", "member": "a member of the team", "vendor": "a vendor"}

ENTRY_WORDS = {
    "note": "Note",
    "observation": "Observation",
    "hypothesis": "Hypothesis",
    "ruled_out": "Ruled out",
    "decision": "Decision",
    "action": "Action",
    "command": "Command",
}
EVENT_WORDS = {
    "milestone": "Time put right",
    "condition": "Service",
    "changed": "Changed",
    "severity": "Severity",
    "privacy": "Who sees it",
    "step": "First step",
    "step_undone": "First step",
    "joined": "People",
    "called": "People",
    "left": "People",
    "ended": "Ended",
    "postmortem": "Post-mortem",
    "role_offered": "Role",
    "role_taken": "Role",
    "role_declined": "Role",
    "role_lapsed": "Role",
    "role_withdrawn": "Role",
    "role_ended": "Role",
    "role_tie": "Role",
    "role_asked": "Role",
    "role_tired": "Fresh people",
    "role_load": "Fresh people",
    "lead_missing": "Nobody leads",
    "gather": "Gather",
    "wider": "Told",
    "introduced": "Told",
    "close_asked": "Close it?",
    "task_added": "Task",
    "task_given": "Task",
    "task_done": "Task",
    "task_dropped": "Task",
    "task_reopened": "Task",
    "task_ticket": "Task",
    "task_told": "Task",
    "linked": "Link",
    "unlinked": "Link",
    "merged_in": "Merged",
    "merge_undone": "Merged",
    "vendor_opened": "Vendor",
    "vendor_heard": "Vendor",
    "vendor_closed": "Vendor",
    "vendor_changed": "Vendor",
    "vendor_reminded": "Vendor",
}
# What a browser may show within our pages: pictures that hold no script.
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@register.filter
def incident_state(incident: Incident) -> SafeString:
    """Show how an incident stands: its shape, its colour and its word together."""
    css, word = STATES[incident.state]
    return format_html('<span class="state {}">{}</span>', css, OUTCOMES.get(incident.outcome, word))


@register.filter
def condition_state(condition: str) -> SafeString:
    """Show how a service is."""
    css, word = CONDITIONS.get(condition, ("waiting", condition))
    return format_html('<span class="state {}">{}</span>', css, word)


@register.filter
def noticed_by(source: str) -> str:
    """Say who or what noticed it."""
    return DETECTED_BY.get(source, source)


@register.filter
def incident_reference(incident: Incident) -> str:
    """Give the number by which people speak of an incident."""
    return f"I-{incident.pk}"


@register.filter
def entry_word(kind: str) -> str:
    """Say as what somebody wrote an entry."""
    return ENTRY_WORDS.get(kind, event_word(kind))


@register.filter
def event_word(kind: str) -> str:
    """Say what kind of thing happened."""
    if kind.startswith("role_"):
        return "Role"
    return EVENT_WORDS.get(kind, kind.replace("_", " ").replace(".", " ").capitalize())


@register.filter
def is_image(file: IncidentFile) -> bool:
    """Tell whether a file is shown as a picture."""
    return file.media_type in IMAGES


@register.simple_tag
def moment_here(at: datetime, zones: Sequence[str]) -> SafeString:
    """Show an instant on the reader's wall, with the other zones on hover."""
    told = ", ".join(f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M:%S} {zone}" for zone in zones)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), told, f"{timezone.localtime(at):%a %d %b %H:%M}"
    )


@register.filter
def in_zone(at: datetime, zone: str) -> SafeString:
    """Show an instant on the wall of a zone, named by its city."""
    local = at.astimezone(ZoneInfo(zone))
    city = zone.rpartition("/")[2].replace("_", " ")
    return format_html(
        '<time datetime="{}" title="{}">{} <small>{}</small></time>',
        at.isoformat(),
        zone,
        f"{local:%a %d %b %H:%M}",
        city,
    )


@register.simple_tag(takes_context=True)
def show_panel(context: template.Context, panel: Shown) -> SafeString:
    """Show one panel of an incident's page with its own words."""
    with context.push(**panel.words):
        shown: SafeString = get_template(panel.template).template.render(context)  # type: ignore[attr-defined]
        return shown


@register.simple_tag(takes_context=True)
def live_panel(context: template.Context, name: str = "") -> SafeString:
    """Give the attributes of the part of a panel that asks for itself again, and for nothing else, when something changed.

    Nothing that a person types into may stand in it.
    """
    request = context["request"]
    asked = {**request.GET.dict(), "panel": name or context["panel_name"]}
    return format_html(
        'id="incident-{0}" class="live" data-live-region hx-get="/incidents/{1}/?{2}" hx-trigger="changed from:body" '
        'hx-select="#incident-{0}" hx-select-oob="{3}" hx-swap="outerHTML" hx-sync="this:replace"',
        asked["panel"],
        context["incident"].pk,
        urlencode(asked),
        "#open-count,#request-count,#incident-count" if asked["panel"] == "head" else "",
    )
