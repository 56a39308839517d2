"""Write the timeline of an incident: entries with the time they happened, pins, corrections, pasted files (INC-08).

A line that stands is never changed: a correction is a new line that names the one it puts right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from watchbill.actions.asked import File
from watchbill.actions.incidents import lock, require_member, subject_of
from watchbill.actions.log import Actor, record
from watchbill.core.incidents import ENTRY_KINDS
from watchbill.db.models import Event, Incident, IncidentFile, Person
from watchbill.kit.errors import Refused

LONGEST_TEXT = 20_000
LARGEST_FILE = 10 * 1024 * 1024
DOORS = ("page", "chat", "api", "import", "drill")


@dataclass(frozen=True)
class Entry:
    """What is put on the timeline; `at` is when it happened, None: now."""

    text: str
    kind: str = "note"
    at: datetime | None = None
    door: str = "page"
    link: str = ""
    files: Sequence[File] = field(default=())
    data: dict[str, Any] = field(default_factory=dict)


def write(incident_id: int, entry: Entry, person: Person, now: datetime) -> Event:
    """Put a line on the timeline. Raises Refused naming the field, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "write on an incident")
        return write_locked(incident, entry, Actor.of(person), now, person)


def write_locked(incident: Incident, entry: Entry, actor: Actor, now: datetime, person: Person | None = None) -> Event:
    """Put a line on the timeline of a locked incident. Raises Refused naming the field."""
    _check(entry, now)
    data: dict[str, Any] = {"kind": entry.kind, "door": entry.door, **entry.data}
    if entry.link:
        data["link"] = entry.link
    line = record(subject_of(incident), "incident.entry", entry.text.strip(), now, actor, data, entry.at)
    for one in entry.files:
        IncidentFile.objects.create(
            incident=incident,
            event=line,
            name=one.name[:255],
            media_type=one.media_type[:120],
            size=len(one.content),
            content=one.content,
            added_at=now,
            added_by=person,
        )
    return line


def _check(entry: Entry, now: datetime) -> None:
    if not entry.text.strip() and not entry.files:
        raise Refused("write what happened", "text")
    if len(entry.text) > LONGEST_TEXT:
        raise Refused(f"at most {LONGEST_TEXT} characters", "text")
    if entry.kind not in ENTRY_KINDS:
        raise Refused(f"an entry is one of {', '.join(ENTRY_KINDS)}", "kind")
    if entry.at is not None and entry.at > now:
        raise Refused("this lies ahead: the timeline tells what has happened", "at")
    if entry.link and not entry.link.startswith(("https://", "http://", "/")):
        raise Refused("an address begins with https://", "link")
    if any(len(one.content) > LARGEST_FILE for one in entry.files):
        raise Refused(f"a file has at most {LARGEST_FILE // 1024 // 1024} MB", "files")


def correct(
    incident_id: int, line_id: int, text: str, why: str, person: Person, now: datetime, at: datetime | None = None
) -> Event:
    """Put right what a line says, or when it happened, by a new line; the old one stays readable. Raises Refused."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "correct the timeline")
        line = _line(incident, line_id)
        if line.kind != "incident.entry":
            raise Refused(
                "what Watchbill wrote is put right where it came from: a milestone, a role, an update", "line"
            )
        _check(Entry(text, at=at), now)
        data = {**line.data, "corrects": line.pk, "because": why.strip()[:500]}
        return record(subject_of(incident), "incident.entry", text.strip(), now, Actor.of(person), data, at or line.at)


def pin(incident_id: int, line_id: int, person: Person, now: datetime, *, is_pinned: bool = True) -> Event:
    """Pin a line to the top, or take the pin off. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "pin a line")
        line = _line(incident, line_id)
        kind, said = ("incident.pinned", "pinned") if is_pinned else ("incident.unpinned", "took the pin off")
        return record(
            subject_of(incident), kind, f"{person} {said}: {line.why[:80]}", now, Actor.of(person), {"line": line.pk}
        )


def _line(incident: Incident, line_id: int) -> Event:
    line = Event.objects.filter(pk=line_id, subject_kind="incident", subject_id=incident.pk).first()
    if line is None:
        raise Refused("this line is not on the timeline", "line")
    return line
