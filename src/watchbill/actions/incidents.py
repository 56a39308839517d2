"""Incidents: their states, milestones, severity and what they touch. Every path locks the incident first, then its timers.

`declaring` begins one, `incident_story` writes its timeline; roles, updates and tasks have a module each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from watchbill.actions import (
    delivery,
    incident_room,
    postmortem_begin,
    postmortem_rules,
    status_changes,
    update_promises,
    update_telling,
)
from watchbill.actions.access import ROLES, require, role_of
from watchbill.actions.checking import check_text
from watchbill.actions.delivery import Words
from watchbill.actions.desk import Desk, desk_of
from watchbill.actions.effects import carry_out
from watchbill.actions.incident_carry import Carried, bring_back, hosts_of
from watchbill.actions.log import WATCHBILL, Actor, Subject, record
from watchbill.core import incidents as core
from watchbill.db.incident_facts import incident_fact, left_of, named_in, sees_incident
from watchbill.db.models import Incident, IncidentMember, IncidentService, Person, Service, ServiceCondition
from watchbill.kit.effects import Effect
from watchbill.kit.errors import NotAllowed, Refused
from watchbill.rules import incident_closing, incident_severity

LONGEST_TEXT = 10_000


def subject_of(incident: Incident) -> Subject:
    """Give the log's name for an incident."""
    return Subject("incident", incident.pk, incident.team_id)


def lock(incident_id: int) -> Incident:
    """Lock an incident for the rest of the transaction. Raises Refused when there is none."""
    rows = Incident.objects.select_related("team", "service", "owner", "declared_by", "team__fallback")
    incident = rows.select_for_update(of=("self",)).filter(pk=incident_id).first()
    if incident is None:
        raise Refused("there is no such incident", "incident")
    return incident


def lock_all(numbers: Iterable[int]) -> dict[int, Incident]:
    """Lock several incidents, in the order in which everybody does. Raises Refused when one is not there."""
    return {number: lock(number) for number in sorted(set(numbers))}


def require_member(person: Person, incident: Incident, what: str) -> None:
    """Demand the right to act in an incident: a member of the team, or whoever is named in it.

    A private incident is for those who may see it, alone; to others it does not exist.
    """
    if not sees_incident(person, incident):
        if incident.is_private:
            raise Refused("there is no such incident", "incident")
        require(person, incident.team, "member", what)
    held = role_of(person, incident.team)
    is_member = held is not None and ROLES.index(held) >= ROLES.index("member")
    if not is_member and not (person.is_active and named_in(incident, person)):
        require(person, incident.team, "member", what)


def apply(
    incident: Incident, effects: Iterable[Effect], now: datetime, actor: Actor = WATCHBILL, **carrying: Any
) -> None:
    """Carry out what was decided about a locked incident."""
    carry_out(effects, incident, subject_of(incident), now, actor=actor, **carrying)
    incident_room.keep(incident, now)
    status_changes.keep(incident, now)


def severity_rule(desk: Desk) -> incident_severity.Settings:
    """Give the team's table of severities and priorities."""
    return incident_severity.Settings.model_validate(desk.rule("incident_severity"))


def is_major(incident: Incident, desk: Desk) -> bool:
    """Tell whether an incident is coordinated by a commander."""
    return incident_severity.major(incident.priority, severity_rule(desk))


def acknowledge(incident_id: int, person: Person, now: datetime, at: datetime | None = None) -> Incident:
    """Say that one has it. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "take an incident")
        join(incident, person, person, now)
        apply(incident, core.acknowledge(incident_fact(incident), str(person), at or now, now), now, Actor.of(person))
        tick(incident, "acknowledged", person, now)
    return incident


def mitigate(incident_id: int, person: Person, now: datetime, at: datetime | None = None, words: str = "") -> Incident:
    """Say that people no longer feel it. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "mitigate an incident")
        effects = core.mitigate(incident_fact(incident), str(person), at or now, now, words)
        apply(incident, effects, now, Actor.of(person))
    return incident


def resolve(incident_id: int, person: Person, now: datetime, at: datetime | None = None, words: str = "") -> Incident:
    """Say that all is normal again: its services are operational from then on. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "resolve an incident")
        desk = desk_of(incident.team, now)
        effects = core.resolve(incident_fact(incident), str(person), at or now, now, words, _ask_after(desk))
        apply(incident, effects, now, Actor.of(person))
        make_operational(incident, at or now)
        postmortem_begin.on_resolved(incident, desk, now)
        update_telling.on_resolved(incident, words, person, now)
    return incident


def _ask_after(desk: Desk) -> timedelta | None:
    """Read how long after it is resolved somebody is asked to close an incident; None: nobody is."""
    rule = incident_closing.Settings.model_validate(desk.rule("incident_closing"))
    return timedelta(hours=rule.ask_after_hours) if rule.ask_after_hours else None


def make_operational(incident: Incident, at: datetime) -> None:
    """Say that every service that a locked incident touches is operational from `at` on."""
    for row in incident.touched.select_related("service"):
        _set_condition(incident, row.service, "operational", at)


def missing_of(incident: Incident, now: datetime) -> list[str]:
    """Read what is missing before an incident can be closed, as reasons."""
    desk = desk_of(incident.team, now)
    rule = incident_closing.Settings.model_validate(desk.rule("incident_closing"))
    left = replace(
        left_of(incident, now),
        postmortem=postmortem_rules.owed_before_closing(incident, desk),
        untold=update_telling.untold(incident, desk),
    )
    return incident_closing.decide(left, rule)


def close(incident_id: int, person: Person, now: datetime, despite: str = "") -> Incident:
    """Close an incident; refused with what is missing, unless `despite` says why it may be. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "close an incident")
        effects = core.close(incident_fact(incident), missing_of(incident, now), str(person), now, despite)
        apply(incident, effects, now, Actor.of(person))
    return incident


def reopen(incident_id: int, why: str, person: Person, now: datetime) -> Incident:
    """Say that it goes on; one that was merged is its own again, as it was before. Raises Refused, NotAllowed."""
    with transaction.atomic():
        hosts = hosts_of(incident_id)
        held = lock_all([incident_id, *hosts])
        incident = held[incident_id]
        require_member(person, incident, "reopen an incident")
        desk, back = desk_of(incident.team, now), Carried()
        if hosts_of(incident_id) != hosts:
            raise Refused("somebody merged it meanwhile: look at it once more")
        if hosts:
            back = bring_back(incident, [held[one] for one in hosts], person, now)
        effects = core.reopen(incident_fact(incident), str(person), why, now, back.before, _ask_after(desk))
        apply(incident, effects, now, Actor.of(person))
        status_changes.reopened(incident, back.public)
        update_promises.again(incident, now)
        if incident.state == core.RESOLVED:
            postmortem_begin.on_resolved(incident, desk, now)
    return incident


def move_milestone(
    incident_id: int, name: str, at: datetime | None, why: str, person: Person, now: datetime
) -> Incident:
    """Say when a milestone really was, and why; the log keeps both times. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "change a milestone")
        effects = core.move_milestone(incident_fact(incident), name, at, why, str(person), now)
        apply(incident, effects, now, Actor.of(person))
    return incident


def change(incident_id: int, values: Mapping[str, Any], person: Person, now: datetime) -> Incident:
    """Change title, impact, summary, call_url or owner. Raises Refused naming the field, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "change an incident")
        checked = check_values(values)
        changed = {name: value for name, value in checked.items() if getattr(incident, name) != value}
        for name, value in changed.items():
            setattr(incident, name, value)
        if changed:
            incident.save(update_fields=list(changed))
            what = ", ".join(name.replace("_", " ") for name in changed)
            plain = {name: str(value or "") for name, value in changed.items()}
            record(subject_of(incident), "incident.changed", f"{person} changed {what}", now, Actor.of(person), plain)
            incident_room.keep(incident, now)
        if changed.get("call_url"):
            tick(incident, "call", person, now)
    return incident


def check_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check what somebody says of an incident; raises Refused naming the field."""
    checked: dict[str, Any] = {}
    if "title" in values:
        checked["title"] = check_text(dict(values), "title", 200, "give it a title")
    for name, needed in (("impact", "say what people feel"), ("summary", "")):
        if name in values:
            checked[name] = str(values[name] or "").strip()
            if needed and not checked[name]:
                raise Refused(needed, name)
            if len(checked[name]) > LONGEST_TEXT:
                raise Refused(f"at most {LONGEST_TEXT} characters", name)
    if "call_url" in values:
        checked["call_url"] = check_text(dict(values), "call_url", 500)
        if checked["call_url"] and not checked["call_url"].startswith(("https://", "http://")):
            raise Refused("an address begins with https://", "call_url")
    if "owner" in values:
        checked["owner"] = values["owner"]
    return checked


def set_severity(
    incident_id: int, person: Person, now: datetime, *, impact_kind: str = "", severity: str = "", why: str = ""
) -> Incident:
    """Say what people feel by the team's table, or how bad it is by hand; both may change at any time (PRI-07, PRI-09)."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "say how bad an incident is")
        table = severity_rule(desk_of(incident.team, now))
        check_severity(table, impact_kind, severity)
        decision = incident_severity.decide(impact_kind or incident.impact_kind, table, severity, why.strip())
        before = incident.severity
        incident.impact_kind = impact_kind or incident.impact_kind
        incident.is_severity_pinned = bool(severity)
        incident.severity, incident.priority = decision.severity, decision.priority
        incident.priority_why = decision.why
        incident.save(update_fields=["impact_kind", "is_severity_pinned", "severity", "priority", "priority_why"])
        title = table.severities[decision.severity].title
        data = {"from": before, "to": decision.severity, "priority": decision.priority}
        said = f"{person}: {title}, {decision.why}"
        record(subject_of(incident), "incident.severity", said, now, Actor.of(person), data)
        update_promises.again(incident, now)
        incident_room.keep(incident, now)
    return incident


def check_severity(table: incident_severity.Settings, impact_kind: str, severity: str) -> None:
    """Raise Refused for an impact or a severity that the team does not have."""
    if impact_kind and impact_kind not in table.impacts:
        raise Refused(f"an impact is one of {', '.join(table.impacts)}", "impact_kind")
    if severity and severity not in table.severities:
        raise Refused(f"a severity is one of {', '.join(table.severities)}", "severity")


def touch(incident_id: int, service: Service, condition: str, person: Person, now: datetime) -> Incident:
    """Say how a service is because of an incident; `operational` keeps it on the list. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "say what an incident touches")
        if condition not in core.CONDITIONS:
            raise Refused(f"a service is {', '.join(core.CONDITIONS)}", "condition")
        _set_condition(incident, service, condition, now)
        said = f"{person}: {service} is {condition.replace('_', ' ')}"
        data = {"service": service.pk, "condition": condition}
        record(subject_of(incident), "incident.condition", said, now, Actor.of(person), data)
    return incident


def _set_condition(incident: Incident, service: Service, condition: str, at: datetime) -> None:
    """Write how a service is now, and how it was: what the status page and its history show."""
    IncidentService.objects.update_or_create(incident=incident, service=service, defaults={"condition": condition})
    standing = ServiceCondition.objects.filter(incident=incident, service=service, ends_at=None).first()
    if standing is not None:
        if standing.condition == condition:
            return
        standing.ends_at = max(at, standing.starts_at)
        standing.save(update_fields=["ends_at"])
    if condition != "operational":
        ServiceCondition.objects.create(incident=incident, service=service, condition=condition, starts_at=at)
    status_changes.incident_changed(incident)


def set_first_condition(incident: Incident, service: Service, condition: str, at: datetime) -> None:
    """Write how a service is when its incident is declared."""
    _set_condition(incident, service, condition, at)


def join(incident: Incident, person: Person, by: Person, now: datetime) -> IncidentMember:
    """Name somebody in a locked incident as responding; nothing happens when they are (INC-11)."""
    row, made = IncidentMember.objects.get_or_create(
        incident=incident, person=person, defaults={"added_by": by, "joined_at": now}
    )
    if made or row.left_at is not None:
        row.left_at = None
        row.save(update_fields=["left_at"])
        said = f"{person} responds" if person == by else f"{by} called {person}"
        record(subject_of(incident), "incident.joined", said, now, Actor.of(by), {"person": person.pk})
        incident_room.call_in(incident, person, now)
    return row


def add_responder(incident_id: int, whom: Person, person: Person, now: datetime) -> Incident:
    """Call somebody into an incident: they hear of it, and see it also when it is private. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "call somebody into an incident")
        if not whom.is_active:
            raise Refused(f"{whom} has no active account", "person")
        is_new = not incident.members.filter(person=whom, left_at=None).exists()
        join(incident, whom, person, now)
        if is_new and whom != person:
            _tell_called(incident, whom, person, now)
    return incident


def _tell_called(incident: Incident, whom: Person, by: Person, now: datetime) -> None:
    """Reach whoever was called in (INC-06, INC-16); when nothing reaches them somebody else hears so."""
    line = record(subject_of(incident), "incident.called", f"{by} asks {whom} to help", now, Actor.of(by))
    exercise = "Exercise: " if incident.is_exercise else ""
    words = Words(
        subject=f"{exercise}{by} calls you in: {incident.title}"[:200],
        text=f"{by} asks you to help.\n\n{incident.title}\n{incident.impact}",
        purpose="notice",
        urgency="important",
        path=f"/incidents/{incident.pk}/",
        action="Open the incident",
    )
    delivery.reach_or_tell(whom.pk, subject_of(incident), words, line, f"{by} called you in", now)


def leave(incident_id: int, person: Person, now: datetime) -> Incident:
    """Say that one no longer responds; a role is handed on, not left. Raises Refused."""
    with transaction.atomic():
        incident = lock(incident_id)
        held = incident.roles.filter(person=person, state="accepted").first()
        if held is not None:
            raise Refused(f"you are {held.role.replace('_', ' ')}: hand it on first")
        row = IncidentMember.objects.filter(incident=incident, person=person, left_at=None).first()
        if row is None:
            raise Refused("you are not among those who respond")
        row.left_at = now
        row.save(update_fields=["left_at"])
        record(
            subject_of(incident),
            "incident.left",
            f"{person} no longer responds",
            now,
            Actor.of(person),
            {"person": person.pk},
        )
    return incident


def tick(incident: Incident, key: str, person: Person | None, now: datetime) -> None:
    """Mark a step of the protocol of a locked incident as done, when it has this step and it is not."""
    step = incident.steps.filter(key=key, done_at=None).first()
    if step is None:
        return
    step.done_at, step.done_by = now, person
    step.save(update_fields=["done_at", "done_by"])
    by = Actor.of(person) if person else WATCHBILL
    record(subject_of(incident), "incident.step", step.text, now, by, {"step": key})


def set_privacy(incident_id: int, is_private: bool, why: str, person: Person, now: datetime) -> Incident:
    """Make an incident private, or open to the team. Raises Refused, NotAllowed."""
    with transaction.atomic():
        incident = lock(incident_id)
        require_member(person, incident, "change who sees an incident")
        if not is_private and role_of(person, incident.team) != "owner":
            raise NotAllowed(f"To open a private incident to all of {incident.team} you need to be one of its owners.")
        if not why.strip():
            raise Refused("say why", "why")
        incident.is_private = is_private
        incident.save(update_fields=["is_private"])
        status_changes.incident_changed(incident)
        join(incident, person, person, now)
        said = f"{person} made it {'private' if is_private else 'open to the team'}: {why.strip()}"
        record(subject_of(incident), "incident.privacy", said, now, Actor.of(person), {"private": is_private})
        update_promises.again(incident, now)
    return incident
