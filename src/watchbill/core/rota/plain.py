"""Rotations and checkpoints as plain data (JSON), and back; a refusal names the field that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, cast

from watchbill.core.coverage import read_holidays, read_windows, show_windows
from watchbill.core.reading import Fields
from watchbill.core.rota.pattern import (
    ORDERS,
    UNITS,
    LineProgress,
    Member,
    Order,
    Progress,
    Rotation,
    Seat,
    Seated,
    SeatProgress,
    Unit,
    Waiting,
)
from watchbill.core.wallclock import check_zone


def to_json(rotation: Rotation) -> dict[str, Any]:
    """Write a rotation as plain data that `from_json` reads back."""
    return {
        "zone": rotation.zone,
        "unit": rotation.unit,
        "every": rotation.every,
        "starts_on": rotation.starts_on.isoformat(),
        "handoff_at": f"{rotation.handoff_at:%H:%M}",
        "handoff_weekday": rotation.handoff_weekday,
        "coverage": show_windows(rotation.coverage),
        "holidays": [day.isoformat() for day in sorted(rotation.holidays)],
        "seats": [
            {"name": s.name, "skill": s.skill, "offset": s.offset, "coverage": show_windows(s.coverage)}
            for s in rotation.seats
        ],
        "members": [_show_member(member) for member in rotation.members],
        "order": rotation.order,
        "seed": rotation.seed,
        "absent_keeps_turn": rotation.absent_keeps_turn,
        "own_holidays": rotation.own_holidays,
    }


def from_json(data: object) -> Rotation:
    """Read a rotation from plain data. Raises Refused naming the field, such as `seats.1.coverage.0.start`."""
    fields = Fields(data)
    rotation = Rotation(
        zone=check_zone(fields.text("zone")),
        unit=cast("Unit", fields.choice("unit", UNITS)),
        every=fields.number("every", 1, least=1),
        starts_on=fields.day("starts_on"),
        handoff_at=fields.clock("handoff_at", "09:00"),
        handoff_weekday=fields.weekday("handoff_weekday", 0),
        coverage=read_windows(fields, "coverage"),
        holidays=read_holidays(fields),
        seats=read_seats(fields),
        members=tuple(_read_member(item) for item in fields.objects("members")),
        order=cast("Order", fields.choice("order", ORDERS, "fixed")),
        seed=fields.number("seed", 0),
        absent_keeps_turn=fields.flag("absent_keeps_turn", default=True),
        own_holidays=fields.flag("own_holidays", default=False),
    )
    fields.done()
    _refuse_twins(fields, "members", [member.person for member in rotation.members])
    return rotation


def read_seats(fields: Fields) -> tuple[Seat, ...]:
    """Read the field `seats`. Raises Refused naming the seat that is wrong or there twice."""
    seats = tuple(_read_seat(item) for item in fields.objects("seats"))
    if not seats:
        raise fields.refuse("seats", "must have at least one seat")
    _refuse_twins(fields, "seats", [seat.name for seat in seats])
    return seats


def progress_to_json(progress: Progress) -> dict[str, Any]:
    """Write a checkpoint as plain data that `progress_from_json` reads back."""
    return {
        "at": progress.at.isoformat(),
        "lines": [_show_line(line) for line in progress.lines],
        "seats": [
            asdict(seat) | {"start": seat.start.isoformat(), "until": seat.until.isoformat()} for seat in progress.seats
        ],
        "seated": [
            asdict(seated) | {"start": seated.start.isoformat(), "end": seated.end.isoformat()}
            for seated in progress.seated
        ],
    }


def progress_from_json(data: object) -> Progress:
    """Read a checkpoint from plain data. Raises Refused naming the field."""
    fields = Fields(data)
    return Progress(
        at=fields.instant("at"),
        lines=tuple(_read_line(item) for item in fields.objects("lines")),
        seats=tuple(_read_seat_progress(item) for item in fields.objects("seats")),
        seated=tuple(_read_seated(item) for item in fields.objects("seated", [])),
    )


def _show_member(member: Member) -> dict[str, Any]:
    return {
        "person": member.person,
        "name": member.name,
        "skills": sorted(member.skills),
        "active_from": member.active_from.isoformat() if member.active_from else None,
        "active_until": member.active_until.isoformat() if member.active_until else None,
    }


def _read_member(fields: Fields) -> Member:
    member = Member(
        person=fields.number("person"),
        name=fields.text("name"),
        skills=frozenset(_text(skill, fields, "skills") for skill in fields.many("skills", [])),
        active_from=fields.day_or_none("active_from"),
        active_until=fields.day_or_none("active_until"),
    )
    fields.done()
    if member.active_from and member.active_until and member.active_until < member.active_from:
        raise fields.refuse("active_until", "is before active_from")
    return member


def _read_seat(fields: Fields) -> Seat:
    seat = Seat(
        name=fields.text("name"),
        skill=fields.text_or_none("skill"),
        offset=fields.number("offset", 0, least=0),
        coverage=read_windows(fields, "coverage"),
    )
    fields.done()
    return seat


def _show_line(line: LineProgress) -> dict[str, Any]:
    return {
        "seats": list(line.seats),
        "cycle": line.cycle,
        "order": list(line.order),
        "waiting": [[turn.person, turn.cycle] for turn in line.waiting],
        "previous": dict(line.previous),
        # People are the keys of an object in memory, but JSON knows only texts as keys.
        "seat_turns": {seat: [[who, turns] for who, turns in had.items()] for seat, had in line.seat_turns.items()},
    }


def _read_line(fields: Fields) -> LineProgress:
    return LineProgress(
        seats=tuple(fields.many("seats")),
        cycle=fields.number("cycle"),
        order=tuple(fields.many("order")),
        waiting=tuple(Waiting(person, cycle) for person, cycle in fields.many("waiting")),
        previous=dict(fields.raw("previous")),
        seat_turns={seat: dict(had) for seat, had in fields.raw("seat_turns").items()},
    )


def _read_seat_progress(fields: Fields) -> SeatProgress:
    return SeatProgress(
        seat=fields.text("seat"),
        turn=fields.number("turn"),
        person=fields.raw("person"),
        reason=fields.text("reason", ""),
        start=fields.instant("start"),
        until=fields.instant("until"),
    )


def _read_seated(fields: Fields) -> Seated:
    return Seated(
        person=fields.number("person"),
        seat=fields.text("seat"),
        start=fields.instant("start"),
        end=fields.instant("end"),
        covers=fields.flag("covers", default=False),
        doubled=fields.flag("doubled", default=False),
    )


def _text(found: object, fields: Fields, name: str) -> str:
    if not isinstance(found, str) or not found.strip():
        raise fields.refuse(name, "must be texts")
    return found


def _refuse_twins(fields: Fields, name: str, keys: Iterable[object]) -> None:
    seen: set[object] = set()
    for place, key in enumerate(keys):
        if key in seen:
            raise fields.refuse(f"{name}.{place}", f"is there twice ({key})")
        seen.add(key)
