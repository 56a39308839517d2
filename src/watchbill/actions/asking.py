"""Page somebody by hand, once: whoever asks again because no answer came back does not page twice."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import paging
from watchbill.actions.log import Actor, record
from watchbill.db.models import Event, Page, Person, Service, Team

REMEMBERED = timedelta(days=1)


def page_once(
    key: str,
    team: Team,
    title: str,
    person: Person,
    now: datetime,
    *,
    details: str = "",
    urgency: str = "important",
    service: Service | None = None,
    to: Person | None = None,
) -> Page:
    """Page people as `paging.page_people` does; the same person with the same key gets the first page for a day.

    An empty key opens a page each time. Raises Refused naming the field, NotAllowed.
    """
    with transaction.atomic():
        # Whoever retries waits here for their own first try.
        Person.objects.select_for_update(of=("self",), no_key=True).only("id").get(pk=person.pk)
        known = _opened_with(key, person, now) if key else None
        if known is not None:
            return known
        page = paging.page_people(team, title, person, now, details=details, urgency=urgency, service=service, to=to)
        if key:
            why = "asked for with a key: a retry gives this page"
            record(paging.subject_of(page), "page.key", why, now, Actor.of(person), {"key": _hash(key)})
    return page


def _opened_with(key: str, person: Person, now: datetime) -> Page | None:
    mine = Page.objects.filter(opened_by=person, opened_at__gt=now - REMEMBERED)
    lines = Event.objects.filter(subject_kind="page", subject_id__in=mine.values("pk"), kind="page.key")
    line = lines.filter(data__key=_hash(key)).first()
    return mine.get(pk=line.subject_id) if line else None


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
