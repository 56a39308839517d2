"""What goes along when one incident is merged into another, and comes back when the merge is undone.

Timeline entries stay where they are. Links, who responds, whom and what it touches, open tasks and open vendor cases go
along; the line on the other's timeline remembers which, and how the incident stood, so that all of it finds back, also
when the other went on into a third meanwhile. All of them are locked by the caller; how services are is carried by
`incident_conditions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
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
class Brought:
    """What one incident had into another from a merge: links by kind and subject, people, communities."""

    links: set[tuple[str, int]]
    people: set[int]
    communities: set[int]


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


def hosts_of(number: int) -> list[int]:
    """Read where an incident went on: the one that it is part of, the one which that is part of, and so on."""
    found: list[int] = []
    while (into := Incident.objects.filter(pk=number).values_list("merged_into", flat=True).first()) is not None:
        found.append(into)
        number = into
    return found


def bring_back(merged: Incident, hosts: Sequence[Incident], person: Person, now: datetime) -> Carried:
    """Undo a merge: what went along and is there still comes back; whoever did something there meanwhile stays.

    `hosts` is where it went on, as `hosts_of` gives it: what it brought is taken from each of them.
    """
    into, line = hosts[0], _line_of(merged, hosts[0])
    carried: dict[str, Any] = line.data if line else {}
    IncidentTask.objects.filter(pk__in=carried.get("tasks", []), incident__in=hosts).update(incident=merged)
    VendorCase.objects.filter(pk__in=carried.get("vendor_cases", []), incident__in=hosts).update(incident=merged)
    if line is not None:
        taken = _take_out(into, line)
        services = incident_conditions.give_back(merged, hosts, now)
        for (lower, upper), kept in zip(pairwise(hosts), services, strict=True):
            above = _line_of(lower, upper)
            if above is not None:
                taken = _take_out(upper, above, taken)
                said = f"{person}: incident {merged.pk} is one of its own again; incident {lower.pk} is still part of this one"
                data = {**_without(above, taken, carried), "services": kept}
                record(_subject(upper), "incident.merged_in", said, now, Actor.of(person), data)
    said = f"{person}: incident {merged.pk} is one of its own again"
    record(_subject(into), "incident.merge_undone", said, now, Actor.of(person), {"incident": merged.pk})
    for host in hosts:
        status_changes.incident_changed(host)
    return Carried(_read(carried["before"]), carried["public"]) if "before" in carried else Carried()


def _line_of(merged: Incident, into: Incident) -> Event | None:
    """Read the line that remembers what one incident brought into another."""
    lines = Event.objects.filter(subject_kind="incident", subject_id=into.pk, kind="incident.merged_in")
    return lines.filter(data__incident=merged.pk).order_by("id").last()


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


def _take_out(host: Incident, line: Event, only: Brought | None = None) -> Brought:
    """Take out of an incident what a merge brought (`only`: of this), and give what it was."""
    links = {
        row.pk: (row.kind, row.subject_id)
        for row in IncidentLink.objects.filter(pk__in=line.data.get("links", []), incident=host)
        if only is None or (row.kind, row.subject_id) in only.links
    }
    people, named = set(line.data.get("people", [])), set(line.data.get("communities", []))
    if only is not None:
        people, named = people & only.people, named & only.communities
    IncidentLink.objects.filter(pk__in=links).delete()
    IncidentCommunity.objects.filter(incident=host, community__in=named).delete()
    return Brought(set(links.values()), _let_go(host, people, line), named)


def _let_go(host: Incident, people: set[int], line: Event) -> set[int]:
    """Take out whom the merge alone had brought: of a private incident they see no more than before it."""
    since = line.data.get("since", line.pk)
    acted = Event.objects.filter(subject_kind="incident", subject_id=host.pk, pk__gt=since, actor__in=people)
    asked = RoleAssignment.objects.filter(incident=host, person__in=people)
    stay = {*acted.values_list("actor", flat=True), *asked.values_list("person", flat=True)}
    owned = {*host.tasks.filter(owner__in=people).values_list("owner", flat=True)}
    gone = people - stay - owned
    IncidentMember.objects.filter(incident=host, person__in=gone).delete()
    return gone


def _without(line: Event, taken: Brought, carried: dict[str, Any]) -> dict[str, Any]:
    """Give what a merge brought without what was taken out of it; `since`: when it was."""
    gone = {
        "people": taken.people,
        "communities": taken.communities,
        "tasks": set(carried.get("tasks", [])),
        "vendor_cases": set(carried.get("vendor_cases", [])),
    }
    left = {name: [one for one in line.data.get(name, []) if one not in numbers] for name, numbers in gone.items()}
    return {**line.data, **left, "since": line.data.get("since", line.pk)}


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
