"""The catalogue: services, and the monitors that speak of them."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.text import slugify
from pydantic import ValidationError

from watchbill import monitors
from watchbill.actions.access import may_change, require
from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import Inbox, Ladder, MonitorConnection, Person, Service, Team
from watchbill.kit.errors import Refused

TEXT_FIELDS = {
    "name": 80, "description": 10_000, "environment": 40, "host": 80, "vendor": 80, "vendor_contact": 2000,
}  # fmt: skip
LARGEST_EXAMPLE = 256 * 1024
LINK_KINDS = ("dashboard", "alarms", "policies", "runbook", "source", "other")


def subject_of(service: Service) -> Subject:
    """Give the log's name for a service."""
    return Subject("service", service.pk, service.team_id)


def add_service(team: Team, values: dict[str, Any], person: Person, now: datetime) -> Service:
    """Write a new service of a team (INT-11, RUN-02, ROL-17); raises Refused naming the field, NotAllowed."""
    may_change(person, team, "add a service")
    checked = check_service(team, values)
    slug = free_slug(checked["name"])
    with transaction.atomic():
        service = Service.objects.create(team=team, slug=slug, created_at=now, **checked)
        record(subject_of(service), "service.added", f"{person} added {service}", now, Actor.of(person))
    return service


def change_service(service: Service, values: dict[str, Any], person: Person, now: datetime) -> Service:
    """Change a service; what the ladder becomes counts for pages opened afterwards. Raises Refused, NotAllowed."""
    may_change(person, service.team, f"change {service}")
    checked = check_service(service.team, values)
    changed = [name for name, value in checked.items() if getattr(service, name) != value]
    if not changed:
        return service
    for name in changed:
        setattr(service, name, checked[name])
    with transaction.atomic():
        service.save(update_fields=changed)
        what = ", ".join(name.replace("_", " ") for name in changed)
        record(subject_of(service), "service.changed", f"{person} changed {what}", now, Actor.of(person))
    return service


def archive_service(service: Service, person: Person, now: datetime, *, archived: bool = True) -> None:
    """Take a service out of the lists, or bring it back; its monitors are refused while it is archived."""
    may_change(person, service.team, f"archive {service}")
    service.archived_at = now if archived else None
    with transaction.atomic():
        service.save(update_fields=["archived_at"])
        record(
            subject_of(service),
            "service.archived" if archived else "service.restored",
            f"by {person}",
            now,
            Actor.of(person),
        )


def check_service(team: Team, values: dict[str, Any]) -> dict[str, Any]:
    """Check what a person wrote about a service; raises Refused naming the field and how to mend it."""
    checked: dict[str, Any] = {}
    for name, longest in TEXT_FIELDS.items():
        text = str(values.get(name) or "").strip()
        if len(text) > longest:
            raise Refused(f"at most {longest} characters, this has {len(text)}", name)
        checked[name] = text
    if not checked["name"]:
        raise Refused("a service needs a name", "name")
    checked["tier"] = _tier(values.get("tier", 2))
    checked["links"] = [_link(link, number) for number, link in enumerate(values.get("links") or (), 1)]
    checked["ladder"] = _ladder(team, values.get("ladder"))
    contact = values.get("leadership_contact")
    checked["leadership_contact"] = Person.objects.filter(pk=contact, is_active=True).first() if contact else None
    return checked


def _tier(value: Any) -> int:
    if str(value) not in {"1", "2", "3", "4"}:
        raise Refused("the tier is 1 (most important) to 4", "tier")
    return int(value)


def _link(link: dict[str, Any], number: int) -> dict[str, str]:
    url, title = str(link.get("url", "")).strip(), str(link.get("title", "")).strip()
    if urlsplit(url).scheme not in {"http", "https"}:
        raise Refused(f"link {number}: the address starts with https:// or http://", "links")
    kind = str(link.get("kind") or "other")
    if kind not in LINK_KINDS:
        raise Refused(f"link {number}: the kind is one of {', '.join(LINK_KINDS)}", "links")
    return {"kind": kind, "title": title[:120] or kind, "url": url[:2000]}


def _ladder(team: Team, value: Any) -> Ladder | None:
    if not value:
        return None
    ladder = Ladder.objects.filter(pk=value, team=team, archived_at=None).first()
    if ladder is None:
        raise Refused(f"{team} has no such ladder", "ladder")
    return ladder


def free_slug(name: str) -> str:
    """Find a name for addresses that no service has."""
    base = slugify(name)[:40] or "service"
    taken = set(Service.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def hash_key(key: str) -> str:
    """Give the form in which a key is looked up."""
    return hashlib.sha256(key.encode()).hexdigest()


def connect_monitor(service: Service, monitor: str, name: str, person: Person, now: datetime) -> MonitorConnection:
    """Make a monitor's way in to a service, with a new key; raises Refused for a monitor that we do not know."""
    may_change(person, service.team, f"connect a monitor to {service}")
    if monitor not in monitors.all_monitors():
        raise Refused(f"there is no monitor “{monitor}”; there are {', '.join(monitors.all_monitors())}", "monitor")
    key = secrets.token_hex(16)  # 32 characters, as PagerDuty's routing keys: some tools check the length
    title = name.strip()[:80] or monitors.all_monitors()[monitor].TITLE
    with transaction.atomic():
        connection = MonitorConnection.objects.create(
            service=service,
            monitor=monitor,
            name=title,
            key=key,
            key_hash=hash_key(key),
            created_at=now,
            created_by=person,
        )
        record(subject_of(service), "monitor.connected", f"{person} connected {title}", now, Actor.of(person))
    return connection


def change_connection(connection: MonitorConnection, settings: dict[str, Any], person: Person, now: datetime) -> None:
    """Change a connection's settings (a mapping); raises Refused naming the field that is wrong."""
    may_change(person, connection.service.team, "change how a monitor is read")
    model = monitors.settings_of(monitors.all_monitors()[connection.monitor])
    try:
        # What nobody wrote stays unset, so that a better default of a later version reaches it.
        connection.settings = model.model_validate(settings).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(str(first["msg"]), ".".join(str(part) for part in first["loc"])) from None
    with transaction.atomic():
        connection.save(update_fields=["settings"])
        record(
            subject_of(connection.service),
            "monitor.changed",
            f"{person} changed how {connection.name} is read",
            now,
            Actor.of(person),
        )


def disconnect_monitor(connection: MonitorConnection, person: Person, now: datetime) -> None:
    """Take a monitor's key out of use: the door refuses it within seconds."""
    may_change(person, connection.service.team, "disconnect a monitor")
    connection.removed_at = now
    with transaction.atomic():
        connection.save(update_fields=["removed_at"])
        record(
            subject_of(connection.service),
            "monitor.disconnected",
            f"{person} disconnected {connection.name}",
            now,
            Actor.of(person),
        )


def send_test_alert(connection: MonitorConnection, severity: str, person: Person, now: datetime) -> int:
    """Put an alert of our own into the inbox of a connection: it goes the way of every other, and may page people.

    Its key is its own each time. Returns the row's id; raises Refused, NotAllowed.
    """
    require(person, connection.service.team, "member", "send a test alert")
    _refuse_if_removed(connection)
    payload = {
        "routing_key": connection.key,
        "event_action": "trigger",
        "dedup_key": f"watchbill-test-{secrets.token_hex(8)}",
        "payload": {
            "summary": f"Test alert: {person} checks whom {connection.service} reaches",
            "source": "Watchbill",
            "severity": severity.strip()[:40] or "critical",
        },
    }
    return _put_into_inbox(connection, "events_v2", json.dumps(payload), "a test alert", person, now)


def send_example(connection: MonitorConnection, text: str, person: Person, now: datetime) -> int:
    """Put a payload that a person wrote into the inbox, as if the tool had posted it. Raises Refused, NotAllowed."""
    may_change(person, connection.service.team, "send a payload by hand")
    _refuse_if_removed(connection)
    if len(text) > LARGEST_EXAMPLE:
        raise Refused("at most 256 KB", "payload")
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(f"this is no JSON: {error}", "payload") from None
    return _put_into_inbox(connection, connection.monitor, text, "an example", person, now)


def _refuse_if_removed(connection: MonitorConnection) -> None:
    if connection.removed_at or connection.service.archived_at:
        raise Refused(f"{connection.name} is disconnected: nothing reaches {connection.service} through it")


def _put_into_inbox(
    connection: MonitorConnection, monitor: str, text: str, what: str, person: Person, now: datetime
) -> int:
    with transaction.atomic():
        row = Inbox.objects.create(
            received_at=now,
            service_id=connection.service_id,
            connection_id=connection.pk,
            monitor=monitor,
            body=text.encode(),
            sender=f"{person}"[:64],
        )
        subject = subject_of(connection.service)
        record(subject, "monitor.tested", f"{person} sent {what} through {connection.name}", now, Actor.of(person))
    return row.pk
