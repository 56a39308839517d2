"""The promises of an incident's next updates, as rows with two timers: one before, one when a promise is missed.

`Incident.next_update_at` is the earliest of them. Call everything here with the incident locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.log import Subject
from watchbill.actions.timers import clear_timer, set_timer
from watchbill.core import updates as core
from watchbill.core.updates import Promise
from watchbill.db.models import Incident, UpdatePromise
from watchbill.rules import incident_updates
from watchbill.rules.incident_updates import Hearing, Settings

SOON, LATE, WIDER = "update_soon", "update_late", "update_wider"
GOES_ON = ("active", "mitigated")


def rule_of(desk: Desk) -> Settings:
    """Give how a team tells of its incidents."""
    return Settings.model_validate(desk.rule("incident_updates"))


def hearings_of(incident: Incident, desk: Desk) -> list[Hearing]:
    """Give who hears of an incident, in the team's order, and how often."""
    return incident_updates.decide(
        incident.priority, rule_of(desk), is_private=incident.is_private, is_exercise=incident.is_exercise
    )


def before_of(rule: Settings) -> timedelta:
    """Give how long before a promise its speaker is reminded."""
    return timedelta(minutes=rule.remind_before_minutes)


def subject_of(incident: Incident) -> Subject:
    """Give the log's name for an incident."""
    return Subject("incident", incident.pk, incident.team_id)


def promises_of(incident: Incident, desk: Desk) -> list[Promise]:
    """Read the promises that stand, each with the cadence that its audience has now; of what is over, none."""
    if incident.state not in GOES_ON:
        return []
    every = {one.key: one.every for one in hearings_of(incident, desk)}
    rows = UpdatePromise.objects.filter(incident=incident).order_by("id")
    return [
        Promise(row.audience, row.due_at, every[row.audience], row.reminded_at, row.late_told_at)
        for row in rows
        if row.due_at is not None and row.audience in every
    ]


def make(incident: Incident, promise: Promise | None, audience: str) -> None:
    """Write the promise that an update to an audience makes; None: none stands any more."""
    UpdatePromise.objects.update_or_create(
        incident=incident,
        audience=audience,
        defaults={
            "due_at": promise.due_at if promise else None,
            "reminded_at": promise.reminded_at if promise else None,
            "late_told_at": promise.late_told_at if promise else None,
        },
    )


def wake(incident: Incident, desk: Desk) -> None:
    """Set the timers for what is promised, and the time that the incident shows."""
    held = promises_of(incident, desk)
    soon, late = core.wake_at(held, before_of(rule_of(desk)))
    for kind, at in ((SOON, soon), (LATE, late)):
        if at is None:
            clear_timer(subject_of(incident), kind)
        else:
            set_timer(subject_of(incident), kind, at)
    incident.next_update_at = min((one.due_at for one in held), default=None)
    incident.save(update_fields=["next_update_at"])


def begin(incident: Incident, hearings: Iterable[Hearing], desk: Desk, now: datetime, *, first: bool = True) -> None:
    """Promise each audience its next update: the first one after declaring comes by the team's own time."""
    before = before_of(rule_of(desk))
    for one in hearings:
        wait = one.first if first else one.every
        promise = core.promise(one.key, one.every, before, now, now + wait) if wait else None
        make(incident, promise, one.key)
    wake(incident, desk)


def drop(incident: Incident) -> None:
    """Let no promise stand: it is over."""
    UpdatePromise.objects.filter(incident=incident).update(due_at=None, reminded_at=None, late_told_at=None)
    for kind in (SOON, LATE, WIDER):
        clear_timer(subject_of(incident), kind)
    if incident.next_update_at is not None:
        incident.next_update_at = None
        incident.save(update_fields=["next_update_at"])


def again(incident: Incident, now: datetime) -> None:
    """Promise anew where the team has a cadence: the incident goes on, or its priority or its readers changed."""
    if incident.state not in GOES_ON:
        return
    desk = desk_of(incident.team, now)
    standing = {row.audience: row for row in UpdatePromise.objects.filter(incident=incident)}
    hearings = hearings_of(incident, desk)
    for gone in standing.keys() - {one.key for one in hearings}:
        make(incident, None, gone)
    before = before_of(rule_of(desk))
    for one in hearings:
        row = standing.get(one.key)
        due = row.due_at if row and row.due_at and row.due_at > now else None
        fresh = core.promise(one.key, one.every, before, now)
        # What was promised for later than the cadence asks is brought forward; nothing is put off.
        if fresh is not None and (due is None or due > fresh.due_at):
            make(incident, fresh, one.key)
    wake(incident, desk)
