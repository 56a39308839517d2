"""The post-mortem of an incident: where it stands, or the button that begins one."""

from __future__ import annotations

from typing import Any

from watchbill.actions import postmortems
from watchbill.actions.postmortem_rules import decision_for, rule_of
from watchbill.core.postmortems import STATE_WORDS
from watchbill.db.models import PostMortem
from watchbill.entry.web.incident_panels import About, Act, EmptyForm

PLACE = 80
WHERE = "side"
TEMPLATE = "incidents/panel_postmortem.html"


def words(about: About) -> dict[str, Any]:
    """Give the post-mortem, or what the team's rule will ask for."""
    one = next(iter(PostMortem.objects.filter(incident=about.incident).select_related("owner")), None)
    decision = decision_for(about.incident, about.desk)
    return {
        "postmortem": one,
        "postmortem_name": rule_of(about.desk).name,
        "postmortem_state": STATE_WORDS[one.state] if one else "",
        "postmortem_why": decision.why if decision.required else "",
    }


ACTS = {
    "postmortem": Act(
        EmptyForm,
        lambda a, v: postmortems.begin_by_hand(a.incident.pk, a.reader, a.now),
        "It is begun, from the record.",
    ),
}
