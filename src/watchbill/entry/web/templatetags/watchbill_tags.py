"""The words and times of every page: instants in the reader's zone, the team's zone on hover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

STATE_WORDS = {
    "firing": ("firing", "Firing"),
    "climbing": ("firing", "Asking"),
    "exhausted": ("firing", "Nobody answered"),
    "acknowledged": ("taken", "Acknowledged"),
    "snoozed": ("taken", "Snoozed"),
    "resolved": ("done", "Resolved"),
    "silenced": ("waiting", "Silenced"),
    "listed": ("waiting", "Listed"),
    "waiting": ("waiting", "Waiting"),
    "sent": ("done", "Sent"),
    "failed": ("firing", "Failed"),
    "dropped": ("waiting", "Not needed"),
}


@register.filter
def state(word: str) -> SafeString:
    """Show a state: its shape, its colour and its word together."""
    css, text = STATE_WORDS.get(word, ("waiting", word.capitalize()))
    return format_html('<span class="state {}">{}</span>', css, text)


@register.filter
def moment(at: datetime | None, form: str = "D j M H:i") -> SafeString:
    """Show an instant in the reader's zone, with UTC on hover."""
    if at is None:
        return SafeString("—")
    local = timezone.localtime(at)
    shown = local.strftime("%a %d %b %H:%M") if form == "D j M H:i" else local.strftime(form)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        at.isoformat(),
        at.astimezone(UTC).strftime("%a %d %b %Y %H:%M:%S"),
        shown,
    )


@register.simple_tag(takes_context=True)
def ago(context: template.Context, at: datetime | None) -> SafeString:
    """Show how long ago an instant was, or how far ahead it is, with the instant on hover."""
    if at is None:
        return SafeString("—")
    now: datetime = context["request"].now
    words = f"{span(now - at)} ago" if at <= now else f"in {span(at - now)}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        timezone.localtime(at).strftime("%a %d %b %Y %H:%M:%S %Z"),
        words,
    )


@register.filter
def span(length: timedelta | None) -> str:
    """Say how long something lasts, in the largest unit that says enough."""
    if length is None:
        return "—"
    seconds = int(length.total_seconds())
    for size, unit in ((86400 * 2, 86400), (3600 * 2, 3600), (120, 60)):
        if seconds >= size:
            name = {86400: "days", 3600: "h", 60: "min"}[unit]
            return f"{seconds // unit} {name}"
    return f"{max(seconds, 0)} s"
