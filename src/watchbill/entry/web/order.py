"""A team's own order of severities, as its policy says."""

from __future__ import annotations

from collections.abc import Iterable

from watchbill.db import facts
from watchbill.db.models import Team
from watchbill.rules import severity_response


def severity_order(team: Team) -> list[str]:
    """Read a team's severities, most severe first."""
    written = facts.policy_of(team).get("rules", {}).get("severity_response", {})
    return list(severity_response.Settings.model_validate(written).severities)


def severity_orders(teams: Iterable[Team]) -> dict[int, list[str]]:
    """Read the severities of several teams."""
    return {team.pk: severity_order(team) for team in teams}


def all_severities(teams: Iterable[Team]) -> list[str]:
    """Read every severity of these teams once, most severe first."""
    return list(dict.fromkeys(name for team in teams for name in severity_order(team)))
