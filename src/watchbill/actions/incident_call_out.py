"""Take to a service for calls that an incident needs a room."""

from __future__ import annotations

from datetime import datetime

from watchbill.actions import connector_out, export_sending, incident_call
from watchbill.actions.connector_out import Line
from watchbill.db.models import Export, Incident
from watchbill.kit.errors import DeliveryFailed


def _open(export: Export, line: Line, now: datetime) -> str:
    """Have a room opened; one whose answer was lost stays empty, and nobody knows its address."""
    incident = Incident.objects.get(pk=export.subject_id)
    if not incident_call.is_wanted(incident):
        return "it has its call, or is over"
    try:
        room = line.module.open_call(line.settings, line.http, incident_call.title_of(incident))
        if len(room.url) > incident_call.LONGEST_URL:
            raise DeliveryFailed("the room's address is too long to be kept", permanent=True)
    except DeliveryFailed as failure:
        # People meet elsewhere now: nobody waits for this room any more.
        failure.permanent |= incident_call.did_not_open(export, failure, now)
        raise
    incident_call.opened(incident.pk, room.url, now)
    return str(room.ref)


def _service_is_gone(export: Export, now: datetime) -> None:
    """Do without a service that was removed after the incident asked it for a room."""
    incident_call.did_not_open(export, DeliveryFailed("it was removed", permanent=True), now)


connector_out.WAYS["call:call.open"] = _open
export_sending.LEFT_BEHIND["call.open"] = _service_is_gone
