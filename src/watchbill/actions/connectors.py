"""Connections to outside systems: connect one, try it, say what its words mean here, take it away."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from pydantic import ValidationError

from watchbill import connectors
from watchbill.actions import chat_watch, exports, helpdesk, helpdesk_canned, twins
from watchbill.actions.access import may_change, require
from watchbill.actions.catalogue import hash_key
from watchbill.actions.import_tickets import lock_connection, subject_of
from watchbill.actions.log import Actor, record
from watchbill.channels import to_plain
from watchbill.core.twins import NO_CONCERN, TARGETS, Agreement
from watchbill.db.models import Connection, Export, ExternalRef, Person, Team
from watchbill.egress import Client
from watchbill.kit.errors import DeliveryFailed, Refused

MOST_REPLAYED = 500


def connect(
    team: Team, connector: str, name: str, values: dict[str, Any], person: Person, http: Client, now: datetime
) -> Connection:
    """Connect a team with an outside system; its key is new. Raises Refused naming the field, NotAllowed."""
    may_change(person, team, f"connect {team} with another system")
    module = connectors.all_connectors().get(connector)
    if module is None:
        raise Refused(f"there is no connector “{connector}”", "connector")
    checked = _check(module, values, http)
    key = secrets.token_hex(16)
    with transaction.atomic():
        connection = Connection.objects.create(
            team=team,
            connector=connector,
            name=name.strip()[:80] or module.TITLE,
            settings=checked,
            key=key,
            key_hash=hash_key(key),
            created_at=now,
            created_by=person,
        )
        said = f"{person} connected {connection.name}"
        record(subject_of(connection), "connector.connected", said, now, Actor.of(person))
        chat_watch.start(connection, now)
        helpdesk_canned.start(connection, now)
    return connection


def _check(module: Any, values: dict[str, Any], http: Client) -> dict[str, Any]:
    """Check settings and that their URLs may be called; looks names up, so it is not for a transaction."""
    try:
        settings = module.Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise Refused(str(first["msg"]), ".".join(str(part) for part in first["loc"])) from None
    for field, url in settings.urls().items():
        if url:
            http.check(url, field)
    return to_plain(settings)


def change(
    connection: Connection, name: str, values: dict[str, Any], person: Person, http: Client, now: datetime
) -> None:
    """Change a connection's name and settings. Raises Refused naming the field, NotAllowed."""
    may_change(person, connection.team, f"change {connection.name}")
    checked = _check(connectors.all_connectors()[connection.connector], values, http)
    with transaction.atomic():
        connection.settings, connection.name = checked, name.strip()[:80] or connection.name
        connection.save(update_fields=["settings", "name"])
        said = f"{person} changed {connection.name}"
        record(subject_of(connection), "connector.changed", said, now, Actor.of(person))
        chat_watch.start(connection, now)
        helpdesk_canned.start(connection, now)


def disconnect(connection: Connection, person: Person, now: datetime) -> None:
    """Take a connection's key out of use; what waits for it is dropped, what stands there stays. Raises NotAllowed."""
    may_change(person, connection.team, f"disconnect {connection.name}")
    with transaction.atomic():
        connection.removed_at = now
        connection.save(update_fields=["removed_at"])
        said = f"{person} disconnected {connection.name}"
        record(subject_of(connection), "connector.disconnected", said, now, Actor.of(person))


def try_it(connection: Connection, person: Person, http: Client, now: datetime) -> str:
    """Call the system and say whom we reached. Raises Refused with what went wrong, NotAllowed.

    It calls out, so it is not for a transaction.
    """
    may_change(person, connection.team, f"try {connection.name}")
    try:
        settings = connectors.read_settings(connection.connector, connection.settings)
        said: str = connectors.all_connectors()[connection.connector].check(settings, http)
    except DeliveryFailed as failure:
        row = Connection.objects.filter(pk=connection.pk)
        row.update(failed_at=now, failure=failure.message[:2000])
        raise Refused(failure.message) from None
    Connection.objects.filter(pk=connection.pk).update(worked_at=now, failed_at=None, failure="")
    return said


def change_agreement(connection: Connection, values: Mapping[str, Any], person: Person, now: datetime) -> None:
    """Say what their words mean here; what waited for a word follows at once. Raises Refused naming the field."""
    may_change(person, connection.team, f"change what the words of {connection.name} mean")
    try:
        said = Agreement.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise Refused(str(first["msg"]).removeprefix("Value error, "), str(first["loc"][0])) from None
    with transaction.atomic():
        locked = lock_connection(connection.pk)
        locked.mapping = said.model_dump(mode="json", exclude_defaults=True)
        locked.save(update_fields=["mapping"])
        why = f"{person} changed what the words of {connection.name} mean"
        record(subject_of(locked), "connector.mapping", why, now, Actor.of(person))
    connection.refresh_from_db()
    _replay(connection, None, person, now)


def map_state(connection: Connection, state: str, target: str, person: Person, now: datetime) -> int:
    """Say what one state of theirs means here, and let all that waited for it follow; gives how many did (one click).

    A member may say it, since it is their ticket that waits. Raises Refused naming the field, NotAllowed.
    """
    require(person, connection.team, "member", f"say what a state of {connection.name} means")
    if target not in (*TARGETS, NO_CONCERN):
        raise Refused(f"it means one of {', '.join(TARGETS)}, or {NO_CONCERN}", "target")
    if not state.strip() or len(state) > 80:
        raise Refused("say which state of theirs", "state")
    with transaction.atomic():
        locked = lock_connection(connection.pk)
        stages = {**locked.mapping.get("stages", {}), state.lower(): target}
        locked.mapping = {**locked.mapping, "stages": stages}
        locked.save(update_fields=["mapping"])
        why = f"{person}: “{state}” in {connection.name} is {target} here"
        record(subject_of(locked), "connector.mapping", why, now, Actor.of(person))
    connection.refresh_from_db()
    return _replay(connection, state, person, now)


def _replay(connection: Connection, state: str | None, person: Person, now: datetime) -> int:
    """Let what stands in an unknown state follow, each in a transaction of its own; the rest goes with its next change."""
    waiting = ExternalRef.objects.filter(connection=connection, subject_kind="ticket", sync="unknown_state")
    if state is not None:
        waiting = waiting.filter(their_state__iexact=state)
    numbers = list(waiting.order_by("id").values_list("pk", flat=True)[:MOST_REPLAYED])
    for number in numbers:
        twins.follow_again(number, now, Actor.of(person))
    return len(numbers) + _replay_requests(connection, state, now)


def _replay_requests(connection: Connection, state: str | None, now: datetime) -> int:
    """Have the tickets of a helpdesk that stand in an unknown state read again."""
    if connection.connector not in connectors.connectors_of("helpdesk"):
        return 0
    waiting = ExternalRef.objects.filter(connection=connection, subject_kind="request", sync="unknown_state")
    if state is not None:
        waiting = waiting.filter(their_state__iexact=state)
    with transaction.atomic():
        refs = list(waiting.order_by("id").values_list("ref", flat=True)[:MOST_REPLAYED])
        for ref in refs:
            helpdesk.put_pull(connection, ref, f"again-{now.isoformat()}", now)
    return len(refs)


def retry_failed(connection: Connection, person: Person, now: datetime) -> int:
    """Try everything again that failed for good at this connection; gives how many. Raises NotAllowed."""
    require(person, connection.team, "member", f"try {connection.name} again")
    with transaction.atomic():
        rows = list(Export.objects.filter(connection=connection, state="failed").order_by("id")[:1000])
        for export in rows:
            exports.retry(export, now)
        refs = ExternalRef.objects.filter(connection=connection, sync="failed")
        refs.update(sync="waiting", error="")
        if rows:
            said = f"{person} tries {len(rows)} again"
            record(subject_of(connection), "connector.retried", said, now, Actor.of(person))
    return len(rows)
