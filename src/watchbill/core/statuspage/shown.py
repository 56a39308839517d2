"""All that the public may see of a status page: what is not here never reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchbill.core.statuspage.history import Day


@dataclass(frozen=True)
class ShownComponent:
    """A component as the public sees it; `uptime` in percent, None while there is no history."""

    id: int
    name: str
    group: str
    description: str
    condition: str
    since: datetime
    days: tuple[Day, ...]
    uptime: float | None


@dataclass(frozen=True)
class ShownUpdate:
    """What was said, and when."""

    id: int
    state: str
    text: str
    at: datetime


@dataclass(frozen=True)
class ShownIncident:
    """An incident as the public sees it; its updates newest first. `condition` is the worst that it did to a component."""

    id: int
    title: str
    state: str
    condition: str
    since: datetime
    published_at: datetime
    ended_at: datetime | None
    components: tuple[int, ...]
    updates: tuple[ShownUpdate, ...]

    @property
    def changed_at(self) -> datetime:
        """Give when something was last said."""
        said = self.updates[0].at if self.updates else self.published_at
        return max(said, self.ended_at) if self.ended_at else said


@dataclass(frozen=True)
class ShownNotice:
    """Planned work as the public sees it; its updates newest first."""

    id: int
    title: str
    text: str
    state: str
    starts_at: datetime
    ends_at: datetime
    components: tuple[int, ...]
    updates: tuple[ShownUpdate, ...]


@dataclass(frozen=True)
class View:
    """All that a page shows. Nothing else may ever reach the public."""

    title: str
    intro: str
    zone: str
    at: datetime
    condition: str
    words: str
    components: tuple[ShownComponent, ...]
    incidents: tuple[ShownIncident, ...]
    notices: tuple[ShownNotice, ...]

    @property
    def groups(self) -> list[tuple[str, list[ShownComponent]]]:
        """Give the components by group, in the order in which each group comes first."""
        found: dict[str, list[ShownComponent]] = {}
        for one in self.components:
            found.setdefault(one.group, []).append(one)
        return list(found.items())

    @property
    def open_incidents(self) -> list[ShownIncident]:
        """Give what is not over."""
        return [one for one in self.incidents if one.ended_at is None]
