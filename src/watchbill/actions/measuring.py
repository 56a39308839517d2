"""Measure the incidents of teams, as far as somebody may see them: how many, noticed by whom, from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from watchbill.actions.desk import desk_of
from watchbill.actions.incidents import severity_rule
from watchbill.core.measures import Measures, measure
from watchbill.db.models import Person, Team
from watchbill.db.postmortem_facts import told_of
from watchbill.db.screens.postmortems import incidents_between


def read_measures(person: Person, teams: Sequence[Team], since: datetime, until: datetime) -> Measures:
    """Measure the incidents that began from `since` to before `until`; each team's own words say what is high (MET-02)."""
    priorities = {
        (team.pk, key): (priority.title, priority.is_major)
        for team in teams
        for key, priority in severity_rule(desk_of(team, until)).priorities.items()
    }
    found = incidents_between(person, [team.pk for team in teams], since, until)
    return measure(told_of(found, priorities))
