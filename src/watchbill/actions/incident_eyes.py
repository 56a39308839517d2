"""Who has heard of an incident: each audience with what it heard last and hears next; who of those who respond looked (COM-08).

Only those who respond are remembered, and only when they last had the page open: so that somebody tells the others by
another way. It is no event of the incident, and stands on no timeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from watchbill.actions.desk import Desk
from watchbill.actions.update_promises import hearings_of, promises_of
from watchbill.core.updates import Promise
from watchbill.db.models import Incident, IncidentMember, IncidentUpdate, Person
from watchbill.rules.incident_updates import Hearing

REMEMBERED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Told:
    """One audience: who, what they heard last, what they were promised, and whether that is late."""

    hearing: Hearing
    last: IncidentUpdate | None
    promise: Promise | None
    is_late: bool


@dataclass(frozen=True)
class Reader:
    """Somebody who responds, when they last had the page open, and whether they know the newest update: theirs, or seen."""

    person: Person
    seen_at: datetime | None
    knows_newest: bool


def told_of(incident: Incident, desk: Desk, now: datetime) -> list[Told]:
    """Read what each audience heard last and hears next, in the team's order."""
    last: dict[str, IncidentUpdate] = {}
    for update in incident.updates.order_by("id"):
        last[update.audience] = update
    promised = {one.audience: one for one in promises_of(incident, desk)}
    return [
        Told(one, last.get(one.key), promised.get(one.key), one.key in promised and promised[one.key].due_at <= now)
        for one in hearings_of(incident, desk)
    ]


def readers_of(incident: Incident) -> list[Reader]:
    """Read who of those who respond has looked; before the first update nobody has missed one."""
    newest = _newest(incident)
    rows = incident.members.filter(left_at=None).select_related("person").order_by("joined_at", "id")
    return [Reader(row.person, row.seen_at, _knows(row, newest)) for row in rows]


def note_seen(incident: Incident, person: Person, now: datetime) -> None:
    """Remember that somebody who responds has the page open: once a minute, and at once after an update."""
    row = incident.members.filter(person=person, left_at=None).first()
    if row is None:
        return
    is_fresh = row.seen_at is not None and now - row.seen_at < REMEMBERED_EVERY
    if is_fresh and _knows(row, _newest(incident)):
        return
    IncidentMember.objects.filter(pk=row.pk).update(seen_at=now)


def _newest(incident: Incident) -> IncidentUpdate | None:
    return incident.updates.order_by("-id").first()


def _knows(row: IncidentMember, newest: IncidentUpdate | None) -> bool:
    if newest is None or newest.author_id == row.person_id:
        return True
    return row.seen_at is not None and row.seen_at >= newest.at
