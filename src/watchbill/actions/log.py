"""Write lines in the log: the one door to the `Event` table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchbill.db.models import Event, Person
from watchbill.db.wake import refresh_pages


@dataclass(frozen=True)
class Actor:
    """Who did something: a person, or Watchbill itself, or a monitor."""

    id: int | None
    name: str

    @classmethod
    def of(cls, person: Person) -> Actor:
        """Give the actor that stands for a person."""
        return cls(person.pk, str(person))


WATCHBILL = Actor(None, "Watchbill")


@dataclass(frozen=True)
class Subject:
    """What a line of the log is about: a kind ("page", "alert", "service", …), an id, and the team that owns it."""

    kind: str
    id: int
    team: int | None


def event_of(
    subject: Subject,
    kind: str,
    why: str,
    now: datetime,
    actor: Actor = WATCHBILL,
    data: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> Event:
    """Build a line, not yet written, for callers that write many at once; `at` when it happened, if that was earlier."""
    return Event(
        team_id=subject.team,
        subject_kind=subject.kind,
        subject_id=subject.id,
        kind=kind,
        at=at or now,
        written_at=now,
        actor_id=actor.id,
        actor_name=actor.name[:80],
        why=why,
        data=dict(data or {}),
    )


def record(
    subject: Subject,
    kind: str,
    why: str,
    now: datetime,
    actor: Actor = WATCHBILL,
    data: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> Event:
    """Write one line in the log: what happened to the subject, by whom, and why; `at` when, if that was earlier."""
    event = event_of(subject, kind, why, now, actor, data, at)
    write_lines([event])
    return event


def write_lines(lines: Sequence[Event]) -> None:
    """Write lines that `event_of` built, in their order; each has its id afterwards."""
    if not lines:
        return
    if len(lines) == 1:
        lines[0].save(force_insert=True)
    else:
        Event.objects.bulk_create(lines, batch_size=250)
    refresh_pages()
