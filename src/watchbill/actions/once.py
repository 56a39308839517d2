"""Do something once, though it is asked for twice: a program that got no answer asks again with the same key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import Event, Person

REMEMBERED = timedelta(days=1)


def once(key: str, what: str, person: Person, now: datetime, act: Callable[[], int]) -> int:
    """Do `act` and give the id of what it made; the same person with the same key and `what` gets that id for a day.

    Without a key it is done each time. What `act` raises is raised, and nothing is remembered then.
    """
    if not key:
        return act()
    subject = Subject("person", person.pk, None)
    name = hashlib.sha256(f"{what}:{key}".encode()).hexdigest()
    with transaction.atomic():
        # Whoever asks again waits here for their own first try.
        Person.objects.select_for_update(of=("self",), no_key=True).only("id").get(pk=person.pk)
        known = Event.objects.filter(
            subject_kind=subject.kind, subject_id=subject.id, kind="api.once", at__gt=now - REMEMBERED, data__key=name
        ).first()
        if known is not None:
            return int(known.data["made"])
        made = act()
        record(subject, "api.once", f"{what}, with a key", now, Actor.of(person), {"key": name, "made": made})
    return made
