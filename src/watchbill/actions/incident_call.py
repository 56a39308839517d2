"""The call of an incident: a room that the team's service for calls makes for it, or the address of its rule (INC-10).

Nothing here calls out: an export asks the service, and `incident_call_out` carries it. An incident does not wait for a
service: after two minutes, or a refusal, the address of the rule takes its place, where there is one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.db import transaction

from watchbill import connectors
from watchbill.actions import exports, incident_room, incidents
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import record
from watchbill.connectors import Busy
from watchbill.db.models import Connection, Export, Incident
from watchbill.kit.errors import DeliveryFailed
from watchbill.rules import incident_start

WAIT = timedelta(minutes=2)
LONGEST_URL = 500


def open_for(incident: Incident, desk: Desk, now: datetime) -> None:
    """Give an incident its call, where the team has one. Call it inside the transaction that declares."""
    rule = _rule(desk)
    if rule.call_major_only and not incidents.is_major(incident, desk):
        return
    connection = _service_of(incident)
    if connection is None or (rule.call_url and not _answers(connection, now)):
        _use_address(incident, rule, "", now)
        return
    key = f"call-{incident.pk}"
    exports.put(incidents.subject_of(incident), "call.open", key, "opens its call", now, connection=connection)


def is_wanted(incident: Incident) -> bool:
    """Tell whether an incident still waits for its call."""
    return not incident.call_url and incident.state != "closed"


def title_of(incident: Incident) -> str:
    """Say to a service what a call is for: its number alone, which tells nothing."""
    return f"{'Exercise' if incident.is_exercise else 'Incident'} {incident.pk}"


def opened(incident_id: int, url: str, now: datetime) -> None:
    """Write down where people meet, unless somebody wrote down another place meanwhile."""
    with transaction.atomic():
        incident = incidents.lock(incident_id)
        if is_wanted(incident):
            _write(incident, url, "", now)


def did_not_open(export: Export, failure: DeliveryFailed, now: datetime) -> bool:
    """Tell people that a service opened no room, and take the rule's address once that has lasted; gives whether it did."""
    wait = timedelta(seconds=failure.seconds) if isinstance(failure, Busy) else timedelta(0)
    with transaction.atomic():
        incident = incidents.lock(export.subject_id)
        if not is_wanted(incident):
            return True
        rule = _rule(desk_of(incident.team, now))
        has_lasted = failure.permanent or now + wait - export.created_at >= WAIT
        name = export.connection.name if export.connection else "the service"
        said = f"{name} opened no room: {failure.message}"
        if rule.call_url and has_lasted:
            _use_address(incident, rule, said, now)
            return True
        if failure.permanent or export.attempt == 1:
            more = "agree on a place and write it down" if failure.permanent else "it is asked again"
            record(incidents.subject_of(incident), "incident.call_failed", f"{said}; {more}", now)
    return False


def _rule(desk: Desk) -> incident_start.Settings:
    return incident_start.Settings.model_validate(desk.rule("incident_start"))


def _service_of(incident: Incident) -> Connection | None:
    names = connectors.connectors_of("call")
    rows = Connection.objects.filter(team=incident.team_id, removed_at=None, connector__in=names)
    return rows.order_by("id").first()


def _answers(connection: Connection, now: datetime) -> bool:
    """Tell whether it is worth asking: its settings are of this form, and it did not ask to be left alone for longer."""
    until = connection.cursor.get("rest_until")
    try:
        connectors.read_settings(connection.connector, connection.settings)
    except DeliveryFailed:
        return False  # its page says so
    return not until or datetime.fromisoformat(until) <= now + WAIT


def _use_address(incident: Incident, rule: incident_start.Settings, why: str, now: datetime) -> None:
    if not rule.call_url:
        return
    # What cannot be guessed: whoever knows one call's address does not know the next one's.
    url = rule.call_url.replace("{incident}", str(incident.pk)).replace("{word}", token_urlsafe(9))[:LONGEST_URL]
    _write(incident, url, why, now)


def _write(incident: Incident, url: str, why: str, now: datetime) -> None:
    incident.call_url = url
    incident.save(update_fields=["call_url"])
    said = f"the call is open: {url}{f' ({why})' if why else ''}"
    record(incidents.subject_of(incident), "incident.call", said, now, data={"url": url})
    incidents.tick(incident, "call", None, now)
    incident_room.keep(incident, now)
