"""Incidents as rows of a list, with the words of their own team's table; and their shape in a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchbill.actions import incidents
from watchbill.actions.desk import desk_of
from watchbill.core.incidents import MILESTONES
from watchbill.db.models import Incident, Person
from watchbill.db.screens import incidents as screen
from watchbill.entry.web.csv_answer import instant
from watchbill.entry.web.reader import PageRequest
from watchbill.rules import incident_severity

COLUMNS = (
    "reference", "state", "outcome", "title", "impact", "severity", "priority", "team", "service", "noticed by",
    "owner", "declared by", "exercise", "private", *MILESTONES,
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One incident in a list: its severity in its team's words, who commands, where it comes in the team's order."""

    incident: Incident
    severity: str
    commander: Person | None
    is_major: bool
    rank: int


def rows_of(found: Sequence[Incident], request: PageRequest) -> list[Row]:
    """Give incidents as rows; each team's table is read once."""
    commanders = screen.commanders_of(found)
    tables: dict[int, incident_severity.Settings] = {}
    rows = []
    for one in found:
        if one.team_id not in tables:
            tables[one.team_id] = incidents.severity_rule(desk_of(one.team, request.now))
        rows.append(_row(one, tables[one.team_id], commanders.get(one.pk)))
    return rows


def _row(one: Incident, table: incident_severity.Settings, commander: Person | None) -> Row:
    severity, order = table.severities.get(one.severity), list(table.priorities)
    return Row(
        incident=one,
        severity=severity.title if severity else one.severity,
        commander=commander,
        is_major=incident_severity.major(one.priority, table),
        rank=order.index(one.priority) if one.priority in order else len(order),
    )


def worst_first(rows: Sequence[Row]) -> list[Row]:
    """Sort rows: exercises last, what still hurts first, then by their team's order, the newest first within it."""
    return sorted(
        rows,
        key=lambda row: (row.incident.is_exercise, row.incident.state != "active", row.rank, -row.incident.pk),
    )


def cells_of(one: Incident) -> list[object]:
    """Give an incident as the cells of a line; times in UTC."""
    return [
        f"I-{one.pk}", one.state, one.outcome, one.title, one.impact, one.severity, one.priority, one.team,
        one.service or "", one.detection_source, one.owner or "", one.declared_by or "",
        "yes" if one.is_exercise else "", "yes" if one.is_private else "",
        *(instant(getattr(one, f"{name}_at")) for name in MILESTONES),
    ]  # fmt: skip
