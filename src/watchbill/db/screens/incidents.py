"""What the pages of incidents show. Every path begins with what the reader may see: a private one is nowhere else."""

from __future__ import annotations

from watchbill.db.incident_facts import sees_incident
from watchbill.db.models import Incident, Person


def find_incident(person: Person, number: int) -> Incident | None:
    """Find an incident that somebody may see; None also for one of others, or a private one."""
    rows = Incident.objects.select_related("team", "team__fallback", "service", "owner", "declared_by", "merged_into")
    found = rows.filter(pk=number).first()
    return found if found is not None and sees_incident(person, found) else None
