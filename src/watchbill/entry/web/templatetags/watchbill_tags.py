"""The words and times of every page: instants in the reader's zone, the team's zone on hover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from watchbill.db.models import AlertGroup

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


@register.simple_tag(takes_context=True)
def until(context: template.Context, at: datetime) -> SafeString:
    """Show when something ends or begins: "14:00" today, "Monday 09:00" within six days, else with its date."""
    now = timezone.localtime(context["request"].now)
    local = timezone.localtime(at)
    days = (local.date() - now.date()).days
    form = "%H:%M" if days == 0 else "%A %H:%M" if 0 < days < 7 else "%a %d %b %H:%M"
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), local.strftime(form))


@register.filter
def clock(at: datetime | None) -> SafeString:
    """Show the wall clock of an instant, to the second, with its date on hover."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    shown, whole = local.strftime("%H:%M:%S"), local.strftime("%a %d %b %Y %H:%M:%S %Z")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), whole, shown)


@register.filter
def is_web(url: object) -> bool:
    """Tell whether an address may become a link: http and https only, never a script of somebody else's."""
    return urlsplit(str(url).strip()).scheme in {"http", "https"}


@register.filter
def group_state(group: AlertGroup) -> SafeString:
    """Show the state of an alert group: one that is held back says so."""
    if group.state == "resolved":
        return state("resolved")
    if group.snoozed_until:
        return state("snoozed")
    if group.state == "firing" and group.silence_id:
        return state("silenced")
    if group.state == "firing" and group.response == "list_due":
        return state("listed")
    return state(group.state)


@register.simple_tag(takes_context=True)
def live_region(context: template.Context, name: str = "live") -> SafeString:
    """Give the attributes of a part of the page that asks for itself again when something changed.

    Nothing that a person types into may stand in it.
    """
    return format_html(
        'id="{0}" class="live" data-live-region hx-get="{1}" hx-trigger="changed from:body" '
        'hx-select="#{0}" hx-select-oob="#open-count,#request-count,#incident-count" hx-swap="outerHTML" hx-sync="this:replace"',
        name,
        context["request"].get_full_path(),
    )


@register.filter
def lasted(start: datetime, end: datetime) -> str:
    """Say how much time lies between two instants."""
    return span(end - start)
