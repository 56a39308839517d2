"""Requests in words: who has the ball, by when somebody answers, where it came from."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from watchbill.actions import request_words
from watchbill.db.models import SupportRequest
from watchbill.entry.web import markdown as text_of
from watchbill.entry.web.hours import WHAT
from watchbill.entry.web.templatetags.watchbill_tags import span

register = template.Library()

DOORS = {
    "page": "public page",
    "email": "mail",
    "chat": "chat",
    "helpdesk": "helpdesk",
    "tracker": "tracker",
    "api": "API",
    "logged": "logged by the team",
    "monitor": "monitoring",
}
IMPACTS = {
    "": "not said",
    "one": "one person",
    "several": "several people",
    "team": "a whole team cannot work",
    "everyone": "everyone",
    "security": "a risk to security",
}
OUTCOMES = {
    "answered": "Answered",
    "done": "Done",
    "turned_away": "Raised elsewhere",
    "duplicate": "A duplicate",
    "spam": "Spam",
    "refused": "Not done",
}


@register.filter
def ball(request: SupportRequest) -> SafeString:
    """Show where a request is, for the team: its shape and its word; who has the ball while it is open (INT-13)."""
    css, word = "taken", "With us"
    if request.state != "open":
        css, word = "done", OUTCOMES.get(request.outcome, "Resolved") if request.state == "resolved" else "Closed"
    elif request.waiting_on == "requester":
        css, word = "waiting", "With requester"
    elif request.waiting_on == "vendor":
        css, word = "waiting", "With vendor"
    elif request.assignee_id is None:
        css, word = "firing" if request.is_late else "waiting", "Unassigned"
    return format_html('<span class="state {}">{}</span>', css, word)


@register.filter
def reference(request: SupportRequest) -> str:
    """Give the number by which people speak of a request."""
    return request_words.reference(request)


@register.filter
def door_words(door: str) -> str:
    """Say the door that something came by."""
    return DOORS.get(door, door)


@register.filter
def impact_words(impact: str) -> str:
    """Say an impact."""
    return IMPACTS.get(impact, impact)


@register.simple_tag(takes_context=True)
def due(context: template.Context, request: SupportRequest) -> SafeString:
    """Show the next promise of a request: how far ahead, or how late, with the instant in both zones on hover."""
    if request.due_at is None:
        return SafeString("")
    now: datetime = context["request"].now
    what, at = WHAT.get(request.due_what, request.due_what), request.due_at
    late = at <= now
    words = f"{what} late by {span(now - at)}" if late else f"{what} in {span(at - now)}"
    return format_html(
        '<time class="due{}" datetime="{}" title="{}">{}</time>',
        " late" if late else "",
        at.isoformat(),
        both_zones(at, request.team.zone),
        words.strip(),
    )


def both_zones(at: datetime, zone: str) -> str:
    """Say an instant on the reader's wall, and on the team's when that differs."""
    mine = timezone.localtime(at)
    theirs = at.astimezone(ZoneInfo(zone))
    said = f"{mine:%a %d %b %H:%M} {mine:%Z}"
    return said if mine.utcoffset() == theirs.utcoffset() else f"{said}, {theirs:%a %d %b %H:%M} for the team"


@register.filter
def markdown(text: str) -> SafeString:
    """Show Markdown."""
    return text_of.markdown(text)


@register.filter
def plain(text: str) -> SafeString:
    """Show plain text with its links."""
    return text_of.plain(text)


@register.filter
def minutes(length: int) -> str:
    """Say a number of minutes: 45 min, 2 h, 2 h 30."""
    if length < 60:
        return f"{length} min"
    hours, rest = divmod(length, 60)
    return f"{hours} h" + (f" {rest:02}" if rest else "")


@register.filter
def of_seconds(length: int) -> str:
    """Say a number of seconds as minutes and hours."""
    return minutes(length // 60) if length >= 60 or not length else "under a minute"
