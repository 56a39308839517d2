"""Connections and twins in words: how far two sides are in step, and what a person may do about it."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from watchbill.connectors import all_connectors
from watchbill.db.models import Connection, ExternalRef, Ticket

register = template.Library()

SYNC = {
    "waiting": ("waiting", "On its way"),
    "in_step": ("done", "In step"),
    "failed": ("firing", "Failed"),
    "refused": ("firing", "Not followed"),
    "unknown_state": ("firing", "Unknown state"),
    "gone": ("waiting", "Deleted there"),
}


@register.filter
def sync_state(ref: ExternalRef) -> SafeString:
    """Say how far a thing and its twin are in step, with a shape and a word."""
    look, word = SYNC.get(ref.sync, ("waiting", ref.sync))
    return format_html('<span class="state {}">{}</span>', look, word)


@register.filter
def connector_title(connection: Connection) -> str:
    """Name the system that a connection is with."""
    module = all_connectors().get(connection.connector)
    return str(module.TITLE) if module else connection.connector


@register.filter
def is_written_there(ref: ExternalRef) -> bool:
    """Tell whether the issue is there, and not only wanted."""
    return not ref.ref.startswith("new ")


@register.simple_tag
def trackers_without(ticket: Ticket, refs: list[ExternalRef]) -> list[Any]:
    """Give the team's trackers in which a ticket does not stand yet."""
    taken = {ref.connection_id for ref in refs}
    known = {name for name, module in all_connectors().items() if module.PORT in {"tracker", "helpdesk"}}
    rows = Connection.objects.filter(team_id=ticket.team_id, removed_at=None, connector__in=known).order_by(
        "name", "id"
    )
    return [row for row in rows if row.pk not in taken]
