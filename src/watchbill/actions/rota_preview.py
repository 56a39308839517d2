"""Whom a change would move, shown before it is made: new settings, an override, an absence. Nothing is written.

Everything here is computed by `core.rota.turns`, from the plan in force and the same plan with the change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from watchbill.actions.access import role_of
from watchbill.core.rota import moves, pattern, plain, turns
from watchbill.core.wallclock import whole_days
from watchbill.db import rota_facts
from watchbill.db.models import Person, Rotation, Team
from watchbill.kit.errors import Refused
from watchbill.kit.spans import Span

LONGEST_OVERRIDE = timedelta(days=92)


@dataclass(frozen=True)
class Preview:
    """What an edit would do: whom it moves, the shifts that would come of it, and those that stand now."""

    moves: list[moves.Move]
    shifts: list[pattern.Shift]
    before: list[pattern.Shift]


def preview_new(team: Team, settings: dict[str, Any], now: datetime, days: int = 90) -> Preview:
    """Compute the shifts of a rotation that does not exist yet. Raises Refused naming the field."""
    plan = rota_facts.plan_with(Rotation(team=team), settings, None, now)
    planned = turns.shifts(plan.rotation, (), plan.absences, Span(now, now + timedelta(days=days)))
    return Preview([], planned, [])


def preview_change(rotation: Rotation, settings: dict[str, Any], now: datetime, days: int = 90) -> Preview:
    """Compute whom new settings would move in the next days, without adopting them. Raises Refused."""
    plan = rota_facts.plan_of(rotation, now)
    progress = plain.progress_to_json(turns.progress(plan.rotation, plan.absences, now, plan.checkpoint))
    new = rota_facts.plan_with(rotation, settings, progress, now)
    return _compare(plan, new, Span(now, now + timedelta(days=days)))


def preview_override(
    rotation: Rotation, taker: Person, start: datetime, end: datetime, now: datetime,
    *, seat: str = "", outside_coverage: bool = False,
) -> Preview:  # fmt: skip
    """Compute whom an override would move, without writing it. Raises Refused naming the field."""
    check_override(rotation, taker, Span(min(start, end), max(start, end)), seat, now, backwards=end <= start)
    plan = rota_facts.plan_of(rotation, now)
    new = pattern.Override(
        taker.pk, str(taker), max(start, now), end, now, seat or None, outside_coverage=outside_coverage
    )
    return _compare(plan, replace(plan, overrides=[*plan.overrides, new]), Span(now, end))


def preview_absence(absent: Person, first: date, last: date, now: datetime) -> list[tuple[Rotation, Preview]]:
    """Compute whom an absence would move in each rotation of a person, without writing it. Raises Refused."""
    check_absence(first, last)
    ahead = Span(now, max(now, whole_days(first, last, absent.zone).end) + timedelta(days=28))
    new = pattern.Absence(absent.pk, first, last, "away", absent.zone)
    found = []
    for rotation in rotations_of(absent):
        plan = rota_facts.plan_of(rotation, now)
        found.append((rotation, _compare(plan, replace(plan, absences=[*plan.absences, new]), ahead)))
    return found


def _compare(old: rota_facts.Plan, new: rota_facts.Plan, ahead: Span) -> Preview:
    before = turns.shifts(old.rotation, old.overrides, old.absences, ahead, old.checkpoint)
    after = turns.shifts(new.rotation, new.overrides, new.absences, ahead, new.checkpoint)
    return Preview(moves.difference(_cut(before, ahead), _cut(after, ahead)), after, before)


def _cut(shifts: list[pattern.Shift], ahead: Span) -> list[pattern.Shift]:
    """Cut shifts to one interval: what only one of two plans reaches would count as nobody's in the other."""
    return [
        replace(shift, start=max(shift.start, ahead.start), end=min(shift.end, ahead.end))
        for shift in shifts
        if shift.start < ahead.end and shift.end > ahead.start
    ]


def check_override(rotation: Rotation, taker: Person, span: Span, seat: str, now: datetime, *, backwards: bool) -> None:
    """Refuse what cannot be an override, naming the field."""
    if backwards:
        raise Refused("the end must be after the start", "end")
    if span.end <= now:
        raise Refused("this time has passed: what was served does not change", "end")
    if span.length > LONGEST_OVERRIDE:
        raise Refused("an override lasts at most three months; change the rotation instead", "end")
    seats = [
        found["name"] for found in rota_facts.newest_revision(rotation).settings.get("seats", [{"name": "engineer"}])
    ]
    if seat and seat not in seats:
        raise Refused(f"{rotation} has no seat “{seat}”; it has {', '.join(seats)}", "seat")
    if not taker.is_active or role_of(taker, rotation.team) not in {"owner", "member"}:
        raise Refused(f"{taker} is not a member of {rotation.team}", "person")


def check_absence(first: date, last: date) -> None:
    """Refuse what cannot be an absence, naming the field."""
    if last < first:
        raise Refused("the last day is not before the first", "last_day")
    if (last - first).days > 400:
        raise Refused("an absence lasts at most 400 days; end the membership instead", "last_day")


def rotations_of(person: Person) -> list[Rotation]:
    """Read the rotations in which a person serves, by id, with their teams."""
    rows = Rotation.objects.filter(team__memberships__person=person, archived_at=None)
    return [rotation for rotation in rows.select_related("team").order_by("id") if serves_in(person, rotation)]


def serves_in(person: Person, rotation: Rotation) -> bool:
    """Tell whether a person has turns in a rotation."""
    members = rota_facts.newest_revision(rotation).settings.get("members", [])
    return any(member.get("person") == person.pk for member in members)
