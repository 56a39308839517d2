"""How services are because of incidents when one is merged into another, and again when that is undone.

A condition goes on under the other incident without a gap, and the worse of the two holds. Undone, the history is as if
they had never been merged, unless somebody said something else of the service meanwhile: then that stands, and what
came back begins anew. All incidents are locked by the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from watchbill.core.incidents import CONDITIONS
from watchbill.db.models import Event, Incident, IncidentService, ServiceCondition

# What the line of a merge keeps of each service: its condition and spell under the merged one; under the other its
# condition and spell before, and the spell that stood right after, if the merge began it (`made`) or not (`standing`).
Kept = dict[str, Any]


def hand_on(merged: Incident, into: Incident, now: datetime, only: Collection[int] | None = None) -> list[Kept]:
    """Let how each service (`only`: each of these) is go on under the other incident; gives what `give_back` needs."""
    rows = merged.touched.exclude(condition="operational").order_by("id")
    kept = []
    for row in rows if only is None else rows.filter(service__in=only):
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


def give_back(merged: Incident, hosts: Sequence[Incident], now: datetime) -> list[list[Kept]]:
    """Let each service be again as it was because of the merged incident, and no longer because of the others.

    `hosts` are the incident that it is part of, the one which that is part of, and so on. What went through all of them
    is taken back from the last to the first, and what the first has of its own goes the same way again. Gives what each
    merge above the first keeps from now on.
    """
    pairs = list(pairwise([merged, *hosts]))
    kept = [_kept_of(lower, upper) for lower, upper in pairs]
    through = _through(kept, hosts[-1])
    for lower, upper in reversed(pairs[1:]):
        _undo(lower, upper, now, through)
    _undo(merged, hosts[0], now, {one["service"] for one in kept[0]})
    again = []
    for (lower, upper), rows in zip(pairs[1:], kept[1:], strict=True):
        stay = [one for one in rows if one["service"] not in through]
        again.append(stay + hand_on(lower, upper, now, through))
    return again


def _through(kept: Sequence[list[Kept]], last: Incident) -> set[int]:
    """Name the services of which nobody said anything else on the whole way to the last incident."""
    ways: dict[int, list[Kept]] = {}
    for rows in kept:
        for one in rows:
            ways.setdefault(one["service"], []).append(one)
    return {
        service
        for service, way in ways.items()
        if len(way) == len(kept)
        and all(
            here["standing"] == after
            for here, after in zip(way, [*(one["spell"] for one in way[1:]), _standing(last, service)], strict=True)
        )
    }


def _undo(merged: Incident, into: Incident, now: datetime, only: Collection[int]) -> None:
    merges = _merges_into(into)
    mine = _kept_of(merged, into)
    others = [(kept, is_standing) for number, kept, is_standing in merges if number != merged.pk]
    for one in (kept for kept in mine if kept["service"] in only):
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


def _kept_of(merged: Incident, into: Incident) -> list[Kept]:
    return next((kept for number, kept, _ in reversed(_merges_into(into)) if number == merged.pk), [])


def _leave(into: Incident, one: Kept, others: list[tuple[list[Kept], bool]]) -> None:
    """Give the other incident its own condition of a service back, unless another that is part of it relies on what stands."""
    same = [(kept, is_standing) for rows, is_standing in others for kept in rows if kept["service"] == one["service"]]
    if any(is_standing for kept, is_standing in same if kept["standing"] == one["made"]):
        return
    ServiceCondition.objects.filter(pk=one["made"]).delete()
    # What stood before may have come with a merge that is undone by now: then go back to before that one.
    made = {kept["made"] for kept, is_standing in same if is_standing}
    gone = {kept["made"]: kept for kept, is_standing in same if not is_standing and kept["made"] not in {None, *made}}
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
