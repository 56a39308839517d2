"""The list of the last days: what is told of each. A day on which something went on is never one with nothing to tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from watchbill.core.statuspage.conditions import OPERATIONAL, worst
from watchbill.core.statuspage.history import midnight
from watchbill.core.statuspage.shown import ShownIncident, ShownNotice, View


@dataclass(frozen=True)
class ListedDay:
    """One day of a page's zone; `condition` is the worst that a component had on it.

    told     the incidents that began on it and are over
    going    the others that went on on it: they began before, or are not over
    planned  planned work that went on on it, or was to
    """

    date: date
    condition: str
    told: tuple[ShownIncident, ...] = ()
    going: tuple[ShownIncident, ...] = ()
    planned: tuple[ShownNotice, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Tell whether there is nothing to tell."""
        return self.condition == OPERATIONAL and not (self.told or self.going or self.planned)


def list_days(view: View, most: int) -> list[ListedDay]:
    """Give the last `most` days of a page, today first, each with what went on on it."""
    today = view.at.astimezone(ZoneInfo(view.zone)).date()
    return [_list_day(view, today - timedelta(days=back)) for back in range(most)]


def _list_day(view: View, day: date) -> ListedDay:
    zone = ZoneInfo(view.zone)
    start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    there = [one for one in view.incidents if _touch(one.since, one.ended_at, start, end)]
    told = [one for one in there if one.since >= start and one.ended_at is not None]
    return ListedDay(
        date=day,
        condition=worst(
            had.condition for one in view.components for had in one.days if had.date == day and had.condition
        ),
        told=tuple(told),
        going=tuple(one for one in there if one not in told),
        planned=tuple(one for one in view.notices if _is_worked_on(one, start, end)),
    )


def _touch(begins: datetime, ends: datetime | None, start: datetime, end: datetime) -> bool:
    """Tell whether something (half-open; None: it goes on) lies in a day; what lasted no time lies in the day of its instant."""
    return begins < end and (ends is None or ends > start or begins >= start)


def _is_worked_on(one: ShownNotice, start: datetime, end: datetime) -> bool:
    """Tell whether planned work went on on a day, by what was said of it; what has not begun counts by its plan."""
    said = {update.state: update.at for update in reversed(one.updates)}
    begun = said.get("begun")
    if one.state == "cancelled":
        return begun is not None and _touch(begun, said.get("cancelled", begun), start, end)
    if one.state == "in_progress":
        return _touch(begun or one.starts_at, None, start, end)
    return _touch(begun or one.starts_at, said.get("done", one.ends_at), start, end)
