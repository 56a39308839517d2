"""How a component, an incident and planned work are, and what the public reads of it."""

from __future__ import annotations

from collections.abc import Iterable

OPERATIONAL, MAINTENANCE = "operational", "maintenance"
DEGRADED, PARTIAL, MAJOR = "degraded", "partial_outage", "major_outage"
# From the best to the worst.
CONDITIONS = (OPERATIONAL, MAINTENANCE, DEGRADED, PARTIAL, MAJOR)
DOWN = {PARTIAL, MAJOR}
CONDITION_WORDS = {
    OPERATIONAL: "Works",
    MAINTENANCE: "Planned work",
    DEGRADED: "Slow or shaky",
    PARTIAL: "Down for some",
    MAJOR: "Down",
}
OVERALL_WORDS = {
    OPERATIONAL: "Everything works",
    MAINTENANCE: "Planned work is under way",
    DEGRADED: "Some things are slow or shaky",
    PARTIAL: "Some things are down for some people",
    MAJOR: "Something is down",
}
TROUBLE = "Something is wrong, and we are on it"
STATES = ("investigating", "identified", "monitoring", "resolved")
STATE_WORDS = {
    "investigating": "We are looking into it",
    "identified": "We know what it is",
    "monitoring": "It works again, and we keep watching",
    "resolved": "Over",
}
TOLD_AS = {"active": "investigating", "mitigated": "monitoring", "closed": "resolved"}
NOTICE_WORDS = {
    "announced": "Ahead",
    "in_progress": "Under way",
    "done": "Done",
    "cancelled": "Called off",
}
NOTICE_SAID = {
    **NOTICE_WORDS,
    "announced": "Announced",
    "reminded": "A reminder",
    "moved": "Moved",
    "begun": "Begun",
    "extended": "Takes longer",
}


def worst(conditions: Iterable[str]) -> str:
    """Give the worst of some conditions; of none: operational."""
    return max(conditions, key=CONDITIONS.index, default=OPERATIONAL)
