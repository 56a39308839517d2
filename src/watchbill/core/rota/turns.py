"""Who stands the watch, and when: the only calculator of it.

The engine, the pages, the calendar feed, the API and the command line all ask `shifts`; `who` is read off its
answer. The answer depends on the rotation, the absences and the overrides, not on the interval asked: whoever
asks for a day sees the same shifts as whoever asks for the year.

Changes of clock: patterns are wall-clock times of the rotation's zone. A handoff is a start and takes the FIRST
occurrence of a time that happens twice; coverage ends take the LAST; a time that does not exist moves to the
first one that does (`watchbill.core.wallclock`). Rotations advance by served turns (`watchbill.core.rota.line`).

    rotation, absences --planning--> turns --overlay--> shifts --> who
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from watchbill.core.rota.away import Away
from watchbill.core.rota.overlay import lay_over
from watchbill.core.rota.pattern import Absence, Override, Progress, Rotation, Shift
from watchbill.core.rota.planning import Planner
from watchbill.core.rota.words import Words
from watchbill.kit.spans import Span

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Tick:
    """How one member stands in the newest cycle of a line of seats (ROT-05).

    `keeps` tells that they also have a turn kept from an earlier cycle, which comes first.
    """

    seats: tuple[str, ...]
    person: int
    name: str
    cycle: int
    state: Literal["served", "serving", "waiting"]
    keeps: bool = False


def shifts(
    rotation: Rotation,
    overrides: Sequence[Override],
    absences: Sequence[Absence],
    interval: Span,
    checkpoint: Progress | None = None,
) -> list[Shift]:
    """Give every shift that meets `interval`, whole (not cut to it), by start and then in the order of seats.

    Time that coverage leaves out has no shift; covered time with nobody to serve is a shift of kind "gap".
    With a `checkpoint` nothing before it is computed: what runs at that instant begins there.
    """
    wide = _widen(interval, overrides)
    planner = Planner(rotation, absences, checkpoint)
    planned = [shift for turn in planner.deal(wide.end) for shift in turn.shifts if shift.span.meets(wide)]
    words = Words(rotation, Away(rotation, absences))
    laid = lay_over(planned, _since(checkpoint, overrides), rotation.seats, words)
    places = {seat.name: place for place, seat in enumerate(rotation.seats)}
    found = [shift for shift in laid if shift.span.meets(interval)]
    return sorted(found, key=lambda shift: (shift.start, places[shift.seat]))


def who(
    rotation: Rotation,
    overrides: Sequence[Override],
    absences: Sequence[Absence],
    instant: datetime,
    checkpoint: Progress | None = None,
) -> list[Shift]:
    """Give the shifts that contain `instant`, at most one a seat; none where coverage has a gap."""
    return shifts(rotation, overrides, absences, Span(instant, instant + _TICK), checkpoint)


def progress(
    rotation: Rotation, absences: Sequence[Absence], at: datetime, checkpoint: Progress | None = None
) -> Progress:
    """Give the checkpoint at `at`: all turns that begin before it are dealt out and never computed again."""
    planner = Planner(rotation, absences, checkpoint)
    for _ in planner.deal(at):
        pass
    return planner.checkpoint(at)


def served_ticks(
    rotation: Rotation, absences: Sequence[Absence], now: datetime, checkpoint: Progress | None = None
) -> list[Tick]:
    """Give each member's tick in the cycle that runs at `now`, line by line, in the order of the cycle."""
    state = progress(rotation, absences, now + _TICK, checkpoint)
    names = {member.person: member.name for member in rotation.members}
    serving = {(turn.seat, turn.person) for turn in state.seats if turn.start <= now < turn.until}
    ticks = []
    for line in state.lines:
        newest = {turn.person for turn in line.waiting if turn.cycle == line.cycle}
        keeps = {turn.person for turn in line.waiting if turn.cycle < line.cycle}
        for person in line.order:
            on_watch = any((seat, person) in serving for seat in line.seats)
            is_waiting: Literal["waiting", "served"] = "waiting" if person in newest else "served"
            name = names.get(person, f"person {person}")
            ticks.append(
                Tick(line.seats, person, name, line.cycle, "serving" if on_watch else is_waiting, person in keeps)
            )
    return ticks


def _widen(interval: Span, overrides: Iterable[Override]) -> Span:
    """What stands outside coverage is cut by the plan around it, so the plan is needed for all of its length."""
    meeting = [o.span for o in overrides if o.outside_coverage and o.span.meets(interval)]
    start = min([interval.start, *(span.start for span in meeting)])
    return Span(start, max([interval.end, *(span.end for span in meeting)]))


def _since(checkpoint: Progress | None, overrides: Sequence[Override]) -> list[Override]:
    if checkpoint is None:
        return list(overrides)
    return [replace(o, start=max(o.start, checkpoint.at)) for o in overrides if o.end > checkpoint.at]
