"""The timeline of an incident, read from the log: corrections before what they put right, pins on top, files beside.

A line that was corrected is told by the newest correction; what stood before stays readable behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from watchbill.db.models import Event, Incident, IncidentFile

LINES = 2000
LATE = timedelta(minutes=2)
PINS = {"incident.pinned": True, "incident.unpinned": False}
GROUPS: dict[str, frozenset[str]] = {
    "state": frozenset(
        f"incident.{what}"
        for what in (
            "declared", "acknowledged", "mitigated", "resolved", "closed", "ended", "reopened",
            "milestone", "severity", "condition", "changed", "privacy",
        )
    ),
    "steps": frozenset({"incident.step", "incident.step_undone"}),
}  # fmt: skip


@dataclass
class Line:
    """One line as it stands now; `earlier` are the versions behind it, the newest first."""

    event: Event
    earlier: list[Event] = field(default_factory=list)
    files: list[IncidentFile] = field(default_factory=list)
    is_pinned: bool = False

    @property
    def kind(self) -> str:
        """Give what a person wrote it as ("decision"), or what happened ("mitigated")."""
        if self.event.kind == "incident.entry":
            return str(self.event.data.get("kind", "note"))
        return self.event.kind.removeprefix("incident.")

    @property
    def is_written(self) -> bool:
        """Tell whether a person wrote it."""
        return self.event.kind == "incident.entry"

    @property
    def is_late(self) -> bool:
        """Tell whether it was written down well after it happened."""
        return self.event.written_at - self.event.at > LATE

    @property
    def link(self) -> str:
        """Give the address that belongs to it."""
        return str(self.event.data.get("link", ""))

    @property
    def group(self) -> str:
        """Give the group by which the timeline is narrowed: written, state, steps, updates, people, more, messages."""
        if self.is_written:
            return "written"
        if self.event.kind.startswith("delivery."):
            return "messages"
        named = next((name for name, kinds in GROUPS.items() if self.event.kind in kinds), "")
        return named or _group_of(self.event.kind.removeprefix("incident."))


def _group_of(what: str) -> str:
    if what.startswith(("update", "promise", "told")):
        return "updates"
    return "people" if what.startswith(("joined", "left", "role", "lead", "gather")) else "more"


@dataclass
class Timeline:
    """The lines, what happened last first; those that are pinned once more on top; which groups there are."""

    lines: list[Line]
    pinned: list[Line]
    groups: set[str]
    is_cut: bool = False


def read_timeline(incident: Incident, only: str = "") -> Timeline:
    """Read the timeline; `only` narrows it to a group, or to one kind of what people write."""
    rows = Event.objects.filter(subject_kind="incident", subject_id=incident.pk)
    events = list(rows.order_by("-id")[: LINES + 1])
    lines = _tell(reversed(events[:LINES]))
    _add_files(incident, lines)
    lines.sort(key=lambda line: (line.event.at, line.event.pk), reverse=True)
    return Timeline(
        lines=[line for line in lines if _is_asked(line, only)],
        pinned=[line for line in lines if line.is_pinned],
        groups={line.group for line in lines} | {line.kind for line in lines if line.is_written},
        is_cut=len(events) > LINES,
    )


def _is_asked(line: Line, only: str) -> bool:
    """Tell whether a line is shown; which message left by which way is shown only to whoever asks."""
    return line.group != "messages" if not only else only in {line.group, line.kind if line.is_written else ""}


def _tell(events: Iterable[Event]) -> list[Line]:
    """Fold the log, oldest first, into lines: a correction takes the place of the line that it names."""
    lines: dict[int, Line] = {}
    now: dict[int, int] = {}
    for event in events:
        if event.kind in PINS:
            line = lines.get(now.get(event.data.get("line", 0), 0))
            if line is not None:
                line.is_pinned = PINS[event.kind]
            continue
        before = lines.get(now.get(event.data.get("corrects", 0), 0))
        if before is None:
            now[event.pk] = event.pk
            lines[event.pk] = Line(event)
            continue
        root = now[before.event.pk]
        now[event.pk] = root
        before.earlier.insert(0, before.event)
        before.event = event
    return list(lines.values())


def _add_files(incident: Incident, lines: list[Line]) -> None:
    at = {event.pk: line for line in lines for event in [line.event, *line.earlier]}
    for file in IncidentFile.objects.filter(incident=incident).defer("content").order_by("id"):
        if file.event_id in at:
            at[file.event_id].files.append(file)


def find_line(incident: Incident, number: str) -> Event | None:
    """Find a line that a person wrote, to correct it."""
    if not number.isdecimal() or len(number) > 18:
        return None
    rows = Event.objects.filter(subject_kind="incident", subject_id=incident.pk, kind="incident.entry")
    return rows.filter(pk=int(number)).first()


def find_file(incident: Incident, number: int) -> IncidentFile | None:
    """Find a file of an incident."""
    return IncidentFile.objects.filter(incident=incident, pk=number).first()
