"""What a calendar feed tells: published shifts from 30 days back to a year ahead."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from watchbill.db.models import Person, Rotation, Shift, Team

BACK = timedelta(days=30)
AHEAD = timedelta(days=366)


def shifts_of(owner: Person | Team | Rotation, now: datetime) -> list[Shift]:
    """Read the published shifts of a person, a team or a rotation, by start; a person's has no gaps."""
    rows: QuerySet[Shift] = Shift.objects.filter(ends_at__gt=now - BACK, starts_at__lt=now + AHEAD)
    if isinstance(owner, Person):
        rows = rows.filter(person=owner)
    elif isinstance(owner, Team):
        rows = rows.filter(rotation__team=owner)
    else:
        rows = rows.filter(rotation=owner)
    return list(rows.select_related("person", "rotation", "rotation__team").order_by("starts_at", "rotation", "seat"))
