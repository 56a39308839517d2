"""Who has heard of an incident: each audience with what it heard last and hears next; who of those who respond looked (COM-08).

Only those who respond are remembered, and only when they last had the page open: so that somebody tells the others by
another way. It is no event of the incident, and stands on no timeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def told_of(incident: Incident, desk: Desk, now: datetime, updates: Iterable[IncidentUpdate]) -> list[Told]:
    """Read what each audience heard last and hears next, in the team's order; `updates` are its own, the newest last."""
    last = {update.audience: update for update in updates}
    promised = {one.audience: one for one in promises_of(incident, desk)}
    return [
        Told(one, last.get(one.key), promised.get(one.key), one.key in promised and promised[one.key].due_at <= now)
        for one in hearings_of(incident, desk)
    ]


def readers_of(named: Iterable[IncidentMember], updates: Sequence[IncidentUpdate]) -> list[Reader]:
    """Tell who of those who respond has looked; before the first update nobody has missed one."""
    newest = updates[-1] if updates else None
    return [Reader(row.person, row.seen_at, _knows(row, newest)) for row in named if row.left_at is None]


def note_seen(
    incident: Incident,
    person: Person,
    now: datetime,
    named: Iterable[IncidentMember] | None = None,
    updates: Sequence[IncidentUpdate] | None = None,
) -> None:
    """Remember that somebody who responds has the page open: once a minute, and at once after an update.

    `named` and `updates`, the newest last, as the page has read them.
    """
    rows = incident.members.filter(person=person, left_at=None) if named is None else named
    row = next((one for one in rows if one.person_id == person.pk and one.left_at is None), None)
    if row is None:
        return
    told = list(incident.updates.order_by("id")) if updates is None else updates
    is_fresh = row.seen_at is not None and now - row.seen_at < REMEMBERED_EVERY
    if is_fresh and _knows(row, next(reversed(told), None)):
        return
    row.seen_at = now
    IncidentMember.objects.filter(pk=row.pk).update(seen_at=now)


def _knows(row: IncidentMember, newest: IncidentUpdate | None) -> bool:
    if newest is None or newest.author_id == row.person_id:
        return True
    return row.seen_at is not None and row.seen_at >= newest.at
