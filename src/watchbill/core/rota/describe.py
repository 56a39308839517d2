"""A rotation in words, as people would say it: for its page, the API and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from watchbill.core.coverage import Window
from watchbill.core.rota.pattern import Rotation, Seat

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_UNIT = {
    "hours": ("hour", "hours"),
    "day": ("day", "days"),
    "working_day": ("working day", "working days"),
    "week": ("week", "weeks"),
    "month": ("month", "months"),
    "quarter": ("quarter", "quarters"),
}
_ORDER = {
    "fixed": "In the order of the list",
    "alphabetical": "In alphabetical order",
    "reshuffle_each_cycle": "Reshuffled each cycle, nobody twice in a row across the seam",
}


def describe(rotation: Rotation, holidays_of: str = "") -> list[str]:
    """Say a rotation in short sentences; `holidays_of` names whose public holidays close it ("" for none)."""
    said = [f"{_length(rotation)} each, {_handoff(rotation)}, {_place(rotation.zone)} time."]
    said.append(_hours(rotation))
    said += [_seat(seat) for seat in rotation.seats if seat.skill or seat.offset or seat.coverage is not None]
    said.append(f"{_ORDER[rotation.order]}.")
    if holidays_of:
        said.append(f"Public holidays of {holidays_of} are nobody's.")
    if rotation.own_holidays:
        said.append("On their own public holidays people are away.")
    kept = "keeps the turn for later" if rotation.absent_keeps_turn else "is passed over until the next cycle"
    said.append(f"Whoever is away {kept}.")
    return said


def _length(rotation: Rotation) -> str:
    one, many = _UNIT[rotation.unit]
    if rotation.every == 1:
        return f"{'An' if one == 'hour' else 'A'} {one}"
    return f"{rotation.every} {many}"


def _handoff(rotation: Rotation) -> str:
    at = f"{rotation.handoff_at:%H:%M}"
    if rotation.unit == "week":
        return f"handed over on {DAYS[rotation.handoff_weekday]} at {at}"
    if rotation.unit in {"month", "quarter"}:
        return f"handed over on its first day at {at}"
    return f"handed over from {at} on" if rotation.unit == "hours" else f"handed over at {at}"


def _place(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _hours(rotation: Rotation) -> str:
    if rotation.coverage is None:
        if rotation.unit == "working_day":
            return "Round the clock; Friday's turn lasts until Monday."
        return "Round the clock."
    if not rotation.coverage:
        return "It covers no hours of its own."
    return f"Covers {say_windows(rotation.coverage)}; nobody is promised outside these hours."


def _seat(seat: Seat) -> str:
    parts = [f"needs the skill {seat.skill}"] if seat.skill else []
    if seat.offset:
        parts.append(f"hands over {seat.offset} later than the others")
    if seat.coverage is not None:
        parts.append(f"covers {say_windows(seat.coverage) or 'no hours'}")
    return f"{seat.name[:1].upper()}{seat.name[1:]}: {', '.join(parts)}."


def say_windows(windows: Iterable[Window]) -> str:
    """Say coverage windows, such as "Monday to Friday 09:00–17:00"."""
    return " and ".join(f"{say_days(sorted(w.weekdays))} {_times(w)}" for w in windows)


def say_days(days: Sequence[int]) -> str:
    """Say days of the week (0 is Monday): runs of three and more as "Monday to Friday"."""
    if len(days) == 7:
        return "every day"
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    said = []
    for run in runs:
        said += [f"{DAYS[run[0]]} to {DAYS[run[-1]]}"] if len(run) > 2 else [DAYS[day] for day in run]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def _times(window: Window) -> str:
    if window.start == window.end:
        return "all day"
    return f"{window.start:%H:%M}–{'24:00' if f'{window.end:%H:%M}' == '00:00' else f'{window.end:%H:%M}'}"
