"""Propose an incident when a page or a request looks like one; a person declares it (INC-01, INC-02, C8).

A page is looked at once, when it has been open for as long as the team's rule says; a request whenever it comes in or
changes. What proposes is said once, on the alert or the request, and told to the watch with a way to declare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from watchbill.actions import delivery
from watchbill.actions.delivery import Words
from watchbill.actions.effects import Tray
from watchbill.actions.log import Subject, record
from watchbill.actions.timers import Claim, finish
from watchbill.db import facts
from watchbill.db.models import AlertGroup, Event, IncidentLink, Page, Person, SupportRequest, Team
from watchbill.rules import incident_proposed
from watchbill.rules.incident_proposed import Facts, Settings

# Within so long, requests about one service are of one thing.
TOGETHER = timedelta(hours=4)
A_MOMENT = timedelta(seconds=1)


def watch_pages(policy: dict[str, Any], pages: Sequence[Page], tray: Tray) -> None:
    """Have new pages of alerts looked at when they have been open for as long as the rule says."""
    limits = [minutes for minutes in _limits(rule_of(policy)) if minutes]
    if not limits:
        return
    for page in pages:
        if page.group_id:
            due = page.opened_at + timedelta(minutes=min(limits)) + A_MOMENT
            tray.wake(Subject("page", page.pk, page.team_id), "propose", due)


def rule_of(policy: dict[str, Any]) -> Settings:
    """Read what a team's policy says of proposing."""
    return Settings.model_validate(policy.get("rules", {}).get("incident_proposed", {}))


def _limits(rule: Settings) -> tuple[int, int]:
    return rule.down_minutes, rule.visible_minutes


def consider_page(claim: Claim, now: datetime) -> None:
    """Propose an incident for a page whose alert still fires; look again when the next limit is reached."""
    with transaction.atomic():
        page = Page.objects.select_for_update(of=("self",)).select_related("team").filter(pk=claim.subject_id).first()
        if not finish(claim) or page is None or page.group_id is None:
            return
        group = AlertGroup.objects.select_related("team", "service").get(pk=page.group_id)
        if group.state == "resolved":
            return
        rule = rule_of(facts.policy_of(page.team))
        minutes = -((page.opened_at - now) // timedelta(minutes=1))
        why = incident_proposed.decide(Facts(minutes_down=minutes, minutes_visible=minutes), rule)
        if why:
            subject = Subject("alert", group.pk, group.team_id)
            _propose(page.team, subject, group.title, f"/incidents/new/?alert={group.pk}", why, now)


def consider_request(request: SupportRequest, now: datetime) -> None:
    """Propose an incident for a locked request, when the team's rule finds reasons in it and in those beside it."""
    if request.state != "open" or request.request_class != "incident_report":
        return
    rule = rule_of(facts.policy_of(request.team))
    known = Facts(
        users=_users_beside(request, now),
        blocks_team=request.impact in {"team", "everyone"},
        is_security=request.impact == "security",
        asked_for=request.escalated_at is not None,
    )
    why = incident_proposed.decide(known, rule)
    if why:
        subject = Subject("request", request.pk, request.team_id)
        _propose(request.team, subject, request.title, f"/incidents/new/?request={request.pk}", why, now)


def _users_beside(request: SupportRequest, now: datetime) -> int:
    """Count who lately reported something broken on the same service; without a service, this one alone."""
    if request.service_id is None:
        return 1
    beside = SupportRequest.objects.filter(
        team=request.team,
        service=request.service_id,
        state="open",
        request_class="incident_report",
        opened_at__gt=now - TOGETHER,
    )
    return beside.values("requester").distinct().count()


def _propose(team: Team, subject: Subject, title: str, path: str, why: list[str], now: datetime) -> None:
    kind = f"{subject.kind}.incident_proposed"
    said = Event.objects.filter(subject_kind=subject.kind, subject_id=subject.id, kind=kind)
    if said.exists() or IncidentLink.objects.filter(kind=subject.kind, subject_id=subject.id).exists():
        return
    reasons = "; ".join(why)
    line = record(subject, kind, f"this may be an incident: {reasons}", now, data={"reasons": why})
    words = Words(
        subject=f"An incident? {title}"[:200],
        text=f"{title}\n\nThis may be an incident: {reasons}. You decide: one step declares it.",
        purpose="notice",
        urgency="important",
        path=path,
        action="Look, and declare it",
    )
    for person in _watch(team, now):
        delivery.reach_or_tell(person.pk, subject, words, line, f"it may be an incident: {reasons}", now)


def _watch(team: Team, now: datetime) -> list[Person]:
    standing = [shift.person for shift in facts.shifts_now(team, now) if shift.person and shift.person.is_active]
    fallback = [team.fallback] if team.fallback and team.fallback.is_active else []
    return list(dict.fromkeys(standing or fallback))


def reasons_for(kind: str, number: int) -> list[str]:
    """Read why an alert or a request may be an incident; nothing once it belongs to one."""
    if IncidentLink.objects.filter(kind=kind, subject_id=number).exists():
        return []
    lines = Event.objects.filter(subject_kind=kind, subject_id=number, kind=f"{kind}.incident_proposed")
    line = lines.order_by("-id").first()
    return list(line.data["reasons"]) if line else []


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {
    ("page", "propose"): consider_page,
}
