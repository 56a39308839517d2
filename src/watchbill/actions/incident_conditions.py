"""How services are because of incidents when one is merged into another, and again when that is undone.

A condition goes on under the other incident without a gap, and the worse of the two holds. Undone, the history is as if
they had never been merged, unless somebody said something else of the service meanwhile: then that stands, and what
came back begins anew. Both incidents are locked by the caller.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from watchbill.core.incidents import CONDITIONS
from watchbill.db.models import Event, Incident, IncidentService, ServiceCondition

# What the line of a merge keeps of each service: its condition and spell under the merged one; under the other its
# condition and spell before, and the spell that stood right after, if the merge began it (`made`) or not (`standing`).
Kept = dict[str, Any]


def hand_on(merged: Incident, into: Incident, now: datetime) -> list[Kept]:
    """Let how each service is go on under the other incident; gives what `give_back` needs."""
    kept = []
    for row in merged.touched.exclude(condition="operational").order_by("id"):
        spell = _end(merged, row.service_id, now)
        kept.append({"service": row.service_id, "condition": row.condition, "spell": spell, **_take(row, into, now)})
        row.condition = "operational"
        row.save(update_fields=["condition"])
    return kept


def _take(row: IncidentService, into: Incident, now: datetime) -> Kept:
    theirs = IncidentService.objects.filter(incident=into, service=row.service_id).first()
    before = theirs.condition if theirs else None
    if before is not None and CONDITIONS.index(before) >= CONDITIONS.index(row.condition):
        return {"before": before, "ended": None, "made": None, "standing": _standing(into, row.service_id)}
    ended = _end(into, row.service_id, now)
    made = _begin(into, row.service_id, row.condition, now)
    return {"before": before, "ended": ended, "made": made, "standing": made}


def give_back(merged: Incident, into: Incident, now: datetime) -> None:
    """Let each service be again as it was because of the merged incident, and no longer because of the other."""
    merges = _merges_into(into)
    mine = next((kept for number, kept, _ in reversed(merges) if number == merged.pk), [])
    others = [(kept, is_standing) for number, kept, is_standing in merges if number != merged.pk]
    for one in mine:
        goes_on = one["standing"] == _standing(into, one["service"])
        if goes_on and one["made"] is not None:
            _leave(into, one, others)
        IncidentService.objects.filter(incident=merged, service=one["service"]).update(condition=one["condition"])
        if one["spell"] is None:
            continue
        if goes_on:
            ServiceCondition.objects.filter(pk=one["spell"]).update(ends_at=None)
        else:
            _begin(merged, one["service"], one["condition"], now)


def _leave(into: Incident, one: Kept, others: list[tuple[list[Kept], bool]]) -> None:
    """Give the other incident its own condition of a service back, unless another that is part of it relies on what stands."""
    same = [(kept, is_standing) for rows, is_standing in others for kept in rows if kept["service"] == one["service"]]
    if any(is_standing for kept, is_standing in same if kept["standing"] == one["made"]):
        return
    ServiceCondition.objects.filter(pk=one["made"]).delete()
    # What stood before may have come with a merge that is undone by now: then go back to before that one.
    gone = {kept["made"]: kept for kept, is_standing in same if not is_standing and kept["made"]}
    while one["ended"] in gone:
        one = gone[one["ended"]]
    if one["before"] is None:
        IncidentService.objects.filter(incident=into, service=one["service"]).delete()
        return
    IncidentService.objects.filter(incident=into, service=one["service"]).update(condition=one["before"])
    ServiceCondition.objects.filter(pk=one["ended"]).update(ends_at=None)


def _merges_into(into: Incident) -> list[tuple[int, list[Kept], bool]]:
    """Read what each merge into an incident brought, oldest first, and whether it stands."""
    lines = Event.objects.filter(subject_kind="incident", subject_id=into.pk, kind="incident.merged_in").order_by("id")
    standing = set(Incident.objects.filter(merged_into=into).values_list("pk", flat=True))
    rows = [(line.data["incident"], line.data.get("services", [])) for line in lines]
    last = {number: place for place, (number, _) in enumerate(rows)}
    return [(number, kept, number in standing and last[number] == place) for place, (number, kept) in enumerate(rows)]


def _standing(incident: Incident, service: int) -> int | None:
    rows = ServiceCondition.objects.filter(incident=incident, service=service, ends_at=None)
    return rows.values_list("pk", flat=True).first()


def _end(incident: Incident, service: int, now: datetime) -> int | None:
    """End the spell that stands, and give it."""
    number = _standing(incident, service)
    if number is not None:
        ServiceCondition.objects.filter(pk=number).update(ends_at=now)
    return number


def _begin(incident: Incident, service: int, condition: str, now: datetime) -> int:
    IncidentService.objects.update_or_create(incident=incident, service_id=service, defaults={"condition": condition})
    spell = ServiceCondition.objects.create(incident=incident, service_id=service, condition=condition, starts_at=now)
    return spell.pk
