"""Who sees it: the team, or those alone who are named in it and the team's owners."""

from __future__ import annotations

from typing import Any

from watchbill.actions import incidents
from watchbill.entry.web.incident_panels import About, Act, WhyForm

PLACE = 90
WHERE = "side"
TEMPLATE = "incidents/panel_privacy.html"


def words(about: About) -> dict[str, Any]:
    """Tell whether the reader may open it to the team."""
    return {"may_open": about.role == "owner"}


ACTS = {
    "hide": Act(
        WhyForm,
        lambda a, v: incidents.set_privacy(a.incident.pk, True, v["why"], a.reader, a.now),  # noqa: FBT003
        "Private: those who are named in it see it, and the owners of the team.",
    ),
    "show": Act(
        WhyForm,
        lambda a, v: incidents.set_privacy(a.incident.pk, False, v["why"], a.reader, a.now),  # noqa: FBT003
        "Open: everybody of the team sees it.",
    ),
}
