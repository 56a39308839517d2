"""What goes along when one incident is merged into another, and comes back when the merge is undone.

Timeline entries stay where they are. Links, who responds, whom and what it touches, open tasks and open vendor cases go
along; the line on the other's timeline remembers which, and how the incident stood, so that all of it finds back. Both
incidents are locked by the caller; how services are is carried by `incident_conditions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchbill.actions import incident_conditions, status_changes
from watchbill.actions.log import Actor, Subject, record
from watchbill.core.incidents import GOES_ON, Before
from watchbill.db.models import (
    Event,
    Incident,
    IncidentCommunity,
    IncidentLink,
    IncidentMember,
    IncidentTask,
    Person,
    PublicIncident,
    RoleAssignment,
    VendorCase,
)


@dataclass(frozen=True)
class Carried:
    """What an undone merge gives back of the incident itself; `public`: where it had not ended in public, None: all."""

    before: Before = GOES_ON
    public: list[int] | None = None


def carry_over(merged: Incident, into: Incident, person: Person, now: datetime) -> None:
    """Let everything that is open go along, and say so on the other's timeline."""
    open_in_public = PublicIncident.objects.filter(incident=merged, ended_at=None)
    data = {
        "incident": merged.pk,
        "before": {
            "state": merged.state,
            "mitigated_at": _written(merged.mitigated_at),
            "resolved_at": _written(merged.resolved_at),
        },
        "public": list(open_in_public.values_list("pk", flat=True)),
        "links": _links(merged, into, now),
        "people": _people(merged, into, now),
        "communities": _communities(merged, into),
        "tasks": _move_tasks(merged, into),
        "vendor_cases": _move_cases(merged, into),
        "services": incident_conditions.hand_on(merged, into, now),
    }
    said = f"{person}: incident {merged.pk} is part of this one"
    record(_subject(into), "incident.merged_in", said, now, Actor.of(person), data)
    status_changes.incident_changed(into)


def bring_back(merged: Incident, into: Incident, person: Person, now: datetime) -> Carried:
    """Undo a merge: what went along and is there still comes back; whoever did something there meanwhile stays."""
    lines = Event.objects.filter(subject_kind="incident", subject_id=into.pk, kind="incident.merged_in")
    line = lines.filter(data__incident=merged.pk).order_by("id").last()
    carried: dict[str, Any] = line.data if line else {}
    IncidentTask.objects.filter(pk__in=carried.get("tasks", []), incident=into).update(incident=merged)
    VendorCase.objects.filter(pk__in=carried.get("vendor_cases", []), incident=into).update(incident=merged)
    IncidentLink.objects.filter(pk__in=carried.get("links", []), incident=into).delete()
    IncidentCommunity.objects.filter(incident=into, community__in=carried.get("communities", [])).delete()
    if line is not None:
        _let_go(into, carried.get("people", []), line)
        incident_conditions.give_back(merged, into, now)
    said = f"{person}: incident {merged.pk} is one of its own again"
    record(_subject(into), "incident.merge_undone", said, now, Actor.of(person), {"incident": merged.pk})
    status_changes.incident_changed(into)
    return Carried(_read(carried["before"]), carried["public"]) if "before" in carried else Carried()


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _read(before: dict[str, Any]) -> Before:
    times = {
        name: datetime.fromisoformat(before[name]) if before[name] else None for name in ("mitigated_at", "resolved_at")
    }
    return Before(before["state"], **times)


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


def _let_go(into: Incident, people: list[int], line: Event) -> None:
    """Take out whom the merge alone had brought: of a private incident they see no more than before it."""
    acted = Event.objects.filter(subject_kind="incident", subject_id=into.pk, pk__gt=line.pk, actor__in=people)
    asked = RoleAssignment.objects.filter(incident=into, person__in=people)
    stay = {*acted.values_list("actor", flat=True), *asked.values_list("person", flat=True)}
    owned = {*into.tasks.filter(owner__in=people).values_list("owner", flat=True)}
    IncidentMember.objects.filter(incident=into, person__in=set(people) - stay - owned).delete()


def _communities(merged: Incident, into: Incident) -> list[int]:
    there = set(into.communities.values_list("community", flat=True))
    named = [row.community_id for row in merged.communities.order_by("id") if row.community_id not in there]
    IncidentCommunity.objects.bulk_create(IncidentCommunity(incident=into, community_id=one) for one in named)
    return named


def _move_tasks(merged: Incident, into: Incident) -> list[int]:
    rows = IncidentTask.objects.filter(incident=merged, done_at=None, dropped_why="", ticket=None)
    numbers = list(rows.values_list("pk", flat=True))
    IncidentTask.objects.filter(pk__in=numbers).update(incident=into)
    return numbers


def _move_cases(merged: Incident, into: Incident) -> list[int]:
    numbers = list(VendorCase.objects.filter(incident=merged, closed_at=None).values_list("pk", flat=True))
    VendorCase.objects.filter(pk__in=numbers).update(incident=into)
    return numbers


def _subject(incident: Incident) -> Subject:
    return Subject("incident", incident.pk, incident.team_id)
