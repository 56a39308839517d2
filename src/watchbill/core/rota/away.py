"""When each member cannot serve, and why: absences, own holidays, and having left the rotation."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from watchbill.core.rota.pattern import Absence, Member, Rotation
from watchbill.core.wallclock import DAY, MIDNIGHT, start_instant, whole_days
from watchbill.kit.spans import Span, merge

_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_NONE: tuple[Span, ...] = ()


class Away:
    """The times at which the members of a rotation are away. The last day of an absence is included."""

    def __init__(self, rotation: Rotation, absences: Iterable[Absence]) -> None:
        self._rotation = rotation
        self._why: dict[int, list[tuple[Span, str]]] = {}
        self._staff: dict[tuple[str | None, date], tuple[Member, ...]] = {}
        for absence in absences:
            if absence.kind != "holiday" or rotation.own_holidays:
                span = whole_days(absence.first, absence.last, absence.zone or rotation.zone)
                self._why.setdefault(absence.person, []).append((span, absence.why))
        for member in rotation.members:
            if member.active_until:
                left = Span(start_instant(member.active_until + DAY, MIDNIGHT, rotation.zone), _FOR_EVER)
                self._why.setdefault(member.person, []).append((left, "left the rotation"))
        self._times = {person: merge(span for span, _ in found) for person, found in self._why.items()}

    def within(self, person: int, span: Span) -> Sequence[Span]:
        """Give the stretches of absence that meet `span`, in order, uncut."""
        times = self._times.get(person)
        if not times:
            return _NONE
        first = max(bisect_right(times, span.start, key=lambda time: time.start) - 1, 0)
        found = []
        for time in times[first:]:
            if time.start >= span.end:
                break
            if time.end > span.start:
                found.append(time)
        return found

    def is_mostly_there(self, person: int, parts: Sequence[Span]) -> bool:
        """Tell whether somebody is there for at least half of the covered time of a turn."""
        whole = Span(parts[0].start, parts[-1].end)
        absences = self.within(person, whole)
        if not absences:
            return True
        missing = (cut.length for part in parts for time in absences if (cut := time.cut_to(part)))
        total = sum((part.length for part in parts), timedelta(0))
        return 2 * sum(missing, timedelta(0)) <= total

    def why(self, person: int, span: Span) -> str:
        """Say why somebody is away in `span`."""
        return next((why for time, why in self._why.get(person, ()) if why and time.meets(span)), "absent")

    def staff(self, skill: str | None, day: date) -> tuple[Member, ...]:
        """List the members who are in the rotation on `day` and have the skill, in the rotation's order."""
        if (skill, day) not in self._staff:
            self._staff[skill, day] = tuple(m for m in self._skilled[skill] if _is_active(m, day))
        return self._staff[skill, day]

    @cached_property
    def _skilled(self) -> dict[str | None, list[Member]]:
        return {
            seat.skill: [m for m in self._rotation.members if seat.skill is None or seat.skill in m.skills]
            for seat in self._rotation.seats
        }


def _is_active(member: Member, day: date) -> bool:
    joined = member.active_from is None or member.active_from <= day
    return joined and (member.active_until is None or day <= member.active_until)
