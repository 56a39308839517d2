"""Who stands each seat now, until when without a break, and who follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from watchbill.db.models import Shift


@dataclass(frozen=True)
class Watch:
    """Who stands one seat now, until when, and who follows."""

    shift: Shift
    until: datetime
    follows: Shift | None


def watches_now(shifts: Sequence[Shift], now: datetime) -> list[Watch]:
    """Tell, for each seat that is filled now, until when the same person has it and who takes over."""
    found = []
    for shift in shifts:
        if not (shift.starts_at <= now < shift.ends_at and shift.person_id):
            continue
        until, follows = shift.ends_at, None
        for later in shifts:
            if (later.rotation_id, later.seat) != (shift.rotation_id, shift.seat) or later.starts_at < until:
                continue
            if later.starts_at == until and later.person_id == shift.person_id:
                until = later.ends_at
                continue
            follows = later
            break
        found.append(Watch(shift, until, follows))
    return found
