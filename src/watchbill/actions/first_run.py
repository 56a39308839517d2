"""The set-up of a fresh instance: how far it has come, and the test page at its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions.access import require_administrator
from watchbill.actions.log import Actor
from watchbill.actions.paging import Opening, open_page
from watchbill.actions.people import FIRST_RUN
from watchbill.db.models import InstanceSetting, Page, Person, Service, Team


def progress() -> dict[str, Any] | None:
    """Read what the set-up remembers; None: this instance was not set up by the first-run page."""
    row = InstanceSetting.objects.filter(name=FIRST_RUN).first()
    return dict(row.value) if row else None


def is_unfinished(person: object) -> bool:
    """Tell whether this is an administrator whose instance is still being set up."""
    if not (isinstance(person, Person) and person.is_superuser):
        return False
    reached = progress()
    return reached is not None and not reached.get("done")


def remember(person: Person, now: datetime, **values: Any) -> None:
    """Write how far the set-up has come; raises NotAllowed."""
    require_administrator(person, "set up this instance")
    with transaction.atomic():
        row, _ = InstanceSetting.objects.select_for_update().get_or_create(
            name=FIRST_RUN, defaults={"value": {}, "changed_at": now}
        )
        row.value = {**row.value, **values}
        row.changed_at, row.changed_by = now, person
        row.save(update_fields=["value", "changed_at", "changed_by"])


def send_test_page(team: Team, service: Service | None, person: Person, now: datetime) -> Page:
    """Page the person who sets up, through the whole engine; raises NotAllowed."""
    require_administrator(person, "send the test page")
    opening = Opening(
        title="Test page: this is how Watchbill asks for you",
        details="Nothing is wrong. Answer it, and your set-up is complete.",
        service=service,
        targets=[f"person:{person.pk}"],
    )
    with transaction.atomic():
        page = open_page(team, opening, "the set-up ends with a page to oneself", now, Actor.of(person))
        remember(person, now, page=page.pk)
    return page
