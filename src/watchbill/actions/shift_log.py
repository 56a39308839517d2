"""The on-call log: what somebody notes on watch, with a ticket or without, under a title that can be edited (RUN-10, RUN-11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from watchbill.actions.access import require, role_of
from watchbill.actions.checking import check_text
from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import LogEntry, Person, Shift, Team
from watchbill.kit.errors import NotAllowed, Refused

LONGEST = 10_000
EARLIEST = timedelta(days=31)


def subject_of(entry: LogEntry) -> Subject:
    """Give the log's name for an entry."""
    return Subject("log_entry", entry.pk, entry.team_id)


def add_entry(team: Team, values: Mapping[str, Any], person: Person, now: datetime) -> LogEntry:
    """Note something: title, text, ticket (None: there is none), at (None: now). Raises Refused naming the field, NotAllowed.

    It belongs to the shift in which its author stood then, in the first seat when they stood in several.
    """
    require(person, team, "member", "write in the on-call log")
    checked = _check(team, {"title": "", **values})
    at = values.get("at") or now
    if not now - EARLIEST <= at <= now:
        raise Refused("an entry is of now, or of the last month", "at")
    stood = _stood(team, person, at)
    with transaction.atomic():
        entry = LogEntry.objects.create(
            team=team,
            rotation=stood.rotation if stood else None,
            seat=stood.seat if stood else "",
            author=person,
            at=at,
            changed_at=now,
            **checked,
        )
        record(subject_of(entry), "log_entry.added", f"{person}: {entry.title}", now, Actor.of(person), at=at)
    return entry


def _stood(team: Team, person: Person, at: datetime) -> Shift | None:
    rows = Shift.objects.filter(rotation__team=team, person=person, starts_at__lte=at, ends_at__gt=at)
    return rows.select_related("rotation").order_by("rotation", "seat").first()


def change_entry(entry_id: int, values: Mapping[str, Any], person: Person, now: datetime) -> LogEntry:
    """Change the title, the text or the ticket of an entry: one's own, or, for an owner, anybody's. Raises Refused, NotAllowed."""
    with transaction.atomic():
        rows = LogEntry.objects.select_related("team", "author").select_for_update(of=("self",))
        entry = rows.filter(pk=entry_id).first()
        if entry is None:
            raise Refused("there is no such entry", "entry")
        require(person, entry.team, "member", "write in the on-call log")
        if person.pk != entry.author_id and role_of(person, entry.team) != "owner":
            raise NotAllowed(f"{entry.author or 'An owner'} wrote this entry: they change it, or an owner of the team.")
        checked = _check(entry.team, values)
        changed = {name: value for name, value in checked.items() if getattr(entry, name) != value}
        if not changed:
            return entry
        was = entry.title
        for name, value in changed.items():
            setattr(entry, name, value)
        entry.changed_at = now
        entry.save(update_fields=[*changed, "changed_at"])
        said = f"{person} renamed it from “{was}” to “{entry.title}”" if "title" in changed else f"{person} changed it"
        record(subject_of(entry), "log_entry.changed", said, now, Actor.of(person), {"changed": sorted(changed)})
    return entry


def _check(team: Team, values: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    if "title" in values:
        checked["title"] = check_text(dict(values), "title", 200, "say in a line what happened")
    if "text" in values:
        checked["text"] = str(values["text"] or "").strip()
        if len(checked["text"]) > LONGEST:
            raise Refused(f"at most {LONGEST} characters", "text")
    if "ticket" in values:
        checked["ticket"] = values["ticket"]
        if checked["ticket"] is not None and checked["ticket"].team_id != team.pk:
            raise Refused(f"T-{checked['ticket'].pk} is not of {team}", "ticket")
    return checked
