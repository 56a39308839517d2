"""Keep a ticket's twins in outside trackers in step: whatever happened to it leaves once, and the newest state wins."""

from __future__ import annotations

from datetime import datetime

from watchbill.actions import exports, twin_refs
from watchbill.actions.log import Subject
from watchbill.db.models import Event, ExternalRef, Message, Ticket


def put(ticket: Ticket, what: str, now: datetime, message: Message | None = None) -> None:
    """Put what happened to a ticket on its way to every tracker in which it has a twin."""
    if what == "written":
        twin_refs.open_for_new(ticket, now)
        return
    refs = ExternalRef.objects.filter(subject_kind="ticket", subject_id=ticket.pk, connection__removed_at=None)
    for ref in refs.select_related("connection"):
        newest = Event.objects.filter(subject_kind="ticket", subject_id=ticket.pk).order_by("-id").first()
        mark = f"message-{message.pk}" if message else f"event-{newest.pk if newest else 0}"
        exports.put(
            Subject("ticket", ticket.pk, ticket.team_id),
            "ticket.comment" if message else "ticket.state",
            f"ticket-{ticket.pk}-{ref.connection_id}-{mark}",
            f"{what}: {ref.ref} in {ref.connection}",
            now,
            connection=ref.connection,
            payload={"message": message.pk} if message else {},
        )
