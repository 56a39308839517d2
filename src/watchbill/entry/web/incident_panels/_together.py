"""What several panels need of an incident, each read once for a page: `about.once(roles)`."""

from __future__ import annotations

from watchbill.actions.role_scene import Scene
from watchbill.core.roles import ACCEPTED
from watchbill.db import role_facts
from watchbill.db.models import IncidentMember, IncidentService, IncidentUpdate, RoleAssignment, Team
from watchbill.db.screens.visible import teams_of
from watchbill.entry.web.incident_panels import About


def roles(about: About) -> list[RoleAssignment]:
    """Read the record of the incident's roles, in its order."""
    return role_facts.roles_of(about.incident)


def holders(about: About) -> list[RoleAssignment]:
    """Read who holds a role now."""
    return [row for row in about.once(roles) if row.state == ACCEPTED]


def scene(about: About) -> Scene:
    """Read what the roles are decided by; for reading alone, since no lock is held."""
    lines = [role_facts.line_of(row) for row in about.once(roles)]
    return Scene(about.incident, about.now, about.desk, lines)


def named(about: About) -> list[IncidentMember]:
    """Read who was called in, those who left too."""
    return sorted(about.incident.members.select_related("person"), key=lambda row: (row.joined_at, row.pk))


def updates(about: About) -> list[IncidentUpdate]:
    """Read what was told, the newest last."""
    return sorted(about.incident.updates.select_related("corrects"), key=lambda one: one.pk)


def touched(about: About) -> list[IncidentService]:
    """Read the services that it touches."""
    return role_facts.touched_of(about.incident)


def teams(about: About) -> list[Team]:
    """Read the reader's teams."""
    return teams_of(about.reader)
