"""Open alerts of a vulnerability or compliance feed become tickets by themselves (PAG-07).

A timer of the team looks every hour at what is open, which is little; placing an alert never waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from watchbill.actions import ticket_pairs
from watchbill.actions.desk import desk_of
from watchbill.actions.log import WATCHBILL, Subject
from watchbill.actions.ticket_pairs import Solved
from watchbill.actions.timers import Claim, clear_timer, finish, set_timer
from watchbill.db.models import AlertGroup, Team, Ticket
from watchbill.rules import findings

EVERY = timedelta(hours=1)
MOST_AT_ONCE = 100
LOOKED_BACK = 20


def look_soon(team: Team, now: datetime) -> None:
    """Look for findings from now on, or no more, as the team's policy says."""
    if _rule(team, now).services:
        set_timer(_subject(team), "findings", now)
    else:
        clear_timer(_subject(team), "findings")


def _subject(team: Team) -> Subject:
    return Subject("team", team.pk, team.pk)


def _rule(team: Team, now: datetime) -> findings.Settings:
    return findings.Settings.model_validate(desk_of(team, now).rule("findings"))


def look(claim: Claim, now: datetime) -> None:
    """Write a ticket for each open finding that has none; one that came back belongs to the ticket that is still open."""
    with transaction.atomic():
        team = Team.objects.select_for_update(of=("self",)).filter(pk=claim.subject_id).first()
        if not finish(claim) or team is None or team.archived_at is not None:
            return
        rule = _rule(team, now)
        if not rule.services:
            return
        rows = AlertGroup.objects.filter(team=team, service__slug__in=rule.services).exclude(state="resolved")
        found = [
            group
            for group in rows.select_related("team", "service").order_by("opened_at", "id")
            if findings.decide(group.service.slug, group.severity, rule)
        ]
        known = ticket_pairs.ticketed(found)
        fresh = [group for group in found if group.pk not in known]
        for group in fresh[:MOST_AT_ONCE]:
            _write(group, rule, now)
        set_timer(_subject(team), "findings", now if len(fresh) > MOST_AT_ONCE else now + EVERY)


def _write(group: AlertGroup, rule: findings.Settings, now: datetime) -> None:
    earlier = AlertGroup.objects.filter(service=group.service_id, key=group.key, pk__lt=group.pk).order_by("-id")
    known = ticket_pairs.ticketed(earlier[:LOOKED_BACK])
    standing = Ticket.objects.filter(pk__in=known.values()).exclude(stage="done").order_by("-id").first()
    if standing is not None:
        ticket_pairs.join(standing, group, WATCHBILL, now)
    else:
        ticket_pairs.write_for(group, Solved(labels=tuple(rule.labels), solved=False), WATCHBILL, now)


TIMER_HANDLERS: dict[tuple[str, str], Callable[[Claim, datetime], None]] = {("team", "findings"): look}
