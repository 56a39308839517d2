"""Incidents, the pure part: the states, the milestones, and what may follow what.

    active ──► mitigated ──► resolved ──► closed        mitigated: the impact has ended
       └───────────────────────►┘  ▲         │          resolved: normal state
                                   └─────────┘          closed: the paperwork is done

Event time is not entry time: every change may be dated back (backdating is normal). Instants are UTC. Decisions return
effects; `Become` names the fields of the incident's row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchbill.kit.effects import Become, ClearTimer, Effect, Record, SetTimer
from watchbill.kit.errors import Refused

ACTIVE, MITIGATED, RESOLVED, CLOSED = "active", "mitigated", "resolved", "closed"
STATES = (ACTIVE, MITIGATED, RESOLVED, CLOSED)
OUTCOMES = ("", "merged", "not_an_incident", "exercise")
CONDITIONS = ("operational", "degraded", "partial_outage", "major_outage")
DETECTED_BY = ("alert", "requester", "member", "vendor")
ENTRY_KINDS = ("note", "observation", "hypothesis", "ruled_out", "decision", "action", "command")

UPDATE_TIMERS = ("update_soon", "update_late", "update_wider")

# In the order in which they can happen; each is the field of the row without `_at`.
MILESTONES = ("started", "detected", "declared", "acknowledged", "mitigated", "resolved", "closed")
# These may lie in any order among themselves: people declare before they know, and before anybody has it.
LOOSE = {"detected", "declared", "acknowledged"}


@dataclass(frozen=True)
class Incident:
    """What decisions need of an incident; a milestone that has not come is missing."""

    state: str
    title: str = ""
    is_private: bool = False
    is_exercise: bool = False
    milestones: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Left:
    """What is left of an incident before it can be closed: names of what stands open; `postmortem` says what is owed."""

    state: str = "resolved"
    milestones: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    silences: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    vendor_cases: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    postmortem: str = ""


def check_milestones(milestones: Mapping[str, datetime | None], now: datetime) -> None:
    """Raise Refused, naming the milestone, when one lies ahead or before one that it must follow."""
    reached: list[tuple[str, datetime]] = []
    for name in MILESTONES:
        at = milestones.get(name)
        if at is None:
            continue
        if at > now:
            raise Refused("this lies ahead: a milestone is in the past", f"{name}_at")
        for earlier, when in reached:
            if at < when and not {name, earlier} <= LOOSE:
                raise Refused(f"{name} cannot lie before {earlier} ({when:%F %H:%M} UTC)", f"{name}_at")
        reached.append((name, at))


def move_milestone(
    incident: Incident, name: str, at: datetime | None, why: str, who: str, now: datetime
) -> list[Effect]:
    """Decide that a milestone was at another time, for a reason that stands. Raises Refused naming the field."""
    if name not in MILESTONES:
        raise Refused(f"a milestone is one of {', '.join(MILESTONES)}", "milestone")
    if not why.strip():
        raise Refused("say why: the timeline keeps both times", "why")
    if at is None and name in {"started", "declared", *_reached_by(incident.state)}:
        raise Refused(f"an incident that is {incident.state} has this time: give another one", f"{name}_at")
    before = incident.milestones.get(name)
    if before == at:
        return []
    check_milestones({**incident.milestones, name: at}, now)
    said = f"{before:%F %H:%M}" if before else "not known"
    then = f"{at:%F %H:%M} UTC" if at else "not known"
    record = Record(
        "incident.milestone",
        f"{who}: {name} was {then}, not {said}: {why.strip()}",
        {"milestone": name, "from": before.isoformat() if before else None, "to": at.isoformat() if at else None},
    )
    return [Become({f"{name}_at": at}), record]


def _reached_by(state: str) -> Sequence[str]:
    return {ACTIVE: (), MITIGATED: (MITIGATED,), RESOLVED: (RESOLVED,), CLOSED: (RESOLVED, CLOSED)}[state]


def acknowledge(incident: Incident, who: str, at: datetime, now: datetime) -> list[Effect]:
    """Decide that somebody has it; the first one is the milestone."""
    if "acknowledged" in incident.milestones or incident.state == CLOSED:
        return []
    check_milestones({**incident.milestones, "acknowledged": at}, now)
    return [Become({"acknowledged_at": at}), Record("incident.acknowledged", f"{who} has it", at=at)]


def mitigate(incident: Incident, who: str, at: datetime, now: datetime, words: str = "") -> list[Effect]:
    """Decide that the impact has ended. Raises Refused when it is over already."""
    _demand(incident, (ACTIVE,), "be mitigated")
    check_milestones({**incident.milestones, MITIGATED: at}, now)
    said = f"{who}: people no longer feel it" + _more(words)
    return [Become({"state": MITIGATED, "mitigated_at": at}), Record("incident.mitigated", said, at=at)]


def resolve(
    incident: Incident, who: str, at: datetime, now: datetime, words: str = "", ask_after: timedelta | None = None
) -> list[Effect]:
    """Decide that all is normal again; what was not mitigated before is so by the same time. Raises Refused.

    After `ask_after` somebody is asked to close it.
    """
    _demand(incident, (ACTIVE, MITIGATED), "be resolved")
    mitigated = incident.milestones.get(MITIGATED, at)
    check_milestones({**incident.milestones, MITIGATED: mitigated, RESOLVED: at}, now)
    change = {"state": RESOLVED, "mitigated_at": mitigated, "resolved_at": at, "next_update_at": None}
    effects: list[Effect] = [Become(change), Record("incident.resolved", f"{who}: all is normal" + _more(words), at=at)]
    effects += [ClearTimer(kind) for kind in ("lead", "gather", *UPDATE_TIMERS)]
    if ask_after:
        effects.append(SetTimer("close", now + ask_after))
    return effects


def close(incident: Incident, missing: Sequence[str], who: str, now: datetime, despite: str = "") -> list[Effect]:
    """Decide that the paperwork is done. With something `missing` it is refused, unless somebody says why it may be."""
    if incident.state == CLOSED:
        raise Refused("it is closed already")
    if incident.state != RESOLVED:
        raise Refused(f"it is {incident.state}: resolve it first")
    if missing and not despite.strip():
        raise Refused("it cannot be closed yet: " + "; ".join(missing), "despite")
    said = f"{who} closed it" + (f" despite {'; '.join(missing)}: {despite.strip()}" if missing else "")
    data = {"missing": list(missing)} if missing else {}
    timers: list[Effect] = [ClearTimer("close"), SetTimer("roles_over", now)]
    return [Become({"state": CLOSED, "closed_at": now}), Record("incident.closed", said, data), *timers]


def end_early(incident: Incident, outcome: str, who: str, why: str, now: datetime) -> list[Effect]:
    """Decide that it was no incident, or is part of another: it ends without paperwork. Raises Refused."""
    if outcome not in OUTCOMES[1:]:
        raise Refused(f"it ends as one of {', '.join(OUTCOMES[1:])}", "outcome")
    if not why.strip():
        raise Refused("say why", "why")
    if incident.state == CLOSED:
        raise Refused("it is closed already")
    ended = incident.milestones.get(RESOLVED, now)
    change = {"state": CLOSED, "outcome": outcome, "resolved_at": ended, "closed_at": now, "next_update_at": None}
    said = f"{who}: {outcome.replace('_', ' ')}: {why.strip()}"
    timers: list[Effect] = [ClearTimer(kind) for kind in ("lead", "gather", "close", *UPDATE_TIMERS)]
    timers.append(SetTimer("roles_over", now))
    return [Become(change), Record("incident.ended", said, {"outcome": outcome}), *timers]


@dataclass(frozen=True)
class Before:
    """How an incident stood before it was merged into another: what opening it again gives back."""

    state: str = ACTIVE
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None


GOES_ON = Before()


def reopen(
    incident: Incident, who: str, why: str, now: datetime, before: Before = GOES_ON, ask_after: timedelta | None = None
) -> list[Effect]:
    """Decide that it goes on: the times of its end no longer hold, the log keeps them. Raises Refused.

    One that was merged is as it was `before`; when it was resolved, somebody is asked to close it after `ask_after`.
    """
    if incident.state == ACTIVE:
        raise Refused("it is active already")
    if not why.strip():
        raise Refused("say why it goes on", "why")
    change = {
        "state": before.state,
        "outcome": "",
        "mitigated_at": before.mitigated_at,
        "resolved_at": before.resolved_at,
        "closed_at": None,
        "merged_into_id": None,
    }
    effects: list[Effect] = [Become(change), Record("incident.reopened", f"{who}: {why.strip()}"), ClearTimer("close")]
    if before.state != RESOLVED:
        effects.append(SetTimer("seek_again", now))
    elif ask_after:
        effects.append(SetTimer("close", now + ask_after))
    return effects


def _demand(incident: Incident, states: Sequence[str], what: str) -> None:
    if incident.state not in states:
        raise Refused(f"it is {incident.state}: only what is {' or '.join(states)} can {what}")


def _more(words: str) -> str:
    return f": {words.strip()}" if words.strip() else ""
