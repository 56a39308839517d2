"""What goes along when one incident is merged into another, and comes back when the merge is undone.

Timeline entries stay where they are. Links, who responds, what it touches, open tasks and open vendor cases go along; the
line on the other's timeline remembers which, so that they find back. Both incidents are locked by the caller.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from watchbill.actions.log import Actor, Subject, record
from watchbill.db.models import (
    Event,
    Incident,
    IncidentLink,
    IncidentMember,
    IncidentService,
    IncidentTask,
    Person,
    ServiceCondition,
    VendorCase,
)


def carry_over(merged: Incident, into: Incident, person: Person, now: datetime) -> None:
    """Let everything that is open go along, and say so on the other's timeline."""
    data = {
        "incident": merged.pk,
        "links": _links(merged, into, now),
        "people": _people(merged, into, now),
        "tasks": _move_tasks(merged, into),
        "vendor_cases": _move_cases(merged, into),
    }
    _services(merged, into, now)
    said = f"{person}: incident {merged.pk} is part of this one"
    record(_subject(into), "incident.merged_in", said, now, Actor.of(person), data)


def bring_back(merged: Incident, into: Incident, person: Person, now: datetime) -> None:
    """Undo a merge: what went along and is still open comes back; responders stay where they are."""
    lines = Event.objects.filter(subject_kind="incident", subject_id=into.pk, kind="incident.merged_in")
    line = lines.filter(data__incident=merged.pk).order_by("id").last()
    carried: dict[str, Any] = line.data if line else {}
    IncidentTask.objects.filter(
        pk__in=carried.get("tasks", []), incident=into, done_at=None, dropped_why="", ticket=None
    ).update(incident=merged)
    VendorCase.objects.filter(pk__in=carried.get("vendor_cases", []), incident=into, closed_at=None).update(
        incident=merged
    )
    IncidentLink.objects.filter(pk__in=carried.get("links", []), incident=into).delete()
    said = f"{person}: incident {merged.pk} is one of its own again"
    record(_subject(into), "incident.merge_undone", said, now, Actor.of(person), {"incident": merged.pk})


def _links(merged: Incident, into: Incident, now: datetime) -> list[int]:
    made = []
    for row in merged.links.order_by("id"):
        if row.kind == "related" and row.subject_id == into.pk:
            continue
        copy, new = IncidentLink.objects.get_or_create(
            incident=into,
            kind=row.kind,
            subject_id=row.subject_id,
            defaults={"note": row.note, "created_at": now, "created_by": row.created_by},
        )
        if new:
            made.append(copy.pk)
    return made


def _people(merged: Incident, into: Incident, now: datetime) -> list[int]:
    there = set(into.members.values_list("person", flat=True))
    rows = merged.members.filter(left_at=None).exclude(person__in=there).order_by("id")
    IncidentMember.objects.bulk_create(
        IncidentMember(incident=into, person_id=row.person_id, added_by_id=row.added_by_id, joined_at=now)
        for row in rows
    )
    return [row.person_id for row in rows]


def _move_tasks(merged: Incident, into: Incident) -> list[int]:
    rows = IncidentTask.objects.filter(incident=merged, done_at=None, dropped_why="", ticket=None)
    numbers = list(rows.values_list("pk", flat=True))
    IncidentTask.objects.filter(pk__in=numbers).update(incident=into)
    return numbers


def _move_cases(merged: Incident, into: Incident) -> list[int]:
    numbers = list(VendorCase.objects.filter(incident=merged, closed_at=None).values_list("pk", flat=True))
    VendorCase.objects.filter(pk__in=numbers).update(incident=into)
    return numbers


def _services(merged: Incident, into: Incident, now: datetime) -> None:
    """Hand on how each service is: the condition goes on under the other incident, without a gap in its history."""
    there = set(into.touched.values_list("service", flat=True))
    for row in merged.touched.exclude(condition="operational").order_by("id"):
        ServiceCondition.objects.filter(incident=merged, service=row.service_id, ends_at=None).update(ends_at=now)
        if row.service_id not in there:
            IncidentService.objects.create(incident=into, service_id=row.service_id, condition=row.condition)
            ServiceCondition.objects.create(
                incident=into, service_id=row.service_id, condition=row.condition, starts_at=now
            )
        row.condition = "operational"
        row.save(update_fields=["condition"])


def _subject(incident: Incident) -> Subject:
    return Subject("incident", incident.pk, incident.team_id)
