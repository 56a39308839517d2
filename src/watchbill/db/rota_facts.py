"""Read a rotation as the one calculator wants it: people by id with today's names and skills, holidays, absences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from watchbill.core.rota import pattern, plain
from watchbill.core.rota.holidays import holiday_absences, public_holidays
from watchbill.db.facts import holidays_of
from watchbill.db.models import Absence, Membership, Override, Person, Rotation, RotationRevision, Shift

HISTORY = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """Everything from which a rotation's shifts follow."""

    rotation: pattern.Rotation
    overrides: list[pattern.Override]
    absences: list[pattern.Absence]
    checkpoint: pattern.Progress | None


def newest_revision(rotation: Rotation) -> RotationRevision:
    """Read the revision in force; every rotation has one."""
    return rotation.revisions.order_by("-version")[0]


def plan_of(rotation: Rotation, now: datetime) -> Plan:
    """Read the plan in force."""
    revision = newest_revision(rotation)
    return plan_with(rotation, revision.settings, revision.progress, now)


def plan_with(rotation: Rotation, settings: dict[str, Any], progress: dict[str, Any] | None, now: datetime) -> Plan:
    """Read a plan for settings that may not be adopted yet. Raises Refused naming the field that is wrong."""
    read = read_settings(rotation, settings, now)
    people = [member.person for member in read.members]
    return Plan(
        read,
        _overrides(rotation, now),
        _absences(people, read, now),
        plain.progress_from_json(progress) if progress else None,
    )


def read_settings(rotation: Rotation, settings: dict[str, Any], now: datetime) -> pattern.Rotation:
    """Read settings with the members' present names and skills, and the team's public holidays if they count."""
    data = {key: value for key, value in settings.items() if key != "follow_holidays"}
    ids = [member.get("person") for member in data.get("members", [])]
    names = dict(Person.objects.filter(pk__in=[i for i in ids if isinstance(i, int)]).values_list("pk", "name"))
    memberships = {m.person_id: m for m in Membership.objects.filter(team_id=rotation.team_id, person_id__in=names)}
    data["members"] = [_member(member, names, memberships) for member in data.get("members", [])]
    data["holidays"] = holidays_of(rotation.team, now) if settings.get("follow_holidays") else []
    return plain.from_json(data)


def _member(member: dict[str, Any], names: dict[int, str], memberships: dict[int, Membership]) -> dict[str, Any]:
    person = member.get("person")
    membership = memberships.get(person) if isinstance(person, int) else None
    known: dict[str, Any] = {
        "person": person,
        "name": names.get(person, f"person {person}") if isinstance(person, int) else "?",
    }
    known["skills"] = sorted(membership.skills) if membership else []
    for field in ("active_from", "active_until"):
        own = member.get(field) or (getattr(membership, field) if membership else None)
        known[field] = own if own is None or isinstance(own, str) else own.isoformat()
    return known


def _overrides(rotation: Rotation, now: datetime) -> list[pattern.Override]:
    rows = Override.objects.filter(rotation_id=rotation.pk, removed_at=None, ends_at__gt=now - HISTORY).select_related(
        "person"
    )
    return [
        pattern.Override(
            person=row.person_id,
            name=str(row.person),
            start=row.starts_at,
            end=row.ends_at,
            created_at=row.created_at,
            seat=row.seat or None,
            why=row.why,
            number=row.pk,
            outside_coverage=row.outside_coverage,
        )
        for row in rows
    ]


def _absences(people: list[int], rotation: pattern.Rotation, now: datetime) -> list[pattern.Absence]:
    since = (now - timedelta(days=400)).date()
    rows = Absence.objects.filter(person_id__in=people, removed_at=None, last_day__gte=since).select_related("person")
    absences = [
        pattern.Absence(row.person_id, row.first_day, row.last_day, row.why or row.kind, row.person.zone)
        for row in rows
    ]
    if rotation.own_holidays:
        years = (now.year, now.year + 1)
        for person in Person.objects.filter(pk__in=people).exclude(holiday_country=""):
            own = public_holidays(person.holiday_country, person.holiday_subdivision, years)
            absences.extend(holiday_absences(person.pk, own, person.zone))
    return absences


def published(rotation: Rotation, start: datetime, end: datetime) -> list[Shift]:
    """Read the published shifts of a rotation that meet [start, end), in order."""
    return list(
        Shift.objects.filter(rotation=rotation, ends_at__gt=start, starts_at__lt=end)
        .select_related("person")
        .order_by("starts_at", "seat")
    )
