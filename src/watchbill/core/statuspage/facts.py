"""What a status page is made of: facts that the database gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Component:
    """A component of a page, and since when it stands there."""

    id: int
    name: str
    since: datetime
    group: str = ""
    description: str = ""


@dataclass(frozen=True)
class Spell:
    """How a component was, from when until when (None: still), and because of what."""

    component: int
    condition: str
    starts_at: datetime
    ends_at: datetime | None = None
    incident: int | None = None
    notice: int | None = None


@dataclass(frozen=True)
class Update:
    """What was said in public, as it was told; `corrects` is the id of the one that this one puts right."""

    id: int
    state: str
    text: str
    at: datetime
    corrects: int | None = None


@dataclass(frozen=True)
class Incident:
    """An incident that was published: its public title, and its public updates. An exercise or a private one never shows."""

    id: int
    title: str
    since: datetime
    published_at: datetime
    ended_at: datetime | None = None
    updates: Sequence[Update] = ()
    is_exercise: bool = False
    is_private: bool = False
    is_withdrawn: bool = False

    @property
    def is_public(self) -> bool:
        """Tell whether the public may know of it."""
        return not (self.is_exercise or self.is_private or self.is_withdrawn)


@dataclass(frozen=True)
class Notice:
    """Planned work that was announced to the public."""

    id: int
    title: str
    text: str
    state: str
    starts_at: datetime
    ends_at: datetime
    components: Sequence[int] = ()
    updates: Sequence[Update] = ()


@dataclass(frozen=True)
class Facts:
    """What a page is made of."""

    title: str
    intro: str = ""
    zone: str = "UTC"
    components: Sequence[Component] = ()
    spells: Sequence[Spell] = ()
    incidents: Sequence[Incident] = ()
    notices: Sequence[Notice] = ()
