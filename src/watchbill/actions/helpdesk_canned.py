"""Canned responses that are kept in a helpdesk: its copy is the source of truth (COM-05), ours follows it every day."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from watchbill import connectors
from watchbill.actions import exports
from watchbill.actions.access import require
from watchbill.actions.import_tickets import lock_connection, subject_of
from watchbill.actions.log import Actor, Subject, record
from watchbill.actions.request_words import KINDS
from watchbill.actions.timers import Claim, finish, set_timer
from watchbill.connectors import Canned
from watchbill.core.wording import FIELDS
from watchbill.db.models import CannedResponse, Connection, ExternalRef, Person
from watchbill.kit.errors import DeliveryFailed, Refused

AGAIN = timedelta(days=1)
KIND = "canned_response"
# The helpdesk's own placeholders that mean what one of our fields means.
PLACEHOLDERS = {
    "ticket.requester.name": "requester",
    "ticket.requester.firstname": "requester",
    "ticket.subject": "title",
    "ticket.id": "reference",
    "ticket.agent.name": "me",
    "ticket.url": "link",
    "ticket.public_url": "link",
    "helpdesk_name": "team",
}
PLACEHOLDER = re.compile(r"\{\{\s*([a-z_.]+)\s*\}\}")


def start(connection: Connection, now: datetime) -> None:
    """Take over the canned responses at once and every day, when a connection is set so."""
    if connection.connector in connectors.connectors_of("helpdesk"):
        set_timer(subject_of(connection), "canned", now)


def pull_now(connection: Connection, person: Person, now: datetime) -> None:
    """Take the canned responses over now. Raises Refused, NotAllowed."""
    require(person, connection.team, "member", "take over canned responses")
    if not _are_kept_there(connection):
        raise Refused(f"canned responses are kept here: the settings of {connection.name} say so", "canned")
    with transaction.atomic():
        _put(connection, f"{person} asked for it", now)
        record(subject_of(connection), "connector.canned_asked", f"{person} has them read", now, Actor.of(person))


def pull_due(claim: Claim, now: datetime) -> None:
    """Take them over because a day has passed."""
    with transaction.atomic():
        rows = Connection.objects.select_related("team").select_for_update(of=("self",), no_key=True)
        connection = rows.filter(pk=claim.subject_id, removed_at=None).first()
        if finish(claim) and connection is not None and _are_kept_there(connection):
            _put(connection, "a day has passed", now)
            set_timer(subject_of(connection), "canned", now + AGAIN)


def _put(connection: Connection, why: str, now: datetime) -> None:
    key = f"helpdesk-{connection.pk}-canned-{now.isoformat()}"
    exports.put(subject_of(connection), "canned.pull", key, why, now, connection=connection)


def _are_kept_there(connection: Connection) -> bool:
    try:
        settings: Any = connectors.read_settings(connection.connector, connection.settings)
    except DeliveryFailed:
        return False
    return bool(getattr(settings, "canned", False))


def replace_all(connection: Connection, found: Sequence[Canned], places: Mapping[str, str], now: datetime) -> str:
    """Make the team's rows that come from there what is there now; the team's own stay as they are."""
    with transaction.atomic():
        locked = lock_connection(connection.pk)
        refs = {ref.ref: ref for ref in ExternalRef.objects.filter(connection=locked, subject_kind=KIND)}
        gone = [ref for name, ref in refs.items() if name not in {one.ref for one in found}]
        CannedResponse.objects.filter(pk__in=[ref.subject_id for ref in gone]).update(removed_at=now)
        ExternalRef.objects.filter(pk__in=[ref.pk for ref in gone]).delete()
        changed = sum(_keep(locked, one, refs.get(one.ref), places.get(one.ref, ""), now) for one in found)
        said = f"{len(found)} canned responses are there, {changed} are new or changed, {len(gone)} are gone"
        if changed or gone:
            record(Subject("desk", locked.team_id, locked.team_id), "desk.canned_taken_over", said, now)
    return said


def _keep(connection: Connection, one: Canned, ref: ExternalRef | None, place: str, now: datetime) -> bool:
    row = CannedResponse.objects.filter(pk=ref.subject_id, removed_at=None).first() if ref else None
    values = {"kind": _kind_of(one), "name": _free_name(connection, one, row), "text": translate(one.text)}
    if row is not None and all(getattr(row, name) == value for name, value in values.items()):
        return False
    if row is not None:
        CannedResponse.objects.filter(pk=row.pk).update(**values, changed_at=now, changed_by=None)
        return True
    made = CannedResponse.objects.create(team=connection.team, changed_at=now, **values)
    if ref is not None:
        ref.delete()
    ExternalRef.objects.create(
        connection=connection, subject_kind=KIND, subject_id=made.pk, ref=one.ref, url=place[:500], sync="in_step"
    )
    return True


def _kind_of(one: Canned) -> str:
    """Give our kind: by the name of the response, else of its folder ("First response"), else none of them."""
    for name in (one.name, one.folder):
        kind = "_".join(name.lower().split())
        if kind in KINDS:
            return kind
    return "other"


def _free_name(connection: Connection, one: Canned, row: CannedResponse | None) -> str:
    taken = CannedResponse.objects.filter(team_id=connection.team_id, removed_at=None)
    if row is not None:
        taken = taken.exclude(pk=row.pk)
    name = one.name[:80]
    tries = [name, f"{name[:60]} ({connection.name[:16]})", f"{name[:50]} ({one.ref[:26]})"]
    return next((one for one in tries if not taken.filter(name=one).exists()), tries[-1])


def translate(text: str) -> str:
    """Give the helpdesk's placeholders as our fields; one that we have no field for stays, to be seen."""
    return PLACEHOLDER.sub(lambda found: _field(found[1]) or found[0], text)


def _field(name: str) -> str:
    field = PLACEHOLDERS.get(name, "")
    return f"{{{field}}}" if field in FIELDS else ""


def refuse_if_theirs(canned: CannedResponse) -> None:
    """Raise Refused for a response that is kept in a helpdesk, saying where it is edited."""
    refs = ExternalRef.objects.filter(subject_kind=KIND, subject_id=canned.pk, connection__removed_at=None)
    ref = refs.select_related("connection").first()
    if ref is not None:
        raise Refused(f"it is kept in {ref.connection.name}: change it there, at {ref.url}", "text")


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("connector", "canned"): pull_due}
