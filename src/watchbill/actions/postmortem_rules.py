"""How a team's rule for post-mortems reads for one incident: what it asks for, and what is owed before closing."""

from __future__ import annotations

from dataclasses import replace

from watchbill.actions.desk import Desk
from watchbill.core.postmortems import Demands, owed_words
from watchbill.db.models import Incident, PostMortem
from watchbill.rules import incident_severity, postmortem_due
from watchbill.rules.postmortem_due import Decision, Settings


def rule_of(desk: Desk) -> Settings:
    """Give the team's rule for post-mortems."""
    return Settings.model_validate(desk.rule("postmortem_due"))


def decision_for(incident: Incident, desk: Desk) -> Decision:
    """Decide whether an incident is to have one; an exercise may have one, and owes none (INC-21)."""
    table = incident_severity.Settings.model_validate(desk.rule("incident_severity"))
    is_major = incident_severity.major(incident.priority, table)
    decision = postmortem_due.decide(incident.priority, incident.outcome, rule_of(desk), is_major=is_major)
    return replace(decision, required=False, why="an exercise asks for none") if incident.is_exercise else decision


def demands_of(rule: Settings) -> Demands:
    """Give what the team demands of a post-mortem before it moves on."""
    return Demands(
        drafts_may_be_published=rule.publish_drafts,
        second_person=rule.reviewer == "second_person",
        actions_need_owner=rule.actions.needs_owner,
        smallest_in_sprint=rule.actions.smallest_in_sprint,
    )


def owed_before_closing(incident: Incident, desk: Desk) -> str:
    """Say what of its post-mortem is owed before an incident closes; nothing: it may close."""
    rule, decision = rule_of(desk), decision_for(incident, desk)
    state = PostMortem.objects.filter(incident=incident).values_list("state", flat=True).first()
    if state is None and not decision.required:
        return ""
    return owed_words(state, rule.before_closing if decision.required else "nothing", rule.name)
